"""What is to be installed in a cell: its pin, or what BOTO3_VERSION, BOTOCORE_VERSION and MOTO_VERSION say instead."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from boto_matrix.matrix.numbering import LATEST
from boto_matrix.redaction import redacted
from boto_matrix.releases.override import FromElsewhere, FromIndex, any_release, read_override
from boto_matrix.releases.resolve import Resolved, resolve, resolve_pair

if TYPE_CHECKING:
    from boto_matrix.matrix.cells import Cell
    from boto_matrix.releases.index import PackageIndex

_VARIABLES = {package: f"{package.upper()}_VERSION" for package in ("boto3", "botocore", "moto")}


@dataclass(frozen=True)
class Requested:
    """What is to be installed in a cell.

    Attributes:
        requirements: for the installer, each an exact version where that can be known.
        versions: what must be found installed, by package: an exact version or a specifier.

    """

    requirements: tuple[str, ...]
    versions: Mapping[str, str]


class Overrides:
    """What the environment asks for in place of pins.

    A release is put in numbers for the Python of the cell: `latest` on 3.8 is the newest boto3 that supports 3.8.
    The index is asked only for what is not a number yet, and whether a pair of overrides fits.
    """

    def __init__(self, given: Mapping[str, FromIndex | FromElsewhere], index: Callable[[], PackageIndex]) -> None:
        """Take what is asked for, by package, and what gives the index when it is needed."""
        self._given = given
        self._index = index
        self._pairs: dict[str | None, list[Resolved]] = {}
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        """Say whether anything is overridden."""
        return bool(self._given)

    def requested(self, cell: Cell) -> Requested:
        """Work out what is to be installed in a cell.

        Raises:
            RequestError: what is asked for does not exist, does not fit together, or does not support this Python.
            IndexUnavailable: the index is needed to say so and cannot be asked.

        """
        resolved = self._boto3_and_botocore(cell)
        if "moto" in self._given:
            resolved.append(resolve(self._given["moto"], cell.python, self._index()))
        return Requested(
            tuple(one.requirement for one in resolved),
            {one.package: one.expected for one in resolved if one.expected is not None},
        )

    def check(self) -> None:
        """Refuse what no Python could have.

        Raises:
            RequestError, IndexUnavailable: as `requested` does.

        """
        if self._overrides_the_pin:
            self._pair(None)
        if "moto" in self._given:
            resolve(self._given["moto"], None, self._index())

    @property
    def _overrides_the_pin(self) -> bool:
        return "boto3" in self._given or "botocore" in self._given

    def _boto3_and_botocore(self, cell: Cell) -> list[Resolved]:
        if self._overrides_the_pin or cell.pin.boto3 == LATEST:
            return list(self._pair(cell.python))
        return [Resolved.exactly("boto3", cell.pin.boto3), Resolved.exactly("botocore", cell.pin.botocore)]

    def _pair(self, python: str | None) -> list[Resolved]:
        with self._lock:
            if python not in self._pairs:
                boto3, botocore = (self._given.get(name) or any_release(name) for name in ("boto3", "botocore"))
                self._pairs[python] = resolve_pair(boto3, botocore, python, self._index())
            return self._pairs[python]


def given_overrides(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give the variables of an environment that override a pin; one that is empty does not."""
    return {name: text for name in _VARIABLES.values() if (text := environ.get(name, "").strip())}


def shown_overrides(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give the variables that override a pin as they may be shown: without what is secret."""
    return {name: redacted(text) for name, text in given_overrides(environ).items()}


def overrides_from_environment(environ: Mapping[str, str], index: PackageIndex | None = None) -> Overrides:
    """Read the overrides that an environment asks for.

    Args:
        environ: the environment's variables.
        index: what is asked about releases; by default the index that the environment names, made when it is needed.

    Raises:
        RequestError: a variable cannot be read, or what is asked for cannot be installed together.
        IndexUnavailable: the index is needed to say so and cannot be asked.

    """

    @cache
    def index_of_environment() -> PackageIndex:
        from boto_matrix.releases.index import index_from_environment  # a third of a second, and most runs need none

        return index_from_environment(environ)

    texts = given_overrides(environ)
    given = {package: read_override(package, texts[name]) for package, name in _VARIABLES.items() if name in texts}
    overrides = Overrides(given, index_of_environment if index is None else lambda: index)
    overrides.check()
    return overrides


def check_overrides() -> None:
    """Refuse at once what could be installed in no cell.

    Raises:
        RequestError, IndexUnavailable: as `overrides_from_environment` does.

    """
    _overrides()


def requested(cell: Cell) -> Requested:
    """Work out what is to be installed in a cell in the environment of this process.

    Raises:
        RequestError, IndexUnavailable: as `Overrides.requested` does.

    """
    return _overrides().requested(cell)


@cache
def _overrides() -> Overrides:
    return overrides_from_environment(os.environ)
