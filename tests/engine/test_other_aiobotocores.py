"""An aiobotocore that the patch does not know, and when one is noticed at all. Needs none: it is made up here."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import sys
import threading
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Iterator

import pytest
from botocore.endpoint import Endpoint

import aistore_patch
from aistore_patch import UnsupportedBotocoreError
from tests.cluster import Cluster

from .conftest import BUCKET, MakeClient

NAME = "aiobotocore.endpoint"
ANOTHER = """
from botocore.endpoint import Endpoint

class AioEndpoint(Endpoint):
    async def make_request(self, operation_model, request_dict):
        return "sent"
"""
S3_CALL = SimpleNamespace(name="PutObject", service_model=SimpleNamespace(service_id="S3"))
OTHER_CALL = SimpleNamespace(name="ListTables", service_model=SimpleNamespace(service_id="DynamoDB"))


class Package:
    """An aiobotocore that can be imported."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "aiobotocore"
        self._directory.mkdir()
        (self._directory / "__init__.py").touch()

    def has(self, endpoint: str) -> None:
        (self._directory / "endpoint.py").write_text(endpoint)
        importlib.invalidate_caches()

    def imported(self) -> Any:
        return importlib.import_module(NAME)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    before = dict(vars(Endpoint)), list(sys.meta_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.split(".")[0] == "aiobotocore" or "aistore_patch.aio" in name]:
        monkeypatch.delitem(sys.modules, name)
    yield Package(tmp_path)
    aistore_patch.unpatch()
    assert (dict(vars(Endpoint)), list(sys.meta_path)) == before
    for name in [name for name in sys.modules if name.split(".")[0] == "aiobotocore" or "aistore_patch.aio" in name]:
        del sys.modules[name]


def call(endpoint_class: Any, operation: Any) -> Any:
    endpoint = object.__new__(endpoint_class)
    endpoint.host = "http://127.0.0.1:1/s3"

    async def made() -> Any:
        return await endpoint.make_request(operation, {})

    return asyncio.run(made())


def test_its_s3_calls_are_refused_when_it_was_imported_before(package: Package) -> None:
    package.has(ANOTHER)
    module = package.imported()
    with pytest.warns(RuntimeWarning, match=r"this aiobotocore is not one .* lacks .*, so they are refused"):
        aistore_patch.patch()
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        aistore_patch.patch()  # which has been told
    assert not aistore_patch.is_patched()
    with pytest.raises(UnsupportedBotocoreError, match=r"PutObject was not sent, .* aistore_patch\.unpatch\(\)"):
        call(module.AioEndpoint, S3_CALL)
    assert call(module.AioEndpoint, OTHER_CALL) == "sent"
    aistore_patch.unpatch()
    assert call(module.AioEndpoint, S3_CALL) == "sent"


def test_its_s3_calls_are_refused_when_it_is_imported_later(package: Package) -> None:
    package.has(ANOTHER)
    aistore_patch.patch()
    assert aistore_patch.is_patched()
    with pytest.warns(RuntimeWarning, match="so they are refused"):
        module = package.imported()
    assert not aistore_patch.is_patched()
    with pytest.raises(UnsupportedBotocoreError):
        call(module.AioEndpoint, S3_CALL)
    # What was put around the loader is gone.
    assert type(module.__spec__.loader).__module__.startswith("importlib") or "_frozen" in repr(module.__loader__)
    assert module.__loader__ is module.__spec__.loader


def test_a_method_that_it_has_from_botocore_is_left_to_botocore(package: Package) -> None:
    package.has("from botocore.endpoint import Endpoint\nclass AioEndpoint(Endpoint): ...")
    module = package.imported()
    with pytest.warns(RuntimeWarning):
        aistore_patch.patch()
    assert "make_request" in vars(module.AioEndpoint)
    aistore_patch.unpatch()
    assert "make_request" not in vars(module.AioEndpoint)


def test_one_without_endpoints_is_warned_of(package: Package) -> None:
    package.has("")
    aistore_patch.patch()
    with pytest.warns(RuntimeWarning, match="they cannot be refused"):
        package.imported()
    assert not aistore_patch.is_patched()


@pytest.mark.parametrize("imported", ["before", "after"])
def test_boto3_is_patched_all_the_same(
    cluster: Cluster, make_client: MakeClient, package: Package, imported: str
) -> None:
    package.has(ANOTHER)
    steps = [package.imported, aistore_patch.patch]
    first, second = steps if imported == "before" else reversed(steps)
    first()
    with pytest.warns(RuntimeWarning):
        second()
    make_client(cluster).put_object(Bucket=BUCKET, Key="k", Body=b"x")
    assert cluster.store.keys(BUCKET) == ["k"]


def test_a_client_of_it_cannot_follow(package: Package) -> None:
    package.has(ANOTHER)
    endpoint = object.__new__(package.imported().AioEndpoint)
    meta = SimpleNamespace(service_model=SimpleNamespace(service_id="S3"))
    with pytest.raises(UnsupportedBotocoreError, match="lacks what the patch stands on"):
        aistore_patch.follow_redirects(SimpleNamespace(meta=meta, _endpoint=endpoint))


def test_one_that_cannot_be_imported_fails_as_it_does_without_the_patch(package: Package) -> None:
    package.has("raise ImportError('broken')")
    aistore_patch.patch()
    for _ in range(2):
        with pytest.raises(ImportError, match="broken"):
            package.imported()
    assert aistore_patch.is_patched()


def test_one_that_is_not_there_is_not_found(package: Package) -> None:
    aistore_patch.patch()
    with pytest.raises(ModuleNotFoundError):
        package.imported()


def test_one_that_was_forgotten_before_its_import_ended_stays_as_it_is(package: Package) -> None:
    package.has(f"import aistore_patch\naistore_patch.unpatch()\n{ANOTHER}")
    aistore_patch.patch()
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        assert call(package.imported().AioEndpoint, S3_CALL) == "sent"


@pytest.mark.parametrize("how", ["patch", "patched"])
def test_an_import_that_another_thread_has_begun_is_waited_for(package: Package, how: str) -> None:
    begun, go_on = threading.Event(), threading.Event()
    package.has(f"import test_gate\ntest_gate.begun.set()\ntest_gate.go_on.wait(30)\n{ANOTHER}")
    sys.modules["test_gate"] = SimpleNamespace(begun=begun, go_on=go_on)  # type: ignore[assignment]  # is read alike
    refused: list[Any] = []

    def patch() -> None:
        with contextlib.ExitStack() as block:
            aistore_patch.patch() if how == "patch" else block.enter_context(aistore_patch.patched())
            with pytest.raises(UnsupportedBotocoreError) as caught:
                call(sys.modules[NAME].AioEndpoint, S3_CALL)
            refused.append(caught.value)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importing = threading.Thread(target=package.imported)
            importing.start()
            begun.wait(30)
            patching = threading.Thread(target=patch)
            patching.start()
            go_on.set()
            importing.join(30)
            patching.join(30)
        assert len(refused) == 1
    finally:
        del sys.modules["test_gate"]
