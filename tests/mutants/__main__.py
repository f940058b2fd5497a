"""`python -m tests.mutants`: make small changes to the package, one at a time, and see that the tests notice each."""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import os
import queue
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests.mutants.covering import FailingTestsError, covering
from tests.mutants.lane import BrokenError, Lane, Outcome
from tests.mutants.lists import Settings, UnreadableError, as_entry, reviewed_in, settings_of, stories_in
from tests.mutants.mutant import Mutant, mutants_of_package

ROOT = Path(__file__).parents[2]
_TO_REVIEW = "results/mutants-to-review.toml"
_EACH = 25  # mutants, after which it is said how far it is


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Try the mutants that are asked for, or all.

    Returns:
        0 if enough are killed, and each survivor is one that somebody has looked at; 1 if not; 2 if nothing can be
        proved: the request makes no sense, or the tests fail without any mutant.
    """
    asked = _parser().parse_args(arguments)
    try:
        return _main(asked, settings_of(root))
    except (BrokenError, FailingTestsError, UnreadableError) as error:
        print(error)
        return 2


def _main(asked: argparse.Namespace, settings: Settings) -> int:
    package = settings.root / settings.package
    reviewed = reviewed_in(settings.root / settings.reviewed)
    stories = stories_in(settings.root / settings.stories, package)
    everything = [*stories, *mutants_of_package(package, settings.leave_out)]
    chosen = [mutant for mutant in everything if _is_asked_for(mutant, asked.places)]
    if not chosen:
        print("There is no such mutant; --list says which there are.")
        return 2
    if asked.list:
        for mutant in chosen:
            print(f"{mutant.name}\n- {mutant.line}\n+ {mutant.becomes}".replace("\n", "\n    "))
        print(len(chosen), "mutants")
        return 0
    survivors = [mutant for mutant, outcome in _tried(chosen, settings, asked.jobs) if outcome is Outcome.SURVIVED]
    unknown = [mutant for mutant in survivors if mutant.key not in reviewed]
    keys = {mutant.key for mutant in survivors}
    tried = {mutant.key for mutant in chosen}
    is_all = len(chosen) == len(everything)
    stale = [key for key in reviewed if key not in keys and (is_all or key in tried)]
    return int(not _report(settings, chosen, survivors, unknown, stale))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument(
        "places", nargs="*", metavar="PLACE", help="a file, module, module.function or the name of a mutant (all)"
    )
    parser.add_argument("--list", action="store_true", help="only say which mutants there are")
    parser.add_argument("-j", "--jobs", type=int, choices=range(1, 65), default=2, metavar="N", help="trials at once")
    return parser


def _is_asked_for(mutant: Mutant, places: Sequence[str]) -> bool:
    module = mutant.file.removesuffix(".py").replace("/", ".")
    names = (mutant.name, mutant.file, module, f"{module}.{mutant.function}")
    return not places or any(_is_in(name, place) for name in names for place in places)


def _is_in(name: str, place: str) -> bool:
    return fnmatch.fnmatchcase(name, place) or name.startswith(f"{place}.")


def _tried(mutants: Sequence[Mutant], settings: Settings, jobs: int) -> Iterator[tuple[Mutant, Outcome]]:
    """What becomes of each mutant; said on the way."""
    tests = covering(settings)
    counts: Counter[str] = Counter()
    with _lanes(settings, min(jobs, len(mutants))) as lanes, ThreadPoolExecutor(len(lanes)) as pool:
        free: queue.Queue[Lane] = queue.Queue()
        for lane in lanes:
            lane.start()
            free.put(lane)

        def try_one(mutant: Mutant) -> Outcome:
            lane = free.get()
            try:
                return lane.outcome(mutant, *tests.batches(mutant))
            finally:
                free.put(lane)

        futures = {pool.submit(try_one, mutant): mutant for mutant in mutants}
        try:
            for future in as_completed(futures):
                mutant, outcome = futures[future], future.result()
                counts[outcome.value] += 1
                if outcome is not Outcome.KILLED:
                    print(f"{outcome.value}: {mutant.name}", flush=True)
                if counts.total() % _EACH == 0:
                    print(f"{counts.total()} of {len(mutants)}: {dict(counts)}", flush=True)
                yield mutant, outcome
        except BaseException:  # Ctrl-C, above all
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextlib.contextmanager
def _lanes(settings: Settings, number: int) -> Iterator[list[Lane]]:
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as directory:
        lanes: list[Lane] = []
        try:
            for index in range(number):
                lanes.append(Lane(Path(directory) / str(index), settings))
            yield lanes
        finally:
            for lane in lanes:
                lane.end()


def _report(
    settings: Settings,
    tried: Sequence[Mutant],
    survivors: Sequence[Mutant],
    unknown: Sequence[Mutant],
    stale: Sequence[tuple[str, ...]],
) -> bool:
    """Show the survivors that nobody has looked at and the score; whether all is well."""
    for mutant in unknown:
        text = (settings.root / settings.package / mutant.file).read_text(encoding="utf-8")
        print(f"\n{mutant.name}, in {mutant.function}\n{mutant.diff(text)}")
    for key in stale:
        print(f"\nStale in {settings.reviewed}, since no such mutant survives:", *key, sep="\n    ")
    path = settings.root / _TO_REVIEW
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(map(as_entry, unknown)) + "\n", encoding="utf-8")
    if unknown:
        print(f"\n{_TO_REVIEW} has an entry for each, for {settings.reviewed}, if no test can notice it.")
    killed, score = len(tried) - len(survivors), 100 * (1 - len(survivors) / len(tried))
    print(
        f"\n{killed} of {len(tried)} mutants killed: {score:.1f} %, {settings.least_score:g} % are required. "
        f"Survivors: {len(survivors) - len(unknown)} reviewed, {len(unknown)} not. Stale: {len(stale)}."
    )
    return score >= settings.least_score and not unknown and not stale


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # so that no trial outlives this
    try:
        code = main(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130  # as a shell says that it was interrupted
    sys.stdout.flush()
    os._exit(code)  # not waiting for threads that wait for workers
