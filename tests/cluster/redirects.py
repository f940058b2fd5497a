"""Redirects as AIStore issues them, and the check that a client followed one to the letter."""

from __future__ import annotations

import itertools
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from .location import Location, aistore_location, faithful_location
from .s3.call import PREFIX, Call, split_prefix
from .s3.errors import S3Error
from .wire import Ending, Response

if TYPE_CHECKING:
    from .node import Node

REMEMBERED = 100_000
_FROM_GATEWAY = re.compile(rb"(^|&)pid=")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass
class Ticket:
    """What a target must be asked, now that a gateway has sent the client there."""

    method: str
    node: str
    location: Location
    hops_left: int
    used: int = 0


class Redirects:
    """Issues redirects and checks them. The attributes may be changed while the cluster serves."""

    def __init__(
        self,
        *,
        status: int = 307,
        hops: int = 1,
        faithful_location: bool = False,
        form: str = "absolute",
        one_time: bool = False,
        strict_path: bool = True,
    ) -> None:
        self.status = status
        self.hops = hops
        """Redirects before the answer: the gateway's, then from target to target."""
        self.faithful_location = faithful_location
        """Escape paths properly, as AIStore does not."""
        self.form = form
        """Of the Location: `absolute`, `scheme-relative` (`//host/…`) or `path` (`/…`, to the same node)."""
        self.one_time = one_time
        """Refuse a Location that was used before."""
        self.strict_path = strict_path
        """Check the path too; if False only the query, as AIStore does: a damaged key does its harm."""
        self._lock = threading.Lock()
        self._tickets: OrderedDict[bytes, Ticket] = OrderedDict()
        self._moments = itertools.count(36**11)

    def first(self, call: Call, gateway: str, to: Node) -> Response:
        """The gateway's redirect."""
        with self._lock:
            moment = _base36(next(self._moments))
        return self._redirect(call, to, f"pid={gateway}&utm={moment}", self.hops - 1)

    def next(self, call: Call, ticket: Ticket, to: Node) -> Response:
        """The further redirect of a target that is not the last of the chain."""
        return self._redirect(call, to, f"hop={self.hops - ticket.hops_left + 1}", ticket.hops_left - 1)

    def redeem(self, call: Call, node: str) -> Ticket:
        """The ticket of a request at a node; 400 if the client did not follow a Location to the letter."""
        path = call.request.path
        with self._lock:
            ticket = self._tickets.get(call.request.query)
            if ticket is None:
                raise _refused("its query is not, byte for byte, that of a Location")
            if ticket.node != node:
                raise _refused(f"its Location names {ticket.node}, not {node}")
            if ticket.method != call.method:
                raise _refused(f"the redirected request was a {ticket.method}")
            if self.strict_path and path not in ticket.location.accepted:
                raise _refused(f"its path {path!r} is not that of its Location")
            if self.one_time and ticket.used:
                raise _refused("its Location was used before")
            ticket.used += 1
            return ticket

    def _redirect(self, call: Call, to: Node, appended: str, hops_left: int) -> Response:
        write = faithful_location if self.faithful_location else aistore_location
        location = write(_path_at_target(call.plain_path), call.request.query, appended.encode())
        self._remember(Ticket(call.method, to.name, location, hops_left))
        uri = self._authority(to) + location.path + b"?" + location.query
        return _redirect_response(self.status, uri, call)

    def _remember(self, ticket: Ticket) -> None:
        with self._lock:
            self._tickets[ticket.location.query] = ticket
            if len(self._tickets) > REMEMBERED:
                self._tickets.popitem(last=False)

    def _authority(self, node: Node) -> bytes:
        if self.form == "path":
            return b""
        authority = f"//{node.host}:{node.port}"
        return (authority if self.form == "scheme-relative" else f"{node.scheme}:{authority}").encode()


def is_redirected(call: Call) -> bool:
    """Whether a request carries what a gateway appends."""
    return _FROM_GATEWAY.search(call.request.query) is not None


def _path_at_target(path: bytes) -> bytes:
    """Targets have their API at `/s3` only; the gateway has it at the root too (as with `S3-API-via-Root`)."""
    prefix, rest = split_prefix(path)
    return (prefix or PREFIX) + rest


def _redirect_response(status: int, uri: bytes, call: Call) -> Response:
    body = (
        b'<?xml version="1.0" encoding="UTF-8"?>'
        b"<Error><Code>TemporaryRedirect</Code><Message>Redirect</Message>"
        b"<Endpoint>%s</Endpoint><Bucket>%s</Bucket></Error>"
    ) % (_xml(uri), _xml(call.bucket.encode("utf-8", "surrogateescape")))
    headers: list[tuple[str, str | bytes]] = [
        ("Content-Type", "text/xml; charset=utf-8"),
        ("Location", uri),
        ("Server", "AIStore"),
        ("Content-Length", str(len(body))),
    ]
    # The capture has `Connection: close` in the answer to a PUT alone.
    return Response(status, headers, body, ending=Ending.CLOSE if call.method == "PUT" else Ending.KEEP)


def _xml(text: bytes) -> bytes:
    return escape(text.decode("latin-1")).encode("latin-1")


def _refused(why: str) -> S3Error:
    return S3Error(400, "RedirectNotFollowed", f"refused by the target: {why}")


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
