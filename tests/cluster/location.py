"""How a gateway writes the path of a Location, and which paths mean the same object as the one it damaged."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

# What Go's net/url leaves unescaped in a path (url.shouldEscape, encodePath).
_GO_KEEPS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~$&+,/:;=@")
_FAITHFUL = [bytes([octet]) if octet in _GO_KEEPS else b"%%%02X" % octet for octet in range(256)]
# AIStore leaves these two kinds raw as well, which is what damages the path.
_DAMAGED = [
    bytes([octet]) if octet == ord("?") or octet >= 0x80 else escaped for octet, escaped in enumerate(_FAITHFUL)
]


@dataclass(frozen=True)
class Location:
    """The path and query of a Location, as they go out, and the paths that a target takes with that very query."""

    path: bytes
    query: bytes
    accepted: frozenset[bytes]


def aistore_location(path: bytes, query: bytes, appended: bytes) -> Location:
    """As AIStore writes it: `?` and non-ASCII bytes of the key are left raw.

    What follows a raw `?` has become part of the query, each pair of it with a `=`. A target takes that as it
    is, and touches the object that it names. It takes the repaired path too: repaired from the client's own
    request, or by escaping what the Location left raw.
    """
    written, question, spilled = _written(path, _DAMAGED).partition(b"?")
    # It was parsed and written again (Go's url.Values.Encode), so that in a query nothing but ASCII is left.
    spilled = b"".join([bytes([octet]) if octet < 0x80 else b"%%%02X" % octet for octet in spilled])
    pairs = [pair if b"=" in pair else pair + b"=" for pair in spilled.split(b"&") if pair]
    faithful = _written(path, _FAITHFUL)
    damaged = bool(question) or written != faithful
    accepted = {written, faithful, path} if damaged else {written}
    return Location(written, _joined(*pairs, query, appended), frozenset(accepted))


def faithful_location(path: bytes, query: bytes, appended: bytes) -> Location:
    """As a gateway writes it that escapes properly."""
    faithful = _written(path, _FAITHFUL)
    return Location(faithful, _joined(query, appended), frozenset({faithful}))


def _written(path: bytes, alphabet: list[bytes]) -> bytes:
    return b"".join([alphabet[octet] for octet in unquote_to_bytes(path)])


def _joined(*queries: bytes) -> bytes:
    return b"&".join(filter(None, queries))
