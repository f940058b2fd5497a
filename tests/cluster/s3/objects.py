"""Calls about one object: put, get, head, delete, copy."""

from __future__ import annotations

from urllib.parse import unquote

from ..store import Store, StoredObject
from ..wire import Response
from . import conditions, xml
from .call import Call
from .errors import no_such_bucket, no_such_key, not_simulated
from .listing import iso_date
from .multipart import Multipart
from .payload import Payload
from .ranges import byte_range

KEPT_HEADERS = (
    "content-type",
    "cache-control",
    "content-disposition",
    "content-language",
    "expires",
)


class Objects:
    """Answers every call that is about one object."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._multipart = Multipart(store)

    def answer(self, call: Call) -> Response:
        if call.bucket not in self._store:
            raise no_such_bucket(call.bucket)
        if "uploadId" in call.params:
            call.refuse_not_simulated("partNumber")
            return self._multipart.answer(call, self._copied(call) if is_copy(call) else None)
        call.refuse_not_simulated()
        if "uploads" in call.params and call.method == "POST":
            return self._multipart.create(call, kept_headers(call))
        if call.method == "PUT":
            return self._copy(call) if is_copy(call) else self._put(call)
        if call.method in ("GET", "HEAD"):
            return self._get(call)
        if call.method == "DELETE":
            conditions.check(call, self._store.get(call.bucket, call.key))
            self._store.delete(call.bucket, call.key)
            return Response(204)
        raise not_simulated(f"{call.method} on an object")

    def _put(self, call: Call) -> Response:
        conditions.check(call, self._store.get(call.bucket, call.key))
        payload = Payload(call.request, self._store.keeps_up_to)
        etag = f'"{payload.content.md5}"'
        stored = StoredObject(payload.content, etag, kept_headers(call), payload.checksums)
        self._store.put(call.bucket, call.key, stored)
        return Response(200, [("ETag", stored.etag), *payload.checksums.items()])

    def _get(self, call: Call) -> Response:
        stored = self._store.get(call.bucket, call.key)
        if stored is None:
            raise no_such_key(call.key)
        if conditions.failing(call, stored) in conditions.NOT_MODIFIED:
            return Response(304, [("ETag", stored.etag)])
        conditions.check(call, stored)
        headers = [
            ("Content-Type", "binary/octet-stream"),
            ("Accept-Ranges", "bytes"),
            ("ETag", stored.etag),
            ("Last-Modified", stored.modified),
        ]
        headers[0:1] = [] if "content-type" in stored.headers else headers[0:1]
        headers += stored.headers.items()
        return _ranged(call, stored, headers)

    def _copy(self, call: Call) -> Response:
        Payload(call.request)
        source = self._copied(call)
        replaces = call.header("x-amz-metadata-directive") == "REPLACE"
        headers = kept_headers(call) if replaces else source.headers
        copy = StoredObject(source.content, source.etag, headers, source.checksums)
        self._store.put(call.bucket, call.key, copy)
        return xml.document("CopyObjectResult", [("ETag", copy.etag), ("LastModified", iso_date(copy))])

    def _copied(self, call: Call) -> StoredObject:
        source, _, version = call.header("x-amz-copy-source").partition("?")
        if version:
            raise not_simulated("versions")
        bucket, _, key = unquote(source, errors="surrogateescape").lstrip("/").partition("/")
        if bucket not in self._store:
            raise no_such_bucket(bucket)
        stored = self._store.get(bucket, key)
        if stored is None:
            raise no_such_key(key)
        conditions.check(call, stored, conditions.OF_SOURCE)
        return stored


def kept_headers(call: Call) -> dict[str, str]:
    """Those of the request that a GET gives back."""
    headers = {name: call.header(name) for name in KEPT_HEADERS if name in call.request.headers}
    headers.update(call.request.headers.with_prefix("x-amz-meta-"))
    encodings = [part.strip() for part in call.header("Content-Encoding").split(",")]
    encoding = ",".join(part for part in encodings if part not in ("", "aws-chunked"))
    return {**headers, "content-encoding": encoding} if encoding else headers


def _ranged(call: Call, stored: StoredObject, headers: list[tuple[str, str]]) -> Response:
    size = stored.content.size
    wanted = byte_range(call.header("Range"), size)
    if wanted is not None:
        start, stop = wanted
        headers.append(("Content-Range", f"bytes {start}-{stop - 1}/{size}"))
        return Response(206, headers, stored.content.read(start, stop), length=stop - start)
    if call.header("x-amz-checksum-mode") == "ENABLED":
        headers += stored.checksums.items()
    return Response(200, headers, stored.content.read(0, size), length=size)


def is_copy(call: Call) -> bool:
    return "x-amz-copy-source" in call.request.headers
