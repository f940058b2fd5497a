"""Sets that one cell of a class runs for all: which these are, and which cell runs them for whom.

A class is the cells on one Python whose botocores have one surface and admit the same major of urllib3. In all that the
patch stands on, they run the same code: tests of the patch's own machinery find in one of them what they would find in
each. (Whether they had that urllib3 is seen in the results: `boto_matrix/results/covered.py`.)

The representative of a class is its cell with the newest boto3, and runs everything. It follows from matrix.yaml and
surface.json alone, so that it is the same on every machine that runs a part of the matrix.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from boto_matrix import PROJECT
from boto_matrix.errors import UserError
from boto_matrix.matrix.cells import Matrix
from boto_matrix.matrix.load import project_matrix
from boto_matrix.running.selection import classes, newest, surfaces_of_botocore

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found]  # tox brings it where Python has none

VARIABLE = "BOTO_MATRIX_ONCE_PER_CLASS"
"""The environment variable by which a run has its tox leave those sets to representatives."""


class SettingsError(UserError):
    """pyproject.toml does not say as it should which sets run once per class; the message says what is expected."""


def covered_by(cell: str) -> dict[str, str]:
    """Give the sets that a cell leaves to another one, and that cell's name; none in a representative.

    Raises:
        MatrixError: matrix.yaml is wrong.
        SettingsError: pyproject.toml is.
        SurfaceError: surface.json is damaged, or it cannot be read what is stood on.

    """
    sets = sets_once_per_class()
    representative = _representatives()[cell] if sets else cell
    return {} if representative == cell else dict.fromkeys(sets, representative)


def is_asked_for(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the run that started this tox has it leave sets to representatives."""
    return environ.get(VARIABLE) == "1"


@cache
def sets_once_per_class(path: Path = PROJECT / "pyproject.toml") -> Mapping[str, str]:
    """Read which sets one cell of a class runs for all, and why: `[tool.boto_matrix.once-per-class]`.

    Raises:
        SettingsError: it is no table of reasons.

    """
    try:
        settings: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        table = settings.get("tool", {}).get("boto_matrix", {}).get("once-per-class", {})
        reasons = dict(table)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}; {_EXPECTED}") from error
    for name, reason in reasons.items():
        if not (isinstance(reason, str) and reason.strip()):
            raise SettingsError(f"{path}: once-per-class.{name} is {reason!r}; {_EXPECTED}")
    return reasons


_EXPECTED = "expected a table [tool.boto_matrix.once-per-class] of sets, each with the reason in words"


def representatives_of(matrix: Matrix) -> dict[str, str]:
    """Give the name of the representative of each cell, by the name of the cell.

    Raises:
        SurfaceError: surface.json is damaged, or it cannot be read what is stood on.

    """
    of_classes = classes(matrix.cells, surfaces_of_botocore()).values()
    return {cell.name: newest(of_class).name for of_class in of_classes for cell in of_class}


@cache
def _representatives() -> dict[str, str]:
    return representatives_of(project_matrix())
