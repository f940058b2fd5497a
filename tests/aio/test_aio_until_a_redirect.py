"""Until a redirect comes, a call is aiobotocore's own: nobody can tell it from one that was made without the patch."""

from __future__ import annotations

import asyncio
import io
import re
from typing import Any, Callable

import pytest
from botocore.exceptions import BotoCoreError, ClientError

import aistore_patch
from tests.cluster import Cluster, Ending, Fault

from .conftest import BUCKET, HERE, Run, aws_session, client_of

Call = Callable[[Any], Any]


async def _read(client: Any) -> bytes:
    content: bytes = await (await client.get_object(**HERE))["Body"].read()
    return content


CALLS: dict[str, Call] = {
    "list": lambda client: client.list_objects_v2(Bucket=BUCKET),
    "head": lambda client: client.head_object(**HERE),
    "get": _read,
    "put": lambda client: client.put_object(**HERE, Body=io.BytesIO(b"content")),
    "delete": lambda client: client.delete_object(**HERE),
}
OK = b"HTTP/1.1 200 OK\r\n"
ANSWERS = {
    "plain": OK + b"Content-Length: 0\r\nETag: e\r\n\r\n",
    "error": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 40\r\n\r\n<Error><Code>AccessDenied</Code></Error>\n",
    "see other": b"HTTP/1.1 303 See Other\r\nContent-Length: 0\r\n\r\n",
    "broken XML": b"HTTP/1.1 400 Bad\r\nContent-Length: 7\r\n\r\n<Error>",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "length that is none": OK + b"Content-Length: five\r\n\r\n",
    "header without a colon": OK + b"X-A\r\nContent-Length: 0\r\n\r\n",
    "bytes that are no text": OK + b"x-amz-meta-a: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
    "body that ends early": OK + b"Content-Length: 10\r\n\r\nhalf",
    "not modified": b"HTTP/1.1 304 Not Modified\r\nETag: e\r\n\r\n",
}


async def outcome(call: Call, client: Any) -> str:
    """What became of a call, without what is of the moment: ports, and addresses of objects."""
    try:
        said = repr(await call(client))
    except Exception as error:
        said = f"{type(error).__module__}.{type(error).__qualname__}: {error} {getattr(error, 'response', '')}"
    return re.sub(r"0x[0-9a-f]+|127\.0\.0\.1:\d+|port=\d+", "...", said)


async def with_and_without(cluster: Cluster, call: Call) -> list[str]:
    """What becomes of a call without the patch, and with it once the client has followed a redirect."""
    said = []
    for follows in (False, True):
        async with client_of(cluster.endpoint_url) as client:
            if follows:
                aistore_patch.follow_redirects(client)
                cluster.store.put(BUCKET, "warm", b"x")
                with_faults, cluster.proxy._faults._rules = cluster.proxy._faults._rules, []
                await client.head_object(Bucket=BUCKET, Key="warm")
                cluster.proxy._faults._rules = with_faults
            said.append(await outcome(call, client))
    return said


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("name", CALLS)
def test_whatever_is_answered_becomes_what_it_becomes_without_the_patch(
    cluster: Cluster, answer: str, name: str
) -> None:
    said = ANSWERS[answer].replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    cluster.proxy.fail_with(Fault.raw(said, Ending.CLOSE))
    plain, follower = asyncio.run(with_and_without(cluster, CALLS[name]))
    assert follower == plain


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.CLOSE, Fault.GARBAGE, Fault.INTERNAL_ERROR], ids=repr)
def test_failures_are_those_without_the_patch(cluster: Cluster, fault: Fault) -> None:
    cluster.proxy.fail_with(fault)
    plain, follower = asyncio.run(with_and_without(cluster, CALLS["head"]))
    assert follower == plain


OF_THE_MOMENT = ("amz-sdk-invocation-id", "X-Amz-Date", "Authorization")


@pytest.mark.parametrize("name", CALLS)
def test_requests_are_the_same_to_the_byte(cluster: Cluster, name: str) -> None:
    cluster.proxy.fail_with(Fault.raw(ANSWERS["plain"], Ending.KEEP))
    asyncio.run(with_and_without(cluster, CALLS[name]))
    heads = [
        (
            entry.method,
            entry.target,
            [(field, value) for field, value in entry.headers.fields if field not in OF_THE_MOMENT],
        )
        for entry in cluster.proxy.requests
        if b"warm" not in entry.target
    ]
    assert len(heads) == 2
    assert heads[0] == heads[1]


def test_other_services_are_left_alone(cluster: Cluster) -> None:
    """aiohttp follows for them, as it always did."""
    cluster.proxy.fail_with(Fault.redirect(f"{cluster.targets[0].url}/"))
    identity = b"<A><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult><ResponseMetadata/></A>"
    cluster.targets[0].fail_with(Fault.respond(200, [("Content-Type", "text/xml")], identity))

    async def main() -> None:
        async with aws_session().create_client(
            "sts",
            endpoint_url=cluster.proxy.url,
            region_name="us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        ) as client:
            await client.get_caller_identity()

    with aistore_patch.patched():
        asyncio.run(main())
    assert [entry.node for entry in cluster.ledger.requests()] == ["proxy", "target0"]


def test_a_client_whose_patch_has_ended_is_as_before(cluster: Cluster) -> None:
    """aiohttp follows by itself again, and unsigned, so that the cluster refuses it."""

    async def main() -> None:
        async with client_of(cluster.endpoint_url) as client:
            with aistore_patch.patched():
                await client.put_object(**HERE, Body=b"x")
            cluster.ledger.clear()
            with pytest.raises((ClientError, BotoCoreError)):  # which it is, is the cluster's business
                await client.put_object(**HERE, Body=b"x")

    asyncio.run(main())
    assert [entry.node for entry in cluster.ledger.requests()][:1] == ["proxy"]
    assert len(cluster.ledger.requests()) == 2
    assert cluster.ledger.requests()[1].header("Authorization") == ""


def test_a_response_says_no_more_than_without_the_patch(run: Run) -> None:
    plain = run(CALLS["list"])
    with aistore_patch.patched():
        patched = run(CALLS["list"])
    assert plain.keys() == patched.keys()
    assert plain["ResponseMetadata"].keys() == patched["ResponseMetadata"].keys()
