"""What a cell has installed, compared with what is known: the surfaces of packages, and botocore's S3 model.

Nothing is imported and no process started, so that it costs half a second for the first cell of a pin, and next to
nothing for the others.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from boto_matrix.results.model import FoundModel, FoundSurface
from boto_matrix.surface.declaration import PACKAGES, PYTHON, SurfaceError, declaration_of
from boto_matrix.surface.fingerprint import surface_of
from boto_matrix.surface.record import SurfaceRecord, read_record
from boto_matrix.surface.s3_model import unclassified
from boto_matrix.surface.sources import installed_sources, library_of, site_packages_of


def surfaces_of_cell(python: Path, version: str) -> dict[str, FoundSurface]:
    """Read the surfaces of what is installed beside a Python, and of its standard library, by package.

    It raises nothing: what is wrong is in `problem`.

    Args:
        python: the Python of the cell's environment, ``.tox/py311-boto1.26/bin/python``.
        version: its version, ``3.11.7``.

    """
    site_packages, library = site_packages_of(python), library_of(python, version)
    return {package: _surface(package, library if package == PYTHON else site_packages) for package in PACKAGES}


def model_of_cell(python: Path) -> FoundModel | None:
    """Compare the S3 model of the botocore that is installed beside a Python with the guard; None if there is none."""
    site_packages = site_packages_of(python)
    if not (site_packages / "botocore").is_dir():
        return None
    try:
        return FoundModel(unclassified=unclassified(site_packages))
    except SurfaceError as error:
        return FoundModel(problem=str(error))


def _surface(package: str, folder: Path) -> FoundSurface:
    fingerprint = None
    try:
        fingerprint = surface_of(installed_sources(package, folder), declaration_of(package)).fingerprint
        known = _record().of(declaration_of(package)).class_of(fingerprint)
    except (SurfaceError, OSError) as error:
        return FoundSurface(fingerprint=fingerprint, name=None, problem=str(error))
    if known is None:
        return FoundSurface(fingerprint=fingerprint, name=None, problem="no examined release has this surface")
    return FoundSurface(fingerprint=fingerprint, name=known.name)


@cache
def _record() -> SurfaceRecord:
    return read_record()
