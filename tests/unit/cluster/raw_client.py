"""A client that sends exactly the bytes it is given and reads what comes back."""

from __future__ import annotations

import http.client
import socket
from types import TracebackType
from typing import Mapping

from tests.cluster.node import Node

GIVES_UP = 20.0
"""Seconds after which a test that waits for what never comes fails instead of hanging."""


class Reply:
    """A parsed response."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def location(self) -> bytes:
        return self.headers["Location"].encode("latin-1")

    @property
    def request_target(self) -> bytes:
        """The part of the Location that a client sends to its host."""
        return b"/" + self.location.split(b"/", 3)[3]

    @property
    def code(self) -> str:
        """Of an S3 error."""
        return self.body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()


class RawClient:
    """One connection to a node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.socket = socket.create_connection((node.host, node.port), timeout=GIVES_UP)

    def __enter__(self) -> RawClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_request(
        self, method: str, target: bytes, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> None:
        fields = {"Host": f"{self._node.host}:{self._node.port}", **(headers or {})}
        if body and "Transfer-Encoding" not in fields:
            fields.setdefault("Content-Length", str(len(body)))
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.send(method.encode() + b" " + target + b" HTTP/1.1\r\n" + lines.encode("latin-1") + b"\r\n" + body)

    def read_reply(self, method: str = "GET") -> Reply:
        response = http.client.HTTPResponse(self.socket, method=method)
        try:
            response.begin()
            return Reply(response)
        finally:
            response.close()

    def read_to_end(self) -> bytes:
        """Everything until the server closes."""
        received = b""
        while True:
            more = self.socket.recv(65536)
            if not more:
                return received
            received += more

    def ask(self, method: str, target: bytes, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Reply:
        self.send_request(method, target, headers, body)
        return self.read_reply(method)


def ask(node: Node, method: str, target: bytes, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Reply:
    """One request over a connection of its own."""
    with RawClient(node) as client:
        return client.ask(method, target, headers, body)
