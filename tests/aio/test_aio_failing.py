"""What becomes of a redirect, or of a redirected request, that fails in aiobotocore."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import io
import os
import threading
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aistore_patch import RedirectError
from tests.cluster import AUTHORITY, Cluster, Ending, Fault, Gate, Request, Response, server_context

from .conftest import BUCKET, HERE, Run, client_of, stored

pytestmark = pytest.mark.usefixtures("patched", "no_waiting")

FAILURES = {
    "reset": Fault.RESET,
    "closed": Fault.CLOSE,
    "500": Fault.INTERNAL_ERROR,
    "503": Fault.SLOW_DOWN,
    "lost answer": Fault.LOST_ANSWER,
}


def three_attempts(mode: str = "standard") -> dict[str, Any]:
    return {"retries": {"max_attempts": 2, "mode": mode}}


def asked_proxy(cluster: Cluster) -> list[bytes]:
    return [entry.target for entry in cluster.proxy.requests]


@pytest.mark.parametrize("mode", ["legacy", "standard"])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failed_attempt_is_repeated_through_the_proxy(cluster: Cluster, run: Run, mode: str, failure: str) -> None:
    cluster.store.put(BUCKET, "k", b"x")
    cluster.target_of(BUCKET, "k").fail_with(FAILURES[failure], times=2)
    response = run(lambda client: client.head_object(**HERE), **three_attempts(mode))
    retries = response["ResponseMetadata"]["RetryAttempts"]
    assert retries == 2 if failure.isdigit() else retries in (1, 2)  # aiohttp itself asks a server that hung up again
    assert len(response["ResponseMetadata"]["Redirects"]) == 1
    assert asked_proxy(cluster) == [b"/s3/capb/k"] * (retries + 1)


def test_attempts_are_as_many_as_configured(cluster: Cluster, run: Run) -> None:
    cluster.redirects.hops = 3
    cluster.target_of(BUCKET, "k").fail_with(Fault.INTERNAL_ERROR)
    with pytest.raises(ClientError, match="InternalError") as caught:
        run(lambda client: client.get_object(**HERE), **three_attempts())
    assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 2
    assert len(cluster.proxy.requests) == 3


@pytest.mark.parametrize("mode", ["legacy", "standard"])
def test_a_dead_target_is_escaped_when_the_proxy_names_another(cluster: Cluster, run: Run, mode: str) -> None:
    dead = cluster.target_of(BUCKET, "k")
    dead.kill()
    cluster.proxy.notice_dead_target(after=1)

    async def calls(client: Any) -> None:
        await client.put_object(**HERE, Body=b"content")
        assert await stored(client, "k") == b"content"

    run(calls, **three_attempts(mode))
    assert cluster.target_of(BUCKET, "k") is not dead


@pytest.mark.parametrize("kind", ["stream", "file"])
def test_a_body_is_whole_after_a_target_broke_off(cluster: Cluster, run: Run, tmp_path: Any, kind: str) -> None:
    body = bytes(range(256)) * 4000
    (tmp_path / "file").write_bytes(b"skipped" + body)
    cluster.target_of(BUCKET, "k").fail_with(Fault.reset_after(100_000), times=1)

    async def calls(client: Any) -> None:
        with io.BytesIO(b"skipped" + body) if kind == "stream" else (tmp_path / "file").open("rb") as stream:
            stream.seek(7)
            await client.put_object(**HERE, Body=stream)

    # Older aiohttps send what is left of the body once more by themselves, for which the target then waits.
    run(calls, read_timeout=2, **three_attempts())
    assert cluster.store[BUCKET, "k"].data == body


def test_a_body_is_whole_when_the_attempt_after_a_redirect_is_not_redirected(cluster: Cluster, run: Run) -> None:
    bodies = []

    def keep(request: Request, _handler: object) -> Response:
        bodies.append(b"".join(iter(request.body.pull, b"")))
        return Response(200, [], b"")

    target = cluster.target_of(BUCKET, "k")
    target.fail_with(Fault.INTERNAL_ERROR)
    cluster.proxy.fail_with(Fault(keep), when=lambda _: bool(target.requests))

    async def calls(client: Any) -> None:
        stream = io.BytesIO(b"skipped" + b"content")
        stream.seek(7)
        await client.put_object(**HERE, Body=stream)

    run(calls, **three_attempts())
    assert bodies == [b"content"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.RESET, (ConnectionClosedError, EndpointConnectionError)),
        (Fault.CLOSE, ConnectionClosedError),
        (Fault.HANG, ReadTimeoutError),
        (None, EndpointConnectionError),
    ],
)
def test_a_target_that_stays_broken_ends_as_botocores_error_without_secrets(
    cluster: Cluster, run: Run, fault: Any, error: Any
) -> None:
    target = cluster.target_of(BUCKET, "k")
    target.kill() if fault is None else target.fail_with(fault)
    with pytest.raises(error) as caught:
        run(lambda client: client.get_object(**HERE), read_timeout=1)
    assert str(target.port) in str(caught.value)
    assert "pid=" not in f"{caught.value} {caught.value!r} {getattr(caught.value, 'kwargs', '')}"


def test_a_target_that_died_is_escaped_over_tls(run: Run) -> None:
    with Cluster(proxy_tls=server_context(), target_tls=server_context()) as cluster:
        cluster.store.create_bucket(BUCKET)

        async def calls(client: Any) -> Any:
            await client.put_object(**HERE, Body=b"x")
            cluster.target_of(BUCKET, "k").kill()
            cluster.proxy.notice_dead_target(after=1)
            return await client.head_object(**HERE)

        response = run(calls, url=cluster.endpoint_url, verify=AUTHORITY, **three_attempts())
    assert response["ResponseMetadata"]["RetryAttempts"] == 1


def test_a_redirect_from_https_to_http_is_refused(run: Run) -> None:
    with Cluster(proxy_tls=server_context()) as cluster:
        cluster.store.create_bucket(BUCKET)
        with pytest.raises(RedirectError, match="RedirectRefused"):
            run(lambda client: client.get_object(**HERE), url=cluster.endpoint_url, verify=AUTHORITY)
        assert len(cluster.ledger.requests()) == 1


def test_an_answer_that_breaks_off_is_botocores_error(cluster: Cluster, run: Run) -> None:
    broken = b"HTTP/1.1 500 Oops\r\nContent-Length: 1000\r\n\r\n<Error>"
    cluster.target_of(BUCKET, "k").fail_with(Fault.raw(broken, Ending.RESET))
    with pytest.raises(BotoCoreError):
        run(lambda client: client.get_object(**HERE))


def test_switching_protocols_is_no_success(cluster: Cluster, run: Run) -> None:
    switched = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
    cluster.target_of(BUCKET, "k").fail_with(Fault.raw(switched))
    with pytest.raises(BotoCoreError):
        run(lambda client: client.put_object(**HERE, Body=b"x"), read_timeout=2)


MALFORMED = [
    None,
    b"",
    b"http://",
    b"http:///s3/capb/k",
    b"ftp://127.0.0.1/s3/capb/k",
    b"http://127.0.0.1:99999/s3/capb/k",
    b"http://127.1/s3/capb/k",
    b"http://[::zz]/s3/capb/k",
    b"http://user:secret@127.0.0.1/s3/capb/k",
    b"http://h\\@127.0.0.1/s3/capb/k",
    b"http://\xff\xfe/s3/capb/k",
]


@pytest.mark.parametrize("location", MALFORMED)
def test_a_malformed_location_is_named_and_nothing_is_sent(
    cluster: Cluster, run: Run, location: bytes | None, no_waiting: list[float]
) -> None:
    cluster.proxy.fail_with(Fault.redirect(location))
    with pytest.raises(RedirectError, match="InvalidRedirectLocation") as caught:
        run(lambda client: client.put_object(**HERE, Body=b"x"), **three_attempts())
    assert "Location" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert len(cluster.ledger.requests()) == 1
    assert no_waiting == []


def test_two_locations_are_one_if_they_are_equal_and_otherwise_none(cluster: Cluster, run: Run) -> None:
    urls = [target.url.encode() + b"/s3/capb/k" for target in cluster.targets]
    cluster.targets[0].fail_with(Fault.respond(200))

    async def calls(client: Any) -> None:
        cluster.proxy.fail_with(Fault.respond(307, [("Location", urls[0]), ("Location", urls[1])]), times=1)
        with pytest.raises(RedirectError, match=r"InvalidRedirectLocation.*several Location headers"):
            await client.head_object(**HERE)
        cluster.proxy.fail_with(Fault.respond(307, [("Location", urls[0]), ("Location", urls[0])]), times=1)
        await client.head_object(**HERE)

    run(calls)
    assert [entry.node for entry in cluster.ledger.requests()] == ["proxy", "proxy", "target0"]


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_location_comes_the_caller_sees_botocores_errors(
    cluster: Cluster, run: Run, data: st.DataObject
) -> None:
    pieces = st.sampled_from(
        [b"http://", b"//", b"127.0.0.1", b"/s3/capb/k", b"?", b"#", b"%", b"\r", b"@", b":", b"[", b"]"]
    )
    location = data.draw(
        st.one_of(st.binary(max_size=60), st.lists(pieces | st.binary(max_size=4), max_size=8).map(b"".join))
    )
    cluster.proxy.heal()
    cluster.proxy.fail_with(Fault.redirect(location.replace(b"\n", b"")))
    with contextlib.suppress(ClientError, BotoCoreError):
        run(lambda client: client.head_object(**HERE))


# Bodies.


def test_a_stream_that_cannot_seek_is_refused_and_nothing_is_stored(run: Run) -> None:
    """Over https: over http, botocore itself refuses it, since it has to hash it first."""
    with Cluster(proxy_tls=server_context(), target_tls=server_context()) as cluster:
        cluster.store.create_bucket(BUCKET)
        reading, writing = os.pipe()
        os.write(writing, b"content")
        os.close(writing)

        async def calls(client: Any) -> None:
            with os.fdopen(reading, "rb") as pipe:
                await client.put_object(**HERE, Body=pipe, ContentLength=7)

        options: dict[str, Any] = {"url": cluster.endpoint_url, "verify": AUTHORITY}
        with pytest.raises((RedirectError, BotoCoreError, OSError)) as caught:
            run(calls, **options)
        if isinstance(caught.value, ClientError):  # botocore with checksums has to read it as well
            assert caught.value.response["Error"]["Code"] == "RedirectBodyNotRewindable"
        assert cluster.store.keys(BUCKET) == []


class Asynchronous:
    """A stream that is read asynchronously, as those of aiofiles are, and only promises to go back."""

    def __init__(self, content: bytes) -> None:
        self._stream = io.BytesIO(content)

    async def read(self, size: int = -1) -> bytes:
        return self._stream.read(size)

    async def tell(self) -> int:
        return self._stream.tell()

    async def seek(self, position: int, whence: int = 0) -> int:
        return self._stream.seek(position, whence)

    async def __aiter__(self) -> Any:
        yield self._stream.read()


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")  # by botocore, which asks it for its length
def test_an_asynchronous_stream_is_refused_and_nothing_is_stored(run: Run) -> None:
    with Cluster(proxy_tls=server_context(), target_tls=server_context()) as cluster:
        cluster.store.create_bucket(BUCKET)

        async def calls(client: Any) -> None:
            await client.put_object(**HERE, Body=Asynchronous(b"content"), ContentLength=7)

        with pytest.raises(Exception) as caught:  # noqa: PT011 - some botocores cannot take it at all
            run(calls, url=cluster.endpoint_url, verify=AUTHORITY)
        if isinstance(caught.value, ClientError):
            assert caught.value.response["Error"]["Code"] == "RedirectBodyNotRewindable"
        assert cluster.store.keys(BUCKET) == []


class SlowFile(io.BufferedReader):
    """A file of which a piece is still being read when it is to be sent again.

    It is read at the latest when somebody asks for the next piece, who gets what then comes.
    """

    def __init__(self, raw: Any) -> None:
        super().__init__(raw)
        self.is_held, self.go_on, self.is_read = threading.Event(), threading.Event(), threading.Event()

    def read(self, *args: Any) -> bytes:
        is_of_aiohttp = threading.current_thread() is not threading.main_thread()
        if is_of_aiohttp and self.is_held.is_set():
            self.go_on.set()
            self.is_read.wait(30)
        elif is_of_aiohttp and self.tell() > 500_000:  # more than the cluster reads of a body before it redirects
            self.is_held.set()
            self.go_on.wait(30)
            piece = super().read(*args)
            self.is_read.set()
            return piece
        return super().read(*args)


@pytest.mark.parametrize("comes", ["redirect", "reset"])
def test_a_body_that_is_being_read_when_it_is_to_be_sent_again_arrives_whole(
    cluster: Cluster, run: Run, tmp_path: Any, comes: str
) -> None:
    """A gateway may ask for the body (100) and then redirect before it has all of it; a target may break off."""
    body = bytes(range(256)) * 8000
    (tmp_path / "file").write_bytes(b"skipped" + body)

    with SlowFile((tmp_path / "file").open("rb", buffering=0)) as stream:
        answered = threading.Event()

        def after_a_piece(request: Request, handler: Any) -> Any:
            request.body.pull()  # which asks for the body
            stream.is_held.wait(30)
            answered.set()
            return handler(request) if comes == "redirect" else Fault.RESET.answer(request, handler)

        node = cluster.proxy if comes == "redirect" else cluster.target_of(BUCKET, "k")
        node.fail_with(Fault(after_a_piece), times=1)

        async def calls(client: Any) -> None:
            stream.seek(7)
            putting = asyncio.ensure_future(client.put_object(**HERE, Body=stream))
            while not stream.is_held.is_set():
                await _turn()
            while not answered.is_set():
                await _turn()
            for _ in range(5000):  # what comes, comes while the piece is being read
                await _turn()
            stream.go_on.set()
            await putting

        run(calls, read_timeout=5, **three_attempts())
    assert cluster.store[BUCKET, "k"].data == body
    if comes == "redirect":  # and no attempt was in vain
        assert len(cluster.proxy.requests) == 1


_turn = functools.partial(asyncio.sleep, 0)  # not that of `no_waiting`


# Cancelling.


@pytest.mark.parametrize("held_at", ["proxy", "target"])
@pytest.mark.parametrize("operation", ["get", "put"])
def test_a_call_that_is_cancelled_ends_and_leaves_nothing_behind(
    cluster: Cluster, held_at: str, operation: str
) -> None:
    cluster.store.put(BUCKET, "k", b"x")
    gate = Gate()
    (cluster.proxy if held_at == "proxy" else cluster.target_of(BUCKET, "k")).fail_with(gate, times=1)

    async def main() -> None:
        # With one connection in all, the next call could not go on if one had been left.
        async with client_of(cluster.endpoint_url, max_pool_connections=1) as client:
            stream = io.BytesIO(b"content" * 100_000)
            put = client.put_object(**HERE, Body=stream) if operation == "put" else client.get_object(**HERE)
            call = asyncio.ensure_future(put)
            await asyncio.get_running_loop().run_in_executor(None, gate.wait_for_request)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            gate.release()
            await asyncio.wait_for(client.put_object(Bucket=BUCKET, Key="next", Body=b"next"), 30)
            assert await asyncio.wait_for(stored(client, "next"), 30) == b"next"
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for _ in range(10):
                await asyncio.sleep(0)
            assert not [task for task in others if not task.done() and "aistore_patch" in repr(task)]

    asyncio.run(main())


def test_many_tasks_with_few_connections_all_come_through(cluster: Cluster) -> None:
    async def main() -> None:
        async with client_of(cluster.endpoint_url, max_pool_connections=2) as client:

            async def one(number: int) -> None:
                key, body = f"k{number}", bytes([number]) * 10_000
                await client.put_object(Bucket=BUCKET, Key=key, Body=io.BytesIO(body))
                assert await stored(client, key) == body

            await asyncio.wait_for(asyncio.gather(*map(one, range(32))), 120)

    asyncio.run(main())
    assert len(cluster.store.keys(BUCKET)) == 32
