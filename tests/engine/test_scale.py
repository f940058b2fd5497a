"""Many targets, many threads, much data."""

from __future__ import annotations

import io
import itertools
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.cluster import Cluster, Fault

from .conftest import BUCKET, MakeClient

pytestmark = pytest.mark.usefixtures("patched", "no_waiting")


def test_connections_are_kept_to_every_target_of_a_large_cluster(make_client: MakeClient) -> None:
    with Cluster(targets=64) as cluster:
        cluster.store.create_bucket(BUCKET)
        client = make_client(cluster, fresh=True)
        key_of: dict[str, str] = {}
        for number in itertools.count():
            key_of.setdefault(cluster.target_of(BUCKET, f"{number}").name, f"{number}")
            if len(key_of) == 64:
                break
        keys = list(key_of.values())
        for key in keys:
            cluster.store.put(BUCKET, key, b"x")
        for key in (*keys, *keys[::4]):
            client.head_object(Bucket=BUCKET, Key=key)
        assert cluster.ledger.connections() == 64 + 1


def test_threads_share_a_client_without_losing_or_mixing_anything(cluster: Cluster, make_client: MakeClient) -> None:
    client = make_client(cluster, fresh=True, retries={"max_attempts": 5}, max_pool_connections=8)
    for number, target in enumerate(cluster.targets):
        target.fail_with([Fault.RESET, Fault.INTERNAL_ERROR, Fault.LOST_ANSWER][number], every=7)

    def work(thread: int) -> None:
        for number in range(6):
            key, body = f"{thread}/{number}+é", f"{thread}-{number}".encode() * 50
            stream = io.BytesIO(b"skip" + body)
            stream.seek(4)
            client.put_object(Bucket=BUCKET, Key=key, Body=stream)
            assert client.get_object(Bucket=BUCKET, Key=key)["Body"].read() == body

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(cluster.store.keys(BUCKET)) == 8 * 6


def test_patching_while_others_work_breaks_nothing(cluster: Cluster, make_client: MakeClient) -> None:
    import aistore_patch

    client = aistore_patch.follow_redirects(make_client(cluster, fresh=True))
    stop = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while not stop.is_set():
                client.put_object(Bucket=BUCKET, Key="k", Body=b"x")
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        with aistore_patch.patched():
            client.head_object(Bucket=BUCKET, Key="k") if cluster.store.keys(BUCKET) else None
        aistore_patch.unpatch()
    stop.set()
    for thread in threads:
        thread.join()
    aistore_patch.patch()  # as the fixture left it
    assert failures == []


@pytest.mark.parametrize("mebibytes", [12])
def test_memory_stays_flat_however_much_is_moved(make_client: MakeClient, mebibytes: int) -> None:
    size = mebibytes << 20
    with Cluster(targets=2, keeps_up_to=1 << 20) as cluster:
        cluster.store.create_bucket(BUCKET)
        client = make_client(cluster, fresh=True)
        client.put_object(Bucket=BUCKET, Key="warm", Body=b"x")
        cluster.store.put_generated(BUCKET, "generated", size)
        tracemalloc.start()
        try:
            client.put_object(Bucket=BUCKET, Key="sent", Body=Zeros(size))
            received = 0
            for chunk in client.get_object(Bucket=BUCKET, Key="generated")["Body"].iter_chunks(1 << 16):
                received += len(chunk)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert received == cluster.store[BUCKET, "sent"].content.size == size
        assert peak < 4 << 20


class Zeros(io.RawIOBase):
    """A file of that many zero bytes."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._position = 0

    def read(self, count: int = -1) -> Any:
        left = self._size - self._position
        count = left if count is None or count < 0 else min(count, left)
        self._position += count
        return bytes(count)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._position = offset + (0, self._position, self._size)[whence]
        return self._position

    def tell(self) -> int:
        return self._position

    def seekable(self) -> bool:
        return True
