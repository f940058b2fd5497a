"""Sets that one cell of a class runs for all: who runs them, who leaves them out, and when that counts as passed."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from boto_matrix.matrix.load import load_matrix, parse_matrix
from boto_matrix.report import read
from boto_matrix.results.covered import own_part, settled
from boto_matrix.results.files import write_results
from boto_matrix.results.merge import merge
from boto_matrix.results.model import CellResult, FoundSurface, Outcome, RunResult, SetOutcome
from boto_matrix.results.standing import standing
from boto_matrix.running.once_per_class import representatives_of, sets_once_per_class
from boto_matrix.running.selection import classes, newest, representatives
from boto_matrix.surface.declaration import declaration_of
from boto_matrix.surface.record import SurfaceRecord, read_record, write_record
from tests.boto_matrix.made_results import cell, one_set, run, sets
from tests.boto_matrix.small_project import PY, REPOSITORY, SmallProject
from tests.boto_matrix.surface_packages import wheel

# What stands for the tests of a cell here: three sets, but for those that it is told to leave out.
_TESTS = """
import json, os, sys
from importlib.metadata import distributions

name = os.environ["TOX_ENV_NAME"]
outcomes = {"redirects_patched": "passed", "objects": "passed", "scale": "passed",
            **json.load(open("behaviour.json")).get(name, {})}
sets = {one: {"outcome": outcome, "seconds": 0.1, "cpu_seconds": 0.1,
              "tests": [{"name": "test_one", "outcome": outcome, "seconds": 0.1, "detail": None}]}
        for one, outcome in outcomes.items() if one not in os.environ["CELL_LEAVES_OUT"].split()}
packages = {one.metadata["Name"]: one.version for one in distributions()}
with open(os.environ["CELL_RESULTS"], "w") as file:
    json.dump({"format": 1, "python": sys.version.split()[0], "executable": sys.executable, "packages": packages,
               "sets": sets}, file)
sys.exit("failed" in outcomes.values())
"""
_ALL = {"redirects_patched", "objects", "scale"}
NEWEST, OLDER, ALONE = f"{PY}-boto1.26", f"{PY}-boto1.26.20", f"{PY}-boto1.17"


@pytest.fixture
def shared(project: SmallProject) -> SmallProject:
    """A project of three cells, two of which are of one class, that runs `scale` once per class."""
    project.write_matrix([("1.26.24", "1.29.24"), ("1.26.20", "1.29.20"), ("1.17.1", "1.20.1")])
    (project.folder / "aistore_patch").symlink_to(REPOSITORY / "aistore_patch")
    known = {Version("1.29.20"): "a", Version("1.29.24"): "a", Version("1.20.1"): "b"}
    write_record(SurfaceRecord().with_releases(declaration_of("botocore"), known), project.folder / "surface.json")
    for version in map(str, known):
        content = wheel("botocore", version, {"endpoint.py": "class Endpoint: pass"})
        project.add_wheel("botocore", version).write_bytes(content)
    project.add_wheel("urllib3", "2.8.0")
    (project.folder / "pyproject.toml").write_text(
        '[dependency-groups]\ncell = ["urllib3"]\n[tool.boto_matrix.once-per-class]\nscale = "it is slow"\n'
    )
    (project.folder / "tests.py").write_text(_TESTS)
    project.set_up_tox(commands="python tests.py {posargs}")
    return project


def result(project: SmallProject, name: str) -> CellResult:
    return next(one for one in project.results().cells if one.name == name)


def ran_whole(project: SmallProject, name: str) -> bool:
    one = result(project, name)
    return set(one.sets) == _ALL and not one.covered_by


def test_the_newest_of_a_class_runs_for_the_others_what_one_cell_can(shared: SmallProject) -> None:
    done = shared.boto_matrix("run")
    assert done.exit_code == 0, done.output
    assert ran_whole(shared, NEWEST)
    assert ran_whole(shared, ALONE)
    older = result(shared, OLDER)
    assert (set(older.sets), older.covered_by) == (_ALL - {"scale"}, {"scale": NEWEST})
    assert older.outcome is Outcome.PASSED
    assert "1 cell has left scale to the newest of its class" in done.output


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        ([NEWEST, OLDER, ALONE], {}),
        (["--sets", "all"], {}),
        (["--", "-k", "redirects"], {}),
        ([], {"BOTO3_VERSION": "1.26.24", "BOTOCORE_VERSION": "1.29.24"}),
    ],
)
def test_all_runs_in_cells_that_are_named_and_where_less_than_the_matrix_is_asked_for(
    shared: SmallProject, arguments: list[str], environ: dict[str, str]
) -> None:
    shared.boto_matrix("run", *arguments, **environ)
    assert all(ran_whole(shared, name) for name in (NEWEST, OLDER, ALONE))


def test_all_runs_in_a_tox_that_was_typed(shared: SmallProject) -> None:
    done = shared.tox("-e", OLDER)
    assert done.exit_code == 0, done.output
    (written,) = (shared.folder / ".tox" / OLDER).rglob("results.json")
    assert set(json.loads(written.read_text())["sets"]) == _ALL


def test_what_failed_for_all_is_passed_for_none(shared: SmallProject) -> None:
    behave(shared, NEWEST, scale="failed")
    assert shared.boto_matrix("run").exit_code == 1
    assert result(shared, NEWEST).outcome is Outcome.FAILED
    older = result(shared, OLDER)
    assert older.outcome is Outcome.NOT_RUN
    assert older.reason == f"scale left to {NEWEST}, where it ended as: failed"


def test_a_shard_says_of_what_it_left_to_another_one_that_it_did_not_run_and_the_merged_night_that_it_passed(
    shared: SmallProject,
) -> None:
    documents = []
    for names, exit_code in (([OLDER], 1), ([NEWEST, ALONE], 0)):
        assert shared.boto_matrix("run", *names, "--sets", "once-per-class").exit_code == exit_code
        documents.append(shared.results())
    assert [one.outcome for one in documents[0].cells] == [Outcome.NOT_RUN]
    assert documents[0].cells[0].reason == f"scale left to {NEWEST}, which is not in these results"
    assert {one.outcome for one in merge(documents, "merge").cells} == {Outcome.PASSED}


def test_what_was_left_out_in_a_whole_run_is_run_when_the_cell_is_named(shared: SmallProject) -> None:
    shared.boto_matrix("run")
    done = shared.boto_matrix("run", OLDER, "--resume")
    assert "0 of 1 cells passed before" in done.output
    assert ran_whole(shared, OLDER)


def test_a_whole_run_is_resumed_with_what_was_left_out_and_what_was_not(shared: SmallProject) -> None:
    behave(shared, ALONE, objects="failed")
    shared.boto_matrix("run")
    behave(shared, ALONE)
    done = shared.boto_matrix("run", "--resume")
    assert "2 of 3 cells passed before" in done.output
    assert {one.outcome for one in shared.results().cells} == {Outcome.PASSED}
    assert shared.boto_matrix("run", OLDER).exit_code == 0
    assert "3 of 3 cells passed before" in shared.boto_matrix("run", "--resume").output


@pytest.mark.parametrize(
    ("arguments", "environ", "sentence"),
    [
        (["--", "-k", "x"], {}, "--sets once-per-class does not go together with arguments for pytest"),
        ([], {"MOTO_VERSION": "5.0.1"}, "--sets once-per-class does not go together with MOTO_VERSION"),
    ],
)
def test_what_could_not_be_told_then_is_refused(
    shared: SmallProject, arguments: list[str], environ: dict[str, str], sentence: str
) -> None:
    shared.add_wheel("moto", "5.0.1")
    done = shared.boto_matrix("run", "--sets", "once-per-class", *arguments, UV_OFFLINE="", **environ)
    assert done.exit_code == 2
    assert sentence in done.output


@pytest.mark.parametrize("table", ["scale = 1", 'scale = ""', "[tool.boto_matrix]\nonce-per-class = 3"])
def test_a_mistake_in_the_settings_is_said_in_a_line_before_anything_runs(shared: SmallProject, table: str) -> None:
    head = "" if table.startswith("[") else "[tool.boto_matrix.once-per-class]\n"
    (shared.folder / "pyproject.toml").write_text(f"[dependency-groups]\ncell = []\n{head}{table}\n")
    done = shared.boto_matrix("run")
    assert done.exit_code == 2
    assert "expected a table [tool.boto_matrix.once-per-class] of sets, each with the reason in words" in done.output
    assert len(done.output.splitlines()) == 1


def behave(project: SmallProject, name: str, **outcomes: str) -> None:
    (project.folder / "behaviour.json").write_text(json.dumps({name: outcomes}))


def test_each_set_that_runs_once_per_class_is_a_test_file_that_cells_run() -> None:
    files = {path.stem.removeprefix("test_") for path in (REPOSITORY / "tests" / "engine").glob("test_*.py")}
    assert set(sets_once_per_class()) < files
    assert not {"objects", "following", "guard_on_the_wire"} & set(sets_once_per_class()), "the object that was meant"


def test_every_class_of_the_matrix_has_one_cell_that_runs_everything_and_so_has_every_pull_request() -> None:
    matrix = load_matrix(REPOSITORY / "matrix.yaml")
    fingerprints = read_record(REPOSITORY / "surface.json").of(declaration_of("botocore")).fingerprints()
    chosen = representatives_of(matrix)
    assert set(chosen) == {one.name for one in matrix.cells}
    for (_, python, _), of_class in classes(matrix.cells, fingerprints).items():
        names = {chosen[one.name] for one in of_class}
        assert len(names) == 1
        assert names <= {one.name for one in of_class}
        assert {one.python for one in of_class} == {python}
    for one in representatives(matrix.cells, fingerprints):
        assert chosen[one.name] == one.name


@given(st.permutations(range(4)), st.sampled_from("ab"))
def test_the_representative_of_a_class_does_not_depend_on_the_order_of_the_rows(order: list[int], newer: str) -> None:
    pairs = [("1.26.20", "1.29.20"), ("1.26.22", "1.29.22"), ("1.26.24", "1.29.24"), ("1.17.1", "1.20.1")]
    rows = [pairs[number] for number in order] + [("latest", "latest")]
    written = "\n".join(f"  - {{boto3: {boto3}, botocore: {botocore}, python: '>=3.8'}}" for boto3, botocore in rows)
    matrix = parse_matrix(f"pythons: ['3.8', '3.13']\npins:\n{written}\n")
    known = {Version("1.29.20"): "a", Version("1.29.24"): newer}
    found = classes(matrix.cells, known).values()
    chosen = {one.pin.botocore: newest(of_class).pin.botocore for of_class in found for one in of_class}
    if newer == "a":
        assert (chosen["1.29.20"], chosen["1.29.22"], chosen["1.29.24"]) == ("1.29.24",) * 3
    else:
        assert chosen["1.29.22"] == "1.29.22", "it lies between two surfaces"
    assert chosen["1.20.1"] == "1.20.1", "nothing is known of it"
    assert chosen["latest"] == "latest"
    assert all(len({one.python for one in of_class}) == 1 for of_class in found)


# What a document makes of a cell that left a set to another one.
A, B = "py311-boto1.26", "py311-boto1.26.20"
SURFACE = {"botocore": FoundSurface(fingerprint="a", name="since 1.29.0")}


def pair(representative: CellResult | None, **facts: Any) -> CellResult:
    """How a cell ends that left `scale` to a representative."""
    left = cell(B, boto3="1.26.20", **{"surfaces": SURFACE, "covered_by": {"scale": A}, **facts})
    others = [representative] if representative is not None else []
    return next(one for one in settled(run(left, *others)).cells if one.name == B)


def representative(name: str = A, **facts: Any) -> CellResult:
    return cell(name, **{"surfaces": SURFACE, "sets": sets(scale=SetOutcome.PASSED), **facts})


def test_what_the_representative_passed_is_passed() -> None:
    assert pair(representative()).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("representative", "why"),
    [
        (None, "which is not in these results"),
        (representative(sets=sets()), "where it ended as: not run"),
        (representative(sets=sets(scale=SetOutcome.FAILED)), "where it ended as: failed"),
        (representative(sets=sets(scale=SetOutcome.SKIPPED)), "where it ended as: skipped"),
        (cell(A, outcome=Outcome.INSTALL_FAILED), "where it ended as: not run"),
        (representative(arguments="-k quick"), "which ran a part of the tests: -k quick"),
        (representative(surfaces={}), "of another class: the surface of botocore"),
        (
            representative(surfaces={"botocore": FoundSurface(fingerprint="b", name=None)}),
            "of another class: the surface of botocore",
        ),
        (representative(installed={"urllib3": "1.26.20"}), "of another class: the major of urllib3"),
    ],
)
def test_anything_else_is_not_passed_and_the_reason_is_said(representative: CellResult | None, why: str) -> None:
    found = pair(representative)
    assert found.outcome is Outcome.NOT_RUN
    assert found.reason == f"scale left to {A}, {'which is ' if why.startswith('of') else ''}{why}"


def test_a_surface_that_could_not_be_read_is_like_no_other() -> None:
    unread = {"botocore": FoundSurface(fingerprint=None, name=None, problem="it cannot be read")}
    assert pair(representative(surfaces=unread), surfaces=unread).outcome is Outcome.NOT_RUN


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.CRASHED, Outcome.INSTALL_FAILED, Outcome.NO_INTERPRETER])
def test_what_went_wrong_in_a_cell_itself_stays_its_outcome(outcome: Outcome) -> None:
    assert pair(representative(), outcome=outcome, reason="so").outcome is outcome
    assert pair(None, outcome=outcome, reason="so").reason == "so"


def test_a_merged_document_takes_the_newest_part_of_each_and_judges_them_together() -> None:
    left = cell(B, boto3="1.26.20", surfaces=SURFACE, covered_by={"scale": A})
    good = run(left, representative())
    bad = run(representative(outcome=Outcome.FAILED, sets=sets(scale=SetOutcome.FAILED)), **later(good, 1))
    outcomes = {one.name: one.outcome for one in merge([good, bad], "merge").cells}
    assert outcomes == {A: Outcome.FAILED, B: Outcome.NOT_RUN}
    mended = run(representative(), **later(good, 2))
    assert {one.outcome for one in merge([good, bad, mended], "merge").cells} == {Outcome.PASSED}


def test_a_cell_that_awaits_its_representative_takes_the_place_of_an_older_result() -> None:
    older = run(cell(B, outcome=Outcome.FAILED, sets=sets(scale=SetOutcome.FAILED), reason="scale"))
    shard = settled(run(cell(B, surfaces=SURFACE, covered_by={"scale": A}), **later(older, 1)))
    (found,) = merge([older, shard], "merge").cells
    assert (found.outcome, found.covered_by) == (Outcome.NOT_RUN, {"scale": A})


OUTCOMES = st.sampled_from(list(SetOutcome))


@given(own=st.sampled_from(list(Outcome)), other=OUTCOMES, is_there=st.booleans())
def test_settling_is_done_once_and_never_makes_a_result_better(own: Outcome, other: SetOutcome, is_there: bool) -> None:
    left = cell(B, outcome=own, reason=None, surfaces=SURFACE, covered_by={"scale": A}, sets=sets())
    if own is Outcome.NOT_RUN:
        left = left.model_copy(update={"sets": {}})
    document = run(left, *([representative(sets=sets(scale=one_set(other)))] if is_there else []))
    once = settled(document)
    assert settled(once) == once
    assert own_part(once.cells[0]) == left
    is_passed = once.cells[0].outcome is Outcome.PASSED
    assert is_passed == (own is Outcome.PASSED and is_there and other is SetOutcome.PASSED)


@given(
    outcome=st.sampled_from(list(Outcome)),
    arguments=st.sampled_from(["", "-k quick"]),
    there=st.sampled_from([None, *SetOutcome]),
    arguments_there=st.sampled_from(["", "-k quick"]),
)
def test_green_is_only_what_ran_whole_and_whose_representative_passed_all_that_was_left_to_it(
    outcome: Outcome, arguments: str, there: SetOutcome | None, arguments_there: str
) -> None:
    left = cell(B, outcome=outcome, surfaces=SURFACE, covered_by={"scale": A}, arguments=arguments)
    others = [representative(sets=sets(scale=one_set(there)), arguments=arguments_there)] if there is not None else []
    is_own_part_passed = outcome is Outcome.PASSED and not arguments
    is_covered = there is SetOutcome.PASSED and not arguments_there
    assert (B in standing(run(left, *others)).passed) == (is_own_part_passed and is_covered)
    assert standing(run(left, *others)).is_green == (is_own_part_passed and is_covered)


def test_what_was_left_to_a_cell_that_the_matrix_no_longer_has_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "RESULTS", tmp_path)
    monkeypatch.setattr(read, "project_matrix", lambda: SimpleNamespace(cells=[SimpleNamespace(name=B)]))
    document = run(cell(B, surfaces=SURFACE, covered_by={"scale": A}), representative())
    write_results(document, tmp_path / "older.json")
    write_results(run(cell(B, outcome=Outcome.NO_INTERPRETER), **later(document, 1)), tmp_path / "newer.json")
    report = read.read_report([], None)
    assert report.standing.unknown == (B,)


def later(document: RunResult, hours: int) -> dict[str, Any]:
    return {"started": document.started.replace(hour=document.started.hour + hours)}
