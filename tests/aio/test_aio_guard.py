"""What AIStore would misread is refused by aiobotocore's clients too, before anything is sent to a target."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

import aistore_patch
from aistore_patch import RedirectError, RedirectPolicy
from tests.cluster import Cluster, Fault

from .conftest import BUCKET, HERE, Run

pytestmark = pytest.mark.usefixtures("patched")

BODY = b"x" * 1000
PUT: dict[str, Any] = {**HERE, "Body": b"other"}
COPY: dict[str, Any] = {"Bucket": BUCKET, "Key": "copy", "CopySource": {"Bucket": BUCKET, "Key": "k"}}

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("put_object_acl", {**HERE, "ACL": "private"}, "PutObjectAcl"),
    ("put_object_tagging", {**HERE, "Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}, "PutObjectTagging"),
    ("delete_object_tagging", HERE, "DeleteObjectTagging"),
    ("get_object_tagging", HERE, "GetObjectTagging"),
    ("put_object", {**PUT, "IfNoneMatch": "*"}, "IfNoneMatch with PutObject"),
    ("delete_object", {**HERE, "VersionId": "1"}, "VersionId with DeleteObject"),
    ("get_object", {**HERE, "VersionId": "1"}, "VersionId with GetObject"),
    ("copy_object", {**COPY, "CopySourceIfMatch": '"wrong"'}, "CopySourceIfMatch with CopyObject"),
    ("copy_object", {**COPY, "Key": "100%"}, "the key '100%' with CopyObject"),
    ("put_object", {**PUT, "Key": "report?v=1"}, r"the key 'report\?v=1' with PutObject"),
    ("put_object", {**PUT, "Key": "k/"}, "the key 'k/' with PutObject"),
    ("put_object", {**PUT, "Key": "a//k"}, "the key 'a//k' with PutObject"),
    ("delete_object", {**HERE, "Key": "a/../k"}, "the key 'a/../k' with DeleteObject"),
    ("put_object", {**PUT, "Key": "a\nb"}, "control characters"),
]


def touched(cluster: Cluster) -> list[Any]:
    return [entry for target in cluster.targets for entry in target.requests]


@pytest.mark.parametrize(("operation", "parameters", "named"), REFUSED)
def test_what_aistore_would_misread_is_refused_and_the_object_stays(
    cluster: Cluster, run: Run, operation: str, parameters: dict[str, Any], named: str
) -> None:
    cluster.store.put(BUCKET, "k", BODY)

    async def calls(client: Any) -> None:
        try:
            await getattr(client, operation)(**parameters)
        except ParamValidationError:
            pytest.skip("this botocore has no such parameter")

    with pytest.raises(RedirectError, match=f"NotHonoured.*{named}") as caught:
        run(calls)
    assert caught.value.response["Error"]["Code"] == "NotHonoured"
    assert touched(cluster) == []
    assert cluster.store.keys(BUCKET) == ["k"]
    assert cluster.store[BUCKET, "k"].data == BODY


def test_keys_that_differ_behind_a_question_mark_are_different_objects(cluster: Cluster, run: Run) -> None:
    """`report?v=1` must never become `report`: unpatched, deleting the one deletes the other."""
    cluster.redirects.strict_path = False  # as AIStore's targets, which look at the path that came
    cluster.store.put(BUCKET, "report", BODY)
    for key in ("report?v=1", "report?v=2"):
        cluster.store.put(BUCKET, key, key.encode())

    async def calls(client: Any) -> None:
        for key in ("report?v=1", "report?v=2"):
            response = await client.get_object(Bucket=BUCKET, Key=key)
            assert await response["Body"].read() == key.encode()
            await client.delete_object(Bucket=BUCKET, Key=key)

    run(calls)
    assert cluster.store.keys(BUCKET) == ["report"]
    assert cluster.store[BUCKET, "report"].data == BODY


@pytest.mark.parametrize("key", ["a//b", "a/./b", "a/", "a/../b"])
def test_objects_that_cannot_exist_are_not_found(cluster: Cluster, run: Run, key: str) -> None:
    for there in ("a/b", "a", "b"):
        cluster.store.put(BUCKET, there, BODY)

    async def calls(client: Any) -> None:
        with pytest.raises(client.exceptions.NoSuchKey) as got:
            await client.get_object(Bucket=BUCKET, Key=key)
        assert got.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
        with pytest.raises(ClientError) as headed:
            await client.head_object(Bucket=BUCKET, Key=key)
        assert headed.value.response["Error"]["Code"] == "404"

    run(calls)
    assert touched(cluster) == []


def test_what_a_policy_says_is_honoured_is_followed(cluster: Cluster, run: Run) -> None:
    cluster.honours = "s3"
    with aistore_patch.patched(RedirectPolicy(honoured=["UncleanKey", "IfNoneMatch"])):
        run(lambda client: client.put_object(Bucket=BUCKET, Key="a//b", Body=b"x"))
    assert cluster.store.keys(BUCKET) == ["a//b"]


@pytest.mark.parametrize(
    "location", [b"/s3/capb/other?pid=1", b"/s3/other/k?pid=1", b"/s3/capb/k?pid=1&acl", b"/s3/capb/k/?pid=1"]
)
def test_a_location_that_names_something_else_is_refused(cluster: Cluster, run: Run, location: bytes) -> None:
    cluster.proxy.fail_with(Fault.redirect(cluster.targets[0].url.encode() + location))
    with pytest.raises(RedirectError, match="RedirectToOtherObject"):
        run(lambda client: client.put_object(**PUT))
    assert touched(cluster) == []


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        (RedirectPolicy(max_hops=0), "TooManyRedirects"),
        (RedirectPolicy(allow_hosts=["10.0.0.0/8"]), "RedirectRefused"),
    ],
)
def test_the_limits_of_a_policy_hold(cluster: Cluster, run: Run, policy: RedirectPolicy, why: str) -> None:
    cluster.proxy.fail_with(Fault.redirect(f"http://127.0.0.9:{cluster.targets[0].port}/s3/capb/k?pid=1"))
    with aistore_patch.patched(policy), pytest.raises(RedirectError, match=why):
        run(lambda client: client.get_object(**HERE))
    assert len(cluster.ledger.requests()) == 1


def test_an_endpoint_with_a_bucket_in_it_is_refused(cluster: Cluster, run: Run) -> None:
    with pytest.raises(RedirectError, match=r"AIStore reads '/s3/capb/data.*endpoint_url that ends with /s3"):
        run(
            lambda client: client.put_object(Bucket="data", Key="k", Body=b"x"),
            url=f"{cluster.endpoint_url}/{BUCKET}",
        )
    assert touched(cluster) == []
