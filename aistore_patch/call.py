"""One API call and its redirects: all that is the same for botocore (`endpoint`) and for aiobotocore (`aio.endpoint`).

Both make a call in a loop of attempts, and an attempt in four steps: a request is made of a description of it
(`params`), signed, sent, and its answer parsed. A seam wraps these steps; what becomes of a redirect is decided here.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import re
from typing import Any, Callable, Iterator, NamedTuple
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSRequest
from botocore.exceptions import HTTPClientError, UnseekableStreamError

from . import guard, story
from .body import Body, NotRewindable
from .chain import STATUSES, Chain, Unfollowable
from .errors import RedirectError
from .location import InvalidLocation, has_pid, parse_url, redacted, split_netloc
from .policy import RedirectPolicy

logger = logging.getLogger("aistore_patch")
logger.addHandler(logging.NullHandler())  # a program that sets up no logging is told by the errors alone

_CALL = "aistore_patch"
"""Where a call is kept: in the context that its attempts share, and on each of its requests."""

_PARAMS = "aistore_patch_params"
"""Where a request keeps what it was made of. (The call must not, since it is in there: bodies would be freed late.)"""

# The S3 endpoints of AWS in all its partitions (botocore data/partitions.json, dnsSuffix and dualStackDnsSuffix); not
# the other hosts there, which may be an AIStore's.
_AWS_SUFFIXES = (
    *("amazonaws.com", "amazonaws.com.cn", "amazonaws.eu"),
    *("api.aws", "api.amazonwebservices.com.cn", "api.amazonwebservices.eu"),
    *("c2s.ic.gov", "sc2s.sgov.gov", "csp.hci.ic.gov", "cloud.adc-e.uk"),
    *("api.aws.ic.gov", "api.aws.scloud", "api.aws.hci.ic.gov", "api.cloud-aws.adc-e.uk"),
)
_AWS_S3 = re.compile(
    r"(?:^|[.])s3[a-z0-9-]*[.](?!.*\b(?:elb|compute)\b)(?:.*[.])?(?:" + "|".join(map(re.escape, _AWS_SUFFIXES)) + ")$"
)


class Redirected(HTTPClientError):  # type: ignore[misc]  # botocore has no types
    """Carries a redirect from `_send` past botocore's parsers, which let this kind of exception through."""

    fmt = "redirected"

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer


class Call:
    """One API call, over all its attempts."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.policy: RedirectPolicy  # a seam sets it, for each attempt
        self.attempts = 0
        self.is_followed = False
        self.was_redirected = False
        self.chain: Chain | None = None
        """The redirects of the attempt that is being made."""
        self.sending: Any = None
        """What a seam has to know of the request that was sent last."""

    def begin_again(self, params: dict[str, Any]) -> None:
        """Have an attempt after a redirect send the body from where the caller's stream stood.

        Without a redirect, it is for botocore to say from where.

        Args:
            params: botocore's description of the request.

        Raises:
            UnseekableStreamError: the body was read, and cannot go back.
        """
        if self.was_redirected:
            try:
                self.body.rewind()
            except NotRewindable:
                raise UnseekableStreamError(stream_object=params.get("body")) from None

    @contextlib.contextmanager
    def attempt(self) -> Iterator[None]:
        """Follow an attempt until the block ends: who wraps what wraps a client already shall not do it as well."""
        self.is_followed = True
        self.attempts += 1
        self.chain = None
        try:
            yield
        finally:
            self.is_followed = False


class Kind(NamedTuple):
    """How the answers of one of the two libraries are read and made.

    Args:
        locations: the `Location` headers of an answer, each read as latin-1, as Python's HTTP client does.
        not_found: an answer of status 404 without header and body, to the URL given.
        may_replace_body: whether a stream that cannot go back may be replaced by one that notices whether it was read.
    """

    locations: Callable[[Any], list[str]]
    not_found: Callable[[str], Any]
    may_replace_body: bool


class HopRequest(AWSRequest):  # type: ignore[misc]  # botocore has no types
    """A request whose URL stays what the server said.

    botocore up to 1.27 moves the bucket between path and host in handlers of `before-sign` (`utils.fix_s3_host`,
    `utils.S3EndpointSetter`); the bucket of a redirected request is where it belongs.
    """

    @property
    def url(self) -> str:
        """The URL that was set first."""
        url: str = self.__dict__["url"]
        return url

    @url.setter
    def url(self, value: str) -> None:
        self.__dict__.setdefault("url", value)

    @property
    def body(self) -> Any:
        """What botocore makes of `data` by preparing the whole request once more, for the signer."""
        return self.data if isinstance(self.data, bytes) else super().body


def is_followed_for(endpoint: Any, operation_model: Any) -> bool:
    """Whether the redirects of a call are ours to follow: a call of S3, and not of AWS's."""
    return operation_model is not None and _is_s3(operation_model) and not _is_aws(endpoint.host)


def call_of(kind: Kind, params: dict[str, Any]) -> Call:
    """The call that an attempt is made for.

    Args:
        kind: of the library.
        params: botocore's description of the request, as `create_request` gets it.
    """
    call: Call | None = params["context"].get(_CALL)
    if call is None:
        call = params["context"][_CALL] = Call(Body(params, may_replace=kind.may_replace_body))
    return call


def mark(request: Any, call: Call, params: dict[str, Any]) -> None:
    """Note on a request which call it is for, and what it was made of."""
    vars(request).update({_CALL: call, _PARAMS: params})


def marked(request: Any) -> Call | None:
    """The call that a request is for; None where it is not one of ours."""
    return getattr(request, _CALL, None)


def has_own_proxies(request: Any) -> bool:
    """Whether the client of a marked request was made with proxies of its own."""
    config = getattr(request, _PARAMS)["context"].get("client_config")
    return getattr(config, "proxies", None) is not None


def ended(kind: Kind, endpoint: Any, request: Any, operation_model: Any, call: Call, outcome: Any) -> Any:
    """What an attempt comes to, now that a request of it was answered.

    Args:
        kind: of the library.
        endpoint, operation_model: as botocore knows them.
        request: the marked request.
        call: the call; its chain gets one hop longer where the answer is a redirect to be followed.
        outcome: what botocore's `_do_get_response` returned for the request.

    Returns:
        The outcome of the attempt; None where the request is to be repeated at `call.chain.current`.
    """
    answer = _redirect_in(outcome)
    if answer is None:
        _record(outcome, call.chain)
        return outcome
    del outcome  # its traceback would keep this frame, and with it the body, until garbage is collected
    try:
        _follow_one(kind, endpoint, request, operation_model, call, answer)
    except guard.NoSuchKey as why:
        return _no_such_key(kind, str(why), request), None
    except Unfollowable as why:
        logger.warning("%s: %s", operation_model.name, why)
        return None, _error(why.code, str(why), answer, operation_model, call)
    return None


def _redirect_in(outcome: Any) -> Any:
    """The answer that redirects, None where the outcome is another."""
    success, exception = outcome
    if isinstance(exception, Redirected):
        return exception.answer
    # An answer that did not come through `_send`: a hook of before-send gave it (moto does that).
    answer = success[0] if success is not None else None
    return answer if answer is not None and is_redirect(answer.status_code, answer.headers) else None


def is_redirect(status: int, headers: Any) -> bool:
    """Whether an answer is a redirect as AIStore means it, and none of those that botocore handles for AWS.

    One without a Location is one too, and ends as an error: botocore would look for the bucket's region instead, with a
    request that is answered in the same way, and so on (`S3RegionRedirector.get_bucket_region`, all versions).
    """
    return status in STATUSES and "x-amz-bucket-region" not in headers


def _follow_one(kind: Kind, endpoint: Any, request: Any, operation_model: Any, call: Call, answer: Any) -> None:
    """Have a call follow one more redirect.

    Raises:
        Unfollowable: it must not be followed.
        guard.NoSuchKey: there is no need to: the object cannot exist.
    """
    chain = call.chain or _chain_of(request, endpoint, operation_model)  # without a chain, it is the caller's request
    locations = kind.locations(answer)
    _guard(chain, request, operation_model, call.policy, answer, locations)
    call.chain = chain.follow(answer.status_code, locations, call.policy)
    call.was_redirected = True
    try:
        call.body.rewind()
    except NotRewindable:
        raise Unfollowable("RedirectBodyNotRewindable", _NOT_REWINDABLE) from None
    if logger.isEnabledFor(logging.DEBUG):
        urls = redacted(str(chain.current)), redacted(str(call.chain.current))
        logger.debug("%s: %d from %s to %s", operation_model.name, answer.status_code, *urls)


_NOT_REWINDABLE = (
    "The request was redirected after its body had been read, and the body cannot be rewound to where it stood; "
    "give a body that can seek, or bytes"
)


def _chain_of(request: Any, endpoint: Any, operation_model: Any) -> Chain:
    try:
        original = parse_url(request.url)
    except InvalidLocation as problem:
        what = f"The request for '{redacted(request.url)}' was redirected, and its own URL cannot be read: {problem}"
        raise Unfollowable("InvalidRedirectLocation", what) from None
    of_endpoint = urlsplit(endpoint.host)
    below = "." + split_netloc(of_endpoint.netloc.lower())[0]
    bucket = original.host[: -len(below)] if original.host.endswith(below) else None
    return Chain(original, bucket, of_endpoint.path.rstrip("/"), operation_model.name in guard.HONOURED)


def _guard(
    chain: Chain, request: Any, operation_model: Any, policy: RedirectPolicy, answer: Any, locations: list[str]
) -> None:
    """Refuse what an AIStore would misread.

    It is known by its `Server`; behind a proxy that writes its own, and before 2022, by the `pid` that it appends.
    """
    if "aistore" not in str(answer.headers.get("Server", "")).lower() and not any(map(has_pid, locations)):
        return
    if not chain.is_read_alike_by_aistore:
        path = redacted(chain.original.path)
        raise Unfollowable("RedirectToOtherObject", _READ_OTHERWISE.format(path=path, base=redacted(chain.base)))
    asked = guard.Call(
        operation=operation_model.name,
        method=request.method,
        headers=[name.lower() for name in request.headers],
        query=chain.original.parameters,
        key=chain.key,
        copy_source=_text(request.headers.get("x-amz-copy-source", "")),
        body=request.body,
    )
    try:
        guard.check(asked, policy.honoured)
    except guard.NotHonoured as why:
        raise Unfollowable("NotHonoured", str(why)) from None


_READ_OTHERWISE = (
    "AIStore reads '{path}' as /s3/bucket/key, which is not the object asked for, since the client's endpoint has the "
    "path '{base}'; the request was not forwarded. Use an endpoint_url that ends with /s3, and no bucket named s3"
)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def hop_request(previous: Any, call: Call) -> HopRequest:
    """The caller's request, made anew for the URL that the call has come to, and not signed yet.

    It is what `create_request` makes for a retry, but for the URL, which is pinned.

    Args:
        previous: the marked request that was redirected.
        call: the call, with the redirect in its chain.
    """
    assert call.chain is not None  # noqa: S101 - one redirect was followed at least
    params = getattr(previous, _PARAMS)
    headers = {name: value for name, value in params["headers"].items() if name.lower() != "host"}
    request = HopRequest(method=params["method"], url=str(call.chain.current), data=params["body"], headers=headers)
    request.context = params["context"]
    request.stream_output = previous.stream_output
    request.auth_path = _resource(params.get("auth_path") or urlsplit(params["url"]).path, call.chain)
    return request


def signing_event(call: Call, operation_model: Any) -> str | None:
    """The event that has a hop's request signed; None where its URL carries its own authority.

    S3 refuses two signatures, and the event is for the signer.
    """
    assert call.chain is not None  # noqa: S101 - as above
    if call.chain.current.is_presigned:
        return None
    return f"request-created.{operation_model.service_model.service_id.hyphenize()}.{operation_model.name}"


def mark_alike(request: Any, other: Any) -> None:
    """Note on a request what is noted on another."""
    vars(request).update({name: getattr(other, name) for name in (_CALL, _PARAMS)})


def _resource(signed: str, chain: Chain) -> str:
    """The resource that signature version 2 signs, spelled as in the new URL.

    Args:
        signed: the resource of the caller's request: `/bucket/key`, whether or not the bucket stands in the host, and
            without the path that the endpoint of the client may have.
        chain: says how the path is spelled now.
    """
    now = chain.current.path
    below = [now[start:] for start, character in enumerate(now) if character == "/"]
    meant = unquote(signed)
    spelled = (bucket + path for bucket in ("", f"/{chain.bucket}") for path in below)
    return next((resource for resource in spelled if unquote(resource) == meant), signed)


def _record(outcome: Any, chain: Chain | None) -> None:
    """Note the hops in the response, or in the error."""
    success, exception = outcome
    if chain is None:
        return
    if success is None:
        story.tell_in_exception(exception, chain)
        return
    answer, parsed = success
    parsed.setdefault("ResponseMetadata", {})["Redirects"] = _described(chain)
    story.tell_in_answer(parsed, answer.status_code, chain)


def _described(chain: Chain | None) -> list[dict[str, Any]]:
    hops = chain.hops if chain is not None else ()
    return [{"HTTPStatusCode": hop.status, "Location": redacted(str(hop.url))} for hop in hops]


def _no_such_key(kind: Kind, message: str, request: Any) -> tuple[Any, dict[str, Any]]:
    """What botocore would make of the 404 of a server that holds no such object."""
    is_head = request.method == "HEAD"  # whose answer has no body that could say more
    error = {"Code": "404", "Message": "Not Found"} if is_head else {"Code": "NoSuchKey", "Message": message}
    metadata = {"HTTPStatusCode": 404, "HTTPHeaders": {}, "RetryAttempts": 0}
    return kind.not_found(request.url), {"Error": error, "ResponseMetadata": metadata}


def _error(code: str, message: str, answer: Any, operation_model: Any, call: Call) -> RedirectError:
    headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() != "location"}
    metadata = {
        "HTTPStatusCode": answer.status_code,
        "HTTPHeaders": headers,
        "RetryAttempts": call.attempts - 1,
        "Redirects": _described(call.chain),
    }
    return RedirectError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, operation_model.name
    )


def _is_s3(operation_model: Any) -> bool:
    return bool(operation_model.service_model.service_id == "S3")


@functools.lru_cache(maxsize=256)
def _is_aws(endpoint_url: str) -> bool:
    return _AWS_S3.search(urlsplit(endpoint_url).hostname or "") is not None
