"""`python -m boto_matrix update`: what becomes of a matrix.yaml when there are new releases, and what stays."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from packaging.version import Version

from boto_matrix.errors import NoSuchRelease
from boto_matrix.matrix.load import parse_matrix
from boto_matrix.releases.index import PackageIndex
from boto_matrix.results.files import newest_first, write_results
from boto_matrix.results.model import CellResult, Machine, Outcome, PinnedVersions, RunResult
from boto_matrix.update.refresh import NOT_RUN, Refreshed, history_of, refresh
from tests.boto_matrix.conftest import LocalIndex
from tests.boto_matrix.fake_gh import FakeGh
from tests.boto_matrix.small_project import SmallProject
from tests.boto_matrix.surface_packages import declare_surface, publish, publish_botocore, publish_others, use_index

HEAD = """\
# What this is about.

pythons: ['3.8', '3.9', '3.10', '3.11']  # all

pins:
"""
FULL = (
    HEAD
    + """\
  - {boto3: latest, botocore: latest, python: '>=3.8'}
  # the newest ones
  - {boto3: 1.44.2, botocore: 1.44.2, python: '>=3.10'}
  - {boto3: 1.42.3, botocore: 1.42.3, python: ">=3.9"}  # with a remark
  - {boto3: 1.41.2, botocore: 1.41.2, python: '>=3.9'}
  - {boto3: 1.37.2, botocore: 1.37.2, python: '>=3.8'}
  - {boto3: 1.26.30, botocore: 1.29.30, python: '>=3.8'}
  # somebody's own
  - {boto3: 1.26.24, botocore: 1.29.27, python: '>=3.8'}
  - {boto3: 1.17.2, botocore: 1.20.2, python: '>=3.8,<3.11', why: 'six is too old'}
"""
)
ONE_CLASS = {Version("1.20.2"): "a", Version("1.44.2"): "a"}


@pytest.fixture
def index(boto_index: PackageIndex) -> PackageIndex:
    """Minors 1.17, 1.26 (20 to 30), 1.37, 1.41, 1.42, 1.44; a prerelease and a yanked release on top."""
    return boto_index


def refreshed(text: str, index: PackageIndex, fingerprints: dict[Version, str] | None = None) -> Refreshed:
    result = refresh(text, index, ONE_CLASS if fingerprints is None else fingerprints, {})
    parse_matrix(result.text)
    return result


def lines_added(result: Refreshed, before: str) -> list[str]:
    return [line.strip() for line in result.text.splitlines() if line not in before.splitlines()]


def test_a_matrix_that_is_up_to_date_is_left_as_it_is_to_the_byte(index: PackageIndex) -> None:
    assert refreshed(FULL, index) == Refreshed(FULL)


def test_the_newest_row_of_a_minor_moves_on_in_its_place(index: PackageIndex) -> None:
    old = FULL.replace("boto3: 1.44.2, botocore: 1.44.2", "boto3: 1.44.0, botocore: 1.44.0")
    result = refreshed(old, index)
    assert result.text == FULL.replace(
        "botocore: 1.44.2, python: '>=3.10'", "botocore: 1.44.2, python: '>=3.10', why: 'not run yet'"
    )
    assert result.changes == (
        "changed boto3 1.44.0 with botocore 1.44.0 to boto3 1.44.2 with botocore 1.44.2: the newest of 1.44",
    )


def test_a_newer_botocore_for_the_newest_boto3_is_taken(index: PackageIndex) -> None:
    result = refreshed(FULL.replace("botocore: 1.42.3", "botocore: 1.42.2"), index)
    assert lines_added(result, FULL) == [
        "- {boto3: 1.42.3, botocore: 1.42.3, python: \">=3.9\", why: 'not run yet'} # with a remark"
    ]


def test_a_new_minor_gets_a_row_of_its_own_above_the_others(index: PackageIndex) -> None:
    without = "\n".join(line for line in FULL.splitlines() if "1.44.2" not in line) + "\n"
    result = refreshed(without, index)
    assert lines_added(result, without) == ["- {boto3: 1.44.2, botocore: 1.44.2, python: '>=3.10', why: 'not run yet'}"]
    assert [pin.boto3 for pin in parse_matrix(result.text).pins][:2] == ["latest", "1.44.2"]
    assert result.changes == ("added boto3 1.44.2 with botocore 1.44.2: the newest of 1.44",)


def test_comments_quotes_and_rows_that_somebody_put_there_stay(index: PackageIndex) -> None:
    result = refreshed(FULL.replace("1.44.2", "1.44.0").replace("1.37.2", "1.37.0"), index)
    comments = ("# What this is about.", "# all", "# the newest ones", "# with a remark", "# somebody's own")
    assert all(kept in result.text for kept in (*comments, '">=3.9"'))
    assert "  - {boto3: 1.26.24, botocore: 1.29.27, python: '>=3.8'}\n" in result.text


def test_a_new_row_takes_its_limits_from_the_metadata_and_from_the_row_beside_it(index: PackageIndex) -> None:
    result = refreshed(FULL.replace("boto3: 1.17.2, botocore: 1.20.2", "boto3: 1.17.0, botocore: 1.20.0"), index)
    assert lines_added(result, FULL) == [
        "- {boto3: 1.17.2, botocore: 1.20.2, python: '>=3.8,<3.11', why: 'six is too old; not run yet'}"
    ]


def test_metadata_that_refuses_a_python_in_the_middle_or_above_is_kept_to(local_index: LocalIndex) -> None:
    local_index.add_pairs(44, 44, range(1), python=">=3.9,!=3.10.*")
    text = HEAD + "  - {boto3: latest, botocore: latest, python: '>=3.8'}\n"
    result = refreshed(text, PackageIndex(local_index.url), {})
    assert [pin.pythons for pin in parse_matrix(result.text).pins][1] == ("3.9", "3.11")


def test_both_sides_of_a_change_of_the_surface_get_rows(index: PackageIndex) -> None:
    changed = {Version(f"1.29.{patch}"): "a" if patch < 23 else "b" for patch in range(20, 31)}
    result = refreshed(FULL, index, changed)
    assert lines_added(result, FULL) == [
        "# both sides of botocore 1.29.23",
        "- {boto3: 1.26.23, botocore: 1.29.23, python: '>=3.8', why: 'not run yet'}",
        "- {boto3: 1.26.22, botocore: 1.29.22, python: '>=3.8', why: 'not run yet'}",
        "- {boto3: 1.26.20, botocore: 1.29.20, python: '>=3.8', why: 'not run yet'}",  # the first of all
    ]
    assert "botocore 1.29.22: the last before botocore 1.29.23 changed the surface" in "\n".join(result.changes)


def test_the_newest_row_of_a_minor_stays_when_it_is_one_side_of_a_change(local_index: LocalIndex) -> None:
    local_index.add_pairs(44, 44, range(5))
    text = HEAD + "  - {boto3: 1.44.2, botocore: 1.44.2, python: '>=3.8'}\n"
    changed = {Version(f"1.44.{patch}"): "a" if patch < 2 else "b" for patch in range(5)}
    result = refreshed(text, PackageIndex(local_index.url), changed)
    assert [pin.boto3 for pin in parse_matrix(result.text).pins] == ["1.44.4", "1.44.2", "1.44.1", "1.44.0"]
    assert text.splitlines()[-1] in result.text


def test_a_side_whose_own_boto3_has_a_row_already_gets_the_one_before(local_index: LocalIndex) -> None:
    for version, needs in (("1.44.0", ">=1.44.0,<1.45"), ("1.44.1", ">=1.44.0,<1.45")):
        local_index.add("boto3", version, needs=f"botocore{needs}")
    for patch in range(3):
        local_index.add("botocore", f"1.44.{patch}")
    text = HEAD + "  - {boto3: 1.44.1, botocore: 1.44.2, python: '>=3.8'}\n"
    changed = {Version("1.44.1"): "a", Version("1.44.2"): "b"}
    result = refreshed(text, PackageIndex(local_index.url), changed)
    assert [(pin.boto3, pin.botocore) for pin in parse_matrix(result.text).pins] == [
        ("1.44.1", "1.44.2"),
        ("1.44.0", "1.44.1"),
    ]


def test_a_side_that_no_boto3_admits_is_said_and_nothing_is_invented(local_index: LocalIndex) -> None:
    local_index.add("boto3", "1.44.0", needs="botocore>=1.44.2,<1.45")
    for patch in range(3):
        local_index.add("botocore", f"1.44.{patch}")
    text = HEAD + "  - {boto3: 1.44.0, botocore: 1.44.2, python: '>=3.8'}\n"
    result = refreshed(text, PackageIndex(local_index.url), {Version("1.44.1"): "a", Version("1.44.2"): "b"})
    assert [pin.boto3 for pin in parse_matrix(result.text).pins] == ["1.44.0"]
    assert result.changes == ()
    assert result.remarks[0].startswith("no row for botocore 1.44.1")


def test_a_row_of_a_release_that_was_taken_back_gives_way(local_index: LocalIndex) -> None:
    local_index.add_pairs(44, 44, range(3))
    local_index.add("boto3", "1.44.3", needs="botocore>=1.44.2,<1.45.0", is_yanked=True)
    text = HEAD + "  # newest\n  - {boto3: 1.44.3, botocore: 1.44.2, python: '>=3.8'}\n"
    result = refreshed(text, PackageIndex(local_index.url))
    assert [pin.boto3 for pin in parse_matrix(result.text).pins] == ["1.44.2"]
    assert "the other was taken back" in result.changes[0]
    assert "# newest" in result.text


def test_a_row_of_somebodys_own_that_was_taken_back_is_removed_and_its_comment_stays(local_index: LocalIndex) -> None:
    local_index.add_pairs(44, 44, range(3))
    local_index.files["botocore"]["botocore-1.44.0-py3-none-any.whl"].is_yanked = True
    rows = "".join(f"  # {n}\n  - {{boto3: 1.44.{n}, botocore: 1.44.{n}, python: '>=3.8'}}\n" for n in (2, 0, 1))
    result = refreshed(HEAD + rows, PackageIndex(local_index.url), {})
    assert [pin.boto3 for pin in parse_matrix(result.text).pins] == ["1.44.2", "1.44.1"]
    assert all(f"# {number}\n" in result.text for number in range(3))
    assert result.changes == ("removed boto3 1.44.0 with botocore 1.44.0: it was taken back",)


def test_a_row_that_is_newer_than_what_has_cooled_down_stays(boto_index: PackageIndex) -> None:
    text = FULL.replace("1.44.2", "1.44.9")
    assert refreshed(text, boto_index, {}) == Refreshed(text)


def test_a_boto3_without_a_botocore_in_the_index_is_an_error_that_names_it(local_index: LocalIndex) -> None:
    local_index.add_pairs(44, 44, range(1))
    local_index.add("boto3", "1.45.0", needs="botocore>=1.45.0,<1.46")
    text = HEAD + "  - {boto3: latest, botocore: latest, python: '>=3.8'}\n"
    with pytest.raises(NoSuchRelease, match=r"the newest boto3 1\.45 has no botocore in the index"):
        refresh(text, PackageIndex(local_index.url), {}, {})


def test_what_was_updated_needs_no_update(index: PackageIndex) -> None:
    changed = {Version(f"1.29.{patch}"): "a" if patch < 23 else "b" for patch in range(20, 31)}
    once = refreshed(HEAD + "  - {boto3: latest, botocore: latest, python: '>=3.8'}\n", index, changed)
    assert len(once.changes) == 6 + 3
    assert refreshed(once.text, index, changed) == Refreshed(once.text)


@pytest.mark.parametrize(
    ("outcomes", "is_said_no_longer"),
    [
        ([Outcome.PASSED, Outcome.PASSED], True),
        ([Outcome.PASSED, Outcome.NO_INTERPRETER], True),
        ([Outcome.PASSED, Outcome.FAILED], False),
        ([Outcome.NOT_RUN, Outcome.NOT_RUN], False),
        ([Outcome.INSTALL_FAILED], False),
    ],
)
def test_that_a_pair_has_not_run_is_said_until_it_has_passed(
    outcomes: list[Outcome], is_said_no_longer: bool, index: PackageIndex, tmp_path: Path
) -> None:
    text = FULL.replace("why: 'six is too old'", f"why: 'six is too old; {NOT_RUN}'")
    write_results(_run("1.17.2", "1.20.2", outcomes), tmp_path / "one.json")
    (tmp_path / "other.json").write_text("{}")
    result = refresh(text, index, ONE_CLASS, history_of(newest_first(tmp_path)))
    assert (result.text == FULL) is is_said_no_longer
    assert bool(result.changes) is is_said_no_longer


def test_the_last_run_of_a_cell_counts(tmp_path: Path) -> None:
    first = _run("1.17.2", "1.20.2", [Outcome.PASSED])
    an_hour_later = {"started": first.started + timedelta(hours=1)}
    later = _run("1.17.2", "1.20.2", [Outcome.FAILED]).model_copy(update=an_hour_later)
    write_results(later, tmp_path / "a.json")
    write_results(first, tmp_path / "b.json")
    assert history_of(newest_first(tmp_path)) == {("1.17.2", "1.20.2"): {"3.8": False}}


def _run(boto3: str, botocore: str, outcomes: list[Outcome]) -> RunResult:
    cells = tuple(
        CellResult(
            name=f"py3{minor}-boto{boto3}",
            python=f"3.{minor}",
            pin=PinnedVersions(boto3=boto3, botocore=botocore),
            outcome=outcome,
            requested={"boto3": boto3, "botocore": botocore},
            repeat="make matrix",
        )
        for minor, outcome in enumerate(outcomes, start=8)
    )
    machine = Machine(system="Linux", release="6", architecture="x86_64", cpus=2)
    started = datetime(2026, 11, 23, tzinfo=timezone.utc)
    return RunResult(
        started=started, seconds=1.0, finished=True, command="run", machine=machine, tools={}, cells=cells
    )


@pytest.fixture
def typed_in(project: SmallProject, local_index: LocalIndex) -> SmallProject:
    """A project with a matrix of 1.26.20, and an index with 1.26.20 to 1.26.24."""
    declare_surface(project)
    use_index(project, local_index.url)
    for patch in range(20, 25):
        add_pair(local_index, patch)
    publish_others(local_index)
    (project.folder / "matrix.yaml").write_text(
        HEAD + "  - {boto3: 1.26.20, botocore: 1.29.20, python: '>=3.8'}  # the only one\n"
    )
    return project


def add_pair(index: LocalIndex, patch: int, *, uploaded: str = "2026-01-02T03:04:05Z", answer: str = "1") -> None:
    publish_botocore(index, f"1.29.{patch}", answer, uploaded=uploaded)
    needs = f"botocore (<1.30.0,>=1.29.{patch})"
    publish(index, "boto3", f"1.26.{patch}", {}, needs=needs, uploaded=uploaded)


def pairs(project: SmallProject) -> list[str]:
    return [pin.boto3 for pin in parse_matrix((project.folder / "matrix.yaml").read_text()).pins]


def test_update_edits_the_file_and_says_what_and_why(typed_in: SmallProject) -> None:
    done = typed_in.boto_matrix("update")
    assert done.exit_code == 0, done.output
    assert pairs(typed_in) == ["1.26.24", "1.26.20"]  # the newest, and the first of the first class
    assert "# the only one" in (typed_in.folder / "matrix.yaml").read_text()
    assert "added boto3 1.26.24 with botocore 1.29.24: the newest of 1.26" in done.output
    assert (typed_in.folder / "surface.json").exists()
    again = typed_in.boto_matrix("update", "--check")
    assert again.exit_code == 0
    assert "up to date" in again.output


def test_check_says_what_would_change_and_touches_nothing(typed_in: SmallProject) -> None:
    path = typed_in.folder / "matrix.yaml"
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    done = typed_in.boto_matrix("update", "--check")
    assert done.exit_code == 1
    assert "added boto3 1.26.24" in done.output
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert not (typed_in.folder / "surface.json").exists()


def test_a_release_waits_until_it_has_cooled_down(typed_in: SmallProject, local_index: LocalIndex) -> None:
    hour_ago = (datetime.now(timezone.utc) - timedelta(hours=1)).isoformat()
    add_pair(local_index, 25, uploaded=hour_ago, answer="2")
    assert typed_in.boto_matrix("update").exit_code == 0
    assert "1.26.25" not in pairs(typed_in)
    done = typed_in.boto_matrix("update", "--cooldown", "0.5")
    assert done.exit_code == 0
    assert pairs(typed_in)[:2] == ["1.26.25", "1.26.24"]
    assert "botocore 1.29.25 begins a surface class that was not known" in done.output


def test_a_longer_cooldown_forgets_nothing_of_what_was_examined(
    typed_in: SmallProject, local_index: LocalIndex
) -> None:
    yesterday = (datetime.now(timezone.utc) - timedelta(hours=24)).isoformat()
    add_pair(local_index, 25, uploaded=yesterday, answer="2")
    typed_in.boto_matrix("update", "--cooldown", "0")
    known = (typed_in.folder / "surface.json").read_text()
    assert typed_in.boto_matrix("update").exit_code == 0
    assert (typed_in.folder / "surface.json").read_text() == known
    assert pairs(typed_in)[0] == "1.26.25"


def test_without_a_network_there_is_a_sentence_and_the_files_are_as_they_were(
    typed_in: SmallProject, closed_port: str
) -> None:
    before = sorted((path.name, path.read_bytes()) for path in typed_in.folder.glob("*.*") if path.is_file())
    done = typed_in.boto_matrix("update", UV_DEFAULT_INDEX=closed_port)
    assert done.exit_code == 2
    assert "cannot be asked" in done.output
    assert "Traceback" not in done.output
    assert sorted((path.name, path.read_bytes()) for path in typed_in.folder.glob("*.*") if path.is_file()) == before


@pytest.mark.parametrize("hours", ["-1", "nan", "inf", "two"])
def test_a_cooldown_that_is_none_is_refused(hours: str, typed_in: SmallProject) -> None:
    done = typed_in.boto_matrix("update", f"--cooldown={hours}")
    assert done.exit_code == 2
    assert "--cooldown" in done.output
    assert "Traceback" not in done.output


def test_a_mistake_in_the_file_is_told_before_anything_is_asked(
    typed_in: SmallProject, local_index: LocalIndex
) -> None:
    (typed_in.folder / "matrix.yaml").write_text(HEAD + "  - {boto3: 1.26.20}\n")
    done = typed_in.boto_matrix("update")
    assert done.exit_code == 2
    assert "matrix.yaml:6:" in done.output
    assert local_index.asked == []


def test_a_week_becomes_a_pull_request_with_what_changed_and_why_and_the_next_one_brings_it_up_to_date(
    typed_in: SmallProject, local_index: LocalIndex
) -> None:
    """What update.yml does, with a program in the place of gh that remembers what there is on GitHub."""
    author = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.test")
    for command in (("init", "-q"), ("add", "matrix.yaml"), (*author, "commit", "-q", "-m", "first")):
        subprocess.run(["git", *command], cwd=typed_in.folder, check=True, capture_output=True)
    gh = FakeGh(typed_in)
    proposing = ("propose", "matrix.yaml", "--branch", "update-matrix", "--title", "Update", "--said", "said.txt")
    for patch, done_with_it in ((24, "opened https://example.test/7"), (25, "pull request 7 is up to date")):
        add_pair(local_index, patch)
        (typed_in.folder / "said.txt").write_text(typed_in.boto_matrix("update").output)
        done = typed_in.boto_matrix(*proposing, "--run", "ci.yml")
        assert (done.exit_code, done.output.strip()) == (0, done_with_it)
        [pull] = gh["pulls"]
        assert f"boto3 1.26.{patch} with botocore 1.29.{patch}: the newest of 1.26" in pull["body"]
        commit = gh["objects"][gh["refs"]["refs/heads/update-matrix"]]
        [entry] = gh["objects"][commit["tree"]]["tree"]
        assert f"boto3: 1.26.{patch}" in entry["content"]
    assert [asked for asked, _ in gh["asked"]].count(["workflow", "run", "ci.yml", "--ref", "update-matrix"]) == 2
