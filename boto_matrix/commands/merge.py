"""`python -m boto_matrix merge OUT IN…`: make one document of the results of several runs."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from boto_matrix.redaction import redacted
from boto_matrix.report.terminal import summary
from boto_matrix.results.files import read_results, write_results
from boto_matrix.results.merge import merge


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("out", type=Path, metavar="OUT", help="where the merged results go; may be one of those read")
    parser.add_argument("runs", nargs="+", type=Path, metavar="IN", help="results/*.json of the runs, in any order")


def main(arguments: argparse.Namespace, _: Sequence[str]) -> int:
    """Merge; returns 0, also where cells failed.

    Raises:
        ResultsError: a file is not the results of a run, or OUT cannot be written.
        MergeError: the runs are not of one matrix.

    """
    runs = [read_results(path) for path in arguments.runs]
    merged = merge(runs, redacted(shlex.join(["python", "-m", "boto_matrix", *sys.argv[1:]])))
    write_results(merged, arguments.out)
    print(f"{arguments.out}: {len(merged.cells)} cells of {len(merged.runs)} runs; {summary(merged)}")
    return 0
