"""What the tests of the redirect engine run in: a simulated cluster on real sockets, and clients of it."""

from __future__ import annotations

import socket
import sys
import time
from typing import Any, Callable, Iterator

import boto3
import botocore
import botocore.config
import pytest

import aistore_patch
from tests.cluster import Cluster, Verifier

KEY_ID = "AKIDTESTS"
SECRET = "only-for-tests"
BUCKET = "capb"

MakeClient = Callable[..., Any]


def pytest_wants_process_per_file() -> bool:
    """They patch botocore."""
    return True


def pytest_before_processes() -> None:
    """Parse botocore's description of S3 once for all files."""
    _session.client("s3", endpoint_url="http://127.0.0.1:1", region_name="us-east-1")


_session = boto3.Session(KEY_ID, SECRET, region_name="us-east-1")


@pytest.fixture
def aws_session() -> boto3.Session:
    """For clients of AWS; to make a session is dear."""
    return _session


class AtRoot:
    """A cluster as clients know it that use its endpoint without `/s3` (AIStore's feature `S3-API-via-Root`)."""

    def __init__(self, cluster: Cluster, host: str = "127.0.0.1") -> None:
        cluster.proxy.s3_api_via_root = True
        self.endpoint_url = f"http://{host}:{cluster.proxy.port}"


@pytest.fixture(scope="module")
def running_cluster() -> Iterator[Cluster]:
    """Three targets that accept a redirected request only to the letter, and with the right signature."""
    with Cluster(targets=3, verify=Verifier({KEY_ID: SECRET})) as cluster:
        cluster.store.create_bucket(BUCKET)
        yield cluster


@pytest.fixture
def cluster(running_cluster: Cluster) -> Iterator[Cluster]:
    """The cluster as new: healthy, empty, and nothing in its ledger."""
    nodes = (running_cluster.proxy, *running_cluster.targets)
    as_new = [(thing, dict(vars(thing))) for thing in (running_cluster.redirects, *nodes)]
    yield running_cluster
    if any(node._faults._rules for node in nodes):  # a faulty node may be about to close what a client keeps open
        for client in _clients.values():
            client._endpoint.http_session._manager.clear()
    running_cluster.heal()
    for thing, attributes in as_new:
        vars(thing).update(attributes)
    for key in running_cluster.store.keys(BUCKET):
        running_cluster.store.delete(BUCKET, key)
    running_cluster.ledger.clear()


@pytest.fixture
def patched() -> Iterator[None]:
    with aistore_patch.patched():
        yield


# Where the whole suite passes without the short way as well: on the oldest Python the newest botocore that it has, with
# urllib3 1.26, and on the newest Python the newest botocore, with urllib3 2.
_BOTH_WAYS = {(3, 8): "1.37.38", (3, 13): "1.44."}.get(sys.version_info[:2], "nowhere")
_WAYS = ["short-way", "long-way"] if botocore.__version__.startswith(_BOTH_WAYS) else ["short-way"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "way" in metafunc.fixturenames:
        metafunc.parametrize("way", _WAYS, indirect=True)


@pytest.fixture(autouse=True)
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """Which way requests may go: without the short one (`long-way`), or with it."""
    with pytest.MonkeyPatch.context() as environment:
        if request.param == "long-way":
            environment.setenv("AISTORE_PATCH_SHORT_WAY", "0")
        yield request.param


@pytest.fixture
def keys_as_in_s3(cluster: Cluster) -> Iterator[None]:
    """A cluster that holds every key that S3 does, and is known to."""
    cluster.honours = "s3"
    with aistore_patch.patched(aistore_patch.RedirectPolicy(honoured=["UncleanKey", "QuestionMarkKey"])):
        yield


_clients: dict[str, Any] = {}


@pytest.fixture
def make_client(way: str) -> MakeClient:
    """Make a client: `make_client(cluster, addressing="path", **options of botocore's Config)`.

    Clients are dear, and are used again by tests that ask for the same; `fresh=True` is for those that change theirs.
    """

    def make(
        cluster: Cluster | AtRoot, *, addressing: str = "path", verify: Any = None, fresh: bool = False, **options: Any
    ) -> Any:
        s3 = {"addressing_style": addressing, **options.pop("s3", {})}
        options = {"retries": {"max_attempts": 0}, **options}
        known = repr((cluster.endpoint_url, s3, verify, options, way))
        if fresh or known not in _clients:
            config = botocore.config.Config(s3=s3, **options)
            client = _session.client("s3", endpoint_url=cluster.endpoint_url, config=config, verify=verify)
            if fresh:
                return client
            _clients[known] = client
        return _clients[known]

    return make


@pytest.fixture
def client(cluster: Cluster, patched: None, make_client: MakeClient) -> Any:  # noqa: ARG001 - it patches
    return make_client(cluster)


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """botocore waits between attempts; here it only says for how long it would have, in seconds."""
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let names below localhost mean this machine, without asking anybody."""
    resolve = socket.getaddrinfo

    def resolve_here(host: Any, *args: Any, **kwargs: Any) -> Any:
        return resolve("127.0.0.1" if str(host).endswith(".localhost") else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_here)
