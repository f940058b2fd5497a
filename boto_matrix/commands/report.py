"""`python -m boto_matrix report`: show the results of runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from boto_matrix.report.badge import badge
from boto_matrix.report.markdown import markdown
from boto_matrix.report.model import Report
from boto_matrix.report.page import page
from boto_matrix.report.read import RESULTS, read_report
from boto_matrix.report.terminal import show, summary
from boto_matrix.results.files import ResultsError

_TEXTS = {"html": page, "markdown": markdown, "badge": badge}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "results",
        nargs="*",
        type=Path,
        metavar="RESULTS",
        help="results of a run, several as one (default: what is known of each cell in results/)",
    )
    parser.add_argument(
        "--since",
        type=Path,
        metavar="RESULTS",
        help="what to compare with, if it is there (default: what was known before the run)",
    )
    parser.add_argument("--format", choices=(*_TEXTS, "terminal"), default="html", help="default: %(default)s")
    parser.add_argument(
        "-o", "--output", type=Path, help="where it goes, - for the terminal (default: results/report.html; else -)"
    )


def main(arguments: argparse.Namespace, _: Sequence[str]) -> int:
    """Write the report; returns 0, also where cells failed.

    Raises:
        ResultsError: a file is not the results of a run, there is none, or the report cannot be written.
        MergeError: the files that are named are not of one matrix.

    """
    report = read_report(arguments.results, arguments.since)
    if arguments.format == "terminal":
        _show(report)
        return 0
    text = _TEXTS[arguments.format](report)
    output = arguments.output or (RESULTS / "report.html" if arguments.format == "html" else Path("-"))
    if output == Path("-"):
        sys.stdout.write(text)
    else:
        _write(text, output)
        print(f"{output}: {report.headline}")
    return 0


def _show(report: Report) -> None:
    console = Console(highlight=False, emoji=False)
    show(report.run, console)
    console.print(summary(report.run), markup=False)


def _write(text: str, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ResultsError(f"{path}: cannot be written: {error.strerror}") from error
