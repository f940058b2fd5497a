from __future__ import annotations

import io
from datetime import datetime, timezone

import pytest
from rich.console import Console

from boto_matrix.report.progress import RunProgress
from boto_matrix.report.terminal import show, summary
from boto_matrix.results.model import (
    FOUR_SETS,
    CellResult,
    Machine,
    Outcome,
    PinnedVersions,
    RunResult,
    SetOutcome,
    SetResult,
)

P, F, C, S, N = (SetOutcome(name) for name in ("passed", "failed", "crashed", "skipped", "not run"))


def cell(name: str, python: str, outcome: Outcome, *sets: SetOutcome, reason: str | None = None) -> CellResult:
    names = [*FOUR_SETS, "following", "failing"]
    return CellResult(
        name=name,
        python=python,
        pin=PinnedVersions(boto3="1.26.165", botocore="1.29.165"),
        outcome=outcome,
        reason=reason,
        sets={name: SetResult(outcome=one, seconds=1.0) for name, one in zip(names, sets)},
        repeat=f"make matrix CELLS={name}",
    )


def run_of(*cells: CellResult) -> RunResult:
    machine = Machine(system="Linux", release="6", architecture="x86_64", cpus=2)
    started = datetime(2026, 11, 23, tzinfo=timezone.utc)
    return RunResult(
        started=started, seconds=1.0, finished=True, command="make matrix", machine=machine, tools={}, cells=cells
    )


def shown(run: RunResult, encoding: str = "utf-8") -> list[str]:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    show(run, Console(file=file, width=100))
    file.flush()
    return [line.rstrip() for line in raw.getvalue().decode(encoding).splitlines()]


GOOD = cell("py39-boto1.26", "3.9", Outcome.PASSED, P, P, P, P, P, P)
BAD = cell("py311-boto1.26", "3.11", Outcome.FAILED, P, P, S, F, P, F, reason="test_get in redirects_patched")
DEAD = cell("py39-boto1.17", "3.9", Outcome.CRASHED, reason="the tests were ended by SIGSEGV")
NONE = cell("py311-boto1.17", "3.11", Outcome.NO_INTERPRETER, reason="there is no Python 3.11")


def test_failures_come_first_with_the_reason_and_the_command_that_repeats_them() -> None:
    lines = shown(run_of(GOOD, BAD, DEAD, NONE))
    assert lines[:6] == [
        "py311-boto1.26 failed: test_get in redirects_patched",
        "    Unknown who is at fault",
        "    make matrix CELLS=py311-boto1.26",
        "py39-boto1.17 crashed: the tests were ended by SIGSEGV",
        "    At fault: the interpreter: no test ran on Python 3.9: the tests were ended by SIGSEGV",
        "    make matrix CELLS=py39-boto1.17",
    ]


def test_pins_go_down_pythons_across_and_each_cell_shows_its_four_sets_and_the_worst_of_the_others() -> None:
    lines = shown(run_of(GOOD, BAD, DEAD, NONE))
    at = next(index for index, line in enumerate(lines) if line.startswith("boto3"))
    assert lines[at].split() == ["boto3", "3.9", "3.11"]
    assert lines[at + 1].split() == ["1.26", "✓✓✓✓", "✓", "✓✓s✗", "✗"]
    assert lines[at + 2].split() == ["1.17", "crash", "no", "py"]
    assert "there is no Python 3.11" in lines


def test_what_overrides_put_in_place_of_the_pins_is_said() -> None:
    cells = [one.model_copy(update={"requested": {"boto3": "1.26.24", "botocore": "1.29.24"}}) for one in (GOOD, BAD)]
    run = run_of(*cells).model_copy(update={"overrides": {"BOTO3_VERSION": "1.26.24"}})
    assert "Instead of the pins, for BOTO3_VERSION=1.26.24: boto3 1.26.24, botocore 1.29.24" in shown(run)


def test_an_output_that_knows_ascii_only_gets_ascii() -> None:
    lines = shown(run_of(GOOD, BAD), "ascii")
    assert any(".... ." in line and "..sF F" in line for line in lines)


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        ([GOOD], "cells: 1 passed, 0 failed"),
        ([GOOD, BAD, DEAD], "cells: 1 passed, 2 failed"),
        ([GOOD, BAD, NONE], "cells: 1 passed, 1 failed, 1 skipped"),
    ],
)
def test_the_sum_is_a_line_that_ci_can_count(cells: list[CellResult], line: str) -> None:
    assert summary(run_of(*cells)) == line


def test_where_there_is_no_terminal_each_cell_that_ends_gets_a_line() -> None:
    file = io.StringIO()
    with RunProgress(3, Console(file=file, width=200)) as progress:
        progress.started("py39-boto1.26")
        progress.started("py311-boto1.26")
        progress.ended(BAD)
    (line,) = file.getvalue().splitlines()
    assert line.startswith("1/3 py311-boto1.26 failed: test_get in redirects_patched (1 failed · running py39-boto1.26")
    assert line.endswith(" left)")


def test_on_a_terminal_the_line_tells_how_far_the_run_is() -> None:
    file = io.StringIO()
    with RunProgress(3, Console(file=file, width=200, force_terminal=True)) as progress:
        progress.started("py39-boto1.26")
        progress.started("py311-boto1.26")
        progress.ended(GOOD)
        progress.refresh()
    last = file.getvalue().split("\r")[-2]
    for part in ("1/3", "0 failed", "running py311-boto1.26", "left"):
        assert part in last
    assert "passed" not in last


def test_what_a_cell_left_to_another_one_is_told_and_shows_where_that_has_not_passed_it() -> None:
    left = {"covered_by": {"scale": "py39-boto1.26"}}
    passed, waits = (
        cell(f"py{python}-boto1.24", f"3.{python[1:]}", outcome, P, P, P, P, P, P).model_copy(update=left)
        for python, outcome in (("39", Outcome.PASSED), ("311", Outcome.NOT_RUN))
    )
    lines = shown(run_of(passed, waits))
    assert "1.24   ✓✓✓✓ ✓  ✓✓✓✓ ·" in lines
    assert "2 cells have left scale to the newest of their class, on the same Python" in lines
    assert any(line.endswith("· not run, ✓ passed") for line in lines)
