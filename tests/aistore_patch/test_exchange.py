"""What the short way writes, and what it makes of failures: on plain values and made-up sockets."""

from __future__ import annotations

import errno
import http.client
import io
import re
import socket
import ssl
from types import SimpleNamespace
from typing import Any

import botocore.exceptions
import pytest
import urllib3.exceptions
from urllib3._collections import HTTPHeaderDict
from urllib3.util import Timeout

from aistore_patch import short_way
from aistore_patch.connection import HTTPConnection, HTTPSConnection
from aistore_patch.short_way import _botocore_error, exchange
from aistore_patch.short_way.exchange import (
    ShortRedirect,
    _blocks,
    _hear,
    _host_header,
    _request_head,
    _send,
    _short_redirect,
    _translated,
    is_common,
    plain_target,
    send_on,
)
from aistore_patch.short_way.own import URLLIB3

POOL: Any = SimpleNamespace(host="h", port=81, scheme="http")
TIMEOUT = Timeout(connect=1, read=2)


def head(headers: dict[str, Any], url: str = "/b/k", pool: Any = POOL) -> bytes | None:
    return _request_head(pool, "GET", url, headers)


def test_a_head_is_written_as_http_client_writes_it() -> None:
    written = b"GET /b/k HTTP/1.1\r\nHost: h:81\r\nAccept-Encoding: identity\r\nA: b\r\nC: \xe9\r\n\r\n"
    assert head({"A": "b", "C": b"\xe9"}) == written
    own = head({"Host": "other", "Accept-Encoding": "gzip"})
    assert own == b"GET /b/k HTTP/1.1\r\nHost: other\r\nAccept-Encoding: gzip\r\n\r\n"
    six = SimpleNamespace(host="::1", port=443, scheme="https")
    assert b"\r\nHost: [::1]\r\n" in (head({}, pool=six) or b"")


@pytest.mark.parametrize(
    "headers",
    [
        {"A": "b\r\nC: d"},
        {"A": "b\n"},
        {"A": "b\rc"},
        {":A": "b"},
        {"A:": "b"},
        {" A": "b"},
        {"": "b"},
        {"A\r": "b"},
        {"A": "\u20ac"},
    ],
)
def test_what_http_client_would_refuse_is_left_to_it(headers: dict[str, Any]) -> None:
    assert head(headers) is None


@pytest.mark.parametrize("url", ["/a b\r\n", "/\u00e9", "/\x7f"])
def test_a_target_that_no_request_line_carries_is_left_to_it_too(url: str) -> None:
    assert head({}, url) is None


@pytest.mark.parametrize(
    ("scheme", "port", "named"),
    [("http", 80, "h"), ("https", 443, "h"), ("http", 443, "h:443"), ("https", 80, "h:80"), ("http", 81, "h:81")],
)
def test_a_port_is_named_unless_it_is_that_of_the_scheme(scheme: str, port: int, named: str) -> None:
    assert _host_header(SimpleNamespace(host="h", port=port, scheme=scheme)) == named


def test_a_target_is_plain_if_urllib3_would_spell_it_the_same() -> None:
    """But for a `;`, and what an older urllib3 would spell otherwise."""
    for character in map(chr, range(0x110)):
        target = f"/b/k{character}x"
        is_plain = plain_target(f"http://h{target}", "http://h") is not None
        assert is_plain == bool(re.match(r"[A-Za-z0-9/._~!$&'()*+,:=@?-]", character)), character
        assert not is_plain or urllib3.util.url._encode_target(target) == target


@pytest.mark.parametrize("target", ["", "b", "/%2f", "/%2", "/%", "/%GG", "/k;x", "/k#x"])
def test_other_targets_are_not(target: str) -> None:
    assert plain_target(f"http://h{target}", "http://h") is None


@pytest.mark.parametrize("target", ["/", "//", "/%2F%C3%A9", "/?a=%3D&b"])
def test_what_botocore_writes_is(target: str) -> None:
    assert plain_target(f"http://h:81{target}", "http://h:81") == target


class Stream:
    def read(self, _size: int) -> bytes:
        return b""


COMMON: dict[str, Any] = {
    "pool": SimpleNamespace(proxy=None),
    "method": "PUT",
    "target": "/b/k",
    "body": b"x",
    "headers": {"User-Agent": "t", "Content-Length": "1"},
    "timeout": TIMEOUT,
}
ASKING = {**COMMON["headers"], "Expect": b"100-continue"}


@pytest.mark.parametrize(
    "but",
    [
        {},
        {"body": None},
        *({"method": method, "headers": {"User-Agent": "t"}} for method in ("GET", "HEAD", "DELETE")),
        {"timeout": Timeout(connect=0.5, read=3)},
        {"body": io.BytesIO(), "headers": ASKING},
        {"body": Stream(), "headers": ASKING},
    ],
    ids=range(8),
)
def test_what_s3_clients_send_is_common(but: dict[str, Any]) -> None:
    assert is_common(**{**COMMON, **but})


@pytest.mark.parametrize(
    "but",
    [
        {"pool": SimpleNamespace(proxy="http://proxy")},
        {"target": "b/k"},
        {"headers": {"Content-Length": "1"}},
        {"headers": {**COMMON["headers"], "Transfer-Encoding": "chunked"}},
        {"method": "POST", "headers": {"User-Agent": "t"}},
        *({"timeout": timeout} for timeout in (None, 3, Timeout(connect=1), Timeout(read=1))),
        {"timeout": Timeout(total=3, connect=1, read=1)},
        {"headers": ASKING},
        {"body": Stream()},
        {"body": io.StringIO(), "headers": ASKING},
        {"timeout": SimpleNamespace(_read=1, total=None)},
        {"timeout": SimpleNamespace(_connect=1, total=None)},
        *({"body": body, "headers": ASKING} for body in ("text", bytearray(b"x"), [b"x"])),
    ],
    ids=range(18),
)
def test_anything_else_is_not(but: dict[str, Any]) -> None:
    assert not is_common(**{**COMMON, **but})


def test_a_urllib3_that_is_not_known_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for version, is_known in ((0, False), (1, True), (2, True), (3, False)):
        monkeypatch.setattr(exchange, "URLLIB3", version)
        assert is_common(**COMMON) == is_known


def test_a_body_is_sent_in_blocks() -> None:
    assert list(_blocks(None, 2)) == list(_blocks(b"", 2)) == list(_blocks(io.BytesIO(), 2)) == []
    assert list(_blocks(b"abcde", 2)) == [b"abcde"]
    assert list(_blocks(io.BytesIO(b"abcde"), 2)) == [b"ab", b"cd", b"e"]
    assert list(_blocks(io.StringIO("\u00e9b"), 1)) == ([b"\xc3\xa9", b"b"] if URLLIB3 > 1 else ["\u00e9", "b"])


@pytest.mark.parametrize(
    ("error", "translated"),
    [
        (socket.timeout(), urllib3.exceptions.ReadTimeoutError),
        (ssl.SSLError("The read operation timed out"), urllib3.exceptions.ReadTimeoutError),
        (ssl.SSLError("bad record"), urllib3.exceptions.SSLError),
        (ConnectionResetError(), urllib3.exceptions.ProtocolError),
        (OSError("timed out"), urllib3.exceptions.ProtocolError),
        (http.client.BadStatusLine("x"), urllib3.exceptions.ProtocolError),
    ],
)
def test_failures_are_urllib3s(error: Exception, translated: type[Exception]) -> None:
    assert type(_translated(error, POOL, "/", TIMEOUT)) is translated


def test_what_is_no_failure_of_the_network_stays_as_it_is() -> None:
    error = KeyError()
    assert _translated(error, POOL, "/", TIMEOUT) is error


@pytest.mark.parametrize(
    ("error", "botocores"),
    [
        (urllib3.exceptions.SSLError(), "SSLError"),
        (urllib3.exceptions.NewConnectionError(POOL, "x"), "EndpointConnectionError"),
        (socket.gaierror(), "EndpointConnectionError"),
        (urllib3.exceptions.ConnectTimeoutError(), "ConnectTimeoutError"),
        (urllib3.exceptions.ReadTimeoutError(POOL, "/", "x"), "ReadTimeoutError"),
        (urllib3.exceptions.ProtocolError(), "ConnectionClosedError"),
        (KeyError(), "HTTPClientError"),
    ],
)
def test_and_then_botocores(error: Exception, botocores: str) -> None:
    request = SimpleNamespace(url="http://h/b/k")
    assert type(_botocore_error(error, request)) is getattr(botocore.exceptions, botocores)


class Sock:
    """A socket that fails to send."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self.timeouts: list[Any] = []

    def settimeout(self, seconds: Any) -> None:
        self.timeouts.append(seconds)

    def sendall(self, _data: bytes) -> None:
        raise self._error

    def makefile(self, *_: Any) -> Any:
        return None


def sending(error: Exception) -> tuple[Sock, Any]:
    sock = Sock(error)
    request = SimpleNamespace(method="PUT", body=b"x", headers={})
    return sock, lambda: _send(SimpleNamespace(sock=sock, blocksize=9), request, b"PUT", TIMEOUT)


def test_a_request_that_cannot_be_sent_in_time_is_a_broken_connection() -> None:
    sock, send = sending(socket.timeout())
    with pytest.raises(urllib3.exceptions.ProtocolError):
        send()
    assert sock.timeouts == [1, 2]


# urllib3 1 tries to read on after a broken pipe alone.
EARLY = [errno.EPIPE, errno.EPROTOTYPE, errno.ECONNRESET if URLLIB3 > 1 else errno.ESHUTDOWN]


@pytest.mark.parametrize("number", EARLY)
def test_after_a_broken_pipe_the_answer_may_be_there_to_be_read(number: int) -> None:
    sock, send = sending(OSError(number, "x"))
    assert send().left_body_unsent is False
    assert sock.timeouts == [1, 2]


@pytest.mark.parametrize("number", [errno.EHOSTUNREACH, errno.ESHUTDOWN if URLLIB3 > 1 else errno.ECONNRESET])
def test_another_failure_is_one(number: int) -> None:
    _, send = sending(OSError(number, "x"))
    with pytest.raises(OSError, match="x"):
        send()


class Pool:
    """A pool of one connection, which notes what is given back."""

    host, port, num_requests = "h", 81, 5

    def __init__(self, scheme: str = "http", **attributes: Any) -> None:
        self.scheme = scheme
        self.given_back: list[Any] = []
        made = HTTPConnection if scheme == "http" else HTTPSConnection
        self.connection: Any = made("127.0.0.1", timeout=9)
        self.connection.__dict__.update(attributes)

    def _get_conn(self) -> Any:
        return self.connection

    def _put_conn(self, connection: Any) -> None:
        self.given_back.append(connection)


def get(headers: Any) -> Any:
    return SimpleNamespace(method="GET", body=None, headers=headers)


def test_what_cannot_be_written_takes_no_connection() -> None:
    nobody: Any = SimpleNamespace(host="h", port=81, scheme="http")
    assert send_on(nobody, get({"A:": "b"}), "/b/k", TIMEOUT) is None


@pytest.mark.parametrize("pool", [Pool(debuglevel=1), Pool("https")], ids=["watched", "to be shaken hands with"])
def test_a_connection_that_is_not_known_here_is_given_back(pool: Any) -> None:
    assert send_on(pool, get({}), "/b/k", TIMEOUT) is None
    assert pool.given_back == [pool.connection]
    assert pool.connection.sock is None
    assert pool.num_requests == 5


def test_a_connection_is_made_within_its_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        pool: Any = Pool(port=server.getsockname()[1])

        def answer(connection: Any = pool.connection) -> None:
            assert connection.timeout == TIMEOUT.connect_timeout
            HTTPConnection.connect(connection)
            theirs = server.accept()[0]
            theirs.sendall(b"HTTP/1.1 307 X\r\nContent-Length: 0\r\n\r\n")
            theirs.close()

        pool.connection.connect = answer
        assert send_on(pool, get({}), "/b/k", TIMEOUT) == ShortRedirect(
            307, HTTPHeaderDict({"Content-Length": "0"}), b""
        )
        assert pool.given_back == [pool.connection]
        assert pool.num_requests == 6
        pool.connection.close()


def test_a_failure_says_of_what_and_gives_back_nothing() -> None:
    def fail(error: BaseException) -> Any:
        raise error

    pool: Any = Pool()
    pool.connection.connect = lambda: fail(socket.timeout())
    with pytest.raises(urllib3.exceptions.ReadTimeoutError, match=r"read timeout=2\)") as caught:
        send_on(pool, get({}), "/b/k", TIMEOUT)
    assert (caught.value.pool, caught.value.url, pool.given_back) == (pool, "/b/k", [None])
    pool.connection.connect = lambda: fail(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt) as interrupted:
        send_on(pool, get({}), "/b/k", TIMEOUT)
    assert interrupted.value.__cause__ is None
    assert pool.given_back == [None] * 2


class Answer:
    status = 307
    length = 10
    headers = None
    will_close = False
    closed = False

    def read(self) -> bytes:
        raise http.client.IncompleteRead(b"")

    def close(self) -> None:
        self.closed = True


def test_a_redirect_whose_body_breaks_off_is_one_all_the_same() -> None:
    answer: Any = Answer()
    assert _short_redirect(answer) == ShortRedirect(307, None, b"")  # type: ignore[arg-type]  # made up
    assert answer.will_close
    assert answer.closed


def test_a_switch_that_turned_into_nonsense_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert short_way._is_on()
    monkeypatch.setenv("AISTORE_PATCH_SHORT_WAY", "nonsense")
    assert not short_way._is_on()


class OfAnotherKind(socket.socket):
    """As one over TLS, there is no looking at what it will give."""

    def recv(self, size: int, flags: int = 0) -> bytes:
        assert not flags
        return super().recv(size)


def test_what_comes_before_a_body_is_read_where_it_cannot_be_looked_at() -> None:
    ours, theirs = socket.socketpair()
    connection = HTTPConnection("h", timeout=5)
    connection.sock = OfAnotherKind(fileno=ours.detach())
    connection.sock.settimeout(5)
    with theirs:
        theirs.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert _hear(connection) == (True, None)
    connection.close()
