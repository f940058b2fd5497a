"""The releases that were run and are of no known surface class: called out, whether or not their tests passed."""

from __future__ import annotations

from collections.abc import Iterable

from boto_matrix.results import CellResult


def unknown_surfaces(cells: Iterable[CellResult]) -> list[str]:
    """Say of each release with a surface that no examined release has that it should be looked at."""
    found = {
        f"{package} {cell.installed.get(package, '')} is of an unknown surface class: look at what changed with "
        f"`python -m boto_matrix surface --package {package} {cell.installed.get(package, '')}`"
        for cell in cells
        for package, surface in cell.surfaces.items()
        if surface.fingerprint is not None and surface.name is None
    }
    return sorted(found)
