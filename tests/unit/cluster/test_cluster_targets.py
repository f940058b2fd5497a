"""A target takes what a gateway's Location says, to the letter, and nothing else."""

from __future__ import annotations

import http.client
from urllib.parse import quote, unquote

import pytest

from tests.cluster import Cluster, Redirects
from tests.cluster.target import Target

from .raw_client import RawClient, Reply, ask


def redirected(cluster: Cluster, method: str = "PUT", path: bytes = b"/s3/capb/k1") -> tuple[Target, bytes]:
    """The target and the request-target that the gateway names."""
    location = ask(cluster.proxy, method, path)
    assert location.status == 307, location.body
    port = int(location.location.split(b"/")[2].rpartition(b":")[2])
    return next(target for target in cluster.targets if target.port == port), location.request_target


def put(target: Target, request_target: bytes, body: bytes = b"data") -> Reply:
    return ask(target, "PUT", request_target, body=body)


def test_a_location_followed_to_the_letter_stores_the_object(cluster: Cluster) -> None:
    target, wanted = redirected(cluster)
    assert put(target, wanted).status == 200
    assert cluster.store["capb", "k1"].data == b"data"
    target, wanted = redirected(cluster, "GET")
    assert ask(target, "GET", wanted).body == b"data"


@pytest.mark.parametrize(
    "change",
    [
        lambda path, _query: path,
        lambda path, query: path + b"?" + b"&".join(reversed(query.split(b"&"))),
        lambda path, query: path + b"?" + query + b"&",
        lambda path, query: path + b"?" + query.upper(),
        lambda path, query: path + b"?x=1&" + query,
        lambda path, query: path.replace(b"k1", b"%6B1") + b"?" + query,
        lambda path, query: path.replace(b"k1", b"k2") + b"?" + query,
    ],
    ids=["no query", "reordered", "trailing &", "upper case", "more", "other spelling", "other key"],
)
def test_anything_but_the_location_is_refused(cluster: Cluster, change: object) -> None:
    assert callable(change)
    target, wanted = redirected(cluster)
    reply = put(target, change(*wanted.split(b"?")))
    assert (reply.status, reply.code) == (400, "RedirectNotFollowed")
    assert cluster.store.keys("capb") == []


def test_another_method_is_refused(cluster: Cluster) -> None:
    target, wanted = redirected(cluster, "GET")
    assert put(target, wanted).code == "RedirectNotFollowed"


def test_another_target_is_refused(cluster: Cluster) -> None:
    target, wanted = redirected(cluster)
    other = next(other for other in cluster.targets if other is not target)
    assert put(other, wanted).code == "RedirectNotFollowed"


def test_a_request_from_no_gateway_is_refused_unless_targets_have_direct_access() -> None:
    with Cluster() as closed:
        closed.store.create_bucket("capb")
        assert put(closed.targets[0], b"/s3/capb/k1").code == "RedirectNotFollowed"
    with Cluster(direct_access=True) as opened:
        opened.store.create_bucket("capb")
        assert put(opened.targets[0], b"/s3/capb/k1").status == 200
        assert put(opened.targets[0], b"/s3/capb/k1?pid=made-up").code == "RedirectNotFollowed"


def test_a_location_can_be_used_again_unless_it_is_for_one_time() -> None:
    with Cluster() as cluster:
        cluster.store.create_bucket("capb")
        target, wanted = redirected(cluster)
        assert [put(target, wanted).status for _ in range(2)] == [200, 200]
        cluster.redirects.one_time = True
        target, wanted = redirected(cluster)
        assert [put(target, wanted).status for _ in range(2)] == [200, 400]


@pytest.mark.parametrize("key", ["x?y", "é€", "é?+", "a?b?c"])
def test_a_damaged_key_is_stored_under_its_name_by_the_repaired_path(cluster: Cluster, key: str) -> None:
    for repaired in (quote(key), quote(key, safe="+")):
        target, wanted = redirected(cluster, path=b"/s3/capb/" + quote(key).encode())
        query = wanted.partition(b"?")[2]
        if query.count(b"?"):  # the key has two of them; the first one alone ends the path
            query = wanted.split(b"?", 1)[1]
        assert put(target, b"/s3/capb/" + repaired.encode() + b"?" + query).status == 200
        assert cluster.store.keys("capb") == [key]


def test_a_damaged_question_mark_followed_blindly_stores_another_object(cluster: Cluster) -> None:
    target, wanted = redirected(cluster, path=b"/s3/capb/x%3Fy")
    assert put(target, wanted).status == 200
    assert cluster.store.keys("capb") == ["x"]


@pytest.fixture
def signed(cluster: Cluster) -> Cluster:
    cluster.redirects.signed = True
    return cluster


def test_what_a_gateway_signed_is_taken(signed: Cluster) -> None:
    for path in (b"/s3/capb/a%20b", b"/s3/capb/%C3%A9"):
        target, wanted = redirected(signed, path=path)
        assert put(target, path + b"?" + wanted.partition(b"?")[2], b"").status == 200
    assert signed.store.keys("capb") == ["a b", "é"]


@pytest.mark.parametrize("strict", [True, False])
def test_another_path_or_length_than_the_signed_is_refused(signed: Cluster, strict: bool) -> None:
    signed.redirects.strict_path = strict
    target, wanted = redirected(signed)
    assert put(target, wanted.replace(b"k1", b"k2"), b"").code == "AccessDenied"
    assert put(target, wanted, b"data").code == "AccessDenied"
    assert put(target, wanted.replace(b"&x=", b"&x=0"), b"").code == "RedirectNotFollowed"
    assert signed.store.keys("capb") == []


def test_the_repaired_path_of_a_key_with_a_question_mark_is_not_what_was_signed(signed: Cluster) -> None:
    target, wanted = redirected(signed, path=b"/s3/capb/x%3Fy")
    assert put(target, b"/s3/capb/x%3Fy?" + wanted.partition(b"?")[2], b"").code == "AccessDenied"
    assert put(target, wanted, b"").status == 200
    assert signed.store.keys("capb") == ["x"]


def double_encoded(location: bytes) -> bytes:
    """What Python's HTTP clients make of raw UTF-8 in a header: latin-1 text, escaped as UTF-8."""
    path, _, query = location.partition(b"?")
    return quote(path.decode("latin-1")).encode() + b"?" + query


def test_a_double_encoded_key_is_refused_or_where_only_queries_are_checked_stored_as_such() -> None:
    with Cluster() as strict, Cluster(redirects=Redirects(strict_path=False)) as lenient:
        for cluster, keys in ((strict, []), (lenient, ["Ã©"])):
            cluster.store.create_bucket("capb")
            target, wanted = redirected(cluster, path=b"/s3/capb/%C3%A9")
            put(target, double_encoded(wanted))
            assert cluster.store.keys("capb") == keys


@pytest.mark.parametrize("hops", [1, 2, 5])
def test_a_chain_of_redirects_ends_at_a_target(cluster: Cluster, hops: int) -> None:
    cluster.redirects.hops = hops
    target, wanted = redirected(cluster)
    seen = [wanted]
    reply = put(target, wanted)
    while reply.status == 307:
        port = int(reply.location.split(b"/")[2].rpartition(b":")[2])
        target = next(target for target in cluster.targets if target.port == port)
        seen.append(reply.request_target)
        reply = put(target, reply.request_target)
    assert reply.status == 200
    assert len(seen) == len(set(seen)) == hops


def test_a_scheme_relative_location_names_the_target(cluster: Cluster) -> None:
    cluster.redirects.form = "scheme-relative"
    target = cluster.target_of("capb", "k1")
    location = ask(cluster.proxy, "GET", b"/s3/capb/k1").location
    assert location.startswith(f"//{target.host}:{target.port}/s3/capb/k1?pid=".encode())


def test_a_location_that_is_a_path_leads_to_the_same_node(cluster: Cluster) -> None:
    cluster.redirects.form = "path"
    location = ask(cluster.proxy, "PUT", b"/s3/capb/k1").location
    assert location.startswith(b"/s3/capb/k1?pid=")
    assert ask(cluster.proxy, "PUT", location, body=b"data").status == 200
    assert cluster.store["capb", "k1"].data == b"data"


def test_a_plain_http_client_can_follow(cluster: Cluster) -> None:
    cluster.store.put("capb", unquote("a%20b"), b"data")
    target, wanted = redirected(cluster, "GET", b"/s3/capb/a%20b")
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.request("GET", wanted.decode())
    assert connection.getresponse().read() == b"data"
    connection.close()


def refused(target: Target) -> bool:
    try:
        RawClient(target).socket.close()
    except ConnectionRefusedError:
        return True
    return False


def test_the_gateway_names_a_dead_target_until_it_notices(cluster: Cluster) -> None:
    cluster.store.put("capb", "k1", b"data")
    dead, _ = redirected(cluster, "GET")
    dead.kill()
    assert refused(dead)
    assert redirected(cluster, "GET")[0] is dead
    cluster.proxy.notice_dead_target()
    other, wanted = redirected(cluster, "GET")
    assert other is not dead
    assert ask(other, "GET", wanted).body == b"data"


def test_the_gateway_notices_after_so_many_more_redirects(cluster: Cluster) -> None:
    dead, _ = redirected(cluster, "GET")
    dead.kill()
    cluster.proxy.notice_dead_target(after=2)
    assert [redirected(cluster, "GET")[0] is dead for _ in range(4)] == [True, True, False, False]


def test_a_target_comes_back_at_its_old_address(cluster: Cluster) -> None:
    target, _ = redirected(cluster)
    target.kill()
    cluster.proxy.notice_dead_target()
    cluster.heal()
    back, wanted = redirected(cluster)
    assert back is target
    assert put(target, wanted).status == 200


def test_killing_a_target_ends_its_connections(cluster: Cluster) -> None:
    target = cluster.targets[0]
    with RawClient(target) as client:
        client.ask("GET", b"/s3/capb/k1")
        target.kill()
        assert client.read_to_end() == b""


def test_with_all_targets_dead_the_gateway_says_so(cluster: Cluster) -> None:
    for target in cluster.targets:
        target.kill()
    cluster.proxy.notice_dead_target()
    assert ask(cluster.proxy, "GET", b"/s3/capb/k1").status == 503
