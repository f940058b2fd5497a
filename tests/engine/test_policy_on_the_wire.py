"""Limits, TLS and proxies: where a redirect may lead, and how the connection there is made."""

from __future__ import annotations

import contextlib
import io
import logging
from typing import Any, Iterator

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, SSLError

import aistore_patch
from aistore_patch import RedirectPolicy
from tests.cluster import AUTHORITY, CLIENT, Cluster, Fault, ForwardProxy, Verifier, server_context

from .conftest import BUCKET, KEY_ID, SECRET, MakeClient

VERIFIER = Verifier({KEY_ID: SECRET})


def secure(**options: Any) -> Cluster:
    cluster = Cluster(verify=VERIFIER, **options)
    cluster.store.create_bucket(BUCKET)
    cluster.store.put(BUCKET, "k", b"x")
    return cluster


def test_https_to_http_is_refused_unless_allowed(make_client: MakeClient) -> None:
    with secure(proxy_tls=server_context()) as cluster:
        with aistore_patch.patched(), pytest.raises(ClientError, match=r"RedirectRefused.*https to http"):
            make_client(cluster, verify=AUTHORITY).get_object(Bucket=BUCKET, Key="k")
        assert not any(target.connections for target in cluster.targets)
        with aistore_patch.patched(RedirectPolicy(allow_downgrade=True)):
            client = make_client(cluster, verify=AUTHORITY)
            assert client.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"x"


def test_http_to_https_keeps_verifying(make_client: MakeClient) -> None:
    with secure(target_tls=server_context()) as cluster, aistore_patch.patched():
        assert make_client(cluster, verify=AUTHORITY).get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"x"
        with pytest.raises(SSLError):
            make_client(cluster, verify=CLIENT).get_object(Bucket=BUCKET, Key="k")  # an authority, but not the target's


@pytest.mark.parametrize("certificate", ["other-name", "untrusted"])
def test_a_target_with_the_wrong_certificate_is_not_spoken_to(make_client: MakeClient, certificate: str) -> None:
    with secure(proxy_tls=server_context(), target_tls=server_context(certificate)) as cluster, aistore_patch.patched():
        with pytest.raises(SSLError) as caught:
            make_client(cluster, verify=AUTHORITY).get_object(Bucket=BUCKET, Key="k")
        assert "pid=" not in str(caught.value)
        assert not any(target.requests for target in cluster.targets)
        unverified = make_client(cluster, verify=False)
        assert unverified.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"x"


def test_client_certificates_are_shown_to_targets(make_client: MakeClient) -> None:
    tls = server_context(asks_client=True)
    with secure(proxy_tls=tls, target_tls=tls) as cluster, aistore_patch.patched():
        client = make_client(cluster, verify=AUTHORITY, client_cert=CLIENT)
        assert client.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"x"
        with pytest.raises(BotoCoreError):
            make_client(cluster, verify=AUTHORITY).get_object(Bucket=BUCKET, Key="k")


@pytest.mark.parametrize(
    ("allowed", "given"),
    [
        ("127.0.0.0/8", "process"),
        ("127.0.0.2", "process"),
        ("127.0.0.1", "process"),
        ("127.0.0.1", "client"),
        ("127.0.0.1", "environment"),
    ],
)
def test_only_allowed_hosts_are_spoken_to(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, allowed: str, given: str
) -> None:
    policy = RedirectPolicy(allow_hosts=[allowed])
    with Cluster(targets=2, own_addresses=True, verify=VERIFIER) as cluster:
        cluster.store.create_bucket(BUCKET)
        other = next(key for key in "abcdefgh" if cluster.target_of(BUCKET, key).host == "127.0.0.2")
        if given == "environment":
            monkeypatch.setenv("AISTORE_PATCH_ALLOW_HOSTS", f"example.org,{allowed}")
        client = make_client(cluster, fresh=True)
        if given == "client":
            aistore_patch.follow_redirects(client, policy)
        with aistore_patch.patched(policy if given == "process" else None):
            if allowed == "127.0.0.1":
                with pytest.raises(ClientError, match=r"RedirectRefused.*127\.0\.0\.2.*allow_hosts"):
                    client.put_object(Bucket=BUCKET, Key=other, Body=b"x")
                assert not any(target.connections for target in cluster.targets if target.host == "127.0.0.2")
            else:
                client.put_object(Bucket=BUCKET, Key=other, Body=b"x")


@pytest.mark.usefixtures("patched")
def test_names_are_refused_without_being_looked_up(cluster: Cluster, make_client: MakeClient) -> None:
    client = aistore_patch.follow_redirects(
        make_client(cluster, fresh=True), RedirectPolicy(allow_hosts=["10.0.0.0/8", "*.example"])
    )
    cluster.proxy.fail_with(Fault.redirect("http://target.evil.org/s3/capb/k"))
    # A look-up would end the test: tests.loopback_only lets none pass.
    with pytest.raises(ClientError, match=r"RedirectRefused.*target\.evil\.org"):
        client.get_object(Bucket=BUCKET, Key="k")


@pytest.fixture
def forward_proxy() -> Any:
    with ForwardProxy() as proxy:
        yield proxy


def test_no_proxy_is_that_of_the_new_host(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, forward_proxy: ForwardProxy
) -> None:
    monkeypatch.setenv("http_proxy", forward_proxy.url)
    with Cluster(targets=2, own_addresses=True, verify=VERIFIER) as cluster, aistore_patch.patched():
        cluster.store.create_bucket(BUCKET)
        cluster.store.put(BUCKET, "k", b"x")
        target = cluster.target_of(BUCKET, "k")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        other = next(key for key in "abcdefgh" if cluster.target_of(BUCKET, key).host == "127.0.0.2")
        client = make_client(cluster)
        for _ in range(2):
            client.put_object(Bucket=BUCKET, Key=other, Body=b"x")
            assert [str(entry.target).count("127.0.0.2") for entry in forward_proxy.requests] == [1] * len(
                forward_proxy.requests
            )
        assert len(forward_proxy.requests) == 2
        monkeypatch.setenv("no_proxy", "127.0.0.2")
        client = make_client(cluster, fresh=True)
        client.put_object(Bucket=BUCKET, Key=other, Body=b"x")
        assert len(forward_proxy.requests) == 3
        assert b"127.0.0.1" in forward_proxy.requests[-1].target
        assert target is not None


@pytest.mark.parametrize("when", ["before", "after"])
def test_proxies_are_those_that_held_when_the_client_was_made(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, forward_proxy: ForwardProxy, when: str
) -> None:
    with secure() as cluster, aistore_patch.patched():
        if when == "before":
            monkeypatch.setenv("http_proxy", forward_proxy.url)
        client = make_client(cluster, fresh=True)
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1") if when == "after" else monkeypatch.delenv("http_proxy")
        assert client.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"x"
        assert len(forward_proxy.requests) == (2 if when == "before" else 0)


def test_proxies_of_the_client_hold_for_every_host(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, forward_proxy: ForwardProxy
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")  # it is about the proxies of the environment
    with secure() as cluster, aistore_patch.patched():
        client = make_client(cluster, proxies={"http": forward_proxy.url})
        assert client.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"x"
        assert len(forward_proxy.requests) == 2
        # Verbatim through a proxy too: the request line has the whole Location.
        location = forward_proxy.requests[-1].target
        assert location.endswith(cluster.target_of(BUCKET, "k").requests[-1].target)


def test_hops_and_refusals_are_logged_without_secrets(
    cluster: Cluster, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "aistore_patch")
    client.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    target = cluster.target_of(BUCKET, "k")
    ours = [record for record in caplog.records if record.name == "aistore_patch"]
    assert [record.levelname for record in ours] == ["DEBUG"]
    assert f"{target.url}/s3/capb/k" in ours[0].getMessage()
    cluster.proxy.fail_with(Fault.redirect("http://me:hunter2@127.0.0.1/s3/capb/k?token=hunter2"))
    with pytest.raises(ClientError) as caught:
        client.get_object(Bucket=BUCKET, Key="k")
    ours = [record for record in caplog.records if record.name == "aistore_patch"]
    assert [record.levelname for record in ours] == ["DEBUG", "WARNING"]
    said = " ".join(record.getMessage() for record in ours) + f"{caught.value} {caught.value!r} {caught.value.response}"
    for secret in ("hunter2", "pid=", "utm=", SECRET, "Signature="):
        assert secret not in said


class NoBody(io.BytesIO):
    """The body of an answer that a hook gives."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


@pytest.mark.parametrize(
    ("url", "server", "followed"),
    [
        (None, "AmazonS3", False),
        (None, "", False),
        ("https://s3.cn-north-1.amazonaws.com.cn", "", False),
        ("https://s3.dualstack.us-east-1.api.aws", "", False),
        (None, "AIStore", False),
        ("https://ec2-1-2-3-4.compute-1.amazonaws.com", "AIStore", True),
        ("https://s3-gateway-1.us-east-1.elb.amazonaws.com", "AIStore", True),
        ("https://notamazonaws.com", "", True),
    ],
)
@pytest.mark.usefixtures("patched")
def test_s3_of_aws_redirects_nothing_and_what_runs_on_its_machines_does(
    aws_session: boto3.Session, url: str, server: str, followed: bool
) -> None:
    asked: list[str] = []

    def answer(request: Any, **_: Any) -> AWSResponse:
        asked.append(request.url)
        location = request.url.replace("https://", "https://target.") + "?pid=1"
        headers = {"Location": location, "Server": server}
        return AWSResponse(request.url, 200 if "target." in request.url else 307, headers, NoBody())

    client = aws_session.client("s3", endpoint_url=url, config=Config(retries={"max_attempts": 0}))
    client.meta.events.register("before-send.s3", answer)  # nothing leaves this process
    with contextlib.suppress(ClientError, BotoCoreError, TypeError, RecursionError):  # what botocore makes of it
        client.list_buckets()
    assert any("target." in request_url for request_url in asked) == followed


ACCESS_POINT = "arn:aws:s3:us-east-1:123456789012:accesspoint/point"


@pytest.mark.parametrize("region", [None, "us-west-2"])
@pytest.mark.parametrize(
    ("bucket", "s3"),
    [
        ("data", {"use_accelerate_endpoint": True}),
        (ACCESS_POINT, {}),
        (ACCESS_POINT, {"use_arn_region": True}),
        ("data--use1-az4--x-s3", {}),  # S3 Express; to an older botocore a bucket like others
    ],
)
def test_what_only_aws_has_is_as_without_the_patch(
    aws_session: boto3.Session, bucket: str, s3: dict[str, Any], region: str | None
) -> None:
    def asked_and_raised(follow: bool) -> tuple[list[str], str]:
        asked: list[str] = []

        def answer(request: Any, **_: Any) -> AWSResponse:
            asked.append(f"{request.method} {request.url}")
            headers = {"Server": "AmazonS3", "Location": "https://elsewhere.s3.us-west-2.amazonaws.com/k"}
            if region is not None:
                headers["x-amz-bucket-region"] = region
            return AWSResponse(request.url, 307, headers, NoBody())

        config = Config(s3=s3, retries={"max_attempts": 0})
        client = aws_session.client("s3", config=config)
        client.meta.events.register("before-send.s3", answer)  # nothing leaves this process
        if follow:
            aistore_patch.follow_redirects(client)
        try:
            client.get_object(Bucket=bucket, Key="k")
        except (ClientError, BotoCoreError, RecursionError) as error:
            # Without a region botocore asks where the bucket is, is redirected, asks …: how often is up to Python.
            return asked[:5], type(error).__name__ if isinstance(error, RecursionError) else repr(error)
        return asked, "nothing"

    unpatched = asked_and_raised(follow=False)
    assert unpatched[0]
    assert asked_and_raised(follow=True) == unpatched


AWS = "us-west-2"


@pytest.mark.parametrize("status", [301, 307])
@pytest.mark.parametrize("with_location", [True, False])
def test_redirects_of_aws_are_left_to_botocore(
    cluster: Cluster, make_client: MakeClient, status: int, with_location: bool
) -> None:
    location = cluster.targets[0].url + "/s3/capb/k" if with_location else None
    cluster.proxy.fail_with(Fault.aws_region(AWS, location, status))
    outcomes = []
    for patching in (False, True):
        client = make_client(cluster, fresh=True)
        if patching:
            aistore_patch.follow_redirects(client)
        cluster.ledger.clear()
        with pytest.raises((ClientError, BotoCoreError)) as caught:
            client.get_object(Bucket=BUCKET, Key="k")
        outcomes.append((type(caught.value).__name__, str(caught.value), len(cluster.proxy.requests)))
        assert not any(target.requests for target in cluster.targets)
    assert outcomes[0] == outcomes[1]
