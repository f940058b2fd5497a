"""A pytest plugin: a cell checks that it is the one it is named for, and writes down what happened in it.

Environment variables, set by the matrix, ask for it; without them this does nothing:

- ``CELL_BOTO3``, ``CELL_BOTOCORE``: the version (or specifier) that must be installed. If another one is, nothing
  is run and pytest ends with exit code 3.
- ``CELL_RESULTS``: the path of the JSON to write, after each file and at the end. Version 1 of its form::

    {"format": 1, "python": "3.11.7", "executable": "/…/python", "packages": {"boto3": "1.26.24", …},
     "sets": {"redirects_patched": {
        "outcome": "passed" | "failed" | "crashed" | "skipped" | "not run", "seconds": 1.2, "cpu_seconds": 0.9,
        "tests": [{"name": "test_get[307]", "outcome": "passed" | "failed" | "skipped" | "crashed" | "not run",
                   "seconds": 0.01, "detail": null | "the traceback"}]}}}

  A file that ran in the main process has no ``cpu_seconds`` (null); its ``seconds`` are the sum of its tests'.
- ``CELL_LEAVES_OUT``: the names of sets whose files are not even looked at: another cell runs them.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

_WRONG_VERSION = 3  # pytest's exit code when the cell is not the one it is named for

# A set is as bad as the worst of its tests.
_WORST_FIRST = ("crashed", "failed", "not run", "passed", "skipped")


@dataclass
class TestRecord:
    """One test of a set."""

    name: str
    outcome: str = "not run"
    seconds: float = 0.0
    detail: str | None = None


@dataclass
class SetRecord:
    """One test file."""

    tests: dict[str, TestRecord] = field(default_factory=dict)
    seconds: float | None = None
    cpu_seconds: float | None = None
    crashed: bool = False

    def as_json(self) -> dict[str, Any]:
        """The set as the JSON has it."""
        outcomes = {test.outcome for test in self.tests.values()} or {"not run"}
        worst = next(outcome for outcome in _WORST_FIRST if outcome in outcomes)
        summed = sum(test.seconds for test in self.tests.values())
        return {
            "outcome": "crashed" if self.crashed else worst,
            "seconds": round(summed if self.seconds is None else self.seconds, 3),
            "cpu_seconds": None if self.cpu_seconds is None else round(self.cpu_seconds, 3),
            "tests": [asdict(test) for test in self.tests.values()],
        }


class CellReport:
    """The plugin that writes ``CELL_RESULTS``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sets: dict[str, SetRecord] = {}
        self.facts = {
            "format": 1,
            "python": platform.python_version(),
            "executable": sys.executable,
            "packages": _installed(),
        }
        self._write()  # whatever an earlier run has left here is not of this one

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Expect each selected test: what is not heard of again was not run."""
        for item in session.items:
            self._test(item.nodeid)
        self._write()

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """A set is listed even if no test of it was selected."""
        for item in items:
            self._set(item.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be imported is a set that failed."""
        if report.failed:
            self._set(report.nodeid).tests["collection"] = TestRecord(
                "collection", "failed", detail=report.longreprtext
            )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a test's outcome from the reports of its phases."""
        test = self._test(report.nodeid)
        test.seconds = round(test.seconds + report.duration, 4)
        if report.failed:
            test.outcome = "crashed" if getattr(report, "crashed", False) else "failed"
            test.detail = "\n".join(filter(None, (test.detail, report.longreprtext)))
        elif report.skipped:
            test.outcome, test.detail = "skipped", report.longreprtext or None
        elif test.outcome == "not run" and report.when == "call":
            test.outcome = "passed"

    def pytest_process_finished(self, path: Path, seconds: float, cpu_seconds: float, death: str | None) -> None:
        """Note what the process of a file took."""
        record = self.sets.setdefault(_set_name(path.name), SetRecord())
        record.seconds, record.cpu_seconds, record.crashed = seconds, cpu_seconds, death is not None
        self._write()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Write all that is known, however the run ended."""
        self._write()

    def _set(self, nodeid: str) -> SetRecord:
        return self.sets.setdefault(_set_name(nodeid.split("::")[0]), SetRecord())

    def _test(self, nodeid: str) -> TestRecord:
        before, bracket, parameters = nodeid.partition("[")
        name = before.rsplit("::", 1)[-1] + bracket + parameters
        return self._set(nodeid).tests.setdefault(nodeid, TestRecord(name))

    def _write(self) -> None:
        """Replace the file in one step: whoever reads it finds it whole."""
        sets = {name: record.as_json() for name, record in sorted(self.sets.items())}
        unfinished = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        text = json.dumps({**self.facts, "sets": sets}, indent=1, ensure_ascii=False)
        # What a test printed may hold half a character, which no JSON may.
        unfinished.write_bytes(text.encode("utf-8", "replace"))
        unfinished.replace(self.path)


def pytest_configure(config: pytest.Config) -> None:
    """Begin, in the process that reports (a worker of pytest-xdist does not)."""
    if os.environ.get("CELL_RESULTS") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(CellReport(Path(os.environ["CELL_RESULTS"])), "cell_report")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let one set be chosen."""
    parser.addoption("--only-set", metavar="NAME", help="run this set alone: redirects_patched, say")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the files of sets that another cell runs, or that are not chosen."""
    if not collection_path.name.startswith("test_"):
        return None
    name, only = _set_name(collection_path.name), config.getoption("--only-set")
    _seen.add(name)
    is_left = name in os.environ.get("CELL_LEAVES_OUT", "").split() or only not in (None, name)
    return True if is_left else None  # None leaves it to others


_seen: set[str] = set()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to choose a set that there is not."""
    only = session.config.getoption("--only-set")
    if only not in (None, *_seen):
        raise pytest.UsageError(f"--only-set {only}: there is no such set; there are {', '.join(sorted(_seen))}")


def pytest_sessionstart() -> None:
    """Refuse to run in an environment that is not the cell's."""
    for package, variable in (("boto3", "CELL_BOTO3"), ("botocore", "CELL_BOTOCORE")):
        if os.environ.get(variable):
            _check_version(package, os.environ[variable], variable)


def _check_version(package: str, expected: str, variable: str) -> None:
    """End the run if the installed package is not what the cell is named or overridden for."""
    try:
        found = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        pytest.exit(f"{variable} asks for {package} {expected}, and {package} is not installed.", _WRONG_VERSION)
    try:
        right = _is_version(found, expected)
    except InvalidSpecifier:
        pytest.exit(f"{variable}={expected!r} is neither a version nor a specifier.", _WRONG_VERSION)
    if not right:
        pytest.exit(
            f"This cell is for {package} {expected} ({variable}), and {package} {found} is installed in {sys.prefix}: "
            "make its environment anew.",
            _WRONG_VERSION,
        )


def _is_version(found: str, expected: str) -> bool:
    """Whether a version is the expected one (an exact version) or among the expected ones (a specifier)."""
    try:
        return Version(found) == Version(expected)
    except InvalidVersion:
        return SpecifierSet(expected).contains(found, prereleases=True)


def _installed() -> dict[str, str]:
    """The version of each installed distribution, by name."""
    found = ((d.metadata["Name"], d.version) for d in importlib.metadata.distributions())
    return dict(sorted((name.lower(), version) for name, version in found if name))


def _set_name(file: str) -> str:
    """The name of the set in a test file: ``test_botocore_redirects_patched.py`` → ``redirects_patched``."""
    name = Path(file).stem
    for prefix in ("test_", "botocore_"):
        name = name[len(prefix) :] if name.startswith(prefix) else name
    return name
