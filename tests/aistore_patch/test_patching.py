"""Turning the patch on and off, without anything that is sent: what holds when, and what is there afterwards."""

from __future__ import annotations

import functools
import sys
from types import SimpleNamespace
from typing import Any, Callable, Iterator

import pytest
from botocore.endpoint import Endpoint

import aistore_patch
from aistore_patch import PolicyError, RedirectPolicy, UnsupportedBotocoreError, patching
from aistore_patch.endpoint import SIGNATURES

ONE, TWO, THREE = (RedirectPolicy(max_hops=hops) for hops in (1, 2, 3))
ORIGINAL = {name: vars(Endpoint)[name] for name in SIGNATURES}


@pytest.fixture(autouse=True)
def left_unpatched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AISTORE_PATCH_MAX_HOPS", "9")
    yield
    aistore_patch.unpatch()
    assert {name: vars(Endpoint)[name] for name in SIGNATURES} == ORIGINAL


def hops() -> int | None:
    """The limit that holds now."""
    policy = patching._policy()
    return None if policy is None else policy.max_hops


def test_what_was_asked_for_last_holds() -> None:
    assert hops() is None
    aistore_patch.patch()
    assert hops() == 9  # as the environment says
    aistore_patch.patch(ONE)
    for _ in range(2):
        aistore_patch.patch(ONE)
    assert len(patching._asked) == 1
    assert hops() == 1
    aistore_patch.patch()
    assert hops() == 1
    with aistore_patch.patched():
        assert hops() == 1
        with aistore_patch.patched(TWO):
            assert hops() == 2
            aistore_patch.patch()
            assert hops() == 2
            aistore_patch.patch(THREE)
            assert hops() == 3
        assert hops() == 3
    assert hops() == 3
    aistore_patch.unpatch()
    assert hops() is None


def test_without_limits_of_its_own_a_patch_loosens_none_of_a_block() -> None:
    with aistore_patch.patched(TWO):
        aistore_patch.patch()
        assert hops() == 2
    assert hops() == 9
    assert aistore_patch.is_patched()


def test_blocks_end_in_any_order() -> None:
    first, second = aistore_patch.patched(ONE), aistore_patch.patched(TWO)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert hops() == 2
    second.__exit__(None, None, None)
    assert hops() is None
    assert not aistore_patch.is_patched()
    assert {name: vars(Endpoint)[name] for name in SIGNATURES} == ORIGINAL


def test_a_block_without_limits_has_those_of_the_block_around_it() -> None:
    aistore_patch.patch(ONE)
    with aistore_patch.patched(TWO), aistore_patch.patched():
        assert hops() == 2


def test_wrappers_of_others_around_all_of_it_do_not_outlast_it() -> None:
    aistore_patch.patch()
    for name in SIGNATURES:
        setattr(Endpoint, name, functools.wraps(vars(Endpoint)[name])(lambda *_: None))
    assert aistore_patch.is_patched()
    aistore_patch.unpatch()
    assert not aistore_patch.is_patched()
    for name, original in ORIGINAL.items():
        setattr(Endpoint, name, original)


def test_where_all_is_in_place_nothing_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    aistore_patch.patch()
    monkeypatch.setattr("aistore_patch.endpoint.check_supported", None)
    aistore_patch.patch()
    aistore_patch.patch(ONE)


def test_one_mock_excuses_what_somebody_has_put_back_beside_it() -> None:
    aistore_patch.patch()
    put_in = Endpoint._send
    Endpoint._send, Endpoint.create_request = 3, ORIGINAL["create_request"]
    try:
        aistore_patch.patch()
        assert Endpoint._send == 3
    finally:
        Endpoint._send = put_in


def test_a_block_that_was_ended_by_unpatching_ends_nothing_else() -> None:
    with aistore_patch.patched(ONE):
        aistore_patch.unpatch()
        assert not aistore_patch.is_patched()
        aistore_patch.patch(TWO)
    assert hops() == 2


@pytest.mark.parametrize("turn_on", [aistore_patch.patch, lambda policy: aistore_patch.patched(policy).__enter__()])
@pytest.mark.parametrize(
    ("policy", "environment", "error"),
    [
        ({"max_hops": 1}, {}, TypeError),
        (None, {"AISTORE_PATCH_MAX_HOPS": "many"}, PolicyError),
        (ONE, {"AISTORE_PATCH_SHORT_WAY": "perhaps"}, PolicyError),
    ],
)
def test_a_mistake_changes_nothing(
    turn_on: Callable[[Any], Any], policy: Any, environment: dict[str, str], error: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(error) as caught:
        turn_on(policy)
    assert str(next(iter((policy or environment) if isinstance(policy, dict) else environment))) in str(caught.value)
    assert not aistore_patch.is_patched()
    assert hops() is None
    assert {name: vars(Endpoint)[name] for name in SIGNATURES} == ORIGINAL


def test_methods_are_put_in_and_out_all_together() -> None:
    assert not aistore_patch.is_patched()
    aistore_patch.patch()
    assert aistore_patch.is_patched()
    put_in = {name: vars(Endpoint)[name] for name in SIGNATURES}
    for name, method in put_in.items():
        assert method.__wrapped__ is ORIGINAL[name]
        assert method.__name__ == name
    aistore_patch.patch()
    aistore_patch.patch(ONE)
    assert {name: vars(Endpoint)[name] for name in SIGNATURES} == put_in
    aistore_patch.unpatch()
    assert {name: vars(Endpoint)[name] for name in SIGNATURES} == ORIGINAL


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_part_that_is_missing_is_noticed_and_put_back_alone(name: str) -> None:
    aistore_patch.patch()
    put_in = {other: vars(Endpoint)[other] for other in SIGNATURES}
    setattr(Endpoint, name, ORIGINAL[name])
    assert not aistore_patch.is_patched()
    aistore_patch.patch()
    assert aistore_patch.is_patched()
    assert [other for other in SIGNATURES if vars(Endpoint)[other] is not put_in[other]] == [name]


def test_ours_below_ours_is_taken_out_as_well() -> None:
    aistore_patch.patch()
    first = Endpoint._send
    Endpoint._send = lambda self, request: first(self, request)  # it does not say what it wraps
    aistore_patch.patch()
    Endpoint._send = patching._ours[-1][0]
    aistore_patch.unpatch()
    Endpoint._send = first
    aistore_patch.unpatch()
    assert Endpoint._send is ORIGINAL["_send"]


def test_a_wrapper_of_anothers_stays_and_does_nothing() -> None:
    aistore_patch.patch()

    @functools.wraps(Endpoint._send)
    def traced(*_: Any) -> None: ...

    Endpoint._send = traced
    assert aistore_patch.is_patched()
    aistore_patch.unpatch()
    assert Endpoint._send is traced
    assert not aistore_patch.is_patched()
    Endpoint._send = traced.__wrapped__
    aistore_patch.unpatch()


def test_what_does_not_fit_is_refused_unless_it_did_before_and_is_a_mock() -> None:
    def unfit(anything: Any) -> None: ...

    for replacement, is_refused in ((unfit, True), (3, False)):
        aistore_patch.patch()
        put_in = Endpoint._send
        Endpoint._send = replacement
        try:
            if is_refused:
                with pytest.raises(UnsupportedBotocoreError, match="_send"):
                    aistore_patch.patch()
            else:
                aistore_patch.patch()
            assert Endpoint._send is replacement
        finally:
            Endpoint._send = put_in
            aistore_patch.unpatch()
    Endpoint._send = 3
    try:
        with pytest.raises(UnsupportedBotocoreError, match="_send"):
            aistore_patch.patch()
    finally:
        Endpoint._send = ORIGINAL["_send"]
    assert hops() is None


def test_unpatching_lets_the_next_import_patch_again() -> None:
    for _ in range(2):
        from aistore_patch import botocore  # noqa: F401  # importing it is what is meant

        assert aistore_patch.is_patched()
        aistore_patch.unpatch()
        assert "aistore_patch.botocore" not in sys.modules
        assert not hasattr(aistore_patch, "botocore")


class Noted:
    """A lock that says how often it was taken."""

    def __init__(self) -> None:
        self.taken = 0

    def __enter__(self) -> None:
        self.taken += 1

    def __exit__(self, *_: object) -> None: ...


def test_whatever_changes_it_takes_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = Noted()
    monkeypatch.setattr(patching, "_lock", lock)
    block = aistore_patch.patched(ONE)
    changes: list[Callable[[], Any]] = [
        block.__enter__,
        aistore_patch.patch,
        lambda: block.__exit__(None, None, None),
        aistore_patch.unpatch,
        lambda: aistore_patch.follow_redirects(client_with(object.__new__(Endpoint))),
    ]
    for number, change in enumerate(changes, start=1):
        change()
        assert lock.taken == number


def test_unpatching_where_nothing_is_patched_does_not_even_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patching, "_ours", [])
    monkeypatch.setattr(patching, "_supported", None)
    aistore_patch.unpatch()
    monkeypatch.undo()


# One client.


def client_with(endpoint: Any, service_id: str = "S3") -> Any:
    return SimpleNamespace(
        meta=SimpleNamespace(service_model=SimpleNamespace(service_id=service_id)), _endpoint=endpoint
    )


def test_one_client_follows_by_a_class_of_its_own() -> None:
    endpoint = object.__new__(Endpoint)
    client = client_with(endpoint)
    for policy in (ONE, TWO, None):
        assert aistore_patch.follow_redirects(client, policy) is client
        cls = type(endpoint)
        assert cls.__name__ == "Endpoint"
        assert cls.__mro__[1] is Endpoint  # not a class for each time
        assert all(vars(cls)[name].__wrapped__ is ORIGINAL[name] for name in SIGNATURES)
    assert not aistore_patch.is_patched()
    assert {name: vars(Endpoint)[name] for name in SIGNATURES} == ORIGINAL


def test_a_resource_has_its_client_within() -> None:
    endpoint = object.__new__(Endpoint)
    resource = SimpleNamespace(meta=SimpleNamespace(client=client_with(endpoint)))
    assert aistore_patch.follow_redirects(resource) is resource
    assert type(endpoint) is not Endpoint


@pytest.mark.parametrize(
    "other",
    [
        object(),
        SimpleNamespace(meta=None),
        client_with(None, "STS"),
        client_with(None, "S3 Control"),
    ],
)
def test_what_is_no_s3_client_is_named(other: Any) -> None:
    with pytest.raises(TypeError) as caught:
        aistore_patch.follow_redirects(other)
    assert str(caught.value) == f"follow_redirects expects an S3 client, got {other!r}"


def test_a_client_of_an_unknown_botocore_is_named() -> None:
    with pytest.raises(UnsupportedBotocoreError, match="SimpleNamespace has no attribute _endpoint"):
        aistore_patch.follow_redirects(client_with(None))
    unfit = type("Endpoint", (), {"create_request": None})()
    with pytest.raises(UnsupportedBotocoreError, match=r"Endpoint\.create_request is missing"):
        aistore_patch.follow_redirects(client_with(unfit))


@pytest.mark.parametrize(("policy", "error"), [({}, TypeError), (None, PolicyError)])
def test_a_mistake_leaves_the_client_as_it_is(policy: Any, error: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISTORE_PATCH_MAX_HOPS", "many")
    endpoint = object.__new__(Endpoint)
    with pytest.raises(error):
        aistore_patch.follow_redirects(client_with(endpoint), policy)
    assert type(endpoint) is Endpoint


def test_a_forked_process_has_a_lock_that_nobody_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    before = patching._lock
    monkeypatch.setattr(patching, "_lock", before)  # so that it is put back
    patching._forked()
    assert patching._lock is not before
    with patching._lock, patching._lock:  # `patched` calls `unpatch` with it
        pass
