"""`python -m boto_matrix supported`: the table of supported versions that README has, made from results."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from boto_matrix.commands.can import add_results, knowledge
from boto_matrix.supported.table import NoPlace, placed, rows, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_results(parser)
    parser.add_argument("--write", type=Path, metavar="FILE", help="put it in its place in a file, such as README.md")
    parser.add_argument("--check", action="store_true", help="with --write: change nothing, and say whether it would")


def main(arguments: argparse.Namespace, _: Sequence[str]) -> int:
    """Print the table, or put it in its place; returns 0, or with --check 1 if the file would change.

    Raises:
        NoPlace: the file cannot be read or written, or has no place for it.
        MatrixError, SurfaceError, ResultsError, MergeError: matrix.yaml, surface.json or results cannot be read.

    """
    made, path = table(rows(knowledge(arguments.results))), arguments.write
    if path is None:
        print(made)
        return 0
    try:
        before = path.read_text(encoding="utf-8")
        after = placed(made, before, str(path))
        if not arguments.check:
            path.write_text(after, encoding="utf-8")
    except OSError as error:
        raise NoPlace(f"{path}: cannot be read and written: {error.strerror}") from error
    if arguments.check and before != after:
        print(f"{path}: its table is not that of the results; `--write {path}` makes it so", file=sys.stderr)
        return 1
    return 0
