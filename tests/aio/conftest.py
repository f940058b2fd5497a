"""What the tests of the asynchronous seam run in: a simulated cluster on real sockets, and aiobotocore's clients."""

from __future__ import annotations

import asyncio
import importlib.util
from typing import Any, Awaitable, Callable, Iterator

import pytest

import aistore_patch
from tests.cluster import Cluster, Verifier

if importlib.util.find_spec("aiobotocore") is None:
    collect_ignore_glob = ["test_*"]
else:
    from aiobotocore.config import AioConfig
    from aiobotocore.session import get_session

KEY_ID = "AKIDTESTS"
SECRET = "only-for-tests"
BUCKET = "capb"
HERE = {"Bucket": BUCKET, "Key": "k"}

Run = Callable[..., Any]


def pytest_wants_process_per_file() -> bool:
    """They patch aiobotocore."""
    return True


_sessions: list[Any] = []


def aws_session() -> Any:
    """For clients; to make a session is dear, since it parses botocore's description of S3."""
    if not _sessions:
        _sessions.append(get_session())
    return _sessions[0]


@pytest.fixture(scope="module")
def running_cluster() -> Iterator[Cluster]:
    """Three targets that accept a redirected request only to the letter, and with the right signature."""
    with Cluster(targets=3, verify=Verifier({KEY_ID: SECRET})) as cluster:
        cluster.store.create_bucket(BUCKET)
        yield cluster


@pytest.fixture
def cluster(running_cluster: Cluster) -> Iterator[Cluster]:
    """The cluster as new: healthy, empty, and nothing in its ledger."""
    nodes = (running_cluster.proxy, *running_cluster.targets)
    as_new = [(thing, dict(vars(thing))) for thing in (running_cluster.redirects, *nodes)]
    yield running_cluster
    running_cluster.heal()
    for thing, attributes in as_new:
        vars(thing).update(attributes)
    for key in running_cluster.store.keys(BUCKET):
        running_cluster.store.delete(BUCKET, key)
    running_cluster.ledger.clear()


@pytest.fixture
def patched() -> Iterator[None]:
    with aistore_patch.patched():
        yield


def client_of(url: str, *, verify: Any = None, **options: Any) -> Any:
    """An asynchronous context manager that opens a client; options are those of botocore's Config."""
    options = {"retries": {"max_attempts": 0}, **options}
    config = AioConfig(s3={"addressing_style": "path", **options.pop("s3", {})}, **options)
    return aws_session().create_client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        config=config,
        verify=verify,
    )


@pytest.fixture
def run(cluster: Cluster) -> Run:
    """Give a coroutine function a client of its own and return what it returns: `run(calls, **options)`."""

    def run_it(calls: Callable[[Any], Awaitable[Any]], url: str | None = None, **options: Any) -> Any:
        async def main() -> Any:
            async with client_of(url or cluster.endpoint_url, **options) as client:
                return await calls(client)

        return asyncio.run(main())

    return run_it


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """botocore waits between attempts; here it only says for how long it would have, in seconds."""
    waits: list[float] = []
    sleep = asyncio.sleep

    async def sleep_not(delay: float, *args: Any) -> Any:
        waits.append(delay)
        return await sleep(0, *args)

    monkeypatch.setattr("aiobotocore.endpoint.asyncio.sleep", sleep_not)
    return waits


async def stored(client: Any, key: str) -> bytes:
    """Read an object back."""
    response = await client.get_object(Bucket=BUCKET, Key=key)
    content: bytes = await response["Body"].read()
    return content
