"""How the head of an answer is read where it is plain: without the parser for e-mail."""

from __future__ import annotations

import re
from typing import Any

import urllib3.connection
from urllib3._collections import HTTPHeaderDict

from ..connection import Answer

# What servers send: every line ended as it should be, no line folded, nothing odd, and no more lines than http.client
# takes. The rest is left to http.client.
_PLAIN_HEAD = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2}) ([^\r\n]*)\r\n((?:[A-Za-z0-9_-]+:[^\r\n\0]*\r\n){0,99})\r\n")

# urllib3 2.8 has a function for the headers that it takes from http.client (`HTTPConnection.getresponse`).
_normalized = getattr(urllib3.connection, "_normalize_header_values", lambda headers: headers.items())


def plain_status(head: bytes) -> int | None:
    """The status of an answer whose head is plain, None of any other."""
    plain = _PLAIN_HEAD.match(head)
    return None if plain is None else int(plain.group(1))


_is_length = re.compile(r"[0-9]{1,18}").fullmatch


class PlainAnswer(Answer):
    """An answer on a plain socket, or one of Python's own TLS."""

    is_plain = True
    fp: Any
    headers: Any  # urllib3's kind, which is what its response wants

    def __init__(self, sock: Any, method: str, status_tuple: Any = None) -> None:
        super().__init__(sock, method=method, status_tuple=status_tuple)
        self._is_head = method == "HEAD"

    def begin(self) -> None:
        """Read the status and the headers."""
        plain = None if self._status_tuple is not None else _PLAIN_HEAD.match(self.fp.peek())
        headers = _plain_headers(plain) if plain is not None else None
        if plain is None or headers is None:
            self.is_plain = False
            super().begin()
            self.headers = HTTPHeaderDict(_normalized(self.headers))
            return
        self.fp.read(plain.end())
        self.version, self.status, self.reason = 11, int(plain.group(1)), str(plain.group(2), "iso-8859-1").strip()
        self.code = self.status
        self.headers = headers
        self._find_length()
        self._close_if_unsent()

    def _find_length(self) -> None:
        """How the body ends (RFC 9112 section 6.3), for the reading that `http.client.HTTPResponse` does."""
        self.chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
        self.chunk_left = None
        self.will_close = self._check_close()
        length = self.headers.get("Content-Length")
        self.length = int(length) if length is not None and not self.chunked else None
        if self._is_head or self.status in (204, 304):
            self.length = 0
        elif self.length is None and not self.chunked:
            self.will_close = True


def _plain_headers(head: Any) -> HTTPHeaderDict | None:
    """The headers of a plain head; None if what they say of the length of the body is not plain."""
    headers = HTTPHeaderDict()
    for line in str(head.group(3), "iso-8859-1").split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        headers.add(name, value.lstrip(" \t"))
    # Where one of them occurs twice, there is a comma.
    if not _is_length(headers.get("Content-Length", "0")) or "," in headers.get("Transfer-Encoding", ""):
        return None
    return headers
