"""Until a redirect comes, a call is botocore's own: nobody can tell it from one that was made without the patch."""

from __future__ import annotations

import functools
import io
import re
import socket
import sys
from typing import Any, Callable
from unittest import mock

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.endpoint import Endpoint
from botocore.httpsession import URLLib3Session

import aistore_patch
from tests.cluster import Cluster, Ending, Fault

from .conftest import BUCKET, MakeClient

pytestmark = pytest.mark.usefixtures("no_waiting")

Call = Callable[[Any], Any]

CALLS: dict[str, Call] = {
    "list": lambda client: client.list_objects_v2(Bucket=BUCKET),
    "head": lambda client: client.head_object(Bucket=BUCKET, Key="k"),
    "get": lambda client: client.get_object(Bucket=BUCKET, Key="k")["Body"].read(),
    "put": lambda client: client.put_object(Bucket=BUCKET, Key="k", Body=io.BytesIO(b"content")),
    "delete": lambda client: client.delete_object(Bucket=BUCKET, Key="k"),
}


_followers: dict[Any, Any] = {}


def without_and_with(make_client: MakeClient, cluster: Cluster, way: str) -> list[Any]:
    """A client as it is without the patch, and one that has followed redirects of this gateway before."""
    plain = make_client(cluster)
    known = (cluster, way)
    if known not in _followers:
        _followers[known] = aistore_patch.follow_redirects(make_client(cluster, fresh=True))
    cluster.store.put(BUCKET, "warm", b"x")
    for client in (plain, _followers[known]):  # each has one connection to the gateway, and it is used
        client._endpoint.http_session._manager.clear()
        client.head_bucket(Bucket=BUCKET)
    _followers[known].head_object(Bucket=BUCKET, Key="warm")
    cluster.ledger.clear()
    return [plain, _followers[known]]


def answering(cluster: Cluster, answer: bytes) -> None:
    """Have the gateway answer every call itself."""
    cluster.proxy.fail_with(Fault.raw(answer, Ending.KEEP))


def outcome(call: Call, client: Any) -> str:
    """What became of a call, without what is of the moment: ports, and addresses of objects."""
    try:
        said = repr(call(client))
    except Exception as error:
        said = f"{type(error).__module__}.{type(error).__qualname__}: {error} {getattr(error, 'response', '')}"
    return re.sub(r"0x[0-9a-f]+|127\.0\.0\.1:\d+|port=\d+", "...", said)


OK = b"HTTP/1.1 200 OK\r\n"
ANSWERS = {
    "plain": OK + b"Content-Length: 0\r\nETag: e\r\n\r\n",
    "error": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 40\r\n\r\n<Error><Code>AccessDenied</Code></Error>\n",
    "error without a body": b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n",
    "length that is none": OK + b"Content-Length: five\r\n\r\n",
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: 7\r\n\r\nwhole",
    "date that is none": OK + b"Content-Length: 0\r\nLast-Modified: never\r\n\r\n",
    "date beyond all dates": OK + b"Content-Length: 0\r\nx-amz-object-lock-retain-until-date: 9999999999999999\r\n\r\n",
    "number that is none": OK + b"Content-Length: 0\r\nx-amz-missing-meta: many\r\n\r\n",
    "broken XML": b"HTTP/1.1 400 Bad\r\nContent-Length: 7\r\n\r\n<Error>",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "status that is none": b"HTTP/1.1 abc OK\r\n\r\n",
    "status beyond all": b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n",
    "header without a colon": OK + b"X-A\r\nContent-Length: 0\r\n\r\n",
    "folded header": OK + b"x-amz-meta-a: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "bytes that are no text": OK + b"x-amz-meta-a: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
    "endless header": OK + b"X-A: " + b"a" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n",
    "too many headers": OK + b"X-A: b\r\n" * 200 + b"Content-Length: 0\r\n\r\n",
    "chunks that are none": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "body that ends early": OK + b"Content-Length: 10\r\n\r\nhalf",
    "not modified": b"HTTP/1.1 304 Not Modified\r\nETag: e\r\n\r\n",
}


COMPLETE = ("plain", "error without a body", "not modified")
"""Those after which a connection may go on."""


@pytest.mark.parametrize("answer", ANSWERS)
def test_whatever_is_answered_becomes_what_it_becomes_without_the_patch(
    cluster: Cluster, make_client: MakeClient, way: str, answer: str
) -> None:
    plain, follower = without_and_with(make_client, cluster, way)
    said, ending = ANSWERS[answer], Ending.KEEP
    if answer not in COMPLETE:  # and says so, for who comes just before the end would see another error than the next
        said, ending = said.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1), Ending.CLOSE
    cluster.proxy.fail_with(Fault.raw(said, ending))
    for name, call in CALLS.items():
        if name == "head" and answer in ("error", "broken XML"):
            continue  # what follows the head is no answer to a HEAD, and botocore sends another one behind it
        assert outcome(call, follower) == outcome(call, plain), name


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.CLOSE, Fault.GARBAGE], ids=repr)
def test_failures_are_those_without_the_patch(
    cluster: Cluster, make_client: MakeClient, way: str, fault: Fault
) -> None:
    plain, follower = without_and_with(make_client, cluster, way)
    cluster.proxy.fail_with(fault)
    for name in ("list", "head", "delete"):
        assert outcome(CALLS[name], follower) == outcome(CALLS[name], plain), name


OF_THE_MOMENT = ("amz-sdk-invocation-id", "X-Amz-Date", "Authorization")


def test_requests_are_the_same_to_the_byte(cluster: Cluster, make_client: MakeClient, way: str) -> None:
    plain, follower = without_and_with(make_client, cluster, way)
    answering(cluster, ANSWERS["plain"])
    for name, call in CALLS.items():
        heads = []
        for client in (plain, follower):
            cluster.ledger.clear()
            call(client)
            [entry] = cluster.proxy.requests
            fields = [(name, "" if name in OF_THE_MOMENT else value) for name, value in entry.headers.fields]
            heads.append((entry.method, entry.target, fields, entry.body_bytes))
        assert heads[0] == heads[1], name


_heard: list[Any] | None = None


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _heard is not None and event.startswith("http.client."):
        data = arguments[1]
        _heard.append((event, type(arguments[0]).__mro__[2].__name__, len(data) if isinstance(data, bytes) else data))


sys.addaudithook(_hear)


@pytest.mark.parametrize("name", CALLS)
def test_audit_events_are_those_of_http_client(cluster: Cluster, make_client: MakeClient, way: str, name: str) -> None:
    global _heard
    answering(cluster, ANSWERS["plain"])
    heard = []
    for client in without_and_with(make_client, cluster, way):
        for _ in range(2):  # whether or not a connection is there
            CALLS[name](client)
        _heard = []
        CALLS[name](client)
        heard.append([(event, size) for event, _, size in _heard])
        _heard = None
    # Signed afresh, the heads are of one length still. (Python has such events since 3.10.)
    assert heard[0] == heard[1]
    assert heard[0] or sys.version_info < (3, 10)


WATCHED = [
    "botocore.endpoint.Endpoint._send",
    "botocore.httpsession.URLLib3Session.send",
    "botocore.awsrequest.AWSConnection.request",
    "botocore.awsrequest.AWSConnection.send",
    "botocore.awsrequest.AWSConnection._send_output",
    "botocore.awsrequest.AWSHTTPConnection.request",
    "botocore.awsrequest.AWSHTTPConnection.getresponse",
    "botocore.awsrequest.AWSHTTPConnectionPool.urlopen",
    "urllib3.connectionpool.HTTPConnectionPool.urlopen",
    "urllib3.connectionpool.HTTPConnectionPool._make_request",
    "urllib3.connection.HTTPConnection.request",
    "urllib3.connection.HTTPConnection.getresponse",
    "urllib3.connection.HTTPConnection.putrequest",
    "urllib3.connection.HTTPConnection.putheader",
    "http.client.HTTPConnection.request",
    "http.client.HTTPConnection.putrequest",
    "http.client.HTTPConnection.send",
    "http.client.HTTPConnection.endheaders",
    "http.client.HTTPConnection.getresponse",
    "http.client.HTTPResponse.begin",
]


def counting(target: str) -> Any:
    """A wrapper of somebody's around a method; it says nothing of what it wraps."""
    owner_name, name = target.rsplit(".", 1)
    module, class_name = owner_name.rsplit(".", 1)
    owner = getattr(sys.modules[module], class_name)
    found = getattr(owner, name, None)
    if found is None:
        pytest.skip(f"there is no {target} here")
    calls: list[Any] = []

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return found(*args, **kwargs)

    return mock.patch.object(owner, name, wrapper), calls


@pytest.mark.parametrize("target", WATCHED)
def test_who_wraps_what_is_called_sees_every_call(
    cluster: Cluster, make_client: MakeClient, way: str, target: str
) -> None:
    seen = []
    for client in without_and_with(make_client, cluster, way):
        patching, calls = counting(target)
        answering(cluster, ANSWERS["plain"])
        with patching:
            for name in ("list", "head", "put"):
                CALLS[name](client)
        cluster.heal()
        seen.append(len(calls))
    assert seen[0] == seen[1]
    assert seen[0] or target == "http.client.HTTPConnection.request"  # which urllib3 2 does not call


@pytest.mark.parametrize("target", [WATCHED[1], WATCHED[3], WATCHED[-1]])
def test_who_was_there_before_the_patch_sees_every_call_too(
    cluster: Cluster, make_client: MakeClient, target: str
) -> None:
    patching, calls = counting(target)
    with patching:
        client = aistore_patch.follow_redirects(make_client(cluster, fresh=True))
        for _ in range(2):
            CALLS["put"](client)
            del calls[:]
        CALLS["put"](client)
    assert len(calls) >= 2


class Wrapped:
    """A socket of another kind: what is read of it is no `io.BufferedReader`, and has no `peek`."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def makefile(self, *args: Any, **kwargs: Any) -> Any:
        return Unpeekable(self._sock.makefile(*args, **kwargs))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class Unpeekable(io.RawIOBase):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Any:
        return self._stream.readinto(buffer)

    def readline(self, size: int | None = -1) -> Any:
        return self._stream.readline(-1 if size is None else size)

    def close(self) -> None:
        self._stream.close()
        super().close()


def test_sockets_of_another_kind_are_spoken_over_as_before(
    cluster: Cluster, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    import urllib3.util.connection

    connect = urllib3.util.connection.create_connection
    monkeypatch.setattr(urllib3.util.connection, "create_connection", lambda *a, **k: Wrapped(connect(*a, **k)))
    client = aistore_patch.follow_redirects(make_client(cluster, fresh=True))
    for _ in range(3):
        CALLS["list"](client)
        CALLS["put"](client)
        assert CALLS["get"](client) == b"content"


def test_a_socket_class_in_the_place_of_pythons_is_used(
    cluster: Cluster, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []

    class Counted(socket.socket):
        def sendall(self, data: Any, *args: Any) -> None:
            sent.append(len(data))
            super().sendall(data, *args)

        def makefile(self, *args: Any, **kwargs: Any) -> Any:
            return Unpeekable(super().makefile(*args, **kwargs))

    monkeypatch.setattr(socket, "socket", Counted)
    client = aistore_patch.follow_redirects(make_client(cluster, fresh=True))
    for _ in range(3):
        CALLS["put"](client)
        assert CALLS["get"](client) == b"content"
    assert len(sent) >= 12


def around(function: Any, how: str) -> Any:
    if how == "wraps":
        return functools.wraps(function)(lambda *args, **kwargs: function(*args, **kwargs))
    if how == "closure":
        return lambda self, *args, **kwargs: function(self, *args, **kwargs)
    if how == "partialmethod":
        return functools.partialmethod(function)
    return mock.Mock(side_effect=function)


@pytest.mark.parametrize("cls", [URLLib3Session, Endpoint])
@pytest.mark.parametrize("how", ["wraps", "closure", "partialmethod", "mock"])
def test_an_init_that_somebody_has_wrapped_is_no_unknown_botocore(
    cluster: Cluster, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, cls: Any, how: str
) -> None:
    existing = make_client(cluster, fresh=True)
    monkeypatch.setattr(cls, "__init__", around(cls.__init__, how))
    with aistore_patch.patched():
        CALLS["put"](existing)
        if how != "mock":  # which gives no instance to what it calls
            CALLS["put"](make_client(cluster, fresh=True))


@pytest.mark.parametrize("name", ["create_request", "_do_get_response", "_send"])
@pytest.mark.parametrize("how", ["wraps", "closure", "partialmethod"])
def test_a_method_that_somebody_has_wrapped_is_patched_around(
    cluster: Cluster, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, name: str, how: str
) -> None:
    monkeypatch.setattr(Endpoint, name, around(getattr(Endpoint, name), how))
    with aistore_patch.patched():
        CALLS["put"](make_client(cluster, fresh=True))
    assert cluster.store[BUCKET, "k"].data == b"content"


def test_a_response_says_no_more_than_without_the_patch(cluster: Cluster, make_client: MakeClient, way: str) -> None:
    plain, follower = without_and_with(make_client, cluster, way)
    for name in ("list", "head"):
        answering(cluster, ANSWERS["plain"]) if name == "head" else cluster.heal()
        assert CALLS[name](follower) == CALLS[name](plain)


def test_a_client_of_aws_is_not_touched() -> None:
    client = boto3.client("s3", region_name="us-east-1")
    asked = []

    def answer(request: Any, **_: Any) -> AWSResponse:
        asked.append(vars(request))
        return AWSResponse(request.url, 200, {}, mock.Mock(stream=lambda **_: []))

    client.meta.events.register("before-send.s3", answer)  # nothing leaves this process
    with aistore_patch.patched():
        client.head_bucket(Bucket=BUCKET)
    assert type(client._endpoint.http_session) is URLLib3Session
    assert not any("aistore_patch" in attributes for attributes in asked)
