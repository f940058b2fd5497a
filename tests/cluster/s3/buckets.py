"""Calls about buckets: create, head, list, delete, and batch delete."""

from __future__ import annotations

import itertools
from typing import Iterator
from urllib.parse import quote

from ..store import Store, StoredObject
from ..wire import Response
from . import xml
from .call import Call
from .errors import S3Error, no_such_bucket, not_simulated
from .listing import grouped, iso_date
from .payload import Payload

PAGE = 1000


class Buckets:
    """Answers every call that is not about one object."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def answer(self, call: Call) -> Response:
        if not call.bucket:
            return self._list_buckets(call)
        call.refuse_not_simulated()
        if call.method == "PUT":
            return self._create(call)
        if call.bucket not in self._store:
            raise no_such_bucket(call.bucket)
        if call.method == "HEAD":
            return Response(200)
        if call.method == "GET":
            return self._get(call)
        if call.method == "DELETE":
            return self._delete(call)
        if call.method == "POST" and "delete" in call.params:
            return self._delete_objects(call)
        raise not_simulated(f"{call.method} on a bucket")

    def _list_buckets(self, call: Call) -> Response:
        if call.method != "GET":
            raise not_simulated(f"{call.method} on the service")
        buckets: xml.Nodes = [
            ("Bucket", [("Name", name), ("CreationDate", "2026-01-01T00:00:00.000Z")]) for name in self._store.buckets
        ]
        owner: xml.Nodes = [("ID", "simulated"), ("DisplayName", "simulated")]
        return xml.document("ListAllMyBucketsResult", [("Owner", owner), ("Buckets", buckets)])

    def _create(self, call: Call) -> Response:
        Payload(call.request)
        if not self._store.create_bucket(call.bucket):
            raise S3Error(409, "BucketAlreadyOwnedByYou", f"there is a bucket {call.bucket!r}")
        return Response(200, [("Location", f"/{call.bucket}")])

    def _delete(self, call: Call) -> Response:
        if not self._store.delete_bucket(call.bucket):
            raise S3Error(409, "BucketNotEmpty", f"bucket {call.bucket!r} has objects")
        return Response(204)

    def _get(self, call: Call) -> Response:
        if "location" in call.params:
            return xml.document("LocationConstraint", [])
        if "versioning" in call.params:
            return xml.document("VersioningConfiguration", [])
        if "uploads" in call.params:
            return self._list_uploads(call)
        return _Listing(self._store, call).response()

    def _list_uploads(self, call: Call) -> Response:
        uploads: xml.Nodes = [
            ("Upload", [("Key", upload.key), ("UploadId", upload_id)])
            for upload_id, upload in list(self._store.uploads.items())
            if upload.bucket == call.bucket and upload.key.startswith(call.params.get("prefix", ""))
        ]
        return xml.document("ListMultipartUploadsResult", [("Bucket", call.bucket), ("IsTruncated", "false"), *uploads])

    def _delete_objects(self, call: Call) -> Response:
        root = Payload(call.request).document()
        if root.find("*/VersionId") is not None:
            raise not_simulated("versions")
        keys = [element.text or "" for element in root.iter("Key")]
        for key in keys:
            self._store.delete(call.bucket, key)
        quiet = root.findtext("Quiet") == "true"
        return xml.document("DeleteResult", [] if quiet else [("Deleted", [("Key", key)]) for key in keys])


class _Listing:
    """One page of a bucket's keys, for both versions of the call."""

    def __init__(self, store: Store, call: Call) -> None:
        self._store = store
        self._call = call
        self._prefix = call.params.get("prefix", "")
        self._delimiter = call.params.get("delimiter", "")
        self._v2 = call.params.get("list-type") == "2"
        self._limit = min(call.integer("max-keys", PAGE), PAGE)
        self._encodes = call.params.get("encoding-type") == "url"

    def response(self) -> Response:
        rows = list(itertools.islice(self._rows(), self._limit + 1))
        truncated = len(rows) > self._limit
        rows = rows[: self._limit]
        nodes: xml.Nodes = [
            ("Name", self._call.bucket),
            ("Prefix", self._text(self._prefix)),
            ("Delimiter", self._text(self._delimiter)),
            ("MaxKeys", self._limit),
            ("IsTruncated", str(truncated).lower()),
            *self._position(rows[-1][0] if truncated and rows else None, len(rows)),
        ]
        if self._encodes:
            nodes.append(("EncodingType", "url"))
        return xml.document("ListBucketResult", [*nodes, *(self._node(name, found) for name, found in rows)])

    def _rows(self) -> Iterator[tuple[str, StoredObject | None]]:
        """Keys with their objects and common prefixes with None, after the marker, in order."""
        keys = self._store.keys(self._call.bucket)
        for name, is_key in grouped(keys, self._prefix, self._delimiter, self._marker()):
            found = self._store.get(self._call.bucket, name)
            if not is_key:
                yield name, None
            elif found is not None:  # deleted in the meantime
                yield name, found

    def _marker(self) -> str:
        if not self._v2:
            return self._call.params.get("marker", "")
        token = self._call.params.get("continuation-token", "")
        if not token:
            return self._call.params.get("start-after", "")
        try:
            return bytes.fromhex(token).decode("utf-8", "surrogateescape")
        except ValueError:
            raise S3Error(400, "InvalidArgument", "the continuation token is not one of ours") from None

    def _position(self, last: str | None, count: int) -> xml.Nodes:
        if not self._v2:
            nodes: xml.Nodes = [("Marker", self._text(self._marker()))]
            return nodes if last is None else [*nodes, ("NextMarker", self._text(last))]
        nodes = [("KeyCount", count)]
        if "start-after" in self._call.params:
            nodes.append(("StartAfter", self._text(self._call.params["start-after"])))
        if "continuation-token" in self._call.params:
            nodes.append(("ContinuationToken", self._call.params["continuation-token"]))
        if last is not None:
            nodes.append(("NextContinuationToken", last.encode("utf-8", "surrogateescape").hex()))
        return nodes

    def _node(self, name: str, found: StoredObject | None) -> xml.Node:
        if found is None:
            return "CommonPrefixes", [("Prefix", self._text(name))]
        return "Contents", [
            ("Key", self._text(name)),
            ("LastModified", iso_date(found)),
            ("ETag", found.etag),
            ("Size", found.content.size),
            ("StorageClass", "STANDARD"),
        ]

    def _text(self, text: str) -> str:
        return quote(text, safe="/", errors="surrogateescape") if self._encodes else text
