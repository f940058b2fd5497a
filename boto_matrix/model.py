"""matrix.yaml as typed pins and cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import Version
from pydantic import ValidationError

from boto_matrix.matrix_file import MatrixFile, Row, mistakes_of_form
from boto_matrix.matrix_yaml import Document, Mistake, parse
from boto_matrix.numbering import LATEST


class MatrixError(Exception):
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
            from boto_matrix.nearest import what_is_near

            raise UnknownCell(f"{name} is no cell of the matrix: {what_is_near(name, self)}") from None


def load_matrix(path: Path) -> Matrix:
    """Read matrix.yaml.

    Raises:
        MatrixError: the file cannot be read, or says something that is no matrix. Every mistake that can be
            told at once is in it, each as ``matrix.yaml:12: what is wrong; what is expected``.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise MatrixError(f"{path}: cannot be read: {error.strerror}; expected the matrix's pins") from error
    except UnicodeDecodeError as error:
        raise MatrixError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    return parse_matrix(text, str(path))


def parse_matrix(text: str, source: str = "matrix.yaml") -> Matrix:
    """Read the text of a matrix.yaml; `source` is what messages call it.

    Raises:
        MatrixError: as `load_matrix` does.

    """
    document = parse(text)
    file = _checked(document, source)
    matrix = Matrix(tuple(file.pythons), tuple(_pins(file, document)))
    if mistakes := [
        *_repeated_pythons(file, document),
        *_pins_without_cell(matrix),
        *_repeated_cells(matrix),
    ]:
        raise _error(source, mistakes)
    return matrix


def _checked(document: Document, source: str) -> MatrixFile:
    """Hold a document against the form; what is wrong with its YAML and with its values is told together."""
    if document.value is None:
        raise _error(source, document.mistakes or [Mistake(1, "is empty; expected `pythons:` and `pins:`")])
    try:
        file = MatrixFile.model_validate(document.value)
    except ValidationError as error:
        raise _error(source, [*document.mistakes, *mistakes_of_form(error, document)]) from None
    if document.mistakes:
        raise _error(source, document.mistakes)
    return file


def _error(source: str, mistakes: Iterable[Mistake]) -> MatrixError:
    return MatrixError("\n".join(f"{source}:{line}: {what}" for line, what in sorted(mistakes)))


def _pins(file: MatrixFile, document: Document) -> Iterator[Pin]:
    newest = _newest_of_each_minor(file.pins)
    for index, row in enumerate(file.pins):
        supported = SpecifierSet(row.python)
        yield Pin(
            boto3=row.boto3,
            botocore=row.botocore,
            pythons=tuple(python for python in file.pythons if python in supported),
            why=row.why,
            line=document.line(("pins", index)),
            factor=_factor(row.boto3, newest),
        )


def _newest_of_each_minor(rows: Iterable[Row]) -> set[str]:
    newest: dict[tuple[int, int], Version] = {}
    for row in rows:
        if row.boto3 == LATEST:
            continue
        version = Version(row.boto3)
        minor = (version.major, version.minor)
        newest[minor] = max(version, newest.get(minor, version))
    return {str(version) for version in newest.values()}


def _factor(boto3: str, newest: set[str]) -> str:
    return f"boto{boto3.rpartition('.')[0]}" if boto3 in newest else f"boto{boto3}"


def _repeated_pythons(file: MatrixFile, document: Document) -> Iterator[Mistake]:
    for index, python in enumerate(file.pythons):
        if python in file.pythons[:index]:
            yield Mistake(document.line(("pythons", index)), f"Python {python} is listed twice; keep one")


def _pins_without_cell(matrix: Matrix) -> Iterator[Mistake]:
    for pin in matrix.pins:
        if not pin.pythons:
            pythons = ", ".join(matrix.pythons)
            yield Mistake(pin.line, f"boto3 {pin.boto3} has no Python left; expected at least one of {pythons}")


def _repeated_cells(matrix: Matrix) -> Iterator[Mistake]:
    first: dict[str, Cell] = {}
    for cell in matrix.cells:
        other = first.setdefault(cell.name, cell)
        if other is not cell:
            where = f"{cell.name} is in line {other.pin.line} too"
            yield Mistake(cell.pin.line, f"{where}; expected one row for a boto3 release on a Python")
