"""aiobotocore's back end for httpx, which hands redirects back by itself."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aistore_patch import RedirectError
from tests.cluster import AUTHORITY, Cluster, Fault, server_context

from .conftest import BUCKET, HERE, Run, stored

pytest.importorskip("httpx")
httpxsession = pytest.importorskip("aiobotocore.httpxsession")

pytestmark = [
    pytest.mark.usefixtures("patched"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
HTTPX = {"http_session_cls": httpxsession.HttpxSession}


@pytest.mark.parametrize("hops", [1, 3])
def test_redirects_are_followed_and_signed(cluster: Cluster, run: Run, hops: int) -> None:
    cluster.redirects.hops = hops

    async def calls(client: Any) -> None:
        for key in ("a b", "é+", "k"):
            response = await client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
            assert len(response["ResponseMetadata"]["Redirects"]) == hops
            assert await stored(client, key) == key.encode()
        await client.delete_object(**HERE)

    run(calls, **HTTPX)
    assert cluster.store.keys(BUCKET) == ["a b", "é+"]


def test_a_stream_is_sent_from_where_it_stood(cluster: Cluster, run: Run) -> None:
    async def calls(client: Any) -> None:
        stream = io.BytesIO(b"skipped" + b"content" * 10_000)
        stream.seek(7)
        await client.put_object(**HERE, Body=stream)

    run(calls, **HTTPX)
    assert cluster.store[BUCKET, "k"].data == b"content" * 10_000


def test_what_is_refused_is_refused(cluster: Cluster, run: Run) -> None:
    async def calls(client: Any) -> None:
        with pytest.raises(RedirectError, match="NotHonoured"):
            await client.put_object(Bucket=BUCKET, Key="report?v=1", Body=b"x")
        with pytest.raises(client.exceptions.NoSuchKey):
            await client.get_object(Bucket=BUCKET, Key="a//b")
        urls = [target.url.encode() + b"/s3/capb/k" for target in cluster.targets]
        cluster.proxy.fail_with(Fault.respond(307, [("Location", urls[0]), ("Location", urls[1])]), times=1)
        with pytest.raises(RedirectError, match="several Location headers"):
            await client.head_object(**HERE)
        cluster.proxy.fail_with(Fault.redirect(b"http://\xff\xfe/s3/capb/k"), times=1)
        with pytest.raises(RedirectError, match="InvalidRedirectLocation"):
            await client.head_object(**HERE)

    run(calls, **HTTPX)
    assert not any(target.requests for target in cluster.targets)


def test_a_dead_target_is_escaped(cluster: Cluster, run: Run) -> None:
    cluster.target_of(BUCKET, "k").kill()
    cluster.proxy.notice_dead_target(after=1)
    run(lambda client: client.put_object(**HERE, Body=b"x"), retries={"max_attempts": 2, "mode": "standard"}, **HTTPX)
    assert cluster.store.keys(BUCKET) == ["k"]


def test_over_tls(run: Run) -> None:
    with Cluster(proxy_tls=server_context(), target_tls=server_context()) as cluster:
        cluster.store.create_bucket(BUCKET)

        async def calls(client: Any) -> None:
            await client.put_object(**HERE, Body=io.BytesIO(b"content"))
            assert await stored(client, "k") == b"content"
            with pytest.raises(ClientError, match="NoSuchKey"):
                await client.get_object(Bucket=BUCKET, Key="absent")

        run(calls, url=cluster.endpoint_url, verify=AUTHORITY, **HTTPX)


def test_tasks_side_by_side(run: Run) -> None:
    async def calls(client: Any) -> None:
        async def one(number: int) -> None:
            await client.put_object(Bucket=BUCKET, Key=f"k{number}", Body=bytes([number]) * 1000)
            assert await stored(client, f"k{number}") == bytes([number]) * 1000

        await asyncio.gather(*map(one, range(16)))

    run(calls, **HTTPX)
