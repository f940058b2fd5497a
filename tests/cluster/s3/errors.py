"""S3's errors."""

from __future__ import annotations

from xml.sax.saxutils import escape

from ..wire import Ending, Response


class S3Error(Exception):
    """Answered to the client as S3 does."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message

    def response(self, ending: Ending = Ending.KEEP) -> Response:
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f"<Error><Code>{escape(self.code)}</Code><Message>{escape(self.message)}</Message></Error>"
        )
        headers = [("Content-Type", "application/xml")]
        return Response(self.status, headers, body.encode("utf-8", "replace"), ending=ending)


def no_such_bucket(bucket: str) -> S3Error:
    return S3Error(404, "NoSuchBucket", f"there is no bucket {bucket!r}")


def no_such_key(key: str) -> S3Error:
    return S3Error(404, "NoSuchKey", f"there is no object {key!r}")


def not_simulated(what: str) -> S3Error:
    return S3Error(501, "NotImplemented", f"the simulated cluster does not do {what}")
