"""Signatures are checked against what was on the wire: AWS's own examples, and boto3 as it is released."""

from __future__ import annotations

import io
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.cluster import AUTHORITY, Cluster, Verifier, server_context
from tests.cluster.s3.errors import S3Error
from tests.cluster.store import Upload
from tests.cluster.wire import Request, Source

# From AWS's documentation: "Signature Calculations for the Authorization Header", and "Signing and Authenticating
# REST Requests" (the bucket in the path here; version 2 signs the same resource either way).
KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
V4_EXAMPLE = (
    "GET /test.txt HTTP/1.1\r\n"
    "Host: examplebucket.s3.amazonaws.com\r\n"
    "Authorization: AWS4-HMAC-SHA256 "
    f"Credential={KEY}/20130524/us-east-1/s3/aws4_request,"
    "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
    "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41\r\n"
    "Range: bytes=0-9\r\n"
    f"x-amz-content-sha256: {EMPTY}\r\n"
    "x-amz-date: 20130524T000000Z"
)
V2_EXAMPLE = (
    "GET /awsexamplebucket1/photos/puppy.jpg HTTP/1.1\r\n"
    "Host: s3.us-west-1.amazonaws.com\r\n"
    "Date: Tue, 27 Mar 2007 19:36:42 +0000\r\n"
    f"Authorization: AWS {KEY}:qgk2+6Sv9/oM7G3qLEjTH1a1l1g="
)


def request_of(head: str) -> Request:
    return Request(head.encode(), Source(bytes), scheme="http", send_continue=lambda: None)


@pytest.mark.parametrize("example", [V4_EXAMPLE, V2_EXAMPLE], ids=["v4", "v2"])
def test_the_examples_of_the_documentation_are_right(example: str) -> None:
    Verifier({KEY: SECRET})(request_of(example))


@pytest.mark.parametrize(
    ("example", "old", "new"),
    [
        (V4_EXAMPLE, "GET", "PUT"),
        (V4_EXAMPLE, "/test.txt", "/test%2Etxt"),
        (V4_EXAMPLE, "/test.txt", "/test.txt?pid=1"),
        (V4_EXAMPLE, "examplebucket", "otherbucket"),
        (V4_EXAMPLE, "0-9", "0-8"),
        (V4_EXAMPLE, EMPTY, "UNSIGNED-PAYLOAD"),
        (V4_EXAMPLE, "T000000Z", "T000001Z"),
        (V2_EXAMPLE, "GET", "PUT"),
        (V2_EXAMPLE, "puppy", "kitten"),
        (V2_EXAMPLE, "puppy", "%70uppy"),
        (V2_EXAMPLE, ".jpg", ".jpg?acl"),
        (V2_EXAMPLE, "2007", "2008"),
    ],
)
def test_a_request_that_was_changed_is_refused(example: str, old: str, new: str) -> None:
    with pytest.raises(S3Error, match="SignatureDoesNotMatch"):
        Verifier({KEY: SECRET})(request_of(example.replace(old, new)))


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ("GET / HTTP/1.1\r\nHost: h", "AccessDenied"),
        (V4_EXAMPLE.replace(KEY, "AKIDOTHER"), "InvalidAccessKeyId"),
        (V4_EXAMPLE + "\r\nx-amz-meta-more: 1", "AccessDenied"),
        (V4_EXAMPLE.replace("SignedHeaders=host;", "SignedHeaders="), "AccessDenied"),
        (V4_EXAMPLE.replace(EMPTY, "nonsense"), "InvalidArgument"),
        (V4_EXAMPLE.replace(EMPTY, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), "NotImplemented"),
    ],
)
def test_a_request_that_is_not_properly_signed_is_refused(head: str, code: str) -> None:
    with pytest.raises(S3Error, match=code):
        Verifier({KEY: SECRET})(request_of(head))


def client_of(cluster: Cluster, version: str, secret: str = SECRET) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=f"{cluster.targets[0].url}/s3",
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=secret,
        verify=AUTHORITY,
        config=Config(signature_version=version, s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
    )


def signs_the_query_twice(client: Any, operation: str) -> bool:
    """botocore 1.29 does in version 2, where its model has a query in the path to sign; S3 refuses that too."""
    return "?" in client.meta.service_model.operation_model(operation).http.get("authPath", "")


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_what_boto3_signs_is_right(version: str, tls: bool) -> None:
    context = server_context() if tls else None
    with Cluster(
        targets=1, direct_access=True, honours="s3", verify=Verifier({KEY: SECRET}), target_tls=context
    ) as cluster:
        client = client_of(cluster, version)
        client.list_buckets()
        client.create_bucket(Bucket="b")
        for key in ("k", "é ?#%+&=~!*'()/.."):
            place = {"Bucket": "b", "Key": key}
            client.put_object(**place, Body=b"data", Metadata={"a": "b  c"})
            assert client.get_object(**place, ResponseContentType="a/b")["Body"].read() == b"data"
            upload = cluster.store.start_upload(Upload("b", key, {}))
            client.upload_part(**place, UploadId=upload, PartNumber=1, Body=io.BytesIO(b"part"))
            client.abort_multipart_upload(**place, UploadId=upload)
            if version == "s3v4" or not signs_the_query_twice(client, "CreateMultipartUpload"):
                client.create_multipart_upload(**place)
        if version == "s3v4" or not signs_the_query_twice(client, "DeleteObjects"):
            client.delete_objects(Bucket="b", Delete={"Objects": [{"Key": "k"}]})
        client.list_objects(Bucket="b", Prefix="a b/", Delimiter="/")
        with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
            client_of(cluster, version, secret="wrong").list_buckets()


def test_a_body_that_is_not_the_signed_one_is_not_stored() -> None:
    with Cluster(targets=1, direct_access=True, verify=Verifier({KEY: SECRET})) as cluster:
        cluster.store.create_bucket("b")
        client = client_of(cluster, "s3v4")

        def change_body(request: Any, **_: Any) -> None:
            request.body = b"evil"

        client.meta.events.register("before-send.s3.PutObject", change_body)
        with pytest.raises(ClientError, match=r"XAmzContentSHA256Mismatch|BadDigest"):
            client.put_object(Bucket="b", Key="k", Body=b"data")
        assert cluster.store.keys("b") == []
