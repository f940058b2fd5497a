"""The HTTP session of a client that follows redirects: what is changed of it, when, and which proxies hold for whom."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.httpsession import ProxyConfiguration, URLLib3Session
from urllib3 import PoolManager

from aistore_patch import session as module
from aistore_patch.connection import HTTPConnectionPool, HTTPSConnectionPool
from aistore_patch.session import POOLS, ProxiesByHost, Session, adopt

GATEWAY = "http://gw:81"
PROXY = "http://proxy:3128"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def adopted(**options: Any) -> Any:
    session = URLLib3Session(**options)
    adopt(session, GATEWAY, proxies_are_explicit=False)
    return session


def dispose(_pool: Any) -> None: ...


def test_a_session_that_is_adopted_is_ready_for_a_cluster() -> None:
    session = URLLib3Session()
    session._proxy_managers[PROXY] = PoolManager()
    managers = (session._manager, session._proxy_managers[PROXY])
    for manager in managers:
        manager.pools.dispose_func = dispose
    managers[0].connection_from_url(GATEWAY)
    adopt(session, GATEWAY, proxies_are_explicit=False)
    assert type(session) is Session
    assert type(session._proxy_config) is ProxiesByHost
    assert [manager.pools._maxsize for manager in managers] == [POOLS] * 2
    assert [manager.pools.dispose_func for manager in managers] == [dispose] * 2
    assert type(session._manager.connection_from_url(GATEWAY)) is HTTPConnectionPool
    assert type(session._manager.connection_from_url("https://gw")) is HTTPSConnectionPool
    assert session._get_pool_manager_kwargs(a=1)["num_pools"] == POOLS
    assert session._get_pool_manager_kwargs(a=1)["a"] == 1


def test_it_is_adopted_once() -> None:
    session = adopted()
    before = (session._manager.pools, session._proxy_config)
    adopt(session, "http://other", proxies_are_explicit=False)
    assert (session._manager.pools, session._proxy_config) == before


class Busy:
    """A lock: while one waits for it, another thread adopts the session."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def __enter__(self) -> None:
        self._session.__class__ = Session

    def __exit__(self, *_: object) -> None: ...


def test_it_is_adopted_once_by_threads_too(monkeypatch: pytest.MonkeyPatch) -> None:
    session: Any = URLLib3Session()
    before = (session._manager.pools, session._proxy_config)
    monkeypatch.setattr(module, "_adopting", Busy(session))
    adopt(session, GATEWAY, proxies_are_explicit=False)
    assert (session._manager.pools, session._proxy_config) == before


def test_the_host_of_the_client_is_known_to_its_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    session = adopted(proxies={"http": PROXY})
    monkeypatch.setenv("no_proxy", "gw")
    assert session._proxy_config.proxy_url_for(f"{GATEWAY}/s3") == PROXY  # for it, botocore looked before


class Own(URLLib3Session):  # type: ignore[misc]  # botocore has no types
    """A session of the user's own."""


def is_left_alone(session: Any) -> bool:
    before = (type(session), vars(session).copy())
    adopt(session, GATEWAY, proxies_are_explicit=False)
    return (type(session), vars(session)) == before


def test_a_session_of_somebodys_own_is_left_alone() -> None:
    assert is_left_alone(Own())
    assert is_left_alone(object.__new__(URLLib3Session))  # of a botocore that names all otherwise
    for name in ("_manager", "_pool_classes_by_scheme", "_proxy_config", "_proxy_managers"):
        session = URLLib3Session()
        delattr(session, name)
        assert is_left_alone(session), name
    for scheme in ("http", "https"):
        session = URLLib3Session()
        session._pool_classes_by_scheme[scheme] = type("Recorded", (AWSHTTPConnectionPool,), {})
        assert is_left_alone(session), scheme


@pytest.mark.parametrize("pool", [AWSHTTPConnectionPool, AWSHTTPSConnectionPool])
def test_where_connections_are_somebodys_own_so_is_the_session(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    is_http = pool is AWSHTTPConnectionPool
    recorded = type("Recorded", (AWSHTTPConnection if is_http else AWSHTTPSConnection,), {})
    monkeypatch.setattr(pool, "ConnectionCls", recorded)
    assert is_left_alone(URLLib3Session())


@pytest.mark.parametrize("explicit", [True, False])
def test_proxies_that_a_client_was_made_with_hold_for_every_host(explicit: bool) -> None:
    session = URLLib3Session(proxies={"http": PROXY})
    adopt(session, GATEWAY, proxies_are_explicit=explicit)
    assert type(session._proxy_config) is (ProxyConfiguration if explicit else ProxiesByHost)


def test_what_somebody_has_put_in_the_place_of_the_proxies_stays() -> None:
    session = URLLib3Session()
    own = session._proxy_config = type("Own", (ProxyConfiguration,), {})()
    adopt(session, GATEWAY, proxies_are_explicit=False)
    assert session._proxy_config is own


GW, BUCKET, TARGET, SIMILAR = "http://gw:81/s3/b", "http://b.gw:81/k", "http://t:51081/s3/b", "http://xgw:81/k"


@pytest.mark.parametrize(
    ("own", "environment", "with_proxy"),
    [
        ({}, {}, []),
        ({}, {"http_proxy": PROXY}, []),  # it came after the client was made
        ({"http": PROXY}, {}, [GW, BUCKET, TARGET, SIMILAR]),
        ({"http": PROXY}, {"no_proxy": "gw,b.gw,t"}, [GW, BUCKET, SIMILAR]),  # for the gateway botocore has looked
        ({}, {"http_proxy": PROXY, "no_proxy": "gw"}, [TARGET, SIMILAR]),
        ({}, {"http_proxy": PROXY, "no_proxy": "gw,t"}, [SIMILAR]),
        ({}, {"https_proxy": PROXY, "no_proxy": "gw"}, []),
    ],
)
def test_proxies_are_those_of_each_host(
    own: dict[str, str], environment: dict[str, str], with_proxy: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = {"proxy_use_forwarding_for_https": True}
    proxies = ProxiesByHost(ProxyConfiguration(own, settings), GATEWAY)
    for url in (GW, BUCKET, TARGET, SIMILAR):
        assert proxies.proxy_url_for(url) == (PROXY if url in with_proxy else None), url
    assert proxies.settings == settings


def test_a_forked_process_forgets_every_connection_and_every_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_adopting", module._adopting)  # so that it is put back
    sessions = [adopted(), adopted()]
    pools = [session._manager.pools for session in sessions]
    lock = module._adopting
    with lock:
        module._forked()
    assert module._adopting is not lock
    assert not module._adopting.locked()
    for session, before in zip(sessions, pools):
        assert session._manager.pools is not before
        assert len(session._manager.pools) == 0
