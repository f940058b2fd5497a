"""Cells dealt out to machines so that all of them end at about the same time."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

MOST_SHARDS = 256
"""The most jobs that GitHub makes of one matrix.

https://docs.github.com/en/actions/reference/limits
"""


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
