"""What goes wrong every day, on connections that were used before: time-outs, early answers, cancelled transfers."""

from __future__ import annotations

import io
import signal
import socket
import socketserver
import threading
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Iterator

import boto3
import botocore.httpsession
import pytest
from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError, ReadTimeoutError

import aistore_patch
from aistore_patch import connection, session
from aistore_patch.short_way import exchange
from aistore_patch.short_way.own import URLLIB3
from tests.cluster import AUTHORITY, Cluster, Ending, Fault, server_context

from .conftest import BUCKET, KEY_ID, SECRET, MakeClient
from .test_connections import in_a_fork

pytestmark = pytest.mark.usefixtures("no_waiting")


def warm(cluster: Cluster, make_client: MakeClient, **options: Any) -> Any:
    """A client that follows, with a used connection to the gateway and to the target of `k`."""
    client = aistore_patch.follow_redirects(make_client(cluster, fresh=True, **options))
    cluster.store.put(BUCKET, "k", b"content")
    for _ in range(3):
        client.get_object(Bucket=BUCKET, Key="k")["Body"].read()
    return client


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for `100 Continue` no longer than a moment, as far as it is ours to say."""
    for module in (connection, exchange):
        monkeypatch.setattr(module, "CONTINUE_TIMEOUT", 0.05)


@pytest.mark.parametrize("operation", ["get_object", "put_object"])
def test_a_target_that_hangs_is_a_read_time_out(cluster: Cluster, make_client: MakeClient, operation: str) -> None:
    client = warm(cluster, make_client, connect_timeout=30, read_timeout=1)
    cluster.target_of(BUCKET, "k").fail_with(Fault.HANG)
    body = {"Body": b"x"} if operation == "put_object" else {}
    with pytest.raises(ReadTimeoutError):
        getattr(client, operation)(Bucket=BUCKET, Key="k", **body)
    cluster.heal()
    assert client.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"content"


def test_a_body_that_comes_too_slowly_is_a_read_time_out(cluster: Cluster, make_client: MakeClient) -> None:
    client = warm(cluster, make_client, connect_timeout=30, read_timeout=0.2)
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
    cluster.target_of(BUCKET, "k").fail_with(Fault.raw(half, Ending.KEEP))
    with pytest.raises(ReadTimeoutError):
        client.get_object(Bucket=BUCKET, Key="k")["Body"].read()


def test_a_target_that_takes_no_body_is_a_broken_connection(make_client: MakeClient) -> None:
    """While a request is sent, the time-out is that of connecting, as in urllib3."""
    with listening(lambda handler: handler.rfile.readline() and handler.server.stopped.wait(30)) as port:
        client = make_client(
            SimpleNamespace(endpoint_url=f"http://127.0.0.1:{port}"), fresh=True, connect_timeout=0.2, read_timeout=30
        )
        aistore_patch.follow_redirects(client)
        with pytest.raises((ConnectionClosedError, ConnectTimeoutError)):
            client.put_object(Bucket=BUCKET, Key="k", Body=bytes(30_000_000))


class Silent(socketserver.StreamRequestHandler):
    """A server that says nothing before a body, or only hints; it answers with the length of the body."""

    hints = b""

    def handle(self) -> None:
        while self.rfile.readline():
            length = 0
            for line in iter(self.rfile.readline, b"\r\n"):
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
                if name.lower() == b"transfer-encoding":  # one chunk, and one that ends it
                    length = -1
            self.wfile.write(self.hints)
            if length < 0:
                while self.rfile.readline() != b"0\r\n":
                    pass
                length = 0
            got = len(self.rfile.read(length))
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: %d\r\n\r\n" % got)


@contextmanager
def listening(handle: Any, family: socket.AddressFamily = socket.AF_INET, tls: Any = None) -> Iterator[int]:
    handler = (
        handle
        if isinstance(handle, type)
        else type("Handler", (socketserver.StreamRequestHandler,), {"handle": handle})
    )

    class Server(socketserver.ThreadingTCPServer):
        address_family = family
        daemon_threads = True
        stopped = threading.Event()

    with Server(("127.0.0.1" if family == socket.AF_INET else "::1", 0), handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.stopped.set()
            server.shutdown()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("hints", [b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"], ids=["silent", "103"])
def test_a_body_is_sent_to_a_server_that_does_not_ask_for_it(make_client: MakeClient, hints: bytes) -> None:
    with listening(type("Handler", (Silent,), {"hints": hints})) as port:
        client = make_client(SimpleNamespace(endpoint_url=f"http://127.0.0.1:{port}"), fresh=True)
        aistore_patch.follow_redirects(client)
        for _ in range(2):
            done = client.put_object(Bucket=BUCKET, Key="k", Body=io.BytesIO(b"x" * 100_000))
            assert done["ETag"] == "100000"


def test_an_answer_that_comes_before_the_body_was_taken_is_read(cluster: Cluster, make_client: MakeClient) -> None:
    client = warm(cluster, make_client)
    early = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    cluster.target_of(BUCKET, "k").fail_with(Fault.raw(early, Ending.CLOSE))
    outcomes = set()
    for _ in range(3):
        with pytest.raises((client.exceptions.ClientError, ConnectionClosedError)) as caught:
            client.put_object(Bucket=BUCKET, Key="k", Body=b"x" * 1000)
        outcomes.add(type(caught.value).__name__)
    assert outcomes <= {"ClientError", "ConnectionClosedError"}
    cluster.heal()
    client.put_object(Bucket=BUCKET, Key="k", Body=b"x" * 1000)


def test_a_call_may_have_a_time_out_of_its_own(cluster: Cluster, make_client: MakeClient) -> None:
    if not hasattr(botocore.httpsession.URLLib3Session, "_get_request_timeout"):
        pytest.skip("this botocore has no time-outs of a call's own")
    client = warm(cluster, make_client, read_timeout=30)
    client.meta.events.register("before-call.s3.GetObject", lambda context, **_: context.update(read_timeout=0.2))
    cluster.target_of(BUCKET, "k").fail_with(Fault.HANG)
    with pytest.raises(ReadTimeoutError):
        client.get_object(Bucket=BUCKET, Key="k")


class Cancelling(io.BytesIO):
    """The body of a transfer that is cancelled while it is read, as s3transfer does it."""

    def read(self, _size: int | None = -1) -> bytes:
        raise botocore.httpsession.CancelledError("cancelled")


def test_a_cancelled_transfer_ends_as_without_the_patch(cluster: Cluster, make_client: MakeClient) -> None:
    if not hasattr(botocore.httpsession, "CancelledError"):
        pytest.skip("this botocore wraps it in an error of its own")
    for node in (cluster.proxy, *cluster.targets):
        node._verify = None
    client = warm(cluster, make_client, signature_version=botocore.UNSIGNED)
    with pytest.raises(botocore.httpsession.CancelledError):
        client.put_object(Bucket=BUCKET, Key="k", Body=Cancelling(bytes(100_000)), ChecksumCRC32="AAAAAA==")
    assert client.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"content"


def test_a_resource_follows_too(cluster: Cluster) -> None:
    resource = boto3.resource(
        "s3", endpoint_url=cluster.endpoint_url, aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET
    )
    assert aistore_patch.follow_redirects(resource) is resource
    resource.Object(BUCKET, "k").put(Body=b"x")
    assert cluster.store[BUCKET, "k"].data == b"x"


class Redirecting(socketserver.StreamRequestHandler):
    """Redirects what it is asked the first time, and notes the Host of every request."""

    hosts: list[bytes]

    def handle(self) -> None:
        address: Any = self.server.server_address
        while True:
            target = self.rfile.readline().split(b" ")[1:2]
            if not target:
                return
            for line in iter(self.rfile.readline, b"\r\n"):
                if line.lower().startswith(b"host:"):
                    self.hosts.append(line[5:].strip())
            where = b"http://[::1]:%d%s?pid=1" % (address[1], target[0])
            if b"pid" in target[0]:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            else:
                self.wfile.write(b"HTTP/1.1 307 X\r\nContent-Length: 0\r\nLocation: %s\r\n\r\n" % where)


def test_an_ipv6_host_is_named_in_brackets_on_every_connection(make_client: MakeClient) -> None:
    hosts: list[bytes] = []
    with listening(type("Handler", (Redirecting,), {"hosts": hosts}), socket.AF_INET6) as port:
        try:
            client = make_client(SimpleNamespace(endpoint_url=f"http://[::1]:{port}"), fresh=True)
        except ValueError:
            pytest.skip("this botocore takes no address in brackets")
        aistore_patch.follow_redirects(client)
        for _ in range(3):
            client.head_object(Bucket=BUCKET, Key="k")
    assert hosts == [b"[::1]:%d" % port] * 6


def test_a_304_has_no_body_whatever_length_it_announces(cluster: Cluster, make_client: MakeClient) -> None:
    client = warm(cluster, make_client, read_timeout=5)
    target = cluster.target_of(BUCKET, "k")
    target.fail_with(Fault.raw(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n", Ending.KEEP), times=1)
    with pytest.raises(client.exceptions.ClientError, match="304"):
        client.get_object(Bucket=BUCKET, Key="k", IfNoneMatch="x")
    assert client.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"content"


def test_a_lock_that_was_held_at_the_fork_holds_up_no_child(cluster: Cluster, make_client: MakeClient) -> None:
    cluster.store.put(BUCKET, "k", b"content")
    client = aistore_patch.follow_redirects(make_client(cluster, fresh=True))

    def read() -> bool:
        signal.alarm(30)
        return bool(client.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"content")

    with session._adopting:  # as another thread might hold it
        assert in_a_fork(read)


def test_a_redirect_whose_body_does_not_come_is_followed_all_the_same(
    cluster: Cluster, make_client: MakeClient
) -> None:
    client = warm(cluster, make_client)
    where = f"Location: {cluster.target_of(BUCKET, 'k').url}/s3/capb/k?token=1\r\nContent-Length: 1000\r\n\r\nhalf"
    for _ in range(2):
        cluster.proxy.fail_with(Fault.raw(b"HTTP/1.1 307 X\r\n" + where.encode(), Ending.CLOSE), times=1)
        cluster.target_of(BUCKET, "k").fail_with(Fault.respond(200), times=1)
        client.head_object(Bucket=BUCKET, Key="k")


def test_a_redirect_with_a_long_body_is_read_to_its_end(cluster: Cluster, make_client: MakeClient) -> None:
    client = warm(cluster, make_client)
    target = cluster.target_of(BUCKET, "k")
    target.fail_with(Fault.respond(200))
    where = f"HTTP/1.1 307 X\r\nLocation: {target.url}/s3/capb/k?token=1\r\nContent-Length: 70000\r\n\r\n"
    cluster.proxy.fail_with(Fault.raw(where.encode() + bytes(70_000), Ending.KEEP))
    before = cluster.ledger.connections()
    for _ in range(3):
        client.get_object(Bucket=BUCKET, Key="k")["Body"].read()
    assert cluster.ledger.connections() == before


def test_chunks_are_not_sent_to_a_server_that_redirects(cluster: Cluster, make_client: MakeClient) -> None:
    """urllib3 1.26 has a way of its own for them, which botocore does not see."""
    client = warm(cluster, make_client)
    pool = client._endpoint.http_session._manager.connection_from_url(cluster.endpoint_url)
    conn = pool._new_conn()
    read: list[bytes] = []

    def body() -> Iterator[bytes]:
        read.append(b"x")
        yield b"x"

    headers = {"Host": "h", "Expect": b"100-continue", "Transfer-Encoding": "chunked", "User-Agent": "t"}
    cluster.proxy._verify = None
    conn.request_chunked("PUT", f"/s3/{BUCKET}/k", body=body(), headers=headers)
    assert conn.getresponse().status == 307
    assert read == []
    conn.close()


@pytest.mark.skipif(URLLIB3 > 1, reason="urllib3 2 waits for an answer of its own accord, and without the patch")
@pytest.mark.usefixtures("impatient")
def test_chunks_are_sent_to_a_server_that_does_not_ask_for_them_over_tls(make_client: MakeClient) -> None:
    """TLS 1.3 sends tickets for the next session, which look as if there were something to be read."""
    with listening(Silent, tls=server_context()) as port:
        client = make_client(SimpleNamespace(endpoint_url=f"https://127.0.0.1:{port}"), fresh=True, verify=AUTHORITY)
        aistore_patch.follow_redirects(client)
        if "ChecksumAlgorithm" not in client.meta.service_model.shape_for("PutObjectRequest").members:
            pytest.skip("this botocore sends no chunks")
        done = client.put_object(Bucket=BUCKET, Key="k", Body=io.BytesIO(b"x" * 100), ChecksumAlgorithm="CRC32")
        assert done["ResponseMetadata"]["HTTPStatusCode"] == 200
