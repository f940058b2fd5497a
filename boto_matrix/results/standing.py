"""How the cells that were to run stand: what green means, for every report, the nightly issue and the exit code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from boto_matrix.results.covered import settled
from boto_matrix.results.model import CellResult, Outcome, RunResult


@dataclass(frozen=True)
class Standing:
    """The cells by what is known of them; each is in exactly one of these, by its name.

    Attributes:
        passed: the cells that passed.
        failed: those that failed, whatever part of their tests it was.
        in_part: those of which some tests passed, and more were asked for.
        unknown: those that did not run, or left sets to a cell that has not passed them.
        is_finished: whether the run came to its end.

    """

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    in_part: tuple[str, ...]
    unknown: tuple[str, ...]
    is_finished: bool

    @property
    def total(self) -> int:
        """How many cells were to run."""
        return len(self.passed) + len(self.failed) + len(self.in_part) + len(self.unknown)

    @property
    def is_red(self) -> bool:
        """Whether a cell failed."""
        return bool(self.failed)

    @property
    def is_green(self) -> bool:
        """Whether there are cells, and each that was to run has passed, with all the tests that were asked for.

        Tests that a cell left to another one are among them: that one has passed them all, in these results.
        """
        return bool(self.passed) and len(self.passed) == self.total and self.is_finished


def standing(run: RunResult, asked: Iterable[str] = (), arguments: str = "") -> Standing:
    """Say how the cells of a run stand, and those that should have been in it.

    Args:
        run: the results.
        asked: the names of cells that were to run; what is in the results is looked at in any case.
        arguments: what pytest was to be told: results with other arguments are of a part of the tests.

    """
    found: dict[str, CellResult | None] = {**dict.fromkeys(asked), **{cell.name: cell for cell in settled(run).cells}}
    kinds: dict[str, list[str]] = {kind: [] for kind in ("passed", "failed", "in_part", "unknown")}
    for name, cell in found.items():
        kinds[_kind(cell, arguments)].append(name)
    return Standing(**{kind: tuple(names) for kind, names in kinds.items()}, is_finished=run.finished)


def _kind(cell: CellResult | None, arguments: str) -> str:
    if cell is None or cell.outcome.is_skipped:
        return "unknown"
    if cell.outcome is not Outcome.PASSED:
        return "failed"
    return "in_part" if cell.arguments not in ("", arguments) else "passed"
