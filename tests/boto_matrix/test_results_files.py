"""Files of results that are damaged, cut short, of another format, or something else; and the schema of the good."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boto_matrix.__main__ import main
from boto_matrix.commands.schema import results_schema
from boto_matrix.results.files import ResultsError, read_results
from tests.boto_matrix.made_results import cell, failed, run, written
from tests.boto_matrix.small_project import REPOSITORY

SCHEMA = REPOSITORY / "docs" / "results.schema.json"


def good() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(run(cell("py311-boto1.26"), failed("py311-boto1.44")).model_dump_json())
    return document


def refusal(text: str | bytes, folder: Path) -> str:
    path = folder / "results.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ResultsError) as caught:
        read_results(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


def spoiled(spoil: Callable[[dict[str, Any]], object]) -> str:
    document = good()
    spoil(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda one: one.update(format=2), "is of format 2; this boto_matrix reads format 1. It was written by"),
        (lambda one: one.update(format=0), "is of format 0; this boto_matrix reads format 1. No release wrote that"),
        (lambda one: one.update(format="new"), "`format` is 'new'"),
        (lambda one: one["cells"][1].update(outcome="fine"), "`cells[1].outcome` is 'fine': input should be 'passed'"),
        (lambda one: one["cells"][0].pop("name"), "`cells[0].name` is missing. It is damaged"),
        (lambda one: one["cells"][0].update(new=1), "`cells[0].new` is unknown. It was written by a newer boto_matrix"),
        (lambda one: one["cells"][0].update(python="new"), "`cells[0].python` is 'new'"),
        (lambda one: one["cells"].append(one["cells"][0]), "the cell py311-boto1.26 is there twice"),
        (lambda one: one["cells"][0].update(run=3), "the cell py311-boto1.26 is of run 3, and there are 0 runs"),
        (lambda one: one.pop("started"), "`started` is missing. Name the results of a run"),
        (lambda one: one.update(started="2026-11-23T01:02:03"), "`started` is '2026-11-23T01:02:03'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place_and_what_to_do(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], object], told: str
) -> None:
    assert told in refusal(spoiled(spoil), tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is not JSON: EOF while parsing a value at line 1 column 0. It was cut short"),
        ("<html>", "is not JSON: expected value at line 1 column 1. Name the results of a run"),
        (b"\x1f\x8b\xff", "is not JSON"),
        ("[]", "is a list, not the results of a run. Name the results"),
        ("null", "is null, not the results of a run"),
        ("{}", "`format` is missing. Name the results of a run"),
        ("[" * 100_000, "is not JSON: recursion limit exceeded"),
    ],
)
def test_what_never_was_a_result_is_told_so(tmp_path: Path, text: str | bytes, told: str) -> None:
    assert told in refusal(text, tmp_path)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_a_time_that_is_no_number_is_refused(tmp_path: Path, number: str) -> None:
    refusal(json.dumps(good()).replace("754.5", number), tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"none\.json: cannot be read: No such file"):
        read_results(tmp_path / "none.json")


@given(at=st.floats(0, 0.999))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # each example writes the file anew
def test_wherever_a_file_is_cut_it_is_told_so(tmp_path: Path, at: float) -> None:
    text = json.dumps(good())
    assert "cut short" in refusal(text[: int(len(text) * at)], tmp_path)


@given(at=st.floats(0, 0.999), byte=st.binary(min_size=1, max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_bytes_are_damaged_no_other_error_comes_of_it(tmp_path: Path, at: float, byte: bytes) -> None:
    text = json.dumps(good()).encode()
    place = int(len(text) * at)
    path = tmp_path / "results.json"
    path.write_bytes(text[:place] + byte + text[place + len(byte) :])
    with contextlib.suppress(ResultsError):
        read_results(path)


@pytest.mark.parametrize("command", [["report"], ["merge", "out.json"]])
def test_no_command_ends_in_a_traceback(tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(good())[:-9])
    assert main([*command, str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"boto_matrix: {path}: is not JSON: EOF")


def test_the_schema_in_the_documentation_is_that_of_the_code() -> None:
    assert SCHEMA.read_text() == results_schema(), "run: python -m boto_matrix schema > docs/results.schema.json"


def test_a_written_document_is_what_the_schema_describes(tmp_path: Path) -> None:
    document = json.loads(written(run(cell(), failed("py311-boto1.44")), tmp_path / "r.json").read_text())
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)


def test_the_schema_refuses_what_the_reader_refuses() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    for spoil in (lambda one: one.update(format=2), lambda one: one["cells"][0].update(outcome="fine")):
        assert not validator.is_valid(json.loads(spoiled(spoil)))
