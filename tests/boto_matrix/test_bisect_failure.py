"""Which releases a failing run points at, and `python -m boto_matrix bisect-failure`."""

from __future__ import annotations

import pytest

from boto_matrix.bisect.suspect import find_suspect
from boto_matrix.results.model import CellResult, Outcome, SetOutcome
from tests.boto_matrix import made_results
from tests.boto_matrix.made_results import FAILED, cell, failed, run
from tests.boto_matrix.small_project import SmallProject

LATEST = "py313-botolatest"


def with_moto(result: CellResult, version: str) -> CellResult:
    return result.model_copy(update={"installed": {**result.installed, "moto": version}})


def test_where_nothing_failed_nothing_is_suspected() -> None:
    assert find_suspect(run(cell("py313-boto1.44")), run(cell("py313-boto1.44"))) is None


def test_a_boto3_that_is_new_since_the_cell_passed_is_suspected() -> None:
    before = run(cell(LATEST, boto3="1.44.4"), cell("py313-boto1.43", boto3="1.43.9"))
    suspect = find_suspect(run(failed(LATEST, boto3="1.44.6"), cell("py313-boto1.43", boto3="1.43.9")), before)
    assert suspect is not None
    assert (suspect.package, suspect.python) == ("boto3", "3.13")
    assert (str(suspect.good), str(suspect.bad)) == ("1.44.4", "1.44.6")


def test_a_moto_that_is_new_is_suspected_where_nothing_else_is() -> None:
    before = run(with_moto(cell(LATEST, boto3="1.44.6"), "5.2.4"))
    suspect = find_suspect(run(with_moto(failed(LATEST, boto3="1.44.6"), "5.2.5")), before)
    assert suspect is not None
    assert (suspect.package, str(suspect.good), str(suspect.bad)) == ("moto", "5.2.4", "5.2.5")


@pytest.mark.parametrize(("sets", "package"), [({"redirects_patched": FAILED}, "boto3"), ({}, "moto")])
def test_where_both_are_new_the_blame_says_which_is_suspected(sets: dict[str, SetOutcome], package: str) -> None:
    wrong = sets or {"noredirect_unpatched": FAILED, "noredirect_patched": FAILED, "engine": SetOutcome.PASSED}
    before = run(with_moto(cell(LATEST, boto3="1.44.4"), "5.2.4"))
    suspect = find_suspect(run(with_moto(failed(LATEST, boto3="1.44.6", **wrong), "5.2.5")), before)
    assert suspect is not None
    assert suspect.package == package


def test_without_an_earlier_run_the_nearest_older_release_that_passes_is_compared_with() -> None:
    suspect = find_suspect(
        run(
            cell("py313-boto1.45", boto3="1.45.0"),
            failed("py313-boto1.44", boto3="1.44.5"),
            cell("py313-boto1.43", boto3="1.43.9"),
            cell("py313-boto1.42", boto3="1.42.9"),
            cell("py312-boto1.44.4", boto3="1.44.4"),
        ),
        None,
    )
    assert suspect is not None
    assert (suspect.package, str(suspect.good), str(suspect.bad)) == ("boto3", "1.43.9", "1.44.5")
    assert suspect.because == "py313-boto1.44 fails and py313-boto1.43 passes."


def test_where_all_that_is_older_fails_the_nearest_newer_one_is_compared_with() -> None:
    suspect = find_suspect(
        run(cell("py313-boto1.44", boto3="1.44.5"), failed("py313-boto1.17", boto3="1.17.1")),
        run(failed("py313-boto1.17", boto3="1.17.1")),
    )
    assert suspect is not None
    assert (str(suspect.good), str(suspect.bad)) == ("1.44.5", "1.17.1")


def test_where_nothing_passes_nothing_can_be_searched() -> None:
    not_installed = cell("py313-boto1.43", outcome=Outcome.INSTALL_FAILED, reason="no")
    assert find_suspect(run(failed("py313-boto1.44"), not_installed), None) is None
    assert find_suspect(run(not_installed, cell("py313-boto1.42")), None) is None


def test_a_run_in_which_nothing_failed_is_not_searched(project: SmallProject) -> None:
    path = made_results.written(run(cell("py313-boto1.44")), project.folder / "night.json")
    done = project.boto_matrix("bisect-failure", str(path), "--since", "nowhere.json")
    assert (done.exit_code, done.output) == (0, "No cell failed: nothing to search.\n")


def test_a_failure_that_points_nowhere_is_not_searched(project: SmallProject) -> None:
    path = made_results.written(run(failed("py313-boto1.44")), project.folder / "night.json")
    done = project.boto_matrix("bisect-failure", str(path))
    assert done.exit_code == 0
    assert "nothing to search" in done.output


def test_it_says_which_search_it_makes_before_it_makes_it(project: SmallProject) -> None:
    before = made_results.written(run(cell(LATEST, boto3="1.26.20")), project.folder / "last.json")
    night = made_results.written(run(failed(LATEST, boto3="1.26.24")), project.folder / "night.json")
    done = project.boto_matrix("bisect-failure", str(night), "--since", str(before))
    assert f"{LATEST} passed before, with boto3 1.26.20.\n" in done.output
    command = "python -m boto_matrix bisect --good 1.26.20 --bad 1.26.24 --package boto3 --python 3.13"
    assert command in done.output
    assert done.exit_code == 2, "there is no index here"
    assert "Traceback" not in done.output


def with_pytest(result: CellResult, version: str) -> CellResult:
    return result.model_copy(update={"installed": {**result.installed, "pytest": version}})


def test_what_broke_by_neither_boto3_nor_moto_is_told_and_another_boto3_is_not_searched(project: SmallProject) -> None:
    name, other = "py313-boto1.44", "py313-boto1.43"
    cells = [with_pytest(cell(name, boto3="1.44.5"), "9.1.0"), with_pytest(cell(other, boto3="1.43.9"), "9.1.0")]
    before = made_results.written(run(*cells), project.folder / "last.json")
    night = run(failed(name, boto3="1.44.5"), cell(other, boto3="1.43.9"))
    path = made_results.written(night, project.folder / "night.json")
    assert find_suspect(night, run(*cells)) is None
    done = project.boto_matrix("bisect-failure", str(path), "--since", str(before))
    assert done.exit_code == 0
    assert done.output.endswith("pytest 9.1.0 → 9.2.0 is new in the cell that broke, and in 1 that passes.\n")


def test_a_part_of_the_tests_that_passed_before_says_nothing() -> None:
    before = run(cell(LATEST, boto3="1.44.4", arguments="-k multipart"))
    assert find_suspect(run(failed(LATEST, boto3="1.44.6")), before) is None


def test_what_is_no_result_is_named(project: SmallProject) -> None:
    done = project.boto_matrix("bisect-failure", "nowhere.json")
    assert done.exit_code == 2
    assert "nowhere.json" in done.output
