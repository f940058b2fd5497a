"""An HTTP proxy for clients that are told to use one (`proxies`, HTTP_PROXY, NO_PROXY): plain and CONNECT."""

from __future__ import annotations

import ipaddress
import selectors
import socket
from types import TracebackType
from typing import Mapping
from urllib.parse import urlsplit

from .ledger import Entry, Ledger
from .server import Acceptor, Connection, Server
from .wire import PIECE, MalformedRequestError, Request

_NOT_FORWARDED = ("connection", "proxy-connection", "proxy-authorization")


class ForwardProxy:
    """Forwards to loopback alone, one request or one tunnel a connection; `requests` tells what it was asked.

    An entry's target is `http://host:port/path`, or `host:port` of a CONNECT; its status is the proxy's own answer,
    None where the server answered.

    :param names: addresses of host names, so that a client may ask for names that nobody resolves
    """

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self._names = names or {}
        self._ledger = Ledger()
        self._acceptor = Acceptor()
        self._server = Server(
            "forward-proxy", "127.0.0.1", 0, self._serve, acceptor=self._acceptor, ledger=self._ledger
        )

    @property
    def url(self) -> str:
        return f"http://{self._server.host}:{self._server.port}"

    @property
    def requests(self) -> list[Entry]:
        """What clients asked of the proxy."""
        return self._ledger.requests()

    @property
    def connections(self) -> int:
        """How many connections were opened to the proxy."""
        return self._ledger.connections()

    def stop(self) -> None:
        self._server.stop()
        self._acceptor.stop()

    def __enter__(self) -> ForwardProxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _serve(self, connection: Connection) -> None:
        try:
            head = connection.source.head()
            if head is None:
                return
            request = connection.request(head)
        except MalformedRequestError:
            connection.send(_reply("400 Bad Request"))
            return
        entry = Entry(self._server.name, connection.number, request)
        self._ledger.record(entry)
        upstream = self._connected(request)
        if upstream is None:
            self._ledger.answered(entry, 502)
            connection.send(_reply("502 Bad Gateway"))
            return
        with upstream:
            if request.method == "CONNECT":
                self._ledger.answered(entry, 200)
                connection.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                upstream.sendall(_onward(request))
            upstream.sendall(connection.source.buffered())
            _pump(connection.socket, upstream)

    def _connected(self, request: Request) -> socket.socket | None:
        """A connection to the server that the client asks for; None if there is none, or it is not on loopback."""
        target = request.target.decode("latin-1")
        url = urlsplit(f"//{target}" if request.method == "CONNECT" else target)
        host = self._names.get(url.hostname or "", url.hostname or "")
        try:
            if not ipaddress.ip_address(host).is_loopback:
                return None
            return socket.create_connection((host, url.port or 80))
        except (OSError, ValueError):
            return None


def _onward(request: Request) -> bytes:
    """The request's head for the server itself; one request a connection, so that each is seen here."""
    path = request.target.split(b"/", 3)[3:] or [b""]
    fields = [(name, value) for name, value in request.headers.fields if name.lower() not in _NOT_FORWARDED]
    lines = [f"{name}: {value}" for name, value in [*fields, ("Connection", "close")]]
    head = b"%s /%s HTTP/1.1\r\n" % (request.method.encode(), path[0])
    return head + "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def _pump(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until either side ends."""
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in selector.select():
                source = one if key.fileobj is one else other
                data = source.recv(PIECE)
                if not data:
                    return
                key.data.sendall(data)


def _reply(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
