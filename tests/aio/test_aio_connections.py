"""How requests and answers of aiobotocore share connections, and which proxies they go through."""

from __future__ import annotations

import asyncio
import contextlib
import io
from typing import Any, Iterator

import pytest
from botocore.exceptions import BotoCoreError, SSLError

from tests.cluster import AUTHORITY, CLIENT, Cluster, Ending, Fault, ForwardProxy, server_context

from .conftest import BUCKET, HERE, Run, client_of, stored

pytestmark = pytest.mark.usefixtures("patched")


def test_connections_are_used_again(cluster: Cluster, run: Run) -> None:
    for key in "abcdefgh":
        cluster.store.put(BUCKET, key, b"x")

    async def calls(client: Any) -> None:
        for key in "abcdefgh" * 3:
            await client.head_object(Bucket=BUCKET, Key=key)

    run(calls)
    assert cluster.ledger.connections("proxy") == 1
    assert all(cluster.ledger.connections(target.name) <= 1 for target in cluster.targets)


def test_nothing_follows_a_request_whose_body_was_not_sent(cluster: Cluster, run: Run) -> None:
    """A gateway that keeps the connection may yet take what comes next for the body that was announced."""
    location = f"Location: {cluster.targets[0].url}/s3/capb/k?pid=1\r\nContent-Length: 0\r\n\r\n"
    answer = Fault.raw(b"HTTP/1.1 307 Temporary Redirect\r\n" + location.encode(), Ending.KEEP)
    cluster.proxy.fail_with(answer, when=lambda request: request.method == "PUT")
    cluster.targets[0].fail_with(Fault.respond(200))

    async def calls(client: Any) -> None:
        for _ in range(3):
            await client.put_object(**HERE, Body=io.BytesIO(b"content"))
            await client.head_bucket(Bucket=BUCKET)

    run(calls)
    of_puts = {entry.connection for entry in cluster.ledger.requests("proxy", "PUT")}
    assert len(of_puts) == 3
    for number in of_puts:
        over_it = [entry.method for entry in cluster.ledger.requests("proxy") if entry.connection == number]
        assert over_it[-1] == "PUT"


@pytest.mark.parametrize("fault", [Fault.TRUNCATED, Fault.TRUNCATED_BY_RESET], ids=repr)
def test_a_redirect_whose_body_breaks_off_is_followed(cluster: Cluster, fault: Fault) -> None:
    cluster.store.put(BUCKET, "k", b"x")
    cluster.proxy.fail_with(fault, times=3)

    async def main() -> None:
        async with client_of(cluster.endpoint_url, max_pool_connections=1) as client:
            for _ in range(4):
                assert await asyncio.wait_for(stored(client, "k"), 30) == b"x"

    asyncio.run(main())


def test_a_client_that_is_closed_leaves_no_connection_open(cluster: Cluster) -> None:
    cluster.store.put(BUCKET, "k", b"x")

    async def main() -> Any:
        async with client_of(cluster.endpoint_url) as client:
            assert await stored(client, "k") == b"x"
            session = client._endpoint.http_session
            opened = list(getattr(session, "_sessions", None) or {}.values()) or [session._session]
        assert all(one.closed for one in opened if hasattr(one, "closed"))
        for attribute in ("_session", "_sessions"):
            assert not getattr(session, attribute, None)

    asyncio.run(main())


def test_a_client_may_be_used_by_one_loop_after_another(cluster: Cluster, run: Run) -> None:
    cluster.store.put(BUCKET, "k", b"x")
    for _ in range(2):
        assert run(lambda client: stored(client, "k")) == b"x"


# TLS.


@pytest.mark.parametrize("certificate", ["other-name", "untrusted"])
def test_a_target_with_the_wrong_certificate_is_not_spoken_to(run: Run, certificate: str) -> None:
    wrong = server_context(certificate)
    with Cluster(proxy_tls=server_context(), target_tls=wrong) as cluster, Cluster(proxy_tls=wrong) as other:
        cluster.store.create_bucket(BUCKET)
        with contextlib.suppress(BotoCoreError):
            run(lambda client: client.list_buckets(), url=other.endpoint_url, verify=AUTHORITY)
            pytest.skip("this aiobotocore takes such a certificate, whether or not there is a redirect")
        with pytest.raises(SSLError):
            run(lambda client: client.get_object(**HERE), url=cluster.endpoint_url, verify=AUTHORITY)
        assert {entry.node for entry in cluster.ledger.requests()} == {"proxy"}


def test_client_certificates_are_shown_to_targets(run: Run) -> None:
    tls = server_context(asks_client=True)
    with Cluster(proxy_tls=tls, target_tls=tls) as cluster:
        cluster.store.create_bucket(BUCKET)
        run(
            lambda client: client.put_object(**HERE, Body=b"x"),
            url=cluster.endpoint_url,
            verify=AUTHORITY,
            client_cert=CLIENT,
        )
        assert cluster.store.keys(BUCKET) == ["k"]


# Proxies.


@pytest.fixture
def forward_proxy() -> Iterator[ForwardProxy]:
    with ForwardProxy() as proxy:
        yield proxy


@pytest.fixture
def two_hosts() -> Iterator[Cluster]:
    with Cluster(targets=2, own_addresses=True) as cluster:
        cluster.store.create_bucket(BUCKET)
        yield cluster


@pytest.mark.parametrize(("exempt", "asked"), [("127.0.0.1", "127.0.0.2"), ("127.0.0.2", "127.0.0.1")])
def test_no_proxy_is_that_of_the_new_host(
    run: Run, monkeypatch: pytest.MonkeyPatch, forward_proxy: ForwardProxy, two_hosts: Cluster, exempt: str, asked: str
) -> None:
    monkeypatch.setenv("http_proxy", forward_proxy.url)
    monkeypatch.setenv("no_proxy", exempt)
    key = next(key for key in "abcdefgh" if two_hosts.target_of(BUCKET, key).host == "127.0.0.2")
    run(lambda client: client.put_object(Bucket=BUCKET, Key=key, Body=b"x"), url=two_hosts.endpoint_url)
    assert [asked in str(entry.target) for entry in forward_proxy.requests] == [True]
    assert two_hosts.store.keys(BUCKET) == [key]


def test_proxies_of_the_client_hold_for_every_host(
    run: Run, monkeypatch: pytest.MonkeyPatch, forward_proxy: ForwardProxy, cluster: Cluster
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")  # it is about the proxies of the environment
    run(lambda client: client.put_object(**HERE, Body=b"x"), proxies={"http": forward_proxy.url})
    assert len(forward_proxy.requests) == 2
    # Verbatim through a proxy too: the request line has the whole Location.
    location = forward_proxy.requests[-1].target
    assert location.endswith(cluster.target_of(BUCKET, "k").requests[-1].target)
