from __future__ import annotations

from typing import Iterator

import pytest

from tests.cluster import Cluster


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster(targets=3) as cluster:
        cluster.store.create_bucket("capb")
        yield cluster
