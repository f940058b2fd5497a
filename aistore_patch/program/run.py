"""`python -m aistore_patch run`: another program with botocore patched, and all Pythons that it starts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn, Sequence

STARTUP = Path(__file__).parent / "startup"
"""The directory that a patched Python has on PYTHONPATH: it holds a `sitecustomize` that activates the hook."""

CANNOT_RUN = 126
NOT_FOUND = 127
"""The exit codes of a shell for a program that it cannot run, and that it cannot find (POSIX, XCU 2.8.2)."""


_DECISIVE = re.compile("-[A-Za-z?]*?([EISWXcm])(.*)")
"""The first letter of an option of Python that hides the environment, has a value, or ends the options."""


class CannotRun(Exception):
    """The program cannot be run patched; `code` is the exit code for it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def run(words: Sequence[str]) -> NoReturn:
    """Become a program, patched. Where the system allows it, the program takes the place of this process.

    Args:
        words: `-m` and a module, a Python script, or a command, and its arguments.

    Raises:
        CannotRun: there is no such program, or it would run unpatched.
    """
    command = command_for(words)
    options = ignoring_environment(command)
    if options is not None:
        other_way = "" if "S" in options else ", or patch its whole environment: python -m aistore_patch install"
        raise CannotRun(
            CANNOT_RUN,
            f"{words[0]} starts Python with {options}, which passes over what patches it, so it would run unpatched. "
            f"Leave the option out{other_way}",
        )
    environment = {**os.environ, "PYTHONPATH": _python_path()}
    sys.stdout.flush()
    if os.name == "nt":  # pragma: no cover - there `exec` returns to the caller's shell before the program ends
        raise SystemExit(subprocess.call(command, env=environment))  # noqa: S603 - the user's own command
    try:
        os.execve(command[0], command, environment)  # noqa: S606 - as above
    except OSError as error:
        raise CannotRun(CANNOT_RUN, f"{command[0]} cannot be run: {error.strerror}") from None


def command_for(words: Sequence[str]) -> list[str]:
    """The command line that words mean; its first word is the path of a file.

    A module and a script run in this Python. A command is looked for beside this Python first, as in an environment
    that is activated, then on PATH.

    Raises:
        CannotRun: there is no such program.
    """
    program, *arguments = words
    if program == "-m" or (program.endswith(".py") and os.path.exists(program)):
        return [sys.executable, program, *arguments]
    if os.path.dirname(program):
        found = program if os.path.exists(program) else None
    else:
        beside = os.path.dirname(sys.executable)
        found = shutil.which(program, path=os.pathsep.join((beside, os.environ.get("PATH", os.defpath))))
    if found is None:
        raise CannotRun(
            NOT_FOUND,
            f"there is no program {program!r} beside {sys.executable} or on PATH. To run a module, write -m {program}",
        )
    return [found, *arguments]


def ignoring_environment(command: Sequence[str]) -> str | None:
    """The option with which a command, or the first line of its script, has Python ignore PYTHONPATH; None if none."""
    words = list(command)
    if not _is_python(words[0]):
        words = _first_line(words[0])
    while words and not _is_python(words[0]):
        del words[0]  # `env` and its options
    del words[:1]
    while words and words[0].startswith("-"):
        option = words.pop(0)
        decisive = _DECISIVE.match(option)
        if decisive is None:
            continue
        if decisive[1] in "EIS":
            return option
        if decisive[1] in "cm":
            return None
        del words[: not decisive[2]]
    return None


def _is_python(path: str) -> bool:
    return os.path.basename(path).startswith(("python", "pypy"))


def _first_line(path: str) -> list[str]:
    """The words of the first line of a script, none where it is not one."""
    try:
        with open(path, "rb") as file:
            line = file.readline(4096)
    except OSError:
        return []
    return line[2:].decode("utf-8", "replace").split() if line.startswith(b"#!") else []


def _python_path() -> str:
    given = os.environ.get("PYTHONPATH")
    others = given.split(os.pathsep) if given else []
    return os.pathsep.join([str(STARTUP), *(path for path in others if path != str(STARTUP))])
