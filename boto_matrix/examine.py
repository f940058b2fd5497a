"""Examines releases of the index, and shows how far it is; and the Pythons of this machine."""

from __future__ import annotations

from packaging.version import Version
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from boto_matrix.fingerprint import surface_of
from boto_matrix.index import NoSuchRelease, PackageIndex
from boto_matrix.interpreters import Interpreters
from boto_matrix.project import project_matrix
from boto_matrix.sources import ReleasedSources, sources_of_python
from boto_matrix.stands_on import StandsOn
from boto_matrix.surface_errors import UnreadableSources
from boto_matrix.surface_record import SurfaceRecord
from boto_matrix.sweep import sweep


def examine(
    stands_on: StandsOn, record: SurfaceRecord, index: PackageIndex, *, every: bool = False
) -> dict[Version, str]:
    """Examine the releases of a package that must be examined to know its surface classes.

    Prereleases and yanked releases are passed over.

    Args:
        stands_on: the package, and what is stood on in it.
        record: what is known already.
        index: has the releases.
        every: whether to examine all releases that are not known.

    Raises:
        IndexUnavailable: the index cannot be asked.
        NoSuchRelease: it does not know the package.

    """
    console = Console(stderr=True, highlight=False, emoji=False)
    releases = final_releases(stands_on, index)
    sources = ReleasedSources(index)
    with _progress(console) as progress:
        task = progress.add_task(f"examining {stands_on.package}", total=None)

        def fingerprint_of(version: Version) -> str | None:
            progress.update(task, description=f"examining {stands_on.package} {version}")
            try:
                surface = surface_of(sources.of(stands_on.package, str(version)), stands_on)
            except (NoSuchRelease, UnreadableSources) as error:
                console.print(f"{stands_on.package} {version} is passed over: {error}", markup=False, soft_wrap=True)
                return None
            progress.advance(task)
            return surface.fingerprint

        return sweep(releases, record.of(stands_on).fingerprints(), fingerprint_of, every=every)


def examine_pythons(stands_on: StandsOn, record: SurfaceRecord) -> dict[Version, str]:
    """Examine the Pythons of the matrix that this machine has; what is known of those of other machines stays.

    Raises:
        SurfaceError: the standard library of one cannot be read.

    """
    found = dict(record.of(stands_on).fingerprints())
    here = filter(None, map(Interpreters().find, project_matrix().pythons))
    for version in (python.version for python in here):
        found[Version(version)] = surface_of(sources_of_python(version), stands_on).fingerprint
    return found


def final_releases(stands_on: StandsOn, index: PackageIndex) -> list[Version]:
    """Give the releases that matter, oldest first: no prereleases, none that was yanked."""
    return [
        release.version
        for release in index.releases(stands_on.package)
        if release.version >= Version(stands_on.oldest) and not release.version.is_prerelease and not release.is_yanked
    ]


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}, {task.completed:.0f} so far"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
