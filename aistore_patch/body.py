"""The body of a request, and how to send it a second time.

botocore rewinds a body to position 0 (`AWSPreparedRequest.reset_stream`, all versions), which is another body than the
one meant where the caller's stream stood elsewhere when the call was made.
"""

from __future__ import annotations

import inspect
import io
from typing import Any

_AT_REST = (bytes, str, bytearray, memoryview, dict, type(None))

_FRAMES = ("AwsChunkedWrapper", "AioAwsChunkedWrapper")  # of botocore, and of aiobotocore


class NotRewindable(Exception):
    """The body was read, at least in part, and its stream cannot go back to where it stood."""


class Unrewindable:
    """Wraps a stream that cannot be rewound, and records whether any of it was read."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.was_read = False

    def read(self, size: int | None = -1) -> Any:
        """As the stream's own `read`."""
        self.was_read = True
        return self._stream.read(-1 if size is None else size)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = getattr(self._stream, name)
        return self._noticed(found) if name.startswith("read") and name != "readable" else found

    def __bool__(self) -> bool:
        return bool(self._stream)

    def __repr__(self) -> str:
        return repr(self._stream)  # so that errors name the caller's stream

    def _noticed(self, read: Any) -> Any:
        def reading(*args: Any, **kwargs: Any) -> Any:
            self.was_read = True
            return read(*args, **kwargs)

        return reading


class SizedUnrewindable(Unrewindable):
    """The same for a stream that knows its length, so that botocore can still announce it."""

    def __len__(self) -> int:
        return len(self._stream)


class Body:
    """The body of one API call: remembers where its stream stood when the call was made.

    Args:
        request_dict: botocore's description of the request.
        may_replace: whether a stream that cannot be rewound may be replaced in it by one that notices whether it was
            read; aiohttp sends only streams of kinds that it knows.
    """

    def __init__(self, request_dict: dict[str, Any], *, may_replace: bool = True) -> None:
        body: Any = request_dict.get("body")
        # AwsChunkedWrapper (botocore >= 1.23.41) frames another stream, which is the one with a position.
        self._framed: Any = getattr(body, "_raw", None) if type(body).__name__ in _FRAMES else None
        self._body = body
        self._stream = body if self._framed is None else self._framed
        self._start = _position(self._stream)
        # A stream of text has to remain one: http.client encodes what it gives.
        is_replaced = may_replace and self._start is None and hasattr(self._stream, "read")
        if is_replaced and not isinstance(self._stream, io.TextIOBase):
            self._stream = (SizedUnrewindable if hasattr(self._stream, "__len__") else Unrewindable)(self._stream)
            if self._framed is None:
                request_dict["body"] = self._stream
            else:
                self._body._raw = self._stream

    def rewind(self) -> None:
        """Go back to where the stream stood when the call was made.

        Raises:
            NotRewindable: it was read and cannot.
        """
        if isinstance(self._stream, _AT_REST):
            return
        if isinstance(self._stream, Unrewindable):
            if self._stream.was_read:
                raise NotRewindable
            return
        if self._start is None:
            raise NotRewindable  # whether any of it was read is not known
        try:
            if self._framed is not None:
                self._body.seek(0)  # resets the framing and the checksum, and goes to 0
            self._stream.seek(self._start)
        except Exception:  # whatever a caller's stream raises, the stream did not go back
            raise NotRewindable from None


def _position(stream: Any) -> int | None:
    """Where the stream stands, None where it cannot tell or cannot go back."""
    try:
        position = stream.tell()
        if _is_awaitable(position) or _is_awaitable(stream.seek(position)):
            return None
    except Exception:  # whatever a caller's stream raises, it is of no use
        return None
    return position  # type: ignore[no-any-return]  # it is the stream's own


def _is_awaitable(result: Any) -> bool:
    """Whether an asynchronous stream has only promised to do what it was asked to; then it is not done."""
    if inspect.iscoroutine(result):
        result.close()  # else Python warns that nobody has waited for it
    return inspect.isawaitable(result)
