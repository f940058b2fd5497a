"""HTTP/1.1 as the nodes speak it: 100-continue, codings, connections, what the ledger says of them."""

from __future__ import annotations

import base64
import hashlib
import socket
import tracemalloc
import zlib
from typing import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster import Cluster, Entry, generated_bytes
from tests.cluster.wire import Headers, MalformedRequestError, Source, unchunk

from .raw_client import RawClient, ask


@pytest.fixture
def served() -> Iterator[Cluster]:
    """A cluster whose targets answer without a redirect."""
    with Cluster(targets=1, direct_access=True, keeps_up_to=1 << 20) as cluster:
        cluster.store.create_bucket("b")
        yield cluster


def test_100_continue_comes_before_the_body_is_sent(served: Cluster) -> None:
    with RawClient(served.targets[0]) as client:
        client.send_request("PUT", b"/s3/b/k", {"Expect": "100-continue", "Content-Length": "4"})
        assert client.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"data")
        assert client.read_reply().status == 200
        assert client.ask("GET", b"/s3/b/k").body == b"data"
    assert served.targets[0].connections == 1


def test_an_error_comes_instead_of_100_continue(served: Cluster) -> None:
    with RawClient(served.targets[0]) as client:
        client.send_request("PUT", b"/s3/none/k", {"Expect": "100-continue", "Content-Length": "4"})
        assert client.read_to_end().startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert served.targets[0].requests[0].body_bytes == 0


def test_a_body_that_nobody_asked_for_is_counted(served: Cluster) -> None:
    with RawClient(served.proxy) as client:
        client.send_request("PUT", b"/s3/b/k", {"Expect": "100-continue", "Content-Length": "4"}, b"data")
        assert client.read_to_end().startswith(b"HTTP/1.1 307 ")
    served.stop()
    assert served.ledger.requests("proxy")[0].body_bytes == 4


def test_a_small_unwanted_body_is_read_and_the_connection_kept(served: Cluster) -> None:
    with RawClient(served.proxy) as client:
        assert client.ask("POST", b"/s3/b/k?uploads", body=b"x" * 1000).status == 307
        assert client.ask("HEAD", b"/s3/b").status == 200
    assert served.proxy.connections == 1
    assert served.proxy.requests[0].body_bytes == 1000


def test_chunked_bodies_are_decoded(served: Cluster) -> None:
    body = b"3\r\nabc\r\nA;extension=1\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
    reply = ask(served.targets[0], "PUT", b"/s3/b/k", {"Transfer-Encoding": "chunked"}, body)
    assert reply.status == 200
    assert served.store["b", "k"].data == b"abc0123456789"
    (entry,) = served.targets[0].requests
    assert (entry.body_bytes, entry.body_sha256) == (13, hashlib.sha256(b"abc0123456789").hexdigest())


def aws_chunked(data: bytes, checksum: int) -> bytes:
    value = base64.b64encode(checksum.to_bytes(4, "big"))
    return b"%x\r\n%s\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n" % (len(data), data, value)


AWS_CHUNKED = {
    "Content-Encoding": "aws-chunked",
    "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "x-amz-decoded-content-length": "4",
    "x-amz-trailer": "x-amz-checksum-crc32",
}


def test_aws_chunked_bodies_are_decoded_and_their_trailer_checked_and_kept(served: Cluster) -> None:
    body = aws_chunked(b"data", zlib.crc32(b"data"))
    reply = ask(served.targets[0], "PUT", b"/s3/b/k", AWS_CHUNKED, body)
    assert reply.status == 200
    found = ask(served.targets[0], "GET", b"/s3/b/k", {"x-amz-checksum-mode": "ENABLED"})
    assert found.body == b"data"
    assert found.headers["x-amz-checksum-crc32"] == reply.headers["x-amz-checksum-crc32"]
    assert found.headers["Content-Encoding"] is None


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        (AWS_CHUNKED, aws_chunked(b"data", 1), "BadDigest"),
        (
            {**AWS_CHUNKED, "x-amz-decoded-content-length": "5"},
            aws_chunked(b"data", zlib.crc32(b"data")),
            "IncompleteBody",
        ),
        ({"Content-MD5": base64.b64encode(b"x" * 16).decode()}, b"data", "BadDigest"),
        ({"x-amz-checksum-sha256": "eA=="}, b"data", "BadDigest"),
        ({"x-amz-content-sha256": "0" * 64}, b"data", "XAmzContentSHA256Mismatch"),
    ],
)
def test_what_a_client_says_of_its_body_is_checked(
    served: Cluster, headers: dict[str, str], body: bytes, code: str
) -> None:
    served.honours = "s3"
    assert ask(served.targets[0], "PUT", b"/s3/b/k", headers, body).code == code
    assert served.store.keys("b") == []


@pytest.mark.parametrize(
    "data",
    [b"not HTTP\r\n\r\n", b"GET / HTTP/2.0\r\n\r\n", b"GET /s3 HTTP/1.1\r\nno colon\r\n\r\n"],
)
def test_what_is_not_http_is_answered_400_and_closed(served: Cluster, data: bytes) -> None:
    with RawClient(served.proxy) as client:
        client.send(data)
        assert client.read_to_end().startswith(b"HTTP/1.1 400 ")


def test_a_body_that_is_not_what_it_says_is_answered_400_and_closed(served: Cluster) -> None:
    with RawClient(served.targets[0]) as client:
        client.send_request("PUT", b"/s3/b/k", {"Transfer-Encoding": "chunked"}, b"2\r\nabc\r\n0\r\n\r\n")
        client.socket.shutdown(socket.SHUT_WR)
        assert client.read_to_end().startswith(b"HTTP/1.1 400 ")
    assert served.targets[0].requests[0].status == 400


@pytest.mark.parametrize("size", [b"", b"-1", b"0x1", b"zz"])
def test_a_chunk_size_that_is_none_is_refused(size: bytes) -> None:
    source = Source(iter([size + b"\r\nabc\r\n0\r\n\r\n", b""]).__next__)
    with pytest.raises(MalformedRequestError):
        list(unchunk(source, Headers()))


@given(st.lists(st.binary(min_size=1), max_size=5), st.integers(1, 50))
def test_chunks_are_joined_however_the_network_cut_them(chunks: list[bytes], cut: int) -> None:
    coded = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\nA: b\r\n\r\n"
    pieces = [coded[start : start + cut] for start in range(0, len(coded), cut)]
    trailers = Headers()
    source = Source(iter([*pieces, b""]).__next__)
    assert b"".join(unchunk(source, trailers)) == b"".join(chunks)
    assert trailers.fields == [("A", "b")]


def test_requests_sent_ahead_are_answered_in_order(served: Cluster) -> None:
    with RawClient(served.targets[0]) as client:
        client.send_request("PUT", b"/s3/b/k", body=b"data")
        client.send_request("GET", b"/s3/b/k", {"Connection": "close"})
        replies = client.read_to_end()
    assert replies.count(b"HTTP/1.1 200 OK") == 2
    assert replies.endswith(b"data")


def test_http_1_0_gets_one_answer(served: Cluster) -> None:
    with RawClient(served.proxy) as client:
        client.send(b"GET /s3/b HTTP/1.0\r\n\r\n")
        assert client.read_to_end().startswith(b"HTTP/1.1 200 OK")


def test_the_ledger_has_what_was_on_the_wire(served: Cluster) -> None:
    with RawClient(served.proxy) as client:
        client.ask("GET", b"/s3/b?x=%7e&&y=\xc3\xa9", {"X-Odd": "a  b\xe9"})
        client.ask("HEAD", b"/s3/none")
    first, second = served.proxy.requests
    assert first.target == b"/s3/b?x=%7e&&y=\xc3\xa9"
    assert (first.path, first.query) == (b"/s3/b", b"x=%7e&&y=\xc3\xa9")
    assert ("X-Odd", "a  b\xe9") in first.headers.fields
    assert (first.node, first.status, second.status) == ("proxy", 200, 404)
    assert first.connection == second.connection
    assert served.ledger.requests(method="HEAD") == [second]
    served.ledger.clear()
    assert (served.ledger.requests(), served.ledger.connections()) == ([], 0)


def test_a_ledger_keeps_as_many_requests_as_it_is_told() -> None:
    shown: list[Entry] = []
    with Cluster(targets=1, remembers=1, on_answer=shown.append) as cluster, RawClient(cluster.proxy) as client:
        client.ask("GET", b"/s3/a")
        client.ask("GET", b"/s3/b")
        assert [entry.target for entry in cluster.ledger.requests()] == [b"/s3/b"]
    assert [entry.status for entry in shown] == [404, 404]


def test_large_objects_take_no_memory(served: Cluster) -> None:
    size = 64 << 20
    tracemalloc.start()
    try:
        with RawClient(served.targets[0]) as client:
            client.send_request("PUT", b"/s3/b/k", {"Content-Length": str(size)})
            for piece in generated_bytes(0, size):
                client.send(piece)
            assert client.read_reply().status == 200
            stored = served.store["b", "k"].content
            assert (stored.size, stored.data) == (size, None)
            client.send_request("GET", b"/s3/b/k", {"Connection": "close"})
            assert received_hash(client.socket) == stored.sha256
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def received_hash(sock: socket.socket) -> str:
    received = hashlib.sha256()
    start = sock.recv(65536)
    received.update(start.partition(b"\r\n\r\n")[2])
    piece = sock.recv(65536)
    while piece:
        received.update(piece)
        piece = sock.recv(65536)
    return received.hexdigest()


@given(st.integers(0, 3_000_000), st.integers(0, 3_000_000))
def test_generated_bytes_are_the_same_from_wherever_they_are_read(start: int, length: int) -> None:
    stop = start + length % 10_000
    whole = b"".join(generated_bytes(start // 4096 * 4096, stop))
    assert b"".join(generated_bytes(start, stop)) == whole[start % 4096 :]
