"""The cells that failed, those for one reason together: who is at fault, why, and what repeats them."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from boto_matrix.blame.rules import Culprit
from boto_matrix.report.changes import Change
from boto_matrix.report.model import Report
from boto_matrix.results.model import CellResult


@dataclass(frozen=True)
class Failure:
    """Cells that failed for one reason.

    Attributes:
        because: the evidence.
        cells: at least one.
        repeat: the commands that repeat them: one, unless they cannot be repeated together.
        change: what became of all of them since the run before; None if nothing, or not the same.

    """

    because: str
    cells: tuple[CellResult, ...]
    repeat: tuple[str, ...]
    change: Change | None


def failures_by_culprit(report: Report) -> list[tuple[Culprit, list[Failure]]]:
    """Give what failed by who is at fault, what concerns the most cells first."""
    found: defaultdict[Culprit, defaultdict[str, list[CellResult]]] = defaultdict(lambda: defaultdict(list))
    for cell in report.run.failures:
        verdict = report.verdicts[cell.name]
        found[verdict.culprit][verdict.because].append(cell)
    by_culprit = [
        (culprit, sorted((_failure(report, *one) for one in reasons.items()), key=lambda one: -len(one.cells)))
        for culprit, reasons in found.items()
    ]
    return sorted(by_culprit, key=lambda one: -sum(len(failure.cells) for failure in one[1]))


def _failure(report: Report, because: str, cells: Sequence[CellResult]) -> Failure:
    became = {report.changes.cells.get(cell.name) if report.changes else None for cell in cells}
    return Failure(because, tuple(cells), _repeat(cells), became.pop() if len(became) == 1 else None)


def _repeat(cells: Sequence[CellResult]) -> tuple[str, ...]:
    """Give one command for all cells, if theirs differ in nothing but the cell's name."""
    open_commands = {cell.repeat.replace(f"CELLS={cell.name}", "CELLS={}", 1) for cell in cells}
    command = open_commands.pop()
    if len(cells) == 1 or open_commands or "CELLS={}" not in command:
        return tuple(cell.repeat for cell in cells)
    return (command.replace("{}", shlex.quote(" ".join(cell.name for cell in cells)), 1),)
