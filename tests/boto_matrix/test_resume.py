"""`run --resume` and `make matrix RESUME=1`: what passed is not run again."""

from __future__ import annotations

import signal
import subprocess

import pytest

from boto_matrix.results.model import Outcome
from tests.boto_matrix.fifo import Fifo
from tests.boto_matrix.small_project import PY, REPOSITORY, SmallProject

GOOD, OTHER = f"{PY}-boto1.26", f"{PY}-boto1.17"


def outcomes(project: SmallProject) -> dict[str, Outcome]:
    return {cell.name: cell.outcome for cell in project.results().cells}


def forget_what_ran(project: SmallProject) -> None:
    for seen in project.folder.glob("seen-*.json"):
        seen.unlink()


def ran(project: SmallProject) -> set[str]:
    """The cells that have run since the last call."""
    names = {cell for cell in (GOOD, OTHER, f"{GOOD}.20") if project.has_run(cell)}
    forget_what_ran(project)
    return names


@pytest.fixture
def half_done(project: SmallProject) -> SmallProject:
    """A project in which one cell has passed and one has failed, and would now pass."""
    project.behave({OTHER: "fail"})
    assert project.boto_matrix("run").exit_code == 1
    assert ran(project) == {GOOD, OTHER}
    project.behave({})
    return project


def test_what_failed_is_run_again_and_what_passed_is_taken_over(half_done: SmallProject) -> None:
    done = half_done.boto_matrix("run", "--resume")
    assert done.exit_code == 0, done.output
    assert ran(half_done) == {OTHER}
    assert outcomes(half_done) == {GOOD: Outcome.PASSED, OTHER: Outcome.PASSED}
    assert "1 of 2 cells passed before and are not run again." in done.output
    assert done.output.splitlines()[-1] == "cells: 2 passed, 0 failed"
    results = half_done.results()
    assert [cell.run for cell in results.cells] == [0, 1]
    assert results.finished


def test_when_all_has_passed_nothing_is_run_and_that_is_no_failure(half_done: SmallProject) -> None:
    half_done.boto_matrix("run", "--resume")
    forget_what_ran(half_done)
    done = half_done.boto_matrix("run", "--resume")
    assert done.exit_code == 0, done.output
    assert ran(half_done) == set()
    assert done.output.splitlines()[-1] == "cells: 2 passed, 0 failed"


def test_where_nothing_ran_before_all_is_run(project: SmallProject) -> None:
    assert project.boto_matrix("run", "--resume").exit_code == 0
    assert ran(project) == {GOOD, OTHER}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_is_resumed_again_and_again(project: SmallProject, number: signal.Signals) -> None:
    project.set_up_tox(interrupt_timeout="0.1", terminate_timeout="0.1")
    project.behave({OTHER: "hang"})
    for arguments, expected in ((["run"], {GOOD, OTHER}), (["run", "--resume"], {OTHER})):
        fifo = Fifo(project)
        run = project.start(*arguments, "--jobs", "1")
        fifo.wait_until_a_cell_hangs()
        run.send_signal(number)
        run.communicate(timeout=60)
        fifo.wait_until_no_process_is_left()
        (project.folder / "fifo").unlink()
        assert ran(project) == expected
        assert outcomes(project) == {GOOD: Outcome.PASSED, OTHER: Outcome.NOT_RUN}
    project.behave({})
    assert project.boto_matrix("run", "--resume").exit_code == 0
    assert ran(project) == {OTHER}
    assert outcomes(project) == {GOOD: Outcome.PASSED, OTHER: Outcome.PASSED}
    assert project.results().finished


def test_a_cell_whose_pin_has_changed_is_run(half_done: SmallProject) -> None:
    half_done.write_matrix([("1.26.20", "1.29.20"), ("1.17.1", "1.20.1")])
    assert half_done.boto_matrix("run", "--resume").exit_code == 0
    assert ran(half_done) == {GOOD, OTHER}
    assert half_done.results().cells[0].installed["boto3"] == "1.26.20"


def test_a_cell_that_is_new_is_run(half_done: SmallProject) -> None:
    half_done.write_matrix([("1.26.24", "1.29.24"), ("1.26.20", "1.29.20"), ("1.17.1", "1.20.1")])
    assert half_done.boto_matrix("run", "--resume").exit_code == 0
    assert ran(half_done) == {f"{GOOD}.20", OTHER}
    assert list(outcomes(half_done)) == [GOOD, f"{GOOD}.20", OTHER], "in the order of the matrix"


def test_what_passed_with_other_tests_does_not_count(half_done: SmallProject) -> None:
    assert half_done.boto_matrix("run", "--resume", "--", "-k", "multipart").exit_code == 0
    assert ran(half_done) == {GOOD, OTHER}
    assert half_done.boto_matrix("run", "--resume").exit_code == 0
    assert ran(half_done) == {OTHER}, "the newest results are of a part of the tests; those before count"


def test_a_part_that_passed_since_does_not_count_for_what_failed(project: SmallProject) -> None:
    project.behave({GOOD: "fail"})
    project.boto_matrix("run", GOOD)
    project.behave({})
    assert project.boto_matrix("run", GOOD, "--", "-k", "multipart").exit_code == 0
    badge = project.boto_matrix("report", "--format", "badge").output
    assert '"message": "1 of 1 failing"' in badge
    forget_what_ran(project)
    assert project.boto_matrix("run", "--resume", GOOD).exit_code == 0
    assert ran(project) == {GOOD}


def test_what_passed_with_other_versions_does_not_count(half_done: SmallProject) -> None:
    wheel = half_done.add_wheel("moto", "5.2.5")
    done = half_done.boto_matrix("run", "--resume", GOOD, MOTO_VERSION=str(wheel))
    assert done.exit_code == 0, done.output
    assert ran(half_done) == {GOOD}


def test_a_later_failure_counts_more_than_an_earlier_pass(half_done: SmallProject) -> None:
    half_done.behave({GOOD: "fail"})
    half_done.boto_matrix("run", GOOD)
    half_done.behave({})
    forget_what_ran(half_done)
    assert half_done.boto_matrix("run", "--resume").exit_code == 0
    assert ran(half_done) == {GOOD, OTHER}


def test_a_part_that_was_run_since_does_not_hide_the_rest(half_done: SmallProject) -> None:
    half_done.boto_matrix("run", OTHER)
    forget_what_ran(half_done)
    assert half_done.boto_matrix("run", "--resume").exit_code == 0
    assert ran(half_done) == set()


def test_a_damaged_file_among_the_results_is_named_and_left_out(half_done: SmallProject) -> None:
    (half_done.folder / "results" / "zzz.json").write_text("{")
    done = half_done.boto_matrix("run", "--resume")
    assert done.exit_code == 0
    assert "left out: " in done.output
    assert "zzz.json" in done.output
    assert ran(half_done) == {OTHER}


@pytest.mark.parametrize(("value", "resumes"), [("1", True), ("", False), ("0", False)])
def test_make_resumes_when_it_is_told_to(value: str, resumes: bool) -> None:
    command = subprocess.run(
        ["make", "--dry-run", "--assume-old=.venv/ready", "matrix", f"RESUME={value}"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert ("--resume" in command) is resumes
