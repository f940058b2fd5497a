"""Edits the rows of matrix.yaml and leaves the rest as it is: comments, quotes, order."""

from __future__ import annotations

import io
from dataclasses import dataclass

from packaging.version import Version
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import SingleQuotedScalarString

from boto_matrix.matrix.numbering import LATEST

_WIDE = 10_000  # columns: a row stays on its line


@dataclass(frozen=True)
class Row:
    """A pin as it is written in the file.

    Attributes:
        boto3: an exact release.
        botocore: an exact release.
        python: the specifier of its Pythons.
        why: what is said of the row.

    """

    boto3: Version
    botocore: Version
    python: str
    why: str | None = None


class MatrixEdit:
    """The text of a matrix.yaml that is being edited."""

    def __init__(self, text: str) -> None:
        """Take the text of a file that `boto_matrix.matrix.cells` found right."""
        self._yaml = YAML()
        self._yaml.preserve_quotes = True
        self._yaml.width = _WIDE
        self._yaml.indent(mapping=2, sequence=4, offset=2)
        self._document = self._yaml.load(text)
        self._pins = self._document["pins"]

    @property
    def pythons(self) -> list[str]:
        """Every Python of the matrix."""
        return [str(python) for python in self._document["pythons"]]

    @property
    def rows(self) -> list[Row]:
        """The rows with numbers, in the file's order."""
        return [_row(pin) for pin in self._pins if pin["boto3"] != LATEST]

    def replace(self, old: Row, new: Row) -> None:
        """Write one row where another is."""
        pin = self._pins[self._place(old)]
        for key, value in _values(new).items():
            if str(pin.get(key)) != value:
                pin[key] = value
        if new.why is None:
            pin.pop("why", None)

    def add(self, row: Row, comment: str | None = None) -> None:
        """Put in a row where its boto3 belongs, newest first, below a comment of its own."""
        place = next((index for index, pin in enumerate(self._pins) if _is_older(pin, row.boto3)), len(self._pins))
        pin = CommentedMap(_values(row))
        pin.fa.set_flow_style()
        self._pins.insert(place, pin)
        if comment is not None:
            self._pins.yaml_set_comment_before_after_key(place, before=comment, indent=2)

    def remove(self, row: Row) -> None:
        """Take out a row. A comment above it stays, for it may be about the rows below, too."""
        place = self._place(row)
        comments = self._pins.ca.items
        above = comments.pop(place, None)
        del self._pins[place]
        if above is not None and place in comments:
            comments[place][1] = [*above[1], *comments[place][1]]
        elif above is not None:
            comments[place] = above

    @property
    def text(self) -> str:
        """The file as it is now."""
        stream = io.StringIO()
        self._yaml.dump(self._document, stream)
        return stream.getvalue()

    def _place(self, row: Row) -> int:
        return next(index for index, pin in enumerate(self._pins) if pin["boto3"] == str(row.boto3))


def _row(pin: CommentedMap) -> Row:
    return Row(Version(pin["boto3"]), Version(pin["botocore"]), str(pin["python"]), pin.get("why"))


def _is_older(pin: CommentedMap, boto3: Version) -> bool:
    return pin["boto3"] != LATEST and Version(pin["boto3"]) < boto3


def _values(row: Row) -> dict[str, str]:
    values = {"boto3": str(row.boto3), "botocore": str(row.botocore), "python": SingleQuotedScalarString(row.python)}
    return values if row.why is None else {**values, "why": SingleQuotedScalarString(row.why)}
