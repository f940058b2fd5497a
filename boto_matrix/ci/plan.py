"""Cells dealt out to the machines of CI by their Pythons, so that all of them end at about the same time."""

from __future__ import annotations

import heapq
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from boto_matrix.ci.durations import estimate
from boto_matrix.matrix.cells import Cell

MOST_SHARDS = 256
"""The most jobs that GitHub makes of one matrix.

https://docs.github.com/en/actions/reference/limits
"""


@dataclass(frozen=True)
class Shard:
    """What one machine runs.

    Attributes:
        number: from 1.
        cells: the names of its cells.
        pythons: the Pythons that they need.
        seconds: how long it will take one machine that runs one cell at a time.

    """

    number: int
    cells: tuple[str, ...]
    pythons: tuple[str, ...]
    seconds: float


def plan(cells: Sequence[Cell], known: Mapping[str, float], number: int, classes: Mapping[str, str]) -> list[Shard]:
    """Deal cells out to machines: each gets those of one Python, and all end at about the same time.

    To set a Python up takes a machine about as long as a few cells do. Where there are fewer machines than Pythons, one
    gets several whole. The cells of a class stay together, so that what they leave to each other is judged at once.

    Args:
        cells: all of them, in the order of the matrix.
        known: how many seconds some of them took, by name.
        number: of machines, 1 to `MOST_SHARDS`; fewer are used if there are fewer classes.
        classes: by the name of each cell what its class is called; a class has one Python.

    Raises:
        ValueError: `number` is out of range.

    """
    if not 1 <= number <= MOST_SHARDS:
        raise ValueError(f"{number} shards; expected 1 to {MOST_SHARDS}")
    by_name = {cell.name: cell for cell in cells}
    costs = estimate(cells, known)
    by_python: dict[str, dict[str, float]] = {}
    for cell in cells:
        of_python = by_python.setdefault(cell.python, {})
        of_python[classes[cell.name]] = of_python.get(classes[cell.name], 0.0) + costs[cell.name]
    return [
        Shard(
            number=index,
            cells=tuple(names),
            pythons=tuple(dict.fromkeys(by_name[name].python for name in names)),
            seconds=round(sum(costs[name] for name in names), 1),
        )
        for index, of_shard in enumerate(_classes_of_shards(by_python, number), start=1)
        if (names := [cell.name for cell in cells if classes[cell.name] in of_shard])
    ]


def _classes_of_shards(by_python: Mapping[str, Mapping[str, float]], number: int) -> list[set[str]]:
    loads = {python: sum(costs.values()) for python, costs in by_python.items()}
    if number <= len(by_python):
        return [{one for python in pythons for one in by_python[python]} for pythons in deal_out(loads, number)]
    machines = _machines(loads, {python: len(costs) for python, costs in by_python.items()}, number)
    return [set(names) for python, costs in by_python.items() for names in deal_out(costs, machines[python])]


def _machines(loads: Mapping[str, float], most: Mapping[str, int], number: int) -> dict[str, int]:
    """Say how many machines each Python gets: one, and then each goes where one has most to do."""
    given = dict.fromkeys(loads, 1)
    for _ in range(number - len(loads)):
        can_use = [python for python in loads if given[python] < most[python]]
        if not can_use:
            break
        given[max(can_use, key=lambda python: (loads[python] / given[python], most[python] / given[python]))] += 1
    return given


def deal_out(costs: Mapping[str, float], number: int) -> list[list[str]]:
    """Deal things out to shards, the longest first, each to the shard that has the least so far.

    The longest shard then takes at most 4/3 - 1/(3 · number) of what it would in the best of all ways (R. L. Graham,
    "Bounds on Multiprocessing Timing Anomalies", 1969, theorem 2). What is given again is dealt out again the same way.

    Args:
        costs: the seconds that each takes, by its name.
        number: of shards, at least 1; there are fewer if there are fewer things.

    Returns:
        The names of what each shard has, in the order given; none is empty.

    """
    # How many a shard has decides where the seconds do not: what took none fills the empty ones, too.
    loads = [(0.0, 0, shard) for shard in range(min(number, len(costs)))]
    taken: dict[str, int] = {}
    for name in sorted(costs, key=lambda name: costs[name], reverse=True):
        load, has, shard = loads[0]
        taken[name] = shard
        heapq.heapreplace(loads, (load + costs[name], has + 1, shard))
    shards: list[list[str]] = [[] for _ in loads]
    for name in costs:
        shards[taken[name]].append(name)
    return shards


def as_json(shards: Sequence[Shard]) -> str:
    """Give the plan as JSON, for programs of one's own."""
    return json.dumps([asdict(shard) for shard in shards])


def as_github(shards: Sequence[Shard]) -> str:
    """Give the line for GITHUB_OUTPUT: `matrix=…`, of which `fromJSON` makes a job matrix.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstrategymatrix
    """
    jobs = [
        {"shard": shard.number, "cells": " ".join(shard.cells), "pythons": " ".join(shard.pythons)} for shard in shards
    ]
    return f"matrix={json.dumps({'include': jobs})}"
