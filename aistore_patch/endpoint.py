"""Where redirects are followed in botocore: three methods of `botocore.endpoint.Endpoint`.

`_do_get_response` sends one request and parses the answer; it is called once for each attempt, inside the loop that
retries. A redirect is followed within it, so that it is no retry: it takes none of the attempts, and an attempt that
fails after a redirect is repeated by botocore at the URL the caller's request was for. `create_request` tells which
request it is and where its body stands; `_send` hands a redirect back before its body is parsed.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import logging
import re
import sys
import types
from typing import Any, Callable, Iterator
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, HTTPClientError, UnseekableStreamError
from botocore.httpsession import URLLib3Session

from . import guard, session, short_way, story
from .body import Body, NotRewindable
from .chain import STATUSES, Chain, Unfollowable
from .connection import HopHeaders
from .errors import RedirectError, UnsupportedBotocoreError
from .location import InvalidLocation, has_pid, parse_url, redacted, split_netloc
from .policy import RedirectPolicy

logger = logging.getLogger("aistore_patch")
logger.addHandler(logging.NullHandler())  # a program that sets up no logging is told by the errors alone

SIGNATURES = {
    "create_request": (("self", "params", "operation_model"),),
    "_do_get_response": (
        ("self", "request", "operation_model"),
        ("self", "request", "operation_model", "context"),
    ),
    "_send": (("self", "request"),),
}
"""The methods of `botocore.endpoint.Endpoint` that are wrapped, and their parameters (botocore 1.20 to 1.44)."""

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


class _Redirected(HTTPClientError):  # type: ignore[misc]  # botocore has no types
    """Carries a redirect from `_send` past botocore's parsers, which let this kind of exception through."""

    fmt = "redirected"

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer


class _Call:
    """One API call, over all its attempts."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.policy: RedirectPolicy  # create_request sets it, each time
        self.attempts = 0
        self.is_followed = False
        self.was_redirected = False
        self.chain: Chain | None = None
        """The redirects of the attempt that is being made."""

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


class _HopRequest(AWSRequest):  # type: ignore[misc]  # botocore has no types
    """A request whose URL stays what the server said.

    botocore up to 1.27 moves the bucket between path and host in handlers of `before-sign` (`utils.fix_s3_host`,
    `utils.S3EndpointSetter`); the bucket of a redirected request is where it belongs.
    """

    @property
    def url(self) -> str:
        url: str = self.__dict__["url"]
        return url

    @url.setter
    def url(self, value: str) -> None:
        self.__dict__.setdefault("url", value)

    @property
    def body(self) -> Any:
        """What botocore makes of `data` by preparing the whole request once more, for the signer."""
        return self.data if isinstance(self.data, bytes) else super().body


def wrapped(
    cls: type, policy: Callable[[], RedirectPolicy | None], original: Callable[[str], Callable[..., Any]]
) -> dict[str, Callable[..., Any]]:
    """The methods that make an endpoint follow redirects.

    Args:
        cls: `botocore.endpoint.Endpoint` or a subclass of it.
        policy: called for each attempt; the limits that hold for it, or None: then it is left to the methods of `cls`.
        original: called for each use of a method, with its name; the one that ours is around.
    """

    @functools.wraps(cls.create_request)  # type: ignore[attr-defined]  # checked by check_supported
    def create_request(self: Any, params: dict[str, Any], operation_model: Any = None) -> Any:
        is_ours = operation_model is not None and _is_s3(operation_model) and not _is_aws(self.host)
        limits = policy() if is_ours else None
        if limits is None:
            return original("create_request")(self, params, operation_model)
        call = _call_of(params)
        request = original("create_request")(self, params, operation_model)
        call.policy = limits
        vars(request).update({_CALL: call, _PARAMS: params})
        return request

    @functools.wraps(cls._do_get_response)  # type: ignore[attr-defined]  # checked by check_supported
    def _do_get_response(self: Any, request: Any, operation_model: Any, *args: Any, **kwargs: Any) -> Any:
        def attempt(one: Any) -> Any:
            return original("_do_get_response")(self, one, operation_model, *args, **kwargs)

        call = getattr(request, _CALL, None)
        if call is None or call.is_followed:
            return attempt(request)
        session.adopt(self.http_session, self.host, _has_own_proxies(getattr(request, _PARAMS)))
        with call.attempt():
            return _follow(self, attempt, request, operation_model, call)

    @functools.wraps(cls._send)  # type: ignore[attr-defined]  # checked by check_supported
    def _send(self: Any, request: Any) -> Any:
        send = original("_send")
        call = getattr(request, _CALL, None)
        if call is None or not call.is_followed:
            return send(self, request)
        answer = short_way.send(send, self.http_session, request)
        if answer is None:
            answer = send(self, request)
            if call.chain is not None or _is_redirect(answer):
                short_way.learn(self.http_session, request.url)
        if _is_redirect(answer):
            with contextlib.suppress(Exception):  # its header is all that is needed
                answer.content  # noqa: B018 - read, so that the connection can be used again
            raise _Redirected(answer)
        if call.chain is not None:
            _raise_as_botocore(answer, request)
        return answer

    return {"create_request": create_request, "_do_get_response": _do_get_response, "_send": _send}


def check_supported(cls: type) -> None:
    """Raise `UnsupportedBotocoreError` where an endpoint class is not what `wrapped` expects.

    What somebody has put in the place of botocore's own functions is their business, as long as it can be called so.
    """
    for name, expected in {**SIGNATURES, "prepare_request": (("self", "request"),)}.items():
        method = getattr(cls, name, None)
        where = f"{cls.__module__}.{cls.__qualname__}.{name}"
        if method is None:
            raise UnsupportedBotocoreError(f"{where} is missing; expected {where}({', '.join(expected[-1])})")
        try:
            found = inspect.signature(method)
        except Exception as error:  # whatever a replacement raises when it is inspected
            raise UnsupportedBotocoreError(f"{where} has parameters that cannot be read: {error!r}") from error
        is_as_expected = tuple(found.parameters) in expected
        if not is_as_expected and (_is_botocores(method, cls) or not any(_takes(method, one) for one in expected)):
            raise UnsupportedBotocoreError(
                f"{where} has the parameters ({', '.join(found.parameters)}); expected ({', '.join(expected[-1])})"
            )
    _check_attributes(cls, ("_event_emitter", "host", "http_session"))
    _check_attributes(URLLib3Session, session.ATTRIBUTES)


def _takes(method: Any, parameters: tuple[str, ...]) -> bool:
    """Whether a replacement has these parameters, and others only as options, or hands on whatever it is given."""
    signature = inspect.signature(method)
    try:
        signature.bind(*parameters)
    except TypeError:
        return False
    hands_on = any(one.kind is one.VAR_POSITIONAL for one in signature.parameters.values())
    is_alike = tuple(signature.parameters)[: len(parameters)] == parameters
    return is_alike or (hands_on and isinstance(method, types.FunctionType))


def _is_botocores(function: Any, cls: Any) -> bool:
    """Whether a function is of the module of its class, as far as that can be seen."""
    try:
        code = inspect.unwrap(function).__code__
    except Exception:  # it is a mock's, or raises when it is inspected
        return False
    return bool(code.co_filename == getattr(sys.modules.get(cls.__module__), "__file__", None))


def _check_attributes(cls: Any, names: tuple[str, ...]) -> None:
    """Check that a class of botocore's sets attributes, unless its `__init__` is another's, which says nothing."""
    if not _is_botocores(cls.__init__, cls):
        return
    known = inspect.unwrap(cls.__init__).__code__.co_names
    for name in names:
        if name not in known:
            raise UnsupportedBotocoreError(
                f"{cls.__module__}.{cls.__qualname__}.__init__ sets no attribute {name}; expected one"
            )


def _follow(endpoint: Any, attempt: Callable[[Any], Any], request: Any, operation_model: Any, call: _Call) -> Any:
    """Send a request, and again wherever the answers redirect it; what botocore's `_do_get_response` returns."""
    outcome = attempt(request)
    while True:
        answer = _redirect_in(outcome)
        if answer is None:
            _record(outcome, call.chain)
            return outcome
        del outcome  # its traceback would keep this frame, and with it the body, until garbage is collected
        try:
            _follow_one(endpoint, request, operation_model, call, answer)
        except guard.NoSuchKey as why:
            return _no_such_key(str(why), request), None
        except Unfollowable as why:
            logger.warning("%s: %s", operation_model.name, why)
            return None, _error(why.code, str(why), answer, operation_model, call)
        request = _hop_request(endpoint, request, operation_model, call)
        outcome = attempt(request)


def _redirect_in(outcome: Any) -> Any:
    """The answer that redirects, None where the outcome is another."""
    success, exception = outcome
    if isinstance(exception, _Redirected):
        return exception.answer
    # An answer that did not come through `_send`: a hook of before-send gave it (moto does that).
    return success[0] if success is not None and _is_redirect(success[0]) else None


def _is_redirect(answer: Any) -> bool:
    """Whether the answer is a redirect as AIStore means it, and none of those that botocore handles for AWS.

    One without a Location is one too, and ends as an error: botocore would look for the bucket's region instead, with a
    request that is answered in the same way, and so on (`S3RegionRedirector.get_bucket_region`, all versions).
    """
    return answer.status_code in STATUSES and "x-amz-bucket-region" not in answer.headers


def _raise_as_botocore(answer: Any, request: Any) -> None:
    """Raise botocore's errors for answers to a redirected request of which botocore itself makes something else."""
    if answer.status_code < 200:  # it would be a success
        raise HTTPClientError(error=f"the redirected request was answered with status {answer.status_code}")
    if answer.status_code >= 300:
        try:
            answer.content  # noqa: B018 - botocore reads it later, where urllib3's exceptions reach the caller
        except Exception as error:
            raise ConnectionClosedError(error=error, request=request, endpoint_url=request.url) from error


def _follow_one(endpoint: Any, request: Any, operation_model: Any, call: _Call, answer: Any) -> None:
    """Have a call follow one more redirect.

    Raises:
        Unfollowable: it must not be followed.
        guard.NoSuchKey: there is no need to: the object cannot exist.
    """
    chain = call.chain or _chain_of(request, endpoint, operation_model)  # without a chain, it is the caller's request
    locations = _locations(answer)
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


def _locations(answer: Any) -> list[str]:
    """The `Location` headers of an answer; botocore's own dict joins several with a comma, as if they were one."""
    raw: Any = getattr(getattr(answer, "raw", None), "headers", None)
    if hasattr(raw, "getlist"):
        return list(raw.getlist("Location"))
    location = answer.headers.get("Location")  # of an answer that a hook made up
    return [] if location is None else [location]


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


def _hop_request(endpoint: Any, previous: Any, operation_model: Any, call: _Call) -> Any:
    """The caller's request, made anew and signed for the URL that the call has come to.

    It is what `Endpoint.create_request` does for a retry, but for the URL, which is pinned.
    """
    assert call.chain is not None  # noqa: S101 - one redirect was followed at least
    url, params = call.chain.current, getattr(previous, _PARAMS)
    headers = {name: value for name, value in params["headers"].items() if name.lower() != "host"}
    request = _HopRequest(method=params["method"], url=str(url), data=params["body"], headers=headers)
    request.context = params["context"]
    request.stream_output = previous.stream_output
    request.auth_path = _resource(params.get("auth_path") or urlsplit(params["url"]).path, call.chain)
    if not url.is_presigned:  # it carries its own authority, and S3 refuses two signatures; the event is for the signer
        service = operation_model.service_model.service_id.hyphenize()
        event = f"request-created.{service}.{operation_model.name}"
        endpoint._event_emitter.emit(event, request=request, operation_name=operation_model.name)
    prepared = endpoint.prepare_request(request)
    prepared.headers = HopHeaders(prepared.headers, url)
    # Whoever replaces the headers, the session or the connections has botocore spell the target, which cuts it at a `;`
    # (`URLLib3Session._path_url`). The request is signed as it goes out otherwise.
    prepared.url = str(url._replace(path=url.path.replace(";", "%3B")))
    vars(prepared).update({_CALL: call, _PARAMS: params})
    return prepared


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


def _no_such_key(message: str, request: Any) -> tuple[Any, dict[str, Any]]:
    """What botocore would make of the 404 of a server that holds no such object."""
    answer = AWSResponse(request.url, 404, {}, None)
    answer._content = b""
    is_head = request.method == "HEAD"  # whose answer has no body that could say more
    error = {"Code": "404", "Message": "Not Found"} if is_head else {"Code": "NoSuchKey", "Message": message}
    metadata = {"HTTPStatusCode": 404, "HTTPHeaders": {}, "RetryAttempts": 0}
    return answer, {"Error": error, "ResponseMetadata": metadata}


def _error(code: str, message: str, answer: Any, operation_model: Any, call: _Call) -> RedirectError:
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


def _call_of(params: dict[str, Any]) -> _Call:
    """The call that an attempt is made for.

    An attempt after a redirect sends the body from where the caller's stream stood; without one it is botocore's own.
    """
    call: _Call | None = params["context"].get(_CALL)
    if call is None:
        call = params["context"][_CALL] = _Call(Body(params))
    elif call.was_redirected:
        try:
            call.body.rewind()
        except NotRewindable:
            raise UnseekableStreamError(stream_object=params.get("body")) from None
    return call


def _is_s3(operation_model: Any) -> bool:
    return bool(operation_model.service_model.service_id == "S3")


@functools.lru_cache(maxsize=256)
def _is_aws(endpoint_url: str) -> bool:
    return _AWS_S3.search(urlsplit(endpoint_url).hostname or "") is not None


def _has_own_proxies(params: dict[str, Any]) -> bool:
    config = params["context"].get("client_config")
    return getattr(config, "proxies", None) is not None
