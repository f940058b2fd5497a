"""Turning the patch on and off, for the process or for one client."""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import sys
import threading
import types
import warnings
from typing import Any, Iterator, NamedTuple, TypeVar

from .errors import UnsupportedBotocoreError
from .imports import AfterImport, loaded, wait_for
from .policy import RedirectPolicy, short_way_is_on

_Client = TypeVar("_Client")

_lock = threading.RLock()


def _forked() -> None:
    """A thread of the parent may have held the lock."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=_forked)


class _Asked:
    """A request that this process follow redirects: that of `patch`, or of one `patched` block."""

    def __init__(self, policy: RedirectPolicy) -> None:
        self.policy = policy


_process = _Asked(RedirectPolicy())
"""What `patch` asks for, as against blocks of `patched`."""

_asked: tuple[_Asked, ...] = ()
"""All who ask; the policy of the last one holds. Replaced as a whole, since other threads read it."""


class _Ours(NamedTuple):
    """A method that was put into a class, and what was there before."""

    cls: Any
    name: str
    method: Any
    before: Any


_ours: list[_Ours] = []
"""Every method that was put in. One that somebody has kept and puts back goes on."""

_INHERITED = object()
"""What was there before where a class had the method from another."""

_REFUSING = "make_request"
"""The method of `AioEndpoint` that every call goes through (of `botocore.endpoint.Endpoint`, 1.20 to 1.44)."""

_AIOBOTOCORE = "aiobotocore.endpoint"
"""The module that is patched too as soon as it is imported, and never imported for it."""


def patch(policy: RedirectPolicy | None = None) -> None:
    """Make every S3 client of this process follow redirects, those that exist already included.

    Those of aiobotocore too, whether it is imported already or later. Of an aiobotocore that the patch does not know, a
    program that uses boto3 alone shall notice nothing: there is a RuntimeWarning, and its S3 calls, which would follow
    redirects to other objects than those meant, raise UnsupportedBotocoreError.

    Patching twice is patching once; the second time only a policy that is given replaces the one before. Where somebody
    has taken a part of the patch away since (a mock that ended), it is put back.

    Args:
        policy: the limits; by default those that the environment describes (`RedirectPolicy.from_environment`). In a
            block of `patched` the limits of the block hold, unless others are given here.

    Raises:
        UnsupportedBotocoreError: this botocore is not one that the patch knows; nothing was changed.
        PolicyError: the environment describes no policy; nothing was changed.
        TypeError: `policy` is no RedirectPolicy; nothing was changed.
    """
    global _asked
    _supported()  # imported before the lock is taken: an import may end with a `patch` of its own, in another thread
    with _lock:
        if policy is None and _process in _asked:
            _put_in()
        else:
            checked = _checked(policy)
            _put_in()
            _process.policy = checked
            blocks = _without(_process, _asked)
            _asked = (_process, *blocks) if policy is None else (*blocks, _process)
    _catch_up()


def unpatch() -> None:
    """Put back the very functions that were there before `patch`. Does nothing where nothing is patched.

    It ends blocks of `patched` as well. Clients of `follow_redirects` go on following. A function that somebody else
    has wrapped since stays where it is, and does nothing any more.
    """
    global _asked
    with _lock:
        _asked = ()
        _watch.forget()
        for cls, name in {(ours.cls, ours.name) for ours in _ours}:
            _take_out(cls, name)
        # Importing aistore_patch.botocore means patching: let the next import of it mean it again.
        sys.modules.pop(f"{__package__}.botocore", None)
        vars(sys.modules[str(__package__)]).pop("botocore", None)


def is_patched() -> bool:
    """Whether the S3 clients of this process follow redirects, those of aiobotocore included where that is imported.

    False as well where somebody has taken a part of the patch away since, or has put a function around it that does not
    say so (by `__wrapped__`, as `functools.wraps` does); `patch` puts in what is missing.
    """
    if not _asked:
        return False
    seams = [_supported()]
    aiobotocore = loaded(_AIOBOTOCORE)
    if aiobotocore is not None:
        try:
            seams.append(_aio(aiobotocore))
        except UnsupportedBotocoreError:
            return False
    return all(_is_in_place(cls, name) for seam, cls in seams for name in seam.SIGNATURES)


@contextlib.contextmanager
def patched(policy: RedirectPolicy | None = None) -> Iterator[None]:
    """Patch the process for the length of a `with` block, and leave it as it was before.

    Blocks may lie in one another, and beside one another in several threads: the process is patched as long as there
    is one, with the limits of the one that was entered last.

    Args:
        policy: the limits; by default those that hold already, or else those that the environment describes.

    Raises:
        UnsupportedBotocoreError, PolicyError, TypeError: as `patch` does.
    """
    global _asked
    _supported()  # as in `patch`
    with _lock:
        if policy is None and _asked:
            policy = _asked[-1].policy
        block = _Asked(_checked(policy))
        _put_in()
        _asked = (*_asked, block)
    _catch_up()
    try:
        yield
    finally:
        with _lock:
            _asked = _without(block, _asked)
            if not _asked:
                unpatch()


def _without(one: _Asked, asked: tuple[_Asked, ...]) -> tuple[_Asked, ...]:
    return tuple(other for other in asked if other is not one)


def _policy() -> RedirectPolicy | None:
    """The limits that hold now; None when nobody asks any more, for then there may be callers still."""
    asked = _asked
    return asked[-1].policy if asked else None


def _put_in() -> None:
    """Put our methods in the place of botocore's and aiobotocore's where they are not.

    Raises:
        UnsupportedBotocoreError: they do not fit into botocore's.
    """
    _put_into(*_supported())
    _watch.watch()
    aiobotocore = loaded(_AIOBOTOCORE)
    if aiobotocore is not None:
        _put_into_aiobotocore(aiobotocore)


def _put_into(seam: Any, cls: Any) -> None:
    """Put a seam's methods into a class where they are not.

    Raises:
        UnsupportedBotocoreError: they do not fit.
    """
    missing = [name for name in seam.SIGNATURES if not _is_in_place(cls, name)]
    if not missing:
        return
    try:
        seam.check_supported(cls)
    except UnsupportedBotocoreError:
        if _asked and not all(isinstance(vars(cls).get(name), types.FunctionType) for name in missing):
            return  # it fitted: what does not is a mock, and when that ends, ours is back
        raise
    before = {name: getattr(cls, name) for name in seam.SIGNATURES}
    methods = seam.wrapped(cls, _policy, before.__getitem__)
    for name in missing:
        _put_one(cls, name, methods[name])


def _put_into_aiobotocore(aiobotocore: Any) -> None:
    """Patch aiobotocore, or refuse its calls; it never raises, since aiobotocore may only happen to be there."""
    try:
        seam, cls = _aio(aiobotocore)
        _put_into(seam, cls)  # pragma: no cover - shown in tests/aio
    except UnsupportedBotocoreError as why:
        _refuse(aiobotocore, f"this aiobotocore is not one that aistore_patch knows: {why}")
    else:  # pragma: no cover - shown in tests/aio
        _take_out(cls, _REFUSING)


def _refuse(aiobotocore: Any, why: str) -> None:
    """Have an aiobotocore that the patch does not fit refuse S3 calls, and warn of it once."""
    from .aio import refusal

    cls: Any = getattr(aiobotocore, "AioEndpoint", None)
    called = getattr(cls, _REFUSING, None)
    if called is None:
        what = "and they cannot be refused: aiohttp may follow their redirects to other objects than those meant"
    elif _is_in_place(cls, _REFUSING):
        return
    else:
        _put_one(cls, _REFUSING, refusal.refusing(called, _policy, why))
        what = "so they are refused"
    warnings.warn(f"{why}. Its S3 calls cannot be patched, {what}", RuntimeWarning, stacklevel=2)


def _put_one(cls: Any, name: str, method: Any) -> None:
    _ours.append(_Ours(cls, name, method, vars(cls).get(name, _INHERITED)))
    setattr(cls, name, method)


def _take_out(cls: Any, name: str) -> None:
    """Put back what was there before, unless somebody has wrapped ours since."""
    while True:
        found = next((ours for ours in _ours if ours.method is vars(cls).get(name)), None)
        if found is None:
            return
        _ours.remove(found)
        if found.before is _INHERITED:
            delattr(cls, name)
        else:
            setattr(cls, name, found.before)


def _imported(aiobotocore: Any) -> None:
    with _lock:
        if _asked:  # nobody has called `unpatch` meanwhile
            _put_into_aiobotocore(aiobotocore)


_watch = AfterImport(_AIOBOTOCORE, _imported)


def _catch_up() -> None:
    """Patch an aiobotocore whose import began in another thread before it was watched for.

    It is called without the lock, which that import may be waiting for.
    """
    if _AIOBOTOCORE in sys.modules and loaded(_AIOBOTOCORE) is None:
        wait_for(_AIOBOTOCORE)
        with _lock:
            if _asked:  # pragma: no branch - as above
                _put_in()


def _is_in_place(cls: Any, name: str) -> bool:
    """Whether a method is ours, or somebody's around ours."""
    try:
        return _is_ours(inspect.unwrap(vars(cls).get(name), stop=_is_ours))
    except Exception:  # of what somebody has put there, which may raise anything when looked at
        return False


def _is_ours(method: Any) -> bool:
    return any(method is ours.method for ours in _ours)


def follow_redirects(client: _Client, policy: RedirectPolicy | None = None) -> _Client:
    """Make one S3 client follow redirects, with nothing patched in the process.

    Args:
        client: an S3 client of boto3, botocore or aiobotocore, or an S3 resource of boto3 or aioboto3.
        policy: the limits for this client; by default those that the environment describes. It takes precedence over
            the policy of the process. Calling again with the same client replaces it.

    Returns:
        The same client.

    Raises:
        TypeError: it is no S3 client.
        UnsupportedBotocoreError: this botocore or aiobotocore is not one that the patch knows; nothing was changed.
        PolicyError: the environment describes no policy; nothing was changed.
    """
    endpoint = _endpoint_of(client)
    chosen = _checked(policy)
    with _lock:
        cls = type(endpoint)
        base = getattr(cls, "_aistore_patch_base", cls)
        seam = _seam_for(base)
        seam.check_supported(base)
        # What is put in the place of botocore's methods later (a mock, a tracer) is to be called here as well.
        methods = seam.wrapped(base, lambda: chosen, functools.partial(getattr, base))
        # A class of its own, not attributes of the instance: bound methods would make a cycle of it.
        endpoint.__class__ = type(base.__name__, (base,), {**methods, "_aistore_patch_base": base})
    return client


def _supported() -> tuple[Any, Any]:
    """The seam, and the class that it is for.

    Raises:
        UnsupportedBotocoreError: something that they import is not there any more.
    """
    try:
        from botocore.endpoint import Endpoint

        from . import endpoint
    except ImportError as error:
        raise UnsupportedBotocoreError(f"this botocore lacks what the patch stands on: {error}") from error
    return endpoint, Endpoint


def _aio(aiobotocore: Any) -> tuple[Any, Any]:
    """The same for aiobotocore, given its module of endpoints.

    Raises:
        UnsupportedBotocoreError: something is not there any more.
    """
    try:
        from .aio import endpoint

        return endpoint, aiobotocore.AioEndpoint  # pragma: no cover - shown in tests/aio
    except (ImportError, AttributeError) as error:
        raise UnsupportedBotocoreError(f"it lacks what the patch stands on: {error}") from error


def _seam_for(cls: Any) -> Any:
    """The seam for the class of a client's endpoint."""
    aiobotocore = loaded(_AIOBOTOCORE)
    if aiobotocore is not None and issubclass(cls, getattr(aiobotocore, "AioEndpoint", ())):
        return _aio(aiobotocore)[0]
    return _supported()[0]


def _endpoint_of(client: Any) -> Any:
    client = getattr(getattr(client, "meta", None), "client", client)  # a resource has its client there
    service = getattr(getattr(client, "meta", None), "service_model", None)
    if getattr(service, "service_id", None) != "S3":
        raise TypeError(f"follow_redirects expects an S3 client, got {client!r}")
    endpoint = getattr(client, "_endpoint", None)
    if endpoint is None:
        raise UnsupportedBotocoreError(f"{type(client).__qualname__} has no attribute _endpoint")
    return endpoint


def _checked(policy: RedirectPolicy | None) -> RedirectPolicy:
    short_way_is_on()  # a mistake in the switch is told now
    if policy is None:
        return RedirectPolicy.from_environment()
    if not isinstance(policy, RedirectPolicy):
        raise TypeError(f"policy is {policy!r}; a RedirectPolicy is expected")
    return policy
