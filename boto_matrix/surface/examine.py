"""Examines releases of the index, and the Pythons of this machine.

To find every surface class without looking into all releases, the first and the last of each minor are examined, and
wherever two neighbours among the examined differ, the one in the middle between them, until the releases on both sides
of each change are neighbours indeed. What this cannot see is a change that was made and taken back between two examined
releases; `surface --sweep --every` looks into all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby, pairwise

from packaging.version import Version
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from boto_matrix.errors import NoSuchRelease
from boto_matrix.machine.interpreters import Interpreters
from boto_matrix.matrix.load import project_matrix
from boto_matrix.releases.index import PackageIndex
from boto_matrix.surface.declaration import Declaration
from boto_matrix.surface.fingerprint import surface_of
from boto_matrix.surface.record import SurfaceRecord
from boto_matrix.surface.sources import ReleasedSources, UnreadableSources, sources_of_python


def examine(
    declaration: Declaration, record: SurfaceRecord, index: PackageIndex, *, every: bool = False
) -> dict[Version, str]:
    """Examine the releases of a package that must be examined to know its surface classes.

    Prereleases and yanked releases are passed over.

    Args:
        declaration: the package, and what is stood on in it.
        record: what is known already.
        index: has the releases.
        every: whether to examine all releases that are not known.

    Raises:
        IndexUnavailable: the index cannot be asked.
        NoSuchRelease: it does not know the package.

    """
    console = Console(stderr=True, highlight=False, emoji=False)
    releases = [one.version for one in index.final_releases(declaration.package, Version(declaration.oldest))]
    sources = ReleasedSources(index)
    with _progress(console) as progress:
        task = progress.add_task(f"examining {declaration.package}", total=None)

        def fingerprint_of(version: Version) -> str | None:
            progress.update(task, description=f"examining {declaration.package} {version}")
            try:
                surface = surface_of(sources.of(declaration.package, str(version)), declaration)
            except (NoSuchRelease, UnreadableSources) as error:
                console.print(f"{declaration.package} {version} is passed over: {error}", markup=False, soft_wrap=True)
                return None
            progress.advance(task)
            return surface.fingerprint

        return examine_around_changes(releases, record.of(declaration).fingerprints(), fingerprint_of, every=every)


def examine_pythons(declaration: Declaration, record: SurfaceRecord) -> dict[Version, str]:
    """Examine the Pythons of the matrix that this machine has; what is known of those of other machines stays.

    Raises:
        SurfaceError: the standard library of one cannot be read.

    """
    found = dict(record.of(declaration).fingerprints())
    here = filter(None, map(Interpreters().find, project_matrix().pythons))
    for version in (python.version for python in here):
        found[Version(version)] = surface_of(sources_of_python(version), declaration).fingerprint
    return found


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


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}, {task.completed:.0f} so far"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _ends_of_minors(releases: Iterable[Version]) -> list[Version]:
    minors = [[*group] for _, group in groupby(releases, lambda version: version.release[:2])]
    return [version for minor in minors for version in dict.fromkeys((minor[0], minor[-1]))]


def _middle_of_a_gap(releases: Sequence[Version], found: Mapping[Version, str]) -> Version | None:
    examined = [index for index, version in enumerate(releases) if version in found]
    for old, new in pairwise(examined):
        if new - old > 1 and found[releases[old]] != found[releases[new]]:
            return releases[(old + new) // 2]
    return None
