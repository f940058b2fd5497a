"""How long cells take: what the last run measured, and for the others what cells like them took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from boto_matrix.errors import UserError
from boto_matrix.matrix.cells import Cell

_NOTHING_KNOWN = 1.0  # seconds; where no cell's duration is known, all that counts is that all count the same


class DurationsError(UserError):
    """No durations can be read from a file."""


def read_durations(path: Path) -> dict[str, float]:
    """Read how long the cells of a run took, install and tests, in seconds, by their names.

    Of the document only that is looked at: of a few thousand cells with all their tests it is a hundred megabytes.

    Raises:
        DurationsError: there is no such file, or it holds no results.

    """
    try:
        run = _Run.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DurationsError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        raise DurationsError(f"{path}: is not the results of a run: {error.errors()[0]['msg']}") from error
    return {
        cell.name: (cell.install_seconds or 0.0) + cell.tests_seconds
        for cell in run.cells
        if cell.tests_seconds is not None
    }


def estimate(cells: Iterable[Cell], known: Mapping[str, float]) -> dict[str, float]:
    """Say how long each cell will take, in seconds, by its name and in the order given.

    One that is not known takes what is usual on its Python, or else with its pin, or else for any cell.
    """
    cells = list(cells)
    by_python, by_pin = (_usual(cells, known, part) for part in ("python", "pin"))
    usual = median(known.values()) if known else _NOTHING_KNOWN
    return {
        cell.name: known.get(cell.name, by_python.get(cell.python, by_pin.get(cell.pin, usual))) for cell in cells
    }


def _usual(cells: Sequence[Cell], known: Mapping[str, float], part: str) -> dict[object, float]:
    """Give the median of what is known, by a part that cells have in common."""
    groups: dict[object, list[float]] = {}
    for cell in cells:
        if cell.name in known:
            groups.setdefault(getattr(cell, part), []).append(known[cell.name])
    return {common: median(durations) for common, durations in groups.items()}


class _Cell(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    name: str
    install_seconds: float | None = Field(default=None, ge=0)
    tests_seconds: float | None = Field(default=None, ge=0)


class _Run(BaseModel):
    model_config = ConfigDict(extra="ignore")

    cells: list[_Cell]
