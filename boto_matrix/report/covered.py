"""What cells left to others of their class, in words."""

from __future__ import annotations

from collections.abc import Sequence

from boto_matrix.results.model import CellResult


def left_to_others(cells: Sequence[CellResult]) -> str | None:
    """Say in a sentence how many cells left which sets to others; None if none did."""
    left = [cell for cell in cells if cell.covered_by]
    if not left:
        return None
    sets = ", ".join(dict.fromkeys(name for cell in left for name in cell.covered_by))
    whose = "1 cell has left" if len(left) == 1 else f"{len(left):,} cells have left"
    return f"{whose} {sets} to the newest of {'its' if len(left) == 1 else 'their'} class, on the same Python"
