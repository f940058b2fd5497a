"""`python -m boto_matrix`: the harness's commands, each in a module of its own with `add_arguments` and `main`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

COMMANDS = {
    "run": ("boto_matrix.run", "run cells and show a table; what follows -- goes to pytest"),
    "list": ("boto_matrix.list_cells", "show the cells there are"),
    "plan": ("boto_matrix.plan", "deal the cells out to the machines of CI"),
    "surface": ("boto_matrix.surface", "show what the patch stands on in a release, and where it changed"),
    "update": ("boto_matrix.update", "bring matrix.yaml up to date with the package index"),
    "merge": ("boto_matrix.merge", "make one document of the results of several runs"),
    "report": ("boto_matrix.report.command", "show results: as a page, as Markdown, as a badge, or in the terminal"),
    "schema": ("boto_matrix.results_schema", "print the JSON schema of the results of a run"),
    "bisect": ("boto_matrix.bisect_releases", "find the release at which the outcome of a cell changed"),
    "bisect-failure": ("boto_matrix.bisect_failure", "find the release that made a run fail"),
    "issue": ("boto_matrix.issue", "open, update or close GitHub's issue about the nightly matrix"),
    "propose": ("boto_matrix.propose", "propose changed files as a pull request on GitHub"),
}


def main(argv: Sequence[str]) -> int:
    """Run the command that is named; returns its exit code, or 2 if what it was given cannot be."""
    ours, pytest_arguments = _split(argv)
    arguments = parse(ours)
    chosen = importlib.import_module(COMMANDS[arguments.command][0])
    try:
        exit_code = int(chosen.main(arguments, pytest_arguments))
        sys.stdout.flush()
        return exit_code
    except KeyboardInterrupt:
        return 130  # 128 + SIGINT, as a shell has it
    except BrokenPipeError:  # of `| head`: whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it closes it
        return 141  # 128 + SIGPIPE
    except _mistakes() as mistake:
        print(f"boto_matrix: {mistake}", file=sys.stderr)
        return 2


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read a command and its arguments; only the module of that command is imported.

    Raises:
        SystemExit: they are wrong, and that has been said; or help was asked for.

    """
    parser = argparse.ArgumentParser(prog="python -m boto_matrix", description=__doc__)
    parsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, text) in COMMANDS.items():
        command = parsers.add_parser(name, help=text)
        if name in argv[:1]:
            importlib.import_module(module).add_arguments(command)
    return parser.parse_args(argv)


def _split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    at = argv.index("--") if "--" in argv else len(argv)
    return list(argv[:at]), list(argv[at + 1 :])


def _mistakes() -> tuple[type[Exception], ...]:
    """What is the user's to mend: it is said in a line, without a traceback."""
    from boto_matrix.gh import GhError
    from boto_matrix.index_errors import IndexUnavailable, NoSuchRelease
    from boto_matrix.merging import MergeError
    from boto_matrix.model import MatrixError
    from boto_matrix.requested import RequestError
    from boto_matrix.results import ResultsError
    from boto_matrix.surface_errors import SurfaceError
    from boto_matrix.trial import TrialError

    ours = (MatrixError, MergeError, RequestError, ResultsError, SurfaceError, TrialError, GhError)
    return (*ours, IndexUnavailable, NoSuchRelease)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
