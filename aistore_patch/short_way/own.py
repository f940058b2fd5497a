"""Whether everything between botocore and the socket is what botocore, urllib3 and Python made it.

What the short way leaves out is what those put themselves in the place of who record, trace or mock what is sent. So
it is not asked who they are: whatever is left out is compared with what the libraries themselves have there.
"""

from __future__ import annotations

import http.client
import logging
import socket
import ssl
import sys
import types
from itertools import chain
from operator import attrgetter, is_
from typing import Any

import urllib3
import urllib3.connection
from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPResponse,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.endpoint import Endpoint
from botocore.httpsession import ProxyConfiguration, URLLib3Session
from urllib3 import PoolManager
from urllib3.connectionpool import HTTPSConnectionPool as UrllibHTTPSConnectionPool

from ..connection import Answer, HTTPConnection, HTTPConnectionPool, HTTPSConnection, HTTPSConnectionPool
from ..session import ProxiesByHost, Session

URLLIB3 = int(getattr(urllib3, "__version__", "0").partition(".")[0])
"""The major version of urllib3; those that are known are 1 and 2."""

_POOL = ("urlopen", "_make_request", "_validate_conn", "_get_timeout")
_CONNECTION = (
    *("request", "putrequest", "putheader", "endheaders", "send", "getresponse", "_send_request", "_send_output"),
    *("_handle_expect_response", "_send_message_body", "_validate_path", "_validate_method", "_encode_request"),
)

LEFT_OUT: dict[str, tuple[tuple[tuple[Any, ...], tuple[str, ...]], ...]] = {
    "http": (
        (
            (Session, URLLib3Session),
            (
                *("send", "_get_connection_manager", "_get_request_target", "_path_url", "_setup_ssl_cert"),
                "_chunked",
            ),
        ),
        ((ProxiesByHost, ProxyConfiguration), ("proxy_url_for",)),
        ((PoolManager,), ("connection_from_url",)),
        (
            (HTTPConnectionPool, AWSHTTPConnectionPool, urllib3.HTTPConnectionPool),
            _POOL,
        ),
        (
            (HTTPConnection, AWSHTTPConnection, urllib3.connection.HTTPConnection, http.client.HTTPConnection),
            _CONNECTION,
        ),
        ((Answer, AWSHTTPResponse, http.client.HTTPResponse), ("begin", "_read_status")),
    ),
}
"""By scheme, the methods that the short way leaves out, and the classes to look for them in: each that a method of the
one before it may hand on to."""

LEFT_OUT["https"] = (
    *LEFT_OUT["http"],
    ((HTTPSConnectionPool, AWSHTTPSConnectionPool, UrllibHTTPSConnectionPool), _POOL),
    ((HTTPSConnection, AWSHTTPSConnection, AWSHTTPSConnection.__mro__[2]), _CONNECTION),
)

_POOLS = (HTTPConnectionPool, HTTPSConnectionPool)
_CONNECTIONS = (HTTPConnection, HTTPSConnection)
_SOCKETS = tuple(cls for cls in (socket.socket, ssl.SSLSocket) if cls.__module__ in ("socket", "ssl"))
_NAMES = frozenset(name for _, names in LEFT_OUT["http"] for name in names)

_logs = [logging.getLogger(name) for name in ("urllib3.connectionpool", "botocore.awsrequest")]


def _library_has(cls: Any, name: str) -> Any:
    """The method as the library itself has it; an object that is nothing else, if it has been replaced already."""
    owner = next(one for one in cls.__mro__ if name in vars(one))
    method = vars(owner)[name]
    module = sys.modules.get(owner.__module__)
    is_own = (
        isinstance(method, types.FunctionType)
        and method.__code__.co_filename == getattr(module, "__file__", None)
        and not hasattr(method, "__wrapped__")
    )
    return method if is_own else object()


def _reader(cls: Any, names: tuple[str, ...]) -> tuple[Any, Any, Any]:
    """A class, what reads all those methods of it at once (which is quick), and what that is to give."""
    there = [name for name in names if hasattr(cls, name)]
    return cls, attrgetter(*there, "__class__"), (*(_library_has(cls, name) for name in there), type(cls))


_READERS = {
    scheme: [_reader(cls, names) for classes, names in left_out for cls in classes]
    for scheme, left_out in LEFT_OUT.items()
}
_OWN = {scheme: [one for _, _, own in readers for one in own] for scheme, readers in _READERS.items()}

_OWN_SEND = _library_has(Endpoint, "_send")


def is_all_own(send: Any, session: Any, pool: Any) -> bool:
    """Whether nothing is replaced, wrapped or watched that a request would pass on its way to the connection.

    Args:
        send: what stands in the place of botocore's `Endpoint._send`.
        session: the `http_session` of an endpoint.
        pool: the urllib3 pool of the server.
    """
    return (
        send is _OWN_SEND
        and type(session) is Session
        and type(pool) in _POOLS
        and pool.ConnectionCls in _CONNECTIONS
        and _NAMES.isdisjoint(vars(session))
        and _NAMES.isdisjoint(vars(pool))
        and _NAMES.isdisjoint(vars(session._manager))
        and _NAMES.isdisjoint(vars(session._proxy_config))
        and not (_logs[0].isEnabledFor(logging.DEBUG) or _logs[1].isEnabledFor(logging.DEBUG))
        # By identity: a wrapper of wrapt is equal to what it wraps.
        and all(map(is_, chain.from_iterable([read(cls) for cls, read, _ in _READERS[pool.scheme]]), _OWN[pool.scheme]))
    )


def is_own_connection(connection: Any) -> bool:
    """Whether a connection is ours, as it was made, on a plain socket or one of Python's own TLS."""
    sock = getattr(connection, "sock", None)
    return (
        type(connection) in _CONNECTIONS
        and _NAMES.isdisjoint(vars(connection))
        and (sock is None or type(sock) in _SOCKETS)
        and connection.debuglevel == 0
        and (type(connection) is HTTPConnection or sock is None or connection.is_verified)  # urllib3 warns each time
    )
