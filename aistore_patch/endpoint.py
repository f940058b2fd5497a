"""Where redirects are followed in botocore: three methods of `botocore.endpoint.Endpoint`.

`_do_get_response` sends one request and parses the answer; it is called once for each attempt, inside the loop that
retries. A redirect is followed within it, so that it is no retry: it takes none of the attempts, and an attempt that
fails after a redirect is repeated by botocore at the URL the caller's request was for. `create_request` tells which
request it is and where its body stands; `_send` hands a redirect back before its body is parsed.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Any, Callable

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, HTTPClientError
from botocore.httpsession import URLLib3Session

from . import session, short_way
from .call import (
    Call,
    Kind,
    Redirected,
    call_of,
    ended,
    has_own_proxies,
    hop_request,
    is_followed_for,
    is_redirect,
    mark,
    mark_alike,
    marked,
    signing_event,
)
from .connection import HopHeaders
from .policy import RedirectPolicy
from .shape import check_attributes, check_methods

SIGNATURES = {
    "create_request": (("self", "params", "operation_model"),),
    "_do_get_response": (
        ("self", "request", "operation_model"),
        ("self", "request", "operation_model", "context"),
    ),
    "_send": (("self", "request"),),
}
"""The methods of `botocore.endpoint.Endpoint` that are wrapped, and their parameters (botocore 1.20 to 1.44)."""


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
        limits = policy() if is_followed_for(self, operation_model) else None
        if limits is None:
            return original("create_request")(self, params, operation_model)
        call = call_of(_BOTOCORE, params)
        call.begin_again(params)
        request = original("create_request")(self, params, operation_model)
        call.policy = limits
        mark(request, call, params)
        return request

    @functools.wraps(cls._do_get_response)  # type: ignore[attr-defined]  # checked by check_supported
    def _do_get_response(self: Any, request: Any, operation_model: Any, *args: Any, **kwargs: Any) -> Any:
        def attempt(one: Any) -> Any:
            return original("_do_get_response")(self, one, operation_model, *args, **kwargs)

        call = marked(request)
        if call is None or call.is_followed:
            return attempt(request)
        session.adopt(self.http_session, self.host, has_own_proxies(request))
        with call.attempt():
            return _follow(self, attempt, request, operation_model, call)

    @functools.wraps(cls._send)  # type: ignore[attr-defined]  # checked by check_supported
    def _send(self: Any, request: Any) -> Any:
        send = original("_send")
        call = marked(request)
        if call is None or not call.is_followed:
            return send(self, request)
        answer = short_way.send(send, self.http_session, request)
        if answer is None:
            answer = send(self, request)
            if call.chain is not None or is_redirect(answer.status_code, answer.headers):
                short_way.learn(self.http_session, request.url)
        if is_redirect(answer.status_code, answer.headers):
            with contextlib.suppress(Exception):  # its header is all that is needed
                answer.content  # noqa: B018 - read, so that the connection can be used again
            raise Redirected(answer)
        if call.chain is not None:
            _raise_as_botocore(answer, request)
        return answer

    return {"create_request": create_request, "_do_get_response": _do_get_response, "_send": _send}


def check_supported(cls: type) -> None:
    """Raise `UnsupportedBotocoreError` where an endpoint class is not what `wrapped` expects."""
    check_methods(cls, {**SIGNATURES, "prepare_request": (("self", "request"),)})
    check_attributes(cls, ("_event_emitter", "host", "http_session"))
    check_attributes(URLLib3Session, session.ATTRIBUTES)


def _follow(endpoint: Any, attempt: Callable[[Any], Any], request: Any, operation_model: Any, call: Call) -> Any:
    """Send a request, and again wherever the answers redirect it; what botocore's `_do_get_response` returns."""
    while True:
        outcome = ended(_BOTOCORE, endpoint, request, operation_model, call, attempt(request))
        if outcome is not None:
            return outcome
        request = _hop_request(endpoint, request, operation_model, call)


def _hop_request(endpoint: Any, previous: Any, operation_model: Any, call: Call) -> Any:
    """The caller's request, made anew and signed for the URL that the call has come to."""
    request, event = hop_request(previous, call), signing_event(call, operation_model)
    if event is not None:
        endpoint._event_emitter.emit(event, request=request, operation_name=operation_model.name)
    prepared = endpoint.prepare_request(request)
    url = call.chain.current  # type: ignore[union-attr]  # hop_request has looked
    prepared.headers = HopHeaders(prepared.headers, url)
    # Whoever replaces the headers, the session or the connections has botocore spell the target, which cuts it at a `;`
    # (`URLLib3Session._path_url`). The request is signed as it goes out otherwise.
    prepared.url = str(url._replace(path=url.path.replace(";", "%3B")))
    mark_alike(prepared, previous)
    return prepared


def _raise_as_botocore(answer: Any, request: Any) -> None:
    """Raise botocore's errors for answers to a redirected request of which botocore itself makes something else."""
    if answer.status_code < 200:  # it would be a success
        raise HTTPClientError(error=f"the redirected request was answered with status {answer.status_code}")
    if answer.status_code >= 300:
        try:
            answer.content  # noqa: B018 - botocore reads it later, where urllib3's exceptions reach the caller
        except Exception as error:
            raise ConnectionClosedError(error=error, request=request, endpoint_url=request.url) from error


def _locations(answer: Any) -> list[str]:
    """The `Location` headers of an answer; botocore's own dict joins several with a comma, as if they were one."""
    raw: Any = getattr(getattr(answer, "raw", None), "headers", None)
    if hasattr(raw, "getlist"):
        return list(raw.getlist("Location"))
    location = answer.headers.get("Location")  # of an answer that a hook made up
    return [] if location is None else [location]


def _not_found(url: str) -> Any:
    answer = AWSResponse(url, 404, {}, None)
    answer._content = b""
    return answer


_BOTOCORE = Kind(_locations, _not_found, may_replace_body=True)
