"""Connections of a client that follows redirects: botocore's own, with three things mended.

- The request target of a redirected request is sent as the server spelled it (urllib3 re-encodes it, and botocore's
  `URLLib3Session._path_url` loses what follows a `;` in a path).
- A body is left unread when a redirect comes instead of `100 Continue` (urllib3 2 reads it to its end).
- Informational answers are passed over (RFC 9110 section 15.2); `http.client` does so with 100 alone, and takes any
  other for the answer to the request.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import socket
from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPResponse,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
    HeadersDict,
)
from urllib3.util import wait_for_read

from .chain import STATUSES
from .location import Url

CONTINUE_TIMEOUT = 1.0
"""Seconds to wait for `100 Continue` before the body is sent unasked (botocore `AWSConnection._send_output`)."""

MAX_INFORMATIONAL = 100
"""Informational answers that are passed over for one request, and the headers that one may have."""


class HopHeaders(HeadersDict):  # type: ignore[misc]  # botocore has no types
    """The headers of a redirected request; they carry its URL through botocore and urllib3 to the connection."""

    def __init__(self, headers: Any, url: Url) -> None:
        super().__init__(headers)
        self.url = url

    def copy(self) -> HopHeaders:
        """As `HeadersDict.copy`, which urllib3 calls to add the headers of a proxy."""
        return HopHeaders(self, self.url)


def is_informational(status: int) -> bool:
    """Whether a status is only informational. 101 is final: no request here asks to switch protocols."""
    return 100 <= status < 200 and status != http.client.SWITCHING_PROTOCOLS


class Answer(AWSHTTPResponse):  # type: ignore[misc]  # botocore has no types
    """An answer of which informational ones before it are no part.

    Args:
        status_tuple: the version, status and reason, if they were read because they came instead of `100 Continue`.
    """

    def __init__(self, *args: Any, status_tuple: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, status_tuple=status_tuple, **kwargs)
        self.left_body_unsent = status_tuple is not None
        self._passed_over = 0

    def begin(self) -> None:
        """Read the status and the headers."""
        super().begin()
        self._close_if_unsent()

    def _close_if_unsent(self) -> None:
        """The server may still take what comes next for the body (RFC 9112 section 9.3), so nothing may come."""
        if self.left_body_unsent and self.status in STATUSES:
            self.will_close = True

    def _read_status(self) -> Any:
        version, status, reason = super()._read_status()
        if not is_informational(status):
            return version, status, reason
        self._passed_over += 1
        if self._passed_over > MAX_INFORMATIONAL:
            raise http.client.HTTPException(f"got more than {MAX_INFORMATIONAL} informational answers")
        return version, http.client.CONTINUE, reason  # which `begin` passes over, with its headers


class RedirectedEarly(Exception):
    """A redirect came instead of `100 Continue`."""


class _Connection:
    """Mixed into botocore's connection classes."""

    response_class: Any = Answer
    body_is_wanted = False
    _early_line = b""
    _is_chunked = False

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **options: Any) -> None:
        url = _target(url, headers)
        with contextlib.suppress(RedirectedEarly):  # then the answer is there to be read
            super().request(method, url, body, headers, **options)  # type: ignore[misc]  # a mixin

    def request_chunked(self, method: str, url: str, body: Any = None, headers: Any = None) -> None:
        """urllib3 1.26 sends chunks without `request`, where botocore notes that the body has to wait for an answer."""
        self._response_received = False
        self._expect_header_set = headers is not None and headers.get("Expect") == b"100-continue"
        url = _target(url, headers)
        self._is_chunked = True
        try:
            with contextlib.suppress(RedirectedEarly):
                super().request_chunked(method, url, body, headers)  # type: ignore[misc]  # a mixin
        finally:
            self._expect_header_set = self._is_chunked = False

    def _send_message_body(self, message_body: Any) -> None:
        self.body_is_wanted = True
        super()._send_message_body(message_body)  # type: ignore[misc]  # a mixin

    def _is_100_continue_status(self, maybe_status_line: bytes) -> Any:
        self._early_line = maybe_status_line
        return super()._is_100_continue_status(maybe_status_line)  # type: ignore[misc]  # a mixin

    def _handle_expect_response(self, message_body: Any) -> None:
        """Send the body if the server asks for it; botocore takes every answer but a 100 for the final one."""
        for _ in range(MAX_INFORMATIONAL):
            if not self._heard(message_body):
                return  # pragma: no cover - shown where there is urllib3 1.26
            status = _status(self._early_line)
            if status == http.client.CONTINUE or not is_informational(status):
                break
            self._response_received = False
            self.response_class = Answer
            with self.sock.makefile("rb", 0) as stream:  # type: ignore[attr-defined]  # a mixin
                self._consume_headers(stream)
            if not self._says_more():
                self._send_message_body(message_body)
                break
        else:
            raise http.client.HTTPException(f"got more than {MAX_INFORMATIONAL} informational answers")
        if status in STATUSES:
            self._response_received = True
            line = self._early_line.decode("latin-1").split(None, 2)
            self.response_class = functools.partial(Answer, status_tuple=(line[0], status, "".join(line[2:]).strip()))
            raise RedirectedEarly

    def _heard(self, message_body: Any) -> bool:
        """Whether there was an answer; over TLS 1.3, what is there to be read may be tickets for the next session.

        urllib3 1.26 does not wait for an answer before it sends chunks, so it must not fail for want of one.
        """
        handle = super()._handle_expect_response  # type: ignore[misc]  # a mixin
        if not self._is_chunked:
            handle(message_body)
            return True
        sock: Any = self.sock  # type: ignore[attr-defined]  # a mixin
        timeout, self._early_line = sock.gettimeout(), b""
        sock.settimeout(CONTINUE_TIMEOUT)
        try:
            handle(message_body)
        except socket.timeout:  # pragma: no cover - as above
            if self._early_line:
                raise
            return False
        finally:
            sock.settimeout(timeout)
        return True

    def _consume_headers(self, fp: Any) -> None:
        """As botocore's, which never returns where the connection ends among them."""
        for _ in range(MAX_INFORMATIONAL):
            if fp.readline() in (b"\r\n", b"\n", b""):
                return
        raise http.client.HTTPException(f"got more than {MAX_INFORMATIONAL} headers")

    def _says_more(self) -> bool:
        sock: Any = self.sock  # type: ignore[attr-defined]  # a mixin
        is_decrypted = getattr(sock, "pending", None)  # of TLS: bytes that no waiting on the socket will show
        return bool(is_decrypted and is_decrypted()) or wait_for_read(sock, CONTINUE_TIMEOUT)


def _status(line: bytes) -> int:
    """The status of a status line as botocore reads it (`AWSConnection._handle_expect_response`), 0 if it is none."""
    version, status = [*line.split(None, 2), b"", b""][:2]
    return int(status) if version.startswith(b"HTTP/") and status.isdigit() else 0


def _target(url: str, headers: Any) -> str:
    """The request target: of a redirected request as the server spelled it, of others what urllib3 made of it."""
    if not isinstance(headers, HopHeaders):
        return url
    return headers.url.target if url.startswith("/") else str(headers.url)


class HTTPConnection(_Connection, AWSHTTPConnection):  # type: ignore[misc]  # botocore has no types
    """botocore's connection, mended."""


class HTTPSConnection(_Connection, AWSHTTPSConnection):  # type: ignore[misc]  # botocore has no types
    """botocore's connection over TLS, mended."""


class _Pool:
    """Mixed into botocore's pool classes."""

    def urlopen(self, *args: Any, **kwargs: Any) -> Any:
        """Redirects are not urllib3's to parse: it raises where a Location is malformed, though it follows none."""
        return super().urlopen(*args, **{**kwargs, "redirect": False})  # type: ignore[misc]  # a mixin


class _OursUnlessReplaced:
    """A pool's class of connections: ours, unless somebody, to record what is sent, has replaced botocore's."""

    def __init__(self, pool: Any, botocores: Any, ours: Any) -> None:
        self._of = pool, botocores, ours

    def __get__(self, *_: object) -> Any:
        pool, botocores, ours = self._of
        return ours if pool.ConnectionCls is botocores else pool.ConnectionCls


class HTTPConnectionPool(_Pool, AWSHTTPConnectionPool):  # type: ignore[misc]  # botocore has no types
    """botocore's pool, of mended connections."""

    ConnectionCls = _OursUnlessReplaced(AWSHTTPConnectionPool, AWSHTTPConnection, HTTPConnection)


class HTTPSConnectionPool(_Pool, AWSHTTPSConnectionPool):  # type: ignore[misc]  # botocore has no types
    """botocore's pool, of mended connections over TLS."""

    ConnectionCls = _OursUnlessReplaced(AWSHTTPSConnectionPool, AWSHTTPSConnection, HTTPSConnection)


for _cls in (HTTPConnection, HTTPSConnection, HTTPConnectionPool, HTTPSConnectionPool):
    _cls.__name__ = _cls.__qualname__ = f"AWS{_cls.__name__}"  # which errors show
