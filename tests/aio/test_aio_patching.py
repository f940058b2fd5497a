"""Turning the patch on and off with aiobotocore there: in any order of imports, for the process, for one client."""

from __future__ import annotations

import asyncio
import functools
import gc
import subprocess
import sys
import weakref
from typing import Any

import pytest
from aiobotocore.endpoint import AioEndpoint
from aiobotocore.httpsession import AIOHTTPSession
from botocore.exceptions import BotoCoreError, ClientError

import aistore_patch
from aistore_patch import RedirectPolicy, UnsupportedBotocoreError
from aistore_patch.aio import session
from tests.cluster import Cluster

from .conftest import BUCKET, HERE, Run, client_of

METHODS = ["create_request", "_do_get_response", "_send"]


@pytest.fixture(autouse=True)
def left_unpatched() -> Any:
    before, finders = dict(vars(AioEndpoint)), list(sys.meta_path)
    yield
    aistore_patch.unpatch()
    assert dict(vars(AioEndpoint)) == before
    assert sys.meta_path == finders


async def follows(client: Any) -> bool:
    try:
        response = await client.put_object(**HERE, Body=b"x")
    except (ClientError, BotoCoreError):
        return False
    return "Redirects" in response["ResponseMetadata"]


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr.strip()


@pytest.mark.parametrize(
    "imports",
    [
        "from aistore_patch import botocore; import aiobotocore.endpoint",
        "import aiobotocore.session; from aistore_patch import botocore",
        "import boto3, aistore_patch; aistore_patch.patch(); import aiobotocore.session",
        "from aistore_patch import patch, unpatch; patch(); unpatch(); patch(); import aiobotocore",
    ],
)
def test_it_is_patched_whichever_is_imported_first(imports: str) -> None:
    shown = (
        "import sys, aiobotocore.endpoint as e; print(aistore_patch.is_patched(), "
        "e.AioEndpoint._send.__code__.co_filename, type(e.__spec__.loader).__name__, type(e.__loader__).__name__, "
        "[f for f in sys.meta_path if 'aistore' in type(f).__module__])"
    )
    said = run_python(f"import aistore_patch; {imports}; {shown}")
    assert said.startswith("True ")
    assert "aio/endpoint.py SourceFileLoader SourceFileLoader" in said


def test_nothing_of_aiobotocore_is_imported_where_it_is_not_used() -> None:
    said = run_python(
        "from aistore_patch import botocore; import boto3, sys; print([n for n in sys.modules if 'aio' in n])"
    )
    assert "aiobotocore" not in said
    assert "aiohttp" not in said
    assert "aistore_patch.aio'" not in said


def test_unpatched_before_it_is_imported_it_stays_as_it_is() -> None:
    said = run_python(
        "import aistore_patch as a; a.patch(); a.unpatch(); import aiobotocore.endpoint as e; "
        "print(e.AioEndpoint._send.__code__.co_filename)"
    )
    assert said.endswith("aiobotocore/endpoint.py")


def test_a_thread_that_imports_it_meanwhile_is_waited_for() -> None:
    said = run_python(
        """
import sys, threading, importlib.abc
import aistore_patch
started, go_on = threading.Event(), threading.Event()
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "aiobotocore.httpchecksum":
            started.set(); go_on.wait(30)
sys.meta_path.insert(0, Slow())
importing = threading.Thread(target=lambda: __import__("aiobotocore.endpoint"))
importing.start(); started.wait(30)
patching = threading.Thread(target=aistore_patch.patch)
patching.start(); patching.join(0.2); go_on.set(); patching.join(30); importing.join(30)
print(aistore_patch.is_patched())
"""
    )
    assert said == "True"


def test_clients_that_exist_already_follow_and_stop(run: Run) -> None:
    async def calls(client: Any) -> list[bool]:
        said = [await follows(client)]
        aistore_patch.patch()
        said.append(await follows(client))
        aistore_patch.unpatch()
        return [*said, await follows(client)]

    assert run(calls) == [False, True, False]


def test_patching_twice_is_patching_once() -> None:
    original = AioEndpoint._send
    aistore_patch.patch()
    aistore_patch.patch()
    aistore_patch.unpatch()
    assert AioEndpoint._send is original
    assert not aistore_patch.is_patched()


def test_one_client_follows_and_nothing_else_is_patched(cluster: Cluster) -> None:
    async def main() -> None:
        async with client_of(cluster.endpoint_url) as client, client_of(cluster.endpoint_url) as other:
            assert aistore_patch.follow_redirects(client) is client
            assert await follows(client)
            assert not await follows(other)
            assert not aistore_patch.is_patched()
            aistore_patch.follow_redirects(client, RedirectPolicy(max_hops=0))
            with pytest.raises(ClientError, match="TooManyRedirects"):
                await client.put_object(**HERE, Body=b"x")
            with aistore_patch.patched():
                assert await follows(other)
                with pytest.raises(ClientError, match="TooManyRedirects"):
                    await client.put_object(**HERE, Body=b"x")

    asyncio.run(main())


@pytest.mark.parametrize("name", METHODS)
def test_what_somebody_has_taken_away_is_told_and_put_back(name: str) -> None:
    original = vars(AioEndpoint)[name]
    aistore_patch.patch()
    setattr(AioEndpoint, name, original)
    assert not aistore_patch.is_patched()
    aistore_patch.patch()
    assert aistore_patch.is_patched()


def test_the_wrapper_of_another_is_left_where_it_is(run: Run) -> None:
    original = AioEndpoint._send
    aistore_patch.patch()
    found = AioEndpoint._send

    @functools.wraps(found)
    async def traced(self: Any, request: Any) -> Any:
        return await found(self, request)

    AioEndpoint._send = traced
    try:
        assert aistore_patch.is_patched()
        assert run(follows)
        aistore_patch.unpatch()
        assert AioEndpoint._send is traced
        assert not run(follows)
    finally:
        AioEndpoint._send = original


@pytest.mark.parametrize("name", METHODS)
def test_one_that_is_not_known_refuses_s3_calls_and_is_warned_of_once(
    run: Run, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async def other(self: Any, request: Any, something_new: Any) -> None: ...

    with monkeypatch.context() as context:
        context.setattr(AioEndpoint, name, other)
        with pytest.warns(RuntimeWarning, match=rf"AioEndpoint\.{name}.*something_new.*so they are refused"):
            aistore_patch.patch()
        assert not aistore_patch.is_patched()
        with pytest.raises(UnsupportedBotocoreError, match=r"something_new.*PutObject was not sent"):
            run(follows)
        assert not cluster.ledger.requests()

        async def follow(client: Any) -> None:
            aistore_patch.follow_redirects(client)

        with pytest.raises(UnsupportedBotocoreError, match="something_new"):
            run(follow)
    aistore_patch.patch()  # a mock that has ended, say: it is known after all
    assert aistore_patch.is_patched()
    assert "make_request" not in vars(AioEndpoint)
    assert run(follows)


def test_one_whose_methods_are_no_coroutines_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(self: Any, request: Any) -> None: ...

    monkeypatch.setattr("aistore_patch.aio.endpoint.is_own", lambda *_: True)
    monkeypatch.setattr(AioEndpoint, "_send", send)
    with pytest.warns(RuntimeWarning, match="_send is no coroutine function"):
        aistore_patch.patch()
    aistore_patch.unpatch()
    monkeypatch.undo()


def test_one_whose_session_reaches_aiohttp_in_another_way_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aistore_patch.aio.session._way_to_aiohttp", lambda: None)
    with pytest.warns(RuntimeWarning, match="neither _get_session nor _session"):
        aistore_patch.patch()
    aistore_patch.unpatch()
    monkeypatch.undo()


def test_a_session_of_another_kind_is_refused(run: Run, cluster: Cluster) -> None:
    class Other:
        async def send(self, request: Any) -> None: ...

    async def calls(client: Any) -> None:
        own, client._endpoint.http_session = client._endpoint.http_session, Other()
        try:
            await client.put_object(**HERE, Body=b"x")
        finally:
            client._endpoint.http_session = own

    aistore_patch.patch()
    with pytest.raises(UnsupportedBotocoreError, match="Other, which may follow redirects by itself"):
        run(calls)
    assert not cluster.ledger.requests()


def test_sessions_that_somebody_has_derived_or_wrapped_do_not_follow_by_themselves(run: Run, cluster: Cluster) -> None:
    seen: list[str] = []

    class Derived(AIOHTTPSession):  # type: ignore[misc]  # aiobotocore has no types
        async def send(self, request: Any) -> Any:
            seen.append("derived")
            return await super().send(request)

    async def calls(client: Any) -> bool:
        http_session = client._endpoint.http_session
        http_session.__class__ = Derived
        send = http_session.send

        async def wrapper(request: Any) -> Any:
            seen.append("wrapped")
            return await asyncio.wait_for(send(request), 30)

        http_session.send = wrapper
        return await follows(client)

    aistore_patch.patch()
    assert run(calls)
    assert seen == ["wrapped", "derived"] * 2
    assert [entry.header("Authorization") != "" for entry in cluster.ledger.requests()] == [True, True]


def test_an_adopted_session_says_that_it_is_what_it_was(run: Run) -> None:
    async def calls(client: Any) -> Any:
        assert await follows(client)
        return client._endpoint.http_session

    aistore_patch.patch()
    adopted = type(run(calls))
    assert issubclass(adopted, AIOHTTPSession)
    assert (adopted.__name__, adopted.__module__) == ("AIOHTTPSession", AIOHTTPSession.__module__)
    assert session._adopted(AIOHTTPSession) is adopted


def test_clients_are_collected_as_before(cluster: Cluster) -> None:
    async def main() -> list[Any]:
        async with client_of(cluster.endpoint_url) as client:
            assert await follows(client)
            return [weakref.ref(thing) for thing in (client._endpoint, client._endpoint.http_session)]

    aistore_patch.patch()
    alive = asyncio.run(main())
    gc.collect()
    assert [thing() for thing in alive] == [None] * 2


def test_a_bucket_is_still_read_by_boto3(cluster: Cluster) -> None:
    import boto3

    from .conftest import KEY_ID, SECRET

    aistore_patch.patch()
    cluster.store.put(BUCKET, "k", b"x")
    client = boto3.client(
        "s3",
        endpoint_url=cluster.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
    )
    assert client.get_object(**HERE)["Body"].read() == b"x"
