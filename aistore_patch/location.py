"""Which URL a `Location` means for the request that was answered with it.

Pure: text in, text out. Nothing here knows botocore, policy or the network.

AIStore builds its `Location` out of the *decoded* path of the request, so the header is not always a faithful
URI of the object: `?` and `#` of a key may stand there bare, and so may bytes that are not ASCII. `resolve` reads
such a header with the request's own path in hand, and never returns a URL that names another object.
"""

from __future__ import annotations

import functools
import re
from typing import Iterator, NamedTuple
from urllib.parse import unquote_to_bytes

from . import guard

MAX_LENGTH = 16384
"""Longest `Location` read, in bytes: a key of 1,024 bytes, thrice as long when encoded, and a generous query."""

API_PATH = "/s3"
"""Where AIStore's targets have their S3 API. With the feature `S3-API-via-Root` a gateway has it at `/` as well, and
puts this before the path of a `Location` (AIStore `ais/prxs3.go`, `rootHandler`)."""


class InvalidLocation(ValueError):
    """The `Location` is not the URI of any HTTP resource."""


class OtherObject(ValueError):
    """The `Location` names another object than the one asked for, or leaves in doubt which one it names."""


class Url(NamedTuple):
    """An absolute http or https URL, as the parts that decide where a request goes.

    `netloc` is `host` or `host:port`, lower case; `path` begins with a slash; `query` is None where there is no `?`.
    """

    scheme: str
    netloc: str
    path: str
    query: str | None

    @property
    def origin(self) -> str:
        """Scheme and netloc: `http://10.0.0.1:8081`."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def target(self) -> str:
        """What the request line carries (RFC 9112 section 3.2.1)."""
        return self.path if self.query is None else f"{self.path}?{self.query}"

    @property
    def parameters(self) -> set[str]:
        """The names in the query, in lower case."""
        return _parameter_names((self.query or "").encode("ascii"))

    @property
    def is_presigned(self) -> bool:
        """Whether it carries its own signature: version 4's, or version 2's (S3 API, query string authentication)."""
        if self.query is None or "ignature=" not in self.query:
            return False
        names = self.parameters
        return "x-amz-signature" in names or {"awsaccesskeyid", "signature", "expires"} <= names

    @property
    def host(self) -> str:
        """The host alone, without port and without the brackets of an IPv6 address."""
        return split_netloc(self.netloc)[0]

    def __str__(self) -> str:
        return self.origin + self.target


# RFC 3986 appendix B. It matches every string; what each part may hold is checked one by one.
_PARTS = re.compile(rb"(?s)(?:([^:/?#]+):)?(?://([^/?#]*))?(.*)")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_NOT_ON_THE_WIRE = re.compile(rb"[^\x21-\x7e]")
_PATH = re.compile(r"(?:[A-Za-z0-9/._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+\Z")  # RFC 3986 section 3.3
_NETLOC = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z_.-]+)(?::([0-9]{0,5}))?\Z")
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!\Z)|\Z)){4}\Z")
_NUMERIC_LABEL = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")  # of a host in lower case
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def parse_url(url: str) -> Url:
    """Split the URL of a request that botocore has made ready.

    Args:
        url: an absolute http or https URL. The user part of its host, if any, is dropped, as urllib3 does.

    Raises:
        InvalidLocation: it is none.
    """
    scheme, authority, rest = _split(url.encode("utf-8"))
    if scheme is None or authority is None:
        raise InvalidLocation("it is not an absolute URL")
    path, query = _split_path(rest)
    host, port = _host_and_port(scheme, authority.rpartition(b"@")[2])
    return Url(_checked_scheme(scheme), f"{host}:{port}" if port else host, path, query)


def resolve(
    location: str,
    current: Url,
    original: Url,
    bucket: str | None = None,
    base: str = API_PATH,
    any_slash: bool = False,
) -> Url:
    """The URL at which the request is to be repeated.

    Args:
        location: the header's value as Python's HTTP client hands it over (its bytes read as latin-1).
        current: the URL that was answered with it; a relative reference is resolved against it.
        original: the URL of the caller's request; its path says which object is meant.
        bucket: the bucket where it stands in the host of `original` instead of in its path.
        base: the path of the client's endpoint, without a slash at its end; "" if the endpoint is a host alone.
        any_slash: whether, if no key is asked for, a slash may be added to the path or taken away at its end.

    Returns:
        The absolute URL without its fragment (which is never sent: RFC 9112 section 3.2), verbatim otherwise. Where the
        path of the header is no valid path, or a damaged form of the path asked for, the URL has the path of `original`
        in its stead; bytes that no query can hold are percent-encoded.

    Raises:
        InvalidLocation: the header is empty, too long, not an http(s) URL or holds what no URL can.
        OtherObject: its path is neither the path asked for nor a form of it that can be repaired with certainty, or its
            query asks for another operation.
    """
    raw = _header_bytes(location)
    scheme, authority, rest = _split(raw)
    if scheme is not None and authority is None:
        _checked_scheme(scheme)
        raise InvalidLocation("it has a scheme but no host")
    new_scheme = current.scheme if scheme is None else _checked_scheme(scheme)
    netloc = current.netloc if authority is None else _checked_netloc(new_scheme.encode(), authority)
    if authority is None and not rest.startswith(b"/"):
        rest = _merged(current, rest)
    # A bucket stands in the host or in the path. Only the host that the caller asked is known to name it: another may
    # begin with it by chance, and there `/x/y` is an object of the bucket `x`.
    is_in_host = bucket is not None and split_netloc(netloc)[0] == original.host
    asked = original.path if bucket is None or is_in_host else _with_bucket(bucket, original.path, base)
    spellings = [asked, _with_other_slash(asked)] if any_slash and not key_of(original, bucket, base) else [asked]
    path, query = _same_object(rest, original, spellings, may_add_api=not base and not is_in_host)
    _check_query(query, original)
    return Url(new_scheme, netloc, path, query)


def key_of(original: Url, bucket: str | None = None, base: str = API_PATH) -> bytes:
    """The key that a request is about, percent-decoded; empty if it is about a bucket or about all of them.

    Args:
        original, bucket, base: as for `resolve`.
    """
    path = original.path if bucket is None else _with_bucket(bucket, original.path, base)
    below = path[len(base) :] if path == base or path.startswith(f"{base}/") else path
    return unquote_to_bytes(below[1:].partition("/")[2])


def has_pid(location: str) -> bool:
    """Whether a `Location` has the `pid` that an AIStore gateway appends to the query, wherever that begins."""
    return "pid" in _parameter_names(location.partition("?")[2].replace("?", "&").encode("utf-8", "replace"))


def split_netloc(netloc: str) -> tuple[str, str]:
    """Split `host:port` into a host without brackets and a port ("" where there is none)."""
    match = _NETLOC.match(netloc)
    if match is None:
        return netloc, ""
    return match.group(1).strip("[]"), match.group(2) or ""


def redacted(url: str) -> str:
    """A URL, or what a server sent in place of one, fit for logs and messages.

    Queries hold signatures and tokens, and so may the user part of a host: neither is shown. Text is cut at 200
    characters.
    """
    shown, _, hidden = re.sub(r"(^|//)[^/?#]*@", r"\1...@", url.strip()).partition("?")
    shown = shown.partition("#")[0]
    if len(shown) > 200:
        shown = shown[:200] + "..."
    return ascii(shown)[1:-1] + ("?..." if hidden else "")


def _header_bytes(location: str) -> bytes:
    try:
        raw = location.encode("latin-1")
    except UnicodeEncodeError:  # a response that never was on a wire (a stub's) may hold any text
        raw = location.encode("utf-8", "surrogatepass")
    raw = raw.strip(b" \t")
    if not raw:
        raise InvalidLocation("it is empty")
    if len(raw) > MAX_LENGTH:
        raise InvalidLocation(f"it is {len(raw)} bytes long, more than {MAX_LENGTH}")
    if _CONTROL.search(raw):
        raise InvalidLocation("it holds control characters")
    return raw


def _split(raw: bytes) -> tuple[bytes | None, bytes | None, bytes]:
    match = _PARTS.match(raw)
    assert match is not None  # noqa: S101 - the pattern matches the empty string
    return match.group(1), match.group(2), match.group(3)


def _split_path(rest: bytes) -> tuple[str, str | None]:
    before_fragment = rest.partition(b"#")[0]
    path, mark, query = before_fragment.partition(b"?")
    return _on_the_wire(path) or "/", _on_the_wire(query) if mark else None


def _on_the_wire(raw: bytes) -> str:
    """Percent-encode the bytes that a request line cannot carry, and no others (RFC 3986 section 2.1)."""
    return _NOT_ON_THE_WIRE.sub(lambda match: b"%%%02X" % ord(match.group()), raw).decode("ascii")


def _checked_scheme(scheme: bytes) -> str:
    name = scheme.decode("ascii", "replace").lower()
    if name not in _DEFAULT_PORTS:
        raise InvalidLocation("its scheme is neither http nor https")
    return name


@functools.lru_cache(maxsize=1024)  # the targets of a cluster are few, and named again and again
def _checked_netloc(scheme: bytes, authority: bytes) -> str:
    """The authority in the one spelling that all who read it later (urllib3, the signer, a policy) read alike."""
    if b"@" in authority:
        raise InvalidLocation("it holds a user name or a password")
    host, port = _host_and_port(scheme, authority)
    if host.startswith("["):
        _check_ipv6(host[1:-1])
    else:
        _check_name(host)
    return f"{host}:{port}" if port else host


def _host_and_port(scheme: bytes, authority: bytes) -> tuple[str, int | None]:
    """The host in lower case, and the port if it is not the scheme's own."""
    match = _NETLOC.match(authority.decode("ascii", "replace"))
    if match is None:
        raise InvalidLocation("its host is missing or malformed")
    host, port = match.group(1).lower(), match.group(2)
    if not port or port.lstrip("0") == _DEFAULT_PORTS[scheme.decode("ascii").lower()]:
        return host, None
    if not 0 < int(port) < 65536:
        raise InvalidLocation("its port is not between 1 and 65535")
    return host, int(port)


def _check_ipv6(host: str) -> None:
    import ipaddress  # imported by need: it is slow to load, and hosts in brackets are rare

    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        raise InvalidLocation("its host is not an IPv6 address") from None


def _check_name(host: str) -> None:
    """Refuse what the resolver would refuse late, and numbers it would read as an address (`127.1`, `0x7f000001`)."""
    labels = host[:-1].split(".") if host.endswith(".") else host.split(".")
    if len(host) > 253 or not all(0 < len(label) < 64 for label in labels):
        raise InvalidLocation("its host is not a name that can be resolved")
    if _NUMERIC_LABEL.match(labels[-1]) and not _IPV4.match(host):
        raise InvalidLocation("its host is not an IPv4 address")


def _merged(current: Url, reference: bytes) -> bytes:
    """Resolve a reference without scheme, host and leading slash against the current URL (RFC 3986 section 5.2)."""
    base = current.path.encode("ascii")
    if reference.startswith(b"#"):
        return current.target.encode("ascii")
    if reference.startswith(b"?"):
        return base + reference
    path, mark, query = reference.partition(b"?")
    return _without_dot_segments(base[: base.rfind(b"/") + 1] + path) + mark + query


def _without_dot_segments(path: bytes) -> bytes:
    """RFC 3986 section 5.2.4, for an absolute path."""
    kept: list[bytes] = []
    segments = path.split(b"/")[1:]
    for segment in segments:
        if segment == b"..":
            del kept[-1:]
        elif segment != b".":
            kept.append(segment)
    if segments[-1] in (b".", b".."):
        kept.append(b"")
    return b"/" + b"/".join(kept)


def _with_bucket(bucket: str, path: str, base: str) -> str:
    """The path of an object whose bucket stood in the host, with the bucket in it, behind the path of the endpoint."""
    is_below = path == base or path.startswith(f"{base}/")
    start = len(base) if is_below else 0
    return f"{path[:start]}/{bucket}{path[start:]}"


def _with_other_slash(path: str) -> str:
    """The same bucket or service, with the slash at its end that Go's ServeMux and proxies add, or without it."""
    return path[:-1] or path if path.endswith("/") else path + "/"


def _same_object(rest: bytes, original: Url, spellings: list[str], may_add_api: bool) -> tuple[str, str | None]:
    """Path and query of the `Location`, which must name the path asked for; repaired where AIStore damaged it."""
    for path in spellings:
        found = _repaired(rest, path, original)
        if found is not None:
            return found
        # To another server, `/s3/b/k` may be an object of the bucket `s3`: AIStore is known by the `pid` it appends.
        found = _repaired(rest, API_PATH + path, original) if may_add_api else None
        if found is not None and has_pid(f"?{found[1]}"):
            return found
    raise OtherObject("its path is not the path that was asked for")


def _repaired(rest: bytes, asked_path: str, original: Url) -> tuple[str, str | None] | None:
    """Path and query, if the path is `asked_path` or a damaged form of it; None if it is another."""
    asked = unquote_to_bytes(asked_path)
    path, query = _split_path(rest)
    named = unquote_to_bytes(path)
    if named == asked:
        return (path if _PATH.match(path) else asked_path), query
    # The decoded path as it is, with every `?`, `#`, `%` and space in it bare, and the query behind it.
    if rest.startswith(asked) and rest[len(asked) : len(asked) + 1] in (b"", b"?"):
        return asked_path, _on_the_wire(rest[len(asked) + 1 :]) if len(rest) > len(asked) else None
    # The same, parsed and written again: what stood behind the bare `?` is now in the query.
    before, mark, leaked = asked.partition(b"?")
    if mark and named == before and query is not None:
        _check_leak(leaked, original)
        return asked_path, query
    # Encoded once too often, or decoded once too often.
    if unquote_to_bytes(named) == asked or named == unquote_to_bytes(asked):
        return asked_path, query
    return None


# What may be added to a query: by AIStore, and by whoever signs the URL (S3 API, query string authentication).
_MAY_BE_ADDED = frozenset(("pid", "utm")) | {
    f"x-amz-{name}"
    for name in ("algorithm", "credential", "date", "expires", "signature", "signedheaders", "security-token")
}


def _check_query(query: str | None, original: Url) -> None:
    """Refuse a query that asks for something else: it lacks a parameter of the request that has a meaning, or adds one.

    AIStore sorts the parameters, and writes `uploads=` for `uploads`.
    """
    asked, named = (set(_pairs((part or "").encode("ascii"))) for part in (original.query, query))
    lacking = [name for name, _ in asked - named if guard.has_meaning(name)]
    if lacking:
        raise OtherObject(f"its query lacks '{_shown(min(lacking))}' of the request, or has another value for it")
    added = [name for name, _ in named - asked if guard.has_meaning(name) and name not in _MAY_BE_ADDED]
    if added:
        raise OtherObject(f"its query has '{_shown(min(added))}', which was not asked for")


def _pairs(query: bytes) -> Iterator[tuple[str, bytes]]:
    for part in filter(None, query.replace(b"+", b" ").split(b"&")):
        name, _, value = part.partition(b"=")
        yield unquote_to_bytes(name).decode("utf-8", "replace").lower(), unquote_to_bytes(value)


def _shown(name: str) -> str:
    return ascii(name)[1:-1][:100]


def _check_leak(leaked: bytes, original: Url) -> None:
    """Refuse a repair after which the key's own text, now in the query, could be read as a parameter."""
    names = _parameter_names(leaked)
    own = original.parameters
    if names & own or any(map(guard.has_meaning, names)):
        raise OtherObject("what follows the question mark in the key would be read as parameters")


def _parameter_names(query: bytes) -> set[str]:
    names = (unquote_to_bytes(part.partition(b"=")[0]) for part in query.split(b"&"))
    return {name.decode("utf-8", "replace").lower() for name in names if name}
