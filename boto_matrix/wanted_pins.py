"""Which pins the matrix should have, by what releases there are and where the surface of botocore changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from boto_matrix.index import NoSuchRelease, PackageIndex, Release
from boto_matrix.numbering import OLDEST_BOTO3, botocore_series
from boto_matrix.pairs import choose_pair
from boto_matrix.sweep import neighbours_that_differ
from boto_matrix.wanted import OverrideError, any_release, read_wanted


@dataclass(frozen=True)
class WantedPin:
    """A pair that should be in the matrix.

    Attributes:
        boto3: its boto3.
        botocore: its botocore.
        why: the rule that asks for it.
        change: the botocore release that changed the surface, if it is for a change that the pair is wanted.

    """

    boto3: Version
    botocore: Version
    why: str
    change: Version | None = None


def newest_of_each_minor(index: PackageIndex) -> Iterator[WantedPin]:
    """Give the newest boto3 of each minor, each with the newest botocore that it admits, oldest first.

    Raises:
        IndexUnavailable: the index cannot be asked.
        NoSuchRelease: it has no botocore for one of them.

    """
    for minor in dict.fromkeys(release.version.release[:2] for release in boto3_releases(index)):
        name = ".".join(map(str, minor))
        try:
            boto3, botocore = choose_pair(read_wanted("boto3", name), any_release("botocore"), None, index)
        except OverrideError as error:
            raise NoSuchRelease(f"the newest boto3 {name} has no botocore in the index: {error}") from error
        yield WantedPin(Version(str(boto3.expected)), Version(str(botocore.expected)), f"the newest of {name}")


def ends_of_each_class(fingerprints: Mapping[Version, str]) -> Iterator[tuple[Version, str, Version | None]]:
    """Give the first and the last botocore of each surface class, oldest first, each with the reason and the change."""
    oldest = min(fingerprints, default=None)
    if oldest is not None:
        yield oldest, "the first with the surface that the matrix begins with", None
    for last, first in neighbours_that_differ(fingerprints):
        yield last, f"the last before botocore {first} changed the surface", first
        yield first, "the first with the surface that it changed", first


def pair_for(botocore: Version, index: PackageIndex, used: Collection[Version]) -> Version | None:
    """Find a boto3 for a botocore: the one of the same day if it admits it, else the nearest before.

    Args:
        botocore: the release that a boto3 is sought for.
        index: knows what a boto3 needs.
        used: the boto3 releases that have a pin of their own.

    Returns:
        None if no boto3 that is not used admits it.

    """
    candidates = [
        release.version
        for release in boto3_releases(index)
        if botocore_series(release.version) == botocore.release[:2]
        and release.version.micro <= botocore.micro
        and release.version not in used
    ]
    return next((boto3 for boto3 in reversed(candidates) if _admits(boto3, botocore, index)), None)


def boto3_releases(index: PackageIndex) -> list[Release]:
    """Give the boto3 releases that matter, oldest first: from 1.17 on, no prereleases, none that was yanked."""
    return [
        release
        for release in index.releases("boto3")
        if release.version >= OLDEST_BOTO3 and not release.version.is_prerelease and not release.is_yanked
    ]


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


def _admits(boto3: Version, botocore: Version, index: PackageIndex) -> bool:
    needs = [one for one in index.requires("boto3", str(boto3)) if canonicalize_name(one.name) == "botocore"]
    return all((one.specifier or SpecifierSet()).contains(botocore) for one in needs)
