"""`python -m boto_matrix list`: the cells there are, for people and, as JSON, for CI."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from boto_matrix.matrix.load import project_matrix


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a list of objects: name, python, boto3, botocore")
    form.add_argument("--pythons", action="store_true", help="the Pythons of the matrix only, in a line")


def main(arguments: argparse.Namespace, _: Sequence[str]) -> int:
    """Print the cells.

    Raises:
        MatrixError: matrix.yaml is wrong.

    """
    cells = project_matrix().cells
    if arguments.pythons:
        print(*project_matrix().pythons)
    elif arguments.json:
        rows = [
            {"name": cell.name, "python": cell.python, "boto3": cell.pin.boto3, "botocore": cell.pin.botocore}
            for cell in cells
        ]
        print(json.dumps(rows))
    else:
        width = max(len(cell.name) for cell in cells)
        for cell in cells:
            print(f"{cell.name:{width}}  {cell.description}")
    return 0
