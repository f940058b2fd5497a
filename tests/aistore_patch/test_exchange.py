"""What the short way writes, and what it makes of failures: on plain values and made-up sockets."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
from types import SimpleNamespace
from typing import Any

import botocore.exceptions
import pytest
import urllib3.exceptions
from urllib3.util import Timeout

from aistore_patch import short_way
from aistore_patch.short_way import _botocore_error
from aistore_patch.short_way.exchange import ShortRedirect, _request_head, _send, _short_redirect, _translated

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
    "headers", [{"A": "b\r\nC: d"}, {"A": "b\n"}, {"A:": "b"}, {" A": "b"}, {"": "b"}, {"A\r": "b"}, {"A": "\u20ac"}]
)
def test_what_http_client_would_refuse_is_left_to_it(headers: dict[str, Any]) -> None:
    assert head(headers) is None


@pytest.mark.parametrize("url", ["/a b\r\n", "/\u00e9", "/\x7f"])
def test_a_target_that_no_request_line_carries_is_left_to_it_too(url: str) -> None:
    assert head({}, url) is None


@pytest.mark.parametrize(
    ("error", "translated"),
    [
        (socket.timeout(), urllib3.exceptions.ReadTimeoutError),
        (ssl.SSLError("The read operation timed out"), urllib3.exceptions.ReadTimeoutError),
        (ssl.SSLError("bad record"), urllib3.exceptions.SSLError),
        (ConnectionResetError(), urllib3.exceptions.ProtocolError),
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


def test_after_a_broken_pipe_the_answer_may_be_there_to_be_read() -> None:
    sock, send = sending(BrokenPipeError(errno.EPIPE, "x"))
    assert send().left_body_unsent is False
    assert sock.timeouts == [1, 2]


def test_another_failure_is_one() -> None:
    _, send = sending(OSError(errno.EHOSTUNREACH, "x"))
    with pytest.raises(OSError, match="x"):
        send()


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
