"""A shorter way through urllib3 for the exchanges that redirects are made of.

A redirected call is two exchanges, so what an exchange costs is what a redirect costs. This keeps urllib3's pools,
connections, exceptions and response class, and does only the work between them. It can be deleted: `send`, `learn` and
`AISTORE_PATCH_SHORT_WAY` are all that the rest of the package knows of it.

It serves only origins that redirected or were redirected to, and only where everything between botocore and the socket
is known to be what botocore, urllib3 and Python made it (`own`). Where anything was replaced, wrapped or is watched,
it stands aside.
"""

from __future__ import annotations

import os
import socket
import weakref
from typing import Any

import botocore.httpsession
import urllib3.exceptions
from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)

from ..connection import HopHeaders
from ..policy import PolicyError, short_way_is_on
from ..session import POOLS, Session
from .exchange import ShortRedirect, is_common, plain_target, send_on
from .own import is_all_own

_pools: weakref.WeakKeyDictionary[Any, dict[str, weakref.ref[Any]]] = weakref.WeakKeyDictionary()
"""For each session, the pools of the origins that it serves."""

if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=_pools.clear)


class RedirectAnswer(AWSResponse):  # type: ignore[misc]  # botocore has no types
    """A redirect as botocore sees it, where it comes to see it."""

    def __init__(self, url: str, redirect: ShortRedirect) -> None:
        self.url = url
        self.status_code = redirect.status
        self.headers = redirect.headers
        self.raw = redirect
        self._content = redirect.content


def learn(session: Any, url: str) -> None:
    """Serve an origin from now on: it redirected a request, or one was redirected to it.

    Args:
        session: the `http_session` of an endpoint.
        url: any URL of that origin.
    """
    if type(session) is not Session or not _is_on():
        return
    origin = _origin(url)
    if _pool_of(session, origin) is not None or session._proxy_config.proxy_url_for(url) is not None:
        return
    known = _pools.setdefault(session, {})
    if len(known) >= POOLS:
        known.clear()
    known[origin] = weakref.ref(session._manager.connection_from_url(url))


def send(own_send: Any, session: Any, request: Any) -> Any:
    """Send a request, as `URLLib3Session.send` does.

    Args:
        own_send: what would send it otherwise (`Endpoint._send`).
        session: the `http_session` of an endpoint.
        request: botocore's prepared request.

    Returns:
        botocore's response; None where the request is to be sent the usual way, and nothing was sent yet.

    Raises:
        HTTPClientError: what `URLLib3Session.send` raises for the same failure (botocore 1.20 to 1.44).
    """
    if type(session) is not Session:  # and need not be one that a weak dictionary can look for
        return None
    origin = _origin(request.url)
    pool = _pool_of(session, origin)
    if pool is None or pool.pool is None or not is_all_own(own_send, session, pool):
        return None
    target = request.headers.url.target if type(request.headers) is HopHeaders else plain_target(request.url, origin)
    timeout = _timeout_of(session, request, pool)
    if target is None or not is_common(pool, request.method, target, request.body, request.headers, timeout):
        return None
    try:
        response = send_on(pool, request, target, timeout)
        if response is None:
            return None
        if isinstance(response, ShortRedirect):
            return RedirectAnswer(request.url, response)
        answer = AWSResponse(request.url, response.status, response.headers, response)
        if not request.stream_output:
            answer.content  # noqa: B018 - read at once, as botocore does
        return answer
    except _LET_THROUGH:
        raise
    except Exception as error:
        raise _botocore_error(error, request) from error


def _is_on() -> bool:
    try:
        return short_way_is_on()
    except PolicyError:  # `patch` has said so, or it came later
        return False


def _pool_of(session: Any, origin: str) -> Any:
    reference = _pools.get(session, {}).get(origin)
    return None if reference is None else reference()


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])


def _timeout_of(session: Any, request: Any, pool: Any) -> Any:
    own = getattr(session, "_get_request_timeout", None)  # botocore >= 1.43: a call may have a time-out of its own
    return (own(request) if own is not None else None) or pool.timeout


# What `URLLib3Session.send` does not wrap: since botocore 1.40 a transfer that was cancelled while its body was read.
_LET_THROUGH = getattr(botocore.httpsession, "CancelledError", ())


def _botocore_error(error: Exception, request: Any) -> Any:
    where = {"endpoint_url": request.url, "error": error}
    if isinstance(error, urllib3.exceptions.SSLError):
        return SSLError(**where)
    if isinstance(error, (urllib3.exceptions.NewConnectionError, socket.gaierror)):
        return EndpointConnectionError(**where)
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError):
        return ConnectTimeoutError(**where)
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return ReadTimeoutError(**where)
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return ConnectionClosedError(request=request, **where)
    return HTTPClientError(error=error)
