"""Cells dealt out to the machines of CI so that all of them end at about the same time."""

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


def plan(cells: Sequence[Cell], known: dict[str, float], number: int) -> list[Shard]:
    """Deal cells out to machines so that all of them end at about the same time.

    Args:
        cells: all of them, in the order of the matrix.
        known: how many seconds some of them took, by name.
        number: of machines, 1 to `MOST_SHARDS`; fewer are used if there are fewer cells.

    """
    by_name = {cell.name: cell for cell in cells}
    costs = estimate(cells, known)
    return [
        Shard(
            number=index,
            cells=tuple(names),
            pythons=tuple(dict.fromkeys(by_name[name].python for name in names)),
            seconds=round(sum(costs[name] for name in names), 1),
        )
        for index, names in enumerate(deal_out(costs, number), start=1)
    ]


def deal_out(costs: Mapping[str, float], number: int) -> list[list[str]]:
    """Deal cells out to shards, the longest first, each to the shard that has the least so far.

    The longest shard then takes at most 4/3 - 1/(3 · number) of what it would in the best of all ways (R. L. Graham,
    "Bounds on Multiprocessing Timing Anomalies", 1969, theorem 2). What is given again is dealt out again the same way.

    Args:
        costs: the seconds that each cell takes, by its name, in the order of the matrix.
        number: of shards, 1 to `MOST_SHARDS`; there are fewer if there are fewer cells.

    Returns:
        The names of the cells of each shard, in the order of the matrix; none is empty.

    Raises:
        ValueError: `number` is out of range.

    """
    if not 1 <= number <= MOST_SHARDS:
        raise ValueError(f"{number} shards; expected 1 to {MOST_SHARDS}")
    # How many cells a shard has decides where the seconds do not: cells that took none fill the empty ones, too.
    loads = [(0.0, 0, shard) for shard in range(min(number, len(costs)))]
    taken: dict[str, int] = {}
    for name in sorted(costs, key=lambda name: costs[name], reverse=True):
        load, cells, shard = loads[0]
        taken[name] = shard
        heapq.heapreplace(loads, (load + costs[name], cells + 1, shard))
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
