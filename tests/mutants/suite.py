"""What is known of the tests: how long each takes, and which lines of the package it runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from tests.mutants.lane import Lane, Trial
from tests.mutants.mutant import Mutant
from tests.mutants.uses import Place, Uses

_MEASURING_SECONDS = 300.0
_QUICK_SHARE = 0.25  # of the time of all tests that may notice
_KILLERS = 20  # how many tests are remembered that have killed mutants of a file


@dataclass
class Suite:
    """The tests, measured on the package as it is.

    Attributes:
        seconds: how long each test takes, by its name.
        uses: where what is made when the package is imported is used.
        covering: the tests that run a line of a file of the package.
        imported: the lines of each file that run when it is imported.
        elsewhere: the tests that start other processes: what is run there is not measured.
        failing: the tests that fail without any mutant, and prove nothing, with the reasons.
        unsteady: those that failed once, and then did not.
        killers: the tests that have killed mutants of a file, the last one last.
    """

    uses: Uses
    seconds: dict[str, float] = field(default_factory=dict)
    covering: dict[Place, set[str]] = field(default_factory=lambda: defaultdict(set))
    imported: dict[str, set[int]] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    failing: dict[str, str] = field(default_factory=dict)
    unsteady: dict[str, str] = field(default_factory=dict)
    killers: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))

    def correct(self, other: Suite) -> None:
        """Take over what another run has found: how long tests take that are not measured, and which fail then."""
        self.seconds |= other.seconds
        self.failing |= other.failing
        self.unsteady |= other.unsteady

    def leave_out_failing(self) -> None:
        """Prove what can be proved with the others."""
        for test in self.failing:
            self.seconds.pop(test, None)
        for tests in [*self.covering.values(), self.elsewhere]:
            tests.difference_update(self.failing)

    def must_import(self, mutant: Mutant) -> bool:
        """Whether a mutant must be there when the package is imported, since it does something then."""
        return mutant.at_import or not self.imported.get(mutant.file, set()).isdisjoint(mutant.lines)

    def batches(self, mutant: Mutant, is_quick: bool) -> list[list[str]]:
        """The tests for a mutant, in the order in which they are to be run, file by file.

        First come those that run the line, or where it runs at import, the lines that use what is made there; all, if
        there are none. Then, in case that one test has set up what another looks at, some more of these files.

        Args:
            mutant: what is to be noticed.
            is_quick: only those that are likely to do so, and take a part of the time.
        """
        direct = self._running((mutant.file, line) for line in mutant.lines)
        if self.must_import(mutant):
            direct |= self._running(self.uses.of(mutant))
        if not direct:
            direct = set(self.seconds)
        elif self.must_import(mutant):
            direct |= self._looking_at(mutant.file)
        direct |= self.elsewhere
        if is_quick:
            return self._in_order(self._likely(direct, mutant), mutant)
        files = {_file_of(test) for test in direct}
        company = [test for test in self.seconds if _file_of(test) in files and test not in direct]
        return self._in_order(direct, mutant) + self._in_order(self._likely(company, mutant), mutant)

    def learn(self, mutant: Mutant, killer: str) -> None:
        """Remember which test has killed a mutant: it is likely to kill others nearby."""
        self.killers[mutant.file].pop(killer, None)
        self.killers[mutant.file][killer] = None

    def limit(self, test: str, patience: float) -> float:
        """Return the seconds after which a test hangs."""
        return patience + 10 * self.seconds[test]

    def _running(self, places: Iterable[Place]) -> set[str]:
        """The tests that run a line."""
        return {test for place in places for test in self.covering.get(place, ())}

    def _looking_at(self, file: str) -> set[str]:
        """The tests that may look at data of a module without running a line of it."""
        running = set().union(*self.covering.values())
        return {test for test in self.seconds if test not in running or self._is_named_for(test, file)}

    def _is_named_for(self, test: str, file: str) -> bool:
        return f"test_{PurePosixPath(file).stem}" in _file_of(test)

    def _likely(self, tests: Collection[str], mutant: Mutant) -> Iterator[str]:
        """The tests that are most likely to notice, and quickest."""
        seconds = _QUICK_SHARE * self._sum(tests)
        for test in sorted(tests, key=lambda test: self._rank(test, mutant)):
            yield test
            seconds -= self.seconds[test]
            if seconds < 0:
                return

    def _in_order(self, tests: Iterable[str], mutant: Mutant) -> list[list[str]]:
        """Tests by file, those first that are likely to notice, then those that are quick."""
        by_file: dict[str, list[str]] = defaultdict(list)
        for test in sorted(tests, key=lambda test: self._rank(test, mutant)):
            by_file[_file_of(test)].append(test)
        return sorted(by_file.values(), key=lambda batch: (self._rank(batch[0], mutant)[:2], self._sum(batch)))

    def _rank(self, test: str, mutant: Mutant) -> tuple[int, bool, float]:
        """What is small for tests that have killed something near lately, are named for the module, or are quick."""
        killers = list(self.killers[mutant.file])[-_KILLERS:]
        is_killer = -killers.index(test) - 1 if test in killers else 0
        return is_killer, not self._is_named_for(test, mutant.file), self.seconds[test]

    def _sum(self, tests: Iterable[str]) -> float:
        return sum(self.seconds[test] for test in tests)


def measured(lane: Lane) -> Suite:
    """Run all tests on the package as it is.

    Raises:
        BrokenError: they cannot be run.
    """
    hello = lane.start()
    suite = Suite(
        Uses(lane.package), imported={_module(lane, path): set(lines) for path, lines in hello["imported"].items()}
    )
    with lane.open(None, imports=False) as trial:
        for outcome in _run_all(trial, hello["tests"], suite, measures=True):
            suite.elsewhere |= set(outcome["forks"])
            for test, files in outcome["covered"].items():
                for path, lines in files.items():
                    for line in lines:
                        suite.covering[_module(lane, path), line].add(test)
    return suite


def imported_anew(lane: Lane) -> Suite:
    """Run all tests where the package is imported anew, as for a mutant that must be there then.

    Raises:
        BrokenError: they cannot be run.
    """
    suite, tests = Suite(Uses(lane.package)), lane.start()["tests"]
    with lane.open(None, imports=True) as trial:
        for _ in _run_all(trial, tests, suite, measures=False):
            pass
    return suite


def _run_all(trial: Trial, tests: Sequence[str], suite: Suite, measures: bool) -> Iterator[dict[str, Any]]:
    """Run tests, file by file; note how long they take, and which fail twice, or once of two times."""
    by_file: dict[str, list[str]] = defaultdict(list)
    for test in tests:
        by_file[_file_of(test)].append(test)
    for batch in by_file.values():
        outcome = trial.run(batch, [_MEASURING_SECONDS] * len(batch), goes_on=True, measures=measures)
        suite.seconds |= outcome["seconds"]
        yield outcome
        suite.failing |= {test: "not run, since the process ended" for test in batch if test not in outcome["seconds"]}
        if outcome["hung"]:
            suite.failing[outcome["hung"]] = f"takes more than {_MEASURING_SECONDS:.0f} s"
        failed = outcome["failed"]
        again = trial.run(list(failed), [_MEASURING_SECONDS] * len(failed), goes_on=True) if failed else outcome
        suite.failing |= again["failed"]
        suite.unsteady |= {test: why for test, why in failed.items() if test not in again["failed"]}


def _file_of(test: str) -> str:
    return test.partition("::")[0]


def _module(lane: Lane, path: str) -> str:
    return Path(path).relative_to(lane.package).as_posix()
