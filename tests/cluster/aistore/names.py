"""Buckets and keys as AIStore reads them out of a path."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from urllib.parse import unquote_to_bytes

from ..location import reparsed
from ..s3.call import Call, parameters, split_prefix
from ..s3.errors import S3Error

_INVALID = re.compile(r"(^|/)\.\.?(/|$)|^~/|/$|^$", re.DOTALL)


def at_gateway(call: Call) -> Call:
    """The call as the gateway reads it: a key ends at its first `?`, and what follows are parameters."""
    return _read(call, *reparsed(unquote_to_bytes(call.plain_path), call.request.query))


def at_target(call: Call) -> Call:
    """The call as a target reads it."""
    return _read(call, unquote_to_bytes(call.plain_path), call.request.query)


def cleaned(key: str) -> str:
    """The object that a key names: empty segments are dropped, `.` and `..` resolved (path.Join in ais/s3/types.go)."""
    joined = "/".join(filter(None, key.split("/")))
    return posixpath.normpath(joined) if joined else ""


def of_copy_source(source: str) -> tuple[str, str]:
    """Bucket and key: outer slashes are dropped, the rest is not cleaned, and a version is a part of the key."""
    bucket, slash, key = source.strip("/").partition("/")
    if not slash:
        raise S3Error(400, "", "missing or empty object name")
    return bucket, key.strip("/")


def refuse_invalid(key: str) -> None:
    """400 for what AIStore takes for no object's name (ValidateOname in cmn/cos/err.go)."""
    if _INVALID.search(key):
        raise S3Error(400, "errInvalidPath", f'invalid object name "{key}"')


def _read(call: Call, path: bytes, query: bytes) -> Call:
    rest = split_prefix(path)[1].decode("utf-8", "surrogateescape")
    bucket, _, key = rest.lstrip("/").partition("/")
    params = call.params if query == call.request.query else parameters(query)
    return replace(call, bucket=bucket, key=cleaned(key), params=params)
