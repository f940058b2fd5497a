"""`python -m boto_matrix plan`: deal the cells out to the machines of CI."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from boto_matrix.ci.durations import DurationsError, read_durations
from boto_matrix.ci.plan import MOST_SHARDS, as_github, as_json, plan
from boto_matrix.matrix.cells import Cell
from boto_matrix.matrix.load import project_matrix

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
    cells = project_matrix().cells
    selected = _representatives(cells) if arguments.occasion == "pull-request" else cells
    print(_FORMATS[arguments.format](plan(selected, _known(arguments.durations), arguments.shards)))
    return 0


def _representatives(cells: Sequence[Cell]) -> Sequence[Cell]:
    # Here, for a nightly plan needs none of it, and is to be quick.
    from boto_matrix.running.selection import representatives
    from boto_matrix.surface.declaration import declaration_of
    from boto_matrix.surface.record import read_record

    return representatives(cells, read_record().of(declaration_of("botocore")).fingerprints())


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
