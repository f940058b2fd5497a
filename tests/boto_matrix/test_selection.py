from __future__ import annotations

import os
from pathlib import Path

import pytest

from boto_matrix.machine.interpreters import Interpreters
from boto_matrix.matrix.cells import Matrix
from boto_matrix.matrix.load import parse_matrix
from boto_matrix.releases.requested import _overrides
from boto_matrix.running.selection import corners, one, representatives_here
from tests.boto_matrix.conftest import LocalIndex
from tests.boto_matrix.test_interpreters import fake_python

MATRIX = """
pythons: ["3.8", "3.9", "3.12", "3.13"]
pins:
  - {boto3: 1.44.5, botocore: 1.44.5, python: ">=3.10"}
  - {boto3: 1.26.165, botocore: 1.29.165, python: ">=3.8"}
  - {boto3: 1.26.24, botocore: 1.29.24, python: ">=3.8"}
  - {boto3: 1.17.112, botocore: 1.20.112, python: ">=3.8,<3.12"}
  - {boto3: latest, botocore: latest, python: ">=3.9"}
"""


@pytest.fixture
def matrix() -> Matrix:
    return parse_matrix(MATRIX)


@pytest.fixture(autouse=True)
def nothing_overridden(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BOTO3_VERSION", "BOTOCORE_VERSION", "MOTO_VERSION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("UV_OFFLINE", raising=False)
    _overrides.cache_clear()


def machine_with(folder: Path, *versions: str) -> Interpreters:
    for version in versions:
        fake_python(folder / f"python{version.rpartition('.')[0]}", version)
    return Interpreters({"PATH": str(folder), "HOME": os.devnull})


def test_a_few_cells_are_the_corners_of_what_can_run_here(tmp_path: Path, matrix: Matrix) -> None:
    cells = corners(matrix, machine_with(tmp_path, "3.9.1", "3.12.1", "3.13.0"))
    assert [cell.name for cell in cells] == ["py39-boto1.17", "py39-boto1.26", "py313-boto1.26.24", "py313-boto1.44"]


def test_with_a_single_python_there_are_two_corners(tmp_path: Path, matrix: Matrix) -> None:
    cells = corners(matrix, machine_with(tmp_path, "3.12.1"))
    assert [cell.name for cell in cells] == ["py312-boto1.26.24", "py312-boto1.44"]


def test_with_no_python_of_the_matrix_the_corners_are_those_of_the_matrix(tmp_path: Path, matrix: Matrix) -> None:
    assert corners(matrix, machine_with(tmp_path, "3.7.1"))


def test_a_developer_who_asks_for_nothing_means_the_latest_on_the_newest_python(tmp_path: Path, matrix: Matrix) -> None:
    assert one(matrix, machine_with(tmp_path, "3.9.1", "3.12.1")).name == "py312-botolatest"


@pytest.mark.parametrize(("boto3", "cell"), [("1.17.112", "py39-boto1.17"), ("1.26.30", "py312-boto1.26")])
def test_a_developer_who_names_a_boto3_means_it_on_the_newest_python_that_suits_it(
    tmp_path: Path,
    matrix: Matrix,
    local_index: LocalIndex,
    monkeypatch: pytest.MonkeyPatch,
    boto3: str,
    cell: str,
) -> None:
    botocore = boto3.replace("1.17", "1.20").replace("1.26", "1.29")
    local_index.add("boto3", boto3, needs=f"botocore=={botocore}")
    local_index.add("botocore", botocore)
    monkeypatch.setenv("UV_DEFAULT_INDEX", local_index.url)
    monkeypatch.setenv("BOTO3_VERSION", boto3)
    assert one(matrix, machine_with(tmp_path, "3.9.1", "3.12.1")).name == cell


def test_what_stands_for_all_is_of_the_pythons_that_are_here(tmp_path: Path, matrix: Matrix) -> None:
    cells = representatives_here(matrix, machine_with(tmp_path, "3.9.1", "3.12.1"))
    names = [cell.name for cell in cells]
    assert {"py39-boto1.17", "py39-botolatest", "py312-botolatest", "py312-boto1.44"} <= set(names)
    assert {name.partition("-")[0] for name in names} == {"py39", "py312"}
