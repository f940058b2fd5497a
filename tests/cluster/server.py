"""Listening, connections and threads: from sockets to requests and back."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import struct
import threading
from functools import partial
from typing import Callable, Protocol

from .ledger import Entry, Ledger
from .wire import (
    PIECE,
    ConnectionEndedError,
    Ending,
    Handler,
    MalformedRequestError,
    Request,
    Response,
    Source,
)
from .workers import Workers

DISCARDED = 256 << 10
"""Bytes of an unwanted body that are read to keep the connection; Go's net/http has the same limit."""


class Acceptor:
    """One thread that accepts for any number of listeners, and those that serve what it has accepted."""

    def __init__(self) -> None:
        self.workers = Workers()
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="cluster-acceptor", daemon=True)
        self._thread.start()

    def add(self, listener: socket.socket, accept: Callable[[], None]) -> None:
        self._selector.register(listener, selectors.EVENT_READ, accept)

    def remove(self, listener: socket.socket) -> None:
        self._selector.unregister(listener)

    def stop(self) -> None:
        self._wake.close()
        self._thread.join()
        self.workers.stop()
        self._selector.close()
        self._woken.close()

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._woken:
                    return
                key.data()


class Connection:
    """One client's connection, plain or TLS."""

    def __init__(self, sock: socket.socket, number: int, client: tuple[str, int]) -> None:
        self.socket = sock
        self.client = f"{client[0]}:{client[1]}"
        self.number = number
        self.scheme = "https" if isinstance(sock, ssl.SSLSocket) else "http"
        self.source = Source(self._receive)

    def request(self, head: bytes) -> Request:
        """The request that a head begins."""
        return Request(head, self.source, scheme=self.scheme, send_continue=self.send_continue, client=self.client)

    def handshake(self) -> None:
        if isinstance(self.socket, ssl.SSLSocket):
            self.socket.do_handshake()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_continue(self) -> None:
        self.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def end_sending(self) -> None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_WR)

    def reset(self) -> None:
        """Make the close that follows a reset."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def abort(self) -> None:
        """Wake the thread that serves the connection; it then ends. Safe in any thread."""
        # Not SSLSocket.shutdown: that pulls the TLS object from under the thread that is reading.
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

    def close(self) -> None:
        self.socket.close()

    def _receive(self) -> bytes:
        return self.socket.recv(PIECE)


class Serve(Protocol):
    """What is done with a connection until it is over."""

    def __call__(self, connection: Connection) -> None: ...


class Server:
    """One address: accepts connections and serves each in a thread that it has to itself."""

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        serve: Serve,
        *,
        acceptor: Acceptor,
        ledger: Ledger,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.name = name
        self._serve = serve
        self._acceptor = acceptor
        self._ledger = ledger
        self._tls = tls
        self._lock = threading.Lock()
        self._all_served = threading.Condition(self._lock)
        self._connections: set[Connection] = set()
        self._socket = _bound(host, port)
        self.host, self.port = self._socket.getsockname()[:2]
        self.listening = False
        self.listen()

    def listen(self) -> None:
        if not self.listening:
            self.listening = True
            self._socket.setblocking(False)
            self._socket.listen(1024)
            self._acceptor.add(self._socket, self._accept)

    def refuse(self) -> None:
        """Refuse new connections and cut those that are open; the port stays reserved."""
        with self._lock:
            was_listening, self.listening = self.listening, False
        if was_listening:
            self._acceptor.remove(self._socket)
            self._socket.close()
            self._socket = _bound(self.host, self.port)
        self.cut()

    def cut(self) -> None:
        """End every open connection."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.abort()

    def stop(self) -> None:
        """Refuse, and return when the last connection has ended."""
        self.refuse()
        with self._all_served:
            self._all_served.wait_for(lambda: not self._connections)
        self._socket.close()

    def _accept(self) -> None:
        try:
            sock, client = self._socket.accept()
        except OSError:  # the client, or this listener, has gone in the meantime
            return
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        except OSError:  # gone before its first byte
            sock.close()
            return
        self._start(Connection(sock, self._ledger.open_connection(self.name), client))

    def _start(self, connection: Connection) -> None:
        with self._lock:
            if not self.listening:
                connection.close()
                return
            self._connections.add(connection)
        self._acceptor.workers.do(partial(self._run, connection))

    def _run(self, connection: Connection) -> None:
        try:
            connection.handshake()
            self._serve(connection)
        except (OSError, ConnectionEndedError):
            pass  # the client's right
        finally:
            connection.close()
            with self._all_served:
                self._connections.remove(connection)
                self._all_served.notify_all()


class HttpServing:
    """Serves a connection's requests one after the other with `handler`."""

    def __init__(self, name: str, handler: Handler, ledger: Ledger) -> None:
        self._name = name
        self._handler = handler
        self._ledger = ledger

    def __call__(self, connection: Connection) -> None:
        try:
            while self._exchange(connection):
                pass
        except MalformedRequestError as problem:
            for part in Response(400, body=str(problem).encode()).parts("GET", closes=True):
                connection.send(part)

    def _exchange(self, connection: Connection) -> bool:
        """One request and its response. False when the connection is over."""
        head = connection.source.head()
        if head is None:
            return False
        request = connection.request(head)
        entry = Entry(self._name, connection.number, request)
        self._ledger.record(entry)
        response = self._handler(request)
        closes = response.ending is not Ending.KEEP or not request.keeps_alive
        if response.status is not None and not request.body.discard(DISCARDED):
            closes = True
        self._ledger.answered(entry, response.status)
        for part in response.parts(request.method, closes=closes):
            connection.send(part)
        goes_on = self._end(connection, request, response, closes)
        request.body.forget_source()
        return goes_on

    def _end(self, connection: Connection, request: Request, response: Response, closes: bool) -> bool:
        if response.ending is Ending.RESET:
            connection.reset()
            return False
        if response.ending is Ending.HOLD:
            request.body.drain()
            return False
        if closes and not request.body.finished:
            # To close now would be a reset, and the client might lose an answer not read yet (RFC 9112 9.6).
            connection.end_sending()
            request.body.drain()
        cut_short = response.sends_only is not None
        return not closes and not cut_short


def _bound(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except BaseException:
        listener.close()
        raise
    return listener
