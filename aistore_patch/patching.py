"""Turning the patch on and off, for the process or for one client."""

from __future__ import annotations

import contextlib
import sys
import threading
from typing import Any, Iterator, TypeVar

from .errors import UnsupportedBotocoreError
from .policy import RedirectPolicy

_Client = TypeVar("_Client")

_lock = threading.RLock()
_originals: dict[str, Any] = {}
_policy = RedirectPolicy()


def patch(policy: RedirectPolicy | None = None) -> None:
    """Make every S3 client of this process follow redirects, those that exist already included.

    Patching twice is patching once; the second time only a policy that is given replaces the one before.

    Args:
        policy: the limits; by default those that the environment describes (`RedirectPolicy.from_environment`).

    Raises:
        UnsupportedBotocoreError: this botocore is not one that the patch knows; nothing was changed.
        PolicyError: the environment describes no policy; nothing was changed.
        TypeError: `policy` is no RedirectPolicy; nothing was changed.
    """
    global _policy
    seam, endpoint_class = _supported()
    with _lock:
        if policy is not None or not _originals:
            chosen = _checked(policy)
        if not _originals:
            seam.check_supported(endpoint_class)
            methods = seam.wrapped(endpoint_class, lambda: _policy)
            _originals.update({name: vars(endpoint_class)[name] for name in methods})
            _policy = chosen
            for name, method in methods.items():
                setattr(endpoint_class, name, method)
        elif policy is not None:
            _policy = chosen


def unpatch() -> None:
    """Put back the very functions that were there before `patch`. Does nothing where nothing is patched.

    Clients of `follow_redirects` go on following.
    """
    from botocore.endpoint import Endpoint

    with _lock:
        for name, original in _originals.items():
            setattr(Endpoint, name, original)
        _originals.clear()
        # Importing aistore_patch.botocore means patching: let the next import of it mean it again.
        sys.modules.pop(f"{__package__}.botocore", None)
        vars(sys.modules[str(__package__)]).pop("botocore", None)


def is_patched() -> bool:
    """Whether the S3 clients of this process follow redirects."""
    return bool(_originals)


@contextlib.contextmanager
def patched(policy: RedirectPolicy | None = None) -> Iterator[None]:
    """Patch the process for the length of a `with` block, and leave it as it was before.

    Args:
        policy: as for `patch`.
    """
    global _policy
    with _lock:
        before, was_patched = _policy, is_patched()
        patch(policy)
    try:
        yield
    finally:
        with _lock:
            if was_patched:
                _policy = before
            else:
                unpatch()


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
        methods = seam.wrapped(base, lambda: chosen)
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
    if endpoint is None:
        raise UnsupportedBotocoreError(f"{type(client).__qualname__} has no attribute _endpoint")
    return endpoint


def _checked(policy: RedirectPolicy | None) -> RedirectPolicy:
    if policy is None:
        return RedirectPolicy.from_environment()
    if not isinstance(policy, RedirectPolicy):
        raise TypeError(f"policy is {policy!r}; a RedirectPolicy is expected")
    return policy
