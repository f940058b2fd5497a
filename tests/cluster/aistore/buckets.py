"""Calls about buckets, which the gateway answers whatever else they ask for (ais/prxs3.go)."""

from __future__ import annotations

from ..s3 import xml
from ..s3.call import Call
from ..s3.errors import S3Error, invalid_request, no_such_bucket
from ..s3.listing import grouped, iso_date
from ..s3.payload import Payload
from ..store import Store, StoredObject
from ..wire import Response
from . import names


class Buckets:
    """Answers every call that is not about one object."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list_all(self, call: Call) -> Response:
        if call.method != "GET":
            raise invalid_request()
        buckets: xml.Nodes = [
            ("Bucket", [("Name", name), ("CreationDate", "2026-01-01T00:00:00.000Z"), ("String", "Provider: ais")])
            for name in self._store.buckets
        ]
        owner: xml.Nodes = [("ID", "1"), ("DisplayName", "ListAllMyBucketsResult")]
        return xml.document("ListAllMyBucketsResult", [("Owner", owner), ("Buckets", buckets)], xml.AISTORE)

    def list_uploads(self, call: Call) -> Response:
        if call.bucket not in self._store:
            raise no_such_bucket(call.bucket)
        uploads: xml.Nodes = [
            ("Upload", [("Initiated", "2026-01-01T00:00:00Z"), ("Key", upload.key), ("UploadId", upload_id)])
            for upload_id, upload in list(self._store.uploads.items())
            if upload.bucket == call.bucket
        ]
        head: xml.Nodes = [("Bucket", call.bucket if uploads else ""), ("UploadIdMarker", "")]
        tail: xml.Nodes = [("MaxUploads", 0), ("IsTruncated", "false")]
        return xml.document("ListMultipartUploadsResult", [*head, *uploads, *tail], "")

    def answer(self, call: Call) -> Response:
        if call.method == "PUT":
            return self._put(call)
        if call.bucket not in self._store:
            raise no_such_bucket(call.bucket)
        if call.method == "HEAD":
            return Response(200, [("Server", "AIStore"), ("X-Amz-Bucket-Region", "ais")], (), length=None)
        if call.method == "GET":
            return self._versioning() if call.has("versioning") else self._list(call)
        if call.has("delete"):
            return self._delete_objects(call)
        if call.method == "DELETE":  # with all that is in it, and whatever a parameter asks to delete of it
            self._store.delete_bucket(call.bucket, even_if_full=True)
            return Response(200)
        raise invalid_request()

    def _put(self, call: Call) -> Response:
        """Creates the bucket, whatever a parameter asks to put."""
        Payload(call.request, verifies=False)
        if call.has("versioning") or self._store.create_bucket(call.bucket):
            return Response(200)
        taken = f'cannot create bucket "{call.bucket}" via S3 API: name already in use by ais://{call.bucket}'
        raise S3Error(409, "BucketAlreadyExists", taken)

    def _versioning(self) -> Response:
        return xml.document("VersioningConfiguration", [("Status", "Enabled")], "")

    def _list(self, call: Call) -> Response:
        """All keys at once, also where something else is asked for: of the location, of tags, of versions.

        Without those with a `?`, which lie on other targets than a list expects; on some clusters by chance not.
        """
        keys = [key for key in self._store.keys(call.bucket) if "?" not in key]
        delimiter = "/" if call.params.get("delimiter") else ""
        rows = list(grouped(keys, call.params.get("prefix", ""), delimiter, call.params.get("start-after", "")))
        found = [self._store.get(call.bucket, name) if is_key else None for name, is_key in rows]
        nodes: xml.Nodes = [
            ("Name", call.bucket),
            ("Prefix", ""),
            ("ContinuationToken", _left_over_token([name for name, _ in rows], call.integer("max-keys", 0))),
            *[_contents(name, stored) for (name, _), stored in zip(rows, found) if stored is not None],
            *[("CommonPrefixes", [("Prefix", name)]) for name, is_key in rows if not is_key],
            ("KeyCount", len(rows)),
            ("MaxKeys", 1000),
            ("IsTruncated", "false"),
        ]
        return xml.document("ListBucketResult", nodes, xml.AISTORE)

    def _delete_objects(self, call: Call) -> Response:
        """Versions and conditions are ignored, keys not cleaned, and all of them said to be deleted."""
        root = Payload(call.request, verifies=False).document()
        keys = [element.text or "" for element in root.iter("Key")]
        for key in keys:
            names.refuse_invalid(key)
        for key in keys:
            if "?" not in key:  # as in a list
                self._store.delete(call.bucket, key)
        if not keys:
            return Response(200)
        return xml.document("DeleteResult", [("Deleted", [("Key", key)]) for key in keys], "")


def _contents(name: str, stored: StoredObject) -> xml.Node:
    modified, size = iso_date(stored, ""), stored.content.size
    return "Contents", [("Key", name), ("LastModified", modified), ("ETag", ""), ("StorageClass", ""), ("Size", size)]


def _left_over_token(rows: list[str], page: int) -> str:
    """Of the last full page of those that were put together: the client is told, though it cannot need it."""
    in_full_pages = len(rows) // page * page if page else 0
    return rows[in_full_pages - 1] if in_full_pages else ""
