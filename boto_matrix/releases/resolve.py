"""Which releases to install when not all of them are numbers: the newest that exist and fit together."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from boto_matrix.errors import IndexUnavailable, NoSuchRelease
from boto_matrix.matrix.numbering import OLDEST_BOTO3, botocore_series, check_pair
from boto_matrix.releases.override import OLDEST, FromElsewhere, FromIndex, RequestError, too_old
from boto_matrix.releases.requirements import needed_botocore

if TYPE_CHECKING:
    from boto_matrix.releases.index import PackageIndex, Release

_EXTRAS = {"moto": "[s3]"}
_ADVICE = "Leave out one of the two: it then follows from the other"


@dataclass(frozen=True)
class Resolved:
    """What is to be installed of a package.

    Attributes:
        package: its name.
        requirement: for the installer.
        expected: the version that must then be found, or a specifier for it; `None` where anything may be.

    """

    package: str
    requirement: str
    expected: str | None

    @classmethod
    def exactly(cls, package: str, version: Version | str) -> Resolved:
        """Choose one release of the index."""
        return cls(package, f"{package}{_EXTRAS.get(package, '')}=={version}", str(version))

    @classmethod
    def open(cls, override: FromIndex | FromElsewhere) -> Resolved:
        """Leave to the installer what cannot be known beforehand."""
        name = f"{override.package}{_EXTRAS.get(override.package, '')}"
        if isinstance(override, FromIndex):
            specifier = str(override.specifier)
            return cls(override.package, f"{name}{specifier}", override.exact or specifier or None)
        version = None if override.version is None else str(override.version)
        return cls(override.package, f"{name} @ {override.url}", version)


def resolve(override: FromIndex | FromElsewhere, python: str | None, index: PackageIndex) -> Resolved:
    """Choose the newest release of one package.

    Args:
        override: what it may be.
        python: the Python that it must support, ``3.11``; `None` for any.
        index: knows the releases. It is not asked for what is exact: if that does not exist, the install says so.

    Raises:
        RequestError: there is none.
        IndexUnavailable: it cannot be known.

    """
    if isinstance(override, FromElsewhere) or override.exact:
        return Resolved.open(override)
    try:
        return Resolved.exactly(override.package, _versions(override, python, index)[-1])
    except NoSuchRelease as error:
        raise RequestError(str(error)) from error


def resolve_pair(
    boto3: FromIndex | FromElsewhere, botocore: FromIndex | FromElsewhere, python: str | None, index: PackageIndex
) -> list[Resolved]:
    """Choose the newest boto3 that there is a fitting botocore for, and the newest such botocore.

    Where a directory or a VCS URL has no version or requirements before it is built, nothing is checked: the
    installer will. Two exact versions can be used even when the index cannot be asked. What is then not checked is
    that they exist, and that they support the Python; that their numbers fit is known without an index.

    Args:
        boto3: what boto3 may be.
        botocore: what botocore may be.
        python: the Python that both must support, ``3.11``; `None` for any.
        index: knows the releases and what they need.

    Raises:
        RequestError: there is no such pair.
        IndexUnavailable: it cannot be known.

    """
    if _is_known_when_built(boto3, botocore):
        return [Resolved.open(boto3), Resolved.open(botocore)]
    try:
        return _search(boto3, botocore, python, index)
    except NoSuchRelease as error:
        raise RequestError(str(error)) from error
    except IndexUnavailable:
        pair = _exactly(boto3), _exactly(botocore)
        if pair[0] is None or pair[1] is None:
            raise
        return _unchecked(pair[0], pair[1])


def _is_known_when_built(boto3: FromIndex | FromElsewhere, botocore: FromIndex | FromElsewhere) -> bool:
    return (isinstance(boto3, FromElsewhere) and boto3.needs is None) or (
        isinstance(botocore, FromElsewhere) and botocore.version is None
    )


def _exactly(override: FromIndex | FromElsewhere) -> str | None:
    return override.exact if isinstance(override, FromIndex) else None


def _unchecked(boto3: str, botocore: str) -> list[Resolved]:
    try:
        check_pair(boto3, botocore)
    except ValueError as error:
        raise RequestError(f"{error}. {_ADVICE}") from None
    return [Resolved.exactly("boto3", boto3), Resolved.exactly("botocore", botocore)]


def _search(
    boto3: FromIndex | FromElsewhere, botocore: FromIndex | FromElsewhere, python: str | None, index: PackageIndex
) -> list[Resolved]:
    boto3s, botocores = _versions(boto3, python, index), _versions(botocore, python, index)

    def needs(version: Version) -> SpecifierSet:
        requirements = boto3.needs if isinstance(boto3, FromElsewhere) else index.requires("boto3", str(version))
        return needed_botocore(requirements or ())

    pair = newest_pair(boto3s, botocores, needs)
    if pair is None:
        raise RequestError(_why_none(boto3, botocore, boto3s, needs))
    return [_numbered(boto3, pair[0]), _numbered(botocore, pair[1])]


def _numbered(override: FromIndex | FromElsewhere, version: Version) -> Resolved:
    if isinstance(override, FromElsewhere):
        return Resolved.open(override)
    return Resolved.exactly(override.package, version)


def newest_pair(
    boto3s: Sequence[Version], botocores: Sequence[Version], needs: Callable[[Version], SpecifierSet]
) -> tuple[Version, Version] | None:
    """Find the newest boto3 that one of the botocores fits, and the newest such botocore.

    The newest is asked what it needs, whatever its number. After that the numbering says which boto3 can fit at all;
    of those with the same series of botocore, a later one never needs an earlier botocore, so that halving finds the
    last that fits. Few are asked, for each costs a download.

    Args:
        boto3s: releases of boto3, oldest first.
        botocores: releases of botocore, oldest first.
        needs: gives the botocore that a boto3 needs.

    """

    def fitting(boto3: Version) -> Version | None:
        admitted = needs(boto3)
        fits = (version for version in reversed(botocores) if admitted.contains(version, prereleases=True))
        return next(fits, None)

    for candidates in _by_series_of_botocore(boto3s, botocores):
        newest, botocore = candidates[-1], fitting(candidates[-1])
        if botocore is None and (fit := bisect_left(candidates, True, key=lambda version: fitting(version) is None)):
            newest, botocore = candidates[fit - 1], fitting(candidates[fit - 1])
        if botocore is not None:
            return newest, botocore
    return None


def boto3_for(botocore: Version, index: PackageIndex, used: Collection[Version]) -> Version | None:
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
        for release in index.final_releases("boto3", OLDEST_BOTO3)
        if botocore_series(release.version) == botocore.release[:2]
        and release.version.micro <= botocore.micro
        and release.version not in used
    ]
    return next((boto3 for boto3 in reversed(candidates) if _admits(boto3, botocore, index)), None)


def _by_series_of_botocore(boto3s: Sequence[Version], botocores: Sequence[Version]) -> Iterator[list[Version]]:
    """Give the boto3s to look among, oldest first, in groups from the newest on: it alone, then series after series."""
    yield [*boto3s[-1:]]
    present = {(version.major, version.minor) for version in botocores}
    possible = [version for version in reversed(boto3s) if _series(version) in present]
    for _, newest_first in groupby(possible, _series):
        yield [*newest_first][::-1]


def _series(boto3: Version) -> tuple[int, int] | None:
    try:
        return botocore_series(boto3)
    except ValueError:
        return None


def _versions(override: FromIndex | FromElsewhere, python: str | None, index: PackageIndex) -> list[Version]:
    """Give the versions that may be taken, oldest first; at least one."""
    if isinstance(override, FromElsewhere):
        return [] if override.version is None else [override.version]
    releases = index.releases(override.package)
    satisfying = [release for release in releases if _satisfies(release, override)]
    existing = [release for release in satisfying if release.version >= OLDEST[override.package]]
    if satisfying and not existing:
        raise too_old(override)
    if not existing:
        newest = max((release.version for release in releases if not release.is_yanked), default="unknown")
        raise RequestError(f"{override}: there is no such release of {override.package}; its newest is {newest}")
    supporting = [release.version for release in existing if python is None or release.supports(python)]
    if not supporting:
        needed = f"{override.package} {existing[-1].version} needs Python {_in_order(existing[-1].requires_python)}"
        raise RequestError(f"{override}: {needed}; there is none for Python {python}")
    return supporting


def _satisfies(release: Release, override: FromIndex) -> bool:
    """Say whether a release may be taken: prereleases and yanked ones only where they are named."""
    if release.is_yanked and override.exact is None:
        return False
    return override.specifier.contains(release.version, prereleases=bool(override.specifier.prereleases))


def _why_none(
    boto3: FromIndex | FromElsewhere,
    botocore: FromIndex | FromElsewhere,
    boto3s: Sequence[Version],
    needs: Callable[[Version], SpecifierSet],
) -> str:
    if not boto3.text:
        return f"{botocore}: no boto3 from {OLDEST_BOTO3} on works with it; expected botocore 1.20 or later"
    asked = f"{botocore.variable} asks for {botocore.text}" if botocore.text else "the index has none"
    return f"boto3 {boto3s[-1]} needs botocore {_in_order(needs(boto3s[-1]))}; {asked}. {_ADVICE}"


def _in_order(specifier: SpecifierSet) -> str:
    """Show a specifier from its lower end to its upper one."""
    return ",".join(sorted(map(str, specifier), key=lambda clause: (clause.startswith("<"), clause)))


def _admits(boto3: Version, botocore: Version, index: PackageIndex) -> bool:
    return needed_botocore(index.requires("boto3", str(boto3))).contains(botocore)
