"""What the reports say: the page's source, the Markdown, the badge, what they are about and what changed."""

from __future__ import annotations

import html
import json
import os
import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from boto_matrix.__main__ import main
from boto_matrix.ci.issue import NightlyIssue
from boto_matrix.matrix.load import project_matrix
from boto_matrix.report import read
from boto_matrix.report.badge import badge
from boto_matrix.report.changes import Change, compare
from boto_matrix.report.details import details
from boto_matrix.report.markdown import markdown
from boto_matrix.report.model import Report
from boto_matrix.report.page import page
from boto_matrix.results.model import CellResult, FoundModel, FoundSurface, Outcome, RunResult, UsedInterpreter
from tests.boto_matrix.made_results import FAILED, STARTED, cell, changed, failed, grid, one_set, run, sets, written

A, B = "py311-boto1.26", "py311-boto1.44"
EARLIER = STARTED - timedelta(days=1)
EVIL = "<script>alert(1)</script><!-- ]]> `|*_ \" ' & </style>"


def evil_cell(evil: str) -> CellResult:
    """A cell in which everything that comes from outside is evil."""
    bad = one_set(FAILED, tests=[evil], detail=evil)
    return cell(
        f"{B}{evil}",
        boto3=evil,
        outcome=Outcome.FAILED,
        reason=evil,
        sets={**sets(redirects_patched=bad), evil: bad},
        repeat=evil,
        output=evil,
        installed={evil: evil},
        requested={evil: evil},
    ).model_copy(update={"python": "3.11"})


def evil_run(evil: str) -> RunResult:
    return run(evil_cell(evil), command=evil, overrides={"BOTO3_VERSION": evil}, tools={evil: evil})


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.attributes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.attributes += [name for name, _ in attrs]


def tags(text: str) -> Tags:
    parser = Tags()
    parser.feed(text)
    return parser


# The page's source


@pytest.mark.parametrize(
    "evil", [EVIL, "</script><script>alert(1)</script>", "javascript:alert(1)", '" onclick="alert(1)']
)
def test_nothing_from_outside_becomes_markup(evil: str) -> None:
    harmless = "x" * 5
    before = changed(evil_run(evil), {}, started=EARLIER)
    plain, spoiled = (
        tags(page(Report(evil_run(text), before=None if text == harmless else before))) for text in (harmless, evil)
    )
    assert spoiled.found.count("script") == plain.found.count("script") == 2
    assert not [name for name in spoiled.attributes if name.startswith("on")]
    assert "alert(1)</script><" not in page(Report(evil_run(evil)))


@given(text=st.text(max_size=30))
def test_no_text_changes_the_elements_of_the_page(text: str) -> None:
    assert tags(page(Report(evil_run(text + "x")))).found == tags(page(Report(evil_run("xyz")))).found


def test_page_asks_for_nothing_and_lets_nothing_else_run() -> None:
    text = page(Report(grid(3), changed(grid(2), {}, started=EARLIER)))
    policy = html.unescape(re.findall(r'Content-Security-Policy" content="([^"]*)"', text)[0])
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)""", text)
    assert "@import" not in text
    assert "url(" not in text


def test_details_that_many_cells_share_are_written_once() -> None:
    long = "E   AssertionError: " + "very " * 2_000

    def spoil(one: CellResult) -> CellResult:
        return failed(one.name, boto3=one.pin.boto3, redirects_patched=one_set(FAILED, detail=long))

    one, many = (len(page(Report(grid(pins, spoil)))) for pins in (1, 30))
    assert many < one + 29 * 6 * 2_500  # a cell is its own line in the grid and its own facts, no more


def test_outputs_without_end_are_cut_and_it_is_said() -> None:
    def spoil(one: CellResult) -> CellResult:
        detail = f"E   AssertionError: {one.name} " + "x" * 50_000
        return failed(one.name, boto3=one.pin.boto3, redirects_patched=one_set(FAILED, detail=detail))

    text = page(Report(grid(200, spoil)))
    assert len(text) < 12_000_000
    assert "characters are left out here" in text
    assert '"cut":true' in text


# Markdown


def rendered(text: str) -> str:
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))


def test_markdown_says_failures_first_with_who_is_at_fault_and_the_command() -> None:
    text = markdown(Report(run(cell(A), failed(B, boto3="1.44.5"))))
    assert text.startswith("## 1 of 2 cells fails\n")
    assert "**At fault: the patch**" in text
    assert f"`make matrix CELLS={B}`" in text
    assert text.index("At fault") < text.index("| boto3 |")


def test_markdown_groups_cells_that_failed_for_one_reason() -> None:
    text = markdown(Report(run(failed(A), failed(B, boto3="1.44.5"))))
    assert f"- {A}, {B}: " in text
    assert f"`make matrix CELLS='{A} {B}'`" in text


def test_markdown_shows_the_four_sets_where_they_are_not_all_well() -> None:
    missing = cell("py312-boto1.26", outcome=Outcome.NO_INTERPRETER)
    text = markdown(Report(run(cell("py38-boto1.26"), failed(A), missing)))
    assert "| 1.26.24 | ✓ | ✓✓✓✗ | — |" in text


def test_markdown_shows_what_a_cell_left_to_another_one_that_did_not_pass_it() -> None:
    left = cell(A, outcome=Outcome.NOT_RUN, sets=sets(), covered_by={"scale": B})
    text = markdown(Report(run(left)))
    assert "| 1.26.24 | ✓✓✓✓ · |" in text
    assert "1 cell has left scale to the newest of its class, on the same Python." in text


def test_markdown_takes_nothing_from_outside_for_its_own() -> None:
    plain = tags(rendered(markdown(Report(evil_run("xyz")))))
    spoiled = tags(rendered(markdown(Report(evil_run(EVIL)))))
    assert set(spoiled.found) <= set(plain.found)
    assert spoiled.found.count("td") == plain.found.count("td")


@given(text=st.text(alphabet="ab`*_|<>[]()#&~\\!@\n .-1", max_size=20))
def test_no_text_changes_the_table_of_the_markdown(text: str) -> None:
    found = tags(rendered(markdown(Report(evil_run(f"a{text}")))))
    assert found.found.count("table") == 1
    assert found.found.count("td") == 2
    assert not {"script", "img", "a", "em"} & set(found.found)


def test_markdown_of_many_failures_stays_short() -> None:
    def spoil(one: CellResult) -> CellResult:
        return failed(one.name, boto3=one.pin.boto3, redirects_patched=one_set(FAILED, tests=[one.name]))

    assert len(markdown(Report(grid(300, spoil)))) < 100_000


# The badge


@pytest.mark.parametrize(
    ("cells", "message", "colour"),
    [
        ([cell(A), cell(B)], "2 passing", "brightgreen"),
        ([cell(A), failed(B)], "1 of 2 failing", "red"),
        ([cell(A, outcome=Outcome.NO_INTERPRETER)], "not run", "lightgrey"),
        ([cell(A), cell(B, outcome=Outcome.NO_INTERPRETER)], "1 of 2 passing", "yellow"),
        ([cell(A), cell(B, outcome=Outcome.NOT_RUN)], "1 of 2 passing", "yellow"),
        ([cell(A, arguments="-k multipart")], "not run", "lightgrey"),
        ([], "not run", "lightgrey"),
    ],
)
def test_badge_tells_how_many(cells: list[CellResult], message: str, colour: str) -> None:
    answer = json.loads(badge(Report(run(*cells))))
    assert (answer["schemaVersion"], answer["message"], answer["color"]) == (1, message, colour)


def test_badge_of_a_run_that_is_not_finished_is_not_green() -> None:
    assert json.loads(badge(Report(run(cell(A), finished=False))))["color"] == "yellow"


# What changed


PART = {"arguments": "-k multipart"}


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        (failed(A), cell(A, **PART), None),
        (cell(A), failed(A).model_copy(update=PART), None),
        (cell(A, **PART), failed(A), Change.BROKE),
        (failed(A).model_copy(update=PART), cell(A), None),
        (cell(A), cell(A), None),
        (cell(A), failed(A), Change.BROKE),
        (failed(A), cell(A), Change.MENDED),
        (failed(A), failed(A), None),
        (failed(A), failed(A, redirects_unpatched=FAILED), Change.OTHERWISE),
        (failed(A), cell(A, outcome=Outcome.INSTALL_FAILED), Change.OTHERWISE),
        (cell(A), cell(A, outcome=Outcome.NOT_RUN), Change.STOPPED),
        (cell(A, outcome=Outcome.NO_INTERPRETER), failed(A), Change.BROKE),
        (cell(A, outcome=Outcome.NOT_RUN), cell(A), None),
        (None, cell(A), Change.NEW),
        (None, failed(A), Change.NEW),
        (None, cell(A, outcome=Outcome.NOT_RUN), None),
    ],
)
def test_what_became_of_a_cell(before: CellResult | None, now: CellResult, change: Change | None) -> None:
    found = compare(run(now), run(*([before] if before else []), started=EARLIER))
    assert found.cells.get(A) is change


def test_packages_that_changed_are_counted() -> None:
    old = [one.model_copy(update={"installed": {**one.installed, "moto": "5.2.4"}}) for one in (cell(A), cell(B))]
    (found,) = compare(run(cell(A), cell(B)), run(*old, started=EARLIER)).packages
    assert (found.package, found.before, found.now, found.cells) == ("moto", "5.2.4", "5.2.5", 2)


def with_versions(one: CellResult, **versions: str) -> CellResult:
    return one.model_copy(update={"installed": {**one.installed, **versions}})


@pytest.mark.parametrize("package", ["moto", "pytest", "urllib3", "boto3"])
def test_what_is_new_where_cells_broke_is_said_in_every_form(package: str) -> None:
    names = [A, B, "py312-boto1.44"]
    before = run(*(with_versions(cell(name), **{package: "1.0", "six": "1.16.0"}) for name in names), started=EARLIER)
    now = run(
        *(with_versions(failed(name), **{package: "2.0"}) for name in names[:2]),
        with_versions(cell(names[2]), **{package: "1.0"}),
    )
    report = Report(now, before)
    said = f"{package} 1.0 → 2.0 is new in 2 of the 2 cells that broke, and in none that passes"
    other = "six 1.16.0 → 1.17.0 is new in 2 of the 2 cells that broke, and in 1 that passes"
    assert report.changes is not None
    assert [one.sentence for one in report.changes.new_where_broken] == [said, other]
    assert said in markdown(report)
    assert said in NightlyIssue(report, ()).body
    assert f"<li>{said}</li>" in page(report)


def test_a_report_says_which_releases_are_the_newest_that_ran() -> None:
    report = Report(run(cell(A), with_versions(cell(B), moto="5.10.0", urllib3="1.26.20")))
    assert report.newest == {
        "boto3": "1.26.24", "botocore": "1.26.24", "moto": "5.10.0", "pytest": "9.2.0", "urllib3": "2.8.0",
    }  # fmt: skip
    assert "moto 5.10.0, pytest 9.2.0, urllib3 2.8.0" in page(report)
    assert "moto 5.10.0, pytest 9.2.0, urllib3 2.8.0" in markdown(report)


def test_another_python_is_as_new_as_another_package() -> None:
    old, new = (
        one.model_copy(update={"interpreter": UsedInterpreter(version=version, path="/python")})
        for one, version in ((cell(A), "3.11.7"), (failed(A), "3.11.8"))
    )
    (found,) = compare(run(new), run(old, started=EARLIER)).new_where_broken
    assert found.sentence == "Python 3.11.7 → 3.11.8 is new in the cell that broke, and in none that passes"


def test_cells_that_are_gone_are_named() -> None:
    assert compare(run(cell(A)), run(cell(A), cell(B), started=EARLIER)).gone == (B,)


# Rows and columns


def test_pins_go_from_latest_and_newest_to_oldest_and_pythons_up() -> None:
    names = ["py39-boto1.9.1", "py310-boto1.10.2", "py38-botolatest", "py38-boto1.10.1"]
    report = Report(run(*(cell(name, boto3=name.partition("boto")[2]) for name in names)))
    assert [row.label for row in report.rows] == ["latest", "1.10.2", "1.10.1", "1.9.1"]
    assert report.pythons == ("3.8", "3.9", "3.10")


def test_no_cell_hides_another() -> None:
    report = Report(run(cell(A), cell("py3110-boto1.26").model_copy(update={"python": "3.11"})))
    assert sum(len(row.cells) for row in report.rows) == 2


# What a report is about, where no file is named


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(read, "RESULTS", tmp_path)
    return tmp_path


def keep(result: RunResult, folder: Path, *, age: int) -> None:
    path = written(result, folder / f"{result.started:%Y%m%d}.json")
    os.utime(path, (1e9 - age, 1e9 - age))


def test_newest_run_is_laid_over_what_was_known_and_compared_with_it(results: Path) -> None:
    two, other = "py311-boto1.44", "py312-boto1.44"  # the matrix has them
    keep(run(cell(two), cell(other), started=EARLIER), results, age=1)
    keep(run(failed(two)), results, age=0)
    report = read.read_report([], None)
    assert {one.name: one.outcome for one in report.run.cells} == {two: Outcome.FAILED, other: Outcome.PASSED}
    assert report.changes is not None
    assert report.changes.cells == {two: Change.BROKE}


def test_a_part_of_the_tests_that_was_run_since_does_not_mend_what_is_red(results: Path) -> None:
    name = "py311-boto1.44"
    keep(run(failed(name), started=EARLIER), results, age=1)
    keep(run(cell(name, arguments="-k multipart")), results, age=0)
    report = read.read_report([], None)
    assert [one.outcome for one in report.run.cells] == [Outcome.FAILED]
    assert report.standing.is_red
    assert report.changes is not None
    assert report.changes.cells == {}


def test_runs_with_other_overrides_are_not_mixed_in(results: Path) -> None:
    keep(run(cell(A), overrides={"BOTO3_VERSION": "1.26.1"}, started=EARLIER), results, age=1)
    keep(run(cell(B)), results, age=0)
    report = read.read_report([], None)
    assert [one.name for one in report.run.cells] == [B]
    assert report.changes is None


def test_damaged_file_among_others_is_said_and_left_out(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep(run(cell(B)), results, age=1)
    (results / "broken.json").write_text('{"format": 1, "sta')
    assert [one.name for one in read.read_report([], None).run.cells] == [B]
    assert f"left out: {results / 'broken.json'}: is not JSON: EOF" in capsys.readouterr().err


def test_where_nothing_has_run_it_is_said_what_to_do(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report"]) == 2
    assert capsys.readouterr().err == (
        f"boto_matrix: {results}: there are no results yet. Run `make matrix`, or name a file of results\n"
    )


# Typed by hand


def test_each_form_goes_where_it_is_asked_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(written(run(cell(A), failed(B)), tmp_path / "r.json"))
    assert main(["report", path, "--output", str(tmp_path / "deep" / "r.html")]) == 0
    assert f"{tmp_path / 'deep' / 'r.html'}: 1 of 2 cells fails" in capsys.readouterr().out
    assert (tmp_path / "deep" / "r.html").read_text().startswith("<!doctype html>")
    for form, beginning in {"markdown": "## 1 of 2", "badge": '{"schemaVersion"', "terminal": f"{B} failed"}.items():
        assert main(["report", path, "--format", form]) == 0
        assert capsys.readouterr().out.startswith(beginning)


def test_terminal_says_who_is_at_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(written(run(failed(B)), tmp_path / "r.json"))
    assert main(["report", path, "--format", "terminal"]) == 0
    assert "At fault: the patch: " in capsys.readouterr().out


@pytest.mark.parametrize("form", ["html", "markdown", "terminal"])
def test_what_nobody_knows_yet_is_called_out_though_all_tests_pass(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = cell(
        A,
        boto3="1.50.0",
        surfaces={"urllib3": FoundSurface(fingerprint="ab", name=None)},
        s3_model=FoundModel(unclassified=("FoldObject", "PutObject.Fold")),
    )
    path, output = str(written(run(new), tmp_path / "r.json")), tmp_path / "report"
    assert main(["report", path, "--format", form, "--output", str(output)]) == 0
    said = " ".join((output.read_text() if output.exists() else capsys.readouterr().out).replace("\\_", "_").split())
    assert "urllib3 2.8.0 is of an unknown surface class" in said
    assert "botocore 1.50.0 has S3 operations or parameters that aistore_patch.guard does not know" in said
    assert "FoldObject, PutObject.Fold; classify them there" in said


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, None),
        (FoundModel(), "known to the guard"),
        (
            FoundModel(unclassified=("FoldObject", "PutObject.Fold")),
            "not known to the guard: FoldObject, PutObject.Fold",
        ),
        (FoundModel(problem="it is damaged"), "it is damaged"),
    ],
)
def test_a_cell_on_the_page_says_whether_the_guard_knows_its_botocore(
    found: FoundModel | None, said: str | None
) -> None:
    facts = details(Report(run(cell(A, s3_model=found))))["cells"][A]
    assert facts.get("s3_model") == said


def test_several_files_are_reported_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [run(cell(A), started=EARLIER), run(cell(B))]
    paths = [str(written(one, tmp_path / f"{one.started:%d}.json")) for one in runs]
    assert main(["report", *paths, "--format", "markdown"]) == 0
    assert "Merged from 2 runs" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["html", "markdown", "terminal", "badge"])
def test_a_part_of_the_tests_is_shown_as_one(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, output = str(written(run(cell(A, **PART)), tmp_path / "r.json")), tmp_path / "report"
    assert main(["report", path, "--format", form, "--output", str(output)]) == 0
    said = output.read_text() if output.exists() else capsys.readouterr().out
    expected = {
        "html": "<span>part</span>",
        "markdown": "## No cell has run all its tests\n",
        "terminal": "✓✓✓✓ part",
        "badge": '"message": "not run"',
    }
    assert expected[form] in said


def test_a_badge_of_other_versions_than_the_pins_says_so() -> None:
    assert json.loads(badge(Report(run(cell(A), overrides={"BOTO3_VERSION": "1.26"}))))["label"] == (
        "boto3 matrix BOTO3_VERSION=1.26"
    )


def test_a_report_without_some_cells_of_the_matrix_is_not_green(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [one.name for one in project_matrix().cells]
    path = str(written(run(*(cell(name) for name in names[1:])), tmp_path / "r.json"))
    assert main(["report", path, "--format", "badge"]) == 0
    badge_says = json.loads(capsys.readouterr().out)
    assert (badge_says["message"], badge_says["color"]) == (f"{len(names) - 1} of {len(names)} passing", "yellow")
    assert main(["report", path, "--format", "markdown"]) == 0
    assert f"## {len(names) - 1} of {len(names)} cells passed, the others did not run" in capsys.readouterr().out
    report = read.read_report([Path(path)], None)
    assert '<h1 class="">' in page(report)


def test_where_there_is_nothing_to_compare_with_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, none = str(written(run(cell(A)), tmp_path / "r.json")), str(tmp_path / "none.json")
    assert main(["report", path, "--since", none, "--format", "badge"]) == 0
    assert capsys.readouterr().err == f"nothing to compare with: {none} is not there\n"


def test_page_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(written(run(cell(A)), tmp_path / "r.json"))
    assert main(["report", path, "-o", "/proc/no/r.html"]) == 2
    assert "/proc/no/r.html: cannot be written" in capsys.readouterr().err
