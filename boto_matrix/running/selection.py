"""Cells that stand for the whole matrix, chosen for the Pythons that are there."""

from __future__ import annotations

from typing import TypeVar

from boto_matrix.machine.interpreters import Interpreters
from boto_matrix.matrix.cells import Cell, Matrix
from boto_matrix.releases.overrides import given_overrides, requested
from boto_matrix.running.representatives import representatives
from boto_matrix.surface.declaration import declaration_of
from boto_matrix.surface.record import read_record

_Item = TypeVar("_Item")


def few(matrix: Matrix, interpreters: Interpreters) -> list[Cell]:
    """Choose the corners: the oldest and the newest numbered pin on the oldest and on the newest Python that is there.

    Where there is no Python at all, so that none of them will run, these are the corners of the whole matrix.
    """
    cells = _runnable(matrix, interpreters)
    corners = []
    for python in _ends([python for python in matrix.pythons if any(cell.python == python for cell in cells)]):
        of_python = [cell for cell in cells if cell.python == python and cell.pin.boto3 != "latest"]
        corners += _ends(sorted(of_python, key=lambda cell: _numbers(cell.pin.boto3)))
    return corners


def standing_for_all(matrix: Matrix, interpreters: Interpreters) -> list[Cell]:
    """Choose each surface class of botocore on the oldest and on the newest Python that is there.

    Raises:
        SurfaceError: surface.json is damaged, or it cannot be read what is stood on.

    """
    return representatives(_runnable(matrix, interpreters), read_record().of(declaration_of("botocore")).fingerprints())


def one(matrix: Matrix, interpreters: Interpreters) -> Cell:
    """Choose the cell that a developer means who names no Python: on the newest there is for the boto3 in question.

    With nothing overridden it is the latest boto3; else the pins of the minor that is asked for say which suit.

    Raises:
        RequestError: what is asked for cannot be put in numbers.

    """
    cells = _newest_python_first(_runnable(matrix, interpreters))
    latest = next((cell for cell in cells if cell.pin.boto3 == "latest"), cells[0])
    if not given_overrides():
        return latest
    boto3 = requested(latest).versions.get("boto3", "")
    return next((cell for cell in cells if _minor(cell.pin.boto3) == _minor(boto3)), latest)


def _runnable(matrix: Matrix, interpreters: Interpreters) -> list[Cell]:
    there = {python for python in matrix.pythons if interpreters.find(python) is not None}
    return [cell for cell in matrix.cells if cell.python in there] or list(matrix.cells)


def _newest_python_first(cells: list[Cell]) -> list[Cell]:
    return sorted(cells, key=lambda cell: _numbers(cell.python), reverse=True)


def _ends(items: list[_Item]) -> list[_Item]:
    return items[:1] + items[1:][-1:]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _minor(version: str) -> tuple[str, ...]:
    return tuple(version.split(".")[:2])
