"""`python -m tests.mutants`: put each mutant into a copy of the patch and see that the tests notice."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

from packaging.requirements import Requirement
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from tests.mutants import seen_by_the_engine_tests, seen_by_the_sets
from tests.mutants.mutant import DoesNotApplyError, Mutant
from tests.mutants.trial import Outcome, Project, Suite, Verdict, Workshop

PROJECT = Project(Path(__file__).parents[2], "aistore_patch", ("tests", "pyproject.toml"))
# Those first that see most, since a trial ends with the first failure.
_SETS = ("redirects_patched", "noredirect_patched", "redirects_unpatched", "noredirect_unpatched")
SUITES = (
    Suite(
        "the four sets",
        tuple(f"tests/unit/botocore_patch/test_botocore_{name}.py" for name in _SETS),
        seen_by_the_sets.MUTANTS,
    ),
    Suite("tests/engine", ("tests/engine",), seen_by_the_engine_tests.MUTANTS, repeats=True),
)

# A trial that takes so many times as long as that of the package as it is hangs. Two run at once, hence the many.
_PATIENCE = 10
_LEAST_PATIENCE = 60.0  # seconds

_SHOWN = 140  # characters of what a test said, where there is a line for each mutant

_STYLES = {
    Outcome.CAUGHT: "green",
    Outcome.TIMED_OUT: "yellow",
    Outcome.SURVIVED: "bold red",
    Outcome.NO_TRIAL: "bold red",
}


def main(arguments: Sequence[str], project: Project = PROJECT, suites: Sequence[Suite] = SUITES) -> int:
    """Try the mutants that are named, or all.

    Returns:
        0 if each was caught, 1 if one was not, 2 if nothing can be proved: the list or the request makes no sense, or
        the tests fail without any mutant.
    """
    asked = _parser().parse_args(arguments)
    console = Console(highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = max(console.width, 160)  # nobody folds a log
    try:
        chosen = _chosen(suites, asked.names)
        _check(suites, project)
    except DoesNotApplyError as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        return 2
    if asked.list:
        for mutant in _mutants(chosen):
            console.print(f"{mutant.name}: {mutant.harm}", markup=False, soft_wrap=True)
        return 0
    chosen = _reached(chosen, asked.python, console)
    if not chosen:
        console.print("There is nothing left to try.", style="red")
        return 2
    with Workshop(project, asked.python, asked.jobs) as workshop:
        limits = _limits(workshop, chosen, console)
        if limits is None:
            return 2
        verdicts = dict(_try_all(workshop, chosen, limits, asked.jobs, console))
    for suite in chosen:
        console.print(_table(suite, verdicts))
    return _conclude(verdicts, console)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="MUTANT", help="all if none is named")
    parser.add_argument("--list", action="store_true", help="only say which mutants there are")
    parser.add_argument(
        "--python",
        type=_interpreter,
        default=sys.executable,
        metavar="PATH",
        help="an interpreter that has what the tests need (default: this one)",
    )
    parser.add_argument("-j", "--jobs", type=int, choices=range(1, 65), default=2, metavar="N", help="trials at once")
    return parser


def _interpreter(text: str) -> str:
    found = shutil.which(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text} is no program; the path of a Python is expected")
    return os.path.abspath(found)  # trials run elsewhere


def _mutants(suites: Sequence[Suite]) -> list[Mutant]:
    return [mutant for suite in suites for mutant in suite.mutants]


def _chosen(suites: Sequence[Suite], names: Sequence[str]) -> list[Suite]:
    """The suites, with the mutants that are named, or all."""
    known = {mutant.name for mutant in _mutants(suites)}
    unknown = sorted(set(names) - known)
    if unknown:
        raise DoesNotApplyError(f"There is no mutant {', '.join(unknown)}; --list says which there are.")
    chosen = [
        replace(suite, mutants=tuple(m for m in suite.mutants if not names or m.name in names)) for suite in suites
    ]
    return [suite for suite in chosen if suite.mutants]


def _check(suites: Sequence[Suite], project: Project) -> None:
    """Raise one error for all mutants that do not apply."""
    problems = []
    for mutant in _mutants(suites):
        try:
            mutant.source(project.root / project.package)
        except DoesNotApplyError as error:
            problems.append(str(error))
    if problems:
        raise DoesNotApplyError("\n".join(problems))


def _reached(suites: Sequence[Suite], python: str, console: Console) -> list[Suite]:
    """The suites without the mutants that cannot do harm with what is installed there; says which those are."""
    reached = []
    for suite in suites:
        missing = {m: m.needs for m in suite.mutants if m.needs and not _is_installed(Requirement(m.needs), python)}
        for mutant, needs in missing.items():
            console.print(f"{mutant.name} is not tried: it needs {needs}", markup=False)
        reached.append(replace(suite, mutants=tuple(m for m in suite.mutants if m not in missing)))
    return [suite for suite in reached if suite.mutants]


def _is_installed(requirement: Requirement, python: str) -> bool:
    ask = f"import importlib.metadata as m; print(m.version({requirement.name!r}))"
    version = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False).stdout.strip()
    return bool(version) and requirement.specifier.contains(version, prereleases=True)


def _limits(workshop: Workshop, suites: Sequence[Suite], console: Console) -> dict[str, float] | None:
    """Say how long a trial of each suite may take; None if the package as it is fails: then nothing proves a thing."""
    limits = {}
    for suite in suites:
        verdict = workshop.run(suite, None)
        if verdict.outcome is not Outcome.SURVIVED:
            said = f"{verdict.test} {verdict.detail}".strip()
            console.print(
                f"With no mutant at all, {suite.name} must pass, and did not: {said}", style="red", markup=False
            )
            return None
        console.print(f"No mutant: passed by {suite.name} in {verdict.seconds:.1f} s", markup=False)
        limits[suite.name] = max(_LEAST_PATIENCE, _PATIENCE * verdict.seconds)
    return limits


def _try_all(
    workshop: Workshop, suites: Sequence[Suite], limits: dict[str, float], jobs: int, console: Console
) -> Iterator[tuple[Mutant, Verdict]]:
    """Try each mutant, and show how it goes."""
    all_tried = [(suite, mutant) for suite in suites for mutant in suite.mutants]
    line = Progress(
        MofNCompleteColumn(),
        BarColumn(bar_width=20),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    missed = 0
    with line, ThreadPoolExecutor(jobs) as pool:
        task = line.add_task("0 not caught", total=len(all_tried))
        futures = {pool.submit(workshop.run, suite, mutant, limits[suite.name]): mutant for suite, mutant in all_tried}
        try:
            for done, future in enumerate(as_completed(futures), start=1):
                mutant, verdict = futures[future], future.result()
                missed += not verdict.outcome.is_caught
                line.update(task, completed=done, description=f"{missed} not caught · last: {mutant.name}")
                if not (console.is_terminal and verdict.outcome.is_caught):
                    console.print(f"{done}/{len(all_tried)} {_told(mutant, verdict)}", markup=False, soft_wrap=True)
                yield mutant, verdict
        except BaseException:  # Ctrl-C, above all
            pool.shutdown(wait=False, cancel_futures=True)
            workshop.close()
            raise


def _table(suite: Suite, verdicts: dict[Mutant, Verdict]) -> Table:
    table = Table(title=f"Mutants that {suite.name} must catch", title_justify="left")
    for heading in ("mutant", "", "by", "s"):
        table.add_column(heading, justify="right" if heading == "s" else "left", overflow="fold")
    for mutant in suite.mutants:
        verdict = verdicts[mutant]
        outcome = f"[{_STYLES[verdict.outcome]}]{verdict.outcome.value}[/]"
        by = escape(_short(verdict.test))
        table.add_row(mutant.name, outcome, by, f"{verdict.seconds:.1f}")
    return table


def _told(mutant: Mutant, verdict: Verdict) -> str:
    said = verdict.detail.partition("\n")[0][:_SHOWN]
    return f"{mutant.name} {verdict.outcome.value} {_short(verdict.test)} {said}".strip()


def _short(test: str) -> str:
    """A test as a person calls it: by its set, or file, and its name."""
    file, _, name = test.partition(".py::")
    return f"{file.rpartition('/')[2].replace('test_botocore_', '')} {name.partition('::')[2] or name}".strip()


def _conclude(verdicts: dict[Mutant, Verdict], console: Console) -> int:
    missed = {mutant: verdict for mutant, verdict in verdicts.items() if not verdict.outcome.is_caught}
    for mutant, verdict in missed.items():
        said = f"\n{mutant.name} {verdict.outcome.value}: {mutant.harm}. {verdict.detail}".rstrip()
        console.print(said, style="red", markup=False, soft_wrap=True)
        console.print(f"{mutant.file}:\n{mutant.text}\nbecame\n{mutant.replacement}", markup=False, soft_wrap=True)
    hung = sum(verdict.outcome is Outcome.TIMED_OUT for verdict in verdicts.values())
    caught = f"{len(verdicts) - len(missed)} of {len(verdicts)} mutants caught"
    console.print(f"{caught} ({hung} because they hang)" if hung else caught, markup=False)
    return int(bool(missed))


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # so that no trial outlives this
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)  # as a shell says that it was interrupted
