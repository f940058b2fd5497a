"""Checks a request's signature from what was received on the wire: Signature Version 4, and 2.

Sources: the AWS documentation pages "Authenticating Requests (AWS Signature Version 4)" and "Signing and
Authenticating REST Requests" (version 2).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import Mapping
from urllib.parse import unquote_to_bytes

from .s3.call import call_of, split_prefix
from .s3.errors import S3Error, not_simulated
from .wire import Request

_V4 = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/, ]+)/(?P<scope>\d{8}/[^/, ]+/s3/aws4_request), ?"
    r"SignedHeaders=(?P<headers>[^, ]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
_V2 = re.compile(r"AWS (?P<key>[^: ]+):(?P<signature>\S+)")
_V4_PAYLOADS = re.compile("[0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-UNSIGNED-PAYLOAD-TRAILER")
# Parameters that are part of what version 2 signs.
_V2_RESOURCES = frozenset(
    {
        "acl",
        "delete",
        "location",
        "partNumber",
        "tagging",
        "uploadId",
        "uploads",
        "versionId",
        "versioning",
        "response-cache-control",
        "response-content-disposition",
        "response-content-encoding",
        "response-content-language",
        "response-content-type",
        "response-expires",
    }
)


class Verifier:
    """Refuses requests that are not signed, or not well; `secrets` has the secret key of each access key."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = secrets

    def __call__(self, request: Request) -> None:
        """Raises S3Error (403) unless the signature in the Authorization header is right."""
        authorization = request.headers.get("Authorization")
        v4, v2 = _V4.fullmatch(authorization), _V2.fullmatch(authorization)
        if v4 is not None:
            signed = v4["signature"] == self._v4(request, v4)
        elif v2 is not None:
            signed = v2["signature"] in self._v2(request, v2)
        else:
            raise S3Error(403, "AccessDenied", "the request is not signed with version 4 or 2")
        if not signed:
            raise S3Error(403, "SignatureDoesNotMatch", "the signature does not match the request as it was received")

    def _secret(self, access_key: str) -> str:
        try:
            return self._secrets[access_key]
        except KeyError:
            raise S3Error(403, "InvalidAccessKeyId", f"there is no access key {access_key!r}") from None

    def _v4(self, request: Request, parts: re.Match[str]) -> str:
        names = parts["headers"].split(";")
        _check_signed_headers(request, names)
        canonical = canonical_request(request, names)
        date, region, service, terminator = parts["scope"].split("/")
        text = "\n".join(["AWS4-HMAC-SHA256", request.headers.get("X-Amz-Date"), parts["scope"], _sha256(canonical)])
        key = f"AWS4{self._secret(parts['key'])}".encode()
        for step in (date, region, service, terminator):
            key = _hmac(key, step)
        return _hmac(key, text).hex()

    def _v2(self, request: Request, parts: re.Match[str]) -> list[str]:
        secret = self._secret(parts["key"]).encode()
        return [
            base64.b64encode(hmac.new(secret, text.encode("latin-1"), hashlib.sha1).digest()).decode()
            for text in _v2_texts(request)
        ]


def canonical_request(request: Request, signed_headers: list[str]) -> bytes:
    """Version 4's canonical request. Path and query are taken as they are on the wire: not encoded again."""
    headers = [f"{name}:{','.join(map(_folded, request.headers.all(name)))}\n" for name in signed_headers]
    payload = request.headers.get("x-amz-content-sha256")
    lines = [
        request.method.encode(),
        request.path or b"/",
        _canonical_query(request.query),
        "".join(headers).encode("latin-1"),
        ";".join(signed_headers).encode(),
        payload.encode(),
    ]
    return b"\n".join(lines)


def _check_signed_headers(request: Request, names: list[str]) -> None:
    must = {"host", *request.headers.with_prefix("x-amz-")}
    if not must.issubset(names):
        missing = ", ".join(sorted(must.difference(names)))
        raise S3Error(403, "AccessDenied", f"headers that must be signed and are not: {missing}")
    payload = request.headers.get("x-amz-content-sha256")
    if payload.startswith("STREAMING-AWS4-"):
        raise not_simulated(f"signatures of single chunks ({payload})")
    if not _V4_PAYLOADS.fullmatch(payload):
        raise S3Error(400, "InvalidArgument", f"x-amz-content-sha256 is {payload!r}")


def _canonical_query(query: bytes) -> bytes:
    pairs = sorted(pair.partition(b"=")[::2] for pair in query.split(b"&") if pair)
    return b"&".join(name + b"=" + value for name, value in pairs)


def _folded(value: str) -> str:
    return " ".join(value.split())


def _v2_texts(request: Request) -> list[str]:
    """What version 2 signs, in each of the ways in which botocore's releases write the resource.

    They differ in the endpoint's path (`/s3`), and in the slash after a bucket alone.
    """
    get = request.headers.get
    amz = "".join(f"{name}:{value}\n" for name, value in sorted(request.headers.with_prefix("x-amz-").items()))
    date = "" if "x-amz-date" in request.headers else get("Date")
    head = f"{request.method}\n{get('Content-MD5')}\n{get('Content-Type')}\n{date}\n{amz}"
    pairs = [pair.partition("=")[::2] for pair in request.query.decode("latin-1").split("&")]
    signed = sorted((name, value) for name, value in pairs if name in _V2_RESOURCES)
    # The value of a parameter is signed decoded.
    query = "&".join(f"{name}={unquote_to_bytes(value).decode('latin-1')}" if value else name for name, value in signed)
    query = f"?{query}" if query else ""
    return [head + path.decode("latin-1") + query for path in _v2_paths(request)]


def _v2_paths(request: Request) -> list[bytes]:
    call = call_of(request)
    path = split_prefix(call.plain_path)[1]
    return [request.path, call.plain_path, path if call.key else path.rstrip(b"/") + b"/", path]


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode("latin-1"), hashlib.sha256).digest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
