"""Finds the first release at which a cell ends otherwise, and tells what it does, what it found, and how to see it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from packaging.version import Version
from rich.console import Console
from rich.status import Status

from boto_matrix.bisect.candidates import Candidates
from boto_matrix.bisect.run_candidate import BisectError
from boto_matrix.bisect.search import Search
from boto_matrix.errors import IndexUnavailable, NoSuchRelease
from boto_matrix.machine.interpreters import Interpreters, how_to_get
from boto_matrix.matrix.load import project_matrix
from boto_matrix.releases.index import PackageIndex, index_from_environment
from boto_matrix.surface.declaration import Declaration, SurfaceError, declaration_of
from boto_matrix.surface.fingerprint import surface_of, what_changed
from boto_matrix.surface.sources import ReleasedSources

PACKAGES = ("boto3", "botocore", "moto")
"""The packages whose releases can be searched."""

_STOPPED = 130  # 128 + SIGINT, as a shell has it


@dataclass(frozen=True)
class Question:
    """What is searched for.

    Attributes:
        good: a release with which a cell passes.
        bad: one with which it fails, newer or older.
        package: whose releases they are, one of `PACKAGES`.
        python: on which Python; None for the newest on this machine that both releases support.
        of_set: the set that counts; None if all of a cell does.

    """

    good: Version
    bad: Version
    package: str = "boto3"
    python: str | None = None
    of_set: str | None = None


def find_release(question: Question, pytest_arguments: Sequence[str]) -> int:
    """Find the release, and tell.

    Returns:
        0 when it is found, 1 when the two ends do not end as they should, 130 when it was stopped.

    Raises:
        MatrixError: matrix.yaml is wrong.
        BisectError: there is nothing to choose from, or a cell cannot be run.
        IndexUnavailable: the index cannot be asked what releases there are.
        NoSuchRelease: it does not have one that it lists.

    """
    index = index_from_environment()
    python = _python(question.python, question.package, sorted([question.good, question.bad]), index)
    candidates = Candidates(question.package, python, project_matrix(), index)
    telling = _Telling(question, candidates, pytest_arguments)
    try:
        return telling.run()
    except KeyboardInterrupt:
        telling.say_how_to_go_on()
        return _STOPPED


def _python(named: str | None, package: str, ends: Sequence[Version], index: PackageIndex) -> str:
    """Choose the Python: the one that is named, or the newest on this machine that both ends support."""
    pythons, interpreters = project_matrix().pythons, Interpreters()
    if named is not None:
        if named not in pythons:
            raise BisectError(f"Python {named} is not in the matrix; expected one of {', '.join(pythons)}")
        if interpreters.find(named) is None:
            raise BisectError(f"there is no Python {named} on this machine; {how_to_get(named)}")
        return named
    of_ends = [release for release in index.releases(package) if release.version in ends]
    for python in reversed(pythons):
        if all(release.supports(python) for release in of_ends) and interpreters.find(python) is not None:
            return python
    both = f"{package} {' and '.join(map(str, ends))}"
    raise BisectError(f"no Python of the matrix that is on this machine supports {both}; name one with --python")


@dataclass
class _Telling:
    """A search, and the telling of what it finds."""

    question: Question
    candidates: Candidates
    pytest_arguments: Sequence[str]

    def run(self) -> int:
        """Find the release, and tell."""
        search = self.search
        self._say(f"At most {search.most_cells} cells on Python {self.candidates.python}.")
        for end in (0, len(search.releases) - 1):
            if search.passes(end) is not self._should_pass(end):
                return self._refuse(end)
        same, different = search.first_difference()
        self._tell(same, different)
        return 0

    @cached_property
    def search(self) -> Search:
        """What is searched."""
        releases = self.candidates.between(*sorted([self.question.good, self.question.bad]))
        return Search(
            self.candidates, releases, self.question.of_set, self.pytest_arguments, self._is_running, self._has_run
        )

    def say_how_to_go_on(self) -> None:
        """Say, after it was stopped, how to go on from what is known."""
        self._status.stop()
        known = self.search.nearest_known()
        if known is None:
            self._say("Stopped; nothing is known yet.")
            return
        package, of_set = self.question.package, self.question.of_set
        options = {"--package": package, "--set": of_set, "--python": self.candidates.python}
        given = [part for option, value in options.items() if value is not None for part in (option, value)]
        tests = ["--", *self.pytest_arguments] if self.pytest_arguments else []
        ends = ["--good", str(known[0]), "--bad", str(known[1])]
        command = shlex.join(["python", "-m", "boto_matrix", "bisect", *ends, *given, *tests])
        self._say(f"Stopped. Go on with: {command}")

    @cached_property
    def _console(self) -> Console:
        return Console(highlight=False, emoji=False, soft_wrap=True)

    @cached_property
    def _status(self) -> Status:
        return Console(stderr=True).status("")

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False)

    def _is_running(self, number: int) -> None:
        text = f"cell {len(self.search.found) + 1} of at most {self.search.most_cells}: {self._name(number)}"
        self._status.update(text)
        self._status.start()

    def _has_run(self, number: int) -> None:
        self._status.stop()
        self._say(f"{self._name(number)}  {self.search.ended(number)}")

    def _name(self, number: int) -> str:
        return f"{self.question.package} {self.search.releases[number]}"

    def _should_pass(self, end: int) -> bool:
        return bool(self.search.releases[end] == self.question.good)

    def _refuse(self, end: int) -> int:
        option, expected = ("--good", "passes") if self._should_pass(end) else ("--bad", "fails")
        says = f"{self._name(end)} {self.search.ended(end)}, and {option} says that it {expected}"
        self._say(f"{says}: nothing to search. See it: {self.search.found[end].repeat}")
        return 1

    def _tell(self, same: int, different: int) -> None:
        releases = self.search.releases
        does = "passes" if self.search.passes(different) else "fails"
        if between := releases[same + 1 : different]:
            untold = ", ".join(map(str, between))
            self._say(f"\n{self._name(different)} {does} and {releases[same]} does not; not installable: {untold}.")
        else:
            self._say(f"\n{self._name(different)} is the first release that {does}; {releases[same]} does not.")
        self._tell_surface(same, different)
        self._say("See it:")
        for number in (same, different):
            self._say(f"    {self.search.found[number].repeat}  # {self.search.ended(number)}")

    def _tell_surface(self, same: int, different: int) -> None:
        declaration = declaration_of("moto" if self.question.package == "moto" else "botocore")
        old, new = self._watched(same), self._watched(different)
        between = f"{declaration.package} {old} and {new}"
        try:
            changed = self._changed(declaration, old, new)
        except (SurfaceError, IndexUnavailable, NoSuchRelease) as error:
            self._say(f"Whether the surface of {between} differs cannot be told: {error}")
            return
        if not changed:
            self._say(f"Nothing that is stood on differs between {between}: look elsewhere.")
            return
        package = "" if declaration.package == "botocore" else f" --package {declaration.package}"
        self._say(f"What is stood on changed between {between}: {', '.join(changed)}.")
        self._say(f"    python -m boto_matrix surface{package} --diff {old} {new}")

    def _changed(self, declaration: Declaration, old: str, new: str) -> list[str]:
        sources = ReleasedSources(self.candidates.index)
        before, after = (surface_of(sources.of(declaration.package, version), declaration) for version in (old, new))
        return what_changed(before, after)

    def _watched(self, number: int) -> str:
        """Give the release of botocore, or of moto, that was tried."""
        candidate = self.search.candidate(number)
        return str(self.search.releases[number]) if self.question.package == "moto" else candidate.botocore
