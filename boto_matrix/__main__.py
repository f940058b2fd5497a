"""`python -m boto_matrix`: the harness's commands, each in a module of its own with `add_arguments` and `main`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from boto_matrix.errors import UserError

COMMANDS = {
    "run": ("boto_matrix.commands.run", "run cells and show a table; what follows -- goes to pytest"),
    "list": ("boto_matrix.commands.list", "show the cells there are"),
    "plan": ("boto_matrix.commands.plan", "deal the cells out to the machines of CI"),
    "surface": ("boto_matrix.commands.surface", "show what the patch stands on in a release, and where it changed"),
    "update": ("boto_matrix.commands.update", "bring matrix.yaml up to date with the package index"),
    "merge": ("boto_matrix.commands.merge", "make one document of the results of several runs"),
    "report": ("boto_matrix.commands.report", "show results: as a page, as Markdown, as a badge, or in the terminal"),
    "schema": ("boto_matrix.commands.schema", "print the JSON schema of the results of a run"),
    "bisect": ("boto_matrix.commands.bisect", "find the release at which the outcome of a cell changed"),
    "bisect-failure": ("boto_matrix.commands.bisect_failure", "find the release that made a run fail"),
    "issue": ("boto_matrix.commands.issue", "open, update or close GitHub's issue about the nightly matrix"),
    "settings": ("boto_matrix.commands.settings", "say which settings of the repository on GitHub the workflows lack"),
    "propose": ("boto_matrix.commands.propose", "propose changed files as a pull request on GitHub"),
}


def main(argv: Sequence[str]) -> int:
    """Run the command that is named; returns its exit code, or 2 if what it was given cannot be."""
    ours, pytest_arguments = _split(argv)
    arguments = parse(ours)
    command = importlib.import_module(COMMANDS[arguments.command][0])
    try:
        exit_code = int(command.main(arguments, pytest_arguments))
        sys.stdout.flush()
        return exit_code
    except KeyboardInterrupt:
        return 130  # 128 + SIGINT, as a shell has it
    except BrokenPipeError:  # of `| head`: whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it closes it
        return 141  # 128 + SIGPIPE
    except UserError as mistake:
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
