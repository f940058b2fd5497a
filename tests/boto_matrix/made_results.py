"""Results as a run writes them, made up: as many cells as wanted, with what goes wrong in them as wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from boto_matrix.results.files import write_results
from boto_matrix.results.model import (
    FOUR_SETS,
    CellResult,
    Machine,
    Outcome,
    PinnedVersions,
    RunResult,
    SetOutcome,
    SetResult,
    TestResult,
    UsedInterpreter,
)

STARTED = datetime(2026, 11, 23, 2, 0, tzinfo=timezone.utc)
PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
TESTS = ("test_object_comes_back_as_it_was_put", "test_head_tells_what_was_put", "test_range_of_an_object")

_PACKAGES = {
    "moto": "5.2.5", "pytest": "9.2.0", "requests": "2.34.2", "responses": "0.26.3", "s3transfer": "0.19.3",
    "six": "1.17.0", "urllib3": "2.8.0",
    "werkzeug": "3.1.9", "xmltodict": "1.0.4",
    "cryptography": "50.0.2", "jmespath": "1.1.0",
}  # fmt: skip

PASSED, FAILED, CRASHED = SetOutcome.PASSED, SetOutcome.FAILED, SetOutcome.CRASHED


def one_set(
    outcome: SetOutcome = PASSED, *, tests: Iterable[str] = TESTS, detail: str | None = "E   AssertionError: it is not"
) -> SetResult:
    bad = outcome in (FAILED, CRASHED)
    results = [TestResult(name=name, outcome=outcome, seconds=0.125, detail=detail if bad else None) for name in tests]
    return SetResult(outcome=outcome, seconds=1.25, cpu_seconds=0.75, tests=tuple(results))


def sets(**outcomes: SetOutcome | SetResult) -> dict[str, SetResult]:
    """The four sets, passed, but for what is said otherwise; and other sets that are named."""
    made: dict[str, SetResult] = {name: one_set() for name in FOUR_SETS}
    made.update({name: one if isinstance(one, SetResult) else one_set(one) for name, one in outcomes.items()})
    return made


def cell(name: str = "py311-boto1.26", *, boto3: str = "1.26.24", **facts: Any) -> CellResult:
    """A cell; it passed, unless said otherwise."""
    python = f"{name[2]}.{name[3:].partition('-')[0]}"
    botocore = facts.pop("botocore", boto3)
    outcome = facts.get("outcome", Outcome.PASSED)
    ran = outcome in (Outcome.PASSED, Outcome.FAILED, Outcome.CRASHED)
    versions = {"boto3": boto3, "botocore": botocore}
    made: dict[str, Any] = {
        "name": name,
        "python": python,
        "pin": PinnedVersions(boto3=boto3, botocore=botocore),
        "outcome": outcome,
        "requested": versions,
        "installed": {**versions, **_PACKAGES} if ran else {},
        "interpreter": UsedInterpreter(version=f"{python}.7", path=f"/there/.tox/{name}/bin/python") if ran else None,
        "sets": sets() if ran else {},
        "install_seconds": 0.75,
        "tests_seconds": 3.5 if ran else None,
        "repeat": f"make matrix CELLS={name}",
        **facts,
    }
    return CellResult(**made)


def failed(name: str, *, boto3: str = "1.26.24", **outcomes: SetOutcome | SetResult) -> CellResult:
    """A cell in which sets failed; `redirects_patched` if none is named."""
    made = sets(**(outcomes or {"redirects_patched": FAILED}))
    return cell(name, boto3=boto3, outcome=Outcome.FAILED, reason="test_one in redirects_patched", sets=made)


def run(*cells: CellResult, **facts: Any) -> RunResult:
    made: dict[str, Any] = {
        "started": STARTED,
        "seconds": 754.5,
        "finished": True,
        "command": "python -m boto_matrix run",
        "machine": Machine(system="Linux", release="6.1.0", architecture="x86_64", cpus=2),
        "tools": {"python": "3.13.0", "tox": "4.67.15", "tox-uv": "1.37.1", "uv": "0.13.9"},
        "cells": cells,
        **facts,
    }
    return RunResult(**made)


def grid(pins: int, change: Callable[[CellResult], CellResult] = lambda one: one) -> RunResult:
    """A run of so many pins on every Python, the newest first; `change` says what became of each cell."""
    found = []
    for number in range(pins, 0, -1):
        for python in PYTHONS:
            name = f"py{python.replace('.', '')}-boto1.{number}"
            found.append(change(cell(name, boto3=f"1.{number}.{number % 100}")))
    return run(*found)


def written(result: RunResult, path: Path) -> Path:
    write_results(result, path)
    return path


def changed(result: RunResult, changes: Mapping[str, CellResult], **facts: Any) -> RunResult:
    """The run with other cells in the place of some."""
    return result.model_copy(update={"cells": tuple(changes.get(one.name, one) for one in result.cells), **facts})
