"""Calls about one object, as a target takes them (ais/tgts3.go): by method, and hardly by anything else."""

from __future__ import annotations

from typing import Callable
from urllib.parse import unquote_plus

from ..s3 import xml
from ..s3.call import Call
from ..s3.errors import S3Error, invalid_request, no_such_bucket, no_such_key, not_simulated
from ..s3.listing import iso_date
from ..s3.multipart import Multipart
from ..s3.objects import is_copy, ranged
from ..s3.payload import Payload
from ..store import Store, StoredObject
from ..wire import Response
from . import names


class Objects:
    """Answers every call that is about one object.

    No condition, version, tag, ACL, lock, encryption, metadata or checksum of the client is ever looked at.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._multipart = Multipart(store, verifies=False)
        self._by_method: dict[str, Callable[[Call], Response]] = {
            "GET": self._get,
            "HEAD": self._read,
            "PUT": self._put,
            "POST": self._post,
            "DELETE": self._delete,
        }

    def answer(self, call: Call) -> Response:
        if call.bucket not in self._store:
            raise no_such_bucket(call.bucket)
        if call.method not in self._by_method:
            raise not_simulated(f"{call.method} on an object")
        return self._by_method[call.method](call)

    def _get(self, call: Call) -> Response:
        if call.has("partNumber"):
            raise not_simulated("parts of an object")
        return self._multipart.answer(call) if call.params.get("uploadId") else self._read(call)

    def _read(self, call: Call) -> Response:
        stored = self._stored(call.bucket, call.key)
        headers = [
            ("Content-Type", "application/octet-stream"),
            ("Etag", stored.etag),
            ("Last-Modified", stored.modified),
        ]
        return ranged(call, stored, headers)

    def _put(self, call: Call) -> Response:
        if call.has("partNumber") and call.has("uploadId"):
            if is_copy(call):
                raise S3Error(501, "", "UploadPartCopy not implemented yet")
            return self._multipart.answer(call)
        if is_copy(call):
            return self._copy(call)
        content = Payload(call.request, self._store.keeps_up_to, verifies=False).content
        stored = self._store.put(call.bucket, call.key, StoredObject(content, f'"{content.md5}"', {}))
        return Response(200, [("Etag", stored.etag), ("Last-Modified", stored.modified)])

    def _copy(self, call: Call) -> Response:
        Payload(call.request, verifies=False)
        # A version in it is taken for a part of the key. Leading and trailing slashes are dropped, others kept.
        source = unquote_plus(call.header("x-amz-copy-source"), errors="surrogateescape").strip("/")
        bucket, _, key = source.partition("/")
        names.refuse_invalid(key.strip("/"))
        if bucket not in self._store:
            raise no_such_bucket(bucket)
        found = self._stored(bucket, key.strip("/"))
        copy = self._store.put(call.bucket, call.key, StoredObject(found.content, found.etag, {}))
        return xml.document("CopyObjectResult", [("LastModified", iso_date(copy)), ("ETag", copy.etag)], "")

    def _post(self, call: Call) -> Response:
        if call.has("uploads"):
            return self._multipart.create(call, {})
        if call.has("uploadId"):
            return self._multipart.answer(call)
        raise invalid_request()

    def _delete(self, call: Call) -> Response:
        if call.has("uploadId"):
            return self._multipart.answer(call)
        self._stored(call.bucket, call.key)
        self._store.delete(call.bucket, call.key)
        return Response(200)

    def _stored(self, bucket: str, key: str) -> StoredObject:
        stored = self._store.get(bucket, key)
        if stored is None:
            raise no_such_key(key)
        return stored
