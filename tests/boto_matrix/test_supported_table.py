"""README's table of supported versions: made from results, and in step with matrix.yaml."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.version import Version

from boto_matrix import PROJECT
from boto_matrix import __main__ as program
from boto_matrix.commands import can
from boto_matrix.matrix.load import parse_matrix, project_matrix
from boto_matrix.results.model import Outcome
from boto_matrix.supported.table import (
    BEGIN,
    END,
    LEFT_OUT,
    NO,
    NOT_KNOWN,
    NOT_RUN,
    YES,
    NoPlace,
    Row,
    newest_of_minors,
    placed,
    table,
)
from tests.boto_matrix.made_results import FAILED, cell, failed, run, written

MATRIX = """
pythons: ['3.9', '3.12', '3.14']
pins:
  - {boto3: latest, botocore: latest, python: '>=3.9'}
  - {boto3: 1.44.8, botocore: 1.44.8, python: '>=3.12'}
  - {boto3: 1.43.90, botocore: 1.43.90, python: '>=3.12'}
  - {boto3: 1.43.3, botocore: 1.43.3, python: '==3.12'}
  - {boto3: 1.26.165, botocore: 1.29.165, python: '>=3.9,<3.14'}
"""
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def read(text: str) -> dict[str, dict[str, str]]:
    """The signs in a written table, by minor of boto3 or span of them and by Python."""
    lines = [[place.strip() for place in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return {line[0]: dict(zip(lines[0][2:], line[2:])) for line in lines[2:]}


def test_readme_has_each_minor_and_python_of_the_matrix_and_claims_no_cell_that_there_is_not() -> None:
    signs = read(README[README.index(BEGIN) : README.index(END)])
    rows = []
    for pin in newest_of_minors(project_matrix()):
        boto3, botocore = Version(pin.boto3), Version(pin.botocore)
        row = next(row for span, row in signs.items() if _spans(span, boto3))
        for python in project_matrix().pythons:
            allowed = {YES, NO, NOT_RUN, NOT_KNOWN} if python in pin.pythons else {LEFT_OUT}
            assert row[python] in allowed, f"boto3 {boto3} on {python}: make the table anew (its first line says how)"
        rows.append(Row(_minor(boto3), _minor(botocore), {python: row[python] for python in project_matrix().pythons}))
    assert placed(table(rows), README, "README.md") == README  # and it says what it means, and which Python nobody ran


def _spans(span: str, version: Version) -> bool:
    ends = [Version(end) for end in re.findall(r"[\d.]+", span)]
    return ends[0].release[:2] <= version.release[:2] <= ends[-1].release[:2]


def _minor(version: Version) -> str:
    return f"{version.major}.{version.minor}"


@pytest.fixture(autouse=True)
def _small_matrix(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "readme" not in request.node.name:
        monkeypatch.setattr(can, "project_matrix", lambda: parse_matrix(MATRIX))


def made(*cells: object, path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    results = written(run(*cells), path / "results.json")  # type: ignore[arg-type]  # cells
    assert program.main(["supported", "--results", str(results)]) == 0
    return capsys.readouterr().out


def test_what_passed_failed_or_was_not_run_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = (
        cell("py312-boto1.44", boto3="1.44.8"),
        failed("py312-boto1.43", boto3="1.43.90", noredirect_patched=FAILED),
        cell(
            "py39-boto1.26", boto3="1.26.165", botocore="1.29.165", outcome=Outcome.INSTALL_FAILED, reason="dns error"
        ),
        cell("py314-boto1.44", boto3="1.44.8", outcome=Outcome.NO_INTERPRETER),
    )
    text = made(*cells, path=tmp_path, capsys=capsys)
    assert read(text) == {
        "1.44": {"3.9": LEFT_OUT, "3.12": YES, "3.14": NOT_RUN},
        "1.43": {"3.9": LEFT_OUT, "3.12": NO, "3.14": NOT_RUN},
        "1.26": {"3.9": NOT_KNOWN, "3.12": NOT_RUN, "3.14": LEFT_OUT},
    }
    assert text.strip().endswith("Nothing was run on Python 3.14.")


def test_minors_that_are_alike_share_a_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [*read(made(path=tmp_path, capsys=capsys))] == ["1.43 – 1.44", "1.26"]  # noqa: RUF001


def test_table_is_put_in_its_place_and_checked(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"above\n{BEGIN}\n{END}\nbelow\n")
    results = str(written(run(cell("py312-boto1.44", boto3="1.44.8")), tmp_path / "results.json"))
    command = ["supported", "--results", results, "--write", str(readme)]
    assert program.main([*command, "--check"]) == 1
    assert readme.read_text() == f"above\n{BEGIN}\n{END}\nbelow\n"
    assert program.main(command) == 0
    assert program.main([*command, "--check"]) == 0
    assert readme.read_text().startswith("above\n")
    assert readme.read_text().endswith("\nbelow\n")
    assert "| 1.44 | 1.44 |" in readme.read_text()


def test_file_without_a_place_is_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NoPlace):
        placed("a table", "no place", "README.md")
    results = str(written(run(), tmp_path / "results.json"))
    assert program.main(["supported", "--results", results, "--write", str(tmp_path / "none.md")]) == 2
    assert "cannot be read" in capsys.readouterr().err
