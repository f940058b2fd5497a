"""The redirects of one request: immutable, pure, and free of botocore."""

from __future__ import annotations

from typing import NamedTuple, Sequence

from .location import API_PATH, InvalidLocation, OtherObject, Url, key_of, redacted, resolve
from .policy import RedirectPolicy, Refused

STATUSES = frozenset((301, 302, 307, 308))
"""The status codes that mean "the same request, there" to an S3 client.

RFC 9110 section 15.4 lets a client turn a POST into a GET after 301 and 302; AIStore means the same request, and so
does every S3 server, so method and body are kept for all four. 303 means another request, and is not followed.
"""


class Hop(NamedTuple):
    """One redirect: the status it came with and the URL it led to."""

    status: int
    url: Url


class Unfollowable(Exception):
    """A redirect that is not followed. `code` is what S3 would call an error code, the text says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Chain(NamedTuple):
    """The caller's request and the redirects it has followed so far.

    Args:
        original: the URL of the caller's request.
        bucket: the bucket where it stands in the host of `original`, otherwise None.
        base: the path of the client's endpoint, without a slash at its end.
        any_slash: whether a redirect of a call without a key may add a slash at the end, or take it away.
        hops: the redirects, in order.
    """

    original: Url
    bucket: str | None = None
    base: str = API_PATH
    any_slash: bool = False
    hops: tuple[Hop, ...] = ()

    @property
    def current(self) -> Url:
        """Where the request went last."""
        return self.hops[-1].url if self.hops else self.original

    @property
    def key(self) -> bytes:
        """The key that the request is about, percent-decoded; empty if it is about none."""
        return key_of(self.original, self.bucket, self.base)

    @property
    def is_read_alike_by_aistore(self) -> bool:
        """Whether AIStore, which has S3 at `/s3` and at `/` alone, takes the same bucket and key out of the path."""
        if self.bucket is not None or self.base == API_PATH:
            return self.base in ("", API_PATH)
        return not self.base and self.original.path.split("/")[1] != API_PATH[1:]

    def follow(self, status: int, locations: Sequence[str], policy: RedirectPolicy) -> Chain:
        """The chain with one more hop.

        Args:
            status: the status of the answer, one of `STATUSES`.
            locations: its `Location` headers, as Python's HTTP client hands them over.
            policy: the limits.

        Raises:
            Unfollowable: the URL is malformed, names another object, is forbidden by the policy, was visited before, or
                is one hop more than the policy allows.
        """
        location = self._only(status, locations)
        try:
            url = resolve(location, self.current, self.original, self.bucket, self.base, self.any_slash)
            policy.check(url, self.current, self.original)
        except InvalidLocation as problem:
            reason = f"The Location '{redacted(location)}' cannot be followed: {problem}"
            raise self._stop("InvalidRedirectLocation", reason) from None
        except OtherObject as problem:
            objects = f"'{redacted(location)}' does not name the object of {redacted(str(self.original))}"
            reason = f"The Location {objects}: {problem}; nothing was sent there"
            raise self._stop("RedirectToOtherObject", reason) from None
        except Refused as problem:
            reason = f"The redirect to '{redacted(location)}' is refused: {problem}"
            raise self._stop("RedirectRefused", reason) from None
        if url == self.original or any(url == hop.url for hop in self.hops):
            reason = f"The redirect to '{redacted(location)}' leads back to a URL already visited"
            raise self._stop("RedirectLoop", reason)
        if len(self.hops) >= policy.max_hops:
            raise self._stop("TooManyRedirects", f"More than {policy.max_hops} redirects (max_hops) for one request")
        return self._replace(hops=(*self.hops, Hop(status, url)))

    def _only(self, status: int, locations: Sequence[str]) -> str:
        """The `Location`; equal ones are one (RFC 9110 sections 5.2 and 5.3)."""
        different = list(dict.fromkeys(location.strip(" \t") for location in locations))
        if len(different) == 1:
            return different[0]
        what = "no Location header"
        if different:
            what = "several Location headers: " + ", ".join(f"'{redacted(location)}'" for location in different[:3])
        raise self._stop("InvalidRedirectLocation", f"The answer with status {status} has {what}")

    def _stop(self, code: str, reason: str) -> Unfollowable:
        if not self.hops:
            return Unfollowable(code, reason)
        return Unfollowable(code, f"{reason}; the request went {self}")

    def __str__(self) -> str:
        return " -> ".join(redacted(str(url)) for url in (self.original, *(hop.url for hop in self.hops)))
