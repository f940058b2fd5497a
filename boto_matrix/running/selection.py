"""Cells that stand for the whole matrix.

The representatives, what is tested before a change lands, are of each surface class of botocore. Whether the patch
works depends above all on the code that it stands on, and that is the same throughout a class; the whole matrix is for
the night.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from packaging.version import Version

from boto_matrix.machine.interpreters import Interpreters
from boto_matrix.matrix.cells import Cell, Matrix, Pin
from boto_matrix.matrix.numbering import LATEST
from boto_matrix.releases.requested import given_overrides, requested
from boto_matrix.surface.declaration import declaration_of
from boto_matrix.surface.record import read_record

_Item = TypeVar("_Item")

# The botocore that first admits urllib3 2, on Python 3.10 and later (its metadata).
_FIRST_ON_URLLIB3_2 = (Version("1.31.62"), Version("3.10"))


def corners(matrix: Matrix, interpreters: Interpreters) -> list[Cell]:
    """Choose the corners: the oldest and the newest numbered pin on the oldest and on the newest Python that is there.

    Where there is no Python at all, so that none of them will run, these are the corners of the whole matrix.
    """
    cells = _runnable(matrix, interpreters)
    corners = []
    for python in _ends([python for python in matrix.pythons if any(cell.python == python for cell in cells)]):
        of_python = [cell for cell in cells if cell.python == python and cell.pin.boto3 != LATEST]
        corners += _ends(sorted(of_python, key=lambda cell: _numbers(cell.pin.boto3)))
    return corners


def representatives_here(matrix: Matrix, interpreters: Interpreters) -> list[Cell]:
    """Choose each surface class of botocore on the oldest and on the newest Python that is there.

    Raises:
        SurfaceError: surface.json is damaged, or it cannot be read what is stood on.

    """
    return representatives(_runnable(matrix, interpreters), surfaces_of_botocore())


def surfaces_of_botocore() -> dict[Version, str]:
    """Give the fingerprint of each release of botocore that surface.json knows.

    Raises:
        SurfaceError: surface.json is damaged, or it cannot be read what is stood on.

    """
    return read_record().of(declaration_of("botocore")).fingerprints()


def representatives(cells: Iterable[Cell], fingerprints: Mapping[Version, str]) -> list[Cell]:
    """Choose cells, in the order given: of each class the newest pin on its oldest Python and that on its newest.

    Args:
        cells: to choose from.
        fingerprints: of the examined releases of botocore. `latest`, and a pin of which they do not say in which class
            it is, is a class of its own.

    """
    cells = list(cells)
    by_surface: dict[str, dict[str, list[Cell]]] = {}
    for (surface, python, _), of_class in classes(cells, fingerprints).items():
        by_surface.setdefault(surface, {}).setdefault(python, []).extend(of_class)
    names = {
        newest(by_python[python]).name
        for by_python in by_surface.values()
        for python in (min(by_python, key=Version), max(by_python, key=Version))
    }
    return [cell for cell in cells if cell.name in names]


def classes(cells: Iterable[Cell], fingerprints: Mapping[Version, str]) -> dict[tuple[str, str, int], list[Cell]]:
    """Sort cells into classes: by the surface class of their botocore, their Python, and the major of their urllib3.

    Args:
        cells: to sort.
        fingerprints: as `representatives` takes them.

    """
    examined = sorted(fingerprints)
    found: dict[tuple[str, str, int], list[Cell]] = {}
    for cell in cells:
        surface = _class_of(cell.pin, examined, fingerprints)
        found.setdefault((surface, cell.python, _urllib3_of(cell)), []).append(cell)
    return found


def _urllib3_of(cell: Cell) -> int:
    botocore, python = _FIRST_ON_URLLIB3_2
    is_late = cell.pin.botocore == LATEST or Version(cell.pin.botocore) >= botocore
    return 2 if is_late and Version(cell.python) >= python else 1


def newest(cells: Iterable[Cell]) -> Cell:
    """Give the cell with the newest boto3: the representative of a class."""
    return max(cells, key=_boto3)


def one(matrix: Matrix, interpreters: Interpreters) -> Cell:
    """Choose the cell that a developer means who names no Python: on the newest there is for the boto3 in question.

    With nothing overridden it is the latest boto3; else the pins of the minor that is asked for say which suit.

    Raises:
        RequestError: what is asked for cannot be put in numbers.

    """
    cells = _newest_python_first(_runnable(matrix, interpreters))
    latest = next((cell for cell in cells if cell.pin.boto3 == LATEST), cells[0])
    if not given_overrides():
        return latest
    boto3 = requested(latest).versions.get("boto3", "")
    return next((cell for cell in cells if _minor(cell.pin.boto3) == _minor(boto3)), latest)


def _class_of(pin: Pin, examined: Sequence[Version], fingerprints: Mapping[Version, str]) -> str:
    """Name the class of a pin: a release between two examined ones that are alike is as they are."""
    if pin.botocore == LATEST:
        return LATEST
    version = Version(pin.botocore)
    at = bisect_right(examined, version)
    around = {fingerprints[release] for release in examined[max(at - 1, 0) : at + 1]}
    if version in fingerprints:
        return fingerprints[version]
    return around.pop() if 0 < at < len(examined) and len(around) == 1 else pin.factor


def _boto3(cell: Cell) -> Version:
    return Version("0" if cell.pin.boto3 == LATEST else cell.pin.boto3)


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
