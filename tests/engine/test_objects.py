"""The object meant is the object touched, with the bytes that were meant."""

from __future__ import annotations

import base64
import hashlib
import io
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import botocore
import pytest
from botocore.awsrequest import AWSHTTPConnection, AWSHTTPConnectionPool, AWSResponse, HeadersDict
from botocore.exceptions import ClientError, InvalidDNSNameError, UnseekableStreamError
from botocore.httpsession import URLLib3Session

from aistore_patch.short_way.own import URLLIB3
from tests.cluster import AUTHORITY, Cluster, Ending, Fault, Verifier, server_context

from .conftest import BUCKET, KEY_ID, SECRET, AtRoot, MakeClient

pytestmark = pytest.mark.usefixtures("patched")

KEYS = [
    "plain",
    "with space",
    "a+b",
    "100%",
    "a%41b",
    "a%2Fb",
    "x?y",
    "x?y=1&z",
    "what?",
    "#hash",
    "é€/ñ",
    "日本?語",
    "semi;colon",
    "q'\"<>|\\^`{}[]",
    "dir//double/../up/./",
    "tilde~!*()",
    "\N{GRINNING FACE}",
]


SOME_KEYS = ["plain", "a b+", "100%#", "x?y=1&z", "é€/ñ", "日本?語"]


@pytest.mark.usefixtures("keys_as_in_s3")
def test_every_key_is_stored_and_read_under_its_own_name(cluster: Cluster, client: Any) -> None:
    check_keys(cluster, client, KEYS)


@pytest.mark.usefixtures("keys_as_in_s3")
def test_a_location_that_ends_at_a_hash_before_a_question_mark_is_refused(cluster: Cluster, client: Any) -> None:
    with pytest.raises(ClientError, match="RedirectToOtherObject"):
        client.put_object(Bucket=BUCKET, Key="a#b?c", Body=b"x")
    assert cluster.store.keys(BUCKET) == []


@pytest.mark.parametrize(("faithful", "strict"), [(True, True), (False, False)])
@pytest.mark.usefixtures("keys_as_in_s3")
def test_keys_are_kept_by_gateways_and_targets_of_another_kind(
    cluster: Cluster, client: Any, faithful: bool, strict: bool
) -> None:
    cluster.redirects.faithful_location = faithful
    cluster.redirects.strict_path = strict
    check_keys(cluster, client, SOME_KEYS)


def check_keys(cluster: Cluster, client: Any, keys: list[str]) -> None:
    for key in keys:
        client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    assert sorted(cluster.store.keys(BUCKET)) == sorted(keys)
    for key in keys:
        assert client.get_object(Bucket=BUCKET, Key=key)["Body"].read() == key.encode()


@pytest.mark.usefixtures("names")
def test_a_host_that_begins_with_the_name_of_the_bucket_by_chance_does_not_name_it(
    cluster: Cluster, make_client: MakeClient
) -> None:
    target = cluster.targets[0]
    target._verify = None  # it takes the first part of its name for a bucket: only what it was asked is of interest
    target.fail_with(Fault.respond(200))
    client = make_client(AtRoot(cluster, "localhost"), addressing="virtual")
    at_target = f"http://{BUCKET}.nodes.localhost:{target.port}"
    cluster.proxy.fail_with(Fault.redirect(f"{at_target}/{BUCKET}/k?pid=1"))
    client.delete_object(Bucket=BUCKET, Key="k")
    cluster.proxy.fail_with(Fault.redirect(f"{at_target}/k?pid=1"))
    with pytest.raises(ClientError, match="RedirectToOtherObject"):
        client.delete_object(Bucket=BUCKET, Key="k")
    assert [entry.path for entry in target.requests] == [f"/{BUCKET}/k".encode()]


@pytest.mark.parametrize(("addressing", "signature"), [("path", "s3v4"), ("path", "s3"), ("virtual", "s3v4")])
@pytest.mark.usefixtures("names", "keys_as_in_s3")
def test_an_endpoint_at_the_root_leads_to_the_same_objects(
    cluster: Cluster, make_client: MakeClient, addressing: str, signature: str
) -> None:
    client = make_client(AtRoot(cluster, "localhost"), addressing=addressing, signature_version=signature)
    check_keys(cluster, client, SOME_KEYS)
    if signature == "s3":  # botocore 1.29 signs `?uploads?uploads` with it, redirected or not
        return
    upload = client.create_multipart_upload(Bucket=BUCKET, Key="m?é")["UploadId"]
    part = client.upload_part(Bucket=BUCKET, Key="m?é", UploadId=upload, PartNumber=1, Body=b"part")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    client.complete_multipart_upload(Bucket=BUCKET, Key="m?é", UploadId=upload, MultipartUpload=parts)
    assert cluster.store[BUCKET, "m?é"].data == b"part"


@pytest.mark.parametrize("key", ["x?acl", "x?uploads", "x?pid=1", "x?y&versionId=3", "x?response-expires=1", "x?aCL"])
@pytest.mark.usefixtures("keys_as_in_s3")
def test_a_key_that_would_be_read_as_parameters_is_refused(cluster: Cluster, client: Any, key: str) -> None:
    with pytest.raises(ClientError, match="RedirectToOtherObject") as caught:
        client.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    assert "parameters" in str(caught.value)
    assert cluster.store.keys(BUCKET) == []
    assert not any(target.requests for target in cluster.targets)


def test_the_decoded_path_as_older_gateways_write_it_is_repaired(cluster: Cluster, client: Any) -> None:
    target = cluster.targets[0]
    target.fail_with(Fault.respond(200))
    for key in ("a b", "x#y", "x?acl", "100%", "a%41", "é"):
        location = target.url.encode() + b"/s3/capb/" + key.encode() + b"?pid=p&utm=u"
        cluster.proxy.fail_with(Fault.redirect(location), times=1)
        client.head_object(Bucket=BUCKET, Key=key)
        asked = cluster.proxy.requests[-1]
        assert target.requests[-1].path == asked.path
        assert target.requests[-1].query == b"pid=p&utm=u"


@pytest.mark.parametrize(
    "path",
    [b"/s3/capb/other", b"/s3/capb/", b"", b"/s3/other/k", b"/s3/capb/k/", b"/capb/k", b"/k", b"/s3/s3/capb/k"],
)
def test_another_object_is_never_touched(cluster: Cluster, client: Any, path: bytes) -> None:
    cluster.proxy.fail_with(Fault.redirect(cluster.targets[0].url.encode() + path + b"?pid=1"))
    with pytest.raises(ClientError, match="RedirectToOtherObject"):
        client.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    assert not cluster.targets[0].requests


def test_an_object_of_a_bucket_s3_is_another_one(cluster: Cluster, make_client: MakeClient) -> None:
    cluster.proxy.fail_with(Fault.redirect(cluster.targets[0].url.encode() + b"/s3/capb/k?token=1"))
    with pytest.raises(ClientError, match="RedirectToOtherObject"):
        make_client(AtRoot(cluster)).put_object(Bucket=BUCKET, Key="k", Body=b"x")
    assert not cluster.targets[0].requests


@pytest.mark.usefixtures("names")
def test_a_bucket_is_what_stands_before_the_host_of_the_endpoint(cluster: Cluster, make_client: MakeClient) -> None:
    cluster.honours = "s3"
    bucket = "logs.localhost.archive"
    for name in ("logs", bucket):
        cluster.store.create_bucket(name)
    client = make_client(AtRoot(cluster, "localhost"), addressing="virtual")
    try:
        client.put_object(Bucket=bucket, Key="k", Body=b"x")
        cluster.proxy.fail_with(Fault.redirect(cluster.targets[0].url + "/logs/k"))
        with pytest.raises(ClientError, match="RedirectToOtherObject"):
            client.put_object(Bucket=bucket, Key="k", Body=b"x")
        assert (cluster.store.keys(bucket), cluster.store.keys("logs")) == (["k"], [])
    except InvalidDNSNameError:
        pytest.skip("this botocore takes no bucket with dots for a part of a host")
    finally:
        cluster.heal()
        for name in ("logs", bucket):
            for key in cluster.store.keys(name):
                cluster.store.delete(name, key)
            cluster.store.delete_bucket(name)


@pytest.mark.parametrize("start", [0, 5])
@pytest.mark.parametrize("hops", [1, 2])
def test_the_body_is_sent_from_where_the_stream_stood(cluster: Cluster, client: Any, start: int, hops: int) -> None:
    cluster.redirects.hops = hops
    stream = io.BytesIO(b"head-content")
    stream.seek(start)
    client.put_object(Bucket=BUCKET, Key="k", Body=stream)
    assert cluster.store[BUCKET, "k"].data == b"head-content"[start:]


def test_the_body_goes_over_the_wire_once_and_not_to_the_proxy(cluster: Cluster, client: Any) -> None:
    body = random.Random(1).getrandbits(8 * 300_000).to_bytes(300_000, "little")
    client.put_object(Bucket=BUCKET, Key="k", Body=body)
    client.upload_fileobj(io.BytesIO(body), BUCKET, "f")
    assert sum(entry.body_bytes for entry in cluster.proxy.requests) == 0
    assert cluster.store[BUCKET, "k"].data == cluster.store[BUCKET, "f"].data == body
    sent = [entry.body_bytes for target in cluster.targets for entry in target.requests]
    assert sent == [len(body)] * 2


@pytest.mark.parametrize("start", [0, 5])
def test_a_body_framed_over_tls_is_sent_from_where_the_stream_stood(make_client: MakeClient, start: int) -> None:
    tls = server_context()
    with Cluster(proxy_tls=tls, target_tls=tls, verify=Verifier({KEY_ID: SECRET})) as cluster:
        cluster.store.create_bucket(BUCKET)
        client = make_client(cluster, verify=AUTHORITY)
        for key in ("first", "second"):  # on new connections, and on used ones
            stream = io.BytesIO(b"head-content")
            stream.seek(start)
            client.put_object(Bucket=BUCKET, Key=key, Body=stream)
            assert cluster.store[BUCKET, key].data == b"head-content"[start:]
        assert client.get_object(Bucket=BUCKET, Key="first")["Body"].read() == b"head-content"[start:]
        assert sum(entry.body_bytes for entry in cluster.proxy.requests) == 0


class Pipe(io.RawIOBase):
    """A stream that cannot go back, and counts what is read of it."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)
        self.bytes_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._data.readinto(buffer)
        self.bytes_read += count
        return count

    def tell(self) -> int:
        raise io.UnsupportedOperation("tell")


# botocore up to 1.35 reads a body for this, unless it is given.
MD5 = base64.b64encode(hashlib.md5(b"from a pipe").digest()).decode()


def unsigned(cluster: Cluster, make_client: MakeClient, **more: Any) -> Any:
    """A client that need not read a body to sign it."""
    for node in (cluster.proxy, *cluster.targets):
        node._verify = None
    options = {"request_checksum_calculation": "when_required"} if at_least("1.36") else {}
    return make_client(cluster, fresh=True, signature_version=botocore.UNSIGNED, **options, **more)


def at_least(version: str) -> bool:
    return tuple(map(int, botocore.__version__.split(".")[:2])) >= tuple(map(int, version.split(".")))


def test_a_stream_that_cannot_go_back_but_was_not_read_is_sent(cluster: Cluster, make_client: MakeClient) -> None:
    client = unsigned(cluster, make_client)
    for key in ("first", "second"):
        pipe = Pipe(b"from a pipe")
        client.put_object(Bucket=BUCKET, Key=key, Body=pipe, ContentLength=11, ContentMD5=MD5)
        assert cluster.store[BUCKET, key].data == b"from a pipe"
        assert pipe.bytes_read == 11


class OfText(io.BytesIO):
    """A stream that gives text, as `codecs.open` does, and is no `io.TextIOBase`."""

    def read(self, size: int | None = -1) -> Any:
        return super().read(size).decode()


class EndsWithNone(io.BytesIO):
    """A stream that says None where others say that nothing is left."""

    def read(self, size: int | None = -1) -> Any:
        return super().read(size) or None


# urllib3 2 takes text; 1.26 takes bytes alone.
@pytest.mark.parametrize("kind", [OfText, EndsWithNone] if URLLIB3 > 1 else [EndsWithNone])
def test_streams_that_give_something_other_than_bytes_are_sent_over_every_connection(
    cluster: Cluster, make_client: MakeClient, kind: type[io.BytesIO]
) -> None:
    client = unsigned(cluster, make_client)
    for key in ("first", "second"):
        client.put_object(Bucket=BUCKET, Key=key, Body=kind(b"from a pipe"), ContentMD5=MD5)
        assert cluster.store[BUCKET, key].data == b"from a pipe"


class Sized(Pipe):
    """A stream that cannot go back, but knows its length."""

    def __len__(self) -> int:
        return 11


def test_a_stream_that_knows_its_length_is_sent_with_it(cluster: Cluster, make_client: MakeClient) -> None:
    unsigned(cluster, make_client).put_object(Bucket=BUCKET, Key="k", Body=Sized(b"from a pipe"), ContentMD5=MD5)
    assert cluster.store[BUCKET, "k"].data == b"from a pipe"
    assert {entry.header("Content-Length") for entry in cluster.ledger.requests()} == {"11"}


def test_progress_is_reported_once(client: Any, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 300_000)
    sent: list[int] = []
    client.upload_file(str(file), BUCKET, "k", Callback=sent.append)
    assert sum(sent) == 300_000
    assert min(sent) > 0
    received: list[int] = []
    client.download_file(BUCKET, "k", str(tmp_path / "copy"), Callback=received.append)
    assert sum(received) == 300_000
    assert (tmp_path / "copy").read_bytes() == file.read_bytes()


HEADS = {
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwhol\r\n1;x=y\r\ne\r\n0\r\n\r\n",
    "until the connection ends": b"HTTP/1.1 200 OK\r\n\r\nwhole",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nwhole",
    "after a 100": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwhole",
    "after a 103": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole",
    "folded header": b"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 5\r\n\r\nwhole",
    "bare newlines": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nwhole",
    "large head": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 20_000 + b"\r\nContent-Length: 5\r\n\r\nwhole",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nwhole",
    "space after the length": b"HTTP/1.1 200 OK\r\nContent-Length: 5 \t\r\n\r\nwhole",
    "sign before the length": b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nwhole",
    "chunked twice": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nwhole\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("form", HEADS)
def test_answers_of_every_form_are_read(cluster: Cluster, client: Any, form: str) -> None:
    ending = Ending.CLOSE if form == "until the connection ends" else Ending.KEEP
    cluster.target_of(BUCKET, "k").fail_with(Fault.raw(HEADS[form], ending))
    for _ in range(3):  # the first on a new connection
        assert client.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"whole"


def test_headers_arrive_as_they_were_sent(cluster: Cluster, client: Any) -> None:
    metadata = b"x-amz-meta-a:  spaced\r\nx-amz-meta-b: 1\r\nx-amz-meta-b: 2\r\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + metadata + b"\r\n"
    cluster.target_of(BUCKET, "k").fail_with(Fault.raw(head, Ending.KEEP))
    for _ in range(3):
        assert client.head_object(Bucket=BUCKET, Key="k")["Metadata"] == {"a": "spaced", "b": "1, 2"}


def test_a_stream_that_was_read_and_cannot_go_back_is_an_error_that_says_so(
    cluster: Cluster, make_client: MakeClient
) -> None:
    client = unsigned(cluster, make_client)
    continue_first = Fault.raw(b"HTTP/1.1 100 Continue\r\n\r\n" + redirect_to(cluster.targets[0].url))
    cluster.proxy.fail_with(continue_first)
    with pytest.raises(ClientError, match="RedirectBodyNotRewindable") as caught:
        client.put_object(Bucket=BUCKET, Key="k", Body=Pipe(b"from a pipe"), ContentLength=11, ContentMD5=MD5)
    assert "rewound" in str(caught.value)
    assert cluster.store.keys(BUCKET) == []


def redirect_to(url: str) -> bytes:
    return f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {url}/s3/capb/k?pid=1\r\nContent-Length: 0\r\n\r\n".encode()


class OwnSession(URLLib3Session):  # type: ignore[misc]  # botocore has no types
    """A session of the user's own, which is not adopted."""


class OwnConnection(AWSHTTPConnection):  # type: ignore[misc]  # botocore has no types
    """A connection of a recorder's own."""


@pytest.mark.parametrize("replaced", ["nothing", "headers", "session", "connections"])
def test_a_semicolon_cuts_no_key_whatever_somebody_replaces(
    cluster: Cluster, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, replaced: str
) -> None:
    """botocore's own spelling of a request target loses what follows it (`URLLib3Session._path_url`)."""
    client = make_client(cluster, fresh=True)
    if replaced == "headers":

        def replace(request: Any, **_: Any) -> None:
            request.headers = HeadersDict(request.headers)

        client.meta.events.register("before-send.s3", replace)
    if replaced == "session":
        client._endpoint.http_session = OwnSession()
    if replaced == "connections":
        monkeypatch.setattr(AWSHTTPConnectionPool, "ConnectionCls", OwnConnection)
    target = cluster.target_of(BUCKET, "a;b")
    target.fail_with(Fault.respond(200))
    for _ in range(2):
        client.put_object(Bucket=BUCKET, Key="a;b", Body=b"x")
    assert {unquote(entry.path.decode()) for entry in target.requests} == {"/s3/capb/a;b"}


class Untellable(Pipe):
    """A stream that can go to its beginning, which is not where it stood when the call was made."""

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._data.seek(offset, whence)


@pytest.mark.parametrize("kind", [Pipe, Untellable])
def test_a_stream_that_cannot_go_back_is_not_sent_again_after_a_redirect(
    cluster: Cluster, make_client: MakeClient, kind: type[Pipe]
) -> None:
    node = cluster.target_of(BUCKET, "k")
    retrying = unsigned(cluster, make_client, retries={"max_attempts": 2})
    node.fail_with(Fault.RESET_AFTER_BODY)
    with pytest.raises(UnseekableStreamError):
        retrying.put_object(Bucket=BUCKET, Key="k", Body=kind(b"from a pipe"), ContentLength=11, ContentMD5=MD5)
    assert cluster.store.keys(BUCKET) == []


def test_a_request_whose_own_url_cannot_be_read_is_refused(cluster: Cluster, make_client: MakeClient) -> None:
    client = make_client(cluster, fresh=True)

    def spoil(request: Any, **_: Any) -> Any:
        request.url = "ftp://h/capb/k"
        return AWSResponse(request.url, 307, {"Location": "/capb/k"}, SimpleNamespace(stream=lambda **_: []))

    client.meta.events.register("before-send.s3", spoil)
    with pytest.raises(ClientError, match=r"InvalidRedirectLocation.*its own URL cannot be read"):
        client.head_object(Bucket=BUCKET, Key="k")
