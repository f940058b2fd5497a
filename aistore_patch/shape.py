"""Whether the classes that the patch wraps are shaped as it expects."""

from __future__ import annotations

import inspect
import sys
import types
from typing import Any, Mapping

from .errors import UnsupportedBotocoreError

Signatures = Mapping[str, "tuple[tuple[str, ...], ...]"]
"""By the name of a method, the parameters that it may have: each tuple is one form of them."""


def check_methods(cls: type, signatures: Signatures) -> None:
    """Check the parameters of methods.

    What somebody has put in the place of a class's own functions is their business, as long as it can be called so.

    Raises:
        UnsupportedBotocoreError: a method is missing or has other parameters; the message says which.
    """
    for name, expected in signatures.items():
        method = getattr(cls, name, None)
        where = f"{cls.__module__}.{cls.__qualname__}.{name}"
        if method is None:
            raise UnsupportedBotocoreError(f"{where} is missing; expected {where}({', '.join(expected[-1])})")
        try:
            found = inspect.signature(method)
        except Exception as error:  # whatever a replacement raises when it is inspected
            raise UnsupportedBotocoreError(f"{where} has parameters that cannot be read: {error!r}") from error
        is_as_expected = tuple(found.parameters) in expected
        if not is_as_expected and (is_own(method, cls) or not any(_takes(method, one) for one in expected)):
            raise UnsupportedBotocoreError(
                f"{where} has the parameters ({', '.join(found.parameters)}); expected ({', '.join(expected[-1])})"
            )


def check_attributes(cls: Any, names: tuple[str, ...]) -> None:
    """Check that a class's `__init__` sets attributes, unless it is another's, which says nothing.

    Raises:
        UnsupportedBotocoreError: it does not set one; the message says which.
    """
    if not is_own(cls.__init__, cls):
        return
    known = inspect.unwrap(cls.__init__).__code__.co_names
    for name in names:
        if name not in known:
            raise UnsupportedBotocoreError(
                f"{cls.__module__}.{cls.__qualname__}.__init__ sets no attribute {name}; expected one"
            )


def is_own(function: Any, cls: Any) -> bool:
    """Whether a function is of the module of its class, as far as that can be seen."""
    try:
        code = inspect.unwrap(function).__code__
    except Exception:  # it is a mock's, or raises when it is inspected
        return False
    return bool(code.co_filename == getattr(sys.modules.get(cls.__module__), "__file__", None))


def _takes(method: Any, parameters: tuple[str, ...]) -> bool:
    """Whether a replacement has these parameters, and others only as options, or hands on whatever it is given."""
    signature = inspect.signature(method)
    try:
        signature.bind(*parameters)
    except TypeError:
        return False
    hands_on = any(one.kind is one.VAR_POSITIONAL for one in signature.parameters.values())
    is_alike = tuple(signature.parameters)[: len(parameters)] == parameters
    return is_alike or (hands_on and isinstance(method, types.FunctionType))
