"""The short way is taken where it may be, and nowhere else."""

from __future__ import annotations

import io
import logging
import warnings
from typing import Any, Callable
from unittest import mock

import pytest
from botocore.endpoint import Endpoint
from botocore.httpsession import URLLib3Session
from urllib3.connection import HTTPConnection

import aistore_patch
from aistore_patch import short_way
from aistore_patch.short_way.exchange import ShortRedirect
from tests.cluster import AUTHORITY, Cluster, server_context

from .conftest import BUCKET, MakeClient

CALLS: dict[str, Callable[[Any], Any]] = {
    "get": lambda client: client.get_object(Bucket=BUCKET, Key="k")["Body"].read(),
    "head": lambda client: client.head_object(Bucket=BUCKET, Key="k"),
    "put bytes": lambda client: client.put_object(Bucket=BUCKET, Key="k", Body=b"content"),
    "put stream": lambda client: client.put_object(Bucket=BUCKET, Key="k", Body=io.BytesIO(b"content")),
    "delete": lambda client: client.delete_object(Bucket=BUCKET, Key="k"),
}
BOTH = [ShortRedirect.__name__, "HTTPResponse"]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch, way: str) -> list[str]:
    """What came back by the short way, one after the other."""
    if way == "long-way":
        pytest.skip("it is switched off")
    came: list[str] = []
    original: Callable[..., Any] = vars(short_way)["send_on"]

    def noted(*args: Any) -> Any:
        answer = original(*args)
        came.append(type(answer).__name__)
        return answer

    monkeypatch.setattr(short_way, "send_on", noted)
    return came


def warm(cluster: Cluster, make_client: MakeClient, **options: Any) -> Any:
    client = aistore_patch.follow_redirects(make_client(cluster, fresh=True, **options))
    cluster.store.put(BUCKET, "k", b"content")
    CALLS["get"](client)
    return client


@pytest.mark.parametrize("name", CALLS)
def test_redirected_calls_take_it(cluster: Cluster, make_client: MakeClient, taken: list[str], name: str) -> None:
    client = warm(cluster, make_client)
    assert taken == []  # the first call finds out who redirects
    CALLS[name](client)
    assert taken == BOTH


def test_it_is_taken_over_tls(make_client: MakeClient, taken: list[str]) -> None:
    tls = server_context()
    with Cluster(targets=1, proxy_tls=tls, target_tls=tls) as cluster:
        cluster.store.create_bucket(BUCKET)
        client = warm(cluster, make_client, verify=AUTHORITY)
        del taken[:]
        assert CALLS["get"](client) == b"content"
        assert taken == BOTH


def test_unverified_tls_is_warned_of_each_time(make_client: MakeClient, taken: list[str]) -> None:
    tls = server_context()
    with Cluster(targets=1, proxy_tls=tls, target_tls=tls) as cluster, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cluster.store.create_bucket(BUCKET)
        client = warm(cluster, make_client, verify=False)
        del caught[:], taken[:]
        CALLS["head"](client)
        assert sum(warning.category.__name__ == "InsecureRequestWarning" for warning in caught) == 2
        assert taken == ["NoneType"] * 2  # it stood aside


def test_no_origin_that_does_not_redirect_is_served_by_it(
    cluster: Cluster, make_client: MakeClient, taken: list[str]
) -> None:
    client = aistore_patch.follow_redirects(make_client(cluster, fresh=True))
    for _ in range(3):
        client.list_objects_v2(Bucket=BUCKET)
    assert taken == []


def test_a_method_that_somebody_has_wrapped_on_the_way_rules_it_out(
    cluster: Cluster, make_client: MakeClient, taken: list[str]
) -> None:
    client = warm(cluster, make_client)
    session = client._endpoint.http_session
    pool = session._manager.connection_from_url(cluster.endpoint_url)
    wrapped: list[tuple[Any, str, Callable[[Any], Any]]] = [
        (session, "send", around),
        (session, "_path_url", around),
        (session._manager, "connection_from_url", around),
        (pool, "urlopen", around),
        (pool.pool.queue[-1], "request", around),
        (Endpoint, "_send", around),
        (URLLib3Session, "send", Proxy),
        (URLLib3Session, "_setup_ssl_cert", Proxy),
        (HTTPConnection, "putheader", Proxy),
    ]
    for where, name, wrap in wrapped:
        with mock.patch.object(where, name, wrap(getattr(where, name))):
            CALLS["head"](client)
        assert "ShortRedirect" not in taken
        del taken[:]
    CALLS["head"](client)
    assert taken == BOTH


class Proxy:
    """As wrapt makes them: equal to what it wraps."""

    def __init__(self, wrapped: Any, instance: Any = None) -> None:
        self._wrapped = wrapped
        self._instance = instance

    def __get__(self, instance: Any, owner: Any) -> Any:
        return Proxy(self._wrapped, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._wrapped(*(() if self._instance is None else (self._instance,)), *args, **kwargs)

    def __eq__(self, other: object) -> bool:
        return bool(self._wrapped == other)

    def __hash__(self) -> int:
        return hash(self._wrapped)


def around(function: Any) -> Any:
    return lambda *args, **kwargs: function(*args, **kwargs)


@pytest.mark.parametrize("name", ["urllib3.connectionpool", "botocore.awsrequest"])
def test_who_logs_what_is_sent_rules_it_out(
    cluster: Cluster, make_client: MakeClient, taken: list[str], caplog: pytest.LogCaptureFixture, name: str
) -> None:
    client = warm(cluster, make_client)
    caplog.set_level(logging.DEBUG, name)
    CALLS["head"](client)
    assert taken == []


def test_it_goes_on_after_the_connections_were_closed(
    cluster: Cluster, make_client: MakeClient, taken: list[str]
) -> None:
    client = warm(cluster, make_client)
    client._endpoint.http_session._manager.clear()
    for _ in range(2):
        CALLS["head"](client)
    assert taken == BOTH


def test_it_forgets_origins_where_they_are_too_many(
    cluster: Cluster, make_client: MakeClient, taken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(short_way, "POOLS", 1)
    client = warm(cluster, make_client)
    for _ in range(3):
        assert CALLS["get"](client) == b"content"
    assert "ShortRedirect" not in taken  # the gateway is forgotten for a target, and that for the gateway
    assert len(short_way._pools[client._endpoint.http_session]) == 1
