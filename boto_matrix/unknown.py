"""What a cell has installed that nobody knows yet: found for its results, and called out, whether or not tests passed.

Nothing is imported and no process started, so that it costs half a second for the first cell of a pin, and next to
nothing for the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from boto_matrix.fingerprint import surface_of
from boto_matrix.results import CellResult, FoundModel, FoundSurface
from boto_matrix.s3_model import unclassified
from boto_matrix.sources import installed_sources, library_of, site_packages_of
from boto_matrix.stands_on import PYTHON, WATCHED, watched
from boto_matrix.surface_errors import SurfaceError
from boto_matrix.surface_record import SurfaceRecord, read_record


def surfaces_of_cell(python: Path, version: str) -> dict[str, FoundSurface]:
    """Read the surfaces of what is installed beside a Python, and of its standard library, by package.

    It raises nothing: what is wrong is in `problem`.

    Args:
        python: the Python of the cell's environment, ``.tox/py311-boto1.26/bin/python``.
        version: its version, ``3.11.7``.

    """
    site_packages, library = site_packages_of(python), library_of(python, version)
    return {package: _surface(package, library if package == PYTHON else site_packages) for package in WATCHED}


def model_of_cell(python: Path) -> FoundModel | None:
    """Compare the S3 model of the botocore that is installed beside a Python with the guard; None if there is none."""
    site_packages = site_packages_of(python)
    if not (site_packages / "botocore").is_dir():
        return None
    try:
        return FoundModel(unclassified=unclassified(site_packages))
    except SurfaceError as error:
        return FoundModel(problem=str(error))


def called_out(cells: Iterable[CellResult]) -> list[str]:
    """Say, once each, what should be looked at: surfaces that no examined release has, and what the guard lacks."""
    return sorted({line for cell in cells for line in (*_unknown_surfaces(cell), *_unknown_to_the_guard(cell))})


def _surface(package: str, folder: Path) -> FoundSurface:
    fingerprint = None
    try:
        fingerprint = surface_of(installed_sources(package, folder), watched(package)).fingerprint
        known = _record().of(watched(package)).class_of(fingerprint)
    except (SurfaceError, OSError) as error:
        return FoundSurface(fingerprint=fingerprint, name=None, problem=str(error))
    if known is None:
        return FoundSurface(fingerprint=fingerprint, name=None, problem="no examined release has this surface")
    return FoundSurface(fingerprint=fingerprint, name=known.name)


@cache
def _record() -> SurfaceRecord:
    return read_record()


def _unknown_surfaces(cell: CellResult) -> Iterator[str]:
    python = {PYTHON: cell.interpreter.version} if cell.interpreter else {}
    versions = {**cell.installed, **python}
    for package, surface in cell.surfaces.items():
        if surface.fingerprint is not None and surface.name is None:
            version = versions.get(package, "")
            look = f"python -m boto_matrix surface --package {package} {version}".rstrip()
            yield f"{package} {version} is of an unknown surface class: look at what changed with `{look}`"


def _unknown_to_the_guard(cell: CellResult) -> Iterator[str]:
    if cell.s3_model is None:
        return
    botocore = f"botocore {cell.installed.get('botocore', '')}"
    if cell.s3_model.problem:
        yield f"{botocore} cannot be compared with aistore_patch.guard: {cell.s3_model.problem}"
    elif names := ", ".join(cell.s3_model.unclassified):
        has = "has S3 operations or parameters that aistore_patch.guard does not know"
        yield f"{botocore} {has}: {names}; classify them there"
