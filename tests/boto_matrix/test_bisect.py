"""`python -m boto_matrix bisect`: the search itself, and the command on a project with made-up releases."""

from __future__ import annotations

import math
import re
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from boto_matrix.bisect.candidates import Candidates
from boto_matrix.bisect.search import first_difference, most_questions
from boto_matrix.matrix.load import parse_matrix
from boto_matrix.releases.index import PackageIndex
from tests.boto_matrix.conftest import LocalIndex
from tests.boto_matrix.fifo import Fifo
from tests.boto_matrix.small_project import PY, PYTHON, SmallProject
from tests.boto_matrix.surface_packages import declare_surface, publish, publish_botocore, use_index

# Stands for the tests of a cell: the set `redirects_patched` fails from botocore 1.29.25 on, `other` never does.
_CHECK = """
import json, os, sys, time
from importlib.metadata import distributions

packages = {one.metadata["Name"]: one.version for one in distributions()}
patch = int(packages["botocore"].split(".")[2])
if os.path.exists("fifo") and patch not in (20, 28):
    with open("fifo", "wb", buffering=0) as fifo:
        fifo.write(b"!")
        time.sleep(1000)
outcome = "failed" if patch >= FIRST_BAD else "passed"
test = {"name": "test_one", "seconds": 0.1, "detail": None}
one = {"seconds": 0.1, "cpu_seconds": 0.1}
sets = {
    "redirects_patched": {**one, "outcome": outcome, "tests": [{**test, "outcome": outcome}]},
    "other": {**one, "outcome": "passed", "tests": [{**test, "outcome": "passed"}]},
}
python = {"python": sys.version.split()[0], "executable": sys.executable}
report = {"format": 1, **python, "packages": packages, "sets": sets}
with open(os.environ["CELL_RESULTS"], "w") as file:
    json.dump(report, file)
with open("arguments", "a") as file:
    file.write(" ".join(sys.argv[1:]) + "\\n")
with open("ran", "a") as file:
    file.write(os.environ["TOX_ENV_NAME"] + " " + packages["botocore"] + "\\n")
sys.exit(outcome == "failed")
"""


@given(st.integers(1, 3000), st.data())
def test_the_first_that_differs_is_found_with_few_questions(places: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, places))
    asked: list[int] = []

    def differs(number: int) -> bool:
        asked.append(number)
        return number >= first

    assert first_difference(places + 1, differs) == (first - 1, first)
    assert len(asked) <= math.ceil(math.log2(places)) == most_questions(places + 1)


@pytest.mark.parametrize("count", range(2, 40))
def test_every_position_is_found(count: int) -> None:
    for first in range(1, count):
        assert first_difference(count, first.__le__) == (first - 1, first)


@given(st.integers(2, 60), st.data())
def test_what_cannot_be_told_is_searched_around(count: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, count - 1))
    untold = data.draw(st.sets(st.integers(1, count - 1))) - {count - 1}
    asked: list[int] = []

    def differs(number: int) -> bool | None:
        asked.append(number)
        return None if number in untold else number >= first

    same, different = first_difference(count, differs)
    assert same < first <= different
    assert set(range(same + 1, different)) <= untold
    assert len(asked) == len(set(asked))


@pytest.fixture
def typed_in(project: SmallProject, local_index: LocalIndex) -> SmallProject:
    """A project with one pin, 1.26.20, and releases to 1.26.28, of which 1.26.25 is the first bad one."""
    declare_surface(project)
    use_index(project, local_index.url)
    project.write_matrix([("1.26.20", "1.29.20")])
    behave(project, first_bad=25)
    for patch in range(20, 29):
        add_pair(project, local_index, patch, answer="1" if patch < 25 else "2")
    return project


def behave(project: SmallProject, *, first_bad: int) -> None:
    (project.folder / "check.py").write_text(_CHECK.replace("FIRST_BAD", str(first_bad)))


def add_pair(project: SmallProject, index: LocalIndex, patch: int, *, answer: str) -> None:
    needs = f"botocore (<1.30.0,>=1.29.{patch})"
    for package, version, content in (
        ("botocore", f"1.29.{patch}", publish_botocore(index, f"1.29.{patch}", answer)),
        ("boto3", f"1.26.{patch}", publish(index, "boto3", f"1.26.{patch}", {}, needs=needs)),
    ):
        (project.folder / "wheels" / f"{package}-{version}-py3-none-any.whl").write_bytes(content)


def ran(project: SmallProject) -> list[str]:
    path = project.folder / "ran"
    return path.read_text().splitlines() if path.exists() else []


def test_the_first_bad_release_is_found_by_few_cells_and_everything_is_said(typed_in: SmallProject) -> None:
    done = typed_in.boto_matrix("bisect", "--good", "1.26.20", "--bad", "1.26.28")
    assert done.exit_code == 0, done.output
    assert "boto3 1.26.25 is the first release that fails; 1.26.24 does not." in done.output
    changed = "What is stood on changed between botocore 1.29.24 and 1.29.25: botocore.endpoint:Endpoint.send."
    assert changed in done.output
    assert "surface --diff 1.29.24 1.29.25" in done.output
    commands = re.findall(r"BOTO3_VERSION=(\S+) BOTOCORE_VERSION=(\S+) make matrix CELLS=(\S+)", done.output)
    assert commands == [("1.26.24", "1.29.24", f"{PY}-boto1.26"), ("1.26.25", "1.29.25", f"{PY}-boto1.26")]
    assert 2 <= len(ran(typed_in)) <= 2 + math.ceil(math.log2(8))
    assert f"At most {2 + math.ceil(math.log2(8))} cells on Python {PYTHON}." in done.output
    assert [path.name for path in (typed_in.folder / ".tox").glob("py*")] == [f"{PY}-boto1.26"]


def test_a_release_that_began_to_pass_is_found_too(typed_in: SmallProject) -> None:
    (typed_in.folder / "check.py").write_text(_CHECK.replace(">= FIRST_BAD", "< 23"))
    done = typed_in.boto_matrix("bisect", "--good", "1.26.23", "--bad", "1.26.21")
    assert "boto3 1.26.23 is the first release that passes; 1.26.22 does not." in done.output
    assert "Nothing that is stood on differs between botocore 1.29.22 and 1.29.23" in done.output


def test_a_release_that_cannot_be_installed_is_searched_around(typed_in: SmallProject) -> None:
    (typed_in.folder / "wheels" / "botocore-1.29.24-py3-none-any.whl").unlink()
    done = typed_in.boto_matrix("bisect", "--good", "1.26.23", "--bad", "1.26.25")
    assert done.exit_code == 0, done.output
    assert "boto3 1.26.24  install failed" in done.output
    assert "boto3 1.26.25 fails and 1.26.23 does not; not installable: 1.26.24." in done.output


def test_a_cell_ends_with_the_first_failure_that_counts_and_runs_nothing_else(typed_in: SmallProject) -> None:
    ends = ("bisect", "--good", "1.26.24", "--bad", "1.26.25")
    typed_in.boto_matrix(*ends, "--set", "redirects_patched", "--", "-k", "one")
    typed_in.boto_matrix(*ends)
    found = (typed_in.folder / "arguments").read_text().splitlines()
    assert found == ["-k one -x --only-set redirects_patched"] * 2 + ["-x"] * 2


def test_only_the_set_that_is_named_counts(typed_in: SmallProject) -> None:
    ends = ("--good", "1.26.24", "--bad", "1.26.25")
    done = typed_in.boto_matrix("bisect", *ends, "--set", "redirects_patched")
    assert done.exit_code == 0
    assert "boto3 1.26.25 is the first" in done.output
    done = typed_in.boto_matrix("bisect", *ends, "--set", "other")
    assert done.exit_code == 1
    assert "boto3 1.26.25 passed, and --bad says that it fails: nothing to search" in done.output
    done = typed_in.boto_matrix("bisect", *ends, "--set", "redirect_patched")
    assert done.exit_code == 2
    assert "sets that are there: redirects_patched, other" in done.output


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["--good", "1.26.20"], "required: --bad"),
        (["--good", "new", "--bad", "1.26.26"], "new is no release"),
        (["--good", "1.26.20", "--bad", "1.26.99"], "there is no boto3 1.26.99"),
        (["--good", "1.26.20", "--bad", "1.26.20"], "expected two releases"),
        (["--good", "1.26.20", "--bad", "1.26.26", "--python", "3.7"], "Python 3.7 is not in the matrix"),
        (["--good", "1.26.20", "--bad", "1.26.26", "--package", "s3"], "invalid choice"),
    ],
)
def test_a_mistake_is_told_in_a_sentence_before_any_cell_runs(
    typed: list[str], said: str, typed_in: SmallProject
) -> None:
    done = typed_in.boto_matrix("bisect", *typed)
    assert done.exit_code == 2
    assert said in done.output
    assert "Traceback" not in done.output
    assert ran(typed_in) == []


def test_without_a_network_there_is_a_sentence(typed_in: SmallProject, closed_port: str) -> None:
    done = typed_in.boto_matrix("bisect", "--good", "1.26.20", "--bad", "1.26.26", UV_DEFAULT_INDEX=closed_port)
    assert done.exit_code == 2
    assert "cannot be asked" in done.output
    assert "Traceback" not in done.output


def candidates(package: str, index: PackageIndex) -> Candidates:
    pairs = [("latest", "latest"), ("1.26.30", "1.29.30")]
    rows = [f"  - {{boto3: {boto3}, botocore: {botocore}, python: '>=3.8'}}" for boto3, botocore in pairs]
    return Candidates(package, "3.11", parse_matrix("\n".join(["pythons: ['3.11']", "pins:", *rows])), index)


def test_what_could_not_be_installed_in_any_case_is_not_tried(local_index: LocalIndex) -> None:
    local_index.add_pairs(26, 29, range(9))
    local_index.add_pairs(26, 29, range(3, 5), python="<3.11")
    local_index.files["boto3"]["boto3-1.26.6-py3-none-any.whl"].is_yanked = True
    local_index.add("boto3", "1.26.7rc1")
    found = candidates("boto3", PackageIndex(local_index.url)).between(Version("1.26.1"), Version("1.26.8"))
    assert [version.micro for version in found] == [1, 2, 5, 7, 8]


@pytest.mark.parametrize(
    ("package", "version", "cell", "overrides"),
    [
        ("boto3", "1.26.24", "py311-botolatest", {"BOTO3_VERSION": "1.26.24", "BOTOCORE_VERSION": "1.29.24"}),
        ("botocore", "1.29.24", "py311-botolatest", {"BOTO3_VERSION": "1.26.24", "BOTOCORE_VERSION": "1.29.24"}),
        ("boto3", "1.26.30", "py311-boto1.26", {"BOTO3_VERSION": "", "BOTOCORE_VERSION": ""}),
        ("moto", "5.0.0", "py311-boto1.26", {"MOTO_VERSION": "5.0.0"}),
    ],
)
def test_a_release_is_tried_with_its_companion_of_the_day_in_an_environment_that_there_is(
    package: str, version: str, cell: str, overrides: dict[str, str], boto_index: PackageIndex
) -> None:
    candidate = candidates(package, boto_index).candidate(Version(version))
    assert (candidate.cell.name, candidate.overrides) == (cell, overrides)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_when_it_is_stopped_nothing_is_left_running_and_it_says_how_to_go_on(
    number: signal.Signals, typed_in: SmallProject
) -> None:
    fifo = Fifo(typed_in)
    bisect = typed_in.start("bisect", "--good", "1.26.20", "--bad", "1.26.28")
    fifo.wait_until_a_cell_hangs()
    bisect.send_signal(number)
    output, _ = bisect.communicate(timeout=60)
    fifo.wait_until_no_process_is_left()
    assert bisect.returncode == 130
    assert "Go on with: python -m boto_matrix bisect --good 1.26.20 --bad 1.26.28 --package boto3 --python" in output
    assert "Traceback" not in output
