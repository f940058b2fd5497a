"""What of a run need not be run again: the cells that passed when they were last asked for, just as they are now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from boto_matrix.errors import UserError
from boto_matrix.matrix.cells import Cell
from boto_matrix.releases.requested import requested
from boto_matrix.results.model import CellResult, Outcome, PinnedVersions, RunResult


def passed_before(
    cells: Iterable[Cell],
    repeat: Callable[[Cell], str],
    documents: Iterable[RunResult],
    leaves: Callable[[str], Mapping[str, str]] = lambda _: {},
) -> list[RunResult]:
    """Find the results that still hold.

    Of each cell that document decides which was the last to be asked for it with the same pin, overrides and arguments
    for pytest: what does not pass there is to be run, whatever older ones say. That the code has changed is not seen.

    Args:
        cells: that are asked for.
        repeat: gives the command that repeats a cell, in which are the overrides and the arguments.
        documents: the newest first; no more of them are read than it takes.
        leaves: gives the sets that a cell, by its name, leaves to another one now. What left others does not hold.

    Returns:
        Those of the documents that hold results that still hold, without all else.

    """
    left = {cell.name: cell for cell in cells}
    found = []
    for document in documents:
        asked = [
            (result, left.pop(result.name))
            for result in document.cells
            if result.name in left
            and _is_asked_alike(result, left[result.name], repeat)
            and result.covered_by in ({}, leaves(result.name))
        ]
        passed = tuple(result for result, cell in asked if _has_passed(result, cell))
        if passed:
            found.append(document.model_copy(update={"cells": passed}))
        if not left:
            break
    return found


def _is_asked_alike(result: CellResult, cell: Cell, repeat: Callable[[Cell], str]) -> bool:
    pin = PinnedVersions(boto3=cell.pin.boto3, botocore=cell.pin.botocore)
    return result.pin == pin and result.repeat == repeat(cell)


def _has_passed(result: CellResult, cell: Cell) -> bool:
    """Whether it passed, with the very versions that would be installed now: `latest` moves."""
    if result.outcome is not Outcome.PASSED:
        return False
    try:
        return result.requested == dict(requested(cell).versions)
    except UserError:
        return False  # the run will say why
