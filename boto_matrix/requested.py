"""What is to be installed in a cell, in numbers: its pin, or what the environment overrides of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from boto_matrix.model import Cell


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


def requested(cell: Cell) -> Requested:
    """Work out what a cell asks for."""
    versions = {"boto3": cell.pin.boto3, "botocore": cell.pin.botocore}
    return Requested(tuple(f"{package}=={version}" for package, version in versions.items()), versions)
