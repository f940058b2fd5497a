"""How a gateway writes the path and query of a Location, and which paths mean the object that it damaged.

Go's net/url and AIStore's `redurl` (ais/prxred.go) and `ReparseQuery` (cmn/cos/url.go) of August 2026.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from operator import itemgetter
from typing import Iterable, List, Tuple
from urllib.parse import quote_plus, unquote_to_bytes

Pairs = List[Tuple[bytes, bytes]]

# What Go leaves unescaped in a path (url.shouldEscape, encodePath), and what a URI may have there (RFC 3986 3.3).
_GO_KEEPS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~$&+,/:;=@")
_URI_KEEPS = _GO_KEEPS | frozenset(b"!'()*%")
_GO = [bytes([octet]) if octet in _GO_KEEPS else b"%%%02X" % octet for octet in range(256)]
_URI = [bytes([octet]) if octet in _URI_KEEPS else b"%%%02X" % octet for octet in range(256)]
_NOT_URI = re.compile(b"[^" + re.escape(bytes(sorted(_URI_KEEPS))) + b"]")
# With none of these in it, AIStore writes a path as it is, whatever else there is (cmn.HasSpecialSymbols).
_SPECIAL = re.compile(rb"[%?# +]")
_NO_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


class GatewayPanicError(Exception):
    """AIStore's handler dies of the request; the connection ends without an answer."""


@dataclass(frozen=True)
class Location:
    """The path and query of a Location as AIStore has them, and the paths that a target takes with that query."""

    path: bytes
    query: bytes
    accepted: frozenset[bytes]


def aistore_location(sent: bytes, query: bytes, marks: bytes) -> Location:
    """As AIStore writes it.

    Where that is no URI, or not of the object that was asked for, a target takes the repaired path too: the
    client's own, the same escaped as Go does, or what was written with only that escaped which must be.

    :param sent: the client's path, below the prefix of the target's API
    :param marks: what the gateway appends to the query
    """
    asked = unquote_to_bytes(sent)
    path, query = reparsed(asked, query)
    if _SPECIAL.search(path):
        written, query = _written(path, _GO), encoded([*parsed(query), *parsed(marks)])
    else:
        written, query = path, _joined(query, marks)
    accepted = {written}
    if path != asked:
        accepted |= {sent, faithful(sent)}
    elif _NOT_URI.search(written):
        accepted |= {sent, faithful(sent), _written(written, _URI)}
    return Location(written, query, frozenset(accepted))


def faithful_location(sent: bytes, query: bytes, marks: bytes) -> Location:
    """As a gateway writes it that escapes properly."""
    return Location(faithful(sent), _joined(query, marks), frozenset({faithful(sent)}))


def faithful(path: bytes) -> bytes:
    """The same path in Go's spelling."""
    return _written(unquote_to_bytes(path), _GO)


def reparsed(path: bytes, query: bytes) -> tuple[bytes, bytes]:
    """Path (decoded) and query as the gateway goes on with them: what follows a `?` of the key becomes query.

    :raises GatewayPanicError: for a path that Go, which reads it as a URL, does not take for one
    """
    if b"?" not in path:
        return path, query
    url, _, fragment = path.partition(b"#")
    before, _, spilled = url.partition(b"?")
    if _CONTROL.search(url) or _NO_ESCAPE.search(before) or _NO_ESCAPE.search(fragment):
        raise GatewayPanicError
    joined: dict[bytes, list[bytes]] = {}
    for name, value in parsed(spilled):
        joined.setdefault(name, []).append(value)
    added = [(name, b",".join(values)) for name, values in joined.items()]
    return unquote_to_bytes(before), encoded([*parsed(query), *added])


def parsed(query: bytes) -> Pairs:
    """As Go's url.ParseQuery, which drops pairs with a semicolon or a wrong escape."""
    pairs = [pair.replace(b"+", b" ").partition(b"=") for pair in query.split(b"&") if pair and b";" not in pair]
    return [
        (unquote_to_bytes(name), unquote_to_bytes(value))
        for name, _, value in pairs
        if not _NO_ESCAPE.search(name) and not _NO_ESCAPE.search(value)
    ]


def encoded(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    """As Go's url.Values.Encode: sorted by name, and with `=` even where there is no value."""
    ordered = sorted(pairs, key=itemgetter(0))
    return b"&".join([f"{quote_plus(name)}={quote_plus(value)}".encode() for name, value in ordered])


def _written(path: bytes, alphabet: list[bytes]) -> bytes:
    return b"".join([alphabet[octet] for octet in path])


def _joined(*queries: bytes) -> bytes:
    return b"&".join(filter(None, queries))
