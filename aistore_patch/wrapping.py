"""Seeing through the wrappers that tracers, recorders and mocks put around a method."""

from __future__ import annotations

import contextlib
import types
from typing import Any, Iterator


def leads_to(method: Any, wanted: Any) -> bool:
    """Whether a method is the one that is wanted, or is around it, as far as that can be seen without calling it.

    Args:
        method: any value; a wrapper says what it wraps by `__wrapped__` (`functools.wraps`, wrapt), or, if it is a
            plain function, holds it in its closure or knows it by a global name.
        wanted: the function to be found.
    """
    pending, seen = [method], set()
    while pending:
        one = pending.pop()
        if one is wanted:
            return True
        if id(one) not in seen:
            seen.add(id(one))
            pending.extend(_within(one))
    return False


def _within(wrapper: Any) -> Iterator[Any]:
    """What a wrapper may call. Of the things it only has at hand, functions: others may do work when looked at."""
    with contextlib.suppress(Exception):  # whatever a property of theirs raises
        yield getattr(wrapper, "__wrapped__", None)
    if _is_function(wrapper):
        known = [wrapper.__globals__.get(name) for name in wrapper.__code__.co_names]
        yield from filter(_is_function, (*_enclosed(wrapper), *known))


def _is_function(thing: Any) -> bool:
    """Without `isinstance`, which asks what is no function for its `__class__`: a lazy object may then raise."""
    return type(thing) is types.FunctionType


def _enclosed(function: types.FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # it is empty as yet
            yield cell.cell_contents
