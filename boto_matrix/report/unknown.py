"""What cells have installed that nobody knows yet: called out, whether or not tests passed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from boto_matrix.results.model import CellResult
from boto_matrix.surface.declaration import PYTHON


def called_out(cells: Iterable[CellResult]) -> list[str]:
    """Say, once each, what should be looked at: surfaces that no examined release has, and what the guard lacks."""
    return sorted({line for cell in cells for line in (*_unknown_surfaces(cell), *_unknown_to_the_guard(cell))})


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
