"""The gateway against what was captured from a real AIStore cluster (one proxy, three targets)."""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster import Cluster, Redirects
from tests.cluster.location import aistore_location, faithful_location

from .raw_client import RawClient, ask

CAPTURED_URI = "http://127.0.0.1:8082/s3/capb/k1?pid=dryp8080&utm=dn2am69vktnp"
CAPTURED_LENGTH = 218
CAPTURED = (
    "HTTP/1.1 307 Temporary Redirect\r\n"
    "Content-Type: text/xml; charset=utf-8\r\n"
    "Location: {uri}\r\n"
    "Server: AIStore\r\n"
    "Content-Length: {length}\r\n"
    "{closing}"
    "\r\n"
)
CAPTURED_BODY = (
    '<?xml version="1.0" encoding="UTF-8"?><Error><Code>TemporaryRedirect</Code><Message>Redirect</Message>'
    "<Endpoint>{uri}</Endpoint><Bucket>capb</Bucket></Error>"
)


def captured_head(uri: str, closing: str = "") -> str:
    # The capture's length holds for the capture's URI; another URI changes it by its own length.
    length = CAPTURED_LENGTH - len(escape(CAPTURED_URI)) + len(escape(uri))
    return CAPTURED.format(uri=uri, length=length, closing=closing)


def only_location(cluster: Cluster, reply: bytes) -> str:
    uri = reply.partition(b"Location: ")[2].partition(b"\r\n")[0].decode()
    target = cluster.target_of("capb", "k1")
    path, _, query = uri.partition("?")
    assert path == f"{target.url}/s3/capb/k1"
    pid, utm = query.split("&")
    assert pid == f"pid={cluster.proxy.pid}"
    assert utm.startswith("utm=")
    assert len(utm) == len("utm=dn2am69vktnp")
    return uri


def test_a_put_gets_the_captured_bytes_instead_of_100_continue_and_before_its_body(cluster: Cluster) -> None:
    with RawClient(cluster.proxy) as client:
        client.send_request("PUT", b"/s3/capb/k1", {"Expect": "100-continue", "Content-Length": "1000"})
        reply = client.read_to_end()
    uri = only_location(cluster, reply)
    expected = captured_head(uri, "Connection: close\r\n") + CAPTURED_BODY.format(uri=escape(uri))
    assert reply == expected.encode()
    (entry,) = cluster.proxy.requests
    assert (entry.method, entry.status, entry.body_bytes) == ("PUT", 307, 0)


def test_a_put_is_answered_with_a_close_even_if_it_has_no_body(cluster: Cluster) -> None:
    with RawClient(cluster.proxy) as client:
        client.send_request("PUT", b"/s3/capb/k1", {"Content-Length": "0"})
        assert b"\r\nConnection: close\r\n" in client.read_to_end()


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_get_or_delete_gets_the_captured_bytes_and_keeps_its_connection(cluster: Cluster, method: str) -> None:
    with RawClient(cluster.proxy) as client:
        client.send_request(method, b"/s3/capb/k1")
        client.send_request("GET", b"/s3/capb", {"Connection": "close"})
        reply = client.read_to_end()
    uri = only_location(cluster, reply)
    expected = captured_head(uri) + CAPTURED_BODY.format(uri=escape(uri)) + "HTTP/1.1 200 OK"
    assert reply.startswith(expected.encode())
    assert cluster.proxy.connections == 1


def test_a_head_gets_the_same_headers_and_no_body(cluster: Cluster) -> None:
    with RawClient(cluster.proxy) as client:
        client.send_request("HEAD", b"/s3/capb/k1", {"Connection": "close"})
        reply = client.read_to_end()
    uri = only_location(cluster, reply)
    # `Connection: close` is the answer to ours, which keeps the reading simple.
    assert reply == captured_head(uri, "Connection: close\r\n").encode()


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
        (b"x%3Fy", b"x?y=&pid="),
        (b"%C3%A9%E2%82%AC", "é€?pid=".encode()),
        (b"a%2Bb", b"a+b?pid="),
        (b"a%20b", b"a%20b?pid="),
        (b"%23", b"%23?pid="),
        (b"%25", b"%25?pid="),
    ],
)
def test_location_paths_are_damaged_as_captured(cluster: Cluster, sent: bytes, written: bytes) -> None:
    reply = ask(cluster.proxy, "GET", b"/s3/capb/" + sent)
    assert reply.request_target.startswith(b"/s3/capb/" + written)


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
        assert client.ask("DELETE", b"/s3/new").status == 204
        assert client.ask("GET", b"/s3/").status == 200


def test_the_endpoint_is_at_the_root_too_and_leads_below_the_path_of_the_api(cluster: Cluster) -> None:
    assert ask(cluster.proxy, "GET", b"/capb/k1").request_target.startswith(b"/s3/capb/k1?pid=")


def test_a_bucket_in_the_host_name_moves_into_the_path(cluster: Cluster) -> None:
    reply = ask(cluster.proxy, "GET", b"/s3/k1", {"Host": "capb.localhost:1"})
    assert reply.request_target.startswith(b"/s3/capb/k1?pid=")


def test_objects_are_spread_over_the_targets_and_stay_where_they_are(cluster: Cluster) -> None:
    places = [cluster.target_of("capb", f"key{number}").name for number in range(50)]
    assert set(places) == {"target0", "target1", "target2"}
    assert places == [cluster.target_of("capb", f"key{number}").name for number in range(50)]


keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(keys)
def test_a_faithful_path_means_its_key_whatever_it_is(key: str) -> None:
    location = faithful_location(f"/s3/b/{quote(key)}".encode(), b"", b"pid=1")
    assert unquote_to_bytes(location.path) == f"/s3/b/{key}".encode()
    assert location.path.isascii()
    assert b"?" not in location.path


@given(keys)
def test_a_repaired_path_means_its_key_whatever_it_is(key: str) -> None:
    sent = f"/s3/b/{quote(key)}".encode()
    location = aistore_location(sent, b"", b"pid=1")
    repaired = location.accepted - {location.path}
    assert all(unquote_to_bytes(path) == f"/s3/b/{key}".encode() for path in repaired)
    assert sent in repaired or location.path == faithful_location(sent, b"", b"").path


@given(keys)
def test_a_location_is_a_header_value_whatever_the_key(key: str) -> None:
    location = aistore_location(f"/s3/b/{quote(key)}".encode(), b"a=1", b"pid=1")
    written = location.path + b"?" + location.query
    assert not set(written) & {*range(0x21), 0x7F}
    assert written.endswith(b"a=1&pid=1")
