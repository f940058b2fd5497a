"""What a list of keys says."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Iterable, Iterator

from ..store import StoredObject


def grouped(keys: Iterable[str], prefix: str, delimiter: str, after: str) -> Iterator[tuple[str, bool]]:
    """The keys that begin with `prefix` and come after `after`, in order; True with each.

    Those with a delimiter in the rest of them are one row by the name up to it, and False.
    """
    group = ""
    for key in keys:
        if not key.startswith(prefix) or key <= after:
            continue
        rest = key[len(prefix) :]
        if not delimiter or delimiter not in rest:
            yield key, True
            continue
        name = prefix + rest.split(delimiter)[0] + delimiter
        if name not in (group, after):
            group = name
            yield name, False


def iso_date(stored: StoredObject, milliseconds: str = ".000") -> str:
    """When an object was stored, as documents have it."""
    return parsedate_to_datetime(stored.modified).strftime(f"%Y-%m-%dT%H:%M:%S{milliseconds}Z")
