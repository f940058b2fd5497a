"""`python -m tests.mutants`: make small changes to the package, one at a time, and see that the tests notice each."""

from __future__ import annotations

import argparse
import fnmatch
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.mutants.lane import BrokenError
from tests.mutants.mutant import Mutant, mutants_of_package
from tests.mutants.report import Report
from tests.mutants.reviewed import UnreadableListError, reviewed_in
from tests.mutants.run import FailingTestsError, Run
from tests.mutants.settings import settings_of
from tests.mutants.stories import OutdatedStoryError, stories_in

ROOT = Path(__file__).parents[2]


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Try the mutants that are asked for, or all.

    Returns:
        0 if enough are killed, and each survivor is one that somebody has looked at; 1 if not; 2 if nothing can be
        proved: the request makes no sense, or the tests fail without any mutant.
    """
    asked = _parser().parse_args(arguments)
    console = Console(highlight=False, emoji=False, markup=False, soft_wrap=True)
    try:
        return _main(asked, root, console)
    except (BrokenError, FailingTestsError, OutdatedStoryError, UnreadableListError) as error:
        console.print(str(error), style="red")
        return 2


def _main(asked: argparse.Namespace, root: Path, console: Console) -> int:
    settings = settings_of(root)
    reviewed = reviewed_in(root / settings.reviewed)
    package = root / settings.package
    everything = [*stories_in(root / settings.stories, package), *mutants_of_package(package)]
    chosen = [mutant for mutant in everything if _is_asked_for(mutant, asked)]
    if not chosen:
        console.print("There is no such mutant; --list says which there are.", style="red")
        return 2
    if asked.list:
        for mutant in chosen:
            console.print(f"{mutant.name}\n- {mutant.line}\n+ {mutant.becomes}".replace("\n", "\n    "))
        return 0
    run = Run(settings, {entry.key for entry in reviewed}, asked, console)
    report = Report(settings, chosen, run.verdicts(chosen), reviewed, are_all=len(chosen) == len(everything))
    report.print(console)
    return int(not report.is_good or run.has_failing_tests)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("places", nargs="*", metavar="PLACE", help="a file, module or module.function (default: all)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a mutant; may be repeated")
    parser.add_argument("--list", action="store_true", help="only say which mutants there are")
    parser.add_argument("--anew", action="store_true", help="try those again of which is known what became of them")
    parser.add_argument(
        "--quick", action="store_true", help="run just some of the tests on mutants that are hard to kill"
    )
    parser.add_argument("--despite-failures", action="store_true", help="leave out tests that fail without a mutant")
    parser.add_argument("-j", "--jobs", type=int, choices=range(1, 65), default=2, metavar="N", help="trials at once")
    return parser


def _is_asked_for(mutant: Mutant, asked: argparse.Namespace) -> bool:
    if asked.only:
        return mutant.name in asked.only
    module = mutant.file.removesuffix(".py").replace("/", ".")
    names = (mutant.file, module, f"{module}.{mutant.function}")
    return not asked.places or any(_is_in(name, place) for name in names for place in asked.places)


def _is_in(name: str, place: str) -> bool:
    return fnmatch.fnmatchcase(name, place) or name.startswith(f"{place}.")


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # so that no trial outlives this
    try:
        code = main(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130  # as a shell says that it was interrupted
    sys.stdout.flush()
    os._exit(code)  # not waiting for threads that wait for workers
