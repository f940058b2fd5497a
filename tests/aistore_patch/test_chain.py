"""The redirects of one request, as a state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aistore_patch import RedirectPolicy
from aistore_patch.chain import Chain, Unfollowable
from aistore_patch.location import parse_url

START = Chain(parse_url("http://p/b/k"))


@given(hosts=st.lists(st.integers(0, 9), max_size=12), limit=st.integers(0, 8))
def test_a_chain_ends_at_the_limit_or_where_it_has_been(hosts: list[int], limit: int) -> None:
    chain, policy = START, RedirectPolicy(max_hops=limit)
    for count, host in enumerate(hosts):
        seen = [hop.url.host for hop in chain.hops]
        before = chain
        try:
            chain = chain.follow(307, [f"http://t{host}/b/k?secret"], policy)
        except Unfollowable as reason:
            assert reason.code == ("RedirectLoop" if f"t{host}" in seen else "TooManyRedirects")  # noqa: PT017
            assert f"t{host}" in seen or count == limit
            assert "secret" not in str(reason)  # noqa: PT017
            return
        assert before.hops == chain.hops[:-1]
        assert chain.current.host == f"t{host}"
    assert len(chain.hops) == len(hosts) <= limit


def test_the_reason_shows_the_way() -> None:
    chain = START.follow(307, ["http://t1/b/k?a"], RedirectPolicy()).follow(301, ["http://t2/b/k?b"], RedirectPolicy())
    with pytest.raises(Unfollowable, match=r"http://p/b/k -> http://t1/b/k\?\.\.\. -> http://t2/b/k\?\.\.\."):
        chain.follow(307, ["http://t1/b/k?a"], RedirectPolicy())


def test_back_to_the_start_is_a_loop() -> None:
    with pytest.raises(Unfollowable) as caught:
        START.follow(307, ["http://p/b/k"], RedirectPolicy())
    assert caught.value.code == "RedirectLoop"


@pytest.mark.parametrize("locations", [["http://t/b/k?a"] * 2, ["http://t/b/k?a", " http://t/b/k?a\t"]])
def test_equal_locations_are_one(locations: list[str]) -> None:
    assert str(START.follow(307, locations, RedirectPolicy()).current) == "http://t/b/k?a"


@pytest.mark.parametrize(
    ("locations", "said"),
    [
        ([], "status 308 has no Location header"),
        (["http://t/b/k?secret", "http://u/b/k"], "several Location headers: 'http://t/b/k"),
    ],
)
def test_without_one_location_there_is_nowhere_to_go(locations: list[str], said: str) -> None:
    with pytest.raises(Unfollowable, match=said) as caught:
        START.follow(308, locations, RedirectPolicy())
    assert caught.value.code == "InvalidRedirectLocation"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "bucket", "base", "key"),
    [
        ("http://p/s3/b/a%20b/c", None, "/s3", b"a b/c"),
        ("http://p/s3/b", None, "/s3", b""),
        ("http://p/s3/b/", None, "/s3", b""),
        ("http://p/s3", None, "/s3", b""),
        ("http://p/", None, "", b""),
        ("http://p/b/k", None, "", b"k"),
        ("http://b.p/k/", "b", "", b"k/"),
        ("http://b.p/s3//k", "b", "/s3", b"/k"),
        ("http://b.p/", "b", "", b""),
    ],
)
def test_the_key_is_what_stands_behind_the_bucket(url: str, bucket: str | None, base: str, key: bytes) -> None:
    assert Chain(parse_url(url), bucket, base).key == key
