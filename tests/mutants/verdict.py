"""What becomes of a mutant when the tests are run on it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from tests.mutants.lane import BrokenError, Lane, Trial
from tests.mutants.mutant import Mutant
from tests.mutants.suite import Suite

_TRIES = 3
_SLOWNESS = 5  # a run that takes so many times what it should is no better than one that hangs
_LEAST_SECONDS = 30.0


class Outcome(Enum):
    """What became of a mutant."""

    KILLED = "killed"
    HUNG = "hung"
    SURVIVED = "survived"

    @property
    def is_noticed(self) -> bool:
        """Whether the tests have noticed."""
        return self is not Outcome.SURVIVED


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant, and by which test."""

    outcome: Outcome
    test: str = ""


def tried(mutant: Mutant, lane: Lane, suite: Suite, patience: float, is_quick: bool) -> Verdict:
    """Run the tests on a mutant, until one fails.

    Args:
        mutant: what to try.
        lane: where.
        suite: the tests.
        patience: seconds that a test may take beside what it takes ordinarily.
        is_quick: whether some of the tests are enough.
    """
    try:
        with lane.open(mutant, suite.must_import(mutant)) as trial:
            verdict = _of_all(trial, suite.batches(mutant, is_quick), suite, patience)
    except BrokenError:
        return Verdict(Outcome.KILLED, "the import")
    except TimeoutError:
        return Verdict(Outcome.HUNG, "the import")
    if verdict.outcome.is_noticed:
        suite.learn(mutant, verdict.test)
    return verdict


def _of_all(trial: Trial, batches: Sequence[Sequence[str]], suite: Suite, patience: float) -> Verdict:
    """Run batches of tests, until one fails or all together take far too long."""
    began, expected = time.monotonic(), _LEAST_SECONDS
    for batch in batches:
        verdict = _of_file(trial, batch, [suite.limit(test, patience) for test in batch])
        if verdict.outcome.is_noticed:
            return verdict
        expected += _SLOWNESS * sum(suite.seconds[test] for test in batch)
        if time.monotonic() - began > expected:
            return Verdict(Outcome.HUNG, batch[-1])
    return Verdict(Outcome.SURVIVED)


def _of_file(trial: Trial, tests: Sequence[str], limits: Sequence[float]) -> Verdict:
    """Run tests of one file. A failure counts if there is one again: a test on real sockets may fail by chance."""
    for _ in range(_TRIES):
        outcome = trial.run(tests, limits)
        if outcome["hung"]:
            return Verdict(Outcome.HUNG, outcome["hung"])
        if not outcome["failed"]:
            return Verdict(Outcome.SURVIVED)
        (failed,) = outcome["failed"]
        until = tests.index(failed) + 1
        again = trial.run(tests[:until], limits)
        if again["failed"] or again["hung"]:
            return Verdict(Outcome.KILLED, failed)
    return Verdict(Outcome.SURVIVED)
