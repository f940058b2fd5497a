"""What a connection does while it waits for `100 Continue`, and which informational answers it passes over."""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
from types import SimpleNamespace
from typing import Any, Callable, Iterator

import pytest
import urllib3.connection
from botocore import awsrequest
from botocore.awsrequest import AWSHTTPConnection, AWSHTTPConnectionPool, HeadersDict
from urllib3.util import wait_for_read

from aistore_patch import connection
from aistore_patch.connection import (
    Answer,
    HopHeaders,
    HTTPConnection,
    HTTPSConnection,
    RedirectedEarly,
    is_informational,
)
from aistore_patch.location import parse_url

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
DONE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
REDIRECT = b"HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\nLocation: /x\r\n\r\n"
BODY = b"the body"
EXPECT = {"Host": "h", "Expect": b"100-continue", "Content-Length": str(len(BODY)), "User-Agent": "t"}


def send_head(to: Any, method: str, url: str, body: Any, headers: Any) -> None:
    to.putrequest(method, url, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        to.putheader(name, value)
    to.endheaders(body)


def request_chunked(self: Any, method: str, url: str, body: Any = None, headers: Any = None) -> None:
    """As urllib3 1.26 has it (`HTTPConnection.request_chunked`); urllib3 2 sends chunks as it sends all else."""
    send_head(self, method, url, None, headers or {})
    for chunk in body or ():
        self.send(chunk)


class Talk:
    """A connection to a server that has said everything already."""

    def __init__(self, said: bytes) -> None:
        self._ours, self._theirs = socket.socketpair()
        self.say = self._theirs.sendall
        self.say(said)
        for each in (self._ours, self._theirs):
            each.settimeout(5)
        self.connection = HTTPConnection("h", timeout=5)
        self.connection.sock = self._ours

    def put(self, url: str = "/b/k", headers: Any = EXPECT) -> Any:
        self.connection.request("PUT", url, body=io.BytesIO(BODY), headers=headers)
        return self.connection.getresponse()

    def put_with_the_head(self) -> Any:
        """As urllib3 1 does: http.client is given the body with the head, and sends it when it may."""
        with contextlib.suppress(RedirectedEarly):
            self.send_head(io.BytesIO(BODY))
        return http.client.HTTPConnection.getresponse(self.connection)

    def put_in_chunks(self) -> Any:
        self.connection.request_chunked("PUT", "/b/k", body=iter([BODY]), headers=EXPECT)
        return http.client.HTTPConnection.getresponse(self.connection)

    def send_head(self, body: Any) -> None:
        self.connection._response_received, self.connection._expect_header_set = False, True
        send_head(self.connection, "PUT", "/b/k", body, EXPECT)

    def sent(self) -> tuple[bytes, bytes]:
        """The head and the body that were sent."""
        with contextlib.suppress(OSError):  # it is closed, as far as an answer that is still there lets it
            self._ours.shutdown(socket.SHUT_WR)
        head, _, body = b"".join(iter(lambda: self._theirs.recv(65536), b"")).partition(b"\r\n\r\n")
        return head, body

    def close(self) -> None:
        self.connection.close()


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(connection, "CONTINUE_TIMEOUT", 0.01)  # the server has nothing more to say
    monkeypatch.setattr(urllib3.connection.HTTPConnection, "request_chunked", request_chunked)
    talks: list[Talk] = []

    def make(said: bytes) -> Talk:
        talks.append(Talk(said))
        return talks[-1]

    yield make
    for each in talks:
        each.close()
        each._theirs.close()


WAYS = [Talk.put, Talk.put_with_the_head, Talk.put_in_chunks]


def redirecting(line: bytes) -> bytes:
    return line + b"\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("put", WAYS)
@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [
        (CONTINUE + DONE, 200, "OK"),
        (HINTS + CONTINUE + DONE, 200, "OK"),
        (HINTS * 99 + CONTINUE + DONE, 200, "OK"),
        (b"HTTP/1.1 102 P\r\n" + b"A: b\r\n" * 99 + b"\r\n" + CONTINUE + REDIRECT, 307, "Temporary Redirect"),
        (b"HTTP/1.1 102 P\n\n" + CONTINUE + DONE, 200, "OK"),
    ],
    ids=range(5),
)
def test_a_body_is_sent_to_a_server_that_asks_for_it(
    talk: Any, said: bytes, status: int, reason: str, put: Callable[[Talk], Any]
) -> None:
    to = talk(said)
    answer = put(to)
    assert (answer.status, answer.reason) == (status, reason)
    assert to.connection.sock is not None  # it is fit for the next request
    assert not (to.connection._expect_header_set or to.connection._is_chunked) or put is Talk.put_with_the_head
    assert to.sent()[1] == BODY


@pytest.mark.parametrize("put", WAYS)
@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [
        (REDIRECT, 307, "Temporary Redirect"),
        (HINTS + REDIRECT, 307, "Temporary Redirect"),
        (HINTS * 99 + REDIRECT, 307, "Temporary Redirect"),
        (b"HTTP/1.1 102 P\r\n" + b"A: b\r\n" * 99 + b"\r\n" + REDIRECT, 307, "Temporary Redirect"),
        *((redirecting(b"HTTP/1.1 %d X" % status), status, "X") for status in (301, 302, 308)),
        (redirecting(b"HTTP/1.1 307"), 307, ""),
        (redirecting(b"HTTP/1.1 \t307\tNot  here "), 307, "Not  here"),
        (redirecting(b"HTTP/1.1\t307 X"), 307, "X"),
        (redirecting(b" HTTP/1.1 307 X"), 307, "X"),  # to botocore it is no worse than others
    ],
    ids=range(11),
)
def test_no_body_is_sent_to_a_server_that_redirects_instead_and_nothing_else_either(
    talk: Any, said: bytes, status: int, reason: str, put: Callable[[Talk], Any]
) -> None:
    to = talk(said)
    answer = put(to)
    assert (answer.status, answer.reason, answer.version) == (status, reason, 11)
    assert to.connection.sock is None  # closed: what came next might be taken for the body
    assert to.sent()[1] == b""


@pytest.mark.parametrize("put", WAYS)
@pytest.mark.parametrize("status", [101, 200, 417, 3070])
def test_another_answer_instead_is_the_answer_as_botocore_has_it(
    talk: Any, status: int, put: Callable[[Talk], Any]
) -> None:
    to = talk(redirecting(b"HTTP/1.1 %d X" % status))
    assert put(to).status == status
    assert to.connection.sock is not None
    assert to.sent()[1] == b""


@pytest.mark.parametrize(
    "said",
    [HINTS * 100 + DONE, b"HTTP/1.1 102 P\r\n" + b"A: b\r\n" * 100 + b"\r\n" + DONE],
    ids=["answers", "headers"],
)
def test_what_never_ends_is_an_error_that_says_how_much_it_got(talk: Any, said: bytes) -> None:
    with pytest.raises(http.client.HTTPException, match="more than 100 "):
        talk(said).put()


@pytest.mark.parametrize("put", WAYS)
@pytest.mark.parametrize("hints", [b"", HINTS], ids=["silent", "103"])
def test_a_body_is_sent_to_a_server_that_does_not_ask_for_it(
    talk: Any, hints: bytes, put: Callable[[Talk], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    to = talk(hints)
    monkeypatch.setattr(urllib3.util, "wait_for_read", lambda sock, _seconds: wait_for_read(sock, 0.01))  # botocore's
    monkeypatch.setattr(to.connection, "getresponse", lambda: None)
    monkeypatch.setattr(http.client.HTTPConnection, "getresponse", lambda _: None)
    put(to)
    assert to.connection.sock.gettimeout() == 5
    assert to.sent()[1] == BODY


def test_half_an_answer_is_a_time_out_unless_chunks_may_wait_for_none(talk: Any) -> None:
    ways: list[Callable[[Talk], Any]] = [
        lambda to: to.connection.request("PUT", "/b/k", BODY, EXPECT),
        lambda to: to.send_head(None),
    ]
    for send in ways:
        to = talk(b"HTTP/1.1 1")
        to.connection.timeout = 0.01
        to.connection.sock.settimeout(0.01)
        with pytest.raises(socket.timeout):
            send(to)
    to = talk(b"HTTP/1.1 1")
    to.connection.request_chunked("PUT", "/b/k", body=[BODY], headers=EXPECT)
    assert to.connection.sock.gettimeout() == 5
    assert to.sent()[1] == BODY


@pytest.mark.parametrize("early", [b"", b"HTTP/1.1 1"])
def test_chunks_wait_no_longer_than_their_time_for_the_whole_of_an_answer_or_for_none(
    talk: Any, monkeypatch: pytest.MonkeyPatch, early: bytes
) -> None:
    waits = []

    def time_out(self: Any, _body: Any) -> None:
        waits.append(self.sock.gettimeout())
        self._early_line = early
        raise socket.timeout

    monkeypatch.setattr(awsrequest.AWSConnection, "_handle_expect_response", time_out)
    waiting = talk(b"").connection
    waiting._is_chunked = True
    if early:
        with pytest.raises(socket.timeout):
            waiting._heard(None)
    else:
        assert waiting._heard(None) is False
    assert (waits, waiting.sock.gettimeout()) == ([0.01], 5)


def test_headers_may_end_with_the_connection(talk: Any) -> None:
    talk(b"").connection._consume_headers(io.BytesIO(b"Link: </x>\r\n"))


@pytest.mark.parametrize(("decrypted", "asked", "says_more"), [(5, [], True), (0, [1.0], False)])
def test_what_tls_has_decrypted_is_there_to_be_read(
    monkeypatch: pytest.MonkeyPatch, decrypted: int, asked: list[float], says_more: bool
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(connection, "wait_for_read", lambda _sock, timeout: waits.append(timeout))
    over_tls = HTTPConnection("h")
    over_tls.sock = SimpleNamespace(pending=lambda: decrypted, close=lambda: None)
    assert bool(over_tls._says_more()) is says_more
    assert waits == asked


def test_chunks_wait_for_an_answer_only_if_they_say_so(talk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib3.util, "wait_for_read", None)  # botocore's
    to = talk(b"")
    to.connection.request_chunked("POST", "/b/k", body=[BODY], headers={"Host": "h"})
    head, body = to.sent()
    assert head.split(b"\r\n") == [b"POST /b/k HTTP/1.1", b"Host: h"]
    assert body == BODY


def test_what_is_not_given_is_not_sent(talk: Any) -> None:
    for method in ("request", "request_chunked"):
        to = talk(b"")
        getattr(to.connection, method)("GET", "/b/k")
        head, body = to.sent()
        assert head.startswith(b"GET /b/k HTTP/1.1")
        assert body == b""


def test_an_early_answer_is_of_one_request_only(talk: Any) -> None:
    to = talk(HINTS + CONTINUE + DONE)
    assert to.put().read() == b""
    to.say(b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n")
    assert to.put(headers={name: value for name, value in EXPECT.items() if name != "Expect"}).status == 404


@pytest.mark.parametrize(
    ("status", "informational"),
    [(99, False), (100, True), (101, False), (102, True), (199, True), (200, False)],
)
def test_an_answer_is_informational_below_200_but_for_a_switch_of_protocols(status: int, informational: bool) -> None:
    assert is_informational(status) is informational


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"HTTP/1.1 307 Moved there\r\n", 307),
        (b"HTTP/1.1 200\r\n", 200),
        (b"SSH-2.0 307 x\r\n", 0),
        (b"HTTP/1.1 abc x\r\n", 0),
        (b"HTTP/1.1\r\n", 0),
        (b"", 0),
    ],
)
def test_a_status_line_has_a_status(line: bytes, status: int) -> None:
    assert connection._status(line) == status


def answer_of(said: bytes, **options: Any) -> Answer:
    answer = Answer(SimpleNamespace(makefile=lambda *_: io.BytesIO(said)), method="GET", **options)
    answer.begin()
    return answer


def test_an_answer_is_the_first_that_is_not_informational() -> None:
    assert answer_of(HINTS * 100 + DONE).status == 200
    with pytest.raises(http.client.HTTPException, match="more than 100 informational answers"):
        answer_of(HINTS * 101 + DONE)


@pytest.mark.parametrize(("status", "closes"), [(307, True), (403, False)])
def test_after_a_redirect_that_came_early_nothing_may_follow(status: int, closes: bool) -> None:
    early = answer_of(b"Content-Length: 0\r\n\r\n", status_tuple=("HTTP/1.1", status, "X"))
    assert (early.status, early.left_body_unsent, early.will_close) == (status, True, closes)
    in_time = answer_of(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)
    assert (in_time.left_body_unsent, in_time.will_close) == (False, False)


def test_the_target_of_a_redirected_request_is_sent_as_it_is_spelled(talk: Any) -> None:
    url = parse_url("http://target:81/s3/b/%c3%a9;~?x=%2f")
    headers = HopHeaders(HeadersDict({"Host": "h", "Content-Length": "8", "User-Agent": "t"}), url)
    for asked, sent in (("/s3/b", b"/s3/b/%c3%a9;~?x=%2f"), ("http://target:81/s3/b", str(url).encode())):
        to = talk(DONE)
        to.put(asked, headers.copy())  # as urllib3 does where there is a proxy
        assert to.sent()[0].split(b"\r\n")[0] == b"PUT " + sent + b" HTTP/1.1"
        to = talk(b"")
        to.connection.request_chunked("PUT", asked, headers=headers)
        assert to.sent()[0].split(b"\r\n")[0] == b"PUT " + sent + b" HTTP/1.1"


def test_headers_stay_those_of_a_redirected_request_when_they_are_copied() -> None:
    url = parse_url("http://h/b/k")
    copied = HopHeaders(HeadersDict({"A": "b"}), url).copy()
    assert (type(copied), dict(copied), copied.url) == (HopHeaders, {"A": "b"}, url)


def test_one_waits_as_long_as_botocore_for_an_answer_before_the_body() -> None:
    code = awsrequest.AWSConnection._send_output.__code__
    assert connection.CONTINUE_TIMEOUT in code.co_consts


def test_errors_call_connections_by_botocores_names() -> None:
    ours = (HTTPConnection, HTTPSConnection, connection.HTTPConnectionPool, connection.HTTPSConnectionPool)
    names = ["AWSHTTPConnection", "AWSHTTPSConnection", "AWSHTTPConnectionPool", "AWSHTTPSConnectionPool"]
    assert [cls.__name__ for cls in ours] == [cls.__qualname__ for cls in ours] == names
    assert all(getattr(awsrequest, name) in cls.__mro__ for name, cls in zip(names, ours))


@pytest.mark.parametrize("pool", [connection.HTTPConnectionPool, connection.HTTPSConnectionPool])
def test_connections_are_ours_unless_botocores_were_replaced(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {connection.HTTPConnectionPool: HTTPConnection, connection.HTTPSConnectionPool: HTTPSConnection}[pool]
    assert pool.ConnectionCls is ours
    assert isinstance(pool("h")._new_conn(), ours)
    botocores = next(cls for cls in pool.__mro__ if cls.__module__ == "botocore.awsrequest")
    monkeypatch.setattr(botocores, "ConnectionCls", AWSHTTPConnection)
    assert (pool.ConnectionCls is ours) == (botocores is AWSHTTPConnectionPool)
