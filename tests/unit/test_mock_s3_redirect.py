"""The mock cluster itself: what it sends, what it lets pass, and what it refuses."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Callable, Iterator
from xml.etree import ElementTree

import moto.core.models
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse

from tests.unit.botocore_patch.mock_s3_redirect import (
    CREDENTIALS,
    PROXY,
    TARGETS,
    MockCluster,
    MotoHasMovedError,
    find_seam,
    mock_cluster,
)


@pytest.fixture
def cluster() -> Iterator[MockCluster]:
    with mock_cluster() as cluster:
        assert send(cluster, "PUT", f"{PROXY}/bucket").status_code == 200
        cluster.ledger.clear()
        yield cluster


def send(cluster: MockCluster, method: str, url: str, body: bytes = b"", signed_for: str | None = None) -> AWSResponse:
    """What a hand-made client does: sign (for this URL, or for another one) and send."""
    request = AWSRequest(method=method, url=signed_for or url, data=body, headers={"X-Amz-Meta-Colour": "blue"})
    S3SigV4Auth(CREDENTIALS, "s3", "us-east-1").add_auth(request)
    prepared = request.prepare()
    prepared.url = url
    return cluster.answer(prepared)


def redirect(cluster: MockCluster, method: str, path: str, body: bytes = b"", status: int = 307) -> str:
    """Ask the proxy, and return the Location that it sends."""
    with cluster.redirecting(status):
        answer = send(cluster, method, PROXY + path, body)
    assert answer.status_code == status
    location: str = answer.headers["Location"]
    return location


def test_proxy_that_does_not_redirect_serves(cluster: MockCluster) -> None:
    assert send(cluster, "PUT", f"{PROXY}/bucket/key", b"content").status_code == 200
    assert send(cluster, "GET", f"{PROXY}/bucket/key").content == b"content"
    assert len(cluster.ledger.answered_by_proxy) == 2
    assert cluster.ledger.redirects == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_redirect_looks_like_aistores(cluster: MockCluster, method: str, status: int) -> None:
    with cluster.redirecting(status):
        answer = send(cluster, method, f"{PROXY}/bucket/key?uploadId=7&x-id=Do", b"")
    location = answer.headers["Location"]
    assert answer.status_code == status
    assert answer.headers["Server"] == "AIStore"
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert answer.headers.get("Connection") == ("close" if method in ("PUT", "POST") else None)
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert location.startswith(tuple(f"{target}/bucket/key?uploadId=7&x-id=Do&pid=" for target in TARGETS))
    error = ElementTree.fromstring(answer.content)
    assert error.tag == "Error"
    assert [child.tag for child in error] == ["Code", "Message", "Endpoint", "Bucket"]
    assert error.findtext("Endpoint") == location
    assert error.findtext("Bucket") == "bucket"


def test_redirect_of_head_has_no_body(cluster: MockCluster) -> None:
    with cluster.redirecting(307):
        answer = send(cluster, "HEAD", f"{PROXY}/bucket/key")
    assert answer.headers["Location"]
    assert answer.content == b""


def test_redirects_go_to_several_hosts(cluster: MockCluster) -> None:
    hosts = {redirect(cluster, "GET", "/bucket/key").split("/")[2] for _ in range(4)}
    assert len(hosts) == len(TARGETS)


def test_query_is_added_to_a_url_that_has_none(cluster: MockCluster) -> None:
    assert "/bucket/key?pid=" in redirect(cluster, "GET", "/bucket/key")


def test_exact_request_is_served_and_counts_as_followed(cluster: MockCluster) -> None:
    location = redirect(cluster, "PUT", "/bucket/a%2Bb", b"content")
    assert cluster.ledger.followed == 0
    assert "/bucket/a+b?" in location  # as AIStore writes it
    assert send(cluster, "PUT", location, b"content").status_code == 200
    assert cluster.ledger.followed == 1
    assert cluster.ledger.refused == []
    assert send(cluster, "GET", f"{PROXY}/bucket/a%2Bb").content == b"content"


@pytest.mark.parametrize(
    ("sent", "written", "blindly"), [("a%3Fb", "a?b=&pid=", "a"), ("%C3%A9", "\u00c3\u00a9?pid=", None)]
)
def test_damaged_path_is_aistores_and_may_be_repaired(
    cluster: MockCluster, sent: str, written: str, blindly: str | None
) -> None:
    location = redirect(cluster, "PUT", f"/bucket/{sent}", b"content")
    assert f"/bucket/{written}" in location
    query = location.partition("?")[2]
    base = location.partition("/bucket/")[0]
    assert send(cluster, "PUT", f"{base}/bucket/{sent}?{query}", b"content").status_code == 200
    assert send(cluster, "GET", f"{PROXY}/bucket/{sent}").content == b"content"
    if blindly is not None:
        assert send(cluster, "GET", f"{PROXY}/bucket/{blindly}").status_code == 404
        send(cluster, "PUT", redirect(cluster, "PUT", f"/bucket/{sent}", b"content"), b"content")
        assert send(cluster, "GET", f"{PROXY}/bucket/{blindly}").content == b"content"


def test_redirect_is_followed_once(cluster: MockCluster) -> None:
    location = redirect(cluster, "PUT", "/bucket/key", b"content")
    send(cluster, "PUT", location, b"content")
    assert_refused(cluster, send(cluster, "PUT", location, b"content"), "no redirect led here")


def other_order(url: str) -> str:
    path, _, query = url.partition("?")
    return path + "?" + "&".join(reversed(query.split("&")))


ALTERATIONS: dict[str, Callable[[str], str]] = {
    "query_dropped": lambda url: url.partition("?")[0],
    "parameter_dropped": lambda url: url.replace("&bare", ""),
    "empty_parameter_dropped": lambda url: url.replace("&empty=", ""),
    "one_of_two_dropped": lambda url: url.replace("&a=2&a=1&a=2", "&a=2&a=1"),
    "parameter_added": lambda url: url + "&more=1",
    "equals_added": lambda url: url.replace("&bare", "&bare="),
    "reordered": other_order,
    "upper_case_escape": lambda url: url.replace("%5b", "%5B"),
    "unquoted": lambda url: url.replace("%2F", "/"),
    "needless_escape_removed": lambda url: url.replace("%7e", "~"),
    "quoted": lambda url: url.replace("raw=/", "raw=%2F"),
    "plus_made_a_space": lambda url: url.replace("a+b%2Bc", "a%20b%2Bc"),
    "quoted_twice": lambda url: url.replace("%c3", "%25c3"),
    "other_path": lambda url: url.replace("/bucket/ab", "/bucket/a%62"),
    "prefix_dropped": lambda url: url.replace("/s3/", "/", 1),
    "other_target": lambda url: url.replace(*(TARGETS if TARGETS[0] in url else TARGETS[::-1])),
    "other_port": lambda url: url.replace(":1", ":2", 1),
    "https": lambda url: url.replace("http:", "https:"),
    "fragment": lambda url: url + "#part",
}


@pytest.mark.parametrize("alter", ALTERATIONS.values(), ids=ALTERATIONS)
def test_altered_request_is_refused(cluster: MockCluster, alter: Callable[[str], str]) -> None:
    location = redirect(cluster, "PUT", "/bucket/ab", b"content")
    altered = alter(location)
    assert altered != location
    assert_refused(cluster, send(cluster, "PUT", altered, b"content"), "")


def test_request_that_stays_at_the_proxy_is_not_followed(cluster: MockCluster) -> None:
    location = redirect(cluster, "GET", "/bucket/key")
    with cluster.redirecting(307):
        send(cluster, "GET", PROXY + location.partition("/s3")[2])
    assert cluster.ledger.followed == 0


def test_other_method_is_refused(cluster: MockCluster) -> None:
    location = redirect(cluster, "PUT", "/bucket/key", b"content")
    assert_refused(cluster, send(cluster, "GET", location, b"content"), "the redirect was for PUT")


@pytest.mark.parametrize("body", [b"", b"other content", b"conten"])
def test_other_body_is_refused(cluster: MockCluster, body: bytes) -> None:
    location = redirect(cluster, "PUT", "/bucket/key", b"content")
    assert_refused(cluster, send(cluster, "PUT", location, body), "its body (")


def test_signature_for_the_first_host_is_refused(cluster: MockCluster) -> None:
    location = redirect(cluster, "GET", "/bucket/key")
    first = PROXY + location.partition("/s3")[2]
    assert_refused(cluster, send(cluster, "GET", location, signed_for=first), "it is not signed for this URL")


def test_request_without_a_signature_is_refused(cluster: MockCluster) -> None:
    location = redirect(cluster, "GET", "/bucket/key")
    unsigned = AWSRequest(method="GET", url=location).prepare()
    assert_refused(cluster, cluster.answer(unsigned), "it is not signed for this URL")


def test_redirects_lead_through_as_many_targets_as_asked_for(cluster: MockCluster) -> None:
    with cluster.redirecting(302, hops=3):
        url = f"{PROXY}/bucket/key?x-id=PutObject"
        for _ in range(3):
            url = send(cluster, "PUT", url, b"content").headers["Location"]
        answer = send(cluster, "PUT", url, b"content")
    assert answer.status_code == 200
    assert cluster.ledger.followed == len(cluster.ledger.redirects) == 3
    assert send(cluster, "GET", f"{PROXY}/bucket/key").content == b"content"


def test_answer_may_name_a_url_and_be_no_redirect(cluster: MockCluster) -> None:
    with cluster.redirecting(200, headers={"x-amz-bucket-region": "eu-west-1"}):
        answer = send(cluster, "GET", f"{PROXY}/bucket/key")
    assert answer.status_code == 200
    assert cluster.ledger.redirects[0].urls == {answer.headers["Location"]}
    assert answer.headers["x-amz-bucket-region"] == "eu-west-1"


def test_request_to_the_world_is_refused(cluster: MockCluster) -> None:
    assert_refused(cluster, send(cluster, "GET", "http://s3.example.com/bucket/key"), "it left the cluster")


def test_target_refuses_what_no_redirect_led_to(cluster: MockCluster) -> None:
    assert_refused(cluster, send(cluster, "GET", f"{TARGETS[0]}/bucket/key"), "no redirect led here")


def assert_refused(cluster: MockCluster, answer: AWSResponse, reason: str) -> None:
    assert answer.status_code == 403
    assert cluster.ledger.followed == 0 or reason == "no redirect led here"
    assert len(cluster.ledger.refused) == 1
    assert reason in cluster.ledger.refused[0]


def test_region_of_a_bucket_is_not_told(cluster: MockCluster) -> None:
    redirect(cluster, "GET", "/bucket/key")
    with cluster.redirecting(307):  # as botocore's S3RegionRedirector asks, after a redirect that it cannot follow
        answer = send(cluster, "HEAD", f"{PROXY}/bucket")
    assert answer.status_code == 200
    assert "x-amz-bucket-region" not in answer.headers


def test_mock_ends_with_its_block() -> None:
    before = find_seam().stubber_type.__call__
    with mock_cluster():
        assert find_seam_call() is not before
    assert find_seam_call() is before


def find_seam_call() -> Any:
    return type(moto.core.models.botocore_stubber).__call__


def moved_stubber(self: object, request: object) -> None: ...


STUBBER = moto.core.models.botocore_stubber
MOVED = {
    "moto.core.models.botocore_stubber": SimpleNamespace(),
    "__call__(self, event_name, request, **kwargs)": SimpleNamespace(
        botocore_stubber=type("Stubber", (), {"__call__": moved_stubber})()
    ),
    "and has None": SimpleNamespace(botocore_stubber=object()),
    "BUILTIN_HANDLERS": SimpleNamespace(botocore_stubber=type(STUBBER)()),
}


@pytest.mark.parametrize("missing", MOVED)
def test_moto_that_has_moved_is_named_with_what_it_lacks(missing: str) -> None:
    package = SimpleNamespace(__version__="99.0", mock_aws=object)
    with pytest.raises(MotoHasMovedError, match=r"moto 99\.0.*mock_s3_redirect\.py") as caught:
        find_seam(package, MOVED[missing])
    assert missing in str(caught.value)


def test_moto_that_cannot_be_switched_on_is_named() -> None:
    with pytest.raises(MotoHasMovedError, match=r"moto\.mock_aws \(moto 5\) or moto\.mock_s3 \(moto 4\)"):
        find_seam(SimpleNamespace(__version__="99.0"))


def test_moto_that_does_not_answer_is_named() -> None:
    with pytest.raises(MotoHasMovedError, match="does not answer GET"):
        send(MockCluster(lambda _: None), "GET", f"{PROXY}/bucket/key")
