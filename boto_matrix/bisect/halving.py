"""Finds where something changes in a row of things, asking of as few of them as can be."""

from __future__ import annotations

import math
from collections.abc import Callable


def first_difference(count: int, differs: Callable[[int], bool | None]) -> tuple[int, int]:
    """Find the first of `count` things that differs from the one numbered 0, which the last one is known to do.

    Args:
        count: how many there are, at least 2.
        differs: asks of one; None if it cannot be told. It is asked of each at most once.

    Returns:
        The last that is known not to differ and the first that is known to. Between them lie only those of which it
        cannot be told; if it can be told of all, `differs` was asked at most `most_questions(count)` times.

    """
    same, different = 0, count - 1
    untold: set[int] = set()
    while left := [number for number in range(same + 1, different) if number not in untold]:
        middle = min(left, key=lambda number: abs(2 * number - same - different))
        answer = differs(middle)
        if answer is None:
            untold.add(middle)
        elif answer:
            different = middle
        else:
            same = middle
    return same, different


def most_questions(count: int) -> int:
    """Give how often `first_difference` asks at most where it can be told of all: ⌈log₂⌉ of the possible answers."""
    return math.ceil(math.log2(count - 1))
