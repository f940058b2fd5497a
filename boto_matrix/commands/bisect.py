"""`python -m boto_matrix bisect`: the first release at which a cell ends otherwise, found by running cells."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from packaging.version import InvalidVersion, Version

from boto_matrix.bisect.find_release import PACKAGES, Question, find_release


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--good", required=True, type=_release, metavar="VERSION", help="a release that passes")
    parser.add_argument("--bad", required=True, type=_release, metavar="VERSION", help="one that fails, newer or older")
    parser.add_argument("--package", choices=PACKAGES, default="boto3", help="whose releases (default: %(default)s)")
    parser.add_argument("--set", dest="of_set", metavar="SET", help="redirects_patched, say; all sets if none is named")
    parser.add_argument("--python", metavar="3.12", help="on which Python (default: the newest that can run both ends)")


def main(arguments: argparse.Namespace, pytest_arguments: Sequence[str]) -> int:
    """Find the release; returns and raises what `find_release` does."""
    question = Question(arguments.good, arguments.bad, arguments.package, arguments.python, arguments.of_set)
    return find_release(question, pytest_arguments)


def _release(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        raise argparse.ArgumentTypeError(f"{text} is no release; expected one such as 1.44.5") from None
