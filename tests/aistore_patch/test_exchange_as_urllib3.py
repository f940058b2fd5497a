"""An exchange by the short way is the one that urllib3 would have had: to the byte, and whatever the server says."""

from __future__ import annotations

import contextlib
import io
import socket
import sys
from types import SimpleNamespace
from typing import Any, Callable, Dict, Tuple

import pytest
from botocore.awsrequest import HeadersDict
from urllib3.util import Timeout
from urllib3.util.retry import Retry

from aistore_patch import connection as connection_module
from aistore_patch.connection import HTTPConnection, HTTPConnectionPool
from aistore_patch.short_way import exchange
from aistore_patch.short_way.exchange import SHORT, ShortRedirect, send_on
from aistore_patch.short_way.own import URLLIB3

TIMEOUT = Timeout(connect=1, read=2)
BODY = b"the body"
OK = b"HTTP/1.1 200 OK\r\n"
NINE = b"Content-Length: 9\r\n\r\n123456789"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
DONE = OK + b"Content-Length: 0\r\n\r\n"
REDIRECT = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /x\r\n"

Request = Tuple[str, Callable[[], Any], Dict[str, Any]]
"""The method, what makes the body, and headers."""

ASKING: dict[str, Any] = {"Expect": b"100-continue"}
PUTS: list[Request] = [
    ("PUT", lambda: io.BytesIO(BODY), ASKING),
    ("PUT", lambda: io.BytesIO(BODY * 5000), ASKING),
    ("PUT", lambda: None, ASKING),
]

ANSWERS = {
    "whole": OK + b"X-A: b\r\n" + NINE,
    "chunked": OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "to the end": OK + b"\r\nabc",
    "closing": OK + b"Connection: close\r\n" + NINE,
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n" + NINE,
    "not modified": b"HTTP/1.1 304 Not Modified\r\nETag: e\r\n\r\n",
    "after hints": HINTS + OK + NINE,
    "too short": OK + NINE[:-1],
    "header that is none": OK + b"X-A\r\n" + NINE,
    "nothing": b"",
    "half a head": OK,
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "a redirect": REDIRECT + NINE,
    "a redirect that closes": REDIRECT + b"Connection: close\r\n" + NINE,
    "a redirect in chunks": REDIRECT + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "a redirect with a long body": REDIRECT + b"Content-Length: %d\r\n\r\n" % SHORT + bytes(SHORT),
    "a redirect with a longer body": REDIRECT + b"Content-Length: %d\r\n\r\n" % (SHORT + 1) + bytes(SHORT + 1),
    "an error": b"HTTP/1.1 403 Forbidden\r\n" + NINE,
}
SHORT_REDIRECTS = ["a redirect", "a redirect that closes", "a redirect with a long body"]
BEFORE_THE_BODY = {
    "continue": CONTINUE + DONE,
    "hints": HINTS + CONTINUE + DONE,
    "continue with a header": CONTINUE[:-2] + b"A: b\r\n\r\n" + DONE,
    "continue and a redirect": CONTINUE + REDIRECT + NINE,
    "success": OK + NINE,
    "a refusal": b"HTTP/1.1 417 Expectation Failed\r\n" + NINE,
    "a redirect": REDIRECT + NINE,
    "a redirect after hints": HINTS + REDIRECT + NINE,
    "a redirect with a folded header": REDIRECT + b"A: b\r\n c\r\n" + NINE,
}


_heard: list[Any] | None = None


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _heard is not None and event.startswith("http.client."):
        _heard.append((event, *arguments))


sys.addaudithook(_hear)


class Exchange:
    """An exchange with a server that has said everything already: what comes back, and all else that one sees of it."""

    def __init__(self, short: bool, request: Request, said: bytes, caplog: pytest.LogCaptureFixture) -> None:
        caplog.clear()
        self.kind = ""
        self.of_urllib3: list[Any] = []
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(said)
            theirs.shutdown(socket.SHUT_WR)
            pool = HTTPConnectionPool("h", 81, maxsize=1, timeout=TIMEOUT)
            connection = pool._get_conn()
            connection.sock = ours
            pool._get_conn = lambda *_, **__: connection  # it would close one that has something to be read already
            global _heard
            audited: list[Any] = []
            _heard = audited
            try:
                answer = send(short, pool, *request)
                self.seen = [answer.status, sorted(answer.headers.items()), self._content(answer, pool, connection)]
            except Exception as error:
                self.seen = [repr(error)]
            _heard = None
            self.seen.append([(event, of is connection, data) for event, of, data in audited])
            time_out = connection.sock.gettimeout() if connection.sock is not None else "closed"
            self.seen += [
                time_out,
                ["this" if one is connection else one for one in pool.pool.queue],
                pool.num_requests,
            ]
            self.seen += [
                (record.name, record.levelname, record.getMessage(), bool(record.exc_info)) for record in caplog.records
            ]
            with contextlib.suppress(OSError):  # it is closed
                ours.shutdown(socket.SHUT_WR)
            self.seen.append(b"".join(iter(lambda: theirs.recv(65536), b"")))

    def _content(self, answer: Any, pool: Any, connection: Any) -> bytes:
        self.kind = type(answer).__name__
        if isinstance(answer, ShortRedirect):
            return answer.content
        simple = {name: each for name, each in vars(answer).items() if isinstance(each, (int, str, type(None)))}
        self.of_urllib3 = [simple, answer.connection is connection, answer._pool is pool, answer.retries.total]
        return bytes(answer.read())


def send(short: bool, pool: Any, method: str, make_body: Callable[[], Any], more: dict[str, Any]) -> Any:
    body = make_body()
    length = {"Content-Length": str(len(getattr(body, "getvalue", lambda: body)() or b""))} if method == "PUT" else {}
    headers = HeadersDict({"User-Agent": "t", **more, **length})
    if short:
        return send_on(pool, SimpleNamespace(method=method, body=body, headers=headers), "/b/k", TIMEOUT)
    options = {"retries": Retry(False), "preload_content": False, "decode_content": False, "assert_same_host": False}
    if not exchange._URLLIB3_SEES_THE_END and URLLIB3 > 1:
        options["enforce_content_length"] = False  # as botocore does since 1.44
    return pool.urlopen(method, "/b/k", body, headers, **options)


def is_as_by_urllib3(request: Request, said: bytes, caplog: pytest.LogCaptureFixture) -> str:
    """Return of which kind the answer is."""
    short, long = (Exchange(way, request, said, caplog) for way in (True, False))
    assert short.seen == long.seen
    if short.kind != ShortRedirect.__name__:
        assert (short.kind, short.of_urllib3) == (long.kind, long.of_urllib3)
    return short.kind


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "PUT"])
@pytest.mark.parametrize("answer", ANSWERS)
def test_whatever_is_answered(method: str, answer: str, caplog: pytest.LogCaptureFixture) -> None:
    request: Request = (method, lambda: BODY if method == "PUT" else None, {})
    kind = is_as_by_urllib3(request, ANSWERS[answer], caplog)
    is_short = answer in SHORT_REDIRECTS or (method == "HEAD" and "redirect" in answer)
    assert (kind == ShortRedirect.__name__) == is_short


@pytest.mark.parametrize("request_", PUTS, ids=["stream", "long", "nothing"])
@pytest.mark.parametrize("answer", BEFORE_THE_BODY)
def test_whatever_is_answered_before_the_body(request_: Request, answer: str, caplog: pytest.LogCaptureFixture) -> None:
    kind = is_as_by_urllib3(request_, BEFORE_THE_BODY[answer], caplog)
    assert (kind == ShortRedirect.__name__) == ("redirect" in answer)


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (b"", (True, None)),  # nobody asks for it, and nobody refuses it
        (CONTINUE, (True, None)),
        (HINTS + CONTINUE, (True, None)),
        (b"SSH-2.0-OpenSSH_9.2\r\n", ("as urllib3", None)),
        (REDIRECT + NINE, (False, (None, 307, None))),  # its head is left to be read
        (HINTS + REDIRECT + NINE, (False, ("HTTP/1.1", 307, "Temporary Redirect"))),
        (b"HTTP/1.1 417 No\r\n" + NINE, (False, ("HTTP/1.1", 417, "No\r\n"))),
    ],
    ids=range(7),
)
@pytest.mark.parametrize("urllib3s", [1, 2])
def test_what_is_heard_before_the_body(said: bytes, heard: Any, urllib3s: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "URLLIB3", urllib3s)
    for module in (connection_module, exchange):
        monkeypatch.setattr(module, "CONTINUE_TIMEOUT", 0.01)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(said)
        ours.settimeout(5)
        connection = HTTPConnection("h")
        connection.sock = ours
        for _ in range(2):
            expected = (urllib3s > 1, None) if heard[0] == "as urllib3" else heard
            assert exchange._hear(connection) == expected
            theirs.sendall(
                b"" if said.startswith(REDIRECT) else said
            )  # what was heard of one request is not of the next
            if heard[1] is not None:
                break
