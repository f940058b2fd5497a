"""`python -m boto_matrix issue RESULTS`: one issue on GitHub while the nightly matrix is red, closed when green."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from boto_matrix.ci.issue import NightlyIssue, close, open_or_update
from boto_matrix.matrix.load import project_matrix
from boto_matrix.report.model import Report
from boto_matrix.report.read import read_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "results", type=Path, metavar="RESULTS", help="of the night; if there are none, that is what the issue is about"
    )
    parser.add_argument("--since", type=Path, metavar="RESULTS", help="results to compare with, if they are there")
    parser.add_argument("--bisect", type=Path, metavar="FILE", help="what `bisect-failure` printed, if it is there")
    parser.add_argument("--link", default="", metavar="URL", help="where the run can be looked at")
    parser.add_argument("--print", action="store_true", help="show the issue, and touch nothing on GitHub")


def main(arguments: argparse.Namespace, _: Sequence[str]) -> int:
    """Open the issue, bring it up to date, or close it.

    Returns:
        0, whether the night is red or green.

    Raises:
        MatrixError: matrix.yaml is wrong.
        ResultsError: a file is there and is not the results of a run.
        GhError: gh is missing, or could not do it.

    """
    asked = tuple(cell.name for cell in project_matrix().cells)
    issue = NightlyIssue(
        _report(arguments.results, arguments.since, asked),
        asked,
        bisect=_text(arguments.bisect),
        link=arguments.link,
    )
    if arguments.print:
        print(f"{issue.title}\n\n{issue.body}")
    else:
        print(close(issue) if issue.is_green else open_or_update(issue))
    return 0


def _report(results: Path, since: Path | None, asked: tuple[str, ...]) -> Report | None:
    if not results.exists():
        return None
    return replace(read_report([results], since), asked=asked)


def _text(path: Path | None) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path is not None and path.is_file() else ""
