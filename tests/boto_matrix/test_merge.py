"""Several runs as one document: `python -m boto_matrix merge`."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boto_matrix.__main__ import main
from boto_matrix.results.files import read_results
from boto_matrix.results.merge import MergeError, merge
from boto_matrix.results.model import CellResult, Outcome, RunResult
from tests.boto_matrix.made_results import STARTED, cell, failed, run, written

A, B, C = "py311-boto1.26", "py311-boto1.44", "py38-boto1.26"


def night(*cells: CellResult, day: int = 0, command: str = "night") -> RunResult:
    return run(*cells, started=STARTED + timedelta(days=day), command=command)


def outcomes(result: RunResult) -> dict[str, Outcome]:
    return {one.name: one.outcome for one in result.cells}


def test_shards_of_one_night_become_one_run() -> None:
    merged = merge([night(cell(A), command="1/2"), night(failed(B), command="2/2")], "merge")
    assert outcomes(merged) == {A: Outcome.PASSED, B: Outcome.FAILED}


def test_tonight_goes_before_last_night_and_what_did_not_run_tonight_stays() -> None:
    merged = merge([night(cell(A), failed(B)), night(failed(A), day=1)], "merge")
    assert outcomes(merged) == {A: Outcome.FAILED, B: Outcome.FAILED}


@pytest.mark.parametrize("later", [Outcome.NOT_RUN, Outcome.NO_INTERPRETER])
def test_what_ran_goes_before_what_later_did_not(later: Outcome) -> None:
    merged = merge([night(failed(A)), night(cell(A, outcome=later), day=1)], "merge")
    assert outcomes(merged) == {A: Outcome.FAILED}


def test_each_cell_says_of_which_run_it_is() -> None:
    old, new = night(cell(A), cell(B), command="old"), night(cell(A), day=1, command="new")
    merged = merge([new, old], "merge")
    came_from = {one.name: merged.runs[one.run or 0].command for one in merged.cells}
    assert came_from == {A: "new", B: "old"}


def test_what_was_merged_can_be_merged_again_and_no_run_is_lost() -> None:
    first = merge([night(cell(A), command="1"), night(cell(B), day=1, command="2")], "merge")
    merged = merge([first, night(cell(C), day=2, command="3")], "merge")
    assert [origin.command for origin in merged.runs] == ["1", "2", "3"]
    assert [merged.runs[one.run or 0].command for one in merged.cells] == ["1", "2", "3"]


def test_what_is_merged_is_finished_if_all_runs_are_that_something_in_it_is_from() -> None:
    stopped = run(cell(B, outcome=Outcome.NOT_RUN), finished=False)
    assert not merge([night(cell(A)), stopped], "merge").finished
    assert merge([night(cell(A), cell(B), day=1), stopped], "merge").finished


def test_a_resumed_run_that_is_finished_stays_so_when_it_is_merged() -> None:
    killed = run(cell(A), cell(B, outcome=Outcome.NOT_RUN), finished=False)
    resumed = merge([night(cell(B), day=1), killed], "run --resume")
    assert resumed.finished
    assert merge([resumed, night(cell(C))], "merge").finished


@pytest.mark.parametrize(("whole", "part"), [(failed(A), cell(A)), (cell(A), failed(A))])
def test_a_part_of_the_tests_never_takes_the_place_of_all_of_them(whole: CellResult, part: CellResult) -> None:
    narrowed = night(part.model_copy(update={"arguments": "-k multipart"}), day=1)
    assert outcomes(merge([narrowed, night(whole)], "merge")) == {A: whole.outcome}


def test_runs_with_other_overrides_are_not_merged() -> None:
    other = run(cell(B), overrides={"BOTO3_VERSION": "1.26.24"}, started=STARTED + timedelta(hours=1))
    with pytest.raises(MergeError, match=r"had no overrides.*BOTO3_VERSION=1\.26\.24.*same overrides"):
        merge([night(cell(A)), other], "merge")


outcome = st.sampled_from(list(Outcome))
some_runs = st.lists(
    st.builds(
        lambda day, cells, command, arguments: night(
            *(cell(name, outcome=one, arguments=arguments) for name, one in cells.items()), day=day, command=command
        ),
        day=st.integers(0, 3),
        arguments=st.sampled_from(["", "-k multipart"]),
        cells=st.dictionaries(st.sampled_from([A, B, C]), outcome),
        command=st.sampled_from("xy"),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda one: (one.started, one.command),
)


@given(runs=some_runs)
def test_the_order_in_which_runs_are_given_makes_no_difference(runs: list[RunResult]) -> None:
    merged = [merge(order, "merge") for order in itertools.permutations(runs)]
    assert all(one == merged[0] for one in merged)


@given(runs=some_runs)
def test_every_cell_is_there_once_and_as_some_run_found_it(runs: list[RunResult]) -> None:
    merged = merge(runs, "merge")
    assert {one.name for one in merged.cells} == {one.name for each in runs for one in each.cells}
    found = [one for each in runs for one in each.cells]
    assert all(one.model_copy(update={"run": None}) in found for one in merged.cells)


@given(runs=some_runs)
def test_merging_in_steps_is_merging_at_once(runs: list[RunResult]) -> None:
    at_once = merge(runs, "merge")
    in_steps = runs[0]
    for each in runs[1:]:
        in_steps = merge([in_steps, each], "merge")
    assert outcomes(in_steps) == outcomes(at_once)


@given(runs=some_runs)
def test_what_is_known_of_all_the_tests_is_what_it_would_be_without_the_runs_of_a_part(runs: list[RunResult]) -> None:
    whole = [each for each in runs if not any(one.arguments for one in each.cells)]
    known = {one.name: one.outcome for one in merge(whole, "merge").cells if one.is_whole_fact} if whole else {}
    assert {name: one for name, one in outcomes(merge(runs, "merge")).items() if name in known} == known


def test_typed_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [written(night(cell(A)), tmp_path / "1.json"), written(night(failed(B), day=1), tmp_path / "2.json")]
    assert main(["merge", str(tmp_path / "out.json"), *map(str, paths)]) == 0
    assert "2 cells of 2 runs; cells: 1 passed, 1 failed" in capsys.readouterr().out
    assert outcomes(read_results(tmp_path / "out.json")) == {A: Outcome.PASSED, B: Outcome.FAILED}


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(night(cell(A)), tmp_path / "1.json")
    assert main(["merge", "/proc/no/out.json", str(path)]) == 2
    assert "/proc/no/out.json: cannot be written" in capsys.readouterr().err
