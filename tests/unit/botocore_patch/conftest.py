"""What a set runs in: a process of its own, a mock cluster, and a client that checks each call by the set's rule."""

from __future__ import annotations

import inspect
import itertools
from typing import Any, Iterator

import botocore.endpoint
import pytest

import aistore_patch
from tests.botocore_common import BUCKET, CheckedClient, make_client
from tests.process_per_file import file_of_this_process

from .mock_s3_redirect import MockCluster, mock_cluster


@pytest.hookimpl(optionalhook=True)  # without the plugin, right_process says what is missing
def pytest_wants_process_per_file() -> bool:
    """What one set does to botocore, no other may see."""
    return True


@pytest.hookimpl(optionalhook=True)
def pytest_before_processes() -> None:
    """Import and parse what every set needs."""
    with mock_cluster():
        make_client().list_buckets()


@pytest.fixture(scope="class", autouse=True)
def right_process(request: pytest.FixtureRequest) -> Iterator[None]:
    """Patch as users do, if this set is patched; fail in a process of the wrong kind. Unpatch in the end."""
    own_file = request.path
    assert file_of_this_process() == own_file, (
        f"{own_file.name} must run in a process of its own, and this one is of {file_of_this_process()}. "
        "Is the plugin tests/process_per_file.py switched off?"
    )
    assert not aistore_patch.is_patched(), "something has patched botocore in this process before the set began"
    assert _endpoint_is_botocores_own(), "something has changed botocore.endpoint.Endpoint before the set began"
    if request.cls.patched:
        from aistore_patch import botocore  # noqa: F401  # importing it patches this process
    assert aistore_patch.is_patched() == request.cls.patched
    yield
    aistore_patch.unpatch()
    assert _endpoint_is_botocores_own(), "unpatched, botocore.endpoint.Endpoint is not what it was"


@pytest.fixture(scope="class")
def cluster() -> Iterator[MockCluster]:
    with mock_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="class")
def client(cluster: MockCluster) -> Any:  # noqa: ARG001  # the cluster must be there for the bucket
    client = make_client()
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def status() -> int | None:
    """The status that the cluster redirects with; a set with redirects has it as a parameter."""
    return None


@pytest.fixture
def s3(request: pytest.FixtureRequest, client: Any, cluster: MockCluster, status: int | None) -> CheckedClient:
    return CheckedClient(client, cluster, request.cls.redirects, request.cls.patched, status)


@pytest.fixture
def prefix() -> str:
    """A prefix of keys that no other test uses."""
    return f"{next(_serial)}/"


@pytest.fixture
def key(prefix: str) -> str:
    return prefix + "object"


_serial = itertools.count(1)


def _endpoint_is_botocores_own() -> bool:
    """Whether the class that a patch of redirects would change has only botocore's own code."""
    methods = inspect.getmembers(botocore.endpoint.Endpoint, inspect.isfunction)
    return all(method.__code__.co_filename == botocore.endpoint.__file__ for _, method in methods)
