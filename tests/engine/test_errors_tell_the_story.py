"""The text of an error after a redirect says from where to where; everything else about it is botocore's own."""

from __future__ import annotations

import pickle
import socket
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)

from tests.cluster import Cluster, Fault, server_context

from .conftest import BUCKET, MakeClient

pytestmark = pytest.mark.usefixtures("patched", "no_waiting")


def netloc(node: Any) -> str:
    return f"{node.host}:{node.port}"


def failing(client: Any, error: type[Exception]) -> Any:
    with pytest.raises(error) as caught:
        client.get_object(Bucket=BUCKET, Key="k")
    assert type(caught.value) is error or error is ClientError
    return caught.value


@pytest.mark.parametrize(
    ("fault", "error", "end"),
    [
        (None, EndpointConnectionError, "which refused the connection"),
        (Fault.RESET, ConnectionClosedError, "which closed the connection"),
        (Fault.CLOSE, ConnectionClosedError, "which closed the connection"),
        (Fault.HANG, ReadTimeoutError, "which did not answer in time"),
    ],
)
def test_a_target_that_does_not_answer_is_named_with_who_sent_there(
    cluster: Cluster, make_client: MakeClient, fault: Any, error: type[Exception], end: str
) -> None:
    client = make_client(cluster, read_timeout=1)
    target = cluster.target_of(BUCKET, "k")
    target.kill() if fault is None else target.fail_with(fault)
    said = failing(client, error)
    assert str(said).endswith(f" (redirected by {netloc(cluster.proxy)} to {netloc(target)}, {end})"), said
    assert str(said).startswith(said.fmt.format(**said.kwargs))


def test_each_hop_is_named(cluster: Cluster, make_client: MakeClient) -> None:
    cluster.redirects.hops = 2
    first = cluster.target_of(BUCKET, "k")
    second = cluster.targets[(cluster.targets.index(first) + 1) % 3]
    second.kill()
    said = failing(make_client(cluster), EndpointConnectionError)
    assert f"redirected by {netloc(cluster.proxy)} to {netloc(first)} and on to {netloc(second)}, which" in str(said)


def test_a_name_that_is_not_known_is_said_to_be(
    cluster: Cluster, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo

    def knows_addresses(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host == "target.example":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", knows_addresses)
    cluster.proxy.fail_with(Fault.redirect(b"http://target.example:81/s3/capb/k"))
    said = failing(make_client(cluster), EndpointConnectionError)
    assert "to target.example:81, whose name is not known here)" in str(said)


def test_a_target_that_accepts_no_connection_in_time(
    cluster: Cluster, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, port = socket.socket.connect, cluster.target_of(BUCKET, "k").port

    def accepts_in_time(self: Any, address: Any) -> None:
        if address[1] == port:
            raise socket.timeout("timed out")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", accepts_in_time)
    said = failing(make_client(cluster, fresh=True), ConnectTimeoutError)
    assert "which did not accept the connection in time)" in str(said)


def test_a_certificate_that_is_not_trusted() -> None:
    import boto3

    with Cluster(target_tls=server_context()) as cluster:
        cluster.store.create_bucket(BUCKET)
        client = boto3.client("s3", endpoint_url=cluster.endpoint_url)
        said = failing(client, SSLError)
    assert "with which no TLS connection was made)" in str(said)


@pytest.mark.parametrize(
    ("fault", "code"), [(Fault.INTERNAL_ERROR, "InternalError"), (Fault.ACCESS_DENIED, "AccessDenied")]
)
def test_an_answer_that_is_an_error_names_who_gave_it(
    cluster: Cluster, make_client: MakeClient, fault: Any, code: str
) -> None:
    target = cluster.target_of(BUCKET, "k")
    target.fail_with(fault)
    said = failing(make_client(cluster), ClientError)
    assert said.response["Error"]["Code"] == code
    assert str(said).endswith(f" (redirected by {netloc(cluster.proxy)} to {netloc(target)})")


def test_an_answer_about_the_object_reads_as_it_does_without_redirects(
    cluster: Cluster, make_client: MakeClient
) -> None:
    client = make_client(cluster)
    assert "redirected" not in str(failing(client, ClientError))
    with pytest.raises(ClientError, match=r"\(404\).*: Not Found$"):
        client.head_object(Bucket=BUCKET, Key="k")


def test_the_gateways_own_failure_is_botocores_alone(cluster: Cluster, make_client: MakeClient) -> None:
    cluster.proxy.fail_with(Fault.RESET)
    said = failing(make_client(cluster), ConnectionClosedError)
    assert str(said) == said.fmt.format(**said.kwargs)


def test_the_error_is_pickled_as_botocores(cluster: Cluster, make_client: MakeClient) -> None:
    cluster.target_of(BUCKET, "k").fail_with(Fault.RESET)
    said = failing(make_client(cluster), ConnectionClosedError)
    said.kwargs = {name: value for name, value in said.kwargs.items() if isinstance(value, str)}
    assert type(pickle.loads(pickle.dumps(said))) is ConnectionClosedError
