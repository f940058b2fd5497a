"""Conditions of requests: `If-…` of the object asked for, `x-amz-copy-source-if-…` of the one copied."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from ..store import StoredObject
from .call import Call
from .errors import S3Error

OF_SOURCE = "x-amz-copy-source-if-"
NOT_MODIFIED = ("none-match", "modified-since")
"""Those whose failure a read is answered with 304."""


def check(call: Call, stored: StoredObject | None, prefix: str = "if-") -> None:
    """Raises S3Error (412) for a condition that does not hold."""
    failed = failing(call, stored, prefix)
    if failed is not None:
        raise S3Error(412, "PreconditionFailed", f"{prefix}{failed} does not hold")


def failing(call: Call, stored: StoredObject | None, prefix: str = "if-") -> str | None:
    """The condition that does not hold, in the order of RFC 9110 13.2.2; None if all do."""
    match, none_match = call.header(f"{prefix}match"), call.header(f"{prefix}none-match")
    if match:
        if not _matches(match, stored):
            return "match"
    elif _modified_since(call.header(f"{prefix}unmodified-since"), stored) is True:
        return "unmodified-since"
    if none_match:
        return "none-match" if _matches(none_match, stored) else None
    if _modified_since(call.header(f"{prefix}modified-since"), stored) is False:
        return "modified-since"
    return None


def _matches(condition: str, stored: StoredObject | None) -> bool:
    if stored is None:
        return False
    etags = [etag.strip().strip('"') for etag in condition.split(",")]
    return "*" in etags or stored.etag.strip('"') in etags


def _modified_since(date: str, stored: StoredObject | None) -> bool | None:
    """None where there is nothing to compare."""
    if not date or stored is None:
        return None
    try:
        return parsedate_to_datetime(stored.modified) > parsedate_to_datetime(date)
    except (TypeError, ValueError):  # not a date: to be ignored (RFC 9110 13.1.3)
        return None
