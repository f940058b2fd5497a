"""What every node really saw."""

from __future__ import annotations

import itertools
import threading
from collections import Counter, deque
from typing import Callable

from .wire import Headers, Request


class Entry:
    """One request at one node; kept up to date while its body arrives.

    Holds the bytes of the head and reads them when it is asked, so that a million entries are cheap to keep.
    """

    __slots__ = ("_body", "_head", "connection", "node", "status")

    def __init__(self, node: str, connection: int, request: Request) -> None:
        self.node = node
        """`proxy`, `target0`, `target1` …"""
        self.connection = connection
        """Unique in the cluster: equal numbers are requests over one connection."""
        self.status: int | None = None
        """Of the answer; None while there is none, and for raw bytes and resets."""
        self._head = request.head
        self._body = request.body

    @property
    def method(self) -> str:
        return self._head.partition(b" ")[0].decode("ascii")

    @property
    def target(self) -> bytes:
        """The request-target as it was on the wire: path and query, nothing decoded."""
        return self._head.split(b" ", 2)[1]

    @property
    def path(self) -> bytes:
        return self.target.partition(b"?")[0]

    @property
    def query(self) -> bytes:
        return self.target.partition(b"?")[2]

    @property
    def headers(self) -> Headers:
        """As they came in, as latin-1 text: `headers.get(name)`, `headers.fields`."""
        return Headers(self._head.decode("latin-1").split("\r\n")[1:])

    def header(self, name: str) -> str:
        """The first header of that name, empty if there is none."""
        return self.headers.get(name)

    @property
    def body_bytes(self) -> int:
        """Bytes of the body that arrived, whether anybody wanted them or not (without chunk framing)."""
        return self._body.bytes_received

    @property
    def body_sha256(self) -> str:
        """Of the body as it was read (an `aws-chunked` one still encoded), in hexadecimal."""
        return self._body.sha256

    def __repr__(self) -> str:
        target = self.target.decode("latin-1")
        return f"<{self.node}#{self.connection} {self.method} {target} {self.body_bytes} B → {self.status}>"


class Ledger:
    """Requests and connections of all nodes, in the order they came; safe to read while the cluster serves.

    Keeps the newest `most` requests (all if None). `on_answer` gets each entry as soon as it has a status.
    """

    def __init__(self, most: int | None = None, on_answer: Callable[[Entry], None] | None = None) -> None:
        self.on_answer = on_answer
        self._entries: deque[Entry] = deque(maxlen=most)
        self._opened: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def requests(self, node: str | None = None, method: str | None = None) -> list[Entry]:
        """What was asked, of one node and by one method if they are given."""
        with self._lock:
            entries = list(self._entries)
        return [
            entry
            for entry in entries
            if (node is None or entry.node == node) and (method is None or entry.method == method)
        ]

    def connections(self, node: str | None = None) -> int:
        """How many connections were opened, to one node or to all."""
        with self._lock:
            return sum(self._opened.values()) if node is None else self._opened[node]

    def clear(self) -> None:
        """Forget what was seen; connections that are open are not counted again."""
        with self._lock:
            self._entries.clear()
            self._opened.clear()

    def open_connection(self, node: str) -> int:
        """Note a new connection (for nodes)."""
        with self._lock:
            self._opened[node] += 1
            return next(self._numbers)

    def record(self, entry: Entry) -> None:
        """Note a new request (for nodes)."""
        with self._lock:
            self._entries.append(entry)

    def answered(self, entry: Entry, status: int | None) -> None:
        """Note what a request is about to be answered (for nodes)."""
        entry.status = status
        if self.on_answer is not None:
            self.on_answer(entry)
