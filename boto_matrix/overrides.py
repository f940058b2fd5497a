"""BOTO3_VERSION, BOTOCORE_VERSION, MOTO_VERSION: what is installed in a cell in place of what its pin says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from boto_matrix.numbering import LATEST
from boto_matrix.pairs import Chosen, choose, choose_pair
from boto_matrix.wanted import Elsewhere, OverrideError, Releases, any_release, read_wanted

if TYPE_CHECKING:
    from boto_matrix.index import PackageIndex
    from boto_matrix.model import Cell

__all__ = ["OverrideError", "Overrides", "overrides_from_environment"]

_PACKAGES = ("boto3", "botocore", "moto")


class Overrides:
    """What to install in a cell: what the environment asks for, and what the cell's pin says of the rest.

    A release is put in numbers for the Python of the cell: `latest` on 3.8 is the newest boto3 that supports 3.8.
    The index is asked only for what is not a number yet, and whether a pair of overrides fits.
    """

    def __init__(self, wanted: Mapping[str, Releases | Elsewhere], index: Callable[[], PackageIndex]) -> None:
        """Take what is asked for, by package, and what gives the index when it is needed."""
        self._wanted = wanted
        self._index = index
        self._pairs: dict[str | None, list[Chosen]] = {}
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        """Say whether anything is overridden."""
        return bool(self._wanted)

    def requirements(self, cell: Cell) -> list[str]:
        """Give the requirements of a cell for the installer, each an exact version where that can be known.

        Raises:
            OverrideError: what is asked for does not exist, does not fit together, or does not support this Python.
            boto_matrix.index.IndexUnavailable: the index is needed to say so and cannot be asked.

        """
        return [chosen.requirement for chosen in self._chosen(cell)]

    def expected(self, cell: Cell) -> dict[str, str | None]:
        """Give what must be found installed, by package: an exact version, a specifier, or `None` for anything.

        Raises:
            OverrideError, boto_matrix.index.IndexUnavailable: as `requirements` does.

        """
        return {chosen.package: chosen.expected for chosen in self._chosen(cell)}

    def check(self) -> None:
        """Refuse what no Python could have.

        Raises:
            OverrideError, boto_matrix.index.IndexUnavailable: as `requirements` does.

        """
        if self._overrides_the_pin:
            self._pair(None)
        if "moto" in self._wanted:
            choose(self._wanted["moto"], None, self._index())

    @property
    def _overrides_the_pin(self) -> bool:
        return "boto3" in self._wanted or "botocore" in self._wanted

    def _chosen(self, cell: Cell) -> list[Chosen]:
        chosen = self._boto3_and_botocore(cell)
        if "moto" in self._wanted:
            chosen.append(choose(self._wanted["moto"], cell.python, self._index()))
        return chosen

    def _boto3_and_botocore(self, cell: Cell) -> list[Chosen]:
        if self._overrides_the_pin or cell.pin.boto3 == LATEST:
            return list(self._pair(cell.python))
        return [Chosen.exactly("boto3", cell.pin.boto3), Chosen.exactly("botocore", cell.pin.botocore)]

    def _pair(self, python: str | None) -> list[Chosen]:
        with self._lock:
            if python not in self._pairs:
                boto3, botocore = (self._wanted.get(name) or any_release(name) for name in ("boto3", "botocore"))
                self._pairs[python] = choose_pair(boto3, botocore, python, self._index())
            return self._pairs[python]


def overrides_from_environment(environ: Mapping[str, str], index: PackageIndex | None = None) -> Overrides:
    """Read the overrides that an environment asks for; a variable that is empty asks for nothing.

    Args:
        environ: the environment's variables.
        index: what is asked about releases; by default the index that the environment names, made when it is needed.

    Raises:
        OverrideError: a variable cannot be read, or what is asked for cannot be installed together.
        boto_matrix.index.IndexUnavailable: the index is needed to say so and cannot be asked.

    """
    asked = {package: environ.get(f"{package.upper()}_VERSION", "").strip() for package in _PACKAGES}
    wanted = {package: read_wanted(package, text) for package, text in asked.items() if text}
    overrides = Overrides(wanted, _made_once(environ) if index is None else lambda: index)
    overrides.check()
    return overrides


def _made_once(environ: Mapping[str, str]) -> Callable[[], PackageIndex]:
    made: list[PackageIndex] = []

    def index() -> PackageIndex:
        from boto_matrix.index import index_from_environment  # takes a third of a second, and most runs need none

        if not made:
            made.append(index_from_environment(environ))
        return made[0]

    return index
