"""A plan, written for the CI that carries it out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


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


def as_gitlab(shards: Sequence[Shard]) -> str:
    """Give the configuration of a child pipeline: a job for each shard. JSON is YAML, too.

    https://docs.gitlab.com/ci/pipelines/downstream_pipelines/#dynamic-child-pipelines
    """
    return json.dumps({f"cells {shard.number}/{len(shards)}": _gitlab_job(shard) for shard in shards}, indent=1)


def _gitlab_job(shard: Shard) -> dict[str, object]:
    return {
        "variables": {"CELLS": " ".join(shard.cells), "PYTHONS": " ".join(shard.pythons)},
        "script": [
            'make pythons PYTHONS="$PYTHONS"',
            f'make matrix CELLS="$CELLS" RESULTS=results/shard-{shard.number}.json',
        ],
        "artifacts": {"when": "always", "paths": ["results/"]},
    }
