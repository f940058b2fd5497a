"""Multipart uploads as a target takes them (ais/tgts3mpt.go): ETags and conditions are not looked at, numbers are."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from ..s3 import multipart
from ..s3.call import Call
from ..s3.errors import S3Error
from ..s3.multipart import listed_parts
from ..s3.payload import Payload
from ..store import Content, Upload


class Multipart(multipart.Multipart):
    """Answers the calls of one multipart upload."""

    def _payload(self, call: Call) -> Payload:
        payload = Payload(call.request, self._store.keeps_up_to, verifies=False)
        if call.has("partNumber") and not payload.content.size:
            raise S3Error(400, "", "a part is empty")
        return payload

    def _check_conditions(self, call: Call) -> None:
        pass

    def _chosen(self, root: Element, upload: Upload) -> list[Content]:
        """All of the parts, from 1 on without a gap; others cannot be completed."""
        numbers = [number for number, _ in listed_parts(root)]
        if not numbers or set(numbers) != set(upload.parts) or max(numbers) != len(upload.parts):
            raise S3Error(400, "", f"parts {sorted(upload.parts)} were uploaded, {numbers} are listed")
        return [upload.parts[number] for number in sorted(numbers)]
