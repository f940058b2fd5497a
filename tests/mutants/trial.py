"""Running a suite of tests on a copy of the project that has a mutant in it."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from types import TracebackType
from xml.etree import ElementTree

from tests.mutants.mutant import Mutant

_NOT_COPIED = shutil.ignore_patterns("__pycache__", "mutants")
_LINES_OF_OUTPUT = 25
_MOST_RUNS = 3


@dataclass(frozen=True)
class Project:
    """What is copied for a trial: the package that gets the mutants, and what its tests need beside it."""

    root: Path
    package: str
    beside: tuple[str, ...]


@dataclass(frozen=True)
class Suite:
    """The tests that must catch these mutants, in the order in which they are run."""

    name: str
    paths: tuple[str, ...]
    mutants: tuple[Mutant, ...]
    repeats: bool = False
    """Whether a failure counts only if it comes again: tests on real sockets may fail by chance, and prove nothing."""


class Outcome(Enum):
    """What became of a mutant."""

    CAUGHT = "caught"
    SURVIVED = "survived"
    TIMED_OUT = "timed out"
    NO_TRIAL = "no trial"  # the run says nothing about the tests: see the detail

    @property
    def is_caught(self) -> bool:
        """Whether the tests have noticed."""
        return self in (Outcome.CAUGHT, Outcome.TIMED_OUT)


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant, by which test (pytest's name of it), and the first line of what the test said."""

    outcome: Outcome
    seconds: float
    test: str = ""
    detail: str = ""


class Workshop:
    """Copies of a project, one for each trial that runs at the same time; a context manager.

    A copy has the tests for good, with their bytecode, and the package anew for each trial, without any: two mutants
    of one size, written in the same second, would look alike to Python. All that is copied is copied now, so that
    whoever goes on writing in the project does not change what is tried.
    """

    def __init__(self, project: Project, python: str, jobs: int) -> None:
        self._project = project
        self._python = python
        self._free: queue.Queue[Path] = queue.Queue()
        self._jobs = jobs
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def __enter__(self) -> Workshop:
        self._directory = Path(tempfile.mkdtemp(prefix="mutants-"))
        self._sound = self._directory / "sound"
        shutil.copytree(self._project.root / self._project.package, self._sound, ignore=_NOT_COPIED)
        for number in range(self._jobs):
            lane = self._directory / str(number)
            lane.mkdir()
            for name in self._project.beside:
                source = self._project.root / name
                if source.is_dir():
                    shutil.copytree(source, lane / name, ignore=_NOT_COPIED)
                else:
                    shutil.copy2(source, lane / name)
            self._free.put(lane)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def close(self) -> None:
        """End the trials that run, and start no other."""
        with self._lock:
            self._is_closed = True
            for process in self._running:
                _kill(process)

    def run(self, suite: Suite, mutant: Mutant | None, limit: float | None = None) -> Verdict:
        """Run a suite, up to its first failure, on the package with a mutant in it.

        Where the suite `repeats`, a failure counts if the same test fails again, alone or in another run of the suite.

        Args:
            suite: the tests.
            mutant: None for the package as it is.
            limit: seconds after which the run is ended, if any.

        Raises:
            DoesNotApplyError: the mutant is not one of this source.
        """
        lane = self._free.get()
        try:
            failed: set[str] = set()
            for _ in range(_MOST_RUNS):
                verdict = self._run_in(lane, suite.paths, mutant, limit)
                if verdict.outcome is not Outcome.CAUGHT or not suite.repeats or verdict.test in failed:
                    return verdict
                if self._run_in(lane, (verdict.test,), mutant, limit).outcome is Outcome.CAUGHT:
                    return verdict
                failed.add(verdict.test)
            return replace(verdict, outcome=Outcome.NO_TRIAL, detail=f"each run failed elsewhere: {sorted(failed)}")
        finally:
            self._free.put(lane)

    def _run_in(self, lane: Path, paths: tuple[str, ...], mutant: Mutant | None, limit: float | None) -> Verdict:
        evidence, report, output = lane / "evidence", lane / "report.xml", lane / "output"
        for left_over in (evidence, report):
            left_over.unlink(missing_ok=True)
        shutil.rmtree(lane / ".hypothesis", ignore_errors=True)
        self._plant(lane / self._project.package, mutant, evidence)
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--hypothesis-seed=0"]
        places = [f"--basetemp={lane / 'tmp'}", f"--junitxml={report}"]
        began = time.monotonic()
        code = self._wait_for([self._python, "-m", "pytest", *options, *places, *paths], lane, output, limit)
        seconds = time.monotonic() - began
        if code is None:
            return Verdict(Outcome.TIMED_OUT, seconds, detail=f"ended after {seconds:.0f} s")
        if not evidence.exists():
            return Verdict(Outcome.NO_TRIAL, seconds, detail="the changed file was never imported\n" + _end_of(output))
        if code == 0:
            return Verdict(Outcome.SURVIVED, seconds)
        failure = _first_failure(report) if code == 1 else None
        if failure is None:
            return Verdict(Outcome.NO_TRIAL, seconds, detail=f"pytest's exit code is {code}\n" + _end_of(output))
        return Verdict(Outcome.CAUGHT, seconds, *failure)

    def _plant(self, package: Path, mutant: Mutant | None, evidence: Path) -> None:
        """Write the package anew; the changed file leaves evidence that it is the one that was imported."""
        shutil.rmtree(package, ignore_errors=True)
        shutil.copytree(self._sound, package)
        changed = package / (mutant.file if mutant else "__init__.py")
        source = mutant.source(self._sound) if mutant else changed.read_text(encoding="utf-8")
        changed.write_text(f"{source}\n\nopen({str(evidence)!r}, 'w').close()\n", encoding="utf-8")

    def _wait_for(self, command: list[str], lane: Path, output: Path, limit: float | None) -> int | None:
        """Run a command to its end and return its exit code, None if it had to be ended."""
        with output.open("wb") as out, self._lock:
            if self._is_closed:
                return None
            process = subprocess.Popen(
                command,
                cwd=lane,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that it can be ended with all its children
            )
            self._running.add(process)
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with self._lock:
                _kill(process)
                self._running.remove(process)


def _environment() -> dict[str, str]:
    """The environment of a trial: nothing that leads Python or pytest to other code or options."""
    leads_astray = ("PYTHON", "PYTEST", "CELL_", "COV_", "HYPOTHESIS_")
    return {name: value for name, value in os.environ.items() if not name.startswith(leads_astray)}


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process that runs, and whatever it has started."""
    if process.poll() is None:  # otherwise its number may be another's by now
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _first_failure(report: Path) -> tuple[str, str] | None:
    """The test that failed first in a report of pytest, and the first line of what it said."""
    try:
        cases = ElementTree.parse(report).iter("testcase")
    except (OSError, ElementTree.ParseError):
        return None
    for case in cases:
        for kind in ("failure", "error"):
            found = case.find(kind)
            if found is not None:
                return _node_id(case), found.get("message", "").partition("\n")[0]
    return None


def _node_id(case: ElementTree.Element) -> str:
    """How pytest calls a test (`tests/test_it.py::TestIt::test`), from what a report says of it."""
    places = case.get("classname", "").split(".")
    file = next((number for number, place in enumerate(places, start=1) if place.startswith("test_")), len(places))
    return "::".join(("/".join(places[:file]) + ".py", *places[file:], case.get("name", "")))


def _end_of(output: Path) -> str:
    return "\n".join(output.read_text(encoding="utf-8", errors="replace").splitlines()[-_LINES_OF_OUTPUT:])
