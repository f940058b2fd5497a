"""Calls about one object, as a target takes them (ais/tgts3.go): by method, and hardly by anything else."""

from __future__ import annotations

import hashlib
from typing import Callable
from urllib.parse import unquote_plus

from ..s3 import xml
from ..s3.call import Call
from ..s3.errors import S3Error, invalid_request, no_such_bucket, no_such_key, not_simulated
from ..s3.listing import iso_date
from ..s3.objects import is_copy
from ..s3.payload import Payload
from ..s3.ranges import byte_range
from ..store import Store, StoredObject
from ..wire import Response
from . import names
from .multipart import Multipart


class Objects:
    """Answers every call that is about one object.

    No condition, version, tag, ACL, lock, encryption, metadata or checksum of the client is ever looked at.

    :param targets: of the cluster; with several, copies are what they are when source and copy lie on different ones
    """

    def __init__(self, store: Store, targets: int) -> None:
        self._store = store
        self._targets = targets
        self._multipart = Multipart(store)
        self._by_method: dict[str, Callable[[Call], Response]] = {
            "GET": self._get,
            "HEAD": self._head,
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
            return self._get_part(call)
        if call.params.get("uploadId"):
            return self._multipart.answer(call)
        stored = self._stored(call.bucket, call.key)
        size = stored.content.size
        start, stop = _range(call, size)
        length = ("Content-Length", str(stop - start))
        headers = [length, ("Content-Type", "application/octet-stream"), *_validators(stored)]
        if call.header("Range"):
            headers[:1] = [("Accept-Ranges", "bytes"), length, ("Content-Range", f"bytes {start}-{stop - 1}/{size}")]
        status = 206 if call.header("Range") else 200
        return Response(status, headers, stored.content.read(start, stop), length=stop - start)

    def _get_part(self, call: Call) -> Response:
        if "-" in self._stored(call.bucket, call.key).etag:
            raise not_simulated("parts of an object")
        raise S3Error(400, "wrapError", "the object was not uploaded in parts")

    def _head(self, call: Call) -> Response:
        """Of the whole object, whatever range is asked for."""
        stored = self._stored(call.bucket, call.key)
        # A bucket's checksum is xxhash2 unless told otherwise; the standard library has none.
        checksum = hashlib.md5(stored.etag.encode()).hexdigest()[:16]
        metadata = [("X-Amz-Meta-Ais-Cksum-Type", "xxhash2"), ("X-Amz-Meta-Ais-Cksum-Val", checksum)]
        return Response(200, [("Content-Length", str(stored.content.size)), *_validators(stored), *metadata])

    def _put(self, call: Call) -> Response:
        if call.has("partNumber") and call.has("uploadId"):
            if is_copy(call):
                raise S3Error(501, "", "UploadPartCopy not implemented yet")
            return self._multipart.answer(call)
        if is_copy(call):
            return self._copy(call)
        content = Payload(call.request, self._store.keeps_up_to, verifies=False).content
        stored = self._store.put(call.bucket, call.key, StoredObject(content, f'"{content.md5}"', {}))
        return Response(200, _validators(stored))

    def _copy(self, call: Call) -> Response:
        Payload(call.request, verifies=False)
        sent = call.header("x-amz-copy-source")
        bucket, key = names.of_copy_source(unquote_plus(sent, errors="surrogateescape"))
        names.refuse_invalid(key)
        if bucket not in self._store:
            raise no_such_bucket(bucket)
        found = self._store.get(bucket, key)
        # The gateway goes by the name as it is sent, so that an escaped one is looked for on another target.
        if found is None or (self._targets > 1 and "%" in sent):
            raise S3Error(400, "ErrNotFound", f"ais://{bucket}/{key} does not exist")
        copy = StoredObject(found.content, found.etag, {})
        name = names.of_copy(call.key) if self._targets > 1 else call.key
        if name:
            self._store.put(call.bucket, name, copy)
        return xml.document("CopyObjectResult", [("LastModified", iso_date(copy)), ("ETag", "")], "")

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


def _validators(stored: StoredObject) -> list[tuple[str, str]]:
    return [("Etag", stored.etag), ("Last-Modified", stored.modified)]


def _range(call: Call, size: int) -> tuple[int, int]:
    """From where up to where (exclusive); what HTTP lets servers ignore, several ranges too, is refused."""
    text = call.header("Range")
    if not text:
        return 0, size
    try:
        wanted = byte_range(text, size)
    except S3Error:
        where = [("Content-Range", f"bytes */{size}")]
        raise S3Error(416, "ErrRangeNotSatisfiable", f"size={size}: not satisfiable range {text}", where) from None
    if wanted is None:
        raise S3Error(416, "ErrUnsupp" if "," in text else "", f'cannot read range "{text}"')
    return wanted
