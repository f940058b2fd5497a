"""Which releases a failing run points at: between a release with which a cell passes and one with which it does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

from boto_matrix.blame.rules import Culprit, blame
from boto_matrix.results.model import CellResult, Outcome, RunResult

_PACKAGES = ("boto3", "botocore", "moto")
_MOTO_FIRST = ("moto", "boto3", "botocore")


@dataclass(frozen=True)
class Suspect:
    """What a search for the first bad release starts from.

    Attributes:
        package: whose release it is.
        good: the release with which a cell passes.
        bad: the one with which one fails.
        python: on which Python.
        because: where that is known from, as a sentence.

    """

    package: str
    good: Version
    bad: Version
    python: str
    because: str

    @property
    def command(self) -> str:
        """The command that searches between the two."""
        ends = f"--good {self.good} --bad {self.bad}"
        return f"python -m boto_matrix bisect {ends} --package {self.package} --python {self.python}"


def find_suspect(run: RunResult, before: RunResult | None) -> Suspect | None:
    """Say what to bisect, if anything.

    A cell that passed in the run before with another boto3, botocore or moto says most: one of these is new. One that
    did not pass before is compared with the nearest boto3 that passes on the same Python.

    Args:
        run: in which cells failed.
        before: an earlier one.

    """
    failing = [cell for cell in run.cells if cell.outcome in (Outcome.FAILED, Outcome.CRASHED) and cell.installed]
    passing = [cell for cell in run.cells if cell.outcome is Outcome.PASSED]
    known = before.cells if before else ()
    earlier = {cell.name: cell for cell in known if cell.outcome is Outcome.PASSED and not cell.arguments}
    return next(_found(failing, passing, earlier, run), None)


def _found(
    failing: Iterable[CellResult], passing: Iterable[CellResult], earlier: Mapping[str, CellResult], run: RunResult
) -> Iterator[Suspect]:
    failing, passing, blamed = list(failing), list(passing), blame(run)
    for cell in failing:
        if cell.name in earlier:
            is_mock = blamed[cell.name].culprit is Culprit.MOCK
            yield from _that_are_new(cell, earlier[cell.name], _MOTO_FIRST if is_mock else _PACKAGES)
    for cell in failing:
        if cell.name not in earlier:  # else it is something else that is new: another boto3 would only lead astray
            yield from _nearest_that_passes(cell, [other for other in passing if other.python == cell.python])


def _that_are_new(cell: CellResult, before: CellResult, packages: Iterable[str]) -> Iterator[Suspect]:
    for package in packages:
        good, bad = _version(before, package), _version(cell, package)
        if good is not None and bad is not None and good != bad:
            because = f"{cell.name} passed before, with {package} {good}."
            yield Suspect(package, good, bad, cell.python, because)


def _nearest_that_passes(cell: CellResult, passing: Iterable[CellResult]) -> Iterator[Suspect]:
    """Find the newest older release that passes, or else the oldest newer one."""
    bad = _version(cell, "boto3")
    releases = {version: other.name for other in passing if (version := _version(other, "boto3")) not in (None, bad)}
    if bad is None or not releases:
        return
    older = [version for version in releases if version is not None and version < bad]
    newer = [version for version in releases if version is not None and version > bad]
    good = max(older) if older else min(newer)
    yield Suspect("boto3", good, bad, cell.python, f"{cell.name} fails and {releases[good]} passes.")


def _version(cell: CellResult, package: str) -> Version | None:
    try:
        return Version(cell.installed.get(package, ""))
    except InvalidVersion:
        return None
