"""S3's errors, as AIStore writes them."""

from __future__ import annotations

from typing import Iterable

from ..wire import Ending, Response
from . import xml


class S3Error(Exception):
    """Answered to the client as S3 does; `headers` go before those that every error has."""

    def __init__(self, status: int, code: str, message: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers

    def response(self, ending: Ending = Ending.KEEP) -> Response:
        body = xml.written(
            "Error", [("Code", self.code), ("Message", self.message), ("Resource", ""), ("RequestId", "")]
        )
        headers = [*self.headers, ("Content-Type", "application/xml"), ("X-Content-Type-Options", "nosniff")]
        return Response(self.status, headers, body, ending=ending)


def no_such_bucket(bucket: str) -> S3Error:
    return S3Error(404, "NoSuchBucket", f'bucket "{bucket}" does not exist')


def no_such_key(key: str) -> S3Error:
    return S3Error(404, "NoSuchKey", f'object "{key}" does not exist')


def invalid_request() -> S3Error:
    """AIStore's, for what its S3 API has no handler for."""
    return S3Error(400, "", "invalid s3 request")


def not_simulated(what: str) -> S3Error:
    return S3Error(501, "NotImplemented", f"the simulated cluster does not do {what}")
