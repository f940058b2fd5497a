"""The base of the four test sets: every S3 operation, written once as ordinary boto3.

A set says two things, whether the cluster redirects and whether botocore is patched. The client that it hands to
the tests checks, call by call, what must then be true; the mock's ledger is the proof:

- no redirects: the call works, the proxy answered all of it;
- redirects, patched: the call works, every request was redirected, and each redirect was followed exactly;
- redirects, unpatched: the call raises botocore's ClientError and nothing was followed. The call is then made once
  more without redirects, so that the rest of the test goes on with the real result.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import io
from pathlib import Path
from typing import Any, Callable, ClassVar, ContextManager, TypeVar

import boto3
import pytest
import s3transfer.upload
import s3transfer.utils
from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

import aistore_patch
from tests.unit.botocore_patch import mock_s3_redirect
from tests.unit.botocore_patch.mock_s3_redirect import PROXY, TARGETS, MockCluster

STATUSES = (301, 302, 307, 308)
AISTORE_STATUS = 307  # the one that AIStore uses

BUCKET = "bucket"
BODY = bytes(range(256)) * 5  # every byte there is
SMALL_PART = 10_000  # bytes

HARD_KEYS = {
    "space_and_plus": "a b+c",
    "percent": "100%",
    "what_looks_escaped": "a%2Fb%20c%2Bd",
    "hash_ampersand_equals": "a#b&c=d",
    "quotes": 'it\'s "quoted"',
    "not_ascii": "é€ß日本語",
}

Test = TypeVar("Test", bound=Callable[..., None])


def with_every_status(test: Test) -> Test:
    """Run this test with each redirecting status; the other tests run with AIStore's."""
    test.with_every_status = True  # type: ignore[attr-defined]  # read in pytest_generate_tests
    return test


@functools.lru_cache(maxsize=None)
def session() -> boto3.Session:
    """The session of this process and of those forked from it: reading botocore's models costs a third of a set."""
    return boto3.Session(
        mock_s3_redirect.CREDENTIALS.access_key, mock_s3_redirect.CREDENTIALS.secret_key, region_name="us-east-1"
    )


def make_client() -> Any:
    """An S3 client that talks to the mock cluster's proxy."""
    config = Config(s3={"addressing_style": "path"})
    return session().client("s3", endpoint_url=mock_s3_redirect.PROXY, config=config)


class CheckedClient:
    """A boto3 client whose every call is checked by the rule of the set."""

    def __init__(self, client: Any, cluster: MockCluster, redirects: bool, patched: bool, status: int | None) -> None:
        self._client = client
        self._cluster = cluster
        self._status = status
        self.hops = 1
        self._rule = self._works_without_redirect
        if redirects:
            self._rule = self._is_followed if patched else self._is_refused

    def _redirecting(self) -> ContextManager[None]:
        assert self._status is not None, "a set with redirects has the status as a parameter of its tests"
        return self._cluster.redirecting(self._status, self.hops)

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return functools.partial(self._rule, operation)

    def _works_without_redirect(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        ledger = self._cluster.ledger
        ledger.clear()
        try:
            return getattr(self._client, operation)(*args, **kwargs)
        finally:
            assert ledger.answered_by_proxy, f"{operation}: the mock saw no request"
            assert not ledger.redirects
            assert not ledger.refused

    def _is_followed(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        ledger = self._cluster.ledger
        ledger.clear()
        try:
            with self._redirecting():
                answer = getattr(self._client, operation)(*args, **kwargs)
            if answer is not None:  # a managed transfer has none
                self._check_what_is_told(answer["ResponseMetadata"])
            return answer
        finally:
            assert not ledger.refused, f"{operation}: the target refused {ledger.refused}"
            assert ledger.redirects, f"{operation}: nothing was redirected"
            assert ledger.followed == len(ledger.redirects), f"{operation}: not followed: {ledger.redirects}"
            assert not ledger.answered_by_proxy

    def _check_what_is_told(self, metadata: Any) -> None:
        assert [hop["HTTPStatusCode"] for hop in metadata["Redirects"]] == [self._status] * self.hops
        assert metadata["RetryAttempts"] == 0  # a redirect is no retry
        assert metadata["HTTPStatusCode"] < 300

    def _is_refused(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        self._check_that_it_fails(operation, *map(_unused, args), **{name: _unused(kwargs[name]) for name in kwargs})
        return self._works_without_redirect(operation, *args, **kwargs)

    def _check_that_it_fails(self, operation: str, *args: Any, **kwargs: Any) -> None:
        ledger = self._cluster.ledger
        ledger.clear()
        with self._redirecting(), pytest.raises(_errors_of_a_redirect(operation)) as caught:
            getattr(self._client, operation)(*args, **kwargs)
        self._check_what_is_raised(caught.value)
        assert ledger.redirects, f"{operation}: nothing was redirected"
        assert ledger.followed == 0
        assert not ledger.refused, f"{operation}: a request went to {ledger.refused}"


    def _check_what_is_raised(self, error: Exception) -> None:
        if isinstance(error, S3UploadFailedError):
            # It quotes the client error. In its __context__ that may be missing: a TransferManager that is shut down
            # raises the same error again, and Python then cuts the circle.
            assert f"An error occurred ({mock_s3_redirect.ERROR_CODES[self._status or 0]})" in str(error)
        elif not isinstance(error, TypeError):
            assert isinstance(error, ClientError)
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == self._status


def _unused(argument: Any) -> Any:
    """The argument for one call more: a stream is used up by the first."""
    return copy.copy(argument) if isinstance(argument, io.BytesIO) else argument


def _errors_of_a_redirect(operation: str) -> tuple[type[Exception], ...]:
    """What botocore as it is raises from an operation that is redirected."""
    if operation == "upload_file":
        return (S3UploadFailedError,)
    if operation == "list_buckets":
        # Its S3RegionRedirector asks for the region of the bucket, and stumbles where the call has none. AIStore
        # does not redirect this call.
        return (ClientError, TypeError)
    return (ClientError,)


class EveryOperation:
    """The tests that all sets have. A test file makes a subclass of it that says which of the four it is."""

    redirects: ClassVar[bool]
    patched: ClassVar[bool]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if self.redirects and "status" in metafunc.fixturenames:
            every = getattr(metafunc.function, "with_every_status", False)
            metafunc.parametrize("status", STATUSES if every else [AISTORE_STATUS])

    # Buckets

    def test_bucket_is_created_found_and_deleted(self, s3: Any, prefix: str) -> None:
        name = f"bucket-of-{prefix.strip('/')}"
        s3.create_bucket(Bucket=name)
        s3.head_bucket(Bucket=name)
        assert name in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
        s3.delete_bucket(Bucket=name)
        with pytest.raises(ClientError) as caught:
            s3.head_bucket(Bucket=name)
        assert caught.value.response["Error"]["Code"] == "404"

    # Objects

    @with_every_status
    def test_object_comes_back_as_it_was_put(self, s3: Any, key: str) -> None:
        s3.put_object(Bucket=BUCKET, Key=key, Body=BODY)
        assert _read(s3.get_object(Bucket=BUCKET, Key=key)) == BODY

    def test_empty_object_comes_back_empty(self, s3: Any, key: str) -> None:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
        assert _read(s3.get_object(Bucket=BUCKET, Key=key)) == b""

    def test_object_is_put_from_a_stream(self, s3: Any, key: str) -> None:
        s3.put_object(Bucket=BUCKET, Key=key, Body=io.BytesIO(BODY))
        assert _read(s3.get_object(Bucket=BUCKET, Key=key)) == BODY

    def test_object_is_put_from_where_the_stream_stands(self, s3: Any, key: str) -> None:
        stream = io.BytesIO(BODY)
        stream.seek(100)
        s3.put_object(Bucket=BUCKET, Key=key, Body=stream)
        assert _read(s3.get_object(Bucket=BUCKET, Key=key)) == BODY[100:]

    def test_same_object_twice(self, s3: Any, key: str) -> None:
        for body in (BODY, BODY[::-1]):
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)
            assert _read(s3.get_object(Bucket=BUCKET, Key=key)) == body
            assert _read(s3.get_object(Bucket=BUCKET, Key=key)) == body

    @with_every_status
    def test_head_tells_what_was_put(self, s3: Any, key: str) -> None:
        s3.put_object(Bucket=BUCKET, Key=key, Body=BODY, ContentType="text/x-test", Metadata={"colour": "blue"})
        head = s3.head_object(Bucket=BUCKET, Key=key)
        assert head["ContentLength"] == len(BODY)
        assert head["ContentType"] == "text/x-test"
        assert head["Metadata"] == {"colour": "blue"}

    def test_range_of_an_object(self, s3: Any, key: str) -> None:
        s3.put_object(Bucket=BUCKET, Key=key, Body=BODY)
        part = s3.get_object(Bucket=BUCKET, Key=key, Range="bytes=10-299")
        assert part["ResponseMetadata"]["HTTPStatusCode"] == 206
        assert _read(part) == BODY[10:300]

    @with_every_status
    def test_deleted_object_is_gone(self, s3: Any, key: str) -> None:
        s3.put_object(Bucket=BUCKET, Key=key, Body=BODY)
        s3.delete_object(Bucket=BUCKET, Key=key)
        with pytest.raises(ClientError) as caught:
            s3.get_object(Bucket=BUCKET, Key=key)
        assert caught.value.response["Error"]["Code"] == "NoSuchKey"

    def test_list_v1_goes_page_by_page(self, s3: Any, prefix: str) -> None:
        for name in ("a b", "c&d"):
            s3.put_object(Bucket=BUCKET, Key=prefix + name, Body=b"")
        first = s3.list_objects(Bucket=BUCKET, Prefix=prefix, MaxKeys=1)
        marker = first.get("NextMarker", prefix + "a b")  # S3 sends one only with a delimiter
        second = s3.list_objects(Bucket=BUCKET, Prefix=prefix, MaxKeys=1, Marker=marker)
        assert [_keys(first), _keys(second)] == [[prefix + "a b"], [prefix + "c&d"]]
        assert not second["IsTruncated"]

    def test_list_v2_goes_page_by_page(self, s3: Any, prefix: str) -> None:
        for name in ("a b", "c&d"):
            s3.put_object(Bucket=BUCKET, Key=prefix + name, Body=b"")
        first = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix, MaxKeys=1)
        token = first["NextContinuationToken"]
        second = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix, MaxKeys=1, ContinuationToken=token)
        assert [_keys(first), _keys(second)] == [[prefix + "a b"], [prefix + "c&d"]]
        assert not second["IsTruncated"]

    @with_every_status
    def test_batch_delete_deletes_just_its_objects(self, s3: Any, prefix: str) -> None:
        doomed, kept = prefix + "doomed & <gone>", prefix + "kept"
        for key in (doomed, kept):
            s3.put_object(Bucket=BUCKET, Key=key, Body=BODY)
        answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": doomed}]})
        assert [deleted["Key"] for deleted in answer["Deleted"]] == [doomed]
        assert _keys(s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)) == [kept]

    def test_copy_has_the_same_content(self, s3: Any, prefix: str) -> None:
        source = {"Bucket": BUCKET, "Key": prefix + "from here"}
        s3.put_object(Body=BODY, **source)
        s3.copy_object(Bucket=BUCKET, Key=prefix + "to", CopySource=source)
        s3.copy(source, BUCKET, prefix + "to too")  # the managed one
        for copied in ("to", "to too"):
            assert _read(s3.get_object(Bucket=BUCKET, Key=prefix + copied)) == BODY

    @pytest.mark.parametrize("name", list(HARD_KEYS.values()), ids=list(HARD_KEYS))
    def test_key_is_kept_as_it_is(self, s3: Any, prefix: str, name: str) -> None:
        key = prefix + name
        s3.put_object(Bucket=BUCKET, Key=key, Body=BODY)
        assert _read(s3.get_object(Bucket=BUCKET, Key=key)) == BODY
        assert _keys(s3.list_objects_v2(Bucket=BUCKET, Prefix=key)) == [key]
        s3.delete_object(Bucket=BUCKET, Key=key)
        assert _keys(s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)) == []

    # Transfers

    def test_fileobj_goes_up_and_down(self, s3: Any, key: str) -> None:
        s3.upload_fileobj(io.BytesIO(BODY), BUCKET, key)
        down = io.BytesIO()
        s3.download_fileobj(BUCKET, key, down)
        assert down.getvalue() == BODY

    def test_file_goes_up_and_down(self, s3: Any, key: str, tmp_path: Path) -> None:
        up, down = tmp_path / "up", tmp_path / "down"
        up.write_bytes(BODY)
        s3.upload_file(str(up), BUCKET, key)
        s3.download_file(BUCKET, key, str(down))
        assert down.read_bytes() == BODY

    def test_large_fileobj_goes_up_and_down_in_parts(self, s3: Any, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
        # boto3 makes no part smaller than S3's minimum of 5 MiB; ten times that in each cell would be dear.
        small_parts = functools.partial(s3transfer.utils.ChunksizeAdjuster, min_size=1)
        monkeypatch.setattr(s3transfer.upload, "ChunksizeAdjuster", small_parts)
        body = bytes(SMALL_PART) + BODY
        config = TransferConfig(multipart_threshold=SMALL_PART, multipart_chunksize=SMALL_PART)
        s3.upload_fileobj(io.BytesIO(body), BUCKET, key, Config=config)
        assert _parts_of(s3.head_object(Bucket=BUCKET, Key=key)) == 2
        down = io.BytesIO()
        s3.download_fileobj(BUCKET, key, down, Config=config)
        assert down.getvalue() == body

    def test_file_over_the_threshold_goes_up_and_down_in_parts(self, s3: Any, key: str, tmp_path: Path) -> None:
        up, down = tmp_path / "up", tmp_path / "down"
        up.write_bytes(BODY)
        s3.upload_file(str(up), BUCKET, key, Config=TransferConfig(multipart_threshold=1))
        assert _parts_of(s3.head_object(Bucket=BUCKET, Key=key)) == 1
        s3.download_file(BUCKET, key, str(down), Config=TransferConfig(multipart_threshold=1, multipart_chunksize=500))
        assert down.read_bytes() == BODY

    # Multipart uploads

    def test_multipart_upload_becomes_one_object(self, s3: Any, key: str) -> None:
        upload = {"Bucket": BUCKET, "Key": key}
        upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
        parts = []
        for number, body in enumerate((BODY, b"second", b"third"), start=1):
            etag = s3.upload_part(PartNumber=number, Body=body, **upload)["ETag"]
            parts.append({"PartNumber": number, "ETag": etag})
        listed = s3.list_parts(**upload)["Parts"]
        assert [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in listed] == parts
        s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **upload)
        assert _read(s3.get_object(Bucket=BUCKET, Key=key)) == BODY + b"second" + b"third"

    def test_aborted_multipart_upload_leaves_nothing(self, s3: Any, key: str) -> None:
        upload = {"Bucket": BUCKET, "Key": key}
        upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
        s3.upload_part(PartNumber=1, Body=BODY, **upload)
        s3.abort_multipart_upload(**upload)
        with pytest.raises(ClientError) as caught:
            s3.list_parts(**upload)
        assert caught.value.response["Error"]["Code"] == "NoSuchUpload"
        assert _keys(s3.list_objects_v2(Bucket=BUCKET, Prefix=key)) == []

    # Answers that name a URL and are no redirects

    @pytest.mark.parametrize("status_with_location", [200, 300, 303, 304, 403])
    def test_location_alone_is_not_followed(
        self, client: Any, cluster: MockCluster, key: str, status_with_location: int
    ) -> None:
        cluster.ledger.clear()
        expected = contextlib.nullcontext() if status_with_location < 300 else pytest.raises(ClientError)
        with cluster.redirecting(status_with_location), expected:
            client.put_object(Bucket=BUCKET, Key=key, Body=BODY)
        assert len(cluster.ledger.redirects) == 1
        assert cluster.ledger.followed == 0
        assert cluster.ledger.refused == []


class EveryRedirect:
    """The tests that only the sets with redirects have: what is followed, and where it ends."""

    patched: ClassVar[bool]

    def test_redirects_lead_on_from_target_to_target(self, s3: CheckedClient, key: str) -> None:
        s3.hops = 3
        s3.put_object(Bucket=BUCKET, Key=key, Body=BODY)
        assert _read(s3.get_object(Bucket=BUCKET, Key=key)) == BODY

    def test_redirects_without_end_are_an_error(self, client: Any, cluster: MockCluster, key: str) -> None:
        cluster.ledger.clear()
        with cluster.redirecting(AISTORE_STATUS, hops=50), pytest.raises(ClientError) as caught:
            client.get_object(Bucket=BUCKET, Key=key)
        assert cluster.ledger.followed == (aistore_patch.RedirectPolicy().max_hops if self.patched else 0)
        assert "utm=" not in str(caught.value)  # a query may hold secrets

    @pytest.mark.parametrize(
        "place", [f"{PROXY}/{BUCKET}/asked-for", f"{TARGETS[0]}/{BUCKET}/other"], ids=["loop", "other"]
    )
    def test_location_of_no_use_is_an_error(self, client: Any, cluster: MockCluster, place: str) -> None:
        cluster.ledger.clear()
        with cluster.redirecting(AISTORE_STATUS, headers={"Location": place}), pytest.raises(ClientError):
            client.delete_object(Bucket=BUCKET, Key="asked-for")
        assert len(cluster.ledger.redirects) == 1
        assert cluster.ledger.followed == 0
        assert cluster.ledger.refused == []

    def test_redirect_of_aws_is_left_to_botocore(self, cluster: MockCluster, key: str) -> None:
        client = make_client()  # it will remember the region
        cluster.ledger.clear()
        region = {"x-amz-bucket-region": "eu-west-1"}
        with cluster.redirecting(AISTORE_STATUS, headers=region), pytest.raises(ClientError):
            client.get_object(Bucket=BUCKET, Key=key)
        assert cluster.ledger.followed == 0

    def test_redirect_of_another_service_is_not_followed(self, cluster: MockCluster) -> None:
        client = session().client("sts", endpoint_url=mock_s3_redirect.PROXY)
        cluster.ledger.clear()
        with cluster.redirecting(AISTORE_STATUS), pytest.raises(ClientError) as caught:
            client.get_caller_identity()
        assert type(caught.value) is ClientError  # botocore's own, and no refusal of the patch
        assert len(cluster.ledger.redirects) == 1
        assert cluster.ledger.followed == 0
        assert cluster.ledger.refused == []


def _read(answer: dict[str, Any]) -> bytes:
    content: bytes = answer["Body"].read()
    return content


def _keys(page: dict[str, Any]) -> list[str]:
    return [entry["Key"] for entry in page.get("Contents", [])]


def _parts_of(head: dict[str, Any]) -> int:
    """How many parts an object was put together from: S3 says so at the end of its ETag."""
    return int(head["ETag"].strip('"').rpartition("-")[2])
