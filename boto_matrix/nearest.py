"""What to say to somebody who named a cell that there is not."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from boto_matrix.numbering import LATEST

if TYPE_CHECKING:
    from boto_matrix.model import Matrix, Pin

_NAME = re.compile(r"py(?P<major>\d)(?P<minor>\d{1,3})-boto(?P<boto3>latest|\d{1,5}\.\d{1,5}(\.\d{1,5})?)", re.ASCII)
_MANY = 3


def what_is_near(name: str, matrix: Matrix) -> str:
    """Say why a name is no cell and which cells are near, for the end of a sentence."""
    named = _NAME.fullmatch(name)
    if named is None:
        return _looks_like(name, matrix)
    python, boto3 = f"{named['major']}.{named['minor']}", named["boto3"]
    if pins := [pin for pin in matrix.pins if pin.factor == f"boto{boto3}"]:
        return _python_left_out(python, pins, matrix)
    if boto3 == LATEST or all(pin.boto3 == LATEST for pin in matrix.pins):
        return _looks_like(name, matrix)
    return _pins_near(python, boto3, matrix)


def _looks_like(name: str, matrix: Matrix) -> str:
    near = difflib.get_close_matches(name, [cell.name for cell in matrix.cells], n=_MANY)
    if near:
        return f"did you mean {_either(near)}?"
    return f"a cell is named like {matrix.cells[0].name}; `tox list` shows them all"


def _python_left_out(python: str, pins: list[Pin], matrix: Matrix) -> str:
    cells = [cell.name for cell in matrix.cells if cell.pin in pins]
    lines = ", ".join(str(pin.line) for pin in pins)
    if python not in matrix.pythons:
        reason = f"the matrix has Python {', '.join(matrix.pythons)}"
    else:
        why = "; ".join(pin.why for pin in pins if pin.why)
        reason = f"its row (line {lines}) leaves Python {python} out" + (f", {why}" if why else "")
    return f"{reason}. This pin has {_either(cells)}"


def _pins_near(python: str, boto3: str, matrix: Matrix) -> str:
    """Name the cells of the same minor or of those around it, on that Python where it has any."""
    numbered = [cell for cell in matrix.cells if cell.pin.boto3 != LATEST]
    cells = [cell for cell in numbered if cell.python == python] or numbered
    wanted = boto3.split(".")[:2]
    same_minor = [cell for cell in cells if cell.pin.boto3.split(".")[:2] == wanted]
    if same_minor:
        names = [f"{cell.name} ({cell.pin.boto3})" for cell in same_minor]
        return f"boto3 {'.'.join(wanted)} has {_either(names)}"
    near = sorted(cells, key=lambda cell: _distance(cell.pin.boto3, wanted))[:_MANY]
    return f"boto3 {boto3} is not pinned; near it are {_either([cell.name for cell in near])}"


def _distance(boto3: str, wanted: list[str]) -> tuple[int, ...]:
    return tuple(abs(int(has) - int(asked)) for has, asked in zip(boto3.split("."), wanted))


def _either(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " or " + names[-1] if len(names) > 1 else names[0]
