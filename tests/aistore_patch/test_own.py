"""The short way stands aside where anything that it leaves out is not the libraries' own."""

from __future__ import annotations

import io
import logging
import socket
import ssl
import sys
import types
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, HeadersDict
from botocore.endpoint import Endpoint
from botocore.httpsession import URLLib3Session

from aistore_patch import session as sessions
from aistore_patch import short_way
from aistore_patch.connection import HTTPConnection, HTTPConnectionPool, HTTPSConnection
from aistore_patch.short_way import own
from aistore_patch.short_way.own import is_all_own, is_own_connection

SCHEMES = ("http", "https")


def adopted() -> Any:
    session = URLLib3Session()
    sessions.adopt(session, "http://gw", proxies_are_explicit=False)
    return session


def pool_of(session: Any, scheme: str) -> Any:
    return session._manager.connection_from_url(f"{scheme}://gw")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_the_libraries_own_may_take_it(scheme: str) -> None:
    session = adopted()
    assert is_all_own(Endpoint._send, session, pool_of(session, scheme))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_method_that_is_replaced_in_any_class_rules_it_out(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    session = adopted()
    pool = pool_of(session, scheme)
    for classes, names in own.LEFT_OUT[scheme]:
        for cls in classes:
            for name in (name for name in names if hasattr(cls, name)):
                with monkeypatch.context() as replaced:
                    replaced.setattr(cls, name, lambda *_: None)
                    assert not is_all_own(Endpoint._send, session, pool), (cls, name)
    assert is_all_own(Endpoint._send, session, pool)


def test_one_of_an_instance_does_too() -> None:
    session = adopted()
    pool = pool_of(session, "http")
    for owner in (session, pool, session._manager, session._proxy_config):
        for name in ("send", "urlopen", "connection_from_url", "proxy_url_for"):
            vars(owner)[name] = None
            assert not is_all_own(Endpoint._send, session, pool), (owner, name)
            del vars(owner)[name]
    assert is_all_own(Endpoint._send, session, pool)


def test_and_whatever_else_stands_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    session = adopted()
    pool = pool_of(session, "http")
    assert not is_all_own(lambda *_: None, session, pool)
    assert not is_all_own(Endpoint._send, URLLib3Session(), pool)
    assert not is_all_own(Endpoint._send, session, type("Other", (HTTPConnectionPool,), {})("gw"))
    with monkeypatch.context() as replaced:
        replaced.setattr(HTTPConnectionPool, "ConnectionCls", type("Other", (HTTPConnection,), {}))
        assert not is_all_own(Endpoint._send, session, pool)
    for name in ("urllib3.connectionpool", "botocore.awsrequest"):
        with monkeypatch.context() as watched:
            watched.setattr(logging.getLogger(name), "level", logging.DEBUG)
            logging.getLogger(name)._cache.clear()  # type: ignore[attr-defined]  # as setLevel does
            assert not is_all_own(Endpoint._send, session, pool)
        logging.getLogger(name)._cache.clear()  # type: ignore[attr-defined]  # as above
    assert is_all_own(Endpoint._send, session, pool)


def connected(cls: Any = HTTPConnection, **attributes: Any) -> Any:
    connection = cls("gw")
    vars(connection).update(attributes)
    return connection


def test_a_connection_is_own_as_it_was_made() -> None:
    ours, theirs = socket.socketpair()
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(
        socket.socket(), server_hostname="gw", do_handshake_on_connect=False
    )
    with ours, theirs, secure:
        for fit in (
            connected(),
            connected(sock=ours),
            connected(HTTPSConnection),
            connected(HTTPSConnection, sock=secure, is_verified=True),
        ):
            assert is_own_connection(fit)
        other = type("Other", (socket.socket,), {})()
        for unfit in (
            connected(type("Other", (HTTPConnection,), {})),
            connected(sock=SimpleNamespace()),
            connected(sock=other),
            connected(debuglevel=1),
            connected(send=print),
            connected(HTTPSConnection, sock=secure, is_verified=False),
            None,
        ):
            assert not is_own_connection(unfit)
        other.close()


# All that it leaves out.


def methods_called(work: Any) -> set[tuple[type, str]]:
    """The methods of the classes that are looked at which are called meanwhile, with the class that has them."""
    owners = {
        vars(owner)[name].__code__: (owner, name)
        for cls in {cls for scheme in SCHEMES for classes, _ in own.LEFT_OUT[scheme] for cls in classes}
        for owner in cls.__mro__
        for name, method in vars(owner).items()
        if isinstance(method, types.FunctionType)
    }
    called: set[tuple[type, str]] = set()

    def profile(frame: Any, event: str, _: Any) -> None:
        if event == "call" and frame.f_code in owners:
            called.add(owners[frame.f_code])

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return called


def called_in(short: bool, body: Any, said: bytes) -> set[tuple[type, str]]:
    session = adopted()
    pool, connection = pool_of(session, "http"), HTTPConnection("gw", timeout=5)
    short_way.learn(session, "http://gw/")
    headers = HeadersDict({"User-Agent": "t", "Content-Length": "1"})
    if not isinstance(body, bytes):
        headers["Expect"] = b"100-continue"
    request = AWSPreparedRequest("PUT", "http://gw/b/k", headers, body, False)
    connection.sock, theirs = socket.socketpair()
    with connection.sock, theirs:
        theirs.sendall(said)
        pool._get_conn = lambda *_, **__: connection  # it would close one that has something to be read already
        answers: list[Any] = []

        def send() -> None:
            answers.append(short_way.send(Endpoint._send, session, request) if short else session.send(request))

        called = methods_called(send)
    assert answers[0].status_code in (200, 307)
    return called


WITHIN = {
    *("_consume_headers", "_convert_to_bytes", "_heard", "_is_100_continue_status", "_output", "_wrap_ipv6"),
    *("_merge_pool_kwargs", "connection_from_context", "connection_from_host", "connection_from_pool_key"),
}
"""What is only called from within another method that is looked at."""


def test_all_methods_that_it_leaves_out_are_looked_at() -> None:
    rest = b" X\r\nContent-Length: 3\r\n\r\nabc"
    long, short = set(), set()
    for status in (b"200", b"307"):
        for body, before in ((b"x", b""), (io.BytesIO(b"x"), b"HTTP/1.1 100 Continue\r\n\r\n")):
            said = before + b"HTTP/1.1 " + status + rest
            short |= called_in(True, body, said)
            if not isinstance(body, bytes):
                body.seek(0)
            long |= called_in(False, body, said)
    names = {name for _, name in long - short}
    assert names - WITHIN <= {name for _, listed in own.LEFT_OUT["http"] for name in listed}
    assert len(names) > 20
