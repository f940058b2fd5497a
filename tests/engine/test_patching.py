"""Turning the patch on and off: for the process, for one client, in any order of imports."""

from __future__ import annotations

import contextlib
import copy
import functools
import gc
import inspect
import logging
import pickle
import pydoc
import signal
import subprocess
import sys
import threading
import weakref
from types import SimpleNamespace
from typing import Any
from unittest import mock

import botocore as installed
import pytest
from botocore.awsrequest import AWSHTTPConnection, AWSHTTPConnectionPool
from botocore.endpoint import Endpoint
from botocore.exceptions import ClientError

import aistore_patch
from aistore_patch import PolicyError, RedirectPolicy, UnsupportedBotocoreError, patching
from tests.cluster import Cluster, Fault

from .conftest import BUCKET, MakeClient
from .test_connections import in_a_fork


@pytest.fixture(autouse=True)
def no_region(cluster: Cluster) -> None:
    """AIStore says that its buckets are in the region `ais`: unpatched, botocore < 1.28 then asks Amazon there."""
    cluster.honours = "s3"


@pytest.fixture(autouse=True)
def left_unpatched() -> Any:
    before = dict(vars(Endpoint))
    yield
    aistore_patch.unpatch()
    assert dict(vars(Endpoint)) == before


def follows(client: Any) -> bool:
    try:
        client.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 307  # noqa: PT017 - both outcomes are right
        return False
    return True


@pytest.mark.parametrize(
    "imports",
    [
        "import aistore_patch; assert not aistore_patch.is_patched(); from aistore_patch import botocore",
        "import botocore.endpoint; from aistore_patch import botocore; import aistore_patch",
    ],
)
def test_patched_by_the_import_that_says_so_and_in_any_order(imports: str) -> None:
    shown = "import botocore.endpoint as e; print(aistore_patch.is_patched(), e.Endpoint._send.__code__.co_filename)"
    said, _, where = run(f"{imports}; {shown}").partition(" ")
    assert said == "True"
    assert where.endswith("endpoint.py")


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def test_clients_that_exist_already_follow_and_stop(cluster: Cluster, make_client: MakeClient) -> None:
    client = make_client(cluster, fresh=True)
    assert not follows(client)
    aistore_patch.patch()
    assert follows(client)
    aistore_patch.unpatch()
    assert not follows(client)


def test_patching_twice_is_patching_once() -> None:
    original = Endpoint._send
    aistore_patch.patch()
    aistore_patch.patch()
    aistore_patch.unpatch()
    assert Endpoint._send is original
    assert not aistore_patch.is_patched()
    aistore_patch.unpatch()


def test_importing_again_after_unpatching_patches_again() -> None:
    from aistore_patch import botocore

    aistore_patch.unpatch()
    assert not aistore_patch.is_patched()
    from aistore_patch import botocore  # noqa: F401, F811

    assert aistore_patch.is_patched()


def test_the_context_manager_leaves_things_as_they_were() -> None:
    with aistore_patch.patched():
        assert aistore_patch.is_patched()
        with aistore_patch.patched():
            pass
        assert aistore_patch.is_patched()
    assert not aistore_patch.is_patched()
    with pytest.raises(ZeroDivisionError), aistore_patch.patched():
        raise ZeroDivisionError
    assert not aistore_patch.is_patched()


def test_blocks_may_overlap_as_they_do_in_threads(cluster: Cluster, make_client: MakeClient) -> None:
    client = make_client(cluster, fresh=True)
    first, second = aistore_patch.patched(), aistore_patch.patched(RedirectPolicy(max_hops=1))
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert follows(client)
    second.__exit__(None, None, None)
    assert not aistore_patch.is_patched()
    assert not follows(client)


def test_patching_in_a_block_outlasts_it_and_loosens_nothing(cluster: Cluster, make_client: MakeClient) -> None:
    client = make_client(cluster, fresh=True)
    with aistore_patch.patched(RedirectPolicy(max_hops=0)):
        from aistore_patch import botocore  # noqa: F401  # a part of the program may do so at any time

        with pytest.raises(ClientError, match="TooManyRedirects"):
            client.put_object(Bucket=BUCKET, Key="k", Body=b"x")
        aistore_patch.patch(RedirectPolicy(max_hops=1))
        assert follows(client)
    assert follows(client)


def test_unpatching_leaves_the_wrapper_of_another_where_it_is(cluster: Cluster, make_client: MakeClient) -> None:
    client = make_client(cluster, fresh=True)
    original = Endpoint._send
    aistore_patch.patch()
    found = Endpoint._send

    def traced(self: Any, request: Any) -> Any:
        return found(self, request)

    Endpoint._send = traced
    try:
        aistore_patch.unpatch()
        assert Endpoint._send is traced
        assert not follows(client)
        Endpoint._send = found  # the tracer puts back what it had found
        assert not follows(client)
        aistore_patch.patch()
        assert follows(client)
        aistore_patch.unpatch()
    finally:
        Endpoint._send = original


@pytest.mark.parametrize("name", ["create_request", "_do_get_response", "_send"])
def test_what_the_end_of_a_mock_has_taken_away_is_told_and_put_back(
    cluster: Cluster, make_client: MakeClient, name: str
) -> None:
    client = make_client(cluster, fresh=True)
    block = aistore_patch.patched()
    with mock.patch.object(Endpoint, name, autospec=True):
        block.__enter__()
        assert aistore_patch.is_patched()
    assert not aistore_patch.is_patched()
    follows(client)  # or does not, as botocore's own error says
    aistore_patch.patch()
    assert aistore_patch.is_patched()
    assert follows(client)
    block.__exit__(None, None, None)
    assert follows(client)
    aistore_patch.unpatch()
    assert not follows(client)


def test_patching_under_a_mock_that_is_like_nothing_is_patching_twice(
    cluster: Cluster, make_client: MakeClient
) -> None:
    aistore_patch.patch()
    with mock.patch.object(Endpoint, "_send"):
        aistore_patch.patch()
        assert not aistore_patch.is_patched()
        with aistore_patch.patched():
            pass
    assert aistore_patch.is_patched()
    assert follows(make_client(cluster, fresh=True))


@pytest.mark.parametrize("name", ["create_request", "_do_get_response", "_send"])
def test_with_any_part_of_it_missing_objects_keep_their_names(
    cluster: Cluster, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    client = make_client(cluster, fresh=True)
    target = cluster.targets[0]
    # Of no other request: unpatched, botocore would ask where the bucket is, be redirected, ask where …
    fault = Fault.redirect(f"{target.url}/s3/capb/a;b?pid=1")
    cluster.proxy.fail_with(fault, when=lambda request: request.method == "PUT")
    target.fail_with(Fault.respond(200))
    original = vars(Endpoint)[name]
    aistore_patch.patch()
    monkeypatch.setattr(Endpoint, name, original)
    for _ in range(2):
        with contextlib.suppress(ClientError):
            client.put_object(Bucket=BUCKET, Key="a;b", Body=b"x")
    assert [entry.path for entry in target.requests] == ([b"/s3/capb/a;b"] * 2 if name == "_send" else [])
    monkeypatch.undo()


def test_wrappers_of_others_are_seen_through_where_they_say_what_they_wrap() -> None:
    aistore_patch.patch()
    found = Endpoint._send

    class Method:
        """As tracers make them: a thing that is called, and says what it wraps."""

        __wrapped__ = staticmethod(found)

        def __get__(self, *_: Any) -> Any:
            return self

    try:
        Endpoint._send = not_sent
        assert not aistore_patch.is_patched()
        for wrapper in (Method(), functools.wraps(found)(not_sent)):
            Endpoint._send = wrapper
            assert aistore_patch.is_patched()
        Endpoint._send = Lazy()
        assert not aistore_patch.is_patched()
    finally:
        Endpoint._send = found


def test_a_wrapper_that_does_not_say_what_it_wraps_may_come_and_go(cluster: Cluster, make_client: MakeClient) -> None:
    client = make_client(cluster, fresh=True)
    aistore_patch.patch()
    found = Endpoint._send

    def traced(*args: Any) -> Any:
        return found(*args)

    Endpoint._send = traced
    try:
        assert follows(client)
        aistore_patch.patch()
        assert aistore_patch.is_patched()
        assert follows(client)
    finally:
        Endpoint._send = found  # the tracer puts back what it had found
    assert follows(client)
    assert aistore_patch.is_patched()


class Lazy:
    """Something that raises when it is looked at."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError


def not_sent(self: Any, request: Any) -> None: ...


def test_who_sends_an_attempt_again_has_it_followed_again(
    cluster: Cluster, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    aistore_patch.patch()
    attempt = Endpoint._do_get_response
    outcomes: list[Any] = []

    @functools.wraps(attempt)
    def twice(*args: Any) -> Any:
        outcomes.append(attempt(*args))
        return attempt(*args)

    monkeypatch.setattr(Endpoint, "_do_get_response", twice)
    assert follows(make_client(cluster, fresh=True))
    assert [type(exception) for _, exception in outcomes] == [type(None)]
    monkeypatch.undo()


class NotSent(ValueError):
    pass


@pytest.mark.parametrize("name", ["create_request", "_do_get_response", "_send"])
def test_what_replaces_botocores_methods_later_is_called_for_a_single_client_too(
    cluster: Cluster, make_client: MakeClient, name: str
) -> None:
    client = aistore_patch.follow_redirects(make_client(cluster, fresh=True))
    with mock.patch.object(Endpoint, name, autospec=True, side_effect=NotSent) as replaced, pytest.raises(NotSent):
        client.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    assert replaced.call_count == 1
    assert not cluster.ledger.requests()
    assert follows(client)


def test_an_inner_policy_ends_with_its_block(cluster: Cluster, make_client: MakeClient) -> None:
    client = make_client(cluster, fresh=True)
    with aistore_patch.patched():
        with aistore_patch.patched(RedirectPolicy(max_hops=0)), pytest.raises(ClientError, match="TooManyRedirects"):
            client.put_object(Bucket=BUCKET, Key="k", Body=b"x")
        assert follows(client)


def test_one_client_follows_and_nothing_else_is_patched(cluster: Cluster, make_client: MakeClient) -> None:
    client, other = make_client(cluster, fresh=True), make_client(cluster, fresh=True)
    assert aistore_patch.follow_redirects(client) is client
    assert follows(client)
    assert not follows(other)
    assert not aistore_patch.is_patched()


@pytest.mark.parametrize("first", ["process", "client"])
def test_the_policy_of_a_client_goes_before_that_of_the_process(
    cluster: Cluster, make_client: MakeClient, first: str
) -> None:
    client = make_client(cluster, fresh=True)
    none = RedirectPolicy(max_hops=0)
    if first == "process":
        aistore_patch.patch(none)
        aistore_patch.follow_redirects(client, RedirectPolicy(max_hops=1))
    else:
        aistore_patch.follow_redirects(client, RedirectPolicy(max_hops=1))
        aistore_patch.patch(none)
    assert follows(client)
    aistore_patch.follow_redirects(client, none)
    with pytest.raises(ClientError, match="TooManyRedirects"):
        client.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    aistore_patch.follow_redirects(client)
    aistore_patch.unpatch()
    assert follows(client)


def test_clients_are_collected_as_before(cluster: Cluster, make_client: MakeClient) -> None:
    aistore_patch.patch()
    gc.collect()
    client = aistore_patch.follow_redirects(make_client(cluster, fresh=True))
    follows(client)
    alive = [weakref.ref(thing) for thing in (client, client._endpoint, client._endpoint.http_session)]
    del client
    gc.collect()
    assert [thing() for thing in alive] == [None] * 3


def test_only_s3_clients_can_follow() -> None:
    with pytest.raises(TypeError, match="S3 client"):
        aistore_patch.follow_redirects(object())
    with pytest.raises(TypeError, match="RedirectPolicy"):
        aistore_patch.patch({"max_hops": 3})  # type: ignore[arg-type]  # the mistake is the test
    assert not aistore_patch.is_patched()


def test_a_client_without_an_endpoint_is_of_an_unknown_botocore() -> None:
    meta = SimpleNamespace(service_model=SimpleNamespace(service_id="S3"))
    with pytest.raises(UnsupportedBotocoreError, match="no attribute _endpoint"):
        aistore_patch.follow_redirects(SimpleNamespace(meta=meta))


def test_a_botocore_whose_parameters_cannot_be_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Endpoint, "prepare_request", 3)
    with pytest.raises(UnsupportedBotocoreError, match=r"Endpoint\.prepare_request has parameters that cannot be read"):
        aistore_patch.patch()
    monkeypatch.undo()


def test_a_botocore_that_sets_other_attributes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aistore_patch.session.ATTRIBUTES", ("_pools",))
    with pytest.raises(UnsupportedBotocoreError, match=r"URLLib3Session\.__init__ sets no attribute _pools"):
        aistore_patch.patch()


def test_the_aws_cli_is_patched_by_its_plugin() -> None:
    from aistore_patch import awscli

    awscli.awscli_initialize(None)
    assert aistore_patch.is_patched()


@pytest.mark.parametrize(
    "setting", ["MAX_HOPS=-1", "MAX_HOPS=many", "ALLOW_HOSTS=http://x", "ALLOW_DOWNGRADE=maybe", "ALOW_HOSTS=x"]
)
def test_a_mistake_in_the_environment_is_an_error_at_patch_time(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    name, _, value = setting.partition("=")
    monkeypatch.setenv("AISTORE_PATCH_" + name, value)
    with pytest.raises(PolicyError, match="AISTORE_PATCH_" + name if name != "ALLOW_HOSTS" else "http://x"):
        aistore_patch.patch()
    assert not aistore_patch.is_patched()


@pytest.mark.parametrize("name", ["create_request", "_do_get_response", "_send"])
def test_a_botocore_that_is_not_known_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def other(self: Any, request: Any, something_new: Any) -> None: ...

    monkeypatch.setattr(Endpoint, name, other)
    with pytest.raises(
        UnsupportedBotocoreError, match=rf"botocore\.endpoint\.Endpoint\.{name}.*something_new.*expected"
    ):
        aistore_patch.patch()
    monkeypatch.delattr(Endpoint, name)
    with pytest.raises(UnsupportedBotocoreError, match="missing"):
        aistore_patch.patch()
    assert not aistore_patch.is_patched()


@pytest.mark.parametrize("module", ["botocore.awsrequest"])
def test_a_botocore_that_lacks_something_is_refused(module: str) -> None:
    stub = f"import sys, types; sys.modules['{module}'] = types.ModuleType('{module}')"
    said = run(f"{stub}\nimport aistore_patch\naistore_patch.patch()")
    assert "UnsupportedBotocoreError" in said
    assert module in said


def test_the_drop_in_offers_what_botocore_has() -> None:
    from aistore_patch import botocore

    assert botocore.exceptions.ClientError is ClientError
    assert botocore.__version__ == installed.__version__
    with pytest.raises(AttributeError):
        botocore.nothing_of_this_name  # noqa: B018 - looking is the test
    with pytest.raises(AttributeError, match=r"'aistore_patch\.botocore' has no attribute '__path__'"):
        botocore.__path__  # noqa: B018 - with one, Python would take this for a package


@pytest.mark.parametrize(
    "watched",
    [
        "botocore.httpsession.URLLib3Session.send",
        "urllib3.HTTPConnectionPool.urlopen",
        "http.client.HTTPConnection.putrequest",
        "http.client.HTTPResponse.begin",
    ],
)
def test_who_watches_what_is_sent_sees_every_hop(
    cluster: Cluster, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, watched: str
) -> None:
    client = aistore_patch.follow_redirects(make_client(cluster, fresh=True))
    assert follows(client)
    seen: list[Any] = []
    original = pydoc.locate(watched)

    def watch(*args: Any, **kwargs: Any) -> Any:
        seen.append(args)
        return original(*args, **kwargs)  # type: ignore[operator]  # it is a function

    monkeypatch.setattr(watched, watch)
    assert follows(client)
    assert len(seen) == 2


def test_urllib3_logs_every_request_if_asked_to(
    cluster: Cluster, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    client = aistore_patch.follow_redirects(make_client(cluster, fresh=True))
    caplog.set_level(logging.DEBUG, "urllib3.connectionpool")
    for _ in range(2):
        assert follows(client)
    assert sum("PUT /s3/capb/k" in record.getMessage() for record in caplog.records) == 4


def test_who_puts_his_own_connections_in_place_of_botocores_has_them_used(
    cluster: Cluster, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = aistore_patch.follow_redirects(make_client(cluster, fresh=True))
    assert follows(client)
    seen: list[str] = []

    class Recorded(AWSHTTPConnection):  # type: ignore[misc]  # botocore has no types
        def request(self, method: str, *args: Any, **kwargs: Any) -> Any:
            seen.append(method)
            return super().request(method, *args, **kwargs)

    monkeypatch.setattr(AWSHTTPConnectionPool, "ConnectionCls", Recorded)
    client._endpoint.http_session._manager.clear()
    for _ in range(2):
        assert follows(client)
    assert seen == ["PUT"] * 4


def test_a_refusal_can_be_pickled_and_copied(cluster: Cluster, make_client: MakeClient) -> None:
    client = aistore_patch.follow_redirects(make_client(cluster, fresh=True), RedirectPolicy(max_hops=0))
    with pytest.raises(aistore_patch.RedirectError) as caught:
        client.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    for same in (pickle.loads(pickle.dumps(caught.value)), copy.copy(caught.value)):
        assert type(same) is aistore_patch.RedirectError
        assert same.response["Error"]["Code"] == "TooManyRedirects"


def test_closing_a_client_closes_its_connections(cluster: Cluster, make_client: MakeClient) -> None:
    client = aistore_patch.follow_redirects(make_client(cluster, fresh=True))
    cluster.store.put(BUCKET, "k", b"x")
    for _ in range(2):
        client.head_object(Bucket=BUCKET, Key="k")
    opened = cluster.ledger.connections()
    if not hasattr(client, "close"):  # botocore < 1.21 or so has none
        pytest.skip("this botocore's clients cannot be closed")
    client.close()
    client.head_object(Bucket=BUCKET, Key="k")
    assert cluster.ledger.connections() == opened + 2


def test_the_drop_in_is_no_package_that_would_be_a_second_botocore() -> None:
    said = run("import aistore_patch.botocore.exceptions")
    assert "ModuleNotFoundError" in said
    assert run("from aistore_patch import botocore; print(botocore.__version__)")[0].isdigit()


@pytest.mark.parametrize("name", ["create_request", "_do_get_response", "_send"])
def test_a_replacement_with_options_of_its_own_is_no_unknown_botocore(
    cluster: Cluster, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    found: Any = getattr(Endpoint, name)
    parameters = ", ".join(inspect.signature(found).parameters)
    given = ", ".join(f"{each}" for each in inspect.signature(found).parameters)
    made: dict[str, Any] = {}
    exec(
        f"def replacement({parameters}, _found=found, *, _traced=True): return _found({given})", {"found": found}, made
    )
    monkeypatch.setattr(Endpoint, name, made["replacement"])
    aistore_patch.patch()
    assert follows(make_client(cluster, fresh=True))
    aistore_patch.unpatch()
    monkeypatch.undo()


def test_a_lock_that_was_held_at_the_fork_holds_up_no_patching() -> None:
    def patch_in_the_child() -> bool:
        signal.alarm(30)
        aistore_patch.patch()
        return aistore_patch.is_patched()

    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with patching._lock:
            entered.set()
            leave.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait(30)
    try:
        assert in_a_fork(patch_in_the_child)
    finally:
        leave.set()
        holder.join()
