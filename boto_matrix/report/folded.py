"""Rows that say nothing new: two sides of one change, on which all ended alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from packaging.version import InvalidVersion, Version

from boto_matrix.report.changes import Change
from boto_matrix.report.model import PinResults
from boto_matrix.results.model import CellResult


def folded(rows: Sequence[PinResults], changes: Mapping[str, Change]) -> Iterator[tuple[PinResults, bool]]:
    """Give each row, and whether it is the other side of the change that begins at the row above, and is as that is.

    The two have neighbouring releases of botocore, and their cells, on the same Pythons, ended alike in each set.
    """
    above: PinResults | None = None
    for row in rows:
        is_side = above is not None and _are_neighbours(above, row) and _looks(above, changes) == _looks(row, changes)
        yield row, is_side
        above = None if is_side else row


def _are_neighbours(newer: PinResults, older: PinResults) -> bool:
    try:
        new, old = Version(newer.botocore).release, Version(older.botocore).release
        Version(newer.label), Version(older.label)  # `latest` is a row of its own
    except InvalidVersion:
        return False
    return len(new) == len(old) == 3 and new[:2] == old[:2] and new[2] == old[2] + 1


def _looks(row: PinResults, changes: Mapping[str, Change]) -> dict[str, tuple[object, ...]]:
    return {python: _look(cell, changes) for python, cell in row.cells.items()}


def _look(cell: CellResult, changes: Mapping[str, Change]) -> tuple[object, ...]:
    return cell.outcome, cell.four_sets, cell.other_sets, changes.get(cell.name)
