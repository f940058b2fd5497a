"""Buckets and objects in memory, shared by all nodes of a cluster."""

from __future__ import annotations

import hashlib
import itertools
import threading
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Iterator

BLOCK = 4096
_TAIL = hashlib.sha512(b"generated").digest() * (BLOCK // 64)


def generated_bytes(start: int, stop: int) -> Iterator[bytes]:
    """The bytes from `start` to `stop` of the endless content that stands in for what is too big to keep.

    No two blocks are equal, so that a piece out of place, lost or doubled changes the hash of the whole.
    """
    while start < stop:
        first = start // BLOCK
        last = min(first + 256, -(-stop // BLOCK))
        piece = b"".join(number.to_bytes(8, "big") + _TAIL[8:] for number in range(first, last))
        yield piece[start - first * BLOCK : stop - first * BLOCK]
        start = last * BLOCK


@dataclass(frozen=True)
class Content:
    """An object's bytes; `data` is None for those too big to keep, which are generated when read."""

    size: int
    md5: str
    sha256: str | None
    data: bytes | None

    @classmethod
    def of(cls, data: bytes) -> Content:
        return cls(len(data), hashlib.md5(data).hexdigest(), hashlib.sha256(data).hexdigest(), data)

    def read(self, start: int, stop: int) -> bytes | Iterator[bytes]:
        return generated_bytes(start, stop) if self.data is None else self.data[start:stop]


@dataclass(frozen=True)
class StoredObject:
    content: Content
    etag: str
    """With its quotation marks."""
    headers: dict[str, str]
    """The client's headers that are given back: content type, metadata, …"""
    checksums: dict[str, str] = field(default_factory=dict)
    modified: str = field(default_factory=lambda: formatdate(usegmt=True))

    @property
    def data(self) -> bytes:
        if self.content.data is None:
            raise ValueError(f"{self.content.size} bytes were not kept; compare content.sha256")
        return self.content.data


@dataclass
class Upload:
    """A multipart upload under way."""

    bucket: str
    key: str
    headers: dict[str, str]
    parts: dict[int, Content] = field(default_factory=dict)


class NoSuchBucketError(KeyError):
    pass


class Store:
    """All that a cluster keeps. Contents longer than `keeps_up_to` bytes are hashed and forgotten."""

    def __init__(self, keeps_up_to: int | None = None) -> None:
        self.keeps_up_to = keeps_up_to
        self.uploads: dict[str, Upload] = {}
        self._buckets: dict[str, dict[str, StoredObject]] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()

    @property
    def buckets(self) -> list[str]:
        with self._lock:
            return sorted(self._buckets)

    def create_bucket(self, bucket: str) -> bool:
        """False if it was there."""
        with self._lock:
            if bucket in self._buckets:
                return False
            self._buckets[bucket] = {}
            return True

    def delete_bucket(self, bucket: str, *, even_if_full: bool = False) -> bool:
        """False if it is not empty, and kept for that."""
        with self._lock:
            if self._objects(bucket) and not even_if_full:
                return False
            del self._buckets[bucket]
            return True

    def __contains__(self, bucket: str) -> bool:
        return bucket in self._buckets

    def keys(self, bucket: str) -> list[str]:
        """Sorted as S3 lists them (by code point, which is the order of their UTF-8 too)."""
        with self._lock:
            return sorted(self._objects(bucket))

    def get(self, bucket: str, key: str) -> StoredObject | None:
        with self._lock:
            return self._objects(bucket).get(key)

    def __getitem__(self, place: tuple[str, str]) -> StoredObject:
        bucket, key = place
        with self._lock:
            return self._objects(bucket)[key]

    def put(self, bucket: str, key: str, stored: StoredObject | bytes) -> StoredObject:
        """Store an object, or bytes as one."""
        if isinstance(stored, bytes):
            content = Content.of(stored)
            stored = StoredObject(content, f'"{content.md5}"', {})
        with self._lock:
            self._objects(bucket)[key] = stored
        return stored

    def put_generated(self, bucket: str, key: str, size: int) -> StoredObject:
        """An object of `generated_bytes(0, size)` that takes no memory; its ETag is made up."""
        etag = f'"{size:032x}"'
        return self.put(bucket, key, StoredObject(Content(size, "", None, None), etag, {}))

    def delete(self, bucket: str, key: str) -> None:
        with self._lock:
            self._objects(bucket).pop(key, None)

    def start_upload(self, upload: Upload) -> str:
        """The new upload's id."""
        with self._lock:
            self._objects(upload.bucket)
            upload_id = f"upload{next(self._numbers)}"
            self.uploads[upload_id] = upload
            return upload_id

    def _objects(self, bucket: str) -> dict[str, StoredObject]:
        try:
            return self._buckets[bucket]
        except KeyError:
            raise NoSuchBucketError(bucket) from None
