"""A copy of the project in which one mutant after another is tried."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from enum import Enum
from multiprocessing import Pipe
from pathlib import Path

from tests.mutants.covering import OPTIONS
from tests.mutants.lists import Settings
from tests.mutants.mutant import Mutant

SILENT_SECONDS = 30.0  # each test that ends is told; the slowest takes a few seconds
_NOT_COPIED = shutil.ignore_patterns("__pycache__", ".hypothesis")
_LEADS_ASTRAY = ("PYTHON", "PYTEST", "CELL_", "COV", "HYPOTHESIS_", "AWS_", "BOTO_", "MOTO_", "AISTORE_")


class BrokenError(Exception):
    """The tests cannot be run at all; the message is what pytest said."""


class Outcome(Enum):
    """What became of a mutant."""

    KILLED = "killed"
    HUNG = "hung"
    SURVIVED = "survived"


class Lane:
    """The copy, and a process in it that forks one for each run of the tests.

    Args:
        directory: where to copy it.
        settings: of the project.
    """

    def __init__(self, directory: Path, settings: Settings) -> None:
        self._package = directory / settings.package
        self._sound = settings.root / settings.package
        self._versions = 0
        directory.mkdir()
        for name in {settings.package, "pyproject.toml", *settings.beside}:
            _copy(settings.root / name, directory / name)
        self._connection, theirs = Pipe()
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_LEADS_ASTRAY)}
        program = str(Path(__file__).with_name("worker.py"))
        arguments = (str(theirs.fileno()), str(SILENT_SECONDS), *settings.tests)
        self._process = subprocess.Popen(
            [sys.executable, "-P", program, *arguments],  # -P: its neighbours are no modules
            cwd=directory,
            env={**environment, "PYTHONHASHSEED": "0"},
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()

    def start(self) -> None:
        """Wait until it is ready.

        Raises:
            BrokenError: the tests cannot be collected.
        """
        code, said = self._connection.recv()
        if code != 0:
            raise BrokenError(said[-4000:])

    def end(self) -> None:
        """End all processes."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait()
        self._connection.close()

    def outcome(self, mutant: Mutant, quick: Sequence[str], others: Sequence[str]) -> Outcome:
        """Run the quick tests on a mutant, and if none fails the others."""
        path = self._package / mutant.file
        sound = (self._sound / mutant.file).read_text(encoding="utf-8")
        self._write(path, mutant.edit.applied(sound))
        try:
            outcome = self._of(quick)
            if outcome is Outcome.SURVIVED and self._of(others) is not Outcome.SURVIVED:
                outcome = self._of(others)  # that one fails counts if it does so twice: on sockets it may by chance
            return outcome
        finally:
            self._write(path, sound)

    def _of(self, tests: Sequence[str]) -> Outcome:
        if not tests:
            return Outcome.SURVIVED
        self._connection.send([*OPTIONS, "-x", "--tb=no", *tests])
        code, _said = self._connection.recv()
        return Outcome.HUNG if code is None else Outcome.SURVIVED if code == 0 else Outcome.KILLED

    def _write(self, path: Path, text: str) -> None:
        """Write a module, with a time of its own: Python takes bytecode for valid by time and size."""
        self._versions += 1
        path.write_text(text, encoding="utf-8")
        os.utime(path, (self._versions, self._versions))


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=_NOT_COPIED, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)
