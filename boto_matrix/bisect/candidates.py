"""The releases to choose from in a search, and the cell that tries one of them."""

from __future__ import annotations

from packaging.version import Version

from boto_matrix.bisect.run_candidate import BisectError, Candidate
from boto_matrix.matrix.cells import Cell, Matrix
from boto_matrix.matrix.numbering import LATEST
from boto_matrix.releases.index import PackageIndex
from boto_matrix.releases.requirements import needed_botocore
from boto_matrix.releases.resolve import boto3_for


class Candidates:
    """The releases of a package on one Python."""

    def __init__(self, package: str, python: str, matrix: Matrix, index: PackageIndex) -> None:
        """Take the package, the Python that the cells run on, the cells there are, and what knows the releases."""
        self.index = index
        self.python = python
        self._package = package
        self._cells = [cell for cell in matrix.cells if cell.python == python]

    def between(self, first: Version, last: Version) -> list[Version]:
        """Give the releases from one to another, ends included, oldest first.

        Left out is what could not be installed in any case: yanked releases and those that do not support the Python;
        and prereleases. The ends stay, so that the installer says what is wrong with them.

        Raises:
            BisectError: one of the ends does not exist, or there is but one.
            IndexUnavailable: the index cannot be asked.

        """
        releases = self.index.releases(self._package)
        versions = [release.version for release in releases]
        for end in (first, last):
            if end not in versions:
                raise BisectError(f"there is no {self._package} {end}; its newest release is {versions[-1]}")
        if first == last:
            raise BisectError(f"--good and --bad are both {first}; expected two releases")
        return [
            release.version
            for release in releases
            if release.version in (first, last)
            or (first < release.version < last and release.is_final and release.supports(self.python))
        ]

    def candidate(self, version: Version) -> Candidate:
        """Give what tries a release: the cell that is pinned to it if there is one, else one whose pin is overridden.

        Raises:
            BisectError: the matrix has no cell on this Python.
            IndexUnavailable, NoSuchRelease: it cannot be known which boto3 and botocore go with it.

        """
        if self._package == "moto":
            newest = self._newest_pinned()
            return Candidate(newest, newest.pin.botocore, {"MOTO_VERSION": str(version)})
        boto3, botocore = self._pair(version)
        pinned = [cell for cell in self._cells if (cell.pin.boto3, cell.pin.botocore) == (str(boto3), str(botocore))]
        if pinned:
            return Candidate(pinned[0], str(botocore), {"BOTO3_VERSION": "", "BOTOCORE_VERSION": ""})
        overrides = {"BOTO3_VERSION": str(boto3 or ""), "BOTOCORE_VERSION": str(botocore)}
        return Candidate(self._any(), str(botocore), overrides)

    def _pair(self, version: Version) -> tuple[Version | None, Version]:
        """Give a release with its companion of the same day, so that from one pair to the next both go on."""
        if self._package == "botocore":
            return boto3_for(version, self.index, ()), version
        admitted = needed_botocore(self.index.requires("boto3", str(version)))
        botocores = [release.version for release in self.index.releases("botocore") if not release.is_yanked]
        oldest = next((botocore for botocore in botocores if admitted.contains(botocore)), None)
        if oldest is None:
            raise BisectError(f"no botocore that the index has fits boto3 {version}, which needs {admitted}")
        return version, oldest

    def _any(self) -> Cell:
        """Give the cell to override: that of `latest`, whose releases change anyway."""
        latest = [cell for cell in self._cells if cell.pin.boto3 == LATEST]
        return latest[0] if latest else self._newest_pinned()

    def _newest_pinned(self) -> Cell:
        pinned = [cell for cell in self._cells if cell.pin.boto3 != LATEST]
        if not pinned:
            raise BisectError(f"the matrix has no cell on Python {self.python}")
        return max(pinned, key=lambda cell: Version(cell.pin.boto3))
