"""Where a body stood, and how it goes back there: pure, on plain streams."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest

from aistore_patch.body import Body, NotRewindable, SizedUnrewindable, Unrewindable


class Stream(io.BytesIO):
    """A stream that may refuse to tell where it stands, or to go there."""

    def __init__(self, data: bytes, tell: Any = None, seek: Any = None) -> None:
        super().__init__(data)
        self._refuses = {"tell": tell, "seek": seek}

    def tell(self) -> int:
        if self._refuses["tell"]:
            raise self._refuses["tell"]
        return super().tell()

    def seek(self, *where: int) -> int:
        if self._refuses["seek"]:
            raise self._refuses["seek"]
        return super().seek(*where)


class AwsChunkedWrapper:
    """botocore's, as far as it matters: its seek goes to 0 of what it frames."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.resets = 0

    def seek(self, offset: int) -> None:
        assert offset == 0
        self.resets += 1
        self._raw.seek(0)


def test_a_stream_goes_back_to_where_it_stood() -> None:
    stream = io.BytesIO(b"head-content")
    stream.seek(5)
    body = Body({"body": stream})
    stream.read()
    body.rewind()
    assert stream.read() == b"content"


def test_a_framed_stream_goes_back_with_its_frame() -> None:
    stream = io.BytesIO(b"head-content")
    stream.seek(5)
    frame = AwsChunkedWrapper(stream)
    body = Body({"body": frame})
    stream.read()
    body.rewind()
    assert frame.resets == 1
    assert stream.read() == b"content"


@pytest.mark.parametrize("at_rest", [b"x", "x", bytearray(b"x"), memoryview(b"x"), {}, None])
def test_what_is_no_stream_stays_as_it_is(at_rest: Any) -> None:
    params = {"body": at_rest}
    Body(params).rewind()
    assert params["body"] is at_rest


def test_a_call_without_a_body_has_none_to_go_back() -> None:
    Body({}).rewind()


NO = [AttributeError, OSError, ValueError, io.UnsupportedOperation, NotImplementedError, TypeError]


@pytest.mark.parametrize("error", NO)
@pytest.mark.parametrize("what", ["tell", "seek"])
def test_a_stream_that_cannot_go_back_is_watched(error: type[Exception], what: str) -> None:
    """One that can tell where it stands and cannot go there is no better than one that can do neither."""
    params = {"body": Stream(b"content", **{what: error()})}
    body = Body(params)
    watched: Any = params["body"]
    assert type(watched) is Unrewindable
    body.rewind()
    assert watched.readable()
    assert watched.was_read is False
    body.rewind()
    assert watched.read(3) == b"con"
    assert watched.was_read
    with pytest.raises(NotRewindable):
        body.rewind()


@pytest.mark.parametrize(
    "read", [lambda s: s.read(), lambda s: s.read(None), lambda s: s.readline(), lambda s: s.readinto(bytearray(2))]
)
def test_every_way_of_reading_is_noticed(read: Any) -> None:
    params = {"body": Stream(b"content", OSError())}
    body = Body(params)
    assert read(params["body"])
    with pytest.raises(NotRewindable):
        body.rewind()


def test_a_watched_stream_is_read_as_it_was_asked_to_be() -> None:
    class Pipe:
        def read(self, *how: Any) -> Any:
            return how

        def readline(self, **how: Any) -> Any:
            return how

    watched = Unrewindable(Pipe())
    assert [watched.read(), watched.read(None), watched.read(3)] == [(-1,), (-1,), (3,)]
    assert watched.readline(size=2) == {"size": 2}


def test_a_watched_stream_offers_what_it_has_and_no_more() -> None:
    class Sized(Stream):
        _anything = "private"

        def __len__(self) -> int:
            return 7

    params: dict[str, Any] = {"body": Sized(b"content", OSError())}
    Body(params)
    assert type(params["body"]) is SizedUnrewindable
    assert len(params["body"]) == 7
    assert params["body"].closed is False
    with pytest.raises(AttributeError):
        params["body"]._anything  # noqa: B018 - looking is the test
    assert not hasattr(Unrewindable(io.BytesIO()), "__len__")
    copy.copy(params["body"])


def test_a_framed_stream_that_cannot_go_back_is_watched_within_its_frame() -> None:
    raw = Stream(b"content", OSError())
    frame = AwsChunkedWrapper(raw)
    body = Body({"body": frame})
    assert type(frame._raw) is Unrewindable
    body.rewind()
    assert frame.resets == 0
    frame._raw.read()
    with pytest.raises(NotRewindable):
        body.rewind()


@pytest.mark.parametrize("error", [*NO, RuntimeError, KeyError])
def test_whatever_a_stream_raises_when_it_goes_back_it_did_not(error: type[Exception]) -> None:
    stream = Stream(b"content")
    body = Body({"body": stream})
    stream._refuses["seek"] = error()
    with pytest.raises(NotRewindable):
        body.rewind()


def test_looking_at_a_way_of_reading_is_not_reading() -> None:
    params: dict[str, Any] = {"body": Stream(b"content", OSError())}
    body = Body(params)
    assert hasattr(params["body"], "readinto")
    body.rewind()


def test_a_stream_that_cannot_go_back_is_as_true_as_it_was() -> None:
    class Falsy(Stream):
        def __bool__(self) -> bool:
            return False

    assert not Unrewindable(Falsy(b""))
    assert Unrewindable(Stream(b""))


def test_text_that_cannot_go_back_stays_text_and_is_not_sent_twice() -> None:
    class Text(io.StringIO):
        def tell(self) -> int:
            raise OSError

    text = Text("content")
    params = {"body": text}
    body = Body(params)
    assert params["body"] is text
    with pytest.raises(NotRewindable):
        body.rewind()


def test_what_can_neither_be_read_nor_go_back_is_not_sent_twice() -> None:
    class Goes:
        def seek(self, *_where: Any) -> None:
            """Somewhere: it does not say."""

    for stream in (iter([b"x"]), Goes()):
        with pytest.raises(NotRewindable):
            Body({"body": stream}).rewind()


def test_only_botocores_frame_is_taken_for_one() -> None:
    class Wrapper(Stream):
        _raw = io.BytesIO(b"something else")

    stream = Wrapper(b"head-content")
    stream.seek(5)
    body = Body({"body": stream})
    stream.read()
    body.rewind()
    assert stream.read() == b"content"


def test_a_stream_is_not_sent_where_it_was_not() -> None:
    """A part of a file, say, may not go to the file's beginning."""

    class Part(Stream):
        def seek(self, *where: int) -> int:
            assert where != (0,)
            return super().seek(*where)

    stream = Part(b"head-content")
    stream.seek(5)
    body = Body({"body": stream})
    stream.read()
    body.rewind()
    assert stream.read() == b"content"
