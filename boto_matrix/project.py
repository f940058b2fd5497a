"""The project that this harness stands in: its folder and its matrix."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from boto_matrix.model import Matrix, load_matrix

PROJECT = Path(__file__).parent.parent


@cache
def project_matrix() -> Matrix:
    """Read the project's matrix.yaml, once.

    Raises:
        MatrixError: it is missing or wrong.

    """
    return load_matrix(PROJECT / "matrix.yaml")
