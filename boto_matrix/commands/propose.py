"""`python -m boto_matrix propose FILE…`: what has changed in files as a pull request on GitHub."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from boto_matrix.ci.proposal import Proposal, changed_files, propose, start_workflow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="what may have changed, from the project's folder")
    parser.add_argument("--branch", required=True, help="of the pull request; what is on it is replaced")
    parser.add_argument("--base", default="main", help="into which it is to be merged (default: %(default)s)")
    parser.add_argument("--title", required=True, help="of the pull request and of its commit")
    parser.add_argument("--said", type=_file, metavar="FILE", help="what `update` said: the text of the pull request")
    parser.add_argument(
        "--run",
        metavar="WORKFLOW",
        help="a workflow to start on the branch: GitHub starts none by itself for what a workflow has proposed",
    )


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{text} is no file; expected what `update` printed")
    return path


def main(arguments: argparse.Namespace, _: Sequence[str]) -> int:
    """Open the pull request, or bring it up to date; where nothing has changed there is nothing to do.

    Raises:
        GhError: gh or git is missing, or could not do it.

    """
    changed = changed_files(arguments.files)
    if not changed:
        print(f"nothing has changed in {', '.join(arguments.files)}")
        return 0
    said = arguments.said.read_text(encoding="utf-8", errors="replace") if arguments.said else ""
    print(propose(changed, Proposal(arguments.branch, arguments.base, arguments.title, said)))
    if arguments.run:
        start_workflow(arguments.run, arguments.branch)
    return 0
