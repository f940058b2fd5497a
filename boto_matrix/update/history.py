"""Which pairs have been seen to run: read out of the results of earlier runs."""

from __future__ import annotations

from pathlib import Path

from boto_matrix.results.model import Outcome, ResultsError, read_results

PairHistory = dict[tuple[str, str], dict[str, bool]]
"""By boto3 and botocore, by Python: whether the cell passed when all its tests ran last."""


def pairs_that_ran(results: Path) -> PairHistory:
    """Read all results in a folder; a file that holds none is passed over, for others' files may be there."""
    runs = []
    for path in results.glob("*.json"):
        try:
            runs.append(read_results(path))
        except ResultsError:
            continue
    ran: PairHistory = {}
    for run in sorted(runs, key=lambda one: one.started):
        for cell in run.cells:
            if cell.is_whole_fact:
                pair = (cell.requested.get("boto3", ""), cell.requested.get("botocore", ""))
                ran.setdefault(pair, {})[cell.python] = cell.outcome is Outcome.PASSED
    return ran
