"""What AIStore would misread is refused before anything is sent to a target; what it honours goes on."""

from __future__ import annotations

import contextlib
import datetime
from types import SimpleNamespace
from typing import Any, Callable

import botocore
import pytest
from botocore.exceptions import ClientError, ParamValidationError
from packaging.version import Version

import aistore_patch
from aistore_patch import RedirectError, RedirectPolicy, guard
from tests.cluster import Cluster, Fault

from .conftest import BUCKET, AtRoot, MakeClient

pytestmark = pytest.mark.usefixtures("patched")

BODY = b"x" * 1000
HERE: dict[str, Any] = {"Bucket": BUCKET, "Key": "k"}
PUT: dict[str, Any] = {**HERE, "Body": b"other"}
COPY: dict[str, Any] = {"Bucket": BUCKET, "Key": "copy", "CopySource": {"Bucket": BUCKET, "Key": "k"}}
PART: dict[str, Any] = {**HERE, "UploadId": "u", "PartNumber": 1}
SSE_C = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "0" * 32}
TOMORROW = datetime.datetime(2099, 1, 1, tzinfo=datetime.timezone.utc)

# The operation, its parameters, and what the refusal names.
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("put_object_acl", {**HERE, "ACL": "private"}, "PutObjectAcl"),
    ("put_object_tagging", {**HERE, "Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}, "PutObjectTagging"),
    ("put_object_legal_hold", {**HERE, "LegalHold": {"Status": "ON"}}, "PutObjectLegalHold"),
    ("put_object_retention", {**HERE, "Retention": {"Mode": "GOVERNANCE"}}, "PutObjectRetention"),
    ("delete_object_tagging", HERE, "DeleteObjectTagging"),
    ("get_object_tagging", HERE, "GetObjectTagging"),
    ("get_object_torrent", HERE, "GetObjectTorrent"),
    ("rename_object", {**HERE, "RenameSource": "other"}, "RenameObject"),
    ("upload_part_copy", {**PART, "CopySource": f"{BUCKET}/k"}, "UploadPartCopy"),
    ("put_object", {**PUT, "IfNoneMatch": "*"}, "IfNoneMatch with PutObject"),
    ("put_object", {**PUT, "IfMatch": '"wrong"'}, "IfMatch with PutObject"),
    ("put_object", {**PUT, "WriteOffsetBytes": 1000}, "WriteOffsetBytes with PutObject"),
    ("put_object", {**PUT, **SSE_C}, "SSECustomerKey with PutObject"),
    ("put_object", {**PUT, "ObjectLockLegalHoldStatus": "ON"}, "ObjectLockLegalHoldStatus with PutObject"),
    (
        "put_object",
        {**PUT, "ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": TOMORROW},
        "ObjectLockMode with PutObject",
    ),
    ("create_multipart_upload", {**HERE, **SSE_C}, "SSECustomerKey with CreateMultipartUpload"),
    ("upload_part", {**PART, "Body": b"x", **SSE_C}, "SSECustomerKey with UploadPart"),
    ("complete_multipart_upload", {**HERE, "UploadId": "u", "IfNoneMatch": "*"}, "IfNoneMatch with CompleteMulti"),
    ("delete_object", {**HERE, "VersionId": "1"}, "VersionId with DeleteObject"),
    ("delete_object", {**HERE, "IfMatch": '"wrong"'}, "IfMatch with DeleteObject"),
    ("get_object", {**HERE, "VersionId": "1"}, "VersionId with GetObject"),
    ("head_object", {**HERE, "VersionId": "1"}, "VersionId with HeadObject"),
    ("head_object", {**HERE, "PartNumber": 1}, "PartNumber with HeadObject"),
    ("copy_object", {**COPY, "CopySourceIfMatch": '"wrong"'}, "CopySourceIfMatch with CopyObject"),
    ("copy_object", {**COPY, "CopySource": f"{BUCKET}/k?versionId=1"}, "VersionId with CopyObject"),
    ("copy_object", {**COPY, "Key": "100%"}, "the key '100%' with CopyObject"),
    ("put_object", {**PUT, "Key": "x?y"}, r"the key 'x\?y' with PutObject"),
    ("put_object", {**PUT, "Key": "k/"}, "the key 'k/' with PutObject"),
    ("put_object", {**PUT, "Key": "a//k"}, "the key 'a//k' with PutObject"),
    ("delete_object", {**HERE, "Key": "k/"}, "the key 'k/' with DeleteObject"),
    ("delete_object", {**HERE, "Key": "a/../k"}, "the key 'a/../k' with DeleteObject"),
    ("put_object", {**PUT, "Key": "a\nb"}, "control characters"),
    ("get_object", {**HERE, "Key": "a\tb"}, "control characters"),
]


def calling(client: Any, operation: str, parameters: dict[str, Any]) -> Callable[[], Any]:
    """The call; what this botocore does not have skips the test."""
    if not hasattr(client, operation):
        pytest.skip(f"this botocore has no {operation}")

    def call() -> Any:
        try:
            return getattr(client, operation)(**parameters)
        except ParamValidationError:
            pytest.skip("this botocore has no such parameter")

    return call


def touched(cluster: Cluster) -> list[Any]:
    return [entry for target in cluster.targets for entry in target.requests]


@pytest.mark.parametrize(("operation", "parameters", "named"), REFUSED)
def test_what_aistore_would_misread_is_refused_and_the_object_stays(
    cluster: Cluster, client: Any, operation: str, parameters: dict[str, Any], named: str
) -> None:
    cluster.store.put(BUCKET, "k", BODY)
    call = calling(client, operation, parameters)
    with pytest.raises(RedirectError, match=f"NotHonoured.*{named}") as caught:
        call()
    assert caught.value.response["Error"]["Code"] == "NotHonoured"
    assert caught.value.response["ResponseMetadata"]["Redirects"] == []
    assert touched(cluster) == []
    assert cluster.store.keys(BUCKET) == ["k"]
    assert cluster.store[BUCKET, "k"].data == BODY


LIFTED = [row for row in REFUSED if row[2].partition(" ")[0] in ("PutObjectAcl", "IfNoneMatch", "VersionId")]


@pytest.mark.parametrize(("operation", "parameters", "named"), LIFTED)
def test_what_a_policy_says_is_honoured_is_followed(
    cluster: Cluster, client: Any, operation: str, parameters: dict[str, Any], named: str
) -> None:
    cluster.store.put(BUCKET, "k", BODY)
    call = calling(client, operation, parameters)
    with aistore_patch.patched(RedirectPolicy(honoured=["IfMatch"])), pytest.raises(RedirectError):
        call()
    assert touched(cluster) == []
    with aistore_patch.patched(RedirectPolicy(honoured=[named.partition(" ")[0]])):
        with contextlib.suppress(ClientError):  # what the target makes of it is of no interest here
            call()
        assert len(touched(cluster)) == 1


def test_the_environment_says_what_is_honoured(
    cluster: Cluster, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AISTORE_PATCH_HONOURED", "PutObjectAcl, IfNoneMatch")
    client = aistore_patch.follow_redirects(make_client(cluster, fresh=True))
    client.put_object_acl(**HERE, ACL="private")
    assert len(touched(cluster)) == 1
    with pytest.raises(RedirectError):
        client.delete_object_tagging(**HERE)


@pytest.mark.parametrize("known_by", ["server", "pid"])
def test_an_aistore_is_known_by_its_server_or_by_its_pid(cluster: Cluster, client: Any, known_by: str) -> None:
    """A front proxy may write its own Server, and before 2022 there was none."""
    where = f"{cluster.targets[0].url}/s3/{BUCKET}/k?{'pid=p&utm=u' if known_by == 'pid' else 'a=b'}"
    server = [("Server", "AIStore")] if known_by == "server" else [("Server", "nginx")]
    cluster.proxy.fail_with(Fault.respond(307, [("Location", where.encode()), *server]))
    with pytest.raises(RedirectError, match="NotHonoured"):
        client.put_object_acl(**HERE, ACL="private")
    assert touched(cluster) == []


def test_the_redirect_of_another_server_is_not_judged(cluster: Cluster, client: Any) -> None:
    cluster.targets[0].fail_with(Fault.respond(200))
    calls: list[tuple[Callable[[], Any], str]] = [
        (lambda: client.put_object_acl(**HERE, ACL="private"), "k?acl"),
        (lambda: client.put_object(Bucket=BUCKET, Key="a//b/", Body=b"x"), "a//b/"),
        (lambda: client.delete_object(**HERE, VersionId="1"), "k?versionId=1"),
    ]
    for call, path in calls:
        where = f"{cluster.targets[0].url}/s3/{BUCKET}/{path}"
        cluster.proxy.fail_with(Fault.respond(307, [("Location", where.encode())]), times=1)
        call()
    assert len(touched(cluster)) == 3


@pytest.mark.parametrize("key", ["k/", "a//b", "a/./b", "/k", "a/../k"])
def test_a_key_that_aistore_cannot_hold_is_not_there_to_be_read(cluster: Cluster, client: Any, key: str) -> None:
    for name in ("k", "a/b"):
        cluster.store.put(BUCKET, name, BODY)
    with pytest.raises(ClientError) as caught:
        client.head_object(Bucket=BUCKET, Key=key)
    assert caught.value.response["Error"] == {"Code": "404", "Message": "Not Found"}
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    with pytest.raises(client.exceptions.NoSuchKey, match="AIStore cannot store it") as caught:
        client.get_object(Bucket=BUCKET, Key=key)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    with pytest.raises(ClientError, match="NoSuchKey"):
        client.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": key})
    assert touched(cluster) == []


def test_a_header_that_a_hook_adds_is_judged_too(cluster: Cluster, make_client: MakeClient) -> None:
    """It is how conditional writes were done before botocore had them."""
    client = make_client(cluster, fresh=True)
    client.meta.events.register(
        "before-sign.s3.PutObject", lambda request, **_: request.headers.add_header("If-None-Match", "*")
    )
    with pytest.raises(RedirectError, match="IfNoneMatch with PutObject"):
        client.put_object(**PUT)
    assert touched(cluster) == []


def test_what_aistore_honours_goes_on(cluster: Cluster, client: Any) -> None:
    client.put_object(**HERE, Body=BODY, ContentType="text/plain", Metadata={"a": "b"}, ACL="private", Tagging="a=b")
    etag = client.head_object(**HERE)["ETag"]
    assert client.get_object(**HERE, IfMatch=etag, Range="bytes=0-4")["Body"].read() == b"xxxxx"
    assert client.get_object(**HERE, IfMatch='"wrong"')["Body"].read() == BODY
    client.copy_object(**COPY)
    upload = client.create_multipart_upload(Bucket=BUCKET, Key="m")["UploadId"]
    part = client.upload_part(Bucket=BUCKET, Key="m", UploadId=upload, PartNumber=1, Body=b"part")
    assert len(client.list_parts(Bucket=BUCKET, Key="m", UploadId=upload)["Parts"]) == 1
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    client.complete_multipart_upload(Bucket=BUCKET, Key="m", UploadId=upload, MultipartUpload=parts)
    other = client.create_multipart_upload(Bucket=BUCKET, Key="n")["UploadId"]
    client.abort_multipart_upload(Bucket=BUCKET, Key="n", UploadId=other)
    client.delete_object(**HERE)
    assert cluster.store.keys(BUCKET) == ["copy", "m"]


def test_a_key_with_a_question_mark_is_read_and_deleted(cluster: Cluster, client: Any) -> None:
    cluster.store.put(BUCKET, "x?y", BODY)
    assert client.get_object(Bucket=BUCKET, Key="x?y")["Body"].read() == BODY
    client.delete_object(Bucket=BUCKET, Key="x?y")
    assert cluster.store.get(BUCKET, "x?y") is None


@pytest.mark.parametrize(
    ("call", "path"),
    [
        (lambda client: client.list_objects_v2(Bucket=BUCKET), b"/s3/capb/"),
        (lambda client: client.head_bucket(Bucket=BUCKET), b"/s3/capb/"),
        (lambda client: client.list_buckets(), b"/s3/"),
    ],
    ids=["list", "head", "buckets"],
)
@pytest.mark.parametrize("server", ["AIStore", "nginx"])
def test_a_slash_that_is_added_to_a_call_without_a_key_is_followed(
    cluster: Cluster, client: Any, call: Callable[[Any], Any], path: bytes, server: str
) -> None:
    def where(request: Any) -> bytes:
        return path + (b"?" + request.query if request.query else b"")

    def add_slash(request: Any, handler: Any) -> Any:
        fault = Fault.respond(301, [("Location", where(request)), ("Server", server)])
        return fault.answer(request, handler)

    cluster.proxy.fail_with(Fault(add_slash), when=lambda request: request.path in (b"/s3", b"/s3/capb"))
    call(client)
    assert cluster.proxy.requests[-1].path == path


def test_a_slash_that_is_added_to_a_key_is_refused(cluster: Cluster, client: Any) -> None:
    cluster.proxy.fail_with(Fault.respond(301, [("Location", b"/s3/capb/k/")]))
    with pytest.raises(RedirectError, match="RedirectToOtherObject"):
        client.get_object(**HERE)
    assert len(cluster.ledger.requests()) == 1


@pytest.mark.parametrize(
    "signed",
    [
        b"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=c&X-Amz-SignedHeaders=host&X-Amz-Signature=0",
        b"AWSAccessKeyId=a&Signature=b&Expires=1",
    ],
)
def test_a_location_with_its_own_signature_is_not_signed_again(cluster: Cluster, client: Any, signed: bytes) -> None:
    target = cluster.targets[0]
    target.fail_with(Fault.respond(200))
    for _ in range(2):  # on a new connection, and on one that was used before
        cluster.proxy.fail_with(Fault.redirect(f"{target.url}/s3/capb/k?".encode() + signed), times=1)
        client.put_object(**PUT)
        sent = target.requests[-1]
        assert sent.query == signed
        assert sent.header("Authorization") == ""
        assert sent.header("x-amz-date") == ""


@pytest.mark.parametrize("server", ["aistore", "nginx, AIStore", "AIStore/4"])
def test_a_server_is_an_aistore_however_it_writes_it(cluster: Cluster, client: Any, server: str) -> None:
    where = f"{cluster.targets[0].url}/s3/{BUCKET}/k?acl"
    cluster.proxy.fail_with(Fault.respond(307, [("Location", where.encode()), ("Server", server)]))
    with pytest.raises(RedirectError, match="NotHonoured"):
        client.put_object_acl(**HERE, ACL="private")
    assert touched(cluster) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.create_bucket(Bucket="data"),
        lambda client: client.delete_bucket(Bucket="data"),
        lambda client: client.list_objects_v2(Bucket="data"),
        lambda client: client.put_object(Bucket="data", Key="k", Body=b"x"),
    ],
)
def test_an_endpoint_with_a_bucket_in_it_is_refused(
    cluster: Cluster, make_client: MakeClient, call: Callable[[Any], Any]
) -> None:
    """AIStore takes `/s3/capb/data` for the object `data`, whatever the client means by it."""
    mistaken = SimpleNamespace(endpoint_url=f"{cluster.endpoint_url}/{BUCKET}")
    with pytest.raises(RedirectError, match=r"AIStore reads '/s3/capb/data.*endpoint_url that ends with /s3"):
        call(make_client(mistaken))
    assert touched(cluster) == []


def test_a_bucket_named_as_the_api_is_refused_at_the_root(cluster: Cluster, make_client: MakeClient) -> None:
    with pytest.raises(RedirectError, match="no bucket named s3"):
        make_client(AtRoot(cluster)).put_object(Bucket="s3", Key=f"{BUCKET}/k", Body=b"x")
    assert touched(cluster) == []


def test_a_slash_is_added_to_no_call_that_aistore_misreads(cluster: Cluster, client: Any) -> None:
    """A gateway takes every DELETE of a bucket for a DeleteBucket."""
    cluster.proxy.fail_with(Fault.respond(301, [("Location", b"/s3/capb/?tagging"), ("Server", "nginx")]), times=1)
    with pytest.raises(RedirectError, match="RedirectToOtherObject"):
        client.delete_bucket_tagging(Bucket=BUCKET)
    assert len(cluster.ledger.requests()) == 1


def test_an_upload_of_a_part_does_not_become_that_of_an_object(cluster: Cluster, client: Any) -> None:
    where = f"{cluster.targets[0].url}/s3/{BUCKET}/k".encode()
    cluster.proxy.fail_with(Fault.respond(307, [("Location", where)]))
    with pytest.raises(RedirectError, match=r"RedirectToOtherObject.*its query lacks 'partnumber'"):
        client.upload_part(**PART, Body=b"part")
    with pytest.raises(RedirectError, match=r"RedirectToOtherObject.*its query lacks 'uploadid'"):
        client.abort_multipart_upload(**HERE, UploadId="u")
    assert touched(cluster) == []


NEWEST = Version("1.44.8")


def test_all_that_this_botocore_does_to_objects_is_classified(make_client: MakeClient, cluster: Cluster) -> None:
    """Of a newer botocore the matrix says what nobody has classified yet, and is no redder for it."""
    if Version(botocore.__version__) > NEWEST:
        pytest.skip("newer than what was classified")
    model = make_client(cluster).meta.service_model
    unknown: list[str] = []
    for name in model.operation_names:
        operation = model.operation_model(name)
        if "{Key+}" in operation.http["requestUri"]:
            members = operation.input_shape.members.items()
            parameters = {member: shape.serialization.get("name", member) for member, shape in members}
            unknown += guard.unclassified(name, operation.http["method"], parameters)
    assert unknown == []
