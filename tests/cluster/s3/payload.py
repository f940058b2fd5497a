"""A request's payload: its body decoded, and checked against what the client said about it."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import Callable, Iterator, Protocol
from xml.etree import ElementTree

from ..store import Content
from ..wire import Headers, Request, Source, unchunk
from .errors import S3Error

CHECKSUM = "x-amz-checksum-"


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


# Those that the standard library can compute; the others are stored as they come.
_CHECKED: dict[str, Callable[[], _Hash]] = {
    CHECKSUM + "crc32": _Crc32,
    CHECKSUM + "sha1": hashlib.sha1,
    CHECKSUM + "sha256": hashlib.sha256,
}


class Payload:
    """The content of a request's body, with the checksums that came with it.

    Its size, and the hash of it that the client has signed, are checked in any case.

    :param verifies: check MD5 and checksums too, and keep them; AIStore does not look at them
    """

    def __init__(self, request: Request, keeps_up_to: int | None = None, *, verifies: bool = True) -> None:
        headers = request.headers
        self._trailers = Headers()
        announced = [*headers.with_prefix(CHECKSUM), headers.get("x-amz-trailer").lower().strip()] if verifies else []
        hashes = {name: _CHECKED[name]() for name in announced if name in _CHECKED}
        self.content = _read(self._pieces(request), list(hashes.values()), keeps_up_to)
        self.checksums: dict[str, str] = {}
        self._check_size(headers)
        self._check_sha256(request)
        if not verifies:
            return
        self.checksums = _values({**headers.with_prefix(CHECKSUM), **self._trailers.with_prefix(CHECKSUM)})
        self._check_md5(headers)
        for name, found in hashes.items():
            if self.checksums.get(name) != base64.b64encode(found.digest()).decode():
                raise S3Error(400, "BadDigest", f"the {name} you specified did not match what we received")

    def document(self) -> ElementTree.Element:
        """The root of the XML that the client sent, without namespaces."""
        try:
            root = ElementTree.fromstring(self.content.data or b"")
        except ElementTree.ParseError:
            raise S3Error(400, "MalformedXML", "the XML you provided was not well-formed") from None
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
        return root

    def _pieces(self, request: Request) -> Iterator[bytes]:
        signed_as = request.headers.get("x-amz-content-sha256")
        if signed_as.startswith("STREAMING-") or "aws-chunked" in request.headers.get("Content-Encoding"):
            return unchunk(Source(request.body.pull), self._trailers)
        return iter(request.body.pull, b"")

    def _check_size(self, headers: Headers) -> None:
        announced = headers.get("x-amz-decoded-content-length")
        if announced and announced != str(self.content.size):
            raise S3Error(400, "IncompleteBody", f"{announced} bytes announced, {self.content.size} received")

    def _check_md5(self, headers: Headers) -> None:
        announced = headers.get("Content-MD5")
        if announced and announced != base64.b64encode(bytes.fromhex(self.content.md5)).decode():
            raise S3Error(400, "BadDigest", "the Content-MD5 you specified did not match what we received")

    def _check_sha256(self, request: Request) -> None:
        announced = request.headers.get("x-amz-content-sha256")
        if len(announced) == 64 and announced != request.body.sha256:
            message = "x-amz-content-sha256 is not the hash of the body that was received"
            raise S3Error(400, "XAmzContentSHA256Mismatch", message)


def _values(checksums: dict[str, str]) -> dict[str, str]:
    not_values = (CHECKSUM + "algorithm", CHECKSUM + "mode", CHECKSUM + "type")
    return {name: value for name, value in checksums.items() if name not in not_values}


def _read(pieces: Iterator[bytes], hashes: list[_Hash], keeps_up_to: int | None) -> Content:
    md5, sha256, size = hashlib.md5(), hashlib.sha256(), 0
    kept: list[bytes] | None = []
    for piece in pieces:
        size += len(piece)
        for hashing in (md5, sha256, *hashes):
            hashing.update(piece)
        if keeps_up_to is not None and size > keeps_up_to:
            kept = None
        if kept is not None:
            kept.append(piece)
    data = None if kept is None else b"".join(kept)
    return Content(size, md5.hexdigest(), sha256.hexdigest(), data)
