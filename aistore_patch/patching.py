"""Turning the patch on and off, for the process or for one client."""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
from typing import Any, Iterator, TypeVar

from .errors import UnsupportedBotocoreError
from .policy import RedirectPolicy
from .wrapping import leads_to

_Client = TypeVar("_Client")

_lock = threading.RLock()


class _Asked:
    """Somebody's wish that this process follow redirects: that of `patch`, or of one `patched` block."""

    def __init__(self, policy: RedirectPolicy) -> None:
        self.policy = policy


class _Patch:
    """The functions put in the place of botocore's, and those who asked for it; the policy of the last one holds."""

    def __init__(self, seam: Any, endpoint_class: Any, asked: tuple[_Asked, ...]) -> None:
        self._class = endpoint_class
        self._originals = {name: vars(endpoint_class)[name] for name in seam.SIGNATURES}
        called = {name: getattr(endpoint_class, name) for name in seam.SIGNATURES}
        self._ours = seam.wrapped(endpoint_class, self._policy, called.__getitem__)
        self.asked = asked  # replaced as a whole, since other threads read it

    def _policy(self) -> RedirectPolicy | None:
        """The limits that hold now; None when nobody asks any more, for then there may be callers still."""
        asked = self.asked
        return asked[-1].policy if asked else None

    def apply(self) -> None:
        for name, method in self._ours.items():
            setattr(self._class, name, method)

    def is_in_place(self) -> bool:
        """Whether nobody has taken one of ours away: a mock that ends puts back what it had found."""
        return all(leads_to(vars(self._class).get(name), method) for name, method in self._ours.items())

    def remove(self) -> None:
        """Put back what was there, except where somebody has wrapped ours since: then ours hands calls on from now."""
        self.asked = ()
        for name, original in self._originals.items():
            if vars(self._class).get(name) is self._ours[name]:
                setattr(self._class, name, original)


_patch: _Patch | None = None
_process = _Asked(RedirectPolicy())
"""What `patch` asks for, as against blocks of `patched`."""


def patch(policy: RedirectPolicy | None = None) -> None:
    """Make every S3 client of this process follow redirects, those that exist already included.

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
    with _lock:
        if policy is None and _patch is not None and _process in _patch.asked:
            _applied()
            return
        checked = _checked(policy)
        current = _applied()
        _process.policy = checked
        blocks = _without(_process, current.asked)
        current.asked = (_process, *blocks) if policy is None else (*blocks, _process)


def unpatch() -> None:
    """Put back the very functions that were there before `patch`. Does nothing where nothing is patched.

    It ends blocks of `patched` as well. Clients of `follow_redirects` go on following. A function that somebody else
    has wrapped since stays where it is, and does nothing any more.
    """
    global _patch
    with _lock:
        if _patch is not None:
            _patch.remove()
            _patch = None
        # Importing aistore_patch.botocore means patching: let the next import of it mean it again.
        sys.modules.pop(f"{__package__}.botocore", None)
        vars(sys.modules[str(__package__)]).pop("botocore", None)


def is_patched() -> bool:
    """Whether the S3 clients of this process follow redirects.

    False as well where somebody has taken a part of the patch away since; `patch` puts it back.
    """
    return _patch is not None and _patch.is_in_place()


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
    with _lock:
        if policy is None and _patch is not None:
            policy = _patch.asked[-1].policy
        block = _Asked(_checked(policy))
        current = _applied()
        current.asked = (*current.asked, block)
    try:
        yield
    finally:
        with _lock:
            if _patch is not None and block in _patch.asked:  # nobody has called `unpatch` meanwhile
                _patch.asked = _without(block, _patch.asked)
                if not _patch.asked:
                    unpatch()


def _without(one: _Asked, asked: tuple[_Asked, ...]) -> tuple[_Asked, ...]:
    return tuple(other for other in asked if other is not one)


def _applied() -> _Patch:
    """The patch of this process, applied now if it was not, or not wholly.

    Raises:
        UnsupportedBotocoreError: it cannot be.
    """
    global _patch
    if _patch is None or not _patch.is_in_place():
        seam, endpoint_class = _supported()
        try:
            seam.check_supported(endpoint_class)
        except UnsupportedBotocoreError:
            if _patch is None:
                raise
            return _patch  # it fitted: what does not is somebody's mock, and when that ends, ours is back
        asked = _patch.asked if _patch is not None else ()
        if _patch is not None:
            _patch.remove()
        _patch = _Patch(seam, endpoint_class, asked)
        _patch.apply()
    return _patch


def follow_redirects(client: _Client, policy: RedirectPolicy | None = None) -> _Client:
    """Make one S3 client follow redirects, with nothing patched in the process.

    Args:
        client: an S3 client of boto3 or botocore, or an S3 resource of boto3.
        policy: the limits for this client; by default those that the environment describes. It goes before the policy
            of the process. Calling again with the same client replaces it.

    Returns:
        The same client.

    Raises:
        TypeError: it is no S3 client.
        UnsupportedBotocoreError: this botocore is not one that the patch knows; nothing was changed.
        PolicyError: the environment describes no policy; nothing was changed.
    """
    endpoint = _endpoint_of(client)
    chosen = _checked(policy)
    seam, _ = _supported()
    with _lock:
        cls = type(endpoint)
        base = getattr(cls, "_aistore_patch_base", cls)
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

        from . import seam
    except ImportError as error:
        raise UnsupportedBotocoreError(f"this botocore lacks what the patch stands on: {error}") from error
    return seam, Endpoint


def _endpoint_of(client: Any) -> Any:
    client = getattr(getattr(client, "meta", None), "client", client)  # a resource has its client there
    service = getattr(getattr(client, "meta", None), "service_model", None)
    if getattr(service, "service_id", None) != "S3":
        raise TypeError(f"follow_redirects takes an S3 client; {client!r} is none")
    endpoint = getattr(client, "_endpoint", None)
    if type(endpoint).__module__.partition(".")[0] == "aiobotocore":
        raise TypeError(f"follow_redirects takes a client of boto3 or botocore; {client!r} is aiobotocore's")
    if endpoint is None:
        raise UnsupportedBotocoreError(f"{type(client).__qualname__} has no attribute _endpoint")
    return endpoint


def _checked(policy: RedirectPolicy | None) -> RedirectPolicy:
    if policy is None:
        return RedirectPolicy.from_environment()
    if not isinstance(policy, RedirectPolicy):
        raise TypeError(f"policy is {policy!r}; a RedirectPolicy is expected")
    return policy
