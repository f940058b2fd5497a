"""`python -m boto_matrix bisect`: the first release at which a cell ends otherwise, found by running cells."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field

from packaging.version import InvalidVersion, Version
from rich.console import Console

from boto_matrix.candidates import Candidates
from boto_matrix.fingerprint import surface_of, what_changed
from boto_matrix.halving import first_difference, most_questions
from boto_matrix.index import IndexUnavailable, NoSuchRelease, PackageIndex, index_from_environment
from boto_matrix.interpreters import Interpreters, how_to_get
from boto_matrix.project import project_matrix
from boto_matrix.results import CellResult, Outcome, SetOutcome
from boto_matrix.sources import ReleasedSources
from boto_matrix.stands_on import mock_stands_on, patch_stands_on
from boto_matrix.surface_errors import SurfaceError
from boto_matrix.trial import Trial, TrialError, run_trial

_PACKAGES = ("boto3", "botocore", "moto")
_STOPPED = 130  # 128 + SIGINT, as a shell has it
_JUDGED = {"passed": True, "failed": False, "crashed": False}  # outcomes of sets, and of cells


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--good", required=True, type=_release, metavar="VERSION", help="a release that passes")
    parser.add_argument("--bad", required=True, type=_release, metavar="VERSION", help="one that fails, newer or older")
    parser.add_argument("--package", choices=_PACKAGES, default="boto3", help="whose releases (default: %(default)s)")
    parser.add_argument("--set", dest="of_set", metavar="SET", help="redirects_patched, say; all sets if none is named")
    parser.add_argument("--python", metavar="3.12", help="on which Python (default: the newest that can run both ends)")


def main(arguments: argparse.Namespace, pytest_arguments: Sequence[str]) -> int:
    """Find the release.

    Returns:
        0 when it is found, 1 when the two ends do not differ as they should, 130 when it was stopped.

    Raises:
        MatrixError: matrix.yaml is wrong.
        TrialError: there is nothing to choose from, or a cell cannot be run.
        IndexUnavailable: the index must be asked what releases there are.
        NoSuchRelease: it does not have one of the ends.

    """
    index = index_from_environment()
    ends = sorted([arguments.good, arguments.bad])
    python = _python(arguments.python, arguments.package, ends, index)
    candidates = Candidates(arguments.package, python, project_matrix(), index)
    console = Console(highlight=False, emoji=False, soft_wrap=True)
    search = _Search(arguments, candidates.between(*ends), candidates, pytest_arguments, console)
    console.print(f"At most {search.most_cells} cells on Python {python}.", markup=False)
    try:
        return search.run()
    except KeyboardInterrupt:
        search.say_how_to_go_on()
        return _STOPPED


def _release(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        raise argparse.ArgumentTypeError(f"{text} is no release; expected one such as 1.44.5") from None


def _python(named: str | None, package: str, ends: Sequence[Version], index: PackageIndex) -> str:
    """Choose the Python: the one that is named, or the newest on this machine that both ends support."""
    pythons, interpreters = project_matrix().pythons, Interpreters()
    if named is not None:
        if named not in pythons:
            raise TrialError(f"Python {named} is not in the matrix; expected one of {', '.join(pythons)}")
        if interpreters.find(named) is None:
            raise TrialError(f"there is no Python {named} on this machine; {how_to_get(named)}")
        return named
    of_ends = [release for release in index.releases(package) if release.version in ends]
    for python in reversed(pythons):
        if all(release.supports(python) for release in of_ends) and interpreters.find(python) is not None:
            return python
    both = f"{package} {' and '.join(map(str, ends))}"
    raise TrialError(f"no Python of the matrix that is on this machine supports {both}; name one with --python")


@dataclass
class _Search:
    """The releases, and what is known of them so far."""

    asked: argparse.Namespace
    releases: Sequence[Version]
    candidates: Candidates
    pytest_arguments: Sequence[str]
    console: Console
    found: dict[int, CellResult] = field(default_factory=dict)

    @property
    def most_cells(self) -> int:
        """How many cells are run at most, those apart that cannot be installed: both ends, and what halving takes."""
        return 2 + most_questions(len(self.releases))

    def run(self) -> int:
        """Find the first that differs, and tell."""
        last = len(self.releases) - 1
        for end in (0, last):
            expected = self.releases[end] == self.asked.good
            if self._passes(end) is not expected:
                return self._refuse(end, should_pass=expected)
        at_start = self._passes(0)

        def differs(number: int) -> bool | None:
            passes = self._passes(number)
            return None if passes is None else passes is not at_start

        self._tell(*first_difference(len(self.releases), differs))
        return 0

    def say_how_to_go_on(self) -> None:
        """Say, after it was stopped, what is known and how to go on from there."""
        good = [number for number in self.found if self._verdict(number)]
        bad = [number for number in self.found if self._verdict(number) is False]
        pairs = [(one, other) for one in good for other in bad]
        if not pairs:
            self.console.print("Stopped; nothing is known yet.")
            return
        nearest = min(pairs, key=lambda pair: abs(pair[0] - pair[1]))
        command = self._command(*(str(self.releases[number]) for number in nearest))
        self.console.print(f"Stopped. Go on with: {command}", markup=False)

    def _command(self, good: str, bad: str) -> str:
        options = {"--package": self.asked.package, "--set": self.asked.of_set, "--python": self.candidates.python}
        given = [part for option, value in options.items() if value is not None for part in (option, value)]
        tests = ["--", *self.pytest_arguments] if self.pytest_arguments else []
        return shlex.join(["python", "-m", "boto_matrix", "bisect", "--good", good, "--bad", bad, *given, *tests])

    def _passes(self, number: int) -> bool | None:
        """Say whether a release passes; None if it cannot be installed. It is run once."""
        if number not in self.found:
            shown = f"{self.asked.package} {self.releases[number]}"
            with Console(stderr=True).status(f"cell {len(self.found) + 1} of at most {self.most_cells}: {shown}"):
                self.found[number] = run_trial(self._trial(number), self.pytest_arguments)
            self.console.print(f"{shown}  {self._ended(number)}", markup=False)
        return self._verdict(number)

    def _trial(self, number: int) -> Trial:
        return self.candidates.trial(self.releases[number])

    def _verdict(self, number: int) -> bool | None:
        cell = self.found[number]
        if cell.outcome is Outcome.INSTALL_FAILED:
            return None
        outcome = self._outcome(cell)
        if outcome not in _JUDGED:
            sets = ", ".join(cell.sets) or "none"
            what = "the tests" if self.asked.of_set is None else f"the set {self.asked.of_set}"
            reason = f" ({cell.reason})" if cell.reason else ""
            raise TrialError(f"{what} did not run in {cell.name}{reason}; sets that are there: {sets}")
        return _JUDGED[outcome]

    def _outcome(self, cell: CellResult) -> SetOutcome | Outcome | None:
        if self.asked.of_set is None:
            return cell.outcome
        of_set = cell.sets.get(self.asked.of_set)
        return None if of_set is None else of_set.outcome

    def _ended(self, number: int) -> str:
        cell = self.found[number]
        if cell.outcome is Outcome.INSTALL_FAILED or self.asked.of_set is None:
            return cell.outcome.value + (f": {cell.reason}" if cell.reason else "")
        outcome = self._outcome(cell)
        return "not run" if outcome is None else outcome.value

    def _refuse(self, end: int, *, should_pass: bool) -> int:
        release, expected = self.releases[end], "passes" if should_pass else "fails"
        option = "--good" if should_pass else "--bad"
        says = f"{self.asked.package} {release} {self._ended(end)}, and {option} says that it {expected}"
        self.console.print(f"{says}: nothing to search. See it: {self.found[end].repeat}", markup=False)
        return 1

    def _tell(self, same: int, different: int) -> None:
        old, new = self.releases[same], self.releases[different]
        package, between = self.asked.package, self.releases[same + 1 : different]
        says = f"{package} {new} is the first release that differs"
        if between:
            untold = ", ".join(map(str, between))
            says = f"{package} {new} differs and {old} does not; those between could not be installed ({untold})"
        self.console.print(f"\n{says}.", markup=False)
        self._tell_surface(same, different)
        self.console.print("See it:", markup=False)
        for number in (same, different):
            self.console.print(f"    {self.found[number].repeat}  # {self._ended(number)}", markup=False)

    def _tell_surface(self, same: int, different: int) -> None:
        stands_on = mock_stands_on() if self.asked.package == "moto" else patch_stands_on()
        old, new = (self._watched(number) for number in (same, different))
        if old is None or new is None:
            return
        between = f"{stands_on.package} {old} and {new}"
        try:
            sources = ReleasedSources(self.candidates.index)
            surfaces = [surface_of(sources.of(stands_on.package, version), stands_on) for version in (old, new)]
        except (SurfaceError, IndexUnavailable, NoSuchRelease) as error:
            self.console.print(f"Whether the surface of {between} differs cannot be told: {error}", markup=False)
            return
        changed = what_changed(*surfaces)
        if not changed:
            self.console.print(f"Nothing that is stood on differs between {between}: look elsewhere.", markup=False)
            return
        package = "" if stands_on.package == "botocore" else f" --package {stands_on.package}"
        self.console.print(f"What is stood on changed between {between}: {', '.join(changed)}.", markup=False)
        self.console.print(f"    python -m boto_matrix surface{package} --diff {old} {new}", markup=False)

    def _watched(self, number: int) -> str | None:
        """Give the release of botocore, or of moto, that was tried."""
        return str(self.releases[number]) if self.asked.package == "moto" else self._trial(number).botocore
