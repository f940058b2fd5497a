"""What becomes of a redirect, or of a redirected request, that fails."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cluster import AUTHORITY, Cluster, Ending, Fault, Request, Response, server_context

from .conftest import BUCKET, MakeClient

pytestmark = pytest.mark.usefixtures("patched", "no_waiting")

MODES = ["legacy", "standard", "adaptive"]
FAILURES = {
    "reset": Fault.RESET,
    "closed": Fault.CLOSE,
    "500": Fault.INTERNAL_ERROR,
    "503": Fault.SLOW_DOWN,
    "lost answer": Fault.LOST_ANSWER,
    "garbage": Fault.GARBAGE,
}


def three_attempts(mode: str) -> dict[str, Any]:
    """One attempt and two retries: `max_attempts` counts retries in a Config (botocore `Config`)."""
    return {"retries": {"max_attempts": 2, "mode": mode}}


def asked_proxy(cluster: Cluster) -> list[bytes]:
    return [entry.target for entry in cluster.proxy.requests]


# Every failure in one mode, and in every mode one that is an answer and one that is none. (Throttled by a 503, the
# adaptive mode waits by a clock of its own.)
@pytest.mark.parametrize(
    ("mode", "failure"),
    [
        *(("legacy", failure) for failure in FAILURES),
        *((mode, failure) for mode in MODES[1:] for failure in ("reset", "500")),
    ],
)
def test_a_failed_attempt_is_repeated_through_the_proxy(
    cluster: Cluster, make_client: MakeClient, mode: str, failure: str
) -> None:
    client = make_client(cluster, fresh=mode == "adaptive", **three_attempts(mode))
    cluster.store.put(BUCKET, "k", b"x")
    cluster.target_of(BUCKET, "k").fail_with(FAILURES[failure], times=2)
    response = client.get_object(Bucket=BUCKET, Key="k")
    assert response["Body"].read() == b"x"
    assert response["ResponseMetadata"]["RetryAttempts"] == 2
    assert len(response["ResponseMetadata"]["Redirects"]) == 1
    assert asked_proxy(cluster) == [b"/s3/capb/k"] * 3


@pytest.mark.parametrize("mode", MODES)
def test_attempts_are_as_many_as_configured(cluster: Cluster, make_client: MakeClient, mode: str) -> None:
    client = make_client(cluster, **three_attempts(mode))
    cluster.redirects.hops = 3
    cluster.target_of(BUCKET, "k").fail_with(Fault.INTERNAL_ERROR)
    with pytest.raises(ClientError, match="InternalError") as caught:
        client.get_object(Bucket=BUCKET, Key="k")
    assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 2
    assert len(cluster.proxy.requests) == 3


def test_without_any_retry_redirects_are_followed(cluster: Cluster, make_client: MakeClient) -> None:
    client = make_client(cluster, retries={"max_attempts": 0})
    cluster.redirects.hops = 4
    client.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    assert client.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"x"


@pytest.mark.parametrize("mode", MODES)
def test_a_dead_target_is_escaped_when_the_proxy_names_another(
    cluster: Cluster, make_client: MakeClient, mode: str
) -> None:
    client = make_client(cluster, **three_attempts(mode))
    dead = cluster.target_of(BUCKET, "k")
    dead.kill()
    cluster.proxy.notice_dead_target(after=1)
    client.put_object(Bucket=BUCKET, Key="k", Body=b"content")
    assert cluster.store[BUCKET, "k"].data == b"content"
    assert client.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"content"
    assert cluster.target_of(BUCKET, "k") is not dead


def test_a_body_is_whole_after_a_target_broke_off(cluster: Cluster, make_client: MakeClient) -> None:
    client = make_client(cluster, **three_attempts("legacy"))
    body = bytes(range(256)) * 1000
    cluster.target_of(BUCKET, "k").fail_with(Fault.reset_after(100_000), times=1)
    stream = io.BytesIO(b"skipped" + body)
    stream.seek(7)
    client.put_object(Bucket=BUCKET, Key="k", Body=stream)
    assert cluster.store[BUCKET, "k"].data == body


def test_a_body_is_whole_when_the_attempt_after_a_redirect_is_not_redirected(
    cluster: Cluster, make_client: MakeClient
) -> None:
    client = make_client(cluster, **three_attempts("legacy"))
    bodies = []

    def keep(request: Request, _handler: object) -> Response:
        bodies.append(b"".join(iter(request.body.pull, b"")))
        return Response(200, [], b"")

    cluster.target_of(BUCKET, "k").fail_with(Fault.INTERNAL_ERROR)
    cluster.target_of(BUCKET, "k").fail_with(Fault.INTERNAL_ERROR)
    cluster.proxy.fail_with(Fault(keep), when=lambda _: bool(cluster.target_of(BUCKET, "k").requests))
    stream = io.BytesIO(b"skipped" + b"content")
    stream.seek(7)
    client.put_object(Bucket=BUCKET, Key="k", Body=stream)
    assert bodies == [b"content"]


def test_the_next_call_starts_at_the_proxy(cluster: Cluster, client: Any) -> None:
    cluster.store.put(BUCKET, "k", b"x")
    for _ in range(3):
        client.get_object(Bucket=BUCKET, Key="k")["Body"].read()
    assert asked_proxy(cluster) == [b"/s3/capb/k"] * 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.RESET, ConnectionClosedError),
        (Fault.CLOSE, ConnectionClosedError),
        (Fault.HANG, ReadTimeoutError),
        (None, EndpointConnectionError),
    ],
)
def test_a_target_that_stays_broken_ends_as_botocores_error_without_secrets(
    cluster: Cluster, make_client: MakeClient, fault: Any, error: type[Exception]
) -> None:
    client = make_client(cluster, read_timeout=1)
    target = cluster.target_of(BUCKET, "k")
    target.kill() if fault is None else target.fail_with(fault)
    with pytest.raises(error) as caught:
        client.get_object(Bucket=BUCKET, Key="k")
    assert str(target.port) in str(caught.value)
    assert "pid=" not in f"{caught.value} {caught.value!r} {getattr(caught.value, 'kwargs', '')}"


def test_a_target_that_died_is_escaped_over_tls(make_client: MakeClient) -> None:
    with Cluster(proxy_tls=server_context(), target_tls=server_context()) as cluster:
        cluster.store.create_bucket(BUCKET)
        client = make_client(cluster, verify=AUTHORITY, **three_attempts("legacy"))
        client.put_object(Bucket=BUCKET, Key="k", Body=b"x")
        cluster.target_of(BUCKET, "k").kill()
        cluster.proxy.notice_dead_target(after=1)
        assert client.get_object(Bucket=BUCKET, Key="k")["ResponseMetadata"]["RetryAttempts"] == 1


def test_an_answer_that_breaks_off_is_botocores_error(cluster: Cluster, client: Any) -> None:
    broken = b"HTTP/1.1 500 Oops\r\nContent-Length: 1000\r\n\r\n<Error>"
    cluster.target_of(BUCKET, "k").fail_with(Fault.raw(broken, Ending.RESET))
    with pytest.raises(BotoCoreError):
        client.get_object(Bucket=BUCKET, Key="k")


MALFORMED = [
    None,
    b"",
    b" ",
    b"http://",
    b"http:///s3/capb/k",
    b"http:s3/capb/k",
    b"https:",
    b"ftp://127.0.0.1/s3/capb/k",
    b"file:///etc/passwd",
    b"javascript:alert(1)",
    b"http://127.0.0.1:99999/s3/capb/k",
    b"http://127.0.0.1:0/s3/capb/k",
    b"http://127.0.0.1:port/s3/capb/k",
    b"http://127.1/s3/capb/k",
    b"http://2130706433/s3/capb/k",
    b"http://0x7f.1/s3/capb/k",
    b"http://127.0.0.256/s3/capb/k",
    b"http://[::1/s3/capb/k",
    b"http://[::zz]/s3/capb/k",
    b"http://user:secret@127.0.0.1/s3/capb/k",
    b"http://a..b/s3/capb/k",
    b"http://" + b"a" * 64 + b"/s3/capb/k",
    b"http://h\\@127.0.0.1/s3/capb/k",
    b"http://a b/s3/capb/k",
    b"http://%31%32%37.0.0.1/s3/capb/k",
    b"http://\xff\xfe/s3/capb/k",
    b"http://127.0.0.1/s3/capb/k\x00",
    b"http://127.0.0.1/s3/capb/k\x0b",
    b"http://127.0.0.1/" + b"k" * 20_000,
]


@pytest.mark.parametrize("location", MALFORMED)
def test_a_malformed_location_is_named_and_nothing_is_sent(
    cluster: Cluster, make_client: MakeClient, location: bytes | None, no_waiting: list[float]
) -> None:
    client = make_client(cluster, **three_attempts("standard"))
    cluster.proxy.fail_with(Fault.redirect(location))
    with pytest.raises(ClientError, match="InvalidRedirectLocation") as caught:
        client.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    assert "Location" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert len(str(caught.value)) < 1000
    assert len(cluster.ledger.requests()) == 1
    assert no_waiting == []


def test_a_refusal_counts_the_retries_before_it(cluster: Cluster, make_client: MakeClient) -> None:
    client = make_client(cluster, **three_attempts("legacy"))
    cluster.proxy.fail_with(Fault.redirect(None))
    cluster.proxy.fail_with(Fault.SLOW_DOWN, times=1)
    with pytest.raises(ClientError, match="InvalidRedirectLocation") as caught:
        client.get_object(Bucket=BUCKET, Key="k")
    assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 1


def test_a_header_line_beyond_all_bounds_is_botocores_error(cluster: Cluster, make_client: MakeClient) -> None:
    client = make_client(cluster, fresh=True)
    endless = Fault.redirect(b"http://127.0.0.1/" + b"k" * 100_000)
    for _ in range(2):  # on a new connection, and where one was used before
        cluster.proxy.fail_with(endless, times=1)
        with pytest.raises(BotoCoreError):
            client.get_object(Bucket=BUCKET, Key="k")
        client.list_objects_v2(Bucket=BUCKET)
    assert len(cluster.ledger.requests()) == 4


def test_two_locations_are_one_if_they_are_equal_and_otherwise_none(cluster: Cluster, client: Any) -> None:
    urls = [target.url.encode() + b"/s3/capb/k" for target in cluster.targets]
    for target in cluster.targets:
        target.fail_with(Fault.respond(200))
    for _ in range(2):  # on a new connection, and on one that was used before
        cluster.proxy.fail_with(Fault.respond(307, [("Location", urls[0]), ("Location", urls[1])]), times=1)
        with pytest.raises(ClientError, match=r"InvalidRedirectLocation.*several Location headers"):
            client.head_object(Bucket=BUCKET, Key="k")
        assert not any(target.requests for target in cluster.targets)
        cluster.proxy.fail_with(Fault.respond(307, [("Location", urls[0]), ("Location", urls[0])]), times=1)
        client.head_object(Bucket=BUCKET, Key="k")
        assert len(cluster.targets[0].requests) == 1
        cluster.ledger.clear()


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_location_comes_the_caller_sees_botocores_errors(
    cluster: Cluster, client: Any, data: st.DataObject
) -> None:
    pieces = st.sampled_from(
        [b"http://", b"//", b"127.0.0.1", b"/s3/capb/k", b"?", b"#", b"%", b"\r", b"@", b":", b"[", b"]"]
    )
    location = data.draw(
        st.one_of(st.binary(max_size=60), st.lists(pieces | st.binary(max_size=4), max_size=8).map(b"".join))
    )
    cluster.proxy.heal()
    cluster.proxy.fail_with(Fault.redirect(location.replace(b"\n", b"")))
    with contextlib.suppress(ClientError, BotoCoreError):
        client.head_object(Bucket=BUCKET, Key="k")
