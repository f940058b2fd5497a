"""HTTP/1.1 as bytes: what a peer sent, unaltered, and what is sent to it. No S3 and no sockets in here."""

from __future__ import annotations

import hashlib
from enum import Enum
from http import HTTPStatus
from typing import Callable, Iterable, Iterator, List, Tuple, Union

LONGEST_HEAD = 1 << 20
PIECE = 1 << 18

HeaderList = List[Tuple[str, Union[str, bytes]]]


class ConnectionEndedError(Exception):
    """The peer went away where more bytes were due."""


class MalformedRequestError(Exception):
    """The peer sent something that is not HTTP/1.1."""


class Source:
    """A buffered reader over `pull`, which returns the next bytes, or none at the end."""

    def __init__(self, pull: Callable[[], bytes]) -> None:
        self._pull = pull
        self._buffer = b""

    def head(self) -> bytes | None:
        """A request's head without its empty line; None when the peer ended before its first byte."""
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > LONGEST_HEAD:
                raise MalformedRequestError(f"the request's head is longer than {LONGEST_HEAD} bytes")
            more = self._pull()
            if not more:
                if self._buffer:
                    raise ConnectionEndedError("in the middle of a request's head")
                return None
            self._buffer = (self._buffer + more).lstrip(b"\r\n")
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        return head

    def line(self) -> bytes:
        """The next line, without its end."""
        while b"\r\n" not in self._buffer:
            if len(self._buffer) > LONGEST_HEAD:
                raise MalformedRequestError(f"a line is longer than {LONGEST_HEAD} bytes")
            self._buffer += self._more()
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def exactly(self, size: int) -> Iterator[bytes]:
        """`size` bytes, in pieces as they come."""
        while size:
            piece = self._buffer or self._more()
            self._buffer = piece[size:]
            piece = piece[:size]
            size -= len(piece)
            yield piece

    def buffered(self) -> bytes:
        """What was received and not asked for yet."""
        buffered, self._buffer = self._buffer, b""
        return buffered

    def rest(self) -> Iterator[bytes]:
        """Everything until the peer ends."""
        piece = self.buffered() or self._pull()
        while piece:
            yield piece
            piece = self._pull()

    def _more(self) -> bytes:
        more = self._pull()
        if not more:
            raise ConnectionEndedError("in the middle of a message")
        return more


class Headers:
    """Header fields as they came in, as latin-1 text; looked up without regard to case."""

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self.fields: list[tuple[str, str]] = []
        self._values: dict[str, list[str]] = {}
        for line in lines:
            self.add(line)

    def add(self, line: str) -> None:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise MalformedRequestError(f"not a header line: {line!r}")
        value = value.strip(" \t")
        self.fields.append((name, value))
        self._values.setdefault(name.lower(), []).append(value)

    def get(self, name: str, default: str = "") -> str:
        """The first field of that name."""
        values = self._values.get(name.lower())
        return values[0] if values else default

    def all(self, name: str) -> list[str]:
        return self._values.get(name.lower(), [])

    def names(self) -> Iterable[str]:
        """In lower case."""
        return self._values

    def with_prefix(self, prefix: str) -> dict[str, str]:
        """The fields whose names begin so, by name in lower case; several of one name as one, with commas."""
        return {name: ",".join(values) for name, values in self._values.items() if name.startswith(prefix)}

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values


def unchunk(source: Source, trailers: Headers) -> Iterator[bytes]:
    """Undo chunked coding (RFC 9112 7.1); `aws-chunked` has the same grammar. Fills `trailers` at the end."""
    while True:
        size = _chunk_size(source.line())
        if not size:
            break
        yield from source.exactly(size)
        if source.line():
            raise MalformedRequestError("a chunk is longer than it said")
    line = source.line()
    while line:
        trailers.add(line.decode("latin-1"))
        line = source.line()


def _chunk_size(line: bytes) -> int:
    digits = line.split(b";")[0].strip()
    if not digits or digits.strip(b"0123456789abcdefABCDEF"):
        raise MalformedRequestError(f"not the size of a chunk: {line[:80]!r}")
    return int(digits, 16)


class Body:
    """A request's body, read from the wire only when somebody asks for it.

    The first read answers `Expect: 100-continue`, as servers do: who never reads never asks for the body.
    """

    def __init__(self, source: Source, headers: Headers, send_continue: Callable[[], None]) -> None:
        self.bytes_received = 0
        self.finished = False
        self.expects_continue = headers.get("Expect").lower() == "100-continue"
        self._hash = hashlib.sha256()
        self._source = source
        self._pieces = self._read(self._encoded(headers), send_continue)

    @property
    def sha256(self) -> str:
        """Of what was received up to now, in hexadecimal."""
        return self._hash.hexdigest()

    def pull(self) -> bytes:
        """The next piece, empty at the end."""
        return next(self._pieces, b"")

    def discard(self, most: int) -> bool:
        """Read what is left and on its way, up to about `most` bytes. True if that was all."""
        if self.expects_continue:
            return self.finished
        limit = self.bytes_received + most
        while self.bytes_received <= limit and self.pull():
            pass
        return self.finished

    def drain(self) -> None:
        """Count whatever still arrives until the peer ends."""
        for piece in self._source.rest():
            self.bytes_received += len(piece)

    def forget_source(self) -> None:
        """Keep the numbers alone: there is nothing more to come."""
        self._source = Source(bytes)
        self._pieces = iter(())

    def _encoded(self, headers: Headers) -> Iterator[bytes]:
        if headers.get("Transfer-Encoding").lower() == "chunked":
            return unchunk(self._source, Headers())
        length = headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()):
            raise MalformedRequestError(f"not a Content-Length: {length!r}")
        self.finished = length.strip("0") == ""
        if self.finished:
            self.expects_continue = False
        return self._source.exactly(int(length))

    def _read(self, pieces: Iterator[bytes], send_continue: Callable[[], None]) -> Iterator[bytes]:
        if self.expects_continue:
            self.expects_continue = False
            send_continue()
        for piece in pieces:
            self.bytes_received += len(piece)
            self._hash.update(piece)
            yield piece
        self.finished = True


class Request:
    """One request as it was on the wire."""

    def __init__(
        self, head: bytes, source: Source, *, scheme: str, send_continue: Callable[[], None], client: str = ""
    ) -> None:
        self.head = head
        self.client = client
        """Host and port."""
        start, *lines = head.split(b"\r\n")
        try:
            method, self.target, version = start.split(b" ")
        except ValueError:
            raise MalformedRequestError(f"not a request line: {start[:200]!r}") from None
        if version not in (b"HTTP/1.1", b"HTTP/1.0") or not method.isalpha():
            raise MalformedRequestError(f"not a request line: {start[:200]!r}")
        self.method = method.decode("ascii")
        self.scheme = scheme
        self.headers = Headers(line.decode("latin-1") for line in lines)
        # A client may name the host in the target too, and aiobotocore with httpx does (RFC 9112 section 3.2.2).
        in_absolute_form = self.target.startswith((b"http://", b"https://"))
        origin_form = b"/" + self.target.split(b"/", 3)[-1] if in_absolute_form else self.target
        self.path, _, self.query = origin_form.partition(b"?")
        self.body = Body(source, self.headers, send_continue)
        connection = self.headers.get("Connection").lower()
        self.keeps_alive = connection == "keep-alive" if version == b"HTTP/1.0" else connection != "close"

    @property
    def host(self) -> str:
        return self.headers.get("Host")


class Ending(Enum):
    """What becomes of the connection after a response."""

    KEEP = "kept for the next request"
    CLOSE = "closed in order"
    RESET = "reset"
    HOLD = "held open, silent, until the client gives up"


class Response:
    """What a node answers.

    `body` is bytes, or an iterable of bytes together with `length`; a length of None is not said. `sends_only` cuts
    the body after so many bytes while the headers still announce the whole. Header values go out as they are, text as
    latin-1.
    """

    status: int | None

    def __init__(
        self,
        status: int,
        headers: Iterable[tuple[str, str | bytes]] = (),
        body: bytes | Iterable[bytes] = b"",
        *,
        length: int | None = None,
        ending: Ending = Ending.KEEP,
        sends_only: int | None = None,
    ) -> None:
        self.status = status
        self.headers: HeaderList = list(headers)
        self.body = body
        self.length = len(body) if isinstance(body, bytes) else length
        self.ending = ending
        self.sends_only = sends_only

    def header(self, name: str) -> bytes | None:
        for found, value in self.headers:
            if found.lower() == name.lower():
                return octets(value)
        return None

    def parts(self, method: str, *, closes: bool) -> Iterator[bytes]:
        """The bytes of the response to a `method` request, the head first."""
        head = self._head(closes)
        if method == "HEAD" or self.status in (204, 304):
            yield head
        elif isinstance(self.body, bytes):
            yield head + self.body[: self.sends_only]
        else:
            yield head
            yield from _first(self.sends_only, self.body)

    def _head(self, closes: bool) -> bytes:
        assert self.status is not None
        lines = [b"HTTP/1.1 %d %s" % (self.status, reason(self.status).encode())]
        for name, value in self.headers:
            lines.append(octets(name) + b": " + octets(value))
        if self.status not in (204, 304) and self.length is not None and self.header("Content-Length") is None:
            lines.append(b"Content-Length: %d" % self.length)
        if closes:
            lines.append(b"Connection: close")
        return b"\r\n".join(lines) + b"\r\n\r\n"


class RawResponse(Response):
    """Bytes that are sent as they are, HTTP or not (none at all, too), and then the `ending`."""

    def __init__(self, data: bytes, ending: Ending = Ending.CLOSE) -> None:
        super().__init__(0, body=data, ending=ending)
        self.status = None

    def parts(self, method: str, *, closes: bool) -> Iterator[bytes]:  # noqa: ARG002 - bytes suit any request
        if self.body:
            assert isinstance(self.body, bytes)
            yield self.body


def octets(text: str | bytes) -> bytes:
    """A header's name or value as it goes over the wire."""
    return text.encode("latin-1") if isinstance(text, str) else text


def reason(status: int) -> str:
    if status == 416:  # newer Pythons have RFC 9110's phrase; Go has this one
        return "Requested Range Not Satisfiable"
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _first(size: int | None, pieces: Iterable[bytes]) -> Iterator[bytes]:
    if size is None:
        yield from pieces
        return
    for piece in pieces:
        yield piece[:size]
        size -= len(piece[:size])
        if not size:
            return


Handler = Callable[[Request], Response]
