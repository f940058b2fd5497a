"""What the text of an error says about the redirects before it.

The types of errors, their codes and their attributes are what programs decide by, and stay botocore's own.
"""

from __future__ import annotations

import socket
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)

from .chain import Chain
from .location import redacted

ABOUT_THE_OBJECT = frozenset((304, 404, 412, 416))
"""The statuses of errors that say something about an object, whoever answers: their text stays as it is."""

_BECAUSE = (
    (ConnectionRefusedError, "which refused the connection"),
    (socket.gaierror, "whose name is not known here"),
)
_ENDS = (
    (EndpointConnectionError, "which cannot be reached"),
    (ConnectTimeoutError, "which did not accept the connection in time"),
    (ReadTimeoutError, "which did not answer in time"),
    (ConnectionClosedError, "which closed the connection"),
    (SSLError, "with which no TLS connection was made"),
    (ProxyConnectionError, "for which the proxy failed"),
)


def tell_in_exception(exception: Any, chain: Chain) -> None:
    """Have an exception of botocore's say which redirects led to it, and not what their queries carry.

    Args:
        exception: of any type; one that is not botocore's stays as it is.
        chain: the redirects, one at least.
    """
    if not isinstance(exception, BotoCoreError):
        return
    text, kwargs = str(exception), exception.kwargs
    if "?" in str(kwargs.get("endpoint_url", "")):
        kwargs["endpoint_url"] = redacted(str(kwargs["endpoint_url"]))
        text = exception.fmt.format(**kwargs)
    end = _end(exception)
    exception.args = (f"{text} ({_route(chain)}{', ' if end else ''}{end})",)


def tell_in_answer(parsed: dict[str, Any], status: int, chain: Chain) -> None:
    """The same for the error that a server answered with.

    Args:
        parsed: what botocore makes of the answer.
        status: of the answer.
        chain: the redirects, one at least.
    """
    error = parsed.get("Error")
    if error and status not in ABOUT_THE_OBJECT:
        error["Message"] = f"{error.get('Message', '')} ({_route(chain)})".lstrip()


def _route(chain: Chain) -> str:
    where = [chain.original.netloc, *(hop.url.netloc for hop in chain.hops)]
    return f"redirected by {where[0]} to " + " and on to ".join(where[1:])


def _end(exception: Any) -> str:
    """What the last of the route did, as a clause; empty where it is not known."""
    causes = _causes(exception)
    because = (clause for kind, clause in _BECAUSE if any(isinstance(cause, kind) for cause in causes))
    if isinstance(exception, EndpointConnectionError):
        return next(because, _ENDS[0][1])
    return next((clause for kind, clause in _ENDS if isinstance(exception, kind)), "")


def _causes(exception: Any) -> list[Any]:
    """The exceptions that one was made of, the last first."""
    causes: list[Any] = []
    cause = exception.kwargs.get("error")
    while isinstance(cause, BaseException) and cause not in causes:  # botocore gives text, too
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    return causes
