"""One request and its answer on a pooled connection."""

from __future__ import annotations

import contextlib
import errno
import functools
import http.client
import inspect
import io
import logging
import re
import socket
import ssl
import sys
from typing import Any, Iterator, NamedTuple

from botocore.httpsession import URLLib3Session
from urllib3._collections import HTTPHeaderDict
from urllib3.exceptions import HeaderParsingError, ProtocolError, ReadTimeoutError, SSLError
from urllib3.response import HTTPResponse
from urllib3.util import wait_for_read
from urllib3.util.response import assert_header_parsing
from urllib3.util.retry import Retry

from ..chain import STATUSES
from ..connection import CONTINUE_TIMEOUT, RedirectedEarly
from .answer import PlainAnswer, plain_status
from .own import URLLIB3, is_own_connection

SHORT = 65536
"""The longest body of a redirect that is read at once, in bytes."""

# A server may answer and close before it has read the whole body: its answer is there to be read (urllib3's
# `HTTPConnectionPool._make_request`; urllib3 1 tries to read on after a broken pipe alone).
_ANSWERED_EARLY = (errno.EPIPE, errno.EPROTOTYPE, *((errno.ECONNRESET,) if URLLIB3 > 1 else (errno.ESHUTDOWN,)))

# What urllib3's response is told, as far as this urllib3 has it.
_RESPONSE_OPTIONS = inspect.signature(HTTPResponse.__init__).parameters
_NO_RETRIES = Retry(False)

# Whether urllib3 raises when a body ends early. urllib3 2 does unless it is told not to, and so botocore tells it since
# 1.44, for its own StreamingBody sees to that.
_SEND = URLLib3Session.send.__code__
_URLLIB3_SEES_THE_END = bool(
    _RESPONSE_OPTIONS["enforce_content_length"].default
    and "enforce_content_length" not in repr((_SEND.co_names, _SEND.co_consts))
)

# What is neither to be percent-encoded nor spelled otherwise by urllib3 (`util.url._encode_target`).
_PLAIN_TARGET = re.compile(r"/(?:[A-Za-z0-9/._~!$&'()*+,:=@?-]|%[0-9A-F]{2})*")


class ShortRedirect(NamedTuple):
    """A redirect, read to its end: it needs none of what urllib3 and botocore make of a response."""

    status: int
    headers: HTTPHeaderDict
    content: bytes


def plain_target(url: str, origin: str) -> str | None:
    """What the request line is to carry; None where that is urllib3's to say."""
    target = url[len(origin) :]
    return target if _PLAIN_TARGET.fullmatch(target) else None


def is_common(pool: Any, method: str, target: str, body: Any, headers: Any, timeout: Any) -> bool:
    """Whether an exchange is of those that are known here: what S3 clients send.

    Args:
        pool: the urllib3 pool of the server.
        method: the HTTP method.
        target: the request target.
        body: the request body.
        headers: the request headers, botocore's.
        timeout: urllib3's Timeout for this request.
    """
    return (
        URLLIB3 in (1, 2)
        and pool.proxy is None
        and target.startswith("/")
        and "User-Agent" in headers
        and "Transfer-Encoding" not in headers
        and ("Content-Length" in headers or method in ("GET", "HEAD", "DELETE"))
        and isinstance(getattr(timeout, "_connect", None), (int, float))
        and isinstance(getattr(timeout, "_read", None), (int, float))
        and timeout.total is None
        and (
            body is None
            or (isinstance(body, bytes) and "Expect" not in headers)
            or (hasattr(body, "read") and not isinstance(body, io.TextIOBase) and "Expect" in headers)
        )
    )


def send_on(pool: Any, request: Any, target: str, timeout: Any) -> HTTPResponse | ShortRedirect | None:
    """Send a request, and read the head of its answer.

    Args:
        pool: the urllib3 pool of the server.
        request: botocore's prepared request.
        target: the request target.
        timeout: urllib3's Timeout for this request.

    Returns:
        The response, its body unread; of a redirect with a short body, all of it; None where the request is to be sent
        urllib3's own way, and nothing was sent yet.

    Raises:
        urllib3.exceptions.HTTPError: what `HTTPConnectionPool.urlopen` raises for the same failure.
    """
    head = _request_head(pool, request.method, target, request.headers)
    if head is None:
        return None
    connection = pool._get_conn()
    answer = None
    try:
        if not _is_ready(connection, pool, timeout):
            pool._put_conn(connection)
            return None
        pool.num_requests += 1
        answer = _send(connection, request, head, timeout)
        answer.begin()
        if not answer.is_plain:
            _warn_of_headers(answer, pool, target)
        response = _short_redirect(answer) or _response(answer, pool, connection, request, target)
    except BaseException as error:
        if answer is not None:
            answer.close()  # until then the socket stays open
        connection.close()
        pool._put_conn(None)
        translated = _translated(error, pool, target, timeout)
        if translated is error:
            raise
        raise translated from error
    if answer.will_close:
        connection.close()  # the answer keeps the socket until it is read
    if isinstance(response, ShortRedirect):
        pool._put_conn(connection)
    return response


def _is_ready(connection: Any, pool: Any, timeout: Any) -> bool:
    """Whether a connection is connected, or was now, and is one that is known here."""
    if not is_own_connection(connection):
        return False
    if connection.sock is None:
        if pool.scheme != "http":  # handshakes have many ways to fail, and urllib3 knows them all
            return False
        connection.timeout = timeout._connect
        connection.connect()
    return is_own_connection(connection)


def _warn_of_headers(answer: PlainAnswer, pool: Any, target: str) -> None:
    """As urllib3 does (2: `HTTPConnection.getresponse`, 1: `HTTPConnectionPool._make_request`)."""
    try:
        assert_header_parsing(answer.msg)
    except (HeaderParsingError, TypeError) as error:
        url = f"{pool.scheme}://{_host_header(pool)}{target}"
        _log.warning("Failed to parse headers (url=%s): %s", url, error, exc_info=True)


_log = logging.getLogger("urllib3.connection" if URLLIB3 > 1 else "urllib3.connectionpool")


def _response(answer: PlainAnswer, pool: Any, connection: Any, request: Any, target: str) -> HTTPResponse:
    options = {
        "body": answer,
        "headers": answer.headers,
        "status": answer.status,
        "version": answer.version,
        "version_string": connection._http_vsn_str,
        "reason": answer.reason,
        "preload_content": False,
        "decode_content": False,
        "original_response": answer,
        "pool": pool,
        "connection": connection,
        "retries": _NO_RETRIES,
        "enforce_content_length": _URLLIB3_SEES_THE_END,
        "request_method": request.method,
        "request_url": target if URLLIB3 > 1 else None,
        "sock_shutdown": connection.sock.shutdown,
    }
    return HTTPResponse(**{name: value for name, value in options.items() if name in _RESPONSE_OPTIONS})


def _short_redirect(answer: PlainAnswer) -> ShortRedirect | None:
    if answer.status not in STATUSES or answer.length is None or answer.length > SHORT:
        return None
    try:
        content = answer.read()
    except (OSError, http.client.HTTPException):  # its header is there, and says all that is needed
        content = b""
        answer.close()
        answer.will_close = True
    return ShortRedirect(answer.status, answer.headers, content)


@functools.lru_cache(maxsize=1024)
def _is_legal_name(name: str) -> bool:
    """http.client's `_is_legal_header_name`."""
    return re.fullmatch(r"[^:\s][^:\r\n]*", name) is not None


def _request_head(pool: Any, method: str, url: str, headers: Any) -> bytes | None:
    """The request line and the headers as http.client writes them, None where it would refuse to."""
    lines = [f"{method} {url} HTTP/1.1"]
    if "Host" not in headers:
        lines.append(f"Host: {_host_header(pool)}")
    if "Accept-Encoding" not in headers:
        lines.append("Accept-Encoding: identity")
    for name, value in headers.items():
        if not _is_legal_name(name):
            return None
        lines.append(f"{name}: {value.decode('latin-1') if isinstance(value, bytes) else value}")
    lines.append("\r\n")
    text = "\r\n".join(lines)
    breaks = len(lines)
    if text.count("\n") != breaks or text.count("\r") != breaks or not (url.isascii() and url.isprintable()):
        return None
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return None


def _host_header(pool: Any) -> str:
    host = f"[{pool.host}]" if ":" in pool.host else pool.host
    return host if pool.port == (443 if pool.scheme == "https" else 80) else f"{host}:{pool.port}"


def _send(connection: Any, request: Any, head: bytes, timeout: Any) -> PlainAnswer:
    """Send a request, as much of it as the server wants: it may answer before that.

    Returns:
        The answer, to be read.

    Raises:
        ProtocolError: it could not be sent, or not in time (as urllib3 says it, too).
    """
    sock, body = connection.sock, request.body
    sock.settimeout(timeout._connect)  # as urllib3 does while it sends
    early = None
    try:
        if isinstance(body, bytes):
            for part in (head, body) if URLLIB3 > 1 else (head + body,):
                _audit(connection, part)
            sock.sendall(head + body)
        else:
            _audit(connection, head)
            sock.sendall(head)
            is_wanted, early = _hear(connection) if "Expect" in request.headers else (True, None)
            for block in _blocks_to_read(body, connection.blocksize, is_wanted, early):
                if is_wanted:
                    _audit(connection, block)
                    sock.sendall(block)
    except socket.timeout as error:
        raise ProtocolError("Connection aborted.", error) from error
    except OSError as error:
        if error.errno not in _ANSWERED_EARLY:
            raise
    finally:
        sock.settimeout(timeout._read)
    answer = PlainAnswer(sock, request.method, early if early is None or early[0] is not None else None)
    answer.left_body_unsent = early is not None
    return answer


def _audit(connection: Any, data: Any) -> None:
    """The event that `http.client.HTTPConnection.send` raises, which has none before Python 3.10."""
    if _IS_AUDITED:  # pragma: no branch - not in Python 3.8 and 3.9
        sys.audit("http.client.send", connection, data)


_IS_AUDITED = "http.client.send" in http.client.HTTPConnection.send.__code__.co_consts


_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def _hear(connection: Any) -> tuple[bool, Any]:
    """Wait for `100 Continue`.

    Returns:
        Whether the body is to be sent, and the version, status and reason of a final answer that came instead; there is
        no version if none of it was read yet. What is no answer at all keeps urllib3 1 from sending the body, and not
        urllib3 2 (`AWSConnection._send_output`).
    """
    connection._response_received = connection.body_is_wanted = False
    if not wait_for_read(connection.sock, CONTINUE_TIMEOUT):
        return True, None
    if type(connection.sock) is socket.socket:  # what is plain need not be read byte by byte, as botocore reads it
        said = connection.sock.recv(SHORT, socket.MSG_PEEK)
        if said.startswith(_CONTINUE):
            connection.sock.recv(len(_CONTINUE))
            return True, None
        status = plain_status(said)
        if status in STATUSES:
            return False, (None, status, None)
    with contextlib.suppress(RedirectedEarly):
        connection._handle_expect_response(None)
    if connection._response_received:
        return False, connection.response_class.keywords["status_tuple"]
    return connection.body_is_wanted or URLLIB3 > 1, None


def _blocks_to_read(body: Any, size: int, is_wanted: bool, early: Any) -> Iterator[Any]:
    """A body in pieces: urllib3 2 reads it to its end even after an answer, if that is no redirect (`connection`)."""
    is_read = is_wanted or (URLLIB3 > 1 and early[1] not in STATUSES)
    return _blocks(body, size) if is_read else iter(())


def _blocks(body: Any, size: int) -> Iterator[Any]:
    """A body in pieces, none where there is none; a stream ends with what is false (`http.client`, urllib3)."""
    if not hasattr(body, "read"):
        yield from (body,) if body else ()
        return
    while True:
        block = body.read(size)
        if not block:
            return
        # urllib3 2 sends text as UTF-8 (`HTTPConnection.request`).
        yield block.encode() if URLLIB3 > 1 and isinstance(block, str) else block


def _translated(error: BaseException, pool: Any, url: str, timeout: Any) -> BaseException:
    """The exception that urllib3 raises for this one (`HTTPConnectionPool.urlopen`)."""
    if isinstance(error, socket.timeout) or (isinstance(error, ssl.SSLError) and "timed out" in str(error)):
        return ReadTimeoutError(pool, url, f"Read timed out. (read timeout={timeout._read})")
    if isinstance(error, ssl.SSLError):
        return SSLError(error)
    if isinstance(error, (OSError, http.client.HTTPException)):
        return ProtocolError("Connection aborted.", error)
    return error
