"""How requests go over the wire: the part of urllib3 and of botocore's HTTP session that redirects depend on.

botocore's session is kept, with its TLS settings, client certificates, time-outs and pools; five things are mended:

- the request target of a redirected request is sent as the server spelled it (urllib3 re-encodes it, botocore's
  `URLLib3Session._path_url` loses what follows a `;` in a path);
- a body is not read after the server has answered instead of saying `100 Continue` (urllib3 2 reads it to its end);
- informational answers are not taken for final ones (`answer`);
- proxies are those for the host the request goes to (botocore looks at NO_PROXY once, for the endpoint's host);
- there are connection pools for a whole cluster (urllib3 keeps 10, one for each host).
"""

from __future__ import annotations

import functools
import http.client
import io
import logging
import os
import re
import socket
import threading
import types
import weakref
from typing import Any, Callable, Iterator
from urllib.request import getproxies

import botocore.httpsession
import urllib3.exceptions
from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
    AWSResponse,
    HeadersDict,
)
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
    SSLError,
)
from botocore.httpsession import ProxyConfiguration, URLLib3Session
from botocore.utils import should_bypass_proxies
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.util import wait_for_read

from .answer import CONTINUE_TIMEOUT, Answer, final_line
from .body import read_block
from .errors import UnsupportedBotocoreError
from .exchange import ShortRedirect, exchange, is_common
from .location import Url

POOLS = 1024
"""Hosts to which connections are kept open, for each client."""

SESSION_ATTRIBUTES = ("_manager", "_pool_classes_by_scheme", "_proxy_config", "_proxy_managers")
"""What `adopt` finds in a `URLLib3Session` (botocore 1.20 to 1.44)."""

_adopting = threading.Lock()


def _forked() -> None:
    """A thread of the parent may have held the lock."""
    global _adopting
    _adopting = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


class _HopHeaders(HeadersDict):  # type: ignore[misc]  # botocore has no types
    """The headers of a redirected request; they carry its URL through botocore and urllib3 to the connection."""

    url: Url

    def copy(self) -> _HopHeaders:
        headers: _HopHeaders = super().copy()  # of botocore's class, whatever ours is
        headers.__class__ = _HopHeaders
        headers.url = self.url
        return headers


def send_verbatim(request: Any, url: Url) -> None:
    """Have a prepared request sent with the request target that `url` has, byte for byte."""
    request.headers.__class__ = _HopHeaders
    request.headers.url = url


class _UnansweredBody:
    """A request body that ends as soon as the server has answered instead of saying `100 Continue`."""

    def __init__(self, body: Any, connection: Any) -> None:
        self._body = body
        self._connection = connection

    def read(self, size: int = -1) -> Any:
        return b"" if self._connection._response_received else read_block(self._body, size)

    def __iter__(self) -> Iterator[Any]:
        return iter(lambda: self.read(self._connection.blocksize), b"")


class _Connection:
    """Mixed into botocore's connection classes."""

    is_for_short_exchanges = True
    response_class: Any = Answer

    def _handle_expect_response(self, message_body: Any) -> None:
        """Send the body if the server asks for it; botocore takes every answer but a 100 for the final one."""
        with self.sock.makefile("rb", 0) as stream:  # type: ignore[attr-defined]  # a mixin
            line = _as_urllib3(final_line, stream, self._says_more)
        if line is None:
            self._send_message_body(message_body)  # type: ignore[attr-defined]  # a mixin
        else:
            self.response_class = functools.partial(Answer, line=line)
            self._response_received = True

    def _says_more(self) -> bool:
        sock: Any = self.sock  # type: ignore[attr-defined]  # a mixin
        is_decrypted = getattr(sock, "pending", None)  # of TLS: bytes that no waiting on the socket will show
        return bool(is_decrypted and is_decrypted()) or wait_for_read(sock, CONTINUE_TIMEOUT)

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, *args: Any, **kwargs: Any) -> Any:
        body = _until_answered(body, headers, self)
        url = _verbatim(url, headers)
        return super().request(method, url, body, headers, *args, **kwargs)  # type: ignore[misc]  # a mixin

    def request_chunked(self, method: str, url: str, body: Any = None, headers: Any = None) -> Any:
        """urllib3 1.26 sends chunks without `request`, where botocore notes that the body has to wait for an answer."""
        self._response_received = False
        self._expect_header_set = headers is not None and headers.get("Expect") == b"100-continue"
        body = _until_answered(body, headers, self)
        try:
            url = _verbatim(url, headers)
            return super().request_chunked(method, url, body, headers)  # type: ignore[misc]  # a mixin
        finally:
            self._expect_header_set = False

    def getresponse(self, *args: Any, **kwargs: Any) -> Any:
        return _as_urllib3(super().getresponse, *args, **kwargs)  # type: ignore[misc]  # a mixin


def _as_urllib3(read: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Read some of an answer; who sends too long a line once does so again: that is no error to be retried."""
    try:
        return read(*args, **kwargs)
    except http.client.LineTooLong as error:
        raise urllib3.exceptions.InvalidHeader(f"the answer cannot be read: {error}") from None


def _verbatim(url: str, headers: Any) -> str:
    """The request target: of a redirected request as the server spelled it, of others what urllib3 made of it."""
    if not isinstance(headers, _HopHeaders):
        return url
    return headers.url.target if url.startswith("/") else str(headers.url)


def _until_answered(body: Any, headers: Any, connection: Any) -> Any:
    is_stream = hasattr(body, "read") and not isinstance(body, io.TextIOBase)
    return _UnansweredBody(body, connection) if is_stream and headers and "Expect" in headers else body


class _HTTPConnection(_Connection, AWSHTTPConnection):  # type: ignore[misc]  # botocore has no types
    pass


class _HTTPSConnection(_Connection, AWSHTTPSConnection):  # type: ignore[misc]  # botocore has no types
    pass


class _Pool:
    """Mixed into botocore's pool classes: redirects are not urllib3's to parse (with `Retry(False)` it still does)."""

    def urlopen(self, *args: Any, **kwargs: Any) -> Any:
        return super().urlopen(*args, **{**kwargs, "redirect": False})  # type: ignore[misc]  # a mixin


class _HTTPPool(_Pool, AWSHTTPConnectionPool):  # type: ignore[misc]  # botocore has no types
    @property
    def ConnectionCls(self) -> Any:  # noqa: N802 - urllib3's name
        """Ours, unless somebody, to record what is sent, has put another class in the place of botocore's."""
        cls = AWSHTTPConnectionPool.ConnectionCls
        return _HTTPConnection if cls is AWSHTTPConnection else cls


class _HTTPSPool(_Pool, AWSHTTPSConnectionPool):  # type: ignore[misc]  # botocore has no types
    @property
    def ConnectionCls(self) -> Any:  # noqa: N802 - urllib3's name
        """As for http."""
        cls = AWSHTTPSConnectionPool.ConnectionCls
        return _HTTPSConnection if cls is AWSHTTPSConnection else cls


class _ProxiesByHost(ProxyConfiguration):  # type: ignore[misc]  # botocore has no types
    """The proxies of the environment, as they apply to each host that a redirect leads to.

    They are those that held when the client was made, as far as the client still knows: one whose own endpoint is
    exempt from proxies has kept none.
    """

    def __init__(self, ours: Any, endpoint_url: str) -> None:
        super().__init__(proxies=ours._proxies, proxies_settings=ours._proxies_settings)
        self._of_environment = ours._proxies or (getproxies() if should_bypass_proxies(endpoint_url) else {})
        self._by_netloc: dict[str, Any] = {}

    def learn(self, url: Url) -> None:
        if url.netloc not in self._by_netloc:
            if len(self._by_netloc) >= POOLS:
                self._by_netloc.clear()
            proxies = {} if should_bypass_proxies(url.origin + "/") else self._of_environment
            self._by_netloc[url.netloc] = ProxyConfiguration(proxies=proxies, proxies_settings=self._proxies_settings)

    def proxy_url_for(self, url: str) -> Any:
        if self._by_netloc:
            netloc = url.partition("://")[2].partition("/")[0].partition("?")[0]
            learned = self._by_netloc.get(netloc)
            if learned is not None:
                return learned.proxy_url_for(url)
        return super().proxy_url_for(url)


class _RedirectAnswer(AWSResponse):  # type: ignore[misc]  # botocore has no types
    """A redirect as botocore sees it, where it comes to see it."""

    def __init__(self, url: str, redirect: ShortRedirect) -> None:
        self.url = url
        self.status_code = redirect.status
        self.headers = redirect.headers
        self.raw = None
        self._content = redirect.content


class _Session(URLLib3Session):  # type: ignore[misc]  # botocore has no types
    """botocore's session of a client that follows redirects; `adopt` makes it of the one the client has."""

    _known_pools: dict[str, weakref.ref[Any]]
    _process: int

    def send(self, request: Any) -> Any:
        if self._process != os.getpid():
            with _adopting:
                if self._process != os.getpid():
                    self.begin_anew()
        origin = "/".join(request.url.split("/", 3)[:3])
        known = self._known_pools.get(origin)
        pool = known() if known is not None else None
        if getattr(pool, "pool", None) is None:  # new or closed
            return self._send_and_learn(request, origin)
        if _somebody_watches():
            return super().send(request)
        target = _plain_target(request, origin)
        timeout = self._timeout_of(request, pool)
        if target is None or not is_common(pool, target, request.body, request.headers, timeout):
            return super().send(request)
        try:
            answer = self._exchange(pool, target, request, timeout)
        except _LET_THROUGH:
            raise
        except Exception as error:
            raise _botocore_error(error, request) from error
        return super().send(request) if answer is None else answer

    def _exchange(self, pool: Any, target: str, request: Any, timeout: Any) -> Any:
        streamed = request.stream_output
        response = exchange(pool, request.method, target, request.body, request.headers, timeout, streamed)
        if response is None:
            return None
        if isinstance(response, ShortRedirect):
            return _RedirectAnswer(request.url, response)
        answer = AWSResponse(request.url, response.status, response.headers, response)
        if not streamed:
            answer.content  # noqa: B018 - read at once, as botocore does
        return answer

    def _send_and_learn(self, request: Any, origin: str) -> Any:
        answer = super().send(request)
        if self._proxy_config.proxy_url_for(request.url) is None:
            if len(self._known_pools) >= POOLS:
                self._known_pools.clear()
            self._known_pools[origin] = weakref.ref(self._manager.connection_from_url(request.url))
        return answer

    def _timeout_of(self, request: Any, pool: Any) -> Any:
        own = getattr(self, "_get_request_timeout", None)  # botocore >= 1.43: a call may have a time-out of its own
        return (own(request) if own is not None else None) or pool.timeout

    def begin_anew(self) -> None:
        """Forget every connection. After a fork they are the parent's too, and each would read the other's answers.

        Forgotten, not closed: another thread may be about to use one, or may have held a lock of theirs at the fork.
        """
        self._known_pools = {}
        for manager in (self._manager, *self._proxy_managers.values()):
            manager.pools = type(manager.pools)(POOLS, manager.pools.dispose_func)
        self._process = os.getpid()

    def expect(self, url: Url) -> None:
        if isinstance(self._proxy_config, _ProxiesByHost):
            self._proxy_config.learn(url)
        for manager in (self._manager, *self._proxy_managers.values()):
            manager.pools._maxsize = POOLS


# What is neither to be percent-encoded nor spelled otherwise by urllib3 (`util.url._encode_target`).
_PLAIN_TARGET = re.compile(r"/(?:[A-Za-z0-9/._~!$&'()*+,:=@?-]|%[0-9A-F]{2})*")


def _plain_target(request: Any, origin: str) -> str | None:
    """What the request line is to carry; None where that is urllib3's to say."""
    if isinstance(request.headers, _HopHeaders):
        return request.headers.url.target
    target: str = request.url[len(origin) :]
    return target if _PLAIN_TARGET.fullmatch(target) else None


def _own(cls: Any, name: str) -> Any:
    """The method as the library itself has it, None where somebody has put another in its place."""
    method = vars(cls)[name]
    is_own = isinstance(method, types.FunctionType) and method.__module__ == cls.__module__
    return method if is_own and not hasattr(method, "__wrapped__") else None


# What the short way leaves out, and what those put themselves in the place of who record, trace or mock what is sent.
_LEFT_OUT = {
    URLLib3Session: ("send",),
    HTTPConnectionPool: ("urlopen", "_make_request"),
    http.client.HTTPConnection: ("request", "putrequest", "putheader", "endheaders", "send", "getresponse"),
    http.client.HTTPResponse: ("begin",),
}
_OWN = [(cls, name, _own(cls, name)) for cls, names in _LEFT_OUT.items() for name in names]


_urllib3_log = logging.getLogger("urllib3.connectionpool")


def _somebody_watches() -> bool:
    """Whether what is sent is recorded, traced, logged or mocked where the short way would not pass."""
    return (
        any(vars(cls)[name] is not own for cls, name, own in _OWN)
        or http.client.HTTPConnection.debuglevel > 0
        or _urllib3_log.isEnabledFor(logging.DEBUG)
    )


# What `URLLib3Session.send` does not wrap: since botocore 1.40 a transfer that was cancelled while its body was read.
_LET_THROUGH = getattr(botocore.httpsession, "CancelledError", ())


def _botocore_error(error: Exception, request: Any) -> Any:
    """The exception that `URLLib3Session.send` raises for one of urllib3's (botocore 1.20 to 1.44)."""
    where = {"endpoint_url": request.url, "error": error}
    if isinstance(error, urllib3.exceptions.SSLError):
        return SSLError(**where)
    if isinstance(error, (urllib3.exceptions.NewConnectionError, socket.gaierror)):
        return EndpointConnectionError(**where)
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError):
        return ConnectTimeoutError(**where)
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return ReadTimeoutError(**where)
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return ConnectionClosedError(request=request, **where)
    return HTTPClientError(error=error)


def adopt(session: Any, endpoint_url: str, proxies_are_explicit: bool) -> None:
    """Make a client's HTTP session fit for redirects.

    Does nothing the second time, nor to a session that is not quite botocore's own: redirects are then followed with
    what that session can do.

    Args:
        session: the `http_session` of an endpoint.
        endpoint_url: where that endpoint is.
        proxies_are_explicit: whether the client was made with proxies of its own, which then hold for every host.
    """
    if type(session) is not URLLib3Session:
        return
    with _adopting:
        classes = session._pool_classes_by_scheme
        if type(session) is not URLLib3Session or not _is_botocores(classes):
            return
        if not proxies_are_explicit and type(session._proxy_config) is ProxyConfiguration:
            session._proxy_config = _ProxiesByHost(session._proxy_config, endpoint_url)
        # The session's managers share this dict; pools that they have already are of the old classes.
        classes.update(http=_HTTPPool, https=_HTTPSPool)
        _Session.begin_anew(session)
        session.__class__ = _Session


def _is_botocores(classes: dict[str, Any]) -> bool:
    """Whether connections are made as botocore makes them: recorders of traffic put their own classes there."""
    return (
        classes == {"http": AWSHTTPConnectionPool, "https": AWSHTTPSConnectionPool}
        and AWSHTTPConnectionPool.ConnectionCls is AWSHTTPConnection
        and AWSHTTPSConnectionPool.ConnectionCls is AWSHTTPSConnection
    )


def expect(session: Any, url: Url) -> None:
    """Prepare an adopted session for a request to the host of `url`: its proxies, and pools enough to keep it."""
    if isinstance(session, _Session):
        session.expect(url)


def check_supported() -> None:
    """Raise `UnsupportedBotocoreError` where botocore's session has not what `adopt` needs."""
    known = URLLib3Session.__init__.__code__.co_names
    for name in SESSION_ATTRIBUTES:
        if name not in known:
            raise UnsupportedBotocoreError(f"botocore.httpsession.URLLib3Session has no attribute {name} any more")
