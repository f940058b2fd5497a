"""`python -m boto_matrix bisect-failure RESULTS`: find the release that made a run fail, if it is one that did."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from boto_matrix.bisect.find_release import Question, find_release
from boto_matrix.bisect.suspect import find_suspect
from boto_matrix.report.changes import compare
from boto_matrix.results.files import read_results
from boto_matrix.results.model import RunResult


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("results", type=Path, metavar="RESULTS", help="the results in which cells failed")
    parser.add_argument(
        "--since", type=Path, metavar="RESULTS", help="results of an earlier run, if they are there: what is new since?"
    )


def main(arguments: argparse.Namespace, pytest_arguments: Sequence[str]) -> int:
    """Find it.

    Returns:
        0 if nothing failed, or nothing can be searched; else what `find_release` returns.

    Raises:
        ResultsError: a file is not the results of a run.
        BisectError, IndexUnavailable, NoSuchRelease: as `find_release` does.

    """
    run = read_results(arguments.results)
    if not run.failures:
        print("No cell failed: nothing to search.")
        return 0
    before = _earlier(arguments.since)
    suspect = find_suspect(run, before)
    if suspect is None:
        print("No release of boto3, botocore or moto is known with which a failing cell passes: nothing to search.")
        for one in compare(run, before).new_where_broken if before is not None else ():
            print(f"{one.sentence}.")
        return 0
    print(f"{suspect.because}\n{suspect.command}", flush=True)
    question = Question(suspect.good, suspect.bad, suspect.package, suspect.python)
    return find_release(question, pytest_arguments)


def _earlier(path: Path | None) -> RunResult | None:
    return read_results(path) if path is not None and path.exists() else None
