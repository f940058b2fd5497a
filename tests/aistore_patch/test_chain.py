"""The redirects of one request, as a state."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aistore_patch import RedirectPolicy
from aistore_patch.chain import STATUSES, Chain, Unfollowable
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


@pytest.mark.parametrize(
    ("location", "policy", "code", "said"),
    [
        ("ftp://t/b/k", {}, "InvalidRedirectLocation", "'ftp://t/b/k' cannot be followed: its scheme"),
        ("http://t/b/other", {}, "RedirectToOtherObject", "'http://t/b/other' .* the object of http://p/b/k: its path"),
        ("http://t/b/k", {"allow_hosts": ["u"]}, "RedirectRefused", "'http://t/b/k' is refused: the host t is not in"),
        ("http://t/b/k", {"max_hops": 0}, "TooManyRedirects", "More than 0 redirects"),
    ],
)
def test_why_it_is_not_followed_is_told_by_code_and_by_name(
    location: str, policy: dict[str, Any], code: str, said: str
) -> None:
    """And `the request went` nowhere yet, so that is left out."""
    with pytest.raises(Unfollowable, match=said) as caught:
        START._replace(base="").follow(307, [location], RedirectPolicy(**policy))
    assert caught.value.code == code
    assert caught.value.__suppress_context__ or code == "TooManyRedirects"
    assert "went" not in str(caught.value)


def test_a_slash_may_be_added_only_where_that_is_said() -> None:
    bucket = Chain(parse_url("http://p/s3/b"))
    with pytest.raises(Unfollowable):
        bucket.follow(307, ["/s3/b/"], RedirectPolicy())
    assert bucket._replace(any_slash=True).follow(307, ["/s3/b/"], RedirectPolicy()).current.path == "/s3/b/"


def test_what_is_a_redirect_to_an_s3_client() -> None:
    assert sorted(STATUSES) == [301, 302, 307, 308]


@pytest.mark.parametrize(
    ("url", "bucket", "base", "is_read_alike"),
    [
        ("http://p/s3/b/k", None, "/s3", True),
        ("http://p/b/k", None, "", True),
        ("http://p/s3/k", None, "", False),  # the object `k` of the bucket `s3`: to AIStore, all of a bucket `k`
        ("http://p/s3x/s3", None, "", True),
        ("http://p/x/b/k", None, "/x", False),
        ("http://b.p/k", "b", "", True),
        ("http://s3.p/k", "s3", "", True),
        ("http://b.p/s3/k", "b", "/s3", True),
        ("http://b.p/s3/k", "b", "", True),
        ("http://b.p/x/k", "b", "/x", False),
    ],
)
def test_where_aistore_would_see_another_object_is_known(
    url: str, bucket: str | None, base: str, is_read_alike: bool
) -> None:
    assert Chain(parse_url(url), bucket, base).is_read_alike_by_aistore is is_read_alike


@pytest.mark.parametrize("locations", [["http://t/b/k?a"] * 2, ["http://t/b/k?a", " http://t/b/k?a\t"]])
def test_equal_locations_are_one(locations: list[str]) -> None:
    assert str(START.follow(307, locations, RedirectPolicy()).current) == "http://t/b/k?a"


@pytest.mark.parametrize(
    ("locations", "said"),
    [
        ([], "status 308 has no Location header"),
        (["http://t/b/k?secret", "http://u/b/k"], "several Location headers: 'http://t/b/k"),
        (list("abcde"), "several Location headers: 'a', 'b', 'c'$"),
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
        ("http://p/x/y", None, "/x/y", b""),
        ("http://p//k", None, "", b"k"),
        ("http://p/bucket/k", None, "/s3", b"k"),
        ("http://b.p/dir/k", "b", "/s3", b"dir/k"),
        ("http://b.p/k/", "b", "", b"k/"),
        ("http://b.p/s3//k", "b", "/s3", b"/k"),
        ("http://b.p/", "b", "", b""),
    ],
)
def test_the_key_is_what_stands_behind_the_bucket(url: str, bucket: str | None, base: str, key: bytes) -> None:
    assert Chain(parse_url(url), bucket, base).key == key
