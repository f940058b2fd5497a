"""What is different from the run before: cells that broke or were mended, packages that have another version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
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
class NewWhereBroken:
    """A package, or Python itself, that has another version where cells broke. That alone does not make it the culprit.

    Attributes:
        change: which, and in how many of the cells that broke.
        of: how many broke.
        passing: how many cells have the same change and pass.

    """

    change: PackageChange
    of: int
    passing: int

    @property
    def sentence(self) -> str:
        """All of it in a line."""
        change = self.change
        broken = "the cell" if self.of == 1 else f"{change.cells} of the {self.of} cells"
        passing = {0: "none that passes", 1: "1 that passes"}.get(self.passing, f"{self.passing} that pass")
        return f"{change.package} {change.before} → {change.now} is new in {broken} that broke, and in {passing}"


@dataclass(frozen=True)
class Changes:
    """What is different from the run before.

    Attributes:
        since: that run.
        cells: what became of each cell that is not as it was, by name; the worst first.
        gone: the names of cells that there were, and are no more.
        packages: which packages changed, the most widespread first.
        new_where_broken: those that changed in cells that passed and now fail; what fits best first.

    """

    since: RunResult
    cells: Mapping[str, Change]
    gone: tuple[str, ...]
    packages: tuple[PackageChange, ...]
    new_where_broken: tuple[NewWhereBroken, ...] = ()

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
        packages=_packages(now.cells, earlier),
        new_where_broken=_new_where_broken(now, earlier, found),
    )


def _change(now: CellResult, before: CellResult | None) -> Change | None:
    if now.arguments:
        return None  # a part of its tests: what became of the cell is not known
    if before is None or not before.is_whole_fact:
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


def _new_where_broken(
    now: RunResult, earlier: Mapping[str, CellResult], changes: Mapping[str, Change | None]
) -> tuple[NewWhereBroken, ...]:
    broke = [cell for cell in now.cells if changes[cell.name] is Change.BROKE and earlier[cell.name].is_whole_fact]
    passing = _packages([cell for cell in now.cells if cell.outcome is Outcome.PASSED], earlier)
    elsewhere = {(one.package, one.before, one.now): one.cells for one in passing}
    found = [
        NewWhereBroken(one, len(broke), elsewhere.get((one.package, one.before, one.now), 0))
        for one in _packages(broke, earlier)
    ]
    return tuple(sorted(found, key=lambda one: (-one.change.cells, one.passing)))


def _packages(cells: Iterable[CellResult], earlier: Mapping[str, CellResult]) -> tuple[PackageChange, ...]:
    found: Counter[tuple[str, str, str]] = Counter()
    for cell in cells:
        before = _versions(earlier[cell.name]) if cell.name in earlier else {}
        for package, version in _versions(cell).items():
            if before.get(package, version) != version:
                found[package, before[package], version] += 1
    return tuple(PackageChange(*change, number) for change, number in found.most_common())


def _versions(cell: CellResult) -> Mapping[str, str]:
    return {**cell.installed, "Python": cell.interpreter.version} if cell.interpreter else cell.installed
