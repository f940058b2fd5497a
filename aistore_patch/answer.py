"""How the head of an answer is read: `http.client`'s way, with two things mended.

Informational answers (RFC 9110 section 15.2) are not taken for the final one, whose place they would leave to be read
as the answer to the next request; `http.client` passes over 100 alone. And the status line may have been read before:
it is what says whether a body is to be sent.
"""

from __future__ import annotations

import http.client
import io
import re
import ssl
from typing import Any, Callable

from urllib3._collections import HTTPHeaderDict
from urllib3.util import wait_for_read

CONTINUE_TIMEOUT = 1.0
"""Seconds to wait for `100 Continue` before the body is sent unasked (botocore `AWSConnection._send_output`)."""

MAX_INTERIM = 100
"""Informational answers that are passed over for one request, and the most lines that the head of one may have."""

_TOO_MANY = f"got more than {MAX_INTERIM} informational answers"

_MAX_LINE = 65536  # http.client's
_INTERIM = re.compile(rb"HTTP/[0-9.]+[ \t]+(1(?!01)[0-9]{2})\b")


def final_line(stream: Any, says_more: Callable[[], bool]) -> bytes | None:
    """Read what a server says before the body of a request, up to the status line of a final answer.

    Args:
        stream: what to read from; there is something to be read.
        says_more: waits for the server after an informational answer; whether it says more in time.

    Returns:
        That line; None if the body is to be sent, since the server asks for it or says nothing more.

    Raises:
        http.client.HTTPException: there are more informational answers, or longer ones, than any server sends.
    """
    for _ in range(MAX_INTERIM):
        line = _read_line(stream)
        interim = _INTERIM.match(line)
        if interim is None:
            return line
        _skip_headers(stream)
        if int(interim.group(1)) == http.client.CONTINUE or not says_more():
            return None
    raise http.client.HTTPException(_TOO_MANY)


def _skip_headers(stream: Any) -> None:
    for _ in range(MAX_INTERIM):
        if _read_line(stream) in (b"\r\n", b"\n", b""):
            return
    raise http.client.HTTPException(f"got more than {MAX_INTERIM} headers")


def _read_line(stream: Any) -> bytes:
    line: bytes = stream.readline(_MAX_LINE + 1)
    if len(line) > _MAX_LINE:
        raise http.client.LineTooLong("header line")
    return line


class Answer(http.client.HTTPResponse):
    """An answer of which informational ones before it are no part.

    Args:
        line: the status line, if it has been read because it came instead of `100 Continue`. Then the body was not
            sent, the server may still take for it what comes next on the connection, and nothing may (RFC 9112
            section 9.3).
    """

    fp: Any

    def __init__(self, *args: Any, line: bytes | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._line = line
        self._passed_over = 0

    def begin(self) -> None:
        """Read the status and the headers."""
        body_was_sent = self._line is None
        super().begin()
        if not body_was_sent:
            self.will_close = True

    def _read_status(self) -> Any:
        version, status, reason = self._read_any_status()
        if status == http.client.SWITCHING_PROTOCOLS:
            raise http.client.HTTPException("the server switched protocols, unasked")
        if not 100 <= status < 200:
            return version, status, reason
        self._passed_over += 1
        if self._passed_over > MAX_INTERIM:
            raise http.client.HTTPException(_TOO_MANY)
        return version, http.client.CONTINUE, reason  # which `begin` passes over

    def _read_any_status(self) -> Any:
        if self._line is None:
            return super()._read_status()  # type: ignore[misc]  # http.client's, not in its stubs
        stream, self.fp = self.fp, io.BytesIO(self._line)
        self._line = None
        try:
            return super()._read_status()  # type: ignore[misc]  # as above
        finally:
            self.fp = stream


# What servers send: every line ended as it should be, no line folded, nothing odd. The rest is left to http.client.
_PLAIN_HEAD = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2}) ([^\r\n]*)\r\n((?:[A-Za-z0-9_-]+:[^\r\n\0]*\r\n)*)\r\n")

_FOLD = re.compile(r"[ \t]*\r?\n[ \t]+")
_is_length = re.compile(r"[0-9]{1,18}").fullmatch


class PlainAnswer(Answer):
    """An answer whose head, if plain, is read without the parser for e-mail."""

    headers: Any  # urllib3's kind, which is what its response wants

    def __init__(self, sock: Any, method: str) -> None:
        super().__init__(sock, method=method)
        self._is_head = method == "HEAD"

    def allows_body(self, sock: Any) -> bool:
        """Whether the body is to be sent: the server asks for it, or says nothing in time.

        A final answer is left for `begin`.
        """
        if not wait_for_read(sock, CONTINUE_TIMEOUT):
            return True
        if _PLAIN_HEAD.match(self._peek()):
            return False
        self._line = final_line(self.fp, lambda: self._has_more(sock) or wait_for_read(sock, CONTINUE_TIMEOUT))
        return self._line is None

    def _has_more(self, sock: Any) -> bool:
        """Whether some of what comes next was read with what came before, or can be at once."""
        timeout = sock.gettimeout()
        sock.settimeout(0)
        try:
            return bool(self._peek())
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            sock.settimeout(timeout)

    def begin(self) -> None:
        """Read the status and the headers."""
        plain = None if self._line is not None else _PLAIN_HEAD.match(self._peek())
        headers = _plain_headers(plain) if plain is not None else None
        if plain is None or headers is None:
            super().begin()
            # A line that was folded is one line (RFC 9112 section 5.2).
            self.headers = HTTPHeaderDict((name, _FOLD.sub(" ", value)) for name, value in self.headers.items())
            return
        self.fp.read(plain.end())
        self.version, self.status, self.reason = 11, int(plain.group(1)), str(plain.group(2), "iso-8859-1").strip()
        self.code = self.status
        self.headers = headers
        self._find_length()

    def _peek(self) -> bytes:
        peeked: bytes = self.fp.peek()
        return peeked

    def _find_length(self) -> None:
        """How the body ends (RFC 9112 section 6.3), for the reading that `http.client.HTTPResponse` does."""
        self.chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
        self.chunk_left = None
        self.will_close = self._check_close()  # type: ignore[attr-defined]  # http.client's, not in its stubs
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
