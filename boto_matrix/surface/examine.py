"""Examines releases of the index, and shows how far it is; and the Pythons of this machine."""

from __future__ import annotations

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
from boto_matrix.surface.sweep import examine_around_changes


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


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}, {task.completed:.0f} so far"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
