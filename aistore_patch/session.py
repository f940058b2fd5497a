"""The HTTP session of a client that follows redirects: the one that the client has, prepared for many hosts.

- There are pools for a whole cluster (urllib3 keeps 10, one for each host).
- Proxies are those for the host that a request goes to (botocore looks at NO_PROXY once, for the endpoint's host).
- A forked process opens connections of its own.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.httpsession import ProxyConfiguration, URLLib3Session
from botocore.utils import should_bypass_proxies

from .connection import HTTPConnectionPool, HTTPSConnectionPool

POOLS = 1024
"""Hosts to which connections are kept open, for each client."""

ATTRIBUTES = ("_manager", "_pool_classes_by_scheme", "_proxy_config", "_proxy_managers")
"""What `adopt` needs of a `URLLib3Session` (botocore 1.20 to 1.44)."""

_adopting = threading.Lock()
_adopted: weakref.WeakSet[Session] = weakref.WeakSet()


class Session(URLLib3Session):  # type: ignore[misc]  # botocore has no types
    """botocore's session of a client that follows redirects; `adopt` makes it of the one the client has."""

    def _get_pool_manager_kwargs(self, **extra: Any) -> Any:
        return super()._get_pool_manager_kwargs(num_pools=POOLS, **extra)

    def begin_anew(self) -> None:
        """Forget every connection: forgotten, not closed, since another thread may be about to use one."""
        for manager in (self._manager, *self._proxy_managers.values()):
            manager.pools = type(manager.pools)(POOLS, manager.pools.dispose_func)


class ProxiesByHost(ProxyConfiguration):  # type: ignore[misc]  # botocore has no types
    """The proxies that a client was made with, as they apply to each host.

    A client whose own endpoint is exempt from proxies has kept none; for other hosts those of now are taken.
    """

    def __init__(self, own: Any, endpoint_url: str) -> None:
        proxies = own._proxies or (getproxies() if should_bypass_proxies(endpoint_url) else {})
        super().__init__(proxies=proxies, proxies_settings=own._proxies_settings)
        self._own = own
        self._endpoint = urlsplit(endpoint_url).netloc

    def proxy_url_for(self, url: str) -> Any:
        """The proxy for a URL, None if there is none."""
        netloc = urlsplit(url).netloc
        if netloc == self._endpoint or netloc.endswith(f".{self._endpoint}"):  # a bucket may stand before it
            return self._own.proxy_url_for(url)
        return None if should_bypass_proxies(url) else super().proxy_url_for(url)


def adopt(session: Any, endpoint_url: str, proxies_are_explicit: bool) -> None:
    """Prepare a client's HTTP session for redirects.

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
        if type(session) is not URLLib3Session or not _is_botocores(session):
            return
        if not proxies_are_explicit and type(session._proxy_config) is ProxyConfiguration:
            session._proxy_config = ProxiesByHost(session._proxy_config, endpoint_url)
        # The session's managers share this dict; pools that they have already are of the old classes.
        session._pool_classes_by_scheme.update(http=HTTPConnectionPool, https=HTTPSConnectionPool)
        Session.begin_anew(session)
        session.__class__ = Session
        _adopted.add(session)


def _is_botocores(session: Any) -> bool:
    """Whether connections are made as botocore makes them: recorders of traffic put their own classes there."""
    return (
        all(hasattr(session, name) for name in ATTRIBUTES)
        and session._pool_classes_by_scheme == {"http": AWSHTTPConnectionPool, "https": AWSHTTPSConnectionPool}
        and AWSHTTPConnectionPool.ConnectionCls is AWSHTTPConnection
        and AWSHTTPSConnectionPool.ConnectionCls is AWSHTTPSConnection
    )


def _forked() -> None:
    """Connections are the parent's too, and each would read the other's answers; a thread may have held the lock."""
    global _adopting
    _adopting = threading.Lock()
    for session in list(_adopted):
        session.begin_anew()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=_forked)
