"""A search among releases: each that is asked about is run once, as a cell, and judged."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from packaging.version import Version

from boto_matrix.bisect.candidates import Candidates
from boto_matrix.bisect.run_candidate import BisectError, Candidate, run_candidate
from boto_matrix.results.model import CellResult, Outcome, SetOutcome

_PASSES = {"passed": True, "failed": False, "crashed": False}  # outcomes of sets, and of cells


@dataclass
class Search:
    """What is searched, and what is known so far.

    Attributes:
        candidates: gives the cell that tries a release.
        releases: to choose from, oldest first.
        of_set: the set that counts; None if all of a cell does.
        pytest_arguments: what pytest is told in each cell.
        before: is called with the number of a release before its cell runs.
        after: is called when it has run.
        found: the cells that have run, by the number of the release.

    """

    candidates: Candidates
    releases: Sequence[Version]
    of_set: str | None
    pytest_arguments: Sequence[str]
    before: Callable[[int], None]
    after: Callable[[int], None]
    found: dict[int, CellResult] = field(default_factory=dict)

    @property
    def most_cells(self) -> int:
        """How many cells run at most, without those that cannot be installed: both ends, and what halving takes."""
        return 2 + most_questions(len(self.releases))

    def first_difference(self) -> tuple[int, int]:
        """Find the last release that ends as the first one does, and the first that does not.

        Between them lie only releases that cannot be installed.

        Raises:
            BisectError: a cell could not be run.
            KeyboardInterrupt: the search was stopped.

        """
        at_start = self.passes(0)

        def differs(number: int) -> bool | None:
            passes = self.passes(number)
            return None if passes is None else passes is not at_start

        return first_difference(len(self.releases), differs)

    def passes(self, number: int) -> bool | None:
        """Say whether a release passes; None if it cannot be installed.

        Raises:
            BisectError: its cell, or the set that counts, could not be run.
            KeyboardInterrupt: the search was stopped.

        """
        if number not in self.found:
            self.before(number)
            # The first failure of what counts decides; nobody looks at the others.
            only = ["--only-set", self.of_set] if self.of_set is not None else []
            self.found[number] = run_candidate(self.candidate(number), [*self.pytest_arguments, "-x", *only])
            self.after(number)
        return self._verdict(self.found[number])

    def nearest_known(self) -> tuple[Version, Version] | None:
        """Give the two nearest releases of which the one is known to pass and the other to fail, in this order."""
        verdicts = {number: self._verdict(cell) for number, cell in self.found.items()}
        good = [number for number, passes in verdicts.items() if passes]
        bad = [number for number, passes in verdicts.items() if passes is False]
        pairs = sorted(((one, other) for one in good for other in bad), key=lambda pair: abs(pair[0] - pair[1]))
        return (self.releases[pairs[0][0]], self.releases[pairs[0][1]]) if pairs else None

    def candidate(self, number: int) -> Candidate:
        """Give the cell that tries a release."""
        return self.candidates.candidate(self.releases[number])

    def ended(self, number: int) -> str:
        """Say how a release ended."""
        cell = self.found[number]
        outcome = self._outcome(cell)
        if outcome is not None and self.of_set is not None:
            return str(outcome.value)
        return str(cell.outcome.value) + (f": {cell.reason}" if cell.reason else "")

    def _verdict(self, cell: CellResult) -> bool | None:
        if cell.outcome is Outcome.INSTALL_FAILED:
            return None
        outcome = self._outcome(cell)
        if outcome not in _PASSES:
            what = "the tests" if self.of_set is None else f"the set {self.of_set}"
            reason = f" ({cell.reason})" if cell.reason else ""
            there = f"sets that are there: {', '.join(cell.sets) or 'none'}"
            raise BisectError(f"{what} did not run in {cell.name}{reason}; {there}. See it: {cell.repeat}")
        return _PASSES[outcome]

    def _outcome(self, cell: CellResult) -> SetOutcome | Outcome | None:
        if self.of_set is None:
            return cell.outcome
        # A cell that crashed before it could say anything of its sets has crashed in each.
        found = cell.sets.get(self.of_set)
        return found.outcome if found is not None else (cell.outcome if cell.outcome is Outcome.CRASHED else None)


def first_difference(count: int, differs: Callable[[int], bool | None]) -> tuple[int, int]:
    """Find the first of `count` things that differs from the one numbered 0, which the last one is known to do.

    Args:
        count: how many there are, at least 2.
        differs: asks of one; None if it cannot be told. It is asked of each at most once.

    Returns:
        The last that is known not to differ and the first that is known to. Between them lie only those of which it
        cannot be told; if it can be told of all, `differs` was asked at most `most_questions(count)` times.

    """
    same, different = 0, count - 1
    untold: set[int] = set()
    while left := [number for number in range(same + 1, different) if number not in untold]:
        middle = min(left, key=lambda number: abs(2 * number - same - different))
        answer = differs(middle)
        if answer is None:
            untold.add(middle)
        elif answer:
            different = middle
        else:
            same = middle
    return same, different


def most_questions(count: int) -> int:
    """Give how often `first_difference` asks at most where it can be told of all: ⌈log₂⌉ of the possible answers."""
    return math.ceil(math.log2(count - 1))
