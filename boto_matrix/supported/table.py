"""README's table of supported versions: what is known of the newest release of each minor, on each Python."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from packaging.version import Version

from boto_matrix.errors import UserError
from boto_matrix.matrix.cells import Matrix, Pin
from boto_matrix.matrix.numbering import LATEST
from boto_matrix.supported.decide import Question, decide
from boto_matrix.supported.knowledge import Answer, Knowledge

BEGIN = "<!-- made by python -m boto_matrix supported --write README.md -->"
END = "<!-- made until here -->"

YES, NO, NOT_RUN, NOT_KNOWN, LEFT_OUT = "✓", "✗", "not run", "?", "—"
_WORDS = {
    YES: "the newest release passed all tests",
    NO: "it failed",
    NOT_RUN: "there are no results of it",
    NOT_KNOWN: "it ran, and it is not known whether it can be used",
    LEFT_OUT: "it is not for that Python",
}


class NoPlace(UserError):
    """A file has no place for the table; the message says which, and what is expected."""


@dataclass(frozen=True)
class Row:
    """A minor.

    Attributes:
        boto3: such as ``1.26``.
        botocore: its botocore's, ``1.29``.
        signs: what is known, by Python.

    """

    boto3: str
    botocore: str
    signs: Mapping[str, str]


def rows(known: Knowledge) -> list[Row]:
    """Give what is known of the newest pin of each minor, the newest first."""
    return [
        Row(_minor(pin.boto3), _minor(pin.botocore), {python: _sign(pin, python, known) for python in _pythons(known)})
        for pin in newest_of_minors(known.matrix)
    ]


def newest_of_minors(matrix: Matrix) -> list[Pin]:
    """Give the newest pin of each minor of boto3, the newest first."""
    newest: dict[tuple[int, ...], Pin] = {}
    for pin in sorted((pin for pin in matrix.pins if pin.boto3 != LATEST), key=lambda pin: Version(pin.boto3)):
        newest[Version(pin.boto3).release[:2]] = pin
    return [newest[minor] for minor in sorted(newest, reverse=True)]


def table(found: Iterable[Row]) -> str:
    """Write rows in Markdown, neighbours that are alike as one, and what the signs in them mean."""
    found = list(found)
    pythons = list(found[0].signs)
    lines = [_line(["boto3", "botocore", *pythons]), "|---" * (2 + len(pythons)) + "|"]
    for _, alike in groupby(found, key=lambda row: [*row.signs.values()]):
        of_them = list(alike)
        spans = (_span([getattr(row, package) for row in of_them]) for package in ("boto3", "botocore"))
        lines.append(_line([*spans, *of_them[0].signs.values()]))
    used = {sign for row in found for sign in row.signs.values()}
    legend = "; ".join(f"{sign}: {words}" for sign, words in _WORDS.items() if sign in used)
    never = [python for python in pythons if {row.signs[python] for row in found} <= {NOT_RUN, LEFT_OUT}]
    not_run = f" Nothing was run on Python {', '.join(never)}." if never else ""
    return "\n".join([*lines, "", f"{legend[:1].upper()}{legend[1:]}.{not_run}"])


def placed(made: str, text: str, source: str) -> str:
    """Give a text with the table in its place, between `BEGIN` and `END`.

    Raises:
        NoPlace: the text does not have these two lines.

    """
    found = re.search(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}", text, re.DOTALL)
    if found is None:
        raise NoPlace(f"{source}: has no place for the table; expected a line {BEGIN} and below it a line {END}")
    return f"{text[: found.start()]}{BEGIN}\n\n{made}\n\n{END}{text[found.end() :]}"


def _pythons(known: Knowledge) -> list[str]:
    return sorted(known.matrix.pythons, key=Version)


def _sign(pin: Pin, python: str, known: Knowledge) -> str:
    if python not in pin.pythons:
        return LEFT_OUT
    reply = decide(Question(python, Version(pin.botocore), Version(pin.boto3)), known)
    if reply.answer is not Answer.UNKNOWN:
        return YES if reply.answer is Answer.YES else NO
    return NOT_RUN if all(not cell.ran for cell in reply.cells) else NOT_KNOWN


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _span(minors: list[str]) -> str:
    first, last = minors[-1], minors[0]
    return first if first == last else f"{first} – {last}"  # noqa: RUF001 - from one to the other


def _line(places: Iterable[str]) -> str:
    return f"| {' | '.join(places)} |"
