"""Which requests the short way takes, and what it hands back: a session that has adopted, and a made-up exchange."""

from __future__ import annotations

from typing import Any, Callable, Iterator

import botocore.exceptions
import botocore.httpsession
import pytest
import urllib3.exceptions
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.endpoint import Endpoint
from botocore.httpsession import URLLib3Session
from urllib3._collections import HTTPHeaderDict
from urllib3.util import Timeout

from aistore_patch import session as sessions
from aistore_patch import short_way
from aistore_patch.connection import HopHeaders
from aistore_patch.location import parse_url
from aistore_patch.short_way.exchange import ShortRedirect

GATEWAY = "http://gw:81"
URL = f"{GATEWAY}/s3/b/k"
HEADERS = {"User-Agent": "t", "Content-Length": "1"}


class Response:
    """What urllib3 would give."""

    status = 200
    headers = HTTPHeaderDict({"A": "b"})

    def __init__(self) -> None:
        self.is_read = False

    def stream(self) -> Iterator[bytes]:
        self.is_read = True
        yield b"content"


class Sent:
    """What was sent by the short way, and what comes back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.answer: Any = Response()
        monkeypatch.setattr(short_way, "send_on", self._send_on)

    def _send_on(self, pool: Any, request: Any, target: str, timeout: Any) -> Any:
        self.calls.append((pool, request, target, timeout))
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "AISTORE_PATCH_SHORT_WAY"):
        monkeypatch.delenv(name, raising=False)
    return Sent(monkeypatch)


def adopted(**options: Any) -> Any:
    session = URLLib3Session(**options)
    sessions.adopt(session, GATEWAY, proxies_are_explicit=False)
    return session


def warm() -> Any:
    session = adopted()
    short_way.learn(session, URL)
    return session


def request_for(url: str = URL, headers: Any = None, stream_output: bool = False) -> Any:
    return AWSPreparedRequest("PUT", url, HeadersDict(HEADERS) if headers is None else headers, b"x", stream_output)


def send(session: Any, request: Any = None) -> Any:
    return short_way.send(Endpoint._send, session, request or request_for())


@pytest.mark.parametrize("stream_output", [True, False])
def test_an_answer_is_botocores(sent: Sent, stream_output: bool) -> None:
    session, request = warm(), request_for(stream_output=stream_output)
    answer = send(session, request)
    assert type(answer) is AWSResponse
    assert (answer.url, answer.status_code, dict(answer.headers)) == (URL, 200, {"A": "b"})
    assert answer.raw is sent.answer
    assert sent.answer.is_read is not stream_output
    pool = session._manager.connection_from_url(GATEWAY)
    assert sent.calls == [(pool, request, "/s3/b/k", pool.timeout)]


def test_a_redirect_is_one_of_botocores_too(sent: Sent) -> None:
    sent.answer = ShortRedirect(307, HTTPHeaderDict({"Location": "/x"}), b"moved")
    answer = send(warm())
    assert isinstance(answer, AWSResponse)
    assert (answer.url, answer.status_code, answer.headers["location"]) == (URL, 307, "/x")
    assert (answer.content, answer.raw) == (b"moved", sent.answer)


def test_a_redirected_request_has_the_target_that_the_server_spelled(sent: Sent) -> None:
    spelled = parse_url(f"{GATEWAY}/s3/b/a;k?x=%2f")
    send(warm(), request_for(headers=HopHeaders(HeadersDict(HEADERS), spelled)))
    assert sent.calls[0][2] == "/s3/b/a;k?x=%2f"
    assert send(warm(), request_for(f"{GATEWAY}/s3/b/a;k")) is None  # which is urllib3's to spell


def refusing(session: Any) -> Any:
    pool = session._manager.connection_from_url(GATEWAY)
    pool.close()
    return session


NOT_TAKEN: dict[str, Callable[[], Any]] = {
    "another origin": lambda: send(warm(), request_for("http://gw:82/s3/b/k")),
    "another scheme": lambda: send(warm(), request_for("https://gw:81/s3/b/k")),
    "another session": lambda: (warm(), send(adopted()))[1],
    "not learned": lambda: send(adopted()),
    "not adopted": lambda: send(URLLib3Session()),
    "closed": lambda: send(refusing(warm())),
    "uncommon": lambda: send(warm(), request_for(headers=HeadersDict({}))),
    "watched": lambda: short_way.send(lambda *_: None, warm(), request_for()),
}


@pytest.mark.parametrize("name", NOT_TAKEN)
def test_it_is_not_taken_where_it_is_not_known_to_lead(sent: Sent, name: str) -> None:
    assert NOT_TAKEN[name]() is None
    assert sent.calls == []


class Slotted:
    """A session of somebody's own, of which no weak reference can be made."""

    __slots__ = ()


class Unhashable:
    """Another, which is equal to others like it."""

    __hash__ = None  # type: ignore[assignment]  # as a dataclass has it


@pytest.mark.parametrize("session", [Slotted(), Unhashable()])
def test_a_session_of_any_kind_may_be_asked_about(sent: Sent, session: Any) -> None:
    short_way.learn(session, URL)
    assert send(session) is None
    assert sent.calls == []


def test_it_is_left_where_nothing_was_sent(sent: Sent) -> None:
    sent.answer = None
    assert send(warm()) is None


def is_learned(session: Any) -> bool:
    short_way.learn(session, URL)
    return URL[:12] in str(dict(short_way._pools.get(session, {})))


def test_origins_are_learned_of_sessions_that_may_go_it(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_learned(adopted())
    assert not is_learned(URLLib3Session())
    assert not is_learned(adopted(proxies={"http": "http://proxy"}))
    monkeypatch.setenv("AISTORE_PATCH_SHORT_WAY", "0")
    assert not is_learned(adopted())
    assert sent.calls == []


def test_an_origin_is_learned_once_and_again_when_its_pool_is_gone() -> None:
    session = warm()
    known = short_way._pools[session]
    assert list(known) == [GATEWAY]
    reference = known[GATEWAY]
    short_way.learn(session, f"{GATEWAY}/other?x")
    assert known[GATEWAY] is reference
    session._manager.clear()
    assert reference() is None
    short_way.learn(session, URL)
    assert known[GATEWAY]() is session._manager.connection_from_url(GATEWAY)


def test_all_are_forgotten_where_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short_way, "POOLS", 2)
    session = warm()
    for host, known in (("t1", [GATEWAY, "http://t1"]), ("t2", ["http://t2"]), ("t3", ["http://t2", "http://t3"])):
        short_way.learn(session, f"http://{host}/s3")
        assert list(short_way._pools[session]) == known


def test_a_request_may_have_a_time_out_of_its_own(sent: Sent) -> None:
    session, own = warm(), Timeout(connect=3, read=4)
    for found, expected in ((own, own), (None, session._manager.connection_from_url(GATEWAY).timeout)):
        session._get_request_timeout = lambda _, found=found: found
        send(session)
        assert sent.calls[-1][3] is expected


@pytest.mark.parametrize(
    ("error", "botocores"),
    [
        (urllib3.exceptions.SSLError("why"), "SSLError"),
        (urllib3.exceptions.ConnectTimeoutError("why"), "ConnectTimeoutError"),
        (urllib3.exceptions.ProtocolError("why"), "ConnectionClosedError"),
        (OSError("why"), "HTTPClientError"),
    ],
)
def test_a_failure_is_botocores_and_names_the_place(sent: Sent, error: Exception, botocores: str) -> None:
    sent.answer, request = error, request_for()
    with pytest.raises(botocore.exceptions.BotoCoreError) as caught:
        send(warm(), request)
    assert type(caught.value).__name__ == botocores
    assert caught.value.__cause__ is error
    assert caught.value.kwargs["error"] is error
    if botocores != "HTTPClientError":
        assert caught.value.kwargs["endpoint_url"] == URL
    if botocores == "ConnectionClosedError":
        assert caught.value.request is request


def test_what_no_session_wraps_is_let_through(sent: Sent) -> None:
    let_through = [KeyboardInterrupt(), getattr(botocore.httpsession, "CancelledError", KeyboardInterrupt)()]
    for sent.answer in let_through:
        with pytest.raises(type(sent.answer)):
            send(warm())


def test_origins_are_what_stands_before_the_path() -> None:
    for url in ("http://h:1", "http://h:1/", "http://h:1/a/b?c", "http://h:1/a//b"):
        assert short_way._origin(url) == "http://h:1"
