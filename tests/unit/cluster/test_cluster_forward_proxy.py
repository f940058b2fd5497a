"""The forward proxy: what clients with `proxies` or HTTP_PROXY send through it."""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.cluster import AUTHORITY, Cluster, ForwardProxy, server_context


def client_of(endpoint: str, proxies: dict[str, str]) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        verify=AUTHORITY,
        config=Config(proxies=proxies, s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
    )


def test_plain_requests_go_through_it_one_by_one() -> None:
    with Cluster(targets=1, direct_access=True) as cluster, ForwardProxy() as forward:
        cluster.store.create_bucket("b")
        target = cluster.targets[0]
        client = client_of(f"{target.url}/s3", {"http": forward.url})
        client.put_object(Bucket="b", Key="k é", Body=b"data" * 1000)
        assert client.get_object(Bucket="b", Key="k é")["Body"].read() == b"data" * 1000
        uri = f"{target.url}/s3/b/k%20%C3%A9".encode()
        assert [(entry.method, entry.target) for entry in forward.requests] == [("PUT", uri), ("GET", uri)]
        assert [entry.target for entry in target.requests] == [b"/s3/b/k%20%C3%A9"] * 2
        assert forward.connections == 2


def test_tls_goes_through_it_in_a_tunnel() -> None:
    with Cluster(targets=1, direct_access=True, target_tls=server_context()) as cluster, ForwardProxy() as forward:
        cluster.store.create_bucket("b")
        target = cluster.targets[0]
        client = client_of(f"{target.url}/s3", {"https": forward.url})
        client.put_object(Bucket="b", Key="k", Body=b"data")
        client.head_object(Bucket="b", Key="k")
        authority = f"{target.host}:{target.port}".encode()
        assert [(entry.method, entry.target) for entry in forward.requests] == [("CONNECT", authority)]


def test_names_that_nobody_resolves_can_be_given_an_address() -> None:
    with Cluster(targets=1) as cluster, ForwardProxy({"store.test": "127.0.0.1"}) as forward:
        client = client_of(f"http://store.test:{cluster.proxy.port}/s3", {"http": forward.url})
        client.list_buckets()
        assert cluster.proxy.requests[0].header("Host") == f"store.test:{cluster.proxy.port}"


@pytest.mark.parametrize("uri", ["http://192.0.2.1/", "http://unknown.test/", "http://127.0.0.1:99999/"])
def test_it_leads_nowhere_but_to_loopback(uri: str) -> None:
    with ForwardProxy() as forward:
        connection = http.client.HTTPConnection(forward.url.partition("//")[2])
        connection.request("GET", uri)
        assert connection.getresponse().status == 502
        connection.close()


def test_stopping_it_ends_its_tunnels() -> None:
    with Cluster(targets=1) as cluster, ForwardProxy() as forward:
        host, _, port = forward.url.partition("//")[2].partition(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n\r\n" % cluster.proxy.port)
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
            forward.stop()
            assert client.recv(100) == b""


def test_what_is_not_http_is_refused() -> None:
    with ForwardProxy() as forward:
        host, _, port = forward.url.partition("//")[2].partition(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"nonsense\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 400 ")


def test_the_test_authority_alone_is_enough_for_a_tunnel() -> None:
    with Cluster(targets=1, proxy_tls=server_context()) as cluster, ForwardProxy() as forward:
        context = ssl.create_default_context(cafile=AUTHORITY)
        connection = http.client.HTTPSConnection(forward.url.partition("//")[2], context=context)
        connection.set_tunnel(cluster.proxy.host, cluster.proxy.port)
        connection.request("GET", "/s3/")
        assert connection.getresponse().status == 200
        connection.close()
