"""Which tests run which lines of the package, so that a mutant meets only those that may notice it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from tests.mutants.lists import Settings
from tests.mutants.mutant import Mutant

OPTIONS = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist", "-p", "tests.mutants.plugin")
_CACHE = "results/mutants-covering.json"
_COVERAGE = """
[run]
source = {package}
data_file = {data}
core = ctrace
context = ${{MUTANTS_TEST-}}
patch = _exit, fork, subprocess
"""


class FailingTestsError(Exception):
    """Tests fail without any mutant, so that nothing can be proved; the message is what pytest said."""


class Covering:
    """The tests of each line.

    Args:
        settings: of the project.
        known: names of tests by line by file; "" is the name of what runs outside of any test, at import above all.
    """

    def __init__(self, settings: Settings, known: dict[str, dict[str, list[str]]]) -> None:
        self._root = settings.root
        self._tests = settings.tests
        self._known = known
        self._all = {test for lines in known.values() for tests in lines.values() for test in tests} - {""}

    def batches(self, mutant: Mutant) -> tuple[list[str], list[str]]:
        """The tests for a mutant: those of the first directory, which are quick, and the others.

        What runs at import makes what others use: all tests that run any line of the file, and if those are none all.
        """
        lines = self._known.get(mutant.file, {})
        tests = {test for line in mutant.lines for test in lines.get(str(line), ())}
        if "" in tests or not tests:
            tests = {test for names in lines.values() for test in names}
        tests = tests - {""} or self._all
        named = f"{self._tests[0]}/test_{Path(mutant.file).stem}.py"
        quick = {test for test in tests if test.startswith(f"{self._tests[0]}/") and not test.startswith(named)}
        first = [test for test in [named] if (self._root / named).exists()]
        return first + sorted(quick), sorted(test for test in tests - quick if not test.startswith(named))


def covering(settings: Settings) -> Covering:
    """Measure, unless that was done since anything has changed.

    Raises:
        FailingTestsError: a test fails.
    """
    cache, digest = settings.root / _CACHE, _digest(settings)
    kept = json.loads(cache.read_text(encoding="utf-8")) if cache.exists() else {}
    if kept.get("digest") != digest:
        kept = {"digest": digest, "known": _measured(settings)}
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_text(json.dumps(kept), encoding="utf-8")
    return Covering(settings, kept["known"])


def _digest(settings: Settings) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for place in (settings.package, *settings.tests):
        for path in sorted((settings.root / place).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _measured(settings: Settings) -> dict[str, dict[str, list[str]]]:
    from coverage import CoverageData

    with tempfile.TemporaryDirectory(prefix="mutants-") as directory:
        options, data = Path(directory) / "coveragerc", Path(directory) / "data"
        options.write_text(_COVERAGE.format(package=settings.package, data=data), encoding="utf-8")
        run = [sys.executable, "-m", "coverage"]
        rc = f"--rcfile={options}"
        environment = {**os.environ, "PYTHONPATH": str(settings.root)}
        tests = subprocess.run(
            [*run, "run", rc, "-m", "pytest", *OPTIONS, *settings.tests],
            cwd=settings.root,
            env=environment,
            capture_output=True,
            text=True,
        )
        if tests.returncode != 0:
            raise FailingTestsError(
                f"With no mutant at all, each test must pass.\n{tests.stdout[-4000:]}{tests.stderr}"
            )
        subprocess.run([*run, "combine", "-q", rc], cwd=settings.root, check=True)
        measured = CoverageData(str(data))
        measured.read()
        known: dict[str, dict[str, list[str]]] = defaultdict(dict)
        for path in measured.measured_files():
            file = Path(path).relative_to(settings.root / settings.package).as_posix()
            for line, tests_of_line in measured.contexts_by_lineno(path).items():
                known[file][str(line)] = sorted({test.rpartition("|")[2] for test in tests_of_line})
        return known
