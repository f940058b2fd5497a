"""The HTTP session of a client that follows redirects: the one that the client has, which leaves them to us.

aiohttp follows redirects by itself unless it is told with each request not to (`allow_redirects`): unsigned, and to
where it believes the Location to lead. What aiobotocore asks of aiohttp while a request is sent that is followed by us
goes through `_NotFollowing`; what it asks at other times, and for other requests, goes where it always went. Its back
end for httpx hands redirects back.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import inspect
import io
import sys
import threading
from typing import Any, Iterator

from aiobotocore._endpoint_helpers import _IOBaseWrapper
from aiobotocore.httpsession import AIOHTTPSession
from botocore.httpsession import ProxyConfiguration

from ..call import is_redirect
from ..errors import UnsupportedBotocoreError
from ..session import ProxiesByHost
from ..shape import check_attributes, check_methods, is_own

_UNKNOWN = object()


class Sending:
    """A request that is being sent, or was."""

    def __init__(self) -> None:
        self.reading: _Reading | None = None
        """Its body, where aiohttp reads it in another thread."""


_now: contextvars.ContextVar[Sending | None] = contextvars.ContextVar("aistore_patch_sending", default=None)
"""What is being sent, where its redirects are ours to follow."""


@contextlib.contextmanager
def sending() -> Iterator[Sending]:
    """Have the adopted sessions hand back a redirect of the request that is sent in the block."""
    one = Sending()
    _now.set(one)
    try:
        yield one
    finally:
        _now.set(None)  # not `reset`: a coroutine that is thrown away may end in another context


async def end(sent: Sending | None) -> None:
    """Return when nothing of the body will be read any more for a request, whose answer has come or never will."""
    if sent is None or sent.reading is None:
        return
    sent.reading._self_is_over = True
    if sent.reading._self_reading.locked():
        await asyncio.get_running_loop().run_in_executor(None, sent.reading._self_wait)


def adopt(session: Any, endpoint_url: str, proxies_are_explicit: bool) -> None:
    """Prepare a client's HTTP session for redirects; does nothing the second time.

    Args:
        session: the `http_session` of an endpoint.
        endpoint_url: where that endpoint is.
        proxies_are_explicit: whether the client was made with proxies of its own, which then hold for every host.

    Raises:
        UnsupportedBotocoreError: it is a session of another kind, and may follow redirects by itself.
    """
    cls: Any = type(session)
    if issubclass(cls, (_ByMethod, _ByAttribute)):
        return
    if not issubclass(cls, AIOHTTPSession):
        if not _is_httpx(cls):
            raise UnsupportedBotocoreError(
                f"the HTTP session of this client is a {cls.__module__}.{cls.__qualname__}, which may follow redirects "
                "by itself; expected aiobotocore's AIOHTTPSession or HttpxSession, or a subclass of one. Nothing was "
                "sent"
            )
        return
    if not proxies_are_explicit and type(session._proxy_config) is ProxyConfiguration:
        session._proxy_config = ProxiesByHost(session._proxy_config, endpoint_url)
    session.__class__ = _adopted(cls)


def check_supported() -> None:
    """Raise `UnsupportedBotocoreError` where aiobotocore's session is not what `adopt` expects."""
    check_methods(AIOHTTPSession, {"send": (("self", "request"),)})
    check_attributes(AIOHTTPSession, ("_proxy_config",))
    if is_own(AIOHTTPSession.send, AIOHTTPSession) and _way_to_aiohttp() is None:
        raise UnsupportedBotocoreError(
            f"{AIOHTTPSession.__module__}.AIOHTTPSession.send uses neither _get_session nor _session; expected one"
        )


def _is_httpx(cls: type) -> bool:
    of_httpx = getattr(sys.modules.get("aiobotocore.httpxsession"), "HttpxSession", None)
    return of_httpx is not None and issubclass(cls, of_httpx)


def _way_to_aiohttp() -> Any:
    """What leads `send` to aiohttp's session."""
    used = inspect.unwrap(AIOHTTPSession.send).__code__.co_names
    ways = {"_get_session": _ByMethod, "_session": _ByAttribute}
    return next((way for name, way in ways.items() if name in used), None)


@functools.lru_cache(maxsize=64)
def _adopted(cls: Any) -> Any:
    """The class of an adopted session; it says that it is the class that it was."""
    names = {name: getattr(cls, name) for name in ("__module__", "__qualname__", "__doc__")}
    return type(cls.__name__, (_ByMethod if hasattr(cls, "_get_session") else _ByAttribute, cls), names)


class _ByMethod:
    """Mixed into a session that has an aiohttp session for each proxy (aiobotocore >= 2.12)."""

    async def _get_session(self, proxy_url: Any) -> Any:
        found = await super()._get_session(proxy_url)  # type: ignore[misc]  # a mixin
        now = _now.get()
        return found if now is None else _NotFollowing(found, now)


class _ByAttribute:
    """Mixed into a session that has one aiohttp session (aiobotocore < 2.12)."""

    @property
    def _session(self) -> Any:
        found = vars(self)["_session"]
        now = _now.get()
        return found if now is None or found is None else _NotFollowing(found, now)

    @_session.setter
    def _session(self, session: Any) -> None:
        vars(self)["_session"] = session


class _NotFollowing:
    """aiohttp's session, as far as aiobotocore uses it to send a request."""

    def __init__(self, session: Any, now: Sending) -> None:
        self._session = session
        self._now = now

    async def request(self, *args: Any, **kwargs: Any) -> Any:
        """aiohttp's response; a `Redirect` where it redirects."""
        if isinstance(kwargs.get("data"), io.IOBase):
            kwargs["data"] = self._now.reading = _Reading(kwargs["data"])
        response = await self._session.request(*args, **kwargs, allow_redirects=False)
        if not is_redirect(response.status, response.headers):
            return response
        await _leave(response)
        return Redirect(str(response.url), response.status, response.raw_headers)


class Redirect:
    """An answer in place of aiohttp's own, which needs nothing of the connection any more.

    aiobotocore decodes headers as UTF-8, and fails where they are not; it gets them so that it reads them as latin-1,
    as botocore does, and as `location` expects.

    Args:
        url: what was asked.
        status: the HTTP status.
        received: names and values of the headers as they came.
    """

    def __init__(self, url: str, status: int, received: Any = ()) -> None:
        self.url = url
        self.status = status
        self.received = received
        self.raw_headers = [(name, value.decode("latin-1").encode("utf-8")) for name, value in received]
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in received}

    async def read(self) -> bytes:
        """The body, of which nothing is needed."""
        return b""


async def _leave(response: Any) -> None:
    """Read a redirect to its end, so that its connection can be used again, or close that.

    The server may still take what comes next for the body (RFC 9112 section 9.3) where that was not sent: where the
    redirect came instead of `100 Continue`, or early.
    """
    try:
        writer = getattr(response, "_writer", _UNKNOWN)  # aiohttp's task that sends the body; None when it has
        if writer is None or (isinstance(writer, asyncio.Task) and writer.done()):
            with contextlib.suppress(Exception):  # its header is all that is needed
                await response.read()
    finally:
        response.close()  # does nothing where the connection has been given back


class _Reading(_IOBaseWrapper):  # type: ignore[misc]  # aiobotocore has no types
    """A stream that aiohttp sends, as long as it may.

    aiohttp reads in another thread, and goes on with that where nobody waits for it any more: without this, it would
    take a piece out of what the next request sends. (`_self_` marks attributes of the wrapper, not of the stream.)
    """

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._self_is_over = False
        self._self_reading = threading.Lock()

    def read(self, *args: Any) -> Any:
        """As the stream's own; nothing when it is over."""
        with self._self_reading:
            return self.__wrapped__.read(*((0,) if self._self_is_over else args))

    def seek(self, *args: Any) -> Any:
        """As the stream's own; the stream stays where it is when it is over."""
        with self._self_reading:
            return self.__wrapped__.tell() if self._self_is_over else self.__wrapped__.seek(*args)

    def _self_wait(self) -> None:
        with self._self_reading:
            pass
