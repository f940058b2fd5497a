"""Which redirects aiobotocore's clients follow, and what goes over the wire when they do."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.exceptions import ClientError, HTTPClientError

from tests.cluster import AUTHORITY, Cluster, Fault, server_context

from .conftest import BUCKET, HERE, Run, stored

pytestmark = pytest.mark.usefixtures("patched")


def hops_of(response: Any) -> list[int]:
    return [hop["HTTPStatusCode"] for hop in response["ResponseMetadata"]["Redirects"]]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_method_and_body_are_kept(cluster: Cluster, run: Run, status: int) -> None:
    cluster.redirects.status = status

    async def calls(client: Any) -> None:
        assert hops_of(await client.put_object(**HERE, Body=b"content")) == [status]
        assert await stored(client, "k") == b"content"
        assert (await client.head_object(**HERE))["ContentLength"] == 7
        where = {"Bucket": BUCKET, "Key": "m"}
        upload = (await client.create_multipart_upload(**where))["UploadId"]
        part = await client.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"part")
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        await client.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=parts)
        await client.delete_object(**HERE)

    run(calls)
    assert cluster.store.keys(BUCKET) == ["m"]
    assert cluster.store[BUCKET, "m"].data == b"part"


@pytest.mark.parametrize("status", [200, 303, 304, 403])
def test_other_statuses_with_a_location_are_not_followed(cluster: Cluster, run: Run, status: int) -> None:
    cluster.proxy.fail_with(Fault.respond(status, [("Location", cluster.targets[0].url + "/s3/capb/k?pid=1")]))
    with contextlib.suppress(ClientError, HTTPClientError):  # what botocore makes of them
        run(lambda client: client.head_object(**HERE))
    assert len(cluster.proxy.requests) >= 1
    assert not any(target.requests for target in cluster.targets)


@pytest.mark.parametrize("form", ["absolute", "scheme-relative", "path"])
def test_every_form_of_location_is_followed(cluster: Cluster, run: Run, form: str) -> None:
    cluster.redirects.form = form

    async def calls(client: Any) -> None:
        await client.put_object(Bucket=BUCKET, Key="a/b c", Body=b"x")
        assert await stored(client, "a/b c") == b"x"

    run(calls)


@pytest.mark.parametrize(
    ("sent", "on_the_wire"),
    [
        (b"z=1&a=%2f%2F&a=&b&&c=+%20", b"z=1&a=%2f%2F&a=&b&&c=+%20"),
        (b"sig=%7e~!*'();:@$,/?[]\"<>|", b"sig=%7e~!*'();:@$,/?[]\"<>|"),
        (b"bad=%zz%", b"bad=%zz%"),
        ("n=é€".encode(), b"n=%C3%A9%E2%82%AC"),
        (b"n=\xff\xfe", b"n=%FF%FE"),
        (b"k=1#part", b"k=1"),
    ],
)
def test_the_query_goes_out_as_it_came(cluster: Cluster, run: Run, sent: bytes, on_the_wire: bytes) -> None:
    target = cluster.targets[0]
    target.fail_with(Fault.respond(200))
    cluster.proxy.fail_with(Fault.redirect(target.url.encode() + b"/s3/capb/k?" + sent), times=1)
    run(lambda client: client.head_object(**HERE))
    assert target.requests[-1].target == b"/s3/capb/k?" + on_the_wire


def test_the_path_goes_out_as_it_came(cluster: Cluster, run: Run) -> None:
    target = cluster.targets[0]
    target.fail_with(Fault.respond(200))
    spelled = b"/s3/capb/a;b=%c3%A9/%7e~/../+"
    cluster.proxy.fail_with(Fault.redirect(target.url.encode() + spelled + b"?token=1"), times=1)
    run(lambda client: client.head_object(Bucket=BUCKET, Key="a;b=é/~~/../+"))
    assert target.requests[-1].path == spelled


@pytest.mark.parametrize("key", ["a b", "é+€", "100%", "a%2Fb", "~(x)*'!", "a;b=c&d", 'a"<>|^`', "#frag", "\\back"])
def test_keys_come_back_as_they_were_given(cluster: Cluster, run: Run, key: str) -> None:
    async def calls(client: Any) -> None:
        await client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
        assert await stored(client, key) == key.encode()

    run(calls)
    assert cluster.store.keys(BUCKET) == [key]


@pytest.mark.parametrize("signature", ["s3v4", "s3", botocore.UNSIGNED])
def test_every_hop_is_signed_for_its_host(cluster: Cluster, run: Run, signature: Any) -> None:
    if signature is botocore.UNSIGNED:  # the fixture puts things back
        for node in (cluster.proxy, *cluster.targets):
            node._verify = None

    async def calls(client: Any) -> None:
        await client.put_object(Bucket=BUCKET, Key="dir/k+ü", Body=io.BytesIO(b"x"))
        assert await stored(client, "dir/k+ü") == b"x"

    run(calls, signature_version=signature)
    assert cluster.store.keys(BUCKET) == ["dir/k+ü"]


def test_over_tls_bodies_arrive_whole(run: Run, tmp_path: Path) -> None:
    """Over https, botocore >= 1.36 frames bodies, with a checksum behind them."""
    body = bytes(range(256)) * 1000
    (tmp_path / "file").write_bytes(b"skipped" + body)
    with Cluster(proxy_tls=server_context(), target_tls=server_context()) as cluster:
        cluster.store.create_bucket(BUCKET)

        async def calls(client: Any) -> None:
            stream = io.BytesIO(b"skipped" + body)
            stream.seek(7)
            with (tmp_path / "file").open("rb") as file:
                file.seek(7)
                for key, given in (("bytes", body), ("stream", stream), ("file", file)):
                    await client.put_object(Bucket=BUCKET, Key=key, Body=given)
            for key in ("bytes", "stream", "file"):
                assert await stored(client, key) == body

        run(calls, url=cluster.endpoint_url, verify=AUTHORITY)


@pytest.mark.parametrize("kind", ["bytes", "stream", "file"])
@pytest.mark.parametrize("hops", [1, 3])
def test_the_body_is_sent_from_where_it_stood(cluster: Cluster, run: Run, tmp_path: Path, kind: str, hops: int) -> None:
    cluster.redirects.hops = hops
    body = bytes(range(256)) * 2000
    (tmp_path / "file").write_bytes(b"skipped" + body)

    async def calls(client: Any) -> None:
        with (tmp_path / "file").open("rb") as file:
            stream = io.BytesIO(b"skipped" + body)
            for seekable in (file, stream):
                seekable.seek(7)
            given = {"bytes": body, "stream": stream, "file": file}[kind]
            await client.put_object(**HERE, Body=given)
            assert not file.closed

    run(calls)
    assert cluster.store[BUCKET, "k"].data == body
    assert [entry.body_bytes for entry in cluster.ledger.requests()] == [0] * hops + [len(body)]


def test_hooks_of_the_user_apply_to_every_hop(cluster: Cluster, run: Run) -> None:
    cluster.redirects.hops = 2
    cluster.store.put(BUCKET, "k", b"x")

    def add_token(request: Any, **_: Any) -> None:
        request.headers["Authorization-Token"] = "Bearer t"

    async def add_signed(request: Any, **_: Any) -> None:
        request.headers["x-amz-meta-hook"] = "signed"

    async def calls(client: Any) -> None:
        client.meta.events.register("before-send.s3", add_token)
        client.meta.events.register("before-sign.s3", add_signed)
        assert await stored(client, "k") == b"x"

    run(calls)
    entries = cluster.ledger.requests()
    assert len(entries) == 3
    for entry in entries:
        assert entry.header("Authorization-Token") == "Bearer t"
        assert "x-amz-meta-hook" in entry.header("Authorization")
    assert len({entry.header("Authorization") for entry in entries}) == 3


def test_what_a_hook_answers_in_place_of_the_server_is_followed(cluster: Cluster, run: Run) -> None:
    """As mocks of S3 do it."""
    from aiobotocore.awsrequest import AioAWSResponse

    class Raw:
        raw_headers = ()

        async def read(self) -> bytes:
            return b""

    where = f"{cluster.targets[0].url}/s3/capb/k?token=1"
    cluster.targets[0].fail_with(Fault.respond(200))

    def redirect(request: Any, **_: Any) -> Any:
        return None if "token" in request.url else AioAWSResponse(request.url, 307, {"Location": where}, Raw())

    async def calls(client: Any) -> Any:
        client.meta.events.register("before-send.s3", redirect)
        return await client.head_object(**HERE)

    assert hops_of(run(calls)) == [307]
    assert [entry.target for entry in cluster.ledger.requests()] == [b"/s3/capb/k?token=1"]


@pytest.mark.parametrize("hops", [2, 5])
def test_several_hops_are_followed_and_listed(cluster: Cluster, run: Run, hops: int) -> None:
    cluster.redirects.hops = hops
    cluster.store.put(BUCKET, "k", b"x")
    response = run(lambda client: client.head_object(**HERE))
    assert hops_of(response) == [307] * hops
    assert response["ResponseMetadata"]["RetryAttempts"] == 0


def test_one_hop_too_many_ends_with_the_chain(cluster: Cluster, run: Run) -> None:
    cluster.redirects.hops = 6
    with pytest.raises(ClientError, match="TooManyRedirects") as caught:
        run(lambda client: client.get_object(**HERE))
    assert len(caught.value.response["ResponseMetadata"]["Redirects"]) == 5
    assert "pid=" not in str(caught.value)
    assert len(cluster.ledger.requests()) == 6


@pytest.mark.parametrize("at", ["proxy", "target"])
def test_a_loop_ends_at_once(cluster: Cluster, run: Run, at: str) -> None:
    node = cluster.proxy if at == "proxy" else cluster.target_of(BUCKET, "k")
    node.fail_with(Fault.LOOP)
    with pytest.raises(ClientError, match="RedirectLoop"):
        run(lambda client: client.get_object(**HERE))
    assert len(cluster.ledger.requests()) == (1 if at == "proxy" else 2)


def test_calls_that_are_not_redirected_list_no_hops(cluster: Cluster, run: Run) -> None:
    assert "Redirects" not in run(lambda client: client.list_objects_v2(Bucket=BUCKET))["ResponseMetadata"]
    assert [entry.node for entry in cluster.ledger.requests()] == ["proxy"]


def test_errors_of_the_target_are_botocores_own(cluster: Cluster, run: Run) -> None:
    async def calls(client: Any) -> None:
        with pytest.raises(client.exceptions.NoSuchKey) as caught:
            await client.get_object(Bucket=BUCKET, Key="absent")
        assert hops_of(caught.value.response) == [307]
        cluster.target_of(BUCKET, "k").fail_with(Fault.ACCESS_DENIED)
        with pytest.raises(ClientError, match="AccessDenied"):
            await client.get_object(**HERE)

    run(calls)


def test_a_location_with_its_own_signature_is_not_signed_again(cluster: Cluster, run: Run) -> None:
    signed = b"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=c&X-Amz-SignedHeaders=host&X-Amz-Signature=0"
    target = cluster.targets[0]
    target.fail_with(Fault.respond(200))
    cluster.proxy.fail_with(Fault.redirect(f"{target.url}/s3/capb/k?".encode() + signed), times=1)
    run(lambda client: client.put_object(**HERE, Body=b"x"))
    sent = target.requests[-1]
    assert sent.query == signed
    assert sent.header("Authorization") == sent.header("x-amz-date") == ""


def test_a_paginator_reads_a_bucket_that_is_not_redirected(cluster: Cluster, run: Run) -> None:
    for number in range(5):
        cluster.store.put(BUCKET, f"k{number}", b"x")

    async def calls(client: Any) -> list[str]:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 2})
        return [one["Key"] async for page in pages for one in page["Contents"]]

    assert run(calls) == [f"k{number}" for number in range(5)]


def test_redirects_of_aws_are_left_to_botocore(cluster: Cluster, run: Run) -> None:
    """They name the bucket's region; what botocore makes of them is its own business, but it goes to no target."""
    where = f"{cluster.targets[0].url}/s3/capb/k?pid=1"
    cluster.proxy.fail_with(Fault.aws_region("us-east-1", where), times=1)
    with contextlib.suppress(ClientError, HTTPClientError):
        run(lambda client: client.get_object(**HERE))
    assert not [entry for target in cluster.targets for entry in target.requests if b"pid=1" in entry.query]
