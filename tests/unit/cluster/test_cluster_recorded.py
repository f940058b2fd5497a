"""A cluster answers as a real one did: heads, what a success says, and what became of the objects."""

from __future__ import annotations

import json
import re
from typing import Any, Iterator

import pytest

from tests.cluster import Cluster

from .recorded import FILE, Asked, ask, calls

CALLS = {asked.name: asked for asked in calls()}
RECORDED = [json.loads(line) for line in FILE.read_text("utf-8").splitlines()]
VARYING = re.compile(
    r"(?<=^Etag: ).*|(?<=^Last-Modified: ).*|(?<=^Content-Length: ).*|(?<=^X-Amz-Meta-Ais-Cksum-Val: ).*"
    r"|(?<=<LastModified>)[^<]*|(?<=<Message>)[^<]*"
)
"""What differs between any two clusters; the text of errors is the simulation's own."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(targets=3) as cluster:
        yield cluster


def test_every_call_was_recorded() -> None:
    assert [recorded["call"] for recorded in RECORDED] == list(CALLS)


@pytest.mark.parametrize("recorded", RECORDED, ids=[recorded["call"] for recorded in RECORDED])
def test_a_call_is_answered_as_by_a_real_cluster(cluster: Cluster, recorded: dict[str, Any]) -> None:
    asked: Asked = CALLS[recorded["call"]]
    seen = ask(cluster.proxy, asked)
    assert unvaried(seen) == unvaried(recorded)


def unvaried(answer: dict[str, Any]) -> dict[str, Any]:
    head, body = [VARYING.sub("*", line) for line in answer["head"]], VARYING.sub("*", answer["body"])
    return {**answer, "head": head, "body": body}
