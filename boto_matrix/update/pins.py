"""Which pins the matrix should have, by what releases there are and where the surface of botocore changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.version import Version

from boto_matrix.errors import NoSuchRelease
from boto_matrix.matrix.numbering import OLDEST_BOTO3
from boto_matrix.releases.index import PackageIndex
from boto_matrix.releases.override import RequestError, any_release, read_override
from boto_matrix.releases.resolve import resolve_pair
from boto_matrix.surface.examine import neighbours_that_differ


@dataclass(frozen=True)
class DuePin:
    """A pair that should be in the matrix.

    Attributes:
        boto3: its boto3.
        botocore: its botocore.
        why: the rule that asks for it.
        change: the botocore release that changed the surface, if it is for a change that the pair is due.

    """

    boto3: Version
    botocore: Version
    why: str
    change: Version | None = None


def newest_of_each_minor(index: PackageIndex) -> Iterator[DuePin]:
    """Give the newest boto3 of each minor, each with the newest botocore that it admits, oldest first.

    Raises:
        IndexUnavailable: the index cannot be asked.
        NoSuchRelease: it has no botocore for one of them.

    """
    for minor in dict.fromkeys(release.version.release[:2] for release in index.final_releases("boto3", OLDEST_BOTO3)):
        name = ".".join(map(str, minor))
        try:
            boto3, botocore = resolve_pair(read_override("boto3", name), any_release("botocore"), None, index)
        except RequestError as error:
            raise NoSuchRelease(f"the newest boto3 {name} has no botocore in the index: {error}") from error
        yield DuePin(Version(str(boto3.expected)), Version(str(botocore.expected)), f"the newest of {name}")


def ends_of_each_class(fingerprints: Mapping[Version, str]) -> Iterator[tuple[Version, str, Version | None]]:
    """Give the first and the last botocore of each surface class, oldest first, each with the reason and the change."""
    oldest = min(fingerprints, default=None)
    if oldest is not None:
        yield oldest, "the first with the surface that the matrix begins with", None
    for last, first in neighbours_that_differ(fingerprints):
        yield last, f"the last before botocore {first} changed the surface", first
        yield first, "the first with the surface that it changed", first


def yanked(index: PackageIndex) -> set[tuple[str, str]]:
    """Give every release of boto3 and botocore that was taken back, as package and version."""
    return {
        (package, str(release.version))
        for package in ("boto3", "botocore")
        for release in index.releases(package)
        if release.is_yanked
    }


def supported(pythons: Iterable[str], boto3: Version, botocore: Version, index: PackageIndex) -> list[str]:
    """Give those of the Pythons that the metadata of both packages admits."""
    pair = [
        next(release for release in index.releases(package) if release.version == version)
        for package, version in (("boto3", boto3), ("botocore", botocore))
    ]
    return [python for python in pythons if all(release.supports(python) for release in pair)]
