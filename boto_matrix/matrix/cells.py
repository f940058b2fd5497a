"""The pins and cells of a matrix, and what to say to somebody who named a cell that there is not."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cached_property

from boto_matrix.errors import UserError
from boto_matrix.matrix.numbering import LATEST

_NAME = re.compile(r"py(?P<major>\d)(?P<minor>\d{1,3})-boto(?P<boto3>latest|\d{1,5}\.\d{1,5}(\.\d{1,5})?)", re.ASCII)
_MANY = 3


class MatrixError(UserError):
    """matrix.yaml, or what is asked of it, is wrong.

    The message has a line for each mistake: the file, its line, what is wrong and what is expected.
    """


class UnknownCell(MatrixError):
    """A name that is no cell; the message names the nearest ones."""


@dataclass(frozen=True)
class Pin:
    """A row of matrix.yaml: one boto3, its botocore, and the Pythons they work on.

    Attributes:
        boto3: an exact version, or ``latest``.
        botocore: an exact version; ``latest`` when boto3 is.
        pythons: the Pythons of its cells, ``("3.8", "3.9")``, in the file's order.
        why: the reason of a Python limit, if the row gives one.
        line: where the row stands in the file, from 1.
        factor: its part in a cell's name: ``boto1.26`` for the newest pin of a minor, ``boto1.26.24`` for any
            other, ``botolatest``.

    """

    boto3: str
    botocore: str
    pythons: tuple[str, ...]
    why: str | None
    line: int
    factor: str


@dataclass(frozen=True)
class Cell:
    """One environment: a pin on a Python."""

    python: str
    pin: Pin

    @property
    def name(self) -> str:
        """The name of its tox environment, ``py311-boto1.26``."""
        return f"py{self.python.replace('.', '')}-{self.pin.factor}"

    @property
    def description(self) -> str:
        """What the cell is, in a line."""
        return f"boto3 {self.pin.boto3}, botocore {self.pin.botocore} on CPython {self.python}"


@dataclass(frozen=True)
class Matrix:
    """All pins of a matrix.yaml."""

    pythons: tuple[str, ...]
    pins: tuple[Pin, ...]

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell, in the order of the file."""
        return tuple(Cell(python, pin) for pin in self.pins for python in pin.pythons)

    @cached_property
    def _by_name(self) -> dict[str, Cell]:
        return {cell.name: cell for cell in self.cells}

    def cell(self, name: str) -> Cell:
        """Find a cell by its name, ``py311-boto1.26``.

        Raises:
            UnknownCell: there is none of that name; the message says which ones are near.

        """
        try:
            return self._by_name[name]
        except KeyError:
            # Here, for that module reads this one's types, and only a mistake needs it.

            raise UnknownCell(f"{name} is no cell of the matrix: {_what_is_near(name, self)}") from None


def _what_is_near(name: str, matrix: Matrix) -> str:
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
    minor = boto3.split(".")[:2]
    same_minor = [cell for cell in cells if cell.pin.boto3.split(".")[:2] == minor]
    if same_minor:
        names = [f"{cell.name} ({cell.pin.boto3})" for cell in same_minor]
        return f"boto3 {'.'.join(minor)} has {_either(names)}"
    near = sorted(cells, key=lambda cell: _distance(cell.pin.boto3, minor))[:_MANY]
    return f"boto3 {boto3} is not pinned; near it are {_either([cell.name for cell in near])}"


def _distance(boto3: str, minor: list[str]) -> tuple[int, ...]:
    return tuple(abs(int(has) - int(asked)) for has, asked in zip(boto3.split("."), minor))


def _either(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " or " + names[-1] if len(names) > 1 else names[0]
