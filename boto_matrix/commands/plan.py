"""`python -m boto_matrix plan`: deal the cells out to the machines of CI."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from boto_matrix.ci.durations import DurationsError, read_durations
from boto_matrix.ci.plan import MOST_SHARDS, as_github, as_json, plan
from boto_matrix.matrix.load import project_matrix
from boto_matrix.running.once_per_class import representatives_of
from boto_matrix.running.selection import representatives, surfaces_of_botocore

_SHARDS = 10
_FORMATS = {"github": as_github, "json": as_json}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--shards", type=_number, default=_SHARDS, help="how many at most (default: %(default)s)")
    parser.add_argument(
        "--for",
        dest="occasion",
        choices=("nightly", "pull-request"),
        default="nightly",
        help="all cells, or each surface class of botocore on its oldest and newest Python (default: %(default)s)",
    )
    parser.add_argument("--format", choices=_FORMATS, default="json", help="for whom (default: %(default)s)")
    parser.add_argument(
        "--durations",
        type=Path,
        metavar="RESULTS",
        help="results of an earlier run, which say how long cells take; "
        "if there are none, or they cannot be read, all cells count the same",
    )


def main(arguments: argparse.Namespace, _: Sequence[str]) -> int:
    """Print the plan.

    Raises:
        MatrixError: matrix.yaml is wrong.
        SurfaceError: surface.json is damaged, or it cannot be read what is stood on.

    """
    matrix = project_matrix()
    is_nightly = arguments.occasion == "nightly"
    cells = matrix.cells if is_nightly else representatives(matrix.cells, surfaces_of_botocore())
    known = _known(arguments.durations)
    print(_FORMATS[arguments.format](plan(cells, known, arguments.shards, representatives_of(matrix))))
    return 0


def _known(path: Path | None) -> dict[str, float]:
    """Read the durations; what is only there to be quicker is no reason to stop a night."""
    if path is None:
        return {}
    try:
        return read_durations(path)
    except DurationsError as error:
        print(f"no durations, so all cells count the same: {error}", file=sys.stderr)
        return {}


def _number(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= MOST_SHARDS:
        expected = f"expected 1 to {MOST_SHARDS}, the most jobs that GitHub makes of a matrix"
        raise argparse.ArgumentTypeError(f"{text}; {expected}")
    return number
