"""`python -m boto_matrix run`, typed by hand."""

from __future__ import annotations

import signal

import pytest

from boto_matrix.results.model import CellResult, Outcome
from tests.boto_matrix.fifo import Fifo
from tests.boto_matrix.small_project import PY, PYTHON, Done, SmallProject

GOOD, OTHER = f"{PY}-boto1.26", f"{PY}-boto1.17"


def result(project: SmallProject, cell: str) -> CellResult:
    return next(one for one in project.results().cells if one.name == cell)


def told(done: Done, cell: str) -> str:
    """What is said about a failure when the run is over: its line, who is at fault, and the command that repeats it."""
    lines = done.output.splitlines()
    at = max(index for index, line in enumerate(lines) if line.startswith(f"{cell} "))
    return "\n".join(lines[at : at + 3])


def test_a_run_in_which_all_passes_says_so_and_ends_with_0(project: SmallProject) -> None:
    done = project.boto_matrix("run")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == "cells: 2 passed, 0 failed"
    assert [cell.outcome for cell in project.results().cells] == [Outcome.PASSED, Outcome.PASSED]
    cell = result(project, GOOD)
    assert cell.requested == {"boto3": "1.26.24", "botocore": "1.29.24"}
    assert cell.installed == {"boto3": "1.26.24", "botocore": "1.29.24"}
    assert cell.interpreter is not None
    assert cell.interpreter.version.startswith(f"{PYTHON}.")
    assert cell.repeat == f"make matrix CELLS={GOOD}"
    assert project.results().finished


def test_each_cell_ends_as_what_it_is_and_the_others_go_on(project: SmallProject) -> None:
    project.set_up_tox(interrupt_timeout="0.1", terminate_timeout="0.1")
    with (project.folder / "tox.ini").open("a") as tox_ini:
        tox_ini.write(f"[testenv:{GOOD}.12]\ntests_timeout = 0.5\n")
    project.write_matrix([(f"1.26.{patch}", f"1.29.{patch}") for patch in (24, 10, 11, 12, 13, 14)], [PYTHON, "3.99"])
    for patch in (10, 11, 12, 14):
        project.add_wheel("boto3", f"1.26.{patch}")
        project.add_wheel("botocore", f"1.29.{patch}")
    project.behave({f"{GOOD}.10": "fail", f"{GOOD}.11": "die", f"{GOOD}.12": "hang", f"{GOOD}.14": "be another"})
    fifo = Fifo(project)
    done = project.boto_matrix("run", "--jobs", "6")
    fifo.wait_until_no_process_is_left()
    assert done.exit_code == 1
    assert {cell.name: cell.outcome for cell in project.results().cells if cell.python == PYTHON} == {
        GOOD: Outcome.PASSED,
        f"{GOOD}.10": Outcome.FAILED,
        f"{GOOD}.11": Outcome.CRASHED,
        f"{GOOD}.12": Outcome.CRASHED,
        f"{GOOD}.13": Outcome.INSTALL_FAILED,
        f"{GOOD}.14": Outcome.INSTALL_FAILED,
    }
    assert {cell.outcome for cell in project.results().cells if cell.python == "3.99"} == {Outcome.NO_INTERPRETER}
    assert "test_one in redirects_patched" in told(done, f"{GOOD}.10")
    assert f"make matrix CELLS={GOOD}.10" in told(done, f"{GOOD}.10")
    assert "SIGSEGV" in told(done, f"{GOOD}.11")
    assert "took longer than they may" in told(done, f"{GOOD}.12")
    assert "boto3==1.26.13" in (result(project, f"{GOOD}.13").output or "")
    assert "1.26.13" in told(done, f"{GOOD}.13")
    assert "botocore 1.0.0 is installed, 1.29.14 was asked for" in told(done, f"{GOOD}.14")
    assert done.output.count("there is no Python 3.99 on this machine") == 1
    assert done.output.splitlines()[-1] == "cells: 1 passed, 5 failed, 6 skipped"
    assert f"All that failed, again: make matrix CELLS='{GOOD}.10 {GOOD}.11" in done.output


def test_latest_that_cannot_be_known_fails_its_cell_with_the_reason_and_no_other(project: SmallProject) -> None:
    project.write_matrix([("1.26.24", "1.29.24"), ("latest", "latest")])
    done = project.boto_matrix("run")
    assert done.exit_code == 1
    assert result(project, GOOD).outcome is Outcome.PASSED
    latest = result(project, f"{PY}-botolatest")
    assert latest.outcome is Outcome.INSTALL_FAILED
    assert "cannot be asked: UV_OFFLINE is set" in (latest.reason or "")


def test_tests_that_leave_no_results_have_crashed_whatever_their_exit_code(project: SmallProject) -> None:
    project.behave({GOOD: "say nothing"})
    assert project.boto_matrix("run", GOOD).exit_code == 1
    assert result(project, GOOD).outcome is Outcome.CRASHED
    assert result(project, GOOD).installed == {"boto3": "1.26.24", "botocore": "1.29.24"}, "it is known all the same"


def test_a_run_in_which_nothing_ran_has_failed(project: SmallProject) -> None:
    project.behave({GOOD: "select nothing"})
    assert project.boto_matrix("run", GOOD, "--", "-k", "nothing").exit_code == 1
    assert result(project, GOOD).outcome is Outcome.NOT_RUN
    assert result(project, GOOD).repeat == f"make matrix CELLS={GOOD} ARGS='-k nothing'"
    project.write_matrix([("1.26.24", "1.29.24")], ["3.99"])
    done = project.boto_matrix("run")
    assert done.exit_code == 1
    assert "no py" in done.output


def test_a_cell_that_is_named_and_has_no_python_is_not_green(project: SmallProject) -> None:
    project.write_matrix([("1.26.24", "1.29.24")], [PYTHON, "3.99"])
    assert project.boto_matrix("run").exit_code == 0, "all cells that have a Python here"
    assert project.boto_matrix("run", GOOD, "py399-boto1.26").exit_code == 1


@pytest.mark.parametrize("place", ["results", "notes.txt/results.json", "/proc/none/results.json"])
def test_results_that_cannot_be_written_are_told_in_a_line_before_anything_runs(
    project: SmallProject, place: str
) -> None:
    (project.folder / "results").mkdir()
    (project.folder / "notes.txt").touch()
    done = project.boto_matrix("run", "--results", place)
    assert done.exit_code == 2
    assert len(done.output.splitlines()) == 1, done.output
    assert f"{place}: cannot be written: " in done.output
    assert "Name another place" in done.output
    assert not project.has_run(GOOD)


def test_a_log_that_cannot_be_written_is_told_in_a_line_before_anything_runs(project: SmallProject) -> None:
    (project.folder / "mine.log").mkdir()
    done = project.boto_matrix("run", "--results", "mine.json")
    assert done.exit_code == 2
    assert len(done.output.splitlines()) == 1, done.output
    assert "mine.log: cannot be written: Is a directory" in done.output
    assert not project.has_run(GOOD)


def test_a_disk_that_is_full_at_the_end_is_told_in_a_line_below_what_was_found(project: SmallProject) -> None:
    (project.folder / "check.py").write_text(
        (project.folder / "check.py").read_text() + "import shutil; shutil.rmtree('mine'); open('mine', 'w').close()\n"
    )
    done = project.boto_matrix("run", GOOD, "--results", "mine/results.json")
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert "cells: 1 passed, 0 failed" in done.output
    assert "mine/results.json: cannot be written: " in done.output.splitlines()[-1]


def test_a_setting_of_pip_that_changes_nothing_is_said_once(project: SmallProject) -> None:
    done = project.boto_matrix("run", PIP_EXTRA_INDEX_URL="http://more.invalid/simple")
    assert done.exit_code == 0, done.output
    assert done.output.count("pip's extra-index-url is not used: uv installs, and reads UV_INDEX") == 1


def test_what_follows_two_dashes_goes_to_pytest(project: SmallProject) -> None:
    assert project.boto_matrix("run", GOOD, "--", "-k", "multipart and not copy").exit_code == 0
    assert project.seen(GOOD)["arguments"] == ["-k", "multipart and not copy"]
    assert not project.has_run(OTHER)


def test_a_second_run_reuses_every_environment(project: SmallProject) -> None:
    project.boto_matrix("run")
    marks = [project.folder / ".tox" / cell / "mark" for cell in (GOOD, OTHER)]
    for mark in marks:
        mark.touch()
    assert project.boto_matrix("run").exit_code == 0
    assert all(mark.exists() for mark in marks)


@pytest.mark.parametrize(
    ("arguments", "environ", "sentence"),
    [
        (["run", f"{PY}-boto1.25"], {}, f"{PY}-boto1.25 is no cell of the matrix"),
        (["run", GOOD], {"BOTO3_VERSION": "newish"}, "BOTO3_VERSION=newish cannot be"),
        (["run", GOOD], {"BOTO3_VERSION": "latest"}, "UV_OFFLINE is set"),
        (["run", "--jobs", "0"], {}, "0 is not at least 1"),
        (["walk"], {}, "invalid choice: 'walk'"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line_before_anything_runs(
    project: SmallProject, arguments: list[str], environ: dict[str, str], sentence: str
) -> None:
    done = project.boto_matrix(*arguments, **environ)
    assert done.exit_code == 2
    assert sentence in done.output
    assert "Traceback" not in done.output
    assert not (project.folder / "results").exists()


def test_variables_that_tell_tox_what_to_run_do_not_change_a_run(project: SmallProject) -> None:
    done = project.boto_matrix("run", GOOD, TOXENV=OTHER, TOX_SKIP_ENV=".*")
    assert done.exit_code == 0, done.output
    assert project.has_run(GOOD)
    assert not project.has_run(OTHER)


def test_cells_that_tox_takes_along_when_it_dies_have_crashed(project: SmallProject) -> None:
    project.behave({GOOD: "kill tox"})
    done = project.boto_matrix("run", "--jobs", "1")
    assert done.exit_code == 1
    assert result(project, GOOD).outcome is Outcome.CRASHED
    assert "tox ended before it did" in told(done, GOOD)
    assert result(project, OTHER).outcome is Outcome.NOT_RUN
    assert "tox ended before all cells had run" in done.output


def test_a_tox_that_cannot_start_is_told_with_what_it_said(project: SmallProject) -> None:
    (project.folder / "toxfile.py").write_text("raise SystemExit('this toxfile is broken')")
    done = project.boto_matrix("run", GOOD)
    assert done.exit_code == 1
    assert "tox ended before all cells had run" in done.output
    assert "this toxfile is broken" in done.output
    assert result(project, GOOD).outcome is Outcome.NOT_RUN


def test_the_cells_are_listed_for_people_and_for_programs(project: SmallProject) -> None:
    assert f"{OTHER}  boto3 1.17.1, botocore 1.20.1 on CPython {PYTHON}" in project.boto_matrix("list").output
    as_json = project.boto_matrix("list", "--json").output
    assert f'{{"name": "{OTHER}", "python": "{PYTHON}", "boto3": "1.17.1", "botocore": "1.20.1"}}' in as_json


@pytest.fixture
def hanging(project: SmallProject) -> SmallProject:
    """A project in which one cell passes and then one hangs, holding on to `fifo` with all its processes."""
    project.set_up_tox(interrupt_timeout="0.1", terminate_timeout="0.1")
    project.behave({OTHER: "hang"})
    return project


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_keeps_what_was_finished_and_leaves_no_process(
    hanging: SmallProject, number: signal.Signals
) -> None:
    fifo = Fifo(hanging)
    run = hanging.start("run", "--jobs", "1")
    fifo.wait_until_a_cell_hangs()
    run.send_signal(number)
    output, _ = run.communicate(timeout=60)
    fifo.wait_until_no_process_is_left()
    assert run.returncode == 128 + number
    assert {cell.name: cell.outcome for cell in hanging.results().cells} == {
        GOOD: Outcome.PASSED,
        OTHER: Outcome.NOT_RUN,
    }
    assert result(hanging, OTHER).reason == "the run was stopped while it ran"
    assert output.splitlines()[-1] == "cells: 1 passed, 0 failed, 1 skipped"
    assert "not run" in output


def test_a_killed_run_has_written_what_was_finished_and_takes_its_processes_along(hanging: SmallProject) -> None:
    fifo = Fifo(hanging)
    run = hanging.start("run", "--jobs", "1")
    fifo.wait_until_a_cell_hangs()
    run.kill()
    run.communicate(timeout=60)
    fifo.wait_until_no_process_is_left()
    assert not hanging.results().finished
    assert {cell.name: cell.outcome for cell in hanging.results().cells} == {
        GOOD: Outcome.PASSED,
        OTHER: Outcome.NOT_RUN,
    }
