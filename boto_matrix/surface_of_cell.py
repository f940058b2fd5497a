"""The surface classes of what a cell has installed, for its results."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable
from functools import cache
from pathlib import Path

from boto_matrix.fingerprint import surface_of
from boto_matrix.results import FoundSurface
from boto_matrix.sources import installed_sources
from boto_matrix.stands_on import StandsOn, mock_stands_on, patch_stands_on
from boto_matrix.surface_errors import SurfaceError
from boto_matrix.surface_record import SurfaceRecord, read_record


def surfaces_of_cell(python: Path) -> dict[str, FoundSurface]:
    """Read the surfaces of what is installed beside a Python, by package: botocore and moto.

    Nothing is imported and no process started, so that it costs a third of a second for the first cell of a pin, and
    next to nothing for the others. It raises nothing: what is wrong is in `problem`.

    Args:
        python: the Python of the cell's environment, ``.tox/py311-boto1.26/bin/python``.

    """
    return surfaces_installed(site_packages_of(python))


def surfaces_installed(site_packages: Path) -> dict[str, FoundSurface]:
    """Read the surfaces of what is installed in a folder, as `surfaces_of_cell` does."""
    watched = {"botocore": patch_stands_on, "moto": mock_stands_on}
    return {package: _found(site_packages, stands_on) for package, stands_on in watched.items()}


def site_packages_of(python: Path) -> Path:
    """Give the folder that a virtual environment installs into."""
    environment = python.parent.parent
    found = sorted((environment / "lib").glob("python*/site-packages"))
    return found[0] if found else Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))


def _found(site_packages: Path, declaration: Callable[[], StandsOn]) -> FoundSurface:
    try:
        stands_on = declaration()
        fingerprint = surface_of(installed_sources(stands_on.package, site_packages), stands_on).fingerprint
    except (SurfaceError, OSError) as error:
        return FoundSurface(fingerprint=None, name=None, problem=str(error))
    try:
        known = _record().of(stands_on).class_of(fingerprint)
    except SurfaceError as error:
        return FoundSurface(fingerprint=fingerprint, name=None, problem=str(error))
    if known is None:
        return FoundSurface(fingerprint=fingerprint, name=None, problem="no examined release has this surface")
    return FoundSurface(fingerprint=fingerprint, name=known.name)


@cache
def _record() -> SurfaceRecord:
    return read_record()
