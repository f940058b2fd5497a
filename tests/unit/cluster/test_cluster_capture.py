"""The gateway against what was captured from real AIStore clusters (one proxy, three targets)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Iterator
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster import Cluster, Redirects
from tests.cluster.location import GatewayPanicError, aistore_location, faithful_location
from tests.cluster.wire import Headers

from .raw_client import RawClient, ask

CAPTURES = Path(__file__).with_name("captures") / "aistore-redirects.jsonl"
ANSWERS = [json.loads(line) for line in CAPTURES.read_text("utf-8").splitlines()]
OPTIONS: dict[str, dict[str, Any]] = {
    "http": {},
    "redirects signed": {"redirects": Redirects(signed=True)},
    "S3-API-via-Root": {"s3_api_via_root": True},
}
# The first of the clusters had eight more buckets, of which the capture tells how long their names are together.
OTHER_BUCKETS = {"http": [f"{number:08}" for number in range(7)] + ["more-buckets"[:11]]}
# What the captures do not say of the requests. All of them had `Connection: close`.
HEADERS = {
    "PUT Expect: 100-continue": {"Expect": "100-continue", "Content-Length": "10"},
    "copy": {"x-amz-copy-source": "/capture/obj"},
    "virtual host style Host": {"Host": "capture.s3.example"},
}
BODIES = {"multi delete": b"<Delete><Object><Key>obj</Key></Object></Delete>"}
PORT = re.compile(r"(?<=http://127\.0\.0\.1:)\d+")
MARK = re.compile(r"(?<=[?&])(pid|utm|u|vpams|x)=([\w-]+)")


@pytest.fixture(scope="module")
def clusters() -> Iterator[dict[str, Cluster]]:
    clusters = {name: Cluster(targets=3, **options) for name, options in OPTIONS.items()}
    for name, cluster in clusters.items():
        for bucket in ["capture", *OTHER_BUCKETS.get(name, [])]:
            cluster.store.create_bucket(bucket)
    yield clusters
    for cluster in clusters.values():
        cluster.stop()


@pytest.mark.parametrize("captured", ANSWERS, ids=[f"{answer['cluster']}: {answer['what']}" for answer in ANSWERS])
def test_the_gateway_answers_as_the_real_one(clusters: dict[str, Cluster], captured: dict[str, Any]) -> None:
    method, target = request_line(captured["request"][0])
    with RawClient(clusters[captured["cluster"]].proxy) as client:
        headers = {"Connection": "close", **HEADERS.get(captured["what"], {})}
        client.send_request(method, target, headers, BODIES.get(captured["what"], b""))
        head, _, body = client.read_to_end().partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    assert status == captured["status"]
    assert [unvaried(line) for line in lines] == [unvaried(line) for line in at_our_port(captured["headers"], lines)]
    headers_seen = Headers(lines)
    if method != "HEAD":
        assert headers_seen.get("Content-Length") == str(len(body))
    if status.startswith("HTTP/1.1 307 ") and method != "HEAD":
        assert body.decode().replace("\n", " ") == redirect_body(headers_seen.get("Location"))


def request_line(text: str) -> tuple[str, bytes]:
    """Method and target; where the capture has cut a long key, it goes on as it began."""
    method, target = text.split(" ", 1)
    cut = re.fullmatch(r"(.*)…\((\d+)\)", target)
    if cut is not None:
        target = cut[1]
        while len(target) < int(cut[2]):
            target += target[-len("%C3%A9")]
    return method, target.encode("latin-1")


def at_our_port(captured: list[str], seen: list[str]) -> list[str]:
    """The captured lines with the Content-Length of a Location as long as ours: its port may have more digits."""
    longer = len(location_in(seen)) - len(location_in(captured))
    return [re.sub(r"(?<=Content-Length: )\d+", lambda length: str(int(length[0]) + longer), line) for line in captured]


def location_in(lines: list[str]) -> str:
    return "".join(line for line in lines if line.startswith("Location: "))


def unvaried(line: str) -> str:
    """Without what differs between any two answers; of all but ports the length counts."""
    return MARK.sub(lambda mark: f"{mark[1]}={len(mark[2])} characters", PORT.sub("port", line))


def redirect_body(uri: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Error><Code>TemporaryRedirect</Code><Message>Redirect</Message>'
        f"<Endpoint>{uri.replace('&', '&amp;')}</Endpoint><Bucket>capture</Bucket></Error>"
    )


def test_a_put_is_redirected_instead_of_100_continue_and_before_its_body(cluster: Cluster) -> None:
    with RawClient(cluster.proxy) as client:
        client.send_request("PUT", b"/s3/capb/k1", {"Expect": "100-continue", "Content-Length": "1000"})
        reply = client.read_to_end()
    assert reply.startswith(b"HTTP/1.1 307 Temporary Redirect\r\n")
    assert b"\r\nConnection: close\r\n" in reply
    (entry,) = cluster.proxy.requests
    assert (entry.method, entry.status, entry.body_bytes) == ("PUT", 307, 0)


@pytest.mark.parametrize(
    ("method", "body"), [("GET", b""), ("HEAD", b""), ("DELETE", b""), ("PUT", b""), ("PUT", b"sent at once")]
)
def test_a_connection_of_other_calls_is_kept(cluster: Cluster, method: str, body: bytes) -> None:
    with RawClient(cluster.proxy) as client:
        assert "Connection" not in client.ask(method, b"/s3/capb/k1", {}, body).headers
        assert client.ask("GET", b"/s3/capb").status == 200
    assert cluster.proxy.connections == 1


def test_a_location_names_the_gateway_and_the_target_of_the_object(cluster: Cluster) -> None:
    location = ask(cluster.proxy, "GET", b"/s3/capb/k1").location.decode()
    assert location.startswith(f"{cluster.target_of('capb', 'k1').url}/s3/capb/k1?pid={cluster.proxy.pid}&utm=")


@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("POST", b"uploads"),
        ("PUT", b"partNumber=1&uploadId=u%2F1"),
        ("GET", b"uploadId=u1"),
        ("POST", b"uploadId=u1"),
        ("DELETE", b"uploadId=u1"),
        ("GET", b"z=1&a=%20&b"),
    ],
)
def test_every_object_call_is_redirected_with_its_query_kept(cluster: Cluster, method: str, query: bytes) -> None:
    reply = ask(cluster.proxy, method, b"/s3/capb/k1?" + query)
    assert reply.status == 307
    assert reply.request_target.startswith(b"/s3/capb/k1?" + query + b"&pid=")
    assert "x-amz-bucket-region" not in reply.headers


@pytest.mark.parametrize(
    ("sent", "written"),
    [
        (b"a+b?b=2&a=1;2&a=%zz&c", b"a+b?b=2&c=&pid="),  # as Go reads and writes a query
        (b"x%3Fb%26a?q=1", b"x?a=&b=&q=1&pid="),
        (b"x%3Fa=1%26a=2", b"x?a=1%2C2&pid="),
        (b"a%23b%3Fc", b"a?pid="),
        (b"x%3F%C3%A9", b"x?%C3%A9=&pid="),
        (b"x%23%3Fy%20z", b"x?pid="),
        (b"%255A%3Fx", b"Z?x=&pid="),
    ],
)
def test_odder_keys_and_queries_are_damaged_as_the_source_says(cluster: Cluster, sent: bytes, written: bytes) -> None:
    reply = ask(cluster.proxy, "PUT", b"/s3/capb/" + sent)
    assert reply.request_target.startswith(b"/s3/capb/" + written)


@pytest.mark.parametrize("key", [b"100%25%3Fx", b"a%0Ab%3Fx", b"a%23%25%3Fx"])
def test_keys_of_which_the_gateway_dies_get_no_answer(cluster: Cluster, key: bytes) -> None:
    with RawClient(cluster.proxy) as client:
        client.send_request("GET", b"/s3/capb/" + key)
        assert client.read_to_end() == b""


def test_a_faithful_gateway_escapes_every_key() -> None:
    with Cluster(redirects=Redirects(faithful_location=True)) as cluster:
        cluster.store.create_bucket("capb")
        reply = ask(cluster.proxy, "GET", b"/s3/capb/x%3Fy%C3%A9")
    assert reply.request_target.startswith(b"/s3/capb/x%3Fy%C3%A9?pid=")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_status_is_the_one_asked_for(cluster: Cluster, status: int) -> None:
    cluster.redirects.status = status
    assert ask(cluster.proxy, "GET", b"/s3/capb/k1").status == status


def test_bucket_calls_lists_and_batch_delete_are_answered_by_the_gateway(cluster: Cluster) -> None:
    with RawClient(cluster.proxy) as client:
        assert client.ask("PUT", b"/s3/new").status == 200
        assert client.ask("HEAD", b"/s3/new").status == 200
        assert client.ask("GET", b"/s3/new?list-type=2").status == 200
        assert client.ask("POST", b"/s3/new?delete", body=b"<Delete/>").status == 200
        assert client.ask("DELETE", b"/s3/new").status == 200
        assert client.ask("GET", b"/s3/").status == 200


@pytest.mark.parametrize("targets", [1, 2])
def test_a_list_of_uploads_is_redirected_where_there_is_one_target(targets: int) -> None:
    with Cluster(targets) as cluster:
        cluster.store.create_bucket("capb")
        reply = ask(cluster.proxy, "GET", b"/s3/capb?uploads")
        if targets == 1:
            assert reply.request_target.startswith(b"/s3/capb?uploads&pid=")
            reply = ask(cluster.targets[0], "GET", reply.request_target)
        assert b"<ListMultipartUploadsResult>" in reply.body


def test_an_endpoint_at_the_root_leads_below_the_path_of_the_api() -> None:
    with Cluster(s3_api_via_root=True) as cluster:
        cluster.store.create_bucket("capb")
        for path in (b"/capb/k1", b"/s3/capb/k1"):
            assert ask(cluster.proxy, "GET", path).request_target.startswith(b"/s3/capb/k1?pid=")


def test_a_bucket_in_the_host_name_moves_into_the_path(cluster: Cluster) -> None:
    reply = ask(cluster.proxy, "GET", b"/s3/k1", {"Host": "capb.localhost:1"})
    assert reply.request_target.startswith(b"/s3/capb/k1?pid=")


def test_objects_are_spread_over_the_targets_and_stay_where_they_are(cluster: Cluster) -> None:
    places = [cluster.target_of("capb", f"key{number}").name for number in range(50)]
    assert set(places) == {"target0", "target1", "target2"}
    assert places == [cluster.target_of("capb", f"key{number}").name for number in range(50)]


@pytest.mark.parametrize(("key", "same"), [("x?y", "x"), ("a//b", "a/b"), ("/lead", "lead"), ("e/", "e")])
def test_an_object_lies_where_the_key_leads_that_the_gateway_reads(cluster: Cluster, key: str, same: str) -> None:
    for prefix in "0123456789":
        assert cluster.target_of("capb", prefix + "/" + key) is cluster.target_of("capb", prefix + "/" + same)


keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
PID = b"pid=1"


@given(keys)
def test_a_faithful_path_means_its_key_whatever_it_is(key: str) -> None:
    location = faithful_location(f"/s3/b/{quote(key)}".encode(), b"", PID)
    assert unquote_to_bytes(location.path) == f"/s3/b/{key}".encode()
    assert location.path.isascii()
    assert b"?" not in location.path


@given(keys)
def test_a_repaired_path_means_its_key_whatever_it_is(key: str) -> None:
    sent = f"/s3/b/{quote(key)}".encode()
    try:
        location = aistore_location(sent, b"", PID)
    except GatewayPanicError:
        return
    repaired = location.accepted - {location.path}
    assert all(unquote_to_bytes(path) == f"/s3/b/{key}".encode() for path in repaired)
    if not repaired:
        assert unquote_to_bytes(location.path) == f"/s3/b/{key}".encode()
        assert re.fullmatch(rb"[\w.~!$&'()*+,;=:@/%-]*", location.path)


@given(keys)
def test_a_location_keeps_its_query_whatever_the_key(key: str) -> None:
    try:
        location = aistore_location(f"/s3/b/{quote(key)}".encode(), b"a=1", PID)
    except GatewayPanicError:
        return
    assert b"?" not in location.path
    assert {b"a=1", b"pid=1"} <= set(location.query.split(b"&")) or "?a=" in key or "&a=" in key
