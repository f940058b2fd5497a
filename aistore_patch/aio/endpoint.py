"""Where redirects are followed in aiobotocore: the methods of `AioEndpoint` that are those of botocore as coroutines.

See `aistore_patch.endpoint`, to which this is the counterpart.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any, Awaitable, Callable

from aiobotocore.awsrequest import AioAWSResponse
from botocore.endpoint import Endpoint
from botocore.exceptions import ConnectionClosedError, HTTPClientError

from ..call import (
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
from ..errors import UnsupportedBotocoreError
from ..policy import RedirectPolicy
from ..shape import check_attributes, check_methods, is_own
from . import session

SIGNATURES = {
    "create_request": (("self", "params", "operation_model"),),
    "_do_get_response": (("self", "request", "operation_model", "context"),),
    "_send": (("self", "request"),),
}
"""The methods of `aiobotocore.endpoint.AioEndpoint` that are wrapped, and their parameters (2.4 to 3.10)."""


def wrapped(
    cls: type, policy: Callable[[], RedirectPolicy | None], original: Callable[[str], Callable[..., Any]]
) -> dict[str, Callable[..., Any]]:
    """The methods that make an endpoint follow redirects; arguments as for `aistore_patch.endpoint.wrapped`."""

    @functools.wraps(cls.create_request)  # type: ignore[attr-defined]  # checked by check_supported
    async def create_request(self: Any, params: dict[str, Any], operation_model: Any = None) -> Any:
        limits = policy() if is_followed_for(self, operation_model) else None
        if limits is None:
            return await original("create_request")(self, params, operation_model)
        call = call_of(_AIOBOTOCORE, params)
        await session.end(call.sending)
        call.begin_again(params)
        request = await original("create_request")(self, params, operation_model)
        call.policy = limits
        mark(request, call, params)
        return request

    @functools.wraps(cls._do_get_response)  # type: ignore[attr-defined]  # checked by check_supported
    async def _do_get_response(self: Any, request: Any, operation_model: Any, *args: Any, **kwargs: Any) -> Any:
        async def attempt(one: Any) -> Any:
            return await original("_do_get_response")(self, one, operation_model, *args, **kwargs)

        call = marked(request)
        if call is None or call.is_followed:
            return await attempt(request)
        session.adopt(self.http_session, self.host, has_own_proxies(request))
        with call.attempt():
            return await _follow(self, attempt, request, operation_model, call)

    @functools.wraps(cls._send)  # type: ignore[attr-defined]  # checked by check_supported
    async def _send(self: Any, request: Any) -> Any:
        send = original("_send")
        call = marked(request)
        if call is None or not call.is_followed:
            return await send(self, request)
        with session.sending() as call.sending:
            answer = await send(self, request)
        if is_redirect(answer.status_code, answer.headers):
            await session.end(call.sending)
            await answer.content
            raise Redirected(answer)
        if call.chain is not None:
            await _raise_as_botocore(answer, request)
        return answer

    return {"create_request": create_request, "_do_get_response": _do_get_response, "_send": _send}


def check_supported(cls: type) -> None:
    """Raise `UnsupportedBotocoreError` where an endpoint class is not what `wrapped` expects."""
    where = f"{cls.__module__}.{cls.__qualname__}"
    if not issubclass(cls, Endpoint):
        raise UnsupportedBotocoreError(f"{where} is no botocore.endpoint.Endpoint; expected a subclass of it")
    check_methods(cls, {**SIGNATURES, "prepare_request": (("self", "request"),)})
    check_attributes(Endpoint, ("_event_emitter", "host", "http_session"))
    for name in SIGNATURES:
        method = inspect.unwrap(getattr(cls, name))
        if is_own(method, cls) and not inspect.iscoroutinefunction(method):
            raise UnsupportedBotocoreError(f"{where}.{name} is no coroutine function; expected one")
    session.check_supported()


async def _follow(
    endpoint: Any, attempt: Callable[[Any], Awaitable[Any]], request: Any, operation_model: Any, call: Call
) -> Any:
    """Send a request, and again wherever the answers redirect it; what `_do_get_response` returns."""
    while True:
        outcome = ended(_AIOBOTOCORE, endpoint, request, operation_model, call, await attempt(request))
        if outcome is not None:
            return outcome
        request = await _hop_request(endpoint, request, operation_model, call)


async def _hop_request(endpoint: Any, previous: Any, operation_model: Any, call: Call) -> Any:
    """The caller's request, made anew and signed for the URL that the call has come to.

    aiobotocore hands the URL to yarl as one that is encoded already, so that it goes out as it stands.
    """
    request, event = hop_request(previous, call), signing_event(call, operation_model)
    if event is not None:
        await endpoint._event_emitter.emit(event, request=request, operation_name=operation_model.name)
    prepared = endpoint.prepare_request(request)
    mark_alike(prepared, previous)
    return prepared


async def _raise_as_botocore(answer: Any, request: Any) -> None:
    """Raise botocore's errors for answers to a redirected request of which aiobotocore itself makes something else."""
    if answer.status_code < 200:  # it would be a success
        raise HTTPClientError(error=f"the redirected request was answered with status {answer.status_code}")
    if answer.status_code >= 300:
        try:
            await answer.content  # aiobotocore reads it later, where aiohttp's exceptions reach the caller
        except Exception as error:
            raise ConnectionClosedError(error=error, request=request, endpoint_url=request.url) from error


def _locations(answer: Any) -> list[str]:
    """The `Location` headers of an answer; aiobotocore's own dict has only the last of several."""
    raw: Any = answer.raw
    of_httpx = getattr(getattr(raw, "headers", None), "raw", None)
    received = raw.received if isinstance(raw, session.Redirect) else of_httpx
    if received is not None:
        return [value.decode("latin-1") for name, value in received if name.lower() == b"location"]
    location = answer.headers.get("Location")  # of an answer that a hook made up
    return [] if location is None else [location]


def _not_found(url: str) -> Any:
    return AioAWSResponse(url, 404, {}, session.Redirect(url, 404))


_AIOBOTOCORE = Kind(_locations, _not_found, may_replace_body=False)
