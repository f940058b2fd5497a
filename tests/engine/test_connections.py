"""How requests and answers share connections: what one exchange leaves behind, the next one must not meet."""

from __future__ import annotations

import contextlib
import gc
import http.client
import io
import os
import socketserver
import threading
import warnings
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

import aistore_patch
from tests.cluster import AUTHORITY, Cluster, Ending, Fault, server_context

from .conftest import BUCKET, MakeClient

pytestmark = pytest.mark.usefixtures("no_waiting")


def follower(cluster: Cluster, make_client: MakeClient, **options: Any) -> Any:
    return aistore_patch.follow_redirects(make_client(cluster, fresh=True, **options))


PLAIN = b"HTTP/1.1 307 Temporary Redirect\r\n"


def redirect_all_puts(cluster: Cluster, head: bytes) -> None:
    """Have the gateway answer each PUT at once with `head` and the way to a target, and keep the connection open.

    The target answers at once as well, so that no body is sent anywhere.
    """
    location = f"Location: {cluster.targets[0].url}/s3/capb/k?pid=1\r\nContent-Length: 0\r\n\r\n"
    answer = Fault.raw(head + location.encode(), Ending.KEEP)
    cluster.proxy.fail_with(answer, when=lambda request: request.method == "PUT")
    cluster.targets[0].fail_with(Fault.respond(200))


@pytest.mark.parametrize("head", [PLAIN, PLAIN + b"X-A: b\r\n c\r\n"], ids=["plain", "folded"])
def test_nothing_follows_a_request_whose_body_was_not_sent(
    cluster: Cluster, make_client: MakeClient, head: bytes
) -> None:
    client = follower(cluster, make_client)
    client.head_bucket(Bucket=BUCKET)
    # A gateway that keeps the connection may yet take what comes next for the body that was announced.
    redirect_all_puts(cluster, head)
    for _ in range(3):
        client.put_object(Bucket=BUCKET, Key="k", Body=io.BytesIO(b"content"))
        client.head_bucket(Bucket=BUCKET)
    of_puts = {entry.connection for entry in cluster.ledger.requests("proxy", "PUT")}
    assert len(of_puts) == 3
    for number in of_puts:
        over_it = [entry.method for entry in cluster.ledger.requests("proxy") if entry.connection == number]
        assert over_it[-1] == "PUT"


DONE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"


@pytest.mark.parametrize("before", [EARLY_HINTS, EARLY_HINTS * 3], ids=["one", "several"])
def test_a_redirect_after_informational_answers_has_no_body_sent_to_the_proxy(
    cluster: Cluster, make_client: MakeClient, before: bytes
) -> None:
    client = follower(cluster, make_client)
    client.head_bucket(Bucket=BUCKET)
    redirect_all_puts(cluster, before + PLAIN)
    for _ in range(3):
        client.put_object(Bucket=BUCKET, Key="k", Body=io.BytesIO(b"content"))
    assert len(cluster.targets[0].requests) == 3
    # Each on a connection of its own, as it must be when the body was not sent.
    assert len({entry.connection for entry in cluster.ledger.requests("proxy", "PUT")}) == 3


def test_no_body_is_sent_behind_informational_answers_that_tls_has_decrypted(make_client: MakeClient) -> None:
    tls = server_context()
    with Cluster(proxy_tls=tls, target_tls=tls) as cluster:
        client = follower(cluster, make_client, verify=AUTHORITY)
        redirect_all_puts(cluster, EARLY_HINTS + PLAIN)
        for _ in range(2):
            client.put_object(Bucket=BUCKET, Key="k", Body=b"content")
        assert len({entry.connection for entry in cluster.ledger.requests("proxy", "PUT")}) == 2


class Talk(socketserver.StreamRequestHandler):
    """A server that says something of its own before it asks for a body; it answers with the body's length."""

    def handle(self) -> None:
        while self.rfile.readline():
            headers = http.client.parse_headers(self.rfile)
            for part in EARLY_HINTS, b"HTTP/1.1 100 ", b"Continue\r\nX-A: b\r\n", b"\r\n":
                self.wfile.write(part)
            length = len(self.rfile.read(int(headers["Content-Length"])))
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: %d\r\n\r\n" % length)


def test_a_body_is_sent_when_the_server_asks_for_it_and_whatever_it_says_before(make_client: MakeClient) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        url = SimpleNamespace(endpoint_url=f"http://127.0.0.1:{server.server_address[1]}")
        client = aistore_patch.follow_redirects(make_client(url, fresh=True))
        for length in (7, 100_000, 7):
            done = client.put_object(Bucket=BUCKET, Key="k", Body=io.BytesIO(b"x" * length))
            assert done["ETag"] == str(length)
        server.shutdown()


@pytest.mark.parametrize(
    "nonsense",
    [
        b"HTTP/1.1 102 Processing\r\n\r\n" * 200 + DONE,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 200 + DONE,
        b"HTTP/1.1 103 Early Hints\r\n" + b"Link: </x>\r\n" * 200,
        b"HTTP/1.1 100 Continue\r\n",
        EARLY_HINTS + b"HTTP/1.1 199\r\n\r\n",
    ],
    ids=["102", "100", "headers", "ends", "199"],
)
@pytest.mark.parametrize("operation", ["get_object", "put_object"])
def test_no_end_of_informational_answers_is_an_error_of_botocore(
    cluster: Cluster, make_client: MakeClient, nonsense: bytes, operation: str
) -> None:
    client = follower(cluster, make_client)
    body = {"Body": io.BytesIO(b"content")} if operation == "put_object" else {}
    for _ in range(2):  # on a new connection, and on a used one
        cluster.proxy.fail_with(Fault.raw(nonsense))
        with pytest.raises(BotoCoreError):
            getattr(client, operation)(Bucket=BUCKET, Key="k", **body)
        cluster.heal()
        client.head_bucket(Bucket=BUCKET)


def test_a_redirected_request_that_is_answered_by_switching_protocols_has_not_succeeded(
    cluster: Cluster, make_client: MakeClient
) -> None:
    client = follower(cluster, make_client)
    # It says that it closes: else the second request might meet the end of the connection that the first one used.
    switching = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: close\r\n\r\n"
    cluster.targets[0].fail_with(Fault.raw(switching))
    cluster.proxy.fail_with(Fault.redirect(cluster.targets[0].url + "/s3/capb/k?pid=1"))
    for _ in range(2):
        with pytest.raises(HTTPClientError, match="status 101"):
            client.put_object(Bucket=BUCKET, Key="k", Body=b"x")


def test_a_body_that_ends_early_is_told_as_without_the_patch(cluster: Cluster, make_client: MakeClient) -> None:
    cluster.proxy.fail_with(Fault.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", Ending.CLOSE))

    def outcomes(client: Any) -> list[str]:
        seen = []
        for _ in range(2):  # on a new connection, and where one was used before
            try:
                seen.append(repr(client.get_object(Bucket=BUCKET, Key="k")["Body"]._raw_stream.read()))
            except Exception as error:
                seen.append(type(error).__name__)
        return seen

    assert outcomes(follower(cluster, make_client)) == outcomes(make_client(cluster, fresh=True))


TWO_LENGTHS = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nwhole"


@pytest.mark.parametrize("fault", [Fault.CLOSE, Fault.GARBAGE, Fault.raw(TWO_LENGTHS)], ids=repr)
def test_a_failed_exchange_leaves_no_socket_to_the_garbage_collector(
    cluster: Cluster, make_client: MakeClient, fault: Fault
) -> None:
    client = follower(cluster, make_client)
    cluster.store.put(BUCKET, "k", b"x")
    client.get_object(Bucket=BUCKET, Key="k")["Body"].read()
    cluster.target_of(BUCKET, "k").fail_with(fault)
    gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        for _ in range(3):
            with contextlib.suppress(BotoCoreError, ClientError):
                client.get_object(Bucket=BUCKET, Key="k")["Body"].read()
        gc.collect()
    assert [str(warning.message) for warning in caught if issubclass(warning.category, ResourceWarning)] == []


def test_a_forked_process_uses_no_connection_of_its_parent(cluster: Cluster, make_client: MakeClient) -> None:
    client = follower(cluster, make_client)
    cluster.store.put(BUCKET, "k", b"x")

    def read() -> bool:
        return bool(client.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"x")

    assert read()
    before = {entry.connection for entry in cluster.ledger.requests()}
    cluster.ledger.clear()
    assert in_a_fork(read)
    assert read()
    for node in ("proxy", cluster.target_of(BUCKET, "k").name):
        childs, parents = (entry.connection for entry in cluster.ledger.requests(node))
        assert childs not in before
        assert parents in before


def in_a_fork(work: Callable[[], bool]) -> bool:
    """Whether something is true in a child of this process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of threads: the child uses none
        child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if work() else 2
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


def test_a_user_may_say_what_encoding_is_accepted(cluster: Cluster, make_client: MakeClient) -> None:
    client = follower(cluster, make_client)
    client.meta.events.register(
        "before-sign.s3", lambda request, **_: request.headers.add_header("Accept-Encoding", "gzip")
    )
    for _ in range(3):
        client.put_object(Bucket=BUCKET, Key="k", Body=b"x")  # which the cluster verifies
    sent = [entry.headers.all("Accept-Encoding") for entry in cluster.ledger.requests()]
    assert sent == [["gzip"]] * 6


def test_metadata_with_a_colon_in_its_name_is_refused_every_time(cluster: Cluster, make_client: MakeClient) -> None:
    client = follower(cluster, make_client)
    client.put_object(Bucket=BUCKET, Key="other", Body=b"x")
    for _ in range(2):
        with pytest.raises(BotoCoreError):
            client.put_object(Bucket=BUCKET, Key="k", Body=b"x", Metadata={"a:b": "c"})
    assert cluster.store.keys(BUCKET) == ["other"]
