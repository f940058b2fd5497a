"""What is different from the run before: cells that broke or were mended, packages that have another version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from boto_matrix.results.model import CellResult, Outcome, RunResult


class Change(str, Enum):
    """What became of a cell since the run before."""

    BROKE = "broke"
    OTHERWISE = "fails otherwise"
    MENDED = "mended"
    STOPPED = "no longer runs"
    NEW = "new"


@dataclass(frozen=True)
class PackageChange:
    """A package that is now installed in another version, in so many cells."""

    package: str
    before: str
    now: str
    cells: int


@dataclass(frozen=True)
class Changes:
    """What is different from the run before.

    Attributes:
        since: that run.
        cells: what became of each cell that is not as it was, by name; the worst first.
        gone: the names of cells that there were, and are no more.
        packages: which packages changed, the most widespread first.

    """

    since: RunResult
    cells: Mapping[str, Change]
    gone: tuple[str, ...]
    packages: tuple[PackageChange, ...]

    @property
    def is_empty(self) -> bool:
        """Whether all is as it was."""
        return not (self.cells or self.gone or self.packages)

    def of(self, change: Change) -> list[str]:
        """Give the names of the cells that this happened to."""
        return [name for name, one in self.cells.items() if one is change]


def compare(now: RunResult, before: RunResult) -> Changes:
    """Say what is different in a run from the one before."""
    earlier = {cell.name: cell for cell in before.cells}
    found = {cell.name: _change(cell, earlier.get(cell.name)) for cell in now.cells}
    order = list(Change)
    changed = sorted(
        ((name, change) for name, change in found.items() if change is not None), key=lambda one: order.index(one[1])
    )
    return Changes(
        since=before,
        cells=dict(changed),
        gone=tuple(name for name in earlier if name not in found),
        packages=_packages(now, earlier),
    )


def _change(now: CellResult, before: CellResult | None) -> Change | None:
    if before is None or before.outcome.is_skipped:
        if now.outcome.is_failure:
            return Change.BROKE if before is not None else Change.NEW
        return None if now.outcome.is_skipped or before is not None else Change.NEW
    if now.outcome.is_skipped:
        return Change.STOPPED
    if now.outcome.is_failure and before.outcome.is_failure:
        return None if _failing(now) == _failing(before) else Change.OTHERWISE
    if now.outcome.is_failure:
        return Change.BROKE
    return Change.MENDED if before.outcome.is_failure else None


def _failing(cell: CellResult) -> tuple[Outcome, frozenset[tuple[str, str]]]:
    tests = {(name, test.name) for name, one in cell.sets.items() for test in one.tests if test.outcome.is_failure}
    return cell.outcome, frozenset(tests)


def _packages(now: RunResult, earlier: Mapping[str, CellResult]) -> tuple[PackageChange, ...]:
    found: Counter[tuple[str, str, str]] = Counter()
    for cell in now.cells:
        before = earlier[cell.name].installed if cell.name in earlier else {}
        for package, version in cell.installed.items():
            if before.get(package, version) != version:
                found[package, before[package], version] += 1
    return tuple(PackageChange(*change, cells) for change, cells in found.most_common())
