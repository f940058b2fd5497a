"""The engine under load: too long for every cell, run by `make load` and by CI.

The cluster runs in a process of its own, so that threads of the client compete with each other only.
"""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import os
import resource
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, Iterator

import boto3
import botocore.config
import pytest

import aistore_patch
from tests.cluster import Cluster, Fault

BUCKET = "load"
THREADS = 64
OPERATIONS = int(os.environ.get("LOAD_OPERATIONS", "1000"))  # of each thread: half of them put, half get
GIBIBYTE = 1 << 30


def serve(pipe: Connection, faulty: bool) -> None:
    """A cluster until the other side says stop; it gets the endpoint, and at the end what is stored."""
    with Cluster(targets=8, remembers=1, keeps_up_to=1 << 20) as cluster:
        cluster.store.create_bucket(BUCKET)
        cluster.store.put_generated(BUCKET, "gibibyte", GIBIBYTE)
        if faulty:
            faults = [Fault.RESET, Fault.INTERNAL_ERROR, Fault.LOST_ANSWER, Fault.SLOW_DOWN, Fault.RESET_AFTER_BODY]
            for number, target in enumerate(cluster.targets):
                target.fail_with(faults[number % len(faults)], every=97)
            cluster.proxy.fail_with(Fault.CLOSE, every=211)
        pipe.send(cluster.endpoint_url)
        pipe.recv()
        pipe.send({key: cluster.store[BUCKET, key].content.sha256 for key in cluster.store.keys(BUCKET)})


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Iterator[Connection]:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, request.param), daemon=True)
    process.start()
    yield ours
    process.terminate()
    process.join()


def client_of(endpoint: str, **options: Any) -> Any:
    config = botocore.config.Config(s3={"addressing_style": "path"}, max_pool_connections=THREADS, **options)
    return aistore_patch.follow_redirects(
        boto3.client("s3", endpoint_url=endpoint, config=config, region_name="us-east-1")
    )


@pytest.mark.parametrize("cluster", [True], indirect=True)
def test_nothing_is_lost_or_mixed_by_64_threads_with_failures(
    cluster: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    client = client_of(cluster.recv(), retries={"max_attempts": 10})

    def work(thread: int) -> dict[str, str]:
        digests = {}
        for number in range(OPERATIONS // 2):
            key, body = f"{thread}/{number}", os.urandom(16) * (number % 40 + 1)
            stream = io.BytesIO(b"skipped" + body)
            stream.seek(7)
            client.put_object(Bucket=BUCKET, Key=key, Body=stream)
            assert client.get_object(Bucket=BUCKET, Key=key)["Body"].read() == body
            digests[key] = hashlib.sha256(body).hexdigest()
        return digests

    with ThreadPoolExecutor(THREADS) as pool:
        digests = {key: digest for part in pool.map(work, range(THREADS)) for key, digest in part.items()}
    assert len(digests) == THREADS * OPERATIONS // 2
    cluster.send("stop")
    stored = cluster.recv()
    del stored["gibibyte"]
    assert stored == digests


class Counting(io.RawIOBase):
    """A gibibyte of a pattern, without holding it."""

    def __init__(self) -> None:
        self._position = 0

    def read(self, count: int = -1) -> Any:
        left = GIBIBYTE - self._position
        count = left if count is None or count < 0 else min(count, left)
        self._position += count
        return bytes(count)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._position = offset + (0, self._position, GIBIBYTE)[whence]
        return self._position

    def tell(self) -> int:
        return self._position

    def seekable(self) -> bool:
        return True


@pytest.mark.parametrize("cluster", [False], indirect=True)
def test_a_gibibyte_up_and_down_keeps_memory_flat(cluster: Connection) -> None:
    client = client_of(cluster.recv())
    client.put_object(Bucket=BUCKET, Key="warm", Body=b"x" * (1 << 20))
    before = peak_memory()
    client.put_object(Bucket=BUCKET, Key="sent", Body=Counting())
    received = 0
    for chunk in client.get_object(Bucket=BUCKET, Key="gibibyte")["Body"].iter_chunks(1 << 20):
        received += len(chunk)
    assert received == GIBIBYTE
    assert peak_memory() - before < 32 << 20
    cluster.send("stop")
    assert cluster.recv()["sent"] == sha256_of_zeros()


def peak_memory() -> int:
    """The most memory this process ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def sha256_of_zeros() -> str:
    digest = hashlib.sha256()
    for _ in range(GIBIBYTE >> 20):
        digest.update(bytes(1 << 20))
    return digest.hexdigest()
