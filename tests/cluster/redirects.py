"""Redirects as AIStore issues them, and the check that a client followed one to the letter."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from .location import Location, aistore_location, faithful_location
from .s3.call import PREFIX, Call, split_prefix
from .s3.errors import S3Error
from .wire import Request, Response

if TYPE_CHECKING:
    from .node import Node

REMEMBERED = 100_000
_FROM_GATEWAY = re.compile(rb"(^|&)pid=")
_DIGITS = b"0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass
class Ticket:
    """What a target must be asked, now that a gateway has sent the client there."""

    method: str
    node: str
    location: Location
    hops_left: int
    signed_length: int | None
    """The Content-Length that the gateway signed; None where it does not sign."""
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
        signed: bool = False,
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
        self.signed = signed
        """Sign redirects, as a cluster with `auth.intra_cluster.request_auth` does: method, decoded path and length.

        A target then refuses (403) whatever differs, so that the repaired path of a key with `?` is refused too.
        """
        self._lock = threading.Lock()
        self._tickets: OrderedDict[bytes, Ticket] = OrderedDict()
        self._moments = itertools.count(36**11)

    def first(self, call: Call, gateway: str, to: Node) -> Response:
        """The gateway's redirect; raises GatewayPanicError where AIStore's handler would die."""
        with self._lock:
            moment = next(self._moments)
        marks = b"pid=%s&utm=%s" % (gateway.encode(), base36(moment))
        if self.signed:
            signature = base64.urlsafe_b64encode(hashlib.sha512(b"%d" % moment).digest()).rstrip(b"=")
            nonce = base36(36**2 + moment % 36**2)
            marks = b"pid=%s&u=%s&utm=%s&vpams=6&x=%s" % (gateway.encode(), signature, base36(moment), nonce)
        return self._redirect(call, to, marks, self.hops - 1)

    def next(self, call: Call, ticket: Ticket, to: Node) -> Response:
        """The further redirect of a target that is not the last of the chain."""
        hop = self.hops - ticket.hops_left + 1
        return self._redirect(call, to, b"hop=%d" % hop, ticket.hops_left - 1)

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
            if ticket.signed_length is not None:
                _check_signature(ticket, call.request)
            if self.strict_path and path not in ticket.location.accepted:
                raise _refused(f"its path {path!r} is not that of its Location")
            if self.one_time and ticket.used:
                raise _refused("its Location was used before")
            ticket.used += 1
            return ticket

    def _redirect(self, call: Call, to: Node, marks: bytes, hops_left: int) -> Response:
        write = faithful_location if self.faithful_location else aistore_location
        location = write(_path_at_target(call.plain_path), call.request.query, marks)
        self._remember(
            Ticket(call.method, to.name, location, hops_left, _length(call.request) if self.signed else None)
        )
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
    ) % (uri.replace(b"&", b"&amp;"), call.bucket.encode("utf-8", "surrogateescape"))
    headers: list[tuple[str, str | bytes]] = [
        ("Content-Type", "text/xml; charset=utf-8"),
        ("Location", uri.replace(b"\n", b" ").replace(b"\r", b" ")),  # as Go writes headers
        ("Server", "AIStore"),
        ("Content-Length", str(len(body))),
    ]
    return Response(status, headers, body)


def _check_signature(ticket: Ticket, request: Request) -> None:
    # Not the spelling of the path, and not the query (ais/signverify.go, `payload`).
    signed = (unquote_to_bytes(ticket.location.path), ticket.signed_length)
    if signed != (unquote_to_bytes(request.path), _length(request)):
        raise S3Error(403, "AccessDenied", "the path or the length is not what the gateway signed")


def _length(request: Request) -> int:
    length = request.headers.get("Content-Length")
    return int(length) if length.isascii() and length.isdigit() else 0


def _refused(why: str) -> S3Error:
    return S3Error(400, "RedirectNotFollowed", f"refused by the target: {why}")


def base36(number: int) -> bytes:
    """As AIStore writes numbers in queries."""
    digits = b""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit : digit + 1] + digits
    return digits
