"""What a request is about: bucket, key, parameters."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote_plus, unquote_to_bytes

from ..wire import Request
from .errors import not_simulated

PREFIX = b"/s3"
VIRTUAL = ".localhost"


@dataclass(frozen=True)
class Call:
    """A request to S3. `bucket` and `key` are empty where the request is not about one."""

    request: Request
    bucket: str
    key: str
    params: dict[str, str]
    plain_path: bytes
    """The path as it came, in path style even when the bucket came in the Host header."""
    at_root: bool
    """Whether it came without the prefix of the API."""

    @property
    def method(self) -> str:
        return self.request.method

    def header(self, name: str) -> str:
        return self.request.headers.get(name)

    def integer(self, name: str, default: int) -> int:
        value = self.params.get(name, "")
        return int(value) if value.isascii() and value.isdigit() else default

    def has(self, *names: str) -> bool:
        """Whether there is a parameter of one of the names."""
        return any(name in self.params for name in names)

    def refuse_not_simulated(self, *known: str) -> None:
        """Refuse subresources (such as `?acl`) and headers that must not be taken for nothing."""
        for name in self.params:
            if name in NOT_SIMULATED and name not in known:
                raise not_simulated(f"?{name}")
        for name in self.request.headers.names():
            if name.startswith(NOT_SIMULATED_HEADERS):
                raise not_simulated(name)


NOT_SIMULATED = frozenset(
    {
        "accelerate",
        "acl",
        "analytics",
        "attributes",
        "cors",
        "encryption",
        "inventory",
        "intelligent-tiering",
        "legal-hold",
        "lifecycle",
        "logging",
        "metrics",
        "notification",
        "object-lock",
        "ownershipControls",
        "partNumber",
        "policy",
        "policyStatus",
        "publicAccessBlock",
        "renameObject",
        "replication",
        "requestPayment",
        "restore",
        "retention",
        "select",
        "session",
        "tagging",
        "torrent",
        "versionId",
        "versions",
        "website",
    }
)
NOT_SIMULATED_HEADERS = (
    "x-amz-copy-source-server-side-encryption-customer-",
    "x-amz-object-lock-",
    "x-amz-rename-source",
    "x-amz-server-side-encryption-customer-",
    "x-amz-tagging",
    "x-amz-write-offset-bytes",
)


def call_of(request: Request) -> Call:
    """Read the request line and Host as S3 does: `[/s3]/bucket/key`, or the bucket before `.localhost`.

    AIStore has no buckets in host names: that is a front proxy's part, which moves them into the path.
    """
    prefix, path = split_prefix(request.path)
    host = request.host.rpartition(":")[0] or request.host
    if host.endswith(VIRTUAL):
        path = b"/" + host[: -len(VIRTUAL)].encode("latin-1") + path
    bucket, _, key = path.lstrip(b"/").partition(b"/")
    return Call(request, _decoded(bucket), _decoded(key), parameters(request.query), prefix + path, not prefix)


def split_prefix(path: bytes) -> tuple[bytes, bytes]:
    """The gateway's prefix (`/s3`, or nothing) and the rest of the path."""
    if path == PREFIX or path.startswith(PREFIX + b"/"):
        return PREFIX, path[len(PREFIX) :] or b"/"
    return b"", path


def _decoded(part: bytes) -> str:
    return unquote_to_bytes(part).decode("utf-8", "surrogateescape")


def parameters(query: bytes) -> dict[str, str]:
    """By name; of several of one name the first."""
    params: dict[str, str] = {}
    for pair in filter(None, query.decode("latin-1").split("&")):
        name, _, value = pair.partition("=")
        params.setdefault(unquote_plus(name), unquote_plus(value))
    return params
