"""The form of matrix.yaml: which keys there are and what each may hold.

A field's description is what an editor shows (through the JSON schema) and what a mistake's message expects.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from boto_matrix.matrix.numbering import LATEST, check_pair
from boto_matrix.matrix.text import Document, Mistake

_NUMBER = "(0|[1-9][0-9]{0,4})"
_CLAUSE = r" *(>=|<=|>|<|==|!=|~=) *3\.(0|[1-9][0-9]?)(\.\*)? *"


def _specifier(text: str) -> str:
    try:
        SpecifierSet(text)
    except InvalidSpecifier as error:  # ">=3.8.*": each half is right, and they do not go together
        raise ValueError(str(error)) from None
    return text


Release = Annotated[str, StringConstraints(pattern=rf"^({LATEST}|{_NUMBER}\.{_NUMBER}\.{_NUMBER})$")]
PythonMinor = Annotated[str, StringConstraints(pattern=r"^3\.(0|[1-9][0-9]?)$")]
PythonRange = Annotated[str, StringConstraints(pattern=rf"^{_CLAUSE}(,{_CLAUSE})*$"), AfterValidator(_specifier)]


class PinForm(BaseModel):
    """A pin: one boto3, its botocore, and the Pythons they work on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    boto3: Release = Field(description=f"an exact boto3 release such as 1.26.165, or {LATEST}")
    botocore: Release = Field(description=f"an exact botocore release such as 1.29.165, or {LATEST}")
    python: PythonRange = Field(
        description="the Pythons that the pair works on, a specifier of minor versions such as '>=3.8,<3.12'"
    )
    why: str | None = Field(
        default=None, description="the reason of a Python limit that is not the one in the packages' metadata"
    )

    @model_validator(mode="after")
    def _pair_is_possible(self) -> PinForm:
        latest = [self.boto3, self.botocore].count(LATEST)
        if latest == 1:
            given = f"boto3 {self.boto3} with botocore {self.botocore}"
            raise ValueError(f"{given}: expected both exact, or both {LATEST}")
        if not latest:
            check_pair(self.boto3, self.botocore)
        return self


class MatrixFile(BaseModel):
    """The pins of boto3 and botocore that aistore-patch is tested on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pythons: list[PythonMinor] = Field(
        min_length=1, description="a list of every Python of the matrix, in quotes: ['3.8', '3.9']"
    )
    pins: list[PinForm] = Field(min_length=1, description="a list of rows {boto3: …, botocore: …, python: …, why: …}")


def json_schema() -> str:
    """Give the text of matrix.schema.json, for editors."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **MatrixFile.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


_FILE = "the two lists `pythons:` and `pins:`"
_ROW = "a row {boto3: …, botocore: …, python: …}"
_PYTHON = "a Python in quotes, such as '3.11'"


def mistakes_of_form(error: ValidationError, document: Document) -> Iterator[Mistake]:
    """Say what a document does that the form does not allow, to a maintainer who never heard of pydantic."""
    for fault in error.errors(include_url=False):
        place = fault["loc"]
        yield Mistake(document.line(place), _sentence(fault["type"], place, fault["input"], fault["msg"]))


def _sentence(kind: str, place: tuple[str | int, ...], given: object, message: str) -> str:
    if kind == "extra_forbidden":
        known = PinForm.model_fields if len(place) > 1 else MatrixFile.model_fields
        return f"unknown key `{place[-1]}`; expected one of {', '.join(known)}"
    if kind == "missing":
        return f"`{place[-1]}` is missing; expected {_expected(place)}"
    if kind == "value_error" and isinstance(place[-1], int):
        return message.removeprefix("Value error, ")
    name = f"`{place[-1]}`" if place and isinstance(place[-1], str) else "this"
    return f"{name} is {_shown(given)}; expected {_expected(place)}"


def _expected(place: tuple[str | int, ...]) -> str:
    if not place:
        return _FILE
    if len(place) == 1:
        return str(MatrixFile.model_fields[str(place[0])].description)
    if len(place) == 2:
        return _PYTHON if place[0] == "pythons" else _ROW
    return str(PinForm.model_fields[str(place[2])].description)


def _shown(given: object) -> str:
    if isinstance(given, str):
        return repr(given if len(given) <= 60 else f"{given[:60]}…")
    if isinstance(given, dict):
        return "a mapping"
    if isinstance(given, list):
        return "a list" if given else "an empty list"
    return "empty"
