"""How a cell ended, from what is known of it. Only facts go in, and exactly one outcome comes out."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from boto_matrix.results.model import CellReport, Outcome, SetOutcome

# https://docs.pytest.org/en/stable/reference/exit-codes.html
_SOME_TESTS_FAILED = 1
_NO_TESTS_COLLECTED = 5


@dataclass(frozen=True)
class Ended:
    """What is known of the tests of a cell that have ended.

    Attributes:
        exit_code: of their process, negative when a signal ended it; None if it could not be started.
        timed_out: whether they were ended for taking too long.
        requested: what had to be installed, by package: a version or a specifier.
        report: what they wrote, if they did.

    """

    exit_code: int | None
    timed_out: bool
    requested: Mapping[str, str]
    report: CellReport | None


def outcome_of(ended: Ended) -> tuple[Outcome, str | None]:
    """Give the outcome and, unless it is `passed`, the reason in a sentence."""
    if ended.report is not None and (wrong := _wrong_versions(ended.requested, ended.report.packages)):
        return Outcome.INSTALL_FAILED, wrong
    if (crash := _crash(ended)) is not None:
        return Outcome.CRASHED, crash
    sets = ended.report.sets if ended.report is not None else {}
    outcomes = {one.outcome for one in sets.values()}
    if SetOutcome.FAILED in outcomes:
        return Outcome.FAILED, _failed_tests(ended.report)
    if ended.exit_code == _SOME_TESTS_FAILED:
        return Outcome.FAILED, "pytest found a failure outside the sets"
    if SetOutcome.PASSED not in outcomes:
        return Outcome.NOT_RUN, "every test was skipped" if SetOutcome.SKIPPED in outcomes else "no test was selected"
    return Outcome.PASSED, None


def _crash(ended: Ended) -> str | None:
    if ended.timed_out:
        return "the tests took longer than they may (tests_timeout in tox.ini) and were ended"
    if ended.exit_code is None:
        return "the tests could not be started"
    if ended.exit_code < 0:
        return f"the tests were ended by {_signal_name(-ended.exit_code)}"
    if ended.report is None:
        return f"the tests ended with exit code {ended.exit_code} and left no results"
    if crashed := [name for name, one in ended.report.sets.items() if one.outcome is SetOutcome.CRASHED]:
        return f"{_listed(crashed)} crashed"
    # A set of which no test was selected, by `-k` say, has none, and nothing of it is left. With `-x` a failure is the
    # end of all.
    left = [name for name, one in ended.report.sets.items() if one.outcome is SetOutcome.NOT_RUN and one.tests]
    failed = any(one.outcome is SetOutcome.FAILED for one in ended.report.sets.values())
    if left and not (failed and ended.exit_code == _SOME_TESTS_FAILED):
        return f"the tests ended with exit code {ended.exit_code} before {_listed(left)} had run"
    if ended.exit_code not in (0, _SOME_TESTS_FAILED, _NO_TESTS_COLLECTED):
        return f"pytest ended with exit code {ended.exit_code}"
    return None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _failed_tests(report: CellReport | None) -> str:
    sets = report.sets.items() if report is not None else ()
    failed = {
        name: [test.name for test in one.tests if test.outcome is SetOutcome.FAILED]
        for name, one in sets
        if one.outcome is SetOutcome.FAILED
    }
    return ", ".join(f"{_counted(tests)} in {name}" for name, tests in failed.items())


def _counted(tests: list[str]) -> str:
    if len(tests) == 1:
        return tests[0]
    return f"{tests[0]} and {len(tests) - 1} more" if tests else "something outside the tests"


def _wrong_versions(requested: Mapping[str, str], packages: Mapping[str, str]) -> str | None:
    installed = {canonicalize_name(name): version for name, version in packages.items()}
    wrong = [
        f"{package} {found} is installed, {expected} was asked for"
        if (found := installed.get(canonicalize_name(package)))
        else f"{package} is not installed, {expected} was asked for"
        for package, expected in requested.items()
        if not _is_version(installed.get(canonicalize_name(package)), expected)
    ]
    return "; ".join(wrong) or None


def _is_version(installed: str | None, expected: str) -> bool:
    if installed is None:
        return False
    try:
        return Version(installed) == Version(expected)
    except InvalidVersion:
        pass
    try:
        return SpecifierSet(expected).contains(installed, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return installed == expected


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
