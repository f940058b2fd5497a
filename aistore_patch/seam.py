"""Where redirects are followed in botocore: three methods of `botocore.endpoint.Endpoint`.

`_do_get_response` sends one request and parses the answer; it is called once for each attempt, inside the loop that
retries. A redirect is followed within it, so that it is no retry: it takes none of the attempts, and an attempt that
fails after a redirect is repeated by botocore at the URL the caller's request was for. `create_request` tells which
request it is and where its body stands; `_send` hands a redirect back before its body is parsed.
"""

from __future__ import annotations

import functools
import inspect
import logging
import re
import traceback
from typing import Any, Callable
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSRequest, create_request_object
from botocore.exceptions import BotoCoreError, ConnectionClosedError, HTTPClientError, UnseekableStreamError
from botocore.parsers import ResponseParserError

from . import wire
from .body import Body, NotRewindable
from .chain import STATUSES, Chain, Unfollowable
from .errors import RedirectError, UnreadableAnswerError, UnsupportedBotocoreError
from .location import InvalidLocation, parse_url, redacted, split_netloc
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

# Keys in the context of a request, which all attempts at it share.
_BODY = "aistore_patch.body"
_ATTEMPTS = "aistore_patch.attempts"

_CALL = "_aistore_patch_call"

# Hosts of AWS in all its partitions (botocore data/partitions.json, dnsSuffix and dualStackDnsSuffix).
_AWS_HOST = re.compile(
    r"(?:^|\.)(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|api\.aws|api\.amazonwebservices\.(?:com\.cn|eu)"
    r"|(?:c2s\.ic|sc2s\.sgov|csp\.hci\.ic)\.gov|cloud\.adc-e\.uk|api\.aws\.(?:ic|scloud|hci\.ic|adc-e)\.[a-z.]+)$"
)


class _Redirected(HTTPClientError):  # type: ignore[misc]  # botocore has no types
    """Carries a redirect from `_send` past botocore's parsers, which let this kind of exception through."""

    fmt = "redirected"

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer


class _Call:
    """What is known of a request while it is sent: how to make it again for another URL."""

    __slots__ = ("body", "is_followed", "params", "policy")

    def __init__(self, params: dict[str, Any], body: Body, policy: RedirectPolicy) -> None:
        self.params = params
        self.body = body
        self.policy = policy
        self.is_followed = False

    def __enter__(self) -> None:
        """Follow it until the block ends: who wraps what wraps a client already shall not do it as well."""
        self.is_followed = True
        context = self.params["context"]
        context[_ATTEMPTS] = context.get(_ATTEMPTS, 0) + 1

    def __exit__(self, *_: object) -> None:
        self.is_followed = False

    @property
    def retries(self) -> int:
        """How many attempts there were before this one."""
        return int(self.params["context"][_ATTEMPTS]) - 1


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
        pass

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
        limits = policy() if operation_model is not None and _is_s3(operation_model) else None
        if limits is None:
            return original("create_request")(self, params, operation_model)
        body = _body_of(params)
        request = original("create_request")(self, params, operation_model)
        setattr(request, _CALL, _Call(params, body, limits))
        return request

    @functools.wraps(cls._do_get_response)  # type: ignore[attr-defined]  # checked by check_supported
    def _do_get_response(self: Any, request: Any, operation_model: Any, *context: Any) -> Any:
        send = functools.partial(_send_and_parse, original("_do_get_response"), self)
        call = getattr(request, _CALL, None)
        if call is None or call.is_followed:
            return send(request, operation_model, *context)
        wire.adopt(self.http_session, self.host, _has_own_proxies(call.params))
        with call:
            return _follow(self, send, request, operation_model, context, call)

    @functools.wraps(cls._send)  # type: ignore[attr-defined]  # checked by check_supported
    def _send(self: Any, request: Any) -> Any:
        answer = original("_send")(self, request)
        call = getattr(request, _CALL, None)
        if call is not None and call.is_followed and answer.status_code >= 300:
            _read_to_the_end(answer, request)
            if _is_redirect(answer, request.url):
                raise _Redirected(answer)
        return answer

    return {"create_request": create_request, "_do_get_response": _do_get_response, "_send": _send}


def check_supported(cls: type) -> None:
    """Raise `UnsupportedBotocoreError` where an endpoint class is not what `wrapped` expects."""
    for name, expected in {**SIGNATURES, "prepare_request": (("self", "request"),)}.items():
        method = getattr(cls, name, None)
        where = f"{cls.__module__}.{cls.__qualname__}.{name}"
        if method is None:
            raise UnsupportedBotocoreError(f"{where} is missing; expected {where}({', '.join(expected[-1])})")
        try:
            found = tuple(inspect.signature(method).parameters)
        except Exception as error:  # of what somebody has put there, which may raise anything when looked at
            raise UnsupportedBotocoreError(f"{where} has parameters that cannot be read: {error!r}") from error
        if found not in expected:
            raise UnsupportedBotocoreError(
                f"{where} has the parameters ({', '.join(found)}); expected ({', '.join(expected[-1])})"
            )
    for attribute in ("_event_emitter", "host", "http_session"):
        if attribute not in cls.__init__.__code__.co_names:  # type: ignore[misc]  # it is a plain function
            raise UnsupportedBotocoreError(f"{cls.__module__}.{cls.__qualname__} has no attribute {attribute} any more")
    wire.check_supported()


def _follow(
    endpoint: Any,
    send: Callable[..., Any],
    request: Any,
    operation_model: Any,
    context: tuple[Any, ...],
    call: _Call,
) -> Any:
    """Send a request, and again wherever the answers redirect it; what botocore's `_do_get_response` returns."""
    outcome = send(request, operation_model, *context)
    answer = _redirect_in(outcome, request)
    chain = None
    while answer is not None:
        try:
            chain = chain or _chain_of(request, endpoint)
            chain = _follow_one(chain, answer, call.policy, operation_model)
            call.body.rewind()
        except Unfollowable as reason:
            return None, _error(reason.code, str(reason), answer, chain, operation_model, call)
        except NotRewindable:
            return None, _error("RedirectBodyNotRewindable", _NOT_REWINDABLE, answer, chain, operation_model, call)
        request = _request_for(chain, request, operation_model, endpoint, call)
        outcome = send(request, operation_model, *context)
        answer = _redirect_in(outcome, request)
    _record(outcome, chain)
    return outcome


_NOT_REWINDABLE = (
    "The request was redirected after its body had been read, and the body cannot be rewound to where it stood; "
    "give a body that can seek, or bytes"
)


# What botocore's parsers raise over a malformed answer, as far as it is not botocore's own.
_STUMBLED = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, ResponseParserError)


def _send_and_parse(original: Callable[..., Any], endpoint: Any, request: Any, *more: Any) -> Any:
    try:
        return original(endpoint, request, *more)
    except BotoCoreError:
        raise
    except _STUMBLED as error:
        if _is_of_the_program(error):
            raise
        return None, UnreadableAnswerError(endpoint_url=redacted(request.url), error=error)


def _is_of_the_program(error: Exception) -> bool:
    """Whether what stands in botocore's place raised it, or a handler of its events, and not botocore itself."""
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    is_botocores = [module.partition(".")[0] == "botocore" for module in modules]
    return not any(is_botocores) or any(
        caller == "botocore.hooks" and not is_botocores[called] for called, caller in enumerate(modules[:-1], start=1)
    )


def _redirect_in(outcome: Any, request: Any) -> Any:
    """The answer that redirects, None where the outcome is another."""
    success, exception = outcome
    if isinstance(exception, _Redirected):
        return exception.answer
    # An answer that did not come through `_send`: a hook of before-send gave it (moto does that).
    if success is not None and _is_redirect(success[0], request.url):
        return success[0]
    return None


def _is_redirect(answer: Any, url: str) -> bool:
    """Whether the answer is a redirect as AIStore means it, and none of those that botocore handles for AWS.

    One without a Location is one too, and ends as an error: botocore would look for the bucket's region instead, with a
    request that is answered in the same way, and so on (`S3RegionRedirector.get_bucket_region`, all versions).
    """
    headers = answer.headers
    if answer.status_code not in STATUSES or "x-amz-bucket-region" in headers:
        return False
    return str(headers.get("Server", "")).startswith("AIStore") or not _AWS_HOST.search(urlsplit(url).hostname or "")


def _chain_of(request: Any, endpoint: Any) -> Chain:
    try:
        original = parse_url(request.url)
    except InvalidLocation as problem:
        what = f"The request for '{redacted(request.url)}' was redirected, and its own URL cannot be read: {problem}"
        raise Unfollowable("InvalidRedirectLocation", what) from None
    of_endpoint = urlsplit(endpoint.host)
    below = "." + split_netloc(of_endpoint.netloc.lower())[0]
    bucket = original.host[: -len(below)] if original.host.endswith(below) else None
    return Chain(original, bucket, of_endpoint.path.rstrip("/"))


def _follow_one(chain: Chain, answer: Any, policy: RedirectPolicy, operation_model: Any) -> Chain:
    before = chain.current
    try:
        chain = chain.follow(answer.status_code, answer.headers.get("Location"), policy)
    except Unfollowable as reason:
        logger.warning("%s: %s", operation_model.name, reason)
        raise
    if logger.isEnabledFor(logging.DEBUG):
        urls = redacted(str(before)), redacted(str(chain.current))
        logger.debug("%s: %d from %s to %s", operation_model.name, answer.status_code, *urls)
    return chain


def _request_for(chain: Chain, previous: Any, operation_model: Any, endpoint: Any, call: _Call) -> Any:
    """The caller's request, made anew and signed for the URL that the chain has come to.

    It is what `Endpoint.create_request` does for a retry, but for the URL, which is pinned.
    """
    url = chain.current
    headers = {name: value for name, value in call.params["headers"].items() if name.lower() != "host"}
    request = create_request_object({**call.params, "url": str(url), "headers": headers})
    request.__class__ = _HopRequest
    request.stream_output = previous.stream_output
    request.auth_path = _resource(request.auth_path or urlsplit(call.params["url"]).path, chain)
    service = operation_model.service_model.service_id.hyphenize()
    endpoint._event_emitter.emit(
        f"request-created.{service}.{operation_model.name}", request=request, operation_name=operation_model.name
    )
    prepared = endpoint.prepare_request(request)
    setattr(prepared, _CALL, call)
    wire.send_verbatim(prepared, url)
    wire.expect(endpoint.http_session, url)
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
    """Note the hops in the response, and keep what their URLs carry out of an error."""
    success, exception = outcome
    if success is not None:
        success[1].setdefault("ResponseMetadata", {})["Redirects"] = _described(chain)
    elif chain is not None:
        _hide_query(exception)


def _described(chain: Chain | None) -> list[dict[str, Any]]:
    hops = chain.hops if chain is not None else ()
    return [{"HTTPStatusCode": hop.status, "Location": redacted(str(hop.url))} for hop in hops]


def _hide_query(exception: Any) -> None:
    """Take the query out of the URL that botocore's connection errors show."""
    kwargs = getattr(exception, "kwargs", None)
    if isinstance(kwargs, dict) and "?" in str(kwargs.get("endpoint_url", "")):
        kwargs["endpoint_url"] = redacted(str(kwargs["endpoint_url"]))
        exception.args = (exception.fmt.format(**kwargs),)


def _error(
    code: str, message: str, answer: Any, chain: Chain | None, operation_model: Any, call: _Call
) -> RedirectError:
    headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() != "location"}
    metadata = {
        "HTTPStatusCode": answer.status_code,
        "HTTPHeaders": headers,
        "RetryAttempts": call.retries,
        "Redirects": _described(chain),
    }
    return RedirectError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, operation_model.name
    )


def _read_to_the_end(answer: Any, request: Any) -> None:
    """Read the body of an answer that is not a success, so that its connection can be used again.

    botocore reads it later, where the exceptions of urllib3 reach the caller as they are (`convert_to_response_dict`).
    """
    try:
        answer.content  # noqa: B018 - reading it is the purpose
    except Exception as error:
        if not _is_redirect(answer, request.url):  # of a redirect, only the header is needed
            raise ConnectionClosedError(error=error, request=request, endpoint_url=request.url) from error


def _body_of(params: dict[str, Any]) -> Body:
    """The body of the call that `params` describe, back at its start if this is another attempt."""
    body: Body | None = params["context"].get(_BODY)
    if body is None:
        body = params["context"][_BODY] = Body(params)
        return body
    try:
        body.rewind()
    except NotRewindable:
        raise UnseekableStreamError(stream_object=params.get("body")) from None
    return body


def _is_s3(operation_model: Any) -> bool:
    return bool(operation_model.service_model.service_id == "S3")


def _has_own_proxies(params: dict[str, Any]) -> bool:
    config = params["context"].get("client_config")
    return getattr(config, "proxies", None) is not None
