"""Several runs as one: the shards of a night, or tonight over last night.

Of each cell the newest fact is taken. That it was not run says nothing; that a Python is missing says less than that
some of its tests passed or failed, and that less than what all of them did: none takes the place of one that says more.
Where a cell's result comes from stays known: `runs` lists what was merged, and each cell's `run` points into it. What a
cell left to another one is judged by what the merged document holds of that.
"""

from __future__ import annotations

from collections.abc import Sequence

from boto_matrix.errors import UserError
from boto_matrix.results.covered import own_part, settled
from boto_matrix.results.model import CellResult, Origin, Outcome, RunResult


class MergeError(UserError):
    """These runs are not runs of one matrix; the message says why and what to do."""


def merge(runs: Sequence[RunResult], command: str) -> RunResult:
    """Make one document of several; one that was merged itself counts as the runs that it was merged from.

    The order in which they are given makes no difference. The cells are in the order of the run that has the most of
    them, and after them those of the others.

    Args:
        runs: at least one.
        command: what the document says that it was made by.

    Raises:
        MergeError: they were run with different overrides.

    """
    _check_overrides(runs)
    origins = _origins(runs)
    best: dict[str, CellResult] = {}
    for run in sorted(runs, key=_most_cells_first):
        for cell in run.cells:
            placed = own_part(cell).model_copy(update={"run": origins.index(origin_of(cell, run))})
            known = best.setdefault(cell.name, placed)
            if _worth(placed) > _worth(known):
                best[cell.name] = placed
    newest = origins[-1]
    merged = RunResult(
        started=origins[0].started,
        seconds=round(sum(origin.seconds for origin in origins), 3),
        finished=all(not cell.outcome.is_skipped or origins[cell.run or 0].finished for cell in best.values()),
        command=command,
        overrides=newest.overrides,
        machine=newest.machine,
        tools=newest.tools,
        cells=tuple(best.values()),
        runs=tuple(origins),
    )
    return settled(merged)


def origin_of(cell: CellResult, run: RunResult) -> Origin:
    """Give the run in which a cell of a document was run."""
    return _as_origin(run) if cell.run is None else run.runs[cell.run]


def _origins(runs: Sequence[RunResult]) -> list[Origin]:
    found: list[Origin] = []
    for run in runs:
        for origin in run.runs or (_as_origin(run),):
            if origin not in found:
                found.append(origin)
    return sorted(found, key=lambda origin: (origin.started, origin.model_dump_json()))


def _as_origin(run: RunResult) -> Origin:
    return Origin(**{name: getattr(run, name) for name in Origin.model_fields})


def _most_cells_first(run: RunResult) -> tuple[int, str, tuple[str, ...]]:
    return -len(run.cells), _as_origin(run).model_dump_json(), tuple(cell.name for cell in run.cells)


def _worth(cell: CellResult) -> tuple[bool, bool, bool, int]:
    is_asked_for = cell.outcome is not Outcome.NOT_RUN
    return cell.is_whole_fact, not cell.outcome.is_skipped, is_asked_for, cell.run or 0


def _check_overrides(runs: Sequence[RunResult]) -> None:
    different = {_overrides(run): run for run in sorted(runs, key=lambda run: run.started)}
    if len(different) > 1:
        told = ", ".join(f"the run of {run.started:%Y-%m-%d %H:%M:%S} {text}" for text, run in different.items())
        raise MergeError(f"{told}: their cells are not the same. Merge runs with the same overrides only")


def _overrides(run: RunResult) -> str:
    given = " ".join(f"{name}={value}" for name, value in sorted(run.overrides.items()))
    return f"had {given}" if given else "had no overrides"
