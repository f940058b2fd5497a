"""TLS at the gateway and at the targets, each for itself."""

from __future__ import annotations

import http.client
import ssl

import pytest

from tests.cluster import AUTHORITY, CLIENT, Cluster, Fault, server_context
from tests.cluster.node import Node

from .raw_client import ask


def status(node: Node, *, certificate: str | None = None, host: str | None = None) -> int:
    """Of a GET by a client that trusts the test authority alone."""
    context = ssl.create_default_context(cafile=AUTHORITY)
    if certificate is not None:
        context.load_cert_chain(certificate)
    connection = http.client.HTTPSConnection(host or node.host, node.port, context=context)
    try:
        connection.request("GET", "/s3/")
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def test_gateway_and_targets_choose_for_themselves() -> None:
    with Cluster(targets=1, proxy_tls=server_context()) as cluster:
        assert cluster.endpoint_url.startswith("https://")
        assert cluster.targets[0].url.startswith("http://")
        assert status(cluster.proxy) == 200
    with Cluster(targets=1, target_tls=server_context()) as cluster:
        cluster.store.create_bucket("b")
        connection = http.client.HTTPConnection(cluster.proxy.host, cluster.proxy.port)
        connection.request("GET", "/s3/b/k")
        location = connection.getresponse().headers["Location"]
        connection.close()
        assert location.startswith(f"https://127.0.0.1:{cluster.targets[0].port}/s3/b/k?")
        assert status(cluster.targets[0]) == 400  # not sent by the gateway, but by a client that trusts it


def test_every_target_may_have_an_address_of_its_own() -> None:
    with Cluster(targets=2, own_addresses=True, target_tls=server_context()) as cluster:
        assert [target.host for target in cluster.targets] == ["127.0.0.2", "127.0.0.3"]
        assert [status(target) for target in cluster.targets] == [400, 400]


def test_the_name_localhost_is_certified_too() -> None:
    with Cluster(targets=1, proxy_tls=server_context()) as cluster:
        assert status(cluster.proxy, host="localhost") == 200


@pytest.mark.parametrize("certificate", ["other-name", "untrusted"])
def test_a_wrong_certificate_is_noticed_by_clients(certificate: str) -> None:
    with Cluster(targets=1, proxy_tls=server_context(certificate)) as cluster:
        with pytest.raises(ssl.SSLCertVerificationError):
            status(cluster.proxy)
        assert cluster.ledger.requests() == []


def test_a_client_without_a_certificate_is_refused_where_one_is_asked_for() -> None:
    with Cluster(targets=1, proxy_tls=server_context(asks_client=True)) as cluster:
        assert status(cluster.proxy, certificate=CLIENT) == 200
        with pytest.raises((ssl.SSLError, ConnectionError)):
            status(cluster.proxy)
        assert len(cluster.proxy.requests) == 1


def test_a_plain_client_at_a_tls_node_is_no_request() -> None:
    with Cluster(targets=1, proxy_tls=server_context()) as cluster:
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            ask(cluster.proxy, "GET", b"/s3/")
        assert cluster.proxy.requests == []


def test_faults_work_under_tls() -> None:
    with Cluster(targets=1, proxy_tls=server_context()) as cluster:
        cluster.proxy.fail_with(Fault.RESET, times=1)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            status(cluster.proxy)
        assert status(cluster.proxy) == 200
