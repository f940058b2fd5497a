"""Cells that stand for all: each surface class of botocore on the oldest and on the newest Python.

What is tested before a change lands. Whether the patch works depends above all on the code that it stands on, and that
is the same throughout a class; the whole matrix is for the night.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from packaging.version import Version

from boto_matrix.matrix.cells import Cell, Pin
from boto_matrix.matrix.numbering import LATEST


def representatives(cells: Iterable[Cell], fingerprints: Mapping[Version, str]) -> list[Cell]:
    """Choose cells, in the order given: of each class the newest pin on its oldest Python and that on its newest.

    Args:
        cells: to resolve from.
        fingerprints: of the examined releases of botocore. `latest`, and a pin of which they do not say in which class
            it is, is a class of its own.

    """
    cells = list(cells)
    by_surface: dict[str, dict[str, Cell]] = {}
    for (surface, python), of_class in classes(cells, fingerprints).items():
        by_surface.setdefault(surface, {})[python] = newest(of_class)
    names = {
        by_python[python].name
        for by_python in by_surface.values()
        for python in (min(by_python, key=Version), max(by_python, key=Version))
    }
    return [cell for cell in cells if cell.name in names]


def classes(cells: Iterable[Cell], fingerprints: Mapping[Version, str]) -> dict[tuple[str, str], list[Cell]]:
    """Sort cells into classes: by the surface class of their botocore, and by their Python.

    Args:
        cells: to sort.
        fingerprints: as `representatives` takes them.

    """
    examined = sorted(fingerprints)
    found: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        found.setdefault((_class_of(cell.pin, examined, fingerprints), cell.python), []).append(cell)
    return found


def newest(cells: Iterable[Cell]) -> Cell:
    """Give the cell with the newest boto3: the representative of a class."""
    return max(cells, key=_boto3)


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
