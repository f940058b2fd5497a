"""The quick reading of the head of an answer: http.client would have read the same."""

from __future__ import annotations

import http.client
import io
import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aistore_patch.connection import Answer
from aistore_patch.short_way.answer import PlainAnswer, plain_status

OK = b"HTTP/1.1 200 OK\r\n"
NINE = b"Content-Length: 9\r\n"

PLAIN = {
    "bare": OK + b"\r\n",
    "no reason": b"HTTP/1.1 200 \r\n\r\n",
    "long reason": b"HTTP/1.1 500  Not\t\xe9 today \r\n\r\n",
    "least": b"HTTP/1.1 200 X\r\n\r\n",
    "most": b"HTTP/1.1 599 X\r\n\r\n",
    "no content": b"HTTP/1.1 204 X\r\n" + NINE + b"\r\n",
    "not modified": b"HTTP/1.1 304 X\r\n" + NINE + b"\r\n",
    "length": OK + NINE + b"\r\n",
    "length in small letters": OK + b"content-length:9\r\n\r\n",
    "length with many digits": OK + b"Content-Length: 000000000000000009\r\n\r\n",
    "closes": OK + NINE + b"Connection: Close\r\n\r\n",
    "stays": OK + NINE + b"Connection: keep-alive\r\n\r\n",
    "chunked": OK + b"Transfer-Encoding: Chunked\r\n\r\n",
    "chunked and a length": OK + NINE + b"Transfer-Encoding: chunked\r\n\r\n",
    "encoded otherwise": OK + b"Transfer-Encoding: gzip\r\n\r\n",
    "names": OK + b"aZ_09-x: b\r\n\r\n",
    "values": OK + b"A:\r\nB: \t c\xe9 \r\nC:: d\r\nA: e\r\n\r\n",
    "many headers": OK + b"A: b\r\n" * 99 + b"\r\n",
}
OTHERS = {
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n" + NINE + b"\r\n",
    "status too small": b"HTTP/1.1 199 X\r\n\r\n" + OK + b"\r\n",
    "status too large": b"HTTP/1.1 600 X\r\n\r\n",
    "neither reason nor space": b"HTTP/1.1 200\r\n\r\n",
    "newline in the reason": b"HTTP/1.1 200 O\nA: b\r\n\r\n",
    "return in the reason": b"HTTP/1.1 200 O\rK\r\n\r\n",
    "folded": OK + b"A: b\r\n c\r\n\r\n",
    "newline in a value": OK + b"A: b\nB: c\r\n\r\n",
    "return in a value": OK + b"A: b\rc\r\n\r\n",
    "nothing in a value": OK + b"A: b\0c\r\n\r\n",
    "space in a name": OK + b"A b: c\r\n\r\n",
    "no name": OK + b": c\r\n\r\n",
    "no colon": OK + b"A\r\n\r\n",
    "more headers": OK + b"A: b\r\n" * 99 + b"C: d\r\n\r\n",
    "no length": OK + b"Content-Length:\r\n\r\n",
    "length with a space": OK + b"Content-Length: 9 \r\n\r\n",
    "length with a sign": OK + b"Content-Length: +9\r\n\r\n",
    "length with too many digits": OK + b"Content-Length: 0000000000000000009\r\n\r\n",
    "two lengths": OK + NINE * 2 + b"\r\n",
    "two encodings": OK + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n",
}


def read(cls: type[Answer], said: bytes, method: str = "GET", **options: Any) -> tuple[Any, list[Any]]:
    """An answer, and all that it says of itself."""
    answer: Any = cls(
        SimpleNamespace(makefile=lambda *_: io.BufferedReader(io.BytesIO(said))), method=method, **options
    )
    try:
        answer.begin()
    except http.client.HTTPException as error:
        return answer, [repr(error)]
    found = [getattr(answer, name) for name in ("status", "code", "reason", "version", "length", "chunked")]
    headers: dict[str, list[str]] = {}
    for name, value in answer.headers.items():
        headers.setdefault(name.lower(), []).append(re.sub(r"\s*\r\n\s+", " ", value))  # urllib3 2.8 unfolds them
    return answer, [*found, answer.will_close, answer.chunked and answer.chunk_left, headers, answer.fp.read()]


def is_read_as_by_http_client(said: bytes, method: str) -> bool:
    """Whether what follows the head is the same as well is part of it."""
    answer, found = read(PlainAnswer, said + b"the body.", method)
    assert found == read(Answer, said + b"the body.", method)[1]
    return bool(answer.is_plain)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", [*PLAIN, *OTHERS])
def test_an_answer_is_read_as_by_http_client(name: str, method: str) -> None:
    assert is_read_as_by_http_client({**PLAIN, **OTHERS}[name], method) == (name in PLAIN)


PIECES = [b"HTTP/1.1 ", b"200", b"307", b" ", b"OK", b"\r\n", b"Content-Length: ", b"5", b"Transfer-Encoding: chunked"]
PIECES += [b"Connection: close", b"A: ", b"b", b",", b"\t", b"\xe9", b"\r", b"\n"]


@given(st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join), st.sampled_from(["GET", "HEAD"]))
def test_whatever_is_answered_is_read_as_by_http_client(rest: bytes, method: str) -> None:
    is_read_as_by_http_client(OK + rest + b"\r\n\r\n", method)


def test_the_status_of_a_plain_head_can_be_told_and_of_no_other() -> None:
    plain_only = [name for name, said in PLAIN.items() if plain_status(said + b"body") == int(said[9:12])]
    assert plain_only == list(PLAIN)
    plain_heads = [name for name, said in OTHERS.items() if plain_status(said) is not None]
    assert all("length" in name or "encoding" in name for name in plain_heads)  # what is not plain is of the body
    assert len(plain_heads) == 6


@pytest.mark.parametrize("rest", [NINE + b"\r\nthe body.", OK + NINE + b"\r\nthe body."], ids=range(2))
@pytest.mark.parametrize(("status", "closes"), [(307, True), (403, False)])
def test_after_a_redirect_that_came_before_the_body_nothing_may_follow(status: int, closes: bool, rest: bytes) -> None:
    early = ("HTTP/1.1", status, "X")
    answer, found = read(PlainAnswer, rest, status_tuple=early)
    assert found == read(Answer, rest, status_tuple=early)[1]
    assert (answer.status, answer.left_body_unsent) == (status, True)
    assert answer.will_close or not closes


@pytest.mark.parametrize(("status", "closes"), [(307, True), (403, False)])
def test_nor_after_one_whose_status_was_only_looked_at(status: int, closes: bool) -> None:
    said = b"HTTP/1.1 %d X\r\n" % status + NINE + b"\r\nthe body."
    sock: Any = SimpleNamespace(makefile=lambda *_: io.BufferedReader(io.BytesIO(said)))
    answer = PlainAnswer(sock, "PUT")
    answer.left_body_unsent = True
    answer.begin()
    assert answer.is_plain
    assert answer.will_close is closes
