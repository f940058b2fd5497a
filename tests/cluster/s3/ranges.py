"""Ranges of bytes, as clients ask for them."""

from __future__ import annotations

import re

from .errors import S3Error


def byte_range(text: str, size: int) -> tuple[int, int] | None:
    """From where up to where (exclusive) a Range header asks; None if it is to be ignored (RFC 9110 14.2)."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", text)
    if match is None or match.group(0) == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1 if last else size, size)
    if start >= size:
        raise S3Error(416, "InvalidRange", f"the object has {size} bytes")
    return None if stop <= start else (start, stop)
