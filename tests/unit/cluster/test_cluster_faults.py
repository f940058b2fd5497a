"""Every fault does on the wire what its name says, when it is told to."""

from __future__ import annotations

import threading
from typing import Iterator

import pytest

from tests.cluster import Cluster, Ending, Fault, Gate, Request, Response
from tests.cluster.target import Target

from .raw_client import RawClient, ask

K = b"/s3/b/k"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster(targets=2, direct_access=True) as cluster:
        cluster.store.create_bucket("b")
        cluster.store.put("b", "k", b"0123456789")
        yield cluster


@pytest.fixture
def target(cluster: Cluster) -> Target:
    return cluster.targets[1]


def is_reset(target: Target, method: str = "GET", body: bytes = b"") -> bool:
    """Whether the answer to a request is a reset of the connection."""
    with RawClient(target) as client:
        client.send_request(method, K, body=body)
        try:
            client.read_to_end()
        except ConnectionResetError:
            return True
        return False


def test_a_reset_does_nothing_else(cluster: Cluster, target: Target) -> None:
    target.fail_with(Fault.RESET)
    assert is_reset(target, "PUT", b"new")
    assert cluster.store["b", "k"].data == b"0123456789"
    assert target.requests[0].status is None


def test_a_reset_after_the_body_has_read_it_and_does_nothing(cluster: Cluster, target: Target) -> None:
    target.fail_with(Fault.RESET_AFTER_BODY)
    assert is_reset(target, "PUT", b"new")
    assert target.requests[0].body_bytes == 3
    assert cluster.store["b", "k"].data == b"0123456789"


def test_a_reset_in_the_middle_of_a_body(target: Target) -> None:
    target.fail_with(Fault.reset_after(1000))
    assert is_reset(target, "PUT", b"x" * 3000)
    assert target.requests[0].body_bytes >= 1000


def test_a_lost_answer_has_done_its_work(cluster: Cluster, target: Target) -> None:
    target.fail_with(Fault.LOST_ANSWER)
    assert is_reset(target, "PUT", b"new")
    assert cluster.store["b", "k"].data == b"new"


def test_a_close_is_in_order_and_empty(target: Target) -> None:
    target.fail_with(Fault.CLOSE)
    with RawClient(target) as client:
        client.send_request("GET", K)
        assert client.read_to_end() == b""


def test_a_hanging_node_is_silent_until_it_is_cut(target: Target) -> None:
    hangs = threading.Event()

    def note(_request: Request) -> bool:
        hangs.set()
        return True

    target.fail_with(Fault.HANG, when=note)
    with RawClient(target) as client:
        client.send_request("GET", K)
        hangs.wait()
        target.cut_connections()
        assert client.read_to_end() == b""


def test_a_truncated_answer_ends_after_half_of_its_body(target: Target) -> None:
    target.fail_with(Fault.TRUNCATED)
    with RawClient(target) as client:
        client.send_request("GET", K)
        reply = client.read_to_end()
    assert b"Content-Length: 10\r\n" in reply
    assert reply.endswith(b"\r\n\r\n01234")


def test_a_truncated_answer_of_generated_bytes_ends_after_half_too(cluster: Cluster, target: Target) -> None:
    cluster.store.put_generated("b", "k", 10_000)
    target.fail_with(Fault.TRUNCATED)
    with RawClient(target) as client:
        client.send_request("GET", K)
        assert len(client.read_to_end().partition(b"\r\n\r\n")[2]) == 5000


def test_a_truncation_can_be_a_reset(target: Target) -> None:
    target.fail_with(Fault.TRUNCATED_BY_RESET)
    assert is_reset(target)


def test_garbage_is_not_http(target: Target) -> None:
    target.fail_with(Fault.GARBAGE)
    with RawClient(target) as client:
        client.send_request("GET", K)
        assert not client.read_to_end().startswith(b"HTTP/")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault.INTERNAL_ERROR, 500, "InternalError"),
        (Fault.SLOW_DOWN, 503, "SlowDown"),
        (Fault.ACCESS_DENIED, 403, "AccessDenied"),
        (Fault.error(412, "PreconditionFailed"), 412, "PreconditionFailed"),
    ],
)
def test_errors_are_s3_errors(target: Target, fault: Fault, status: int, code: str) -> None:
    target.fail_with(fault)
    reply = ask(target, "GET", K)
    assert (reply.status, reply.code) == (status, code)


def test_a_loop_leads_to_where_the_request_was(target: Target) -> None:
    target.fail_with(Fault.LOOP)
    reply = ask(target, "GET", K + b"?a=1")
    assert (reply.status, reply.location) == (307, f"{target.url}/s3/b/k?a=1".encode())


@pytest.mark.parametrize("location", [b"", b"\xff\x00 \x7f", b"http://h/" + b"a" * 100_000])
def test_any_location_goes_out_as_it_is(target: Target, location: bytes) -> None:
    target.fail_with(Fault.redirect(location, status=308))
    with RawClient(target) as client:
        client.send_request("GET", K, {"Connection": "close"})
        reply = client.read_to_end()
    assert reply.startswith(b"HTTP/1.1 308 ")
    assert b"\r\nLocation: " + location + b"\r\n" in reply


def test_a_location_may_be_missing(target: Target) -> None:
    target.fail_with(Fault.redirect(None))
    reply = ask(target, "GET", K)
    assert (reply.status, reply.headers["Location"]) == (307, None)


def test_a_location_may_come_with_any_status(target: Target) -> None:
    target.fail_with(Fault.respond(200, [("Location", "http://h/")], b"body"))
    reply = ask(target, "GET", K)
    assert (reply.status, reply.location, reply.body) == (200, b"http://h/", b"body")


def test_the_gateways_own_location_can_be_changed(cluster: Cluster) -> None:
    cluster.proxy.fail_with(Fault.location(lambda location: location + b"#fragment", status=302))
    reply = ask(cluster.proxy, "GET", K)
    assert reply.status == 302
    assert reply.location.endswith(b"#fragment")
    assert ask(cluster.proxy, "GET", b"/s3/b").status == 200


def test_aws_sends_to_another_region(target: Target) -> None:
    target.fail_with(Fault.aws_region("eu-west-1", "http://127.0.0.1:1/", status=301))
    reply = ask(target, "GET", K)
    assert (reply.status, reply.code) == (301, "PermanentRedirect")
    assert (reply.headers["x-amz-bucket-region"], reply.location) == ("eu-west-1", b"http://127.0.0.1:1/")


def test_raw_bytes_are_sent_as_they_are(target: Target) -> None:
    target.fail_with(Fault.raw(b"HTTP/1.1 307 \xff\r\nLocation:\r\n\r\n"))
    with RawClient(target) as client:
        client.send_request("GET", K)
        assert client.read_to_end() == b"HTTP/1.1 307 \xff\r\nLocation:\r\n\r\n"


def test_raw_bytes_may_end_in_a_reset(target: Target) -> None:
    target.fail_with(Fault.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Ending.RESET))
    assert is_reset(target)


def test_a_test_can_make_its_own_fault(target: Target) -> None:
    def answer(request: Request, handler: object) -> Response:
        assert callable(handler)
        return Response(418, [("X-Path", request.path)])

    target.fail_with(Fault(answer))
    assert ask(target, "GET", K).headers["X-Path"] == "/s3/b/k"


def test_a_gate_holds_an_answer_until_it_is_released(target: Target) -> None:
    gate = Gate()
    target.fail_with(gate, times=1)
    with RawClient(target) as client:
        client.send_request("GET", K)
        gate.wait_for_request()
        assert target.requests[0].status is None
        gate.release()
        assert client.read_reply().body == b"0123456789"


def test_stopping_the_cluster_opens_its_gates(cluster: Cluster, target: Target) -> None:
    gate = Gate()
    target.fail_with(gate)
    with RawClient(target) as client:
        client.send_request("GET", K)
        gate.wait_for_request()
        cluster.stop()
    assert all(thread.name != "target1#1" for thread in threading.enumerate())


def statuses(target: Target, count: int, method: str = "GET") -> list[int]:
    return [ask(target, method, K).status for _ in range(count)]


def test_a_fault_strikes_for_ever_until_healed(target: Target) -> None:
    rule = target.fail_with(Fault.SLOW_DOWN)
    assert statuses(target, 3) == [503] * 3
    assert rule.hits == 3
    target.heal()
    assert statuses(target, 1) == [200]


def test_a_fault_strikes_so_many_times(target: Target) -> None:
    target.fail_with(Fault.SLOW_DOWN, times=2)
    assert statuses(target, 4) == [503, 503, 200, 200]


def test_a_fault_spares_the_first_and_strikes_every_so_manieth(target: Target) -> None:
    target.fail_with(Fault.SLOW_DOWN, after=1, every=2, times=2)
    assert statuses(target, 7) == [200, 200, 503, 200, 503, 200, 200]


def test_a_fault_strikes_where_its_predicate_holds(target: Target) -> None:
    target.fail_with(Fault.SLOW_DOWN, when=lambda request: request.method == "HEAD", after=1)
    assert statuses(target, 2) == [200, 200]
    assert statuses(target, 2, "HEAD") == [200, 503]


def test_of_several_faults_the_newest_that_applies_counts(target: Target) -> None:
    target.fail_with(Fault.SLOW_DOWN)
    target.fail_with(Fault.INTERNAL_ERROR, times=1)
    assert statuses(target, 2) == [500, 503]


def test_faults_are_of_one_node(cluster: Cluster, target: Target) -> None:
    target.fail_with(Fault.SLOW_DOWN)
    assert statuses(cluster.targets[0], 1) == [200]
