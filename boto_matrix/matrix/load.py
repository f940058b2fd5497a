"""matrix.yaml → its pins and cells, or every mistake in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import Version
from pydantic import ValidationError

from boto_matrix import PROJECT
from boto_matrix.matrix.cells import Cell, Matrix, MatrixError, Pin
from boto_matrix.matrix.form import MatrixFile, PinForm, mistakes_of_form
from boto_matrix.matrix.numbering import LATEST
from boto_matrix.matrix.text import Document, Mistake, parse


@cache
def project_matrix() -> Matrix:
    """Read the project's matrix.yaml, once.

    Raises:
        MatrixError: it is missing or wrong.

    """
    return load_matrix(PROJECT / "matrix.yaml")


def load_matrix(path: Path) -> Matrix:
    """Read matrix.yaml.

    Raises:
        MatrixError: the file cannot be read, or says something that is no matrix. Every mistake that can be
            told at once is in it, each as ``matrix.yaml:12: what is wrong; what is expected``.

    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MatrixError(f"{path}: cannot be read: {error.strerror}; expected the matrix's pins") from error
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise MatrixError(f"{path}:{line}: is not UTF-8 text; save the file as UTF-8") from error
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
        # What the form refuses would be no better in quotes, so that only the form's advice is given.
        refused = {tuple(fault["loc"]) for fault in error.errors(include_url=False)}
        unquoted = [mistake for path, mistake in document.unquoted.items() if path not in refused]
        raise _error(source, [*document.mistakes, *unquoted, *mistakes_of_form(error, document)]) from None
    if mistakes := [*document.mistakes, *document.unquoted.values()]:
        raise _error(source, mistakes)
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


def _newest_of_each_minor(rows: Iterable[PinForm]) -> set[str]:
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
