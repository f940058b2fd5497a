"""What the result of a cell says about who is at fault in it: questions with plain answers, and no judgement.

The four sets are an experiment with two factors, the patch and the redirects; a test of the same name is in each of
them. The other sets talk to servers on real sockets, without moto.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, lru_cache

from boto_matrix.results.model import FOUR_SETS, CellResult, SetOutcome, SetResult, TestResult

PLAIN_CONTROL, REDIRECT_CONTROL, *PATCHED = FOUR_SETS

_COLLECTION = "collection"
"""The name under which a test file that could not be imported is noted."""

_LONGEST_ERROR = 200
_STATUSES = ("301", "302", "307", "308")


class Code(str, Enum):
    """Whose code a line is."""

    PATCH = "aistore_patch"
    MOCK = "the mock"
    MOTO = "moto"
    BOTOCORE = "botocore"
    TESTS = "the tests"


class Kind(str, Enum):
    """In which of the four sets a test fails."""

    ONLY_PATCHED = "patched, while its unpatched controls pass"
    PLAIN = "unpatched and without redirects"
    REDIRECTED = "unpatched with redirects, and not without"


# Lines of a traceback, as pytest writes them (`path.py:12: KeyError`, `path.py:12: in name`) and as Python does.
_FRAME = re.compile(
    r'^(?:INTERNALERROR> )?\s*(?:File "(?P<file>[^"]+)", line \d+|(?P<path>\S+\.py):\d+:)', re.MULTILINE
)
_ERROR = re.compile(r"^(?:E|INTERNALERROR>)\s+(\S*?\w+(?:Error|Exception|Interrupt|Exit)\b.*)$", re.MULTILINE)
_OWNERS = (
    (re.compile(r"(^|/)moto/"), Code.MOTO),
    (re.compile(r"(^|/)(botocore|boto3|s3transfer)/"), Code.BOTOCORE),
    (re.compile(r"(^|/)tests/.*mock_s3_redirect\.py$"), Code.MOCK),
    (re.compile(r"(^|/)aistore_patch/"), Code.PATCH),
    (re.compile(r"(^|/)tests/"), Code.TESTS),
)


@dataclass(frozen=True)
class Traceback:
    """What a failing test left."""

    detail: str

    @property
    def error(self) -> str | None:
        """The last error of its traceback, ``KeyError: 'boom'``; None if it has none."""
        return last_error(self.detail)

    @property
    def raised_in(self) -> Code | None:
        """Whose code raised it; None if it cannot be said."""
        return raised_in(self.detail)


@dataclass(frozen=True)
class Evidence:
    """A cell, and what can be asked of it."""

    cell: CellResult

    @cached_property
    def is_nothing_run(self) -> bool:
        """Whether no test came as far as to begin."""
        return not any(
            test.name != _COLLECTION and test.outcome is not SetOutcome.NOT_RUN
            for one in self.cell.sets.values()
            for test in one.tests
        )

    @cached_property
    def failing(self) -> dict[str, dict[str, TestResult]]:
        """The tests that failed, by set and name."""
        found = {
            name: {_base(test.name): test for test in one.tests if test.outcome.is_failure}
            for name, one in self.cell.sets.items()
        }
        return {name: tests for name, tests in found.items() if tests}

    @cached_property
    def cut_off(self) -> list[str]:
        """The sets that did not come to their end."""
        unfinished = (SetOutcome.CRASHED, SetOutcome.NOT_RUN)
        return [name for name, one in self.cell.sets.items() if one.outcome in unfinished and one.tests]

    @cached_property
    def by_kind(self) -> dict[Kind, list[str]]:
        """The names of the failing tests of the four sets, by where they fail; a name is under one kind only."""
        names = dict.fromkeys(name for one in FOUR_SETS for name in self.failing.get(one, ()))
        kinds: dict[Kind, list[str]] = {kind: [] for kind in Kind}
        for name in names:
            if self._fails(PLAIN_CONTROL, name):
                kinds[Kind.PLAIN].append(name)
            elif self._fails(REDIRECT_CONTROL, name):
                kinds[Kind.REDIRECTED].append(name)
            elif self._a_control_passes(name):
                kinds[Kind.ONLY_PATCHED].append(name)
        return kinds

    @cached_property
    def kind(self) -> Kind | None:
        """How most of its failing tests fail; in doubt, what is first in `Kind`. None if the controls say nothing."""
        most = max(Kind, key=lambda kind: len(self.by_kind[kind]))
        return most if self.by_kind[most] else None

    @cached_property
    def fails_patched_too(self) -> bool:
        """Whether a test that fails in a control fails patched as well."""
        names = {*self.by_kind[Kind.PLAIN], *self.by_kind[Kind.REDIRECTED]}
        return any(name in self.failing.get(one, ()) for name in names for one in PATCHED)

    @cached_property
    def on_sockets(self) -> SetOutcome | None:
        """How the sets that use real sockets and no moto ended, as one; None if there are none that ran."""
        outcomes = {one.outcome for name, one in self.cell.sets.items() if name not in FOUR_SETS}
        if any(outcome.is_failure for outcome in outcomes):
            return SetOutcome.FAILED
        return SetOutcome.PASSED if SetOutcome.PASSED in outcomes and SetOutcome.NOT_RUN not in outcomes else None

    @cached_property
    def fails_on_sockets_only(self) -> bool:
        """Whether what fails is in sets that use real sockets, while the patch's own set with the mock passes."""
        patched = self.cell.sets.get(PATCHED[-1])
        is_elsewhere = bool(self.failing) and not any(name in FOUR_SETS for name in self.failing)
        return is_elsewhere and patched is not None and patched.outcome is SetOutcome.PASSED

    def tracebacks(self, *sets: str) -> Iterator[Traceback]:
        """Give what each failing test left, of these sets or of all."""
        return map(Traceback, self._details(*sets))

    @cached_property
    def import_text(self) -> str:
        """What was printed when nothing could be run."""
        return "\n".join([*self._details(), self.cell.output or ""])

    def _details(self, *sets: str) -> Iterator[str]:
        for name, tests in self.failing.items():
            if not sets or name in sets:
                yield from (test.detail for test in tests.values() if test.detail)

    def _fails(self, name: str, test: str) -> bool:
        return test in self.failing.get(name, ())

    def _a_control_passes(self, test: str) -> bool:
        """Whether a control passes this very test, or, where it has no such test, all of its own."""
        controls = [name for name in (PLAIN_CONTROL, REDIRECT_CONTROL) if name in self.cell.sets]
        outcomes = (self._outcomes[name].get(test, self.cell.sets[name].outcome) for name in controls)
        return SetOutcome.PASSED in outcomes

    @cached_property
    def _outcomes(self) -> dict[str, dict[str, SetOutcome]]:
        return {name: _outcomes(one) for name, one in self.cell.sets.items()}


@lru_cache(maxsize=1024)  # rules ask again, and many tests fail alike
def last_error(text: str) -> str | None:
    """Give the error that a traceback of pytest ends with."""
    found = _ERROR.findall(text)
    return _shortened(found[-1].strip()) if found else None


@lru_cache(maxsize=1024)
def raised_in(text: str) -> Code | None:
    """Give whose code a traceback ends in; frames of the standard library and the like do not count."""
    frames = [match.group("file") or match.group("path") for match in _FRAME.finditer(text)]
    return next((code for frame in reversed(frames) if (code := _owner(frame)) is not None), None)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_ERROR else f"{text[:_LONGEST_ERROR]}…"


def _owner(path: str) -> Code | None:
    path = path.replace("\\", "/").rpartition("site-packages/")[2]
    return next((code for pattern, code in _OWNERS if pattern.search(path)), None)


@lru_cache(maxsize=None)
def _base(name: str) -> str:
    """Give a test's name without the status that the sets with redirects have as a parameter."""
    before, bracket, parameters = name.partition("[")
    kept = [one for one in parameters.rstrip("]").split("-") if one not in _STATUSES] if bracket else []
    return f"{before}[{'-'.join(kept)}]" if kept else before


def _outcomes(one: SetResult) -> dict[str, SetOutcome]:
    """Give how each test of a set ended, by its name without the status; badly if it did so with any."""
    found: dict[str, SetOutcome] = {}
    for test in one.tests:
        name = _base(test.name)
        if name not in found or not found[name].is_failure:
            found[name] = test.outcome
    return found
