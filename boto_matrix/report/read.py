"""Which results a report is about, and which it compares them with."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from boto_matrix import PROJECT
from boto_matrix.matrix.cells import MatrixError
from boto_matrix.matrix.load import project_matrix
from boto_matrix.report.model import Report
from boto_matrix.results.covered import settled
from boto_matrix.results.files import ResultsError, newest_first, read_results
from boto_matrix.results.merge import merge
from boto_matrix.results.model import Outcome, RunResult

RESULTS = PROJECT / "results"


def read_report(paths: Sequence[Path], since: Path | None) -> Report:
    """Read what a report is about.

    Args:
        paths: the results to report, several as one; none for what is known in results/: of each cell of the matrix the
            newest fact, the newest run compared with what was known before it.
        since: what to compare with, if it is there; that it is not is said.

    Raises:
        ResultsError: a file that is named is not the results of a run, or there is none.
        MergeError: several are named that do not go together.

    """
    before = _if_there(since)
    if paths:
        runs = [read_results(path) for path in paths]
        run = runs[0] if len(runs) == 1 else merge(runs, "python -m boto_matrix report")
        return Report(run, before, _asked(run))
    newest, earlier = _known()
    run = _laid_over(earlier, newest)
    return Report(run, before or earlier, _asked(run))


def _if_there(since: Path | None) -> RunResult | None:
    if since is not None and not since.exists():
        print(f"nothing to compare with: {since} is not there", file=sys.stderr)
        return None
    return read_results(since) if since is not None else None


def _asked(run: RunResult) -> tuple[str, ...]:
    """Give the names of the cells that should be in results: those of the matrix, which overrides are none of."""
    return () if run.overrides else _names_of_matrix()


def _known() -> tuple[RunResult, RunResult | None]:
    """Give the newest run, and what was known before it."""
    runs = newest_first(RESULTS)
    newest = next(runs, None)
    if newest is None:
        raise ResultsError(f"{RESULTS}: there are no results yet. Run `make matrix`, or name a file of results")
    alike = (run for run in runs if run.overrides == newest.overrides)
    missing = {*_names_of_matrix(), *(cell.name for cell in newest.cells)}
    earlier: list[RunResult] = []
    for run in alike:
        earlier.append(run)
        missing -= {cell.name for cell in run.cells if cell.outcome is not Outcome.NOT_RUN and not cell.arguments}
        if not missing:
            break
    return newest, _of_matrix(merge(earlier, newest.command)) if earlier else None


def _laid_over(earlier: RunResult | None, newest: RunResult) -> RunResult:
    """Lay the newest run over what was known, if that knows of cells which the run says less of."""
    known = {cell.name for cell in newest.cells if cell.is_whole_fact}
    if earlier is None or all(cell.name in known for cell in earlier.cells):
        return newest
    return merge([newest, earlier], newest.command)


def _names_of_matrix() -> tuple[str, ...]:
    try:
        return tuple(cell.name for cell in project_matrix().cells)
    except MatrixError:
        return ()  # results can be shown whatever state the matrix is in


def _of_matrix(run: RunResult) -> RunResult:
    """Leave out cells that the matrix no longer has, and with them what others left to these."""
    names = {*_names_of_matrix()}
    cells = tuple(cell for cell in run.cells if not names or cell.name in names)
    return settled(run.model_copy(update={"cells": cells}))
