"""tox, typed by hand."""

from __future__ import annotations

import configparser
import sys
from pathlib import Path

import pytest

from tests.boto_matrix.conftest import LocalIndex
from tests.boto_matrix.small_project import PY, PYTHON, REPOSITORY, SmallProject, installable_wheel


def installed(project: SmallProject, cell: str) -> dict[str, str]:
    folder = project.folder / ".tox" / cell
    found = (path.name.removesuffix(".dist-info").split("-") for path in folder.rglob("*.dist-info"))
    return {package: version for package, version in found if package.startswith("boto")}


def bytecode_of_boto3(project: SmallProject, workdir: str, cell: str) -> Path:
    (found,) = (project.folder / workdir / cell).rglob(f"boto3.{sys.implementation.cache_tag}.pyc")
    return found


def test_every_cell_is_listed_with_what_it_is(project: SmallProject) -> None:
    done = project.tox("list")
    assert done.exit_code == 0
    assert f"{PY}-boto1.26 -> boto3 1.26.24, botocore 1.29.24 on CPython {PYTHON}" in done.output
    assert f"{PY}-boto1.17 -> boto3 1.17.1, botocore 1.20.1 on CPython {PYTHON}" in done.output


def test_a_cell_runs_with_exactly_its_pin(project: SmallProject) -> None:
    done = project.tox("-e", f"{PY}-boto1.17", "--", "-k", "multipart")
    assert done.exit_code == 0
    seen = project.seen(f"{PY}-boto1.17")
    assert installed(project, f"{PY}-boto1.17") == {"boto3": "1.17.1", "botocore": "1.20.1"}
    assert (seen["environment"]["CELL_BOTO3"], seen["environment"]["CELL_BOTOCORE"]) == ("1.17.1", "1.20.1")
    assert seen["arguments"] == ["-k", "multipart"]


def test_a_new_environment_has_the_bytecode_that_an_earlier_one_compiled(project: SmallProject) -> None:
    cell = f"{PY}-boto1.17"
    for workdir in ("first", "second"):
        assert project.tox("--workdir", workdir, "-e", cell).exit_code == 0
    first, second = (bytecode_of_boto3(project, workdir, cell) for workdir in ("first", "second"))
    assert first.samefile(second)


@pytest.mark.parametrize(
    ("names", "culprit"),
    [
        (f"{PY}-boto1.27", f"{PY}-boto1.27"),
        (f"{PY}-boto1.17,{PY}-boto1.26-more", f"{PY}-boto1.26-more"),
        ("py39-boto1.26", "py39-boto1.26"),  # both factors are there, in other cells
        (PY, PY),
        ("py", "py"),
    ],
)
def test_a_name_that_is_no_cell_is_refused_and_nothing_runs(project: SmallProject, names: str, culprit: str) -> None:
    (project.folder / "matrix.yaml").write_text(
        f"pythons: ['3.9', '{PYTHON}']\npins:\n"
        f"  - {{boto3: 1.26.24, botocore: 1.29.24, python: '=={PYTHON}'}}\n"
        "  - {boto3: 1.17.1, botocore: 1.20.1, python: '>=3.8'}\n"
    )
    done = project.tox("-e", names)
    assert done.exit_code != 0
    assert f"{culprit} is no cell of the matrix" in done.output
    assert "boto1." in done.output.partition("is no cell")[2], "the nearest cells are named"
    assert "Traceback" not in done.output
    assert not list(project.folder.glob("seen-*"))


def test_a_name_in_TOXENV_is_refused_as_one_that_is_typed(project: SmallProject) -> None:  # noqa: N802 - the variable's name
    done = project.tox(TOXENV=f"{PY}-boto1.27")
    assert done.exit_code != 0
    assert f"{PY}-boto1.27 is no cell of the matrix" in done.output
    assert not list(project.folder.glob("seen-*"))


def test_a_factor_selects_its_cells_and_one_that_is_nowhere_is_refused(project: SmallProject) -> None:
    assert project.tox("-f", "boto1.17").exit_code == 0
    assert project.has_run(f"{PY}-boto1.17")
    assert not project.has_run(f"{PY}-boto1.26")
    refused = project.tox("-f", "boto1.16")
    assert refused.exit_code != 0
    assert "no cell has the factor boto1.16" in refused.output
    assert "boto1.17" in refused.output


@pytest.mark.parametrize(
    "setting", ["testenv.deps=boto3==1.0", f"testenv:{PY}-boto1.26.deps+=x", "tox.env_list=a", "testenv.runner=plain"]
)
def test_a_setting_that_the_matrix_makes_itself_is_refused(project: SmallProject, setting: str) -> None:
    done = project.tox("-e", f"{PY}-boto1.26", "-x", setting)
    assert done.exit_code != 0
    assert f"-x {setting}: " in done.output
    assert "is what matrix.yaml makes it" in done.output
    assert "Traceback" not in done.output
    assert not project.has_run(f"{PY}-boto1.26")


def test_tox_p_runs_all_cells(project: SmallProject) -> None:
    assert project.tox("p").exit_code == 0
    assert project.has_run(f"{PY}-boto1.17")
    assert project.has_run(f"{PY}-boto1.26")


def test_a_broken_matrix_is_told_in_a_line_for_each_mistake(project: SmallProject) -> None:
    project.write_matrix([("1.26.24", "1.30.0")])
    done = project.tox("list")
    assert done.exit_code != 0
    assert "matrix.yaml:3: " in done.output
    assert "botocore 1.29" in done.output
    assert "Traceback" not in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_an_environment_is_reused_until_its_pin_changes(project: SmallProject) -> None:
    cell = f"{PY}-boto1.26"
    project.tox("-e", cell)
    mark = project.folder / ".tox" / cell / "mark"
    mark.touch()
    assert project.tox("-e", cell).exit_code == 0
    assert mark.exists()
    project.write_matrix([("1.26.20", "1.29.20")])
    assert project.tox("-e", cell).exit_code == 0
    assert not mark.exists()
    assert installed(project, cell) == {"boto3": "1.26.20", "botocore": "1.29.20"}


def test_what_the_user_has_set_stays_out_of_the_tests(project: SmallProject, tmp_path: Path) -> None:
    ours = {
        "AWS_PROFILE": "mine",
        "AWS_CA_BUNDLE": "/mine.pem",
        "REQUESTS_CA_BUNDLE": "/mine.pem",
        "SSL_CERT_FILE": "",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "no_proxy": "mine.example",
        "PIP_CONFIG_FILE": "/mine.conf",
        "PYTHONPATH": str(tmp_path),
        "BOTO_MATRIX_MINE": "1",
    }
    cell = f"{PY}-boto1.26"
    assert project.tox("-e", cell, **ours).exit_code == 0
    environment = project.seen(cell)["environment"]
    assert not ours.keys() & environment.keys()
    assert not [name for name in environment if name.startswith("UV_")]
    assert environment["HOME"] != str(project.folder)


def test_a_missing_python_is_skipped_with_the_way_to_get_it(project: SmallProject) -> None:
    project.write_matrix([("1.26.24", "1.29.24"), ("1.17.1", "1.20.1")], [PYTHON, "3.99"])
    done = project.tox("p")
    assert done.exit_code == 0
    assert done.output.count("there is no Python 3.99 on this machine; install it with `uv python install 3.99`") == 1
    assert "py399-boto1.26: SKIP" in done.output
    assert project.has_run(f"{PY}-boto1.26")
    assert project.tox("-e", "py399-boto1.26").exit_code != 0, "a run in which nothing ran has failed"


def asking(index: LocalIndex, project: SmallProject, *pairs: tuple[str, str]) -> dict[str, str]:
    """Have an index that knows these pairs, and their wheels at hand; gives the environment for it."""
    for boto3, botocore in pairs:
        index.add("boto3", boto3, needs=f"botocore=={botocore}")
        index.add("botocore", botocore)
        project.add_wheel("boto3", boto3)
        project.add_wheel("botocore", botocore)
    return {"UV_OFFLINE": "0", "UV_DEFAULT_INDEX": index.url}


def test_an_override_replaces_the_pin_of_whatever_is_run(project: SmallProject, local_index: LocalIndex) -> None:
    cell = f"{PY}-boto1.17"
    environ = asking(local_index, project, ("1.26.19", "1.29.19"), ("1.26.20", "1.29.20"))
    done = project.tox("-e", cell, BOTO3_VERSION="1.26", **environ)
    assert done.exit_code == 0, done.output
    assert installed(project, cell) == {"boto3": "1.26.20", "botocore": "1.29.20"}
    assert project.seen(cell)["environment"]["CELL_BOTO3"] == "1.26.20"


def test_versions_are_asked_of_the_index_that_pip_is_told_of_and_installed_from_it(
    project: SmallProject, local_index: LocalIndex
) -> None:
    cell = f"{PY}-boto1.17"
    for package, version in (("boto3", "1.26.20"), ("botocore", "1.29.20")):
        local_index.add(package, version, has_metadata=True)
        (file,) = local_index.files[package].values()
        file.content = installable_wheel(package, version)
    environ = {"UV_OFFLINE": "0", "UV_NO_INDEX": "0", "PIP_INDEX_URL": local_index.url}
    done = project.tox("-e", cell, BOTO3_VERSION="1.26", BOTOCORE_VERSION="1.29", UV_FIND_LINKS="", **environ)
    assert done.exit_code == 0, done.output
    assert installed(project, cell) == {"boto3": "1.26.20", "botocore": "1.29.20"}


def test_an_override_that_cannot_be_is_refused_before_anything_runs(project: SmallProject) -> None:
    done = project.tox("p", BOTO3_VERSION="newish")
    assert done.exit_code != 0
    assert "BOTO3_VERSION=newish cannot be" in done.output
    assert "Traceback" not in done.output
    assert not list(project.folder.glob("seen-*"))


def test_latest_is_put_in_numbers_before_tox_sees_it(project: SmallProject, local_index: LocalIndex) -> None:
    project.write_matrix([("latest", "latest")])
    cell = f"{PY}-botolatest"
    environ = asking(local_index, project, ("1.44.4", "1.44.4"), ("1.44.5", "1.44.5"))
    done = project.tox("-e", cell, **environ)
    assert done.exit_code == 0, done.output
    assert project.seen(cell)["environment"]["CELL_BOTO3"] == "1.44.5"
    assert installed(project, cell) == {"boto3": "1.44.5", "botocore": "1.44.5"}


def test_what_tox_provisions_is_what_the_harness_is_installed_with() -> None:
    settings = configparser.ConfigParser()
    settings.read(REPOSITORY / "tox.ini")
    required = set(settings["tox"]["requires"].split())
    text = (REPOSITORY / "pyproject.toml").read_text()
    harness = text.partition("\nharness = [")[2].partition("]")[0]
    assert required <= {line.strip(' ",') for line in harness.splitlines()}
