"""`python -m boto_matrix can`: whether a boto3 or botocore can be used on a Python, as far as results show it."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from boto_matrix.matrix.load import project_matrix
from boto_matrix.report.read import RESULTS
from boto_matrix.results.files import newest_first, read_results
from boto_matrix.supported.decide import Reply, command, decide, questions, together
from boto_matrix.supported.environment import EXPECTED, Environment, UnclearEnvironment, listed, named
from boto_matrix.supported.knowledge import Answer, Knowledge
from boto_matrix.supported.learn import learn
from boto_matrix.surface.declaration import declaration_of
from boto_matrix.surface.record import read_record

_EXIT_CODES = {Answer.YES: 0, Answer.NO: 1, Answer.UNKNOWN: 3}  # 2 is for mistakes
_STYLES = {Answer.YES: "green", Answer.NO: "bold red", Answer.UNKNOWN: "yellow"}
_STDIN = "-"
_INDENT = " " * 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.description = "Exit code: 0 yes, 1 no, 3 not known, 2 it cannot be asked so."
    parser.add_argument(
        "asked",
        nargs="+",
        metavar="WHAT",
        help="a release (1.43.50), boto3==1.43.50, botocore==1.43.50, a requirements or lock file, "
        "or - for what `pip freeze` prints",
    )
    parser.add_argument("--python", type=_minor, help="such as 3.12 (default: each of the matrix)")
    add_results(parser)


def add_results(parser: argparse.ArgumentParser) -> None:
    """Declare the option that names results."""
    parser.add_argument(
        "--results", nargs="+", type=Path, metavar="RESULTS", help="results of runs (default: all in results/)"
    )


def knowledge(results: Sequence[Path] | None) -> Knowledge:
    """Put together what is known: by results that are named, or by all in results/.

    Raises:
        MatrixError, SurfaceError, ResultsError, MergeError: matrix.yaml, surface.json or results cannot be read.

    """
    runs = map(read_results, results) if results else newest_first(RESULTS)
    return learn(project_matrix(), read_record().of(declaration_of("botocore")).fingerprints(), runs)


def main(arguments: argparse.Namespace, _: Sequence[str]) -> int:
    """Answer.

    Returns:
        0 for yes, 1 for no, 3 where it is not known. For several Pythons what holds for all that the release is for.

    Raises:
        UnclearEnvironment: it cannot be read what is asked about.
        MatrixError, SurfaceError, ResultsError, MergeError: matrix.yaml, surface.json or results cannot be read.

    """
    given = _Given(arguments.asked)
    known = knowledge(arguments.results)
    pythons = [arguments.python] if arguments.python else known.matrix.pythons
    replies = [reply for python in pythons for reply in _replies(given, python, known)]
    _show(replies, known)
    if all(cell.answer is None for cell in known.cells):
        print("There are no results: `make matrix` makes some, --results names those that you have.", file=sys.stderr)
    asked_for = [reply for reply in replies if not reply.is_left_out] or replies
    return _EXIT_CODES[together(reply.answer for reply in asked_for)]


class _Given:
    """What is asked about, read once and understood for each Python."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._source = "stdin" if words == [_STDIN] else words[0]
        self._text = _text(words[0]) if len(words) == 1 else None

    def on(self, python: str) -> Environment:
        return named(self._words) if self._text is None else listed(self._text, python, self._source)


def _text(word: str) -> str | None:
    """Give the text of a file or of stdin; None if it is neither that is named."""
    try:
        if word == _STDIN:
            return sys.stdin.read()
        return Path(word).read_text(encoding="utf-8-sig") if _is_path(word) else None
    except OSError as error:
        raise UnclearEnvironment(f"{word}: cannot be read: {error.strerror}; {EXPECTED}") from None
    except UnicodeDecodeError:
        raise UnclearEnvironment(f"{word}: is no text in UTF-8; {EXPECTED}") from None


def _is_path(word: str) -> bool:
    return re.search(r"[/\\]|\.(txt|lock|toml|in|json)$", word) is not None or Path(word).is_file()


def _replies(given: _Given, python: str, known: Knowledge) -> list[Reply]:
    try:
        return [decide(question, known) for question in questions(given.on(python), python, known)]
    except ValueError as error:
        raise UnclearEnvironment(f"{error}; {EXPECTED}") from None


def _show(replies: Sequence[Reply], known: Knowledge) -> None:
    """Print each answer; one that is the same on several Pythons, once."""
    console = Console(highlight=False, emoji=False, soft_wrap=True)
    same: dict[tuple[str, Answer, str], list[Reply]] = {}
    for reply in replies:
        same.setdefault((_asked(reply), reply.answer, _because(reply)), []).append(reply)
    for (asked, answer, because), of_them in same.items():
        pythons = ", ".join(reply.question.python for reply in of_them)
        console.print(f"[{_STYLES[answer]}]{answer.value:9}[/] {asked} on Python {pythons}")
        console.print(f"{_INDENT}{because}", markup=False)
        for reply in of_them:
            run = command(reply.question, known) if reply.cells or answer is Answer.UNKNOWN else None
            if run is not None:
                console.print(f"{_INDENT}run just that: {run}", markup=False)


def _because(reply: Reply) -> str:
    if reply.alike is None:
        return reply.because
    return f"to the patch, botocore {reply.alike[0]} to {reply.alike[1]} are the same; {reply.because}"


def _asked(reply: Reply) -> str:
    asked = {name: getattr(reply.question, name) for name in ("boto3", "botocore", "urllib3")}
    return ", ".join(f"{name} {version}" for name, version in asked.items() if version is not None)


def _minor(text: str) -> str:
    found = re.fullmatch(r"(3\.\d{1,3})(\.\d+)?", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text} is no Python; expected one such as 3.12")
    return found[1]
