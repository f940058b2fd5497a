"""How cells are dealt out, and `python -m boto_matrix plan`."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging.version import Version

from boto_matrix.ci.durations import estimate
from boto_matrix.ci.plan import MOST_SHARDS, deal_out, plan
from boto_matrix.matrix.cells import Cell, Matrix, Pin
from boto_matrix.matrix.load import parse_matrix
from boto_matrix.running.selection import representatives
from boto_matrix.surface.declaration import declaration_of
from boto_matrix.surface.record import SurfaceRecord, write_record
from tests.boto_matrix.small_project import PY, PYTHON, REPOSITORY, SmallProject

SECONDS = st.floats(min_value=0, max_value=1e6, allow_nan=False)
COSTS = st.dictionaries(st.text(min_size=1), SECONDS)
NUMBERS = st.integers(1, MOST_SHARDS)
at_leisure = settings(deadline=None)  # a machine that is busy is no failure

MATRIX = """
pythons: ["3.8", "3.12", "3.13"]
pins:
  - {boto3: latest, botocore: latest, python: ">=3.12"}
  - {boto3: 1.44.5, botocore: 1.44.5, python: ">=3.12"}
  - {boto3: 1.44.1, botocore: 1.44.1, python: ">=3.12"}
  - {boto3: 1.43.0, botocore: 1.43.0, python: ">=3.12"}
  - {boto3: 1.26.165, botocore: 1.29.165, python: ">=3.8"}
  - {boto3: 1.26.24, botocore: 1.29.24, python: ">=3.8"}
  - {boto3: 1.17.112, botocore: 1.20.112, python: ">=3.8,<3.12"}
"""


@pytest.fixture
def matrix() -> Matrix:
    return parse_matrix(MATRIX)


@at_leisure
@given(COSTS, NUMBERS)
def test_every_cell_is_in_exactly_one_shard_in_the_order_of_the_matrix(costs: dict[str, float], number: int) -> None:
    shards = deal_out(costs, number)
    assert sorted(itertools.chain(*shards)) == sorted(costs)
    order = list(costs)
    assert all(shard == sorted(shard, key=order.index) for shard in shards)


@at_leisure
@given(COSTS, NUMBERS)
@example({"0": 0.0, "00": 0.0}, 2)
def test_no_shard_is_empty_and_there_are_no_more_than_asked_for(costs: dict[str, float], number: int) -> None:
    shards = deal_out(costs, number)
    assert all(shards)
    assert len(shards) == min(number, len(costs))


@at_leisure
@given(COSTS, NUMBERS)
def test_the_same_costs_are_always_dealt_out_the_same_way(costs: dict[str, float], number: int) -> None:
    assert deal_out(costs, number) == deal_out(dict(costs), number)


@at_leisure
@given(st.lists(st.integers(0, 100), min_size=1, max_size=6), st.integers(1, 3))
@example([3, 3, 2, 2, 2], 2)  # the longest first is not the best here: 7 where 6 could be had
def test_the_longest_shard_is_within_the_bound_of_the_best_that_can_be(seconds: list[int], number: int) -> None:
    costs = {str(index): float(cost) for index, cost in enumerate(seconds)}
    longest = max(sum(costs[name] for name in shard) for shard in deal_out(costs, number))
    best = min(
        max(sum(cost for cost, at in zip(seconds, places) if at == shard) for shard in range(number))
        for places in itertools.product(range(number), repeat=len(seconds))
    )
    assert 3 * number * longest <= (4 * number - 1) * best


@at_leisure
@given(COSTS.filter(bool), NUMBERS)
def test_no_shard_exceeds_its_fair_share_by_more_than_one_cell(costs: dict[str, float], number: int) -> None:
    longest = max(sum(costs[name] for name in shard) for shard in deal_out(costs, number))
    assert longest <= (sum(costs.values()) / number + max(costs.values())) * (1 + 1e-9)


@st.composite
def planned(draw: st.DrawFn) -> tuple[tuple[Cell, ...], dict[str, float], dict[str, str]]:
    """Cells of a few Pythons, how long some of them took, and the class of each."""
    python_and_surface = st.tuples(st.sampled_from(["3.8", "3.12", "3.13"]), st.integers(0, 4))
    drawn = draw(st.lists(python_and_surface, min_size=1, max_size=30))
    cells = []
    classes = {}
    for number, (python, surface) in enumerate(drawn):
        cell = Cell(python, Pin(f"1.26.{number}", f"1.29.{number}", (python,), None, 1, f"boto1.26.{number}"))
        cells.append(cell)
        classes[cell.name] = f"{python} {surface}"
    known = draw(st.dictionaries(st.sampled_from(list(classes)), SECONDS))
    return tuple(cells), known, classes


@at_leisure
@given(planned(), st.integers(1, 12))
def test_a_plan_has_every_cell_once_and_its_shards_one_python_where_there_are_enough(
    given_cells: tuple[tuple[Cell, ...], dict[str, float], dict[str, str]], number: int
) -> None:
    cells, known, classes = given_cells
    shards = plan(cells, known, number, classes)
    assert sorted(name for shard in shards for name in shard.cells) == sorted(classes)
    assert [shard.number for shard in shards] == list(range(1, len(shards) + 1))
    assert len(shards) == min(number, len(set(classes.values())))
    pythons = {cell.python for cell in cells}
    assert sum(len(shard.pythons) for shard in shards) == max(len(shards), len(pythons))
    shards_of = [{classes[name] for name in shard.cells} for shard in shards]
    assert sum(map(len, shards_of)) == len(set(classes.values())), "a class stays together"


def test_the_python_that_takes_longest_gets_most_machines(matrix: Matrix) -> None:
    alone = {cell.name: cell.name for cell in matrix.cells}
    known = {cell.name: 30.0 if cell.python == "3.13" else 10.0 for cell in matrix.cells}
    pythons = [shard.pythons for shard in plan(matrix.cells, known, 5, alone)]
    assert pythons == [("3.12",), ("3.13",), ("3.13",), ("3.13",), ("3.8",)]


@pytest.mark.parametrize("number", [0, MOST_SHARDS + 1])
def test_more_shards_than_there_can_be_are_refused(matrix: Matrix, number: int) -> None:
    with pytest.raises(ValueError, match="expected 1 to 256"):
        plan(matrix.cells, {}, number, {cell.name: cell.name for cell in matrix.cells})


def test_a_cell_that_never_ran_takes_what_is_usual_on_its_python_or_else_with_its_pin(matrix: Matrix) -> None:
    known = {
        "py312-boto1.44": 10.0, "py312-boto1.43": 30.0, "py312-botolatest": 12.0, "py38-boto1.17": 5.0, "gone": 99.0
    }  # fmt: skip
    costs = estimate(matrix.cells, known)
    assert list(costs) == [cell.name for cell in matrix.cells]
    assert costs["py312-boto1.43"] == 30.0
    assert costs["py312-boto1.26"] == 12.0, "the median on Python 3.12"
    assert costs["py38-boto1.26"] == 5.0
    assert costs["py313-boto1.44"] == 10.0, "nothing is known of 3.13, but of that pin"
    assert costs["py313-boto1.26"] == 12.0, "nothing is known of either: the median of all"


def test_where_nothing_is_known_all_cells_count_the_same(matrix: Matrix) -> None:
    assert len(set(estimate(matrix.cells, {}).values())) == 1


def test_each_class_is_tested_on_its_oldest_and_newest_python_with_its_newest_pin(matrix: Matrix) -> None:
    fingerprints = {
        Version("1.20.0"): "a", Version("1.29.0"): "b", Version("1.29.165"): "b",
        Version("1.43.0"): "c", Version("1.44.0"): "d", Version("1.44.5"): "d",
    }  # fmt: skip
    assert [cell.name for cell in representatives(matrix.cells, fingerprints)] == [
        "py312-botolatest",
        "py313-botolatest",
        "py312-boto1.44",
        "py313-boto1.44",
        "py312-boto1.43",
        "py313-boto1.43",
        "py38-boto1.26",
        "py313-boto1.26",
        "py38-boto1.17",
    ]


def test_a_pin_whose_class_is_not_known_is_tested(matrix: Matrix) -> None:
    fingerprints = {Version("1.29.0"): "b", Version("1.29.100"): "c", Version("1.29.165"): "c"}
    names = [cell.name for cell in representatives(matrix.cells, fingerprints)]
    assert "py38-boto1.26.24" in names, "it lies between releases of two classes"
    assert "py38-boto1.17" in names, "it is older than all that was examined"
    assert "py312-boto1.43" in names, "it is newer than all that was examined"


@pytest.fixture
def project(project: SmallProject) -> SmallProject:
    """The small project, with what the patch stands on in it."""
    (project.folder / "aistore_patch").symlink_to(REPOSITORY / "aistore_patch")
    return project


def test_the_plan_for_a_pull_request_is_part_of_the_nightly_one(project: SmallProject) -> None:
    project.write_matrix([("1.26.24", "1.29.24"), ("1.26.20", "1.29.20")], ["3.8", "3.9", "3.10"])
    one_class = {Version("1.29.20"): "a", Version("1.29.24"): "a"}
    write_record(SurfaceRecord().with_releases(declaration_of("botocore"), one_class), project.folder / "surface.json")
    assert cells_of(project, "--for", "pull-request") == ["py38-boto1.26", "py310-boto1.26"]
    assert len(cells_of(project, "--for", "nightly")) == 6
    nightly = json.loads(project.boto_matrix("plan", "--shards", "20").output)
    assert [shard["pythons"] for shard in nightly] == [["3.8"], ["3.9"], ["3.10"]], "a class is not divided"


def cells_of(project: SmallProject, *arguments: str) -> list[str]:
    done = project.boto_matrix("plan", "--format", "json", *arguments)
    assert done.exit_code == 0, done.output
    return [cell for shard in json.loads(done.output) for cell in shard["cells"]]


def test_for_github_it_is_one_line_that_sets_an_output(project: SmallProject) -> None:
    done = project.boto_matrix("plan", "--shards", "2", "--format", "github")
    name, _, value = done.output.strip().partition("=")
    assert name == "matrix"
    assert json.loads(value) == {
        "include": [
            {"shard": 1, "cells": f"{PY}-boto1.26", "pythons": PYTHON},
            {"shard": 2, "cells": f"{PY}-boto1.17", "pythons": PYTHON},
        ]
    }


def test_what_the_last_run_measured_decides(project: SmallProject) -> None:
    project.write_matrix([("1.26.24", "1.29.24"), ("1.26.20", "1.29.20"), ("1.17.1", "1.20.1")])
    long, others = f"{PY}-boto1.26", {f"{PY}-boto1.26.20", f"{PY}-boto1.17"}
    results = project.folder / "last.json"
    cells = [{"name": long, "install_seconds": 9.0, "tests_seconds": 91.0}]
    cells += [{"name": name, "install_seconds": None, "tests_seconds": 20.0} for name in others]
    results.write_text(json.dumps({"format": 1, "cells": cells}))
    done = project.boto_matrix("plan", "--shards", "2", "--durations", str(results))
    first, second = json.loads(done.output)
    assert (first["cells"], first["seconds"]) == ([long], 100.0)
    assert (set(second["cells"]), second["seconds"]) == (others, 40.0)


@pytest.mark.parametrize("text", [None, "", "{", '{"cells": [{"name": "a", "tests_seconds": -1}]}', "[1]"])
def test_durations_that_cannot_be_read_are_told_and_stop_nothing(project: SmallProject, text: str | None) -> None:
    results: Path = project.folder / "last.json"
    if text is not None:
        results.write_text(text)
    done = project.boto_matrix("plan", "--durations", str(results))
    assert done.exit_code == 0
    assert done.output.count("no durations, so all cells count the same") == 1
    assert "last.json" in done.output


@pytest.mark.parametrize("number", ["0", "257", "many"])
def test_a_number_of_shards_that_cannot_be_is_refused_in_a_line(project: SmallProject, number: str) -> None:
    done = project.boto_matrix("plan", "--shards", number)
    assert done.exit_code == 2
    assert f"{number}; expected 1 to 256" in done.output
