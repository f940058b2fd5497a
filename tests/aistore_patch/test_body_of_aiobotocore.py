"""Bodies as aiobotocore's seam takes them: none is replaced, and a promise to go back is not taken for going back."""

from __future__ import annotations

import io
from typing import Any

import pytest

from aistore_patch.body import Body, NotRewindable


class Asynchronous:
    """A stream of which some methods only promise, as those of aiofiles do."""

    def __init__(self, *promising: str) -> None:
        self._stream = io.BytesIO(b"content")
        self._promising = promising

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._stream, name)

        async def promised(*args: Any) -> Any:
            return method(*args)

        return promised if name in self._promising else method


@pytest.mark.parametrize("promising", [("tell", "seek"), ("seek",)])
@pytest.mark.filterwarnings("error")
def test_a_stream_that_only_promises_to_go_back_cannot(promising: tuple[str, ...]) -> None:
    params = {"body": Asynchronous(*promising)}
    stream = params["body"]
    body = Body(params, may_replace=False)
    assert params["body"] is stream
    with pytest.raises(NotRewindable):
        body.rewind()


def test_one_that_reads_asynchronously_and_goes_back_at_once_does() -> None:
    stream = Asynchronous("read")
    stream.seek(3)
    body = Body({"body": stream}, may_replace=False)
    stream.seek(0, io.SEEK_END)
    body.rewind()
    assert stream.tell() == 3


def test_what_aiobotocore_frames_is_rewound_in_its_frame() -> None:
    class AioAwsChunkedWrapper:
        def __init__(self, raw: Any) -> None:
            self._raw = raw

        def seek(self, position: int) -> None:
            self._raw.seek(position)

    stream = io.BytesIO(b"skipped" + b"content")
    stream.seek(7)
    body = Body({"body": AioAwsChunkedWrapper(stream)}, may_replace=False)
    stream.read()
    body.rewind()
    assert stream.read() == b"content"
