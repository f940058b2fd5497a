"""The S3 subset, with boto3 as it is released: unpatched, at targets that answer without a redirect."""

from __future__ import annotations

import io
from typing import Any, Iterator

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.cluster import Cluster
from tests.cluster.s3.ranges import byte_range

BUCKET = "bucket"
KEYS = ["a", "b/1", "b/2", "b/c/3", "é €", "z?#%+&=", "zz"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(targets=1, direct_access=True, honours="s3") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def client(cluster: Cluster) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=f"{cluster.targets[0].url}/s3",
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
    )


@pytest.fixture(autouse=True)
def _bucket(cluster: Cluster) -> Iterator[None]:
    cluster.store.create_bucket(BUCKET)
    yield
    for key in cluster.store.keys(BUCKET):
        cluster.store.delete(BUCKET, key)
    cluster.store.delete_bucket(BUCKET)


def error_code(raised: pytest.ExceptionInfo[ClientError]) -> str:
    return str(raised.value.response["Error"]["Code"])


def test_buckets_come_and_go(client: Any) -> None:
    client.create_bucket(Bucket="other")
    assert [bucket["Name"] for bucket in client.list_buckets()["Buckets"]] == [BUCKET, "other"]
    assert client.get_bucket_location(Bucket="other")["LocationConstraint"] is None
    assert "Status" not in client.get_bucket_versioning(Bucket="other")
    with pytest.raises(ClientError) as raised:
        client.create_bucket(Bucket="other")
    assert error_code(raised) == "BucketAlreadyOwnedByYou"
    client.put_object(Bucket="other", Key="k")
    with pytest.raises(ClientError) as raised:
        client.delete_bucket(Bucket="other")
    assert error_code(raised) == "BucketNotEmpty"
    client.delete_object(Bucket="other", Key="k")
    client.delete_bucket(Bucket="other")
    with pytest.raises(ClientError) as raised:
        client.head_bucket(Bucket="other")
    assert error_code(raised) == "404"


def test_an_object_is_given_back_as_it_was_put(client: Any) -> None:
    put = client.put_object(Bucket=BUCKET, Key="k", Body=b"0123456789", ContentType="text/x", Metadata={"a": "b c"})
    found = client.get_object(Bucket=BUCKET, Key="k")
    assert found["Body"].read() == b"0123456789"
    assert (found["ETag"], found["ContentType"], found["Metadata"]) == (put["ETag"], "text/x", {"a": "b c"})
    head = client.head_object(Bucket=BUCKET, Key="k")
    assert (head["ContentLength"], head["LastModified"]) == (10, found["LastModified"])


def test_ranges(client: Any) -> None:
    client.put_object(Bucket=BUCKET, Key="k", Body=b"0123456789")
    found = client.get_object(Bucket=BUCKET, Key="k", Range="bytes=2-4")
    assert (found["Body"].read(), found["ContentRange"]) == (b"234", "bytes 2-4/10")
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 206
    with pytest.raises(ClientError) as raised:
        client.get_object(Bucket=BUCKET, Key="k", Range="bytes=10-")
    assert error_code(raised) == "InvalidRange"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes=0-", (0, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-30", (0, 10)),
        ("bytes=8-99", (8, 10)),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("", None),
    ],
)
def test_a_range_is_read_as_http_says(text: str, expected: tuple[int, int] | None) -> None:
    assert byte_range(text, 10) == expected


def test_what_is_not_there_is_an_error(client: Any) -> None:
    with pytest.raises(client.exceptions.NoSuchKey):
        client.get_object(Bucket=BUCKET, Key="k")
    with pytest.raises(client.exceptions.NoSuchBucket):
        client.get_object(Bucket="none", Key="k")
    client.delete_object(Bucket=BUCKET, Key="k")


def test_conditions(client: Any) -> None:
    etag = client.put_object(Bucket=BUCKET, Key="k", Body=b"data")["ETag"]
    assert client.get_object(Bucket=BUCKET, Key="k", IfMatch=etag)["Body"].read() == b"data"
    with pytest.raises(ClientError) as raised:
        client.get_object(Bucket=BUCKET, Key="k", IfMatch='"other"')
    assert error_code(raised) == "PreconditionFailed"
    with pytest.raises(ClientError) as raised:
        client.get_object(Bucket=BUCKET, Key="k", IfNoneMatch=etag)
    assert error_code(raised) == "304"


def test_what_is_not_simulated_says_so(client: Any) -> None:
    client.put_object(Bucket=BUCKET, Key="k")
    with pytest.raises(ClientError) as raised:
        client.get_object_acl(Bucket=BUCKET, Key="k")
    assert error_code(raised) == "NotImplemented"


@pytest.mark.parametrize("listing", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("page", [1, 2, 1000])
def test_lists_have_every_key_once_however_they_are_paged(client: Any, listing: str, page: int) -> None:
    for key in KEYS:
        client.put_object(Bucket=BUCKET, Key=key)
    pages = client.get_paginator(listing).paginate(Bucket=BUCKET, PaginationConfig={"PageSize": page})
    assert [found["Key"] for answer in pages for found in answer.get("Contents", [])] == sorted(KEYS)


@pytest.mark.parametrize("listing", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("page", [1, 2, 1000])
def test_a_delimiter_groups_keys(client: Any, listing: str, page: int) -> None:
    for key in KEYS:
        client.put_object(Bucket=BUCKET, Key=key)
    pages = client.get_paginator(listing).paginate(
        Bucket=BUCKET, Prefix="b", Delimiter="/", PaginationConfig={"PageSize": page}
    )
    groups = [group["Prefix"] for answer in pages for group in answer.get("CommonPrefixes", [])]
    assert groups == ["b/"]
    inside = client.list_objects_v2(Bucket=BUCKET, Prefix="b/", Delimiter="/")
    assert [found["Key"] for found in inside["Contents"]] == ["b/1", "b/2"]
    assert [group["Prefix"] for group in inside["CommonPrefixes"]] == ["b/c/"]


def test_a_list_can_start_in_the_middle(client: Any) -> None:
    for key in KEYS:
        client.put_object(Bucket=BUCKET, Key=key)
    found = client.list_objects_v2(Bucket=BUCKET, StartAfter="b/2", MaxKeys=1)
    assert [item["Key"] for item in found["Contents"]] == ["b/c/3"]
    assert found["IsTruncated"]


def test_batch_delete(client: Any, cluster: Cluster) -> None:
    for key in KEYS:
        client.put_object(Bucket=BUCKET, Key=key)
    keys = [{"Key": key} for key in KEYS[1:]]
    assert client.delete_objects(Bucket=BUCKET, Delete={"Objects": keys})["Deleted"] == keys
    assert cluster.store.keys(BUCKET) == ["a"]


def test_copies_keep_or_replace_metadata(client: Any) -> None:
    client.put_object(Bucket=BUCKET, Key="é?", Body=b"data", Metadata={"a": "b"})
    source = {"Bucket": BUCKET, "Key": "é?"}
    client.copy_object(Bucket=BUCKET, Key="same", CopySource=source)
    assert client.get_object(Bucket=BUCKET, Key="same")["Metadata"] == {"a": "b"}
    client.copy_object(Bucket=BUCKET, Key="new", CopySource=source, MetadataDirective="REPLACE", Metadata={"c": "d"})
    found = client.get_object(Bucket=BUCKET, Key="new")
    assert (found["Metadata"], found["Body"].read()) == ({"c": "d"}, b"data")


def test_a_multipart_upload_from_create_to_complete(client: Any) -> None:
    place = {"Bucket": BUCKET, "Key": "k"}
    client.put_object(Bucket=BUCKET, Key="source", Body=b"0123456789")
    upload = client.create_multipart_upload(**place, Metadata={"a": "b"})["UploadId"]
    assert [row["UploadId"] for row in client.list_multipart_uploads(Bucket=BUCKET)["Uploads"]] == [upload]
    parts = [
        {
            "PartNumber": number,
            "ETag": client.upload_part(**place, UploadId=upload, PartNumber=number, Body=body)["ETag"],
        }
        for number, body in ((1, b"one,"), (2, io.BytesIO(b"two,")))
    ]
    copied = client.upload_part_copy(
        **place,
        UploadId=upload,
        PartNumber=3,
        CopySource={"Bucket": BUCKET, "Key": "source"},
        CopySourceRange="bytes=3-5",
    )
    parts.append({"PartNumber": 3, "ETag": copied["CopyPartResult"]["ETag"]})
    listed = client.list_parts(**place, UploadId=upload)["Parts"]
    assert [(part["PartNumber"], part["Size"]) for part in listed] == [(1, 4), (2, 4), (3, 3)]
    for wrong, code in (
        (parts[::-1], "InvalidPartOrder"),
        ([{"PartNumber": 1, "ETag": '"x"'}], "InvalidPart"),
    ):
        with pytest.raises(ClientError) as raised:
            client.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": wrong})
        assert error_code(raised) == code
    done = client.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})
    assert done["ETag"].endswith('-3"')
    found = client.get_object(**place)
    assert (found["Body"].read(), found["Metadata"]) == (b"one,two,345", {"a": "b"})


def test_an_aborted_upload_is_gone(client: Any) -> None:
    place = {"Bucket": BUCKET, "Key": "k"}
    upload = client.create_multipart_upload(**place)["UploadId"]
    client.abort_multipart_upload(**place, UploadId=upload)
    with pytest.raises(ClientError) as raised:
        client.upload_part(**place, UploadId=upload, PartNumber=1, Body=b"x")
    assert error_code(raised) == "NoSuchUpload"


def test_files_go_up_and_down_in_parts(client: Any, tmp_path: Any) -> None:
    data = bytes(range(256)) * 65536
    config = boto3.s3.transfer.TransferConfig(multipart_threshold=1 << 20, multipart_chunksize=5 << 20)
    client.upload_fileobj(io.BytesIO(data), BUCKET, "k", Config=config)
    assert client.head_object(Bucket=BUCKET, Key="k")["ETag"].endswith('-4"')
    client.download_file(BUCKET, "k", str(tmp_path / "copy"), Config=config)
    assert (tmp_path / "copy").read_bytes() == data


def test_checksums_are_kept_and_given_back(client: Any, cluster: Cluster) -> None:
    client.put_object(Bucket=BUCKET, Key="k", Body=b"data")
    checksums = cluster.store[BUCKET, "k"].checksums
    newer_boto3 = "ChecksumMode" in client.meta.service_model.operation_model("GetObject").input_shape.members
    found = client.get_object(Bucket=BUCKET, Key="k", **({"ChecksumMode": "ENABLED"} if newer_boto3 else {}))
    given_back = {
        name: value
        for name, value in found["ResponseMetadata"]["HTTPHeaders"].items()
        if name.startswith("x-amz-checksum-")
    }
    assert given_back == checksums


def test_a_client_of_the_gateway_that_follows_nothing_sees_the_redirect() -> None:
    with Cluster() as cluster:
        cluster.store.create_bucket(BUCKET)
        client = boto3.client(
            "s3",
            endpoint_url=cluster.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
        )
        with pytest.raises(ClientError) as raised:
            client.put_object(Bucket=BUCKET, Key="k", Body=b"data")
        assert error_code(raised) == "TemporaryRedirect"
        # botocore asks for the bucket's region as well, and may try again when it is told "ais".
        assert {(entry.node, entry.body_bytes) for entry in cluster.ledger.requests(method="PUT")} == {("proxy", 0)}
