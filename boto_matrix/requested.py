"""What is to be installed in a cell, in numbers: its pin, or what the environment overrides of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from boto_matrix.index_errors import IndexUnavailable
from boto_matrix.model import Cell
from boto_matrix.overrides import OverrideError, Overrides, overrides_from_environment

_VARIABLES = ("BOTO3_VERSION", "BOTOCORE_VERSION", "MOTO_VERSION")


class RequestError(Exception):
    """What a cell asks for cannot be put in numbers; the message says why and what to do."""


@dataclass(frozen=True)
class Requested:
    """What a cell asks for.

    Attributes:
        requirements: for the installer.
        versions: what must be found installed, by package: an exact version or a specifier.

    """

    requirements: tuple[str, ...]
    versions: Mapping[str, str]


def given_overrides() -> dict[str, str]:
    """Give the variables of the environment that override a pin."""
    return {name: value for name in _VARIABLES if (value := os.environ.get(name, "").strip())}


def check_overrides() -> None:
    """Refuse at once what could be installed in no cell.

    Raises:
        RequestError: the overrides cannot be read or do not go together, or the index that would know is not to be had.

    """
    with _explained():
        _overrides()


def requested(cell: Cell) -> Requested:
    """Work out what a cell asks for.

    Raises:
        RequestError: it does not exist, does not go together, or the index that would know is not to be had.

    """
    with _explained():
        requirements = _overrides().requirements(cell)
        expected = _overrides().expected(cell)
    return Requested(
        tuple(requirements), {package: version for package, version in expected.items() if version is not None}
    )


@cache
def _overrides() -> Overrides:
    return overrides_from_environment(os.environ)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (OverrideError, IndexUnavailable) as error:
        raise RequestError(str(error)) from error
