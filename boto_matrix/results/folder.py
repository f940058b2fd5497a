"""The folder that the results of runs are kept in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from boto_matrix.results.model import ResultsError, RunResult, read_results


def newest_first(folder: Path) -> Iterator[RunResult]:
    """Read the results in a folder, one after the other, what was written last first.

    What cannot be read is left out, and said to be: results of a release that knew another format, others' files.
    """
    for path in sorted(folder.glob("*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True):
        try:
            yield read_results(path)
        except ResultsError as error:
            print(f"left out: {error}", file=sys.stderr)
