from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boto_matrix.results.model import CellReport, Outcome, SetOutcome, SetResult, TestResult
from boto_matrix.running.outcome import Ended, outcome_of

PIN = {"boto3": "1.26.24", "botocore": "1.29.24"}


def report(packages: dict[str, str] = PIN, **sets: SetOutcome) -> CellReport:
    made = {
        name: SetResult(
            outcome=outcome, seconds=1.0, tests=(TestResult(name=f"test_{name}", outcome=outcome, seconds=1.0),)
        )
        for name, outcome in sets.items()
    }
    return CellReport(format=1, python="3.11.7", executable="/python", packages=packages, sets=made)


def ended(
    exit_code: int | None = 0,
    told: CellReport | None = None,
    *,
    timed_out: bool = False,
    requested: dict[str, str] = PIN,
) -> Ended:
    return Ended(exit_code, timed_out, requested, told)


@pytest.mark.parametrize(
    ("facts", "outcome", "reason"),
    [
        (ended(0, report(a=SetOutcome.PASSED)), Outcome.PASSED, None),
        (ended(0, report(a=SetOutcome.PASSED, b=SetOutcome.SKIPPED)), Outcome.PASSED, None),
        (ended(1, report(a=SetOutcome.FAILED, b=SetOutcome.PASSED)), Outcome.FAILED, "test_a in a"),
        (ended(1, report(a=SetOutcome.PASSED)), Outcome.FAILED, "outside the sets"),
        (ended(1, report(a=SetOutcome.FAILED, b=SetOutcome.NOT_RUN)), Outcome.FAILED, "test_a in a"),
        (ended(1, report(a=SetOutcome.FAILED, b=SetOutcome.CRASHED)), Outcome.CRASHED, "b crashed"),
        (ended(2, report(a=SetOutcome.PASSED, b=SetOutcome.NOT_RUN)), Outcome.CRASHED, "before b had run"),
        (ended(4, report()), Outcome.CRASHED, "exit code 4"),
        (ended(0, None), Outcome.CRASHED, "left no results"),
        (ended(-9, report(a=SetOutcome.PASSED)), Outcome.CRASHED, "SIGKILL"),
        (ended(-250, None), Outcome.CRASHED, "signal 250"),
        (ended(None, None), Outcome.CRASHED, "could not be started"),
        (ended(-2, report(a=SetOutcome.PASSED), timed_out=True), Outcome.CRASHED, "took longer"),
        (ended(5, report()), Outcome.NOT_RUN, "no test was selected"),
        (ended(0, report(a=SetOutcome.SKIPPED)), Outcome.NOT_RUN, "every test was skipped"),
        (
            ended(3, report({"boto3": "1.26.24"})),
            Outcome.INSTALL_FAILED,
            "botocore is not installed, 1.29.24 was asked for",
        ),
        (
            ended(3, report({**PIN, "botocore": "1.29.165"})),
            Outcome.INSTALL_FAILED,
            "botocore 1.29.165 is installed, 1.29.24 was asked for",
        ),
    ],
)
def test_an_end_is_told_as_what_it_is(facts: Ended, outcome: Outcome, reason: str | None) -> None:
    found, told = outcome_of(facts)
    assert found is outcome
    assert told is None if reason is None else reason in (told or "")


@pytest.mark.parametrize(
    ("others", "outcome"), [({}, Outcome.NOT_RUN), ({"a": SetOutcome.PASSED}, Outcome.PASSED)]
)
def test_a_set_of_which_no_test_was_selected_did_not_crash(others: dict[str, SetOutcome], outcome: Outcome) -> None:
    told = report(PIN, **others)
    told.sets["deselected"] = SetResult(outcome=SetOutcome.NOT_RUN, seconds=0.0)
    assert outcome_of(ended(0 if others else 5, told))[0] is outcome


@pytest.mark.parametrize("wanted", ["1.26.24", ">=1.26,<1.27", "==1.26.*", "1.26.24.0"])
def test_a_version_or_a_specifier_may_be_asked_for(wanted: str) -> None:
    facts = ended(0, report(a=SetOutcome.PASSED), requested={"Boto3": wanted})
    assert outcome_of(facts) == (Outcome.PASSED, None)


SETS = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(SetOutcome), max_size=4)


@given(st.none() | st.integers(-70, 255), st.booleans(), st.none() | SETS)
def test_only_what_ended_well_with_a_set_that_passed_and_none_worse_has_passed(
    exit_code: int | None, timed_out: bool, sets: dict[str, SetOutcome] | None
) -> None:
    told = None if sets is None else report(PIN, **sets)
    outcome, reason = outcome_of(ended(exit_code, told, timed_out=timed_out))
    good = {SetOutcome.PASSED, SetOutcome.SKIPPED}
    well = exit_code in (0, 5) and not timed_out and sets is not None and set(sets.values()) <= good
    assert (outcome is Outcome.PASSED) == (well and SetOutcome.PASSED in (sets or {}).values())
    assert (reason is None) == (outcome is Outcome.PASSED)
