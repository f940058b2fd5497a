"""Buckets and keys as AIStore reads them out of a path."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from urllib.parse import unquote, unquote_to_bytes

from ..location import reparsed
from ..s3.call import Call, parameters, split_prefix
from ..s3.errors import S3Error

_UNCLEAN = re.compile(r"(^|/)(/|\.|$)", re.DOTALL)
_NO_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_INVALID = re.compile(r"(^|/)\.\.?(/|$)|^~/|/$|^$", re.DOTALL)


def at_gateway(call: Call) -> Call:
    """The call as the gateway reads it: the path ends at its first `?`, and what follows are parameters."""
    if "?" not in call.key and "?" not in call.bucket:
        return at_target(call)
    path, query = reparsed(unquote_to_bytes(call.plain_path), call.request.query)
    rest = split_prefix(path)[1].decode("utf-8", "surrogateescape")
    bucket, _, key = rest.lstrip("/").partition("/")
    return replace(call, bucket=bucket, key=cleaned(key), params=parameters(query))


def at_target(call: Call) -> Call:
    """The call as a target reads it."""
    key = cleaned(call.key)
    return call if key == call.key else replace(call, key=key)


def cleaned(key: str) -> str:
    """The object that a key names: empty segments are dropped, `.` and `..` resolved (path.Join in ais/s3/types.go)."""
    if not _UNCLEAN.search(key):
        return key
    joined = "/".join(filter(None, key.split("/")))
    return posixpath.normpath(joined) if joined else ""


def of_copy_source(source: str) -> tuple[str, str]:
    """Bucket and key: outer slashes are dropped, the rest is not cleaned, and a version is a part of the key."""
    bucket, slash, key = source.strip("/").partition("/")
    if not slash:
        raise S3Error(400, "", "missing or empty object name")
    return bucket, key.strip("/")


def of_copy(key: str) -> str:
    """The object that a copy becomes on another target than its source's, which sends it on by an unescaped URL.

    Empty where that is no URL: then nothing is stored, and that is not noticed (coi.put in ais/tgtobj.go).
    """
    name = key.partition("?")[0]
    return "" if _NO_ESCAPE.search(name) else cleaned(unquote(name, errors="surrogateescape"))


def refuse_invalid(key: str) -> None:
    """400 for what AIStore takes for no object's name (ValidateOname in cmn/cos/err.go)."""
    if _INVALID.search(key):
        raise S3Error(400, "errInvalidPath", f'invalid object name "{key}"')
