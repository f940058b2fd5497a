"""Calls about multipart uploads."""

from __future__ import annotations

import hashlib
from xml.etree.ElementTree import Element

from ..store import Content, Store, StoredObject, Upload
from ..wire import Response
from . import conditions, xml
from .call import Call
from .errors import S3Error, not_simulated
from .payload import Payload
from .ranges import byte_range


class Multipart:
    """Answers the calls of one multipart upload, from its creation to its end."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, call: Call, headers: dict[str, str]) -> Response:
        self._payload(call)
        upload_id = self._store.start_upload(Upload(call.bucket, call.key, headers))
        return xml.document("InitiateMultipartUploadResult", [*_place(call), ("UploadId", upload_id)])

    def answer(self, call: Call, copied: StoredObject | None = None) -> Response:
        """`copied` is the object that an UploadPartCopy names."""
        upload = self._upload(call)
        if call.method == "PUT" and copied is not None:
            return self._copy_part(call, upload, copied)
        if call.method == "PUT":
            return self._put_part(call, upload)
        if call.method == "GET":
            return self._list_parts(call, upload)
        if call.method == "POST":
            return self._complete(call, upload)
        if call.method == "DELETE":
            self._store.uploads.pop(call.params["uploadId"], None)
            return Response(204)
        raise not_simulated(f"{call.method} on a multipart upload")

    def _upload(self, call: Call) -> Upload:
        upload = self._store.uploads.get(call.params["uploadId"])
        if upload is None or (upload.bucket, upload.key) != (call.bucket, call.key):
            raise S3Error(404, "NoSuchUpload", "there is no such upload of that object")
        return upload

    def _put_part(self, call: Call, upload: Upload) -> Response:
        payload = self._payload(call)
        upload.parts[_part_number(call)] = payload.content
        return Response(200, [("ETag", f'"{payload.content.md5}"'), *payload.checksums.items()])

    def _copy_part(self, call: Call, upload: Upload, copied: StoredObject) -> Response:
        self._payload(call)
        size = copied.content.size
        start, stop = byte_range(call.header("x-amz-copy-source-range"), size) or (0, size)
        data = copied.content.read(start, stop)
        part = Content.of(data if isinstance(data, bytes) else b"".join(data))
        upload.parts[_part_number(call)] = part
        return xml.document("CopyPartResult", [("ETag", f'"{part.md5}"')])

    def _list_parts(self, call: Call, upload: Upload) -> Response:
        parts: xml.Nodes = [
            ("Part", [("PartNumber", number), ("ETag", f'"{part.md5}"'), ("Size", part.size)])
            for number, part in sorted(upload.parts.items())
        ]
        upload_id = call.params["uploadId"]
        nodes: xml.Nodes = [*_place(call), ("UploadId", upload_id), ("IsTruncated", "false")]
        return xml.document("ListPartsResult", [*nodes, *parts])

    def _complete(self, call: Call, upload: Upload) -> Response:
        self._check_conditions(call)
        parts = self._chosen(self._payload(call).document(), upload)
        digest = hashlib.md5(b"".join(bytes.fromhex(part.md5) for part in parts)).hexdigest()
        stored = StoredObject(_joined(parts), f'"{digest}-{len(parts)}"', upload.headers)
        self._store.put(call.bucket, call.key, stored)
        self._store.uploads.pop(call.params["uploadId"], None)
        return xml.document("CompleteMultipartUploadResult", [*_place(call), ("ETag", stored.etag)])

    def _payload(self, call: Call) -> Payload:
        return Payload(call.request, self._store.keeps_up_to)

    def _check_conditions(self, call: Call) -> None:
        conditions.check(call, self._store.get(call.bucket, call.key))

    def _chosen(self, root: Element, upload: Upload) -> list[Content]:
        """The parts that the client lists, in its order."""
        listed = listed_parts(root)
        for number, etag in listed:
            if number not in upload.parts or etag != upload.parts[number].md5:
                raise S3Error(400, "InvalidPart", f"part {number} was not uploaded with that ETag")
        numbers = [number for number, _ in listed]
        if not numbers or numbers != sorted(set(numbers)):
            raise S3Error(400, "InvalidPartOrder", "parts must be listed once each, in ascending order")
        return [upload.parts[number] for number in numbers]


def _place(call: Call) -> xml.Nodes:
    return [("Bucket", call.bucket), ("Key", call.key)]


def _part_number(call: Call) -> int:
    return _number(call.params.get("partNumber", ""))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= 10000:
        raise S3Error(400, "InvalidArgument", f"a part's number is from 1 to 10000, not {text!r}")
    return int(text)


def listed_parts(root: Element) -> list[tuple[int, str]]:
    """Numbers and ETags of the parts in a document that completes an upload."""
    return [
        (_number(part.findtext("PartNumber") or ""), (part.findtext("ETag") or "").strip('"'))
        for part in root.iter("Part")
    ]


def _joined(parts: list[Content]) -> Content:
    kept = [part.data for part in parts if part.data is not None]
    if len(kept) == len(parts):
        return Content.of(b"".join(kept))
    return Content(sum(part.size for part in parts), "", None, None)
