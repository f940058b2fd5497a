"""`python -m boto_matrix issue`: what a night means, and what becomes of the one issue about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from boto_matrix.ci.issue import NightlyIssue
from boto_matrix.report.model import Report
from boto_matrix.results.model import CellResult, Outcome
from tests.boto_matrix import made_results
from tests.boto_matrix.fake_gh import FakeGh
from tests.boto_matrix.small_project import PY, SmallProject

GOOD, OTHER = f"{PY}-boto1.26", f"{PY}-boto1.17"


@pytest.fixture
def gh(project: SmallProject) -> FakeGh:
    return FakeGh(project)


def results(project: SmallProject, *cells: CellResult) -> str:
    return str(made_results.written(made_results.run(*cells), project.folder / "issue.json"))


def green(project: SmallProject) -> str:
    return results(project, made_results.cell(GOOD), made_results.cell(OTHER))


def red(project: SmallProject) -> str:
    return results(project, made_results.failed(GOOD), made_results.cell(OTHER))


def test_a_red_night_opens_an_issue_with_the_failures_and_who_is_at_fault(project: SmallProject, gh: FakeGh) -> None:
    done = project.boto_matrix("issue", red(project), "--link", "https://example.test/run/1")
    assert done.exit_code == 0, done.output
    [issue] = gh["issues"]
    assert issue["title"] == "The matrix: 1 of 2 cells fails"
    assert GOOD in issue["body"]
    assert f"make matrix CELLS={GOOD}" in issue["body"]
    assert "the patch" in issue["body"], "the blame"
    assert "[The run](https://example.test/run/1)" in issue["body"]
    assert ["label", "create", issue["label"]] in [asked[:3] for asked, _ in gh["asked"]]


def test_the_next_red_night_brings_the_same_issue_up_to_date(project: SmallProject, gh: FakeGh) -> None:
    project.boto_matrix("issue", red(project))
    both = results(project, made_results.failed(GOOD), made_results.failed(OTHER))
    assert project.boto_matrix("issue", both).exit_code == 0
    [issue] = gh["issues"]
    assert issue["title"] == "The matrix: 2 of 2 cells fail"
    assert OTHER in issue["body"]


def test_a_green_night_closes_it_and_the_next_red_one_opens_another(project: SmallProject, gh: FakeGh) -> None:
    project.boto_matrix("issue", red(project))
    done = project.boto_matrix("issue", green(project))
    assert "issue 7 is closed: The matrix: All 2 cells pass" in done.output
    assert [issue["open"] for issue in gh["issues"]] == [False]
    project.boto_matrix("issue", red(project))
    assert [issue["open"] for issue in gh["issues"]] == [False, True]


def test_a_green_night_after_a_green_one_touches_nothing(project: SmallProject, gh: FakeGh) -> None:
    assert project.boto_matrix("issue", green(project)).exit_code == 0
    assert [asked[:2] for asked, _ in gh["asked"]] == [["issue", "list"]]


@pytest.mark.parametrize("outcome", [None, Outcome.NOT_RUN, Outcome.NO_INTERPRETER])
def test_a_night_that_says_nothing_of_a_cell_is_red(project: SmallProject, gh: FakeGh, outcome: Outcome | None) -> None:
    cells = [made_results.cell(GOOD)] + ([made_results.cell(OTHER, outcome=outcome)] if outcome else [])
    project.boto_matrix("issue", results(project, *cells))
    [issue] = gh["issues"]
    assert issue["title"] == "The matrix: 1 of its cells did not run"
    assert f"### Did not run\n\n{OTHER}" in issue["body"]


def test_a_night_that_left_no_results_is_red(project: SmallProject, gh: FakeGh) -> None:
    assert project.boto_matrix("issue", "nowhere.json").exit_code == 0
    assert gh["issues"][0]["title"] == "The matrix left no results"
    assert GOOD in gh["issues"][0]["body"]


def test_what_the_bisection_said_is_in_the_issue_as_it_was_said(project: SmallProject, gh: FakeGh) -> None:
    said = project.folder / "bisect.txt"
    said.write_text("boto3 1.26.20 is the first release that differs.\n```\n@everyone <b>\n")
    project.boto_matrix("issue", red(project), "--bisect", str(said), "--since", "nowhere.json")
    fence = "````"
    assert f"{fence}\nboto3 1.26.20 is the first release that differs.\n```\n@everyone <b>\n{fence}" in (
        gh["issues"][0]["body"]
    )


def test_it_can_be_looked_at_without_github(project: SmallProject) -> None:
    done = project.boto_matrix("issue", red(project), "--print")
    assert done.exit_code == 0
    assert done.output.startswith("The matrix: 1 of 2 cells fails\n\n")


def test_what_gh_refuses_is_told_in_a_line(project: SmallProject, gh: FakeGh) -> None:
    gh.fail_at("label")
    done = project.boto_matrix("issue", red(project))
    assert done.exit_code == 2
    assert "gh label create: HTTP 403: Resource not accessible by integration" in done.output
    assert "Traceback" not in done.output


def test_where_there_is_no_gh_that_is_said(project: SmallProject) -> None:
    project.environ["PATH"] = str(project.folder)
    done = project.boto_matrix("issue", red(project))
    assert done.exit_code == 2
    assert "gh, GitHub's command line, is not on PATH" in done.output


def test_damaged_results_are_named(project: SmallProject, gh: FakeGh) -> None:
    (project.folder / "issue.json").write_text("{")
    done = project.boto_matrix("issue", "issue.json")
    assert done.exit_code == 2
    assert "issue.json" in done.output
    assert gh["issues"] == []


def test_the_text_fits_into_an_issue_whatever_failed(tmp_path: Path) -> None:
    del tmp_path
    names = tuple(f"cell-{number}" for number in range(5000))
    many = made_results.grid(300, lambda cell: made_results.failed(cell.name, boto3="1.26." + "9" * 200))
    issue = NightlyIssue(Report(many, asked=names), names, bisect="x" * 100_000)
    assert len(issue.body) < 65_536
    assert "… cut here; the report of the run has it whole" in issue.body
