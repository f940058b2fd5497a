"""Which releases to look into, to find every surface class without looking into all of them.

The first and the last release of each minor are examined, and wherever two neighbours among the examined differ, the
one in the middle between them, until the releases on both sides of each change are neighbours indeed. What this cannot
see is a change that was made and taken back between two examined releases; `surface --sweep --every` looks into all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby, pairwise

from packaging.version import Version


def examine_around_changes(
    releases: Sequence[Version],
    known: Mapping[Version, str],
    fingerprint_of: Callable[[Version], str | None],
    *,
    every: bool = False,
) -> dict[Version, str]:
    """Examine what must be examined.

    Args:
        releases: those that there are, oldest first.
        known: the fingerprints of the ones that were examined before.
        fingerprint_of: examines one; None if it cannot be, and is to be passed over.
        every: whether to examine all.

    Returns:
        The fingerprints of all that were examined, now or before.

    """
    left = list(releases)
    found = {version: fingerprint for version, fingerprint in known.items() if version in set(releases)}
    while (version := next_to_examine(left, found, every=every)) is not None:
        fingerprint = fingerprint_of(version)
        if fingerprint is None:
            left.remove(version)
        else:
            found[version] = fingerprint
    return found


def next_to_examine(
    releases: Sequence[Version], found: Mapping[Version, str], *, every: bool = False
) -> Version | None:
    """Say which release to examine next; None when all that must be has been."""
    must = releases if every else _ends_of_minors(releases)
    missing = next((version for version in must if version not in found), None)
    return _middle_of_a_gap(releases, found) if missing is None else missing


def neighbours_that_differ(found: Mapping[Version, str]) -> list[tuple[Version, Version]]:
    """Give the two sides of each change: the last examined release before it and the first one with it."""
    return [(old, new) for old, new in pairwise(sorted(found)) if found[old] != found[new]]


def _ends_of_minors(releases: Iterable[Version]) -> list[Version]:
    minors = [[*group] for _, group in groupby(releases, lambda version: version.release[:2])]
    return [version for minor in minors for version in dict.fromkeys((minor[0], minor[-1]))]


def _middle_of_a_gap(releases: Sequence[Version], found: Mapping[Version, str]) -> Version | None:
    examined = [index for index, version in enumerate(releases) if version in found]
    for old, new in pairwise(examined):
        if new - old > 1 and found[releases[old]] != found[releases[new]]:
            return releases[(old + new) // 2]
    return None
