"""`python -m boto_matrix propose`: a pull request of what has changed in files."""

from __future__ import annotations

import subprocess

import pytest

from tests.boto_matrix.fake_gh import FakeGh
from tests.boto_matrix.small_project import Done, SmallProject


@pytest.fixture
def repository(project: SmallProject) -> SmallProject:
    """A project that is a git repository with all committed."""
    author = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.test"]
    (project.folder / "surface.json").write_text("{}\n")
    for command in (["init", "-q"], ["add", "matrix.yaml", "surface.json"], [*author, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], cwd=project.folder, check=True, capture_output=True)
    return project


@pytest.fixture
def gh(repository: SmallProject) -> FakeGh:
    return FakeGh(repository)


def propose(repository: SmallProject, *more: str) -> Done:
    files = ["matrix.yaml", "surface.json"]
    return repository.boto_matrix("propose", "--branch", "update-matrix", "--title", "Update", *more, *files)


def git(repository: SmallProject, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=repository.folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_where_nothing_has_changed_nothing_is_proposed(repository: SmallProject, gh: FakeGh) -> None:
    done = propose(repository, "--run", "ci.yml")
    assert done.exit_code == 0
    assert "nothing has changed in matrix.yaml, surface.json" in done.output
    assert gh["asked"] == []


def test_what_has_changed_becomes_a_commit_on_a_branch_and_a_pull_request(repository: SmallProject, gh: FakeGh) -> None:
    repository.write_matrix([("1.26.20", "1.29.20")])
    (repository.folder / "why.txt").write_text("boto3 1.26.20 é is new\n")
    done = propose(repository, "--said", "why.txt", "--run", "ci.yml")
    assert done.exit_code == 0, done.output
    commit = gh["objects"][gh["refs"]["refs/heads/update-matrix"]]
    assert commit["message"] == "Update"
    assert commit["parents"] == [git(repository, "rev-parse", "HEAD")]
    tree = gh["objects"][commit["tree"]]
    assert tree["base_tree"] == git(repository, "rev-parse", "HEAD^{tree}")
    [entry] = tree["tree"]
    assert entry["path"] == "matrix.yaml"
    assert entry["content"] == (repository.folder / "matrix.yaml").read_text()
    [pull] = gh["pulls"]
    assert (pull["title"], pull["head"]) == ("Update", "update-matrix")
    assert pull["body"] == "```\nboto3 1.26.20 é is new\n```"
    assert ["workflow", "run", "ci.yml", "--ref", "update-matrix"] in [asked for asked, _ in gh["asked"]]
    assert git(repository, "log", "--oneline", "--all").count("\n") == 0, "nothing is committed here"


def test_a_second_proposal_replaces_the_first(repository: SmallProject, gh: FakeGh) -> None:
    repository.write_matrix([("1.26.20", "1.29.20")])
    propose(repository)
    first = gh["refs"]
    repository.write_matrix([("1.17.1", "1.20.1")])
    done = propose(repository)
    assert "pull request 7 is up to date" in done.output
    assert len(gh["pulls"]) == 1
    assert list(gh["refs"]) == list(first)
    assert gh["refs"] != first


def test_a_branch_whose_name_begins_alike_is_left_alone(repository: SmallProject, gh: FakeGh) -> None:
    repository.write_matrix([("1.26.20", "1.29.20")])
    repository.boto_matrix("propose", "--branch", "update-matrix-too", "--title", "Another", "matrix.yaml")
    propose(repository)
    assert sorted(gh["refs"]) == ["refs/heads/update-matrix", "refs/heads/update-matrix-too"]


def test_what_gh_refuses_is_told_in_a_line(repository: SmallProject, gh: FakeGh) -> None:
    gh.fail_at("api")
    repository.write_matrix([("1.26.20", "1.29.20")])
    done = propose(repository)
    assert done.exit_code == 2
    assert "gh api --method: HTTP 403" in done.output
    assert "Traceback" not in done.output


def test_a_repository_in_which_workflows_may_not_propose_is_told_which_setting_that_is(
    repository: SmallProject, gh: FakeGh
) -> None:
    gh.set("may_propose", False)
    repository.write_matrix([("1.26.20", "1.29.20")])
    done = propose(repository)
    assert done.exit_code == 2
    assert "Tick Settings → Actions → General → Workflow permissions → Allow GitHub Actions to create" in done.output
    assert "the branch update-matrix is there" in done.output


def test_a_text_that_is_not_there_is_refused_before_anything_is_done(repository: SmallProject, gh: FakeGh) -> None:
    repository.write_matrix([("1.26.20", "1.29.20")])
    done = propose(repository, "--said", "nowhere.txt")
    assert done.exit_code == 2
    assert "nowhere.txt is no file" in done.output
    assert gh["asked"] == []


def test_outside_a_repository_that_is_said(project: SmallProject) -> None:
    done = project.boto_matrix("propose", "--branch", "b", "--title", "T", "matrix.yaml", GIT_CEILING_DIRECTORIES="/")
    assert done.exit_code == 2
    assert "git diff: " in done.output
    assert "Traceback" not in done.output
