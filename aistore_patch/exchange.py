"""One request and its answer on a pooled connection: a short way through urllib3 for what S3 clients send.

A redirected call is two exchanges, so what an exchange costs is what a redirect costs. `HTTPConnectionPool.urlopen` and
`http.client` spend most of theirs on cases that botocore has ruled out (redirects, retries, decoding, e-mail headers);
this keeps urllib3's pools, connections, exceptions and response class, and does only the work between them. What is
not plainly one of the common cases goes urllib3's own way (`common` says which those are).
"""

from __future__ import annotations

import errno
import functools
import http.client
import inspect
import io
import re
import socket
import ssl
from typing import Any, NamedTuple

from botocore.httpsession import URLLib3Session
from urllib3._collections import HTTPHeaderDict
from urllib3.exceptions import InvalidHeader, ProtocolError, ReadTimeoutError, SSLError
from urllib3.response import HTTPResponse
from urllib3.util.retry import Retry

from .answer import PlainAnswer
from .body import read_block
from .chain import STATUSES

SHORT = 65536
"""The longest body of a redirect that is read at once, in bytes."""

# A server may answer and close before it has read the whole body: its answer is there to be read (urllib3's
# `HTTPConnectionPool._make_request`).
_ANSWERED_EARLY = (errno.EPIPE, errno.ECONNRESET, errno.EPROTOTYPE)


# What urllib3's response is told, as far as this urllib3 has it.
_RESPONSE_OPTIONS = inspect.signature(HTTPResponse.__init__).parameters
_NO_RETRIES = Retry(False)

# Whether urllib3 raises when a body that is read piece by piece ends early. urllib3 2 does unless it is told not to,
# and so botocore tells it since 1.44, for its own StreamingBody sees to that.
_SEND = URLLib3Session.send.__code__
_URLLIB3_SEES_THE_END = bool(
    _RESPONSE_OPTIONS["enforce_content_length"].default
    and "enforce_content_length" not in repr((_SEND.co_names, _SEND.co_consts))
)


class ShortRedirect(NamedTuple):
    """A redirect, read to its end: it needs none of what urllib3 and botocore make of a response."""

    status: int
    headers: HTTPHeaderDict
    content: bytes


def is_common(pool: Any, target: str, body: Any, headers: Any, timeout: Any) -> bool:
    """Whether an exchange may go the short way.

    Args:
        pool: the urllib3 pool of the server.
        target: the request target.
        body: the request body.
        headers: the request headers, botocore's.
        timeout: urllib3's Timeout for this request.
    """
    return (
        pool.proxy is None
        and target.startswith("/")
        and "User-Agent" in headers
        and "Transfer-Encoding" not in headers
        and isinstance(getattr(timeout, "_connect", None), (int, float))
        and isinstance(getattr(timeout, "_read", None), (int, float))
        and timeout.total is None
        and (
            body is None
            or isinstance(body, bytes)
            or (hasattr(body, "read") and not isinstance(body, io.TextIOBase) and "Expect" in headers)
        )
    )


def exchange(
    pool: Any, method: str, target: str, body: Any, headers: Any, timeout: Any, streamed: bool
) -> HTTPResponse | ShortRedirect | None:
    """Send a request, and read the head of its answer.

    Args:
        pool, target, body, headers, timeout: as for `is_common`, which has allowed them.
        method: the HTTP method.
        streamed: whether the caller reads the body piece by piece, and will see for itself whether it is complete.

    Returns:
        The response, its body unread; of a redirect with a short body, all of it; None where the request is to be sent
        urllib3's own way, and nothing was sent yet.

    Raises:
        urllib3.exceptions.HTTPError: what `HTTPConnectionPool.urlopen` raises for the same failure.
    """
    head = _request_head(pool, method, target, headers)
    if head is None:
        return None
    connection = pool._get_conn()
    if not getattr(connection, "is_for_short_exchanges", False):  # somebody's own kind
        pool._put_conn(connection)
        return None
    answer = None
    try:
        if getattr(connection, "sock", None) is None:
            if pool.scheme != "http":  # handshakes have many ways to fail, and urllib3 knows them all
                pool._put_conn(connection)
                return None
            connection.timeout = timeout._connect
            connection.connect()
        pool.num_requests += 1
        answer = PlainAnswer(connection.sock, method)
        body_was_sent = _send(connection, answer, head, body, "Expect" in headers, timeout)
        answer.begin()
        if not body_was_sent:
            # The server may still take for the body what comes next on this connection (RFC 9112 section 9.3).
            answer.will_close = True
        response = _short_redirect(answer) or _response(answer, pool, connection, method, target, streamed)
    except BaseException as error:
        if answer is not None:
            answer.close()  # until then the socket stays open
        connection.close()
        pool._put_conn(None)
        if _is_known(error):
            raise _translated(error, pool, target) from error
        raise
    if answer.will_close:
        connection.close()  # the answer keeps the socket until it is read
    if isinstance(response, ShortRedirect):
        pool._put_conn(connection)
    return response


def _response(
    answer: PlainAnswer, pool: Any, connection: Any, method: str, target: str, streamed: bool
) -> HTTPResponse:
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
        "enforce_content_length": _URLLIB3_SEES_THE_END if streamed else True,
        "request_method": method,
        "request_url": target,
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
    if "Accept-Encoding" not in headers:
        lines.append("Accept-Encoding: identity")
    if "Host" not in headers:
        lines.append(f"Host: {_host_header(pool)}")
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


def _send(connection: Any, answer: PlainAnswer, head: bytes, body: Any, expects: bool, timeout: Any) -> bool:
    """Send a request; whether all of it was sent, for a server may answer before that.

    Raises:
        ProtocolError: it could not be sent, or not in time (as urllib3 says it, too).
    """
    sock = connection.sock
    sock.settimeout(timeout._connect)  # as urllib3 does while it sends
    try:
        if isinstance(body, bytes) and not expects:
            sock.sendall(head + body)
        else:
            sock.sendall(head)
            if expects and not answer.allows_body(sock):
                return False
            _send_body(sock, body, connection.blocksize)
    except socket.timeout as error:
        raise ProtocolError("Connection aborted.", error) from error
    except OSError as error:
        if error.errno not in _ANSWERED_EARLY:
            raise
        return False
    finally:
        sock.settimeout(timeout._read)
    return True


def _send_body(sock: Any, body: Any, size: int) -> None:
    if isinstance(body, bytes):
        sock.sendall(body)
    elif body is not None:
        for block in iter(lambda: read_block(body, size), b""):
            sock.sendall(block)


def _is_known(error: BaseException) -> bool:
    """Whether `_translated` has another exception for this one."""
    return isinstance(error, (OSError, http.client.HTTPException))


def _translated(error: BaseException, pool: Any, url: str) -> BaseException:
    """The exception that urllib3 raises for this one (`HTTPConnectionPool.urlopen`)."""
    if isinstance(error, http.client.LineTooLong):  # a server that does this does it again: no error to be retried
        return InvalidHeader(f"the answer cannot be read: {error}")
    if isinstance(error, socket.timeout) or (isinstance(error, ssl.SSLError) and "timed out" in str(error)):
        return ReadTimeoutError(pool, url, "Read timed out.")
    if isinstance(error, ssl.SSLError):
        return SSLError(error)
    return ProtocolError("Connection aborted.", error)
