"""A copy of the project in which one mutant after another is tried."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

from tests.mutants.mutant import Mutant
from tests.mutants.settings import Settings

_NOT_COPIED = shutil.ignore_patterns("__pycache__", ".hypothesis")
_OPTIONS = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist", "--basetemp=.tmp")
_IMPORT_SECONDS = 60.0
_LINES_OF_OUTPUT = 25


class BrokenError(Exception):
    """The tests could not be run at all; the message says what pytest said."""


class Worker:
    """The process `worker.py` in a lane, and the connection to it."""

    def __init__(self, directory: Path, settings: Settings, when: str) -> None:
        self._output = directory / f"output-{when}"
        self._connection, theirs = Pipe()
        program = Path(__file__).with_name("worker.py")
        command = [sys.executable, "-P", str(program), str(theirs.fileno()), when]  # -P: its neighbours are no modules
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [*command, *_OPTIONS, *settings.tests],
                cwd=directory,
                env=_environment(directory, settings),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        theirs.close()

    def tell(self, message: object) -> None:
        """Send a message."""
        with contextlib.suppress(BrokenPipeError):
            self._connection.send(message)

    def hear(self, seconds: float | None = None) -> dict[str, Any]:
        """Wait for an answer.

        Raises:
            BrokenError: there are no tests to be run in there.
            TimeoutError: it takes more seconds than that.
        """
        if not self._connection.poll(seconds):
            raise TimeoutError
        try:
            answer: dict[str, Any] = self._connection.recv()
        except (EOFError, ConnectionResetError):
            answer = {"broken": "the process died"}
        if "broken" in answer:
            raise BrokenError(f"{answer['broken']}\n{self._last_said()}")
        return answer

    def end(self) -> None:
        """End it, and all that it has started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait()
        self._connection.close()

    def _last_said(self) -> str:
        return "\n".join(self._output.read_text(encoding="utf-8", errors="replace").splitlines()[-_LINES_OF_OUTPUT:])


class Lane:
    """A copy of the project, with a worker that has imported it and one that imports it for each mutant."""

    def __init__(self, directory: Path, settings: Settings) -> None:
        self.directory = directory
        self.package = directory / settings.package
        self._settings = settings
        self._versions = 0
        for name in {settings.package, "pyproject.toml", *settings.beside, *settings.tests}:
            _copy(settings.root / name, directory / name)
        self._now = Worker(directory, settings, "now")
        self._later: Worker | None = None
        self._hello: dict[str, Any] = {}

    def start(self) -> dict[str, Any]:
        """Wait until the project is imported; return the names of the tests, and which lines that has run.

        Raises:
            BrokenError: it cannot be.
        """
        if not self._hello:
            self._hello = self._now.hear()
        return self._hello

    def end(self) -> None:
        """End all processes."""
        for worker in (self._now, self._later):
            if worker is not None:
                worker.end()

    def text(self, file: str) -> str:
        """Return the text of a module, without a mutant."""
        return (self._settings.root / self._settings.package / file).read_text(encoding="utf-8")

    @contextlib.contextmanager
    def open(self, mutant: Mutant | None, imports: bool) -> Iterator[Trial]:
        """Put a mutant into the copy for the length of a `with` block.

        Args:
            mutant: None for none.
            imports: whether the project must be imported with the mutant in it.

        Raises:
            BrokenError: it was imported, and then there were no tests to be run.
            TimeoutError: importing it does not end.
        """
        swap = None
        if mutant is not None:
            path, sound = self.package / mutant.file, self.text(mutant.file)
            mutated = mutant.edit.applied(sound)
            self._write(path, mutated)
            swap = (str(path), sound, mutated)
        try:
            with self._imported() if imports else contextlib.nullcontext(self._now) as worker:
                yield Trial(worker, None if imports else swap)
        finally:
            if mutant is not None:
                self._write(path, sound)

    @contextlib.contextmanager
    def _imported(self) -> Iterator[Worker]:
        """A worker that imports the project now."""
        if self._later is None:
            self._later = Worker(self.directory, self._settings, "later")
            self._later.tell(self._hello["modules"])
        worker = self._later
        worker.tell("begin")
        try:
            worker.hear(_IMPORT_SECONDS)
        except TimeoutError:
            worker.end()
            self._later = None
            raise
        yield worker
        worker.tell(None)

    def _write(self, path: Path, text: str) -> None:
        """Write a module, with a time of its own: Python takes bytecode for valid by time and size."""
        self._versions += 1
        path.write_text(text, encoding="utf-8")
        os.utime(path, (self._versions, self._versions))


class Trial:
    """The running of tests on one mutant."""

    def __init__(self, worker: Worker, swap: tuple[str, str, str] | None) -> None:
        self._worker = worker
        self._swap = swap

    def run(
        self, tests: Sequence[str], limits: Sequence[float], *, goes_on: bool = False, measures: bool = False
    ) -> dict[str, Any]:
        """Run tests of one file; see `Session._run` of the worker."""
        batch = {"tests": list(tests), "limits": list(limits), "goes_on": goes_on, "measures": measures}
        self._worker.tell({**batch, "swap": self._swap})
        return self._worker.hear()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=_NOT_COPIED, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


def _environment(directory: Path, settings: Settings) -> dict[str, str]:
    """The environment of a trial: nothing that leads Python or pytest to other code or options."""
    leads_astray = ("PYTHON", "PYTEST", "CELL_", "COV", "HYPOTHESIS_", "AWS_", "BOTO_", "MOTO_", "AISTORE_")
    ours = {
        "PYTHONHASHSEED": "0",
        "MUTANTS_PACKAGE": str(directory / settings.package),
        "MUTANTS_EXAMPLES": str(settings.examples),
    }
    return {name: value for name, value in os.environ.items() if not name.startswith(leads_astray)} | ours
