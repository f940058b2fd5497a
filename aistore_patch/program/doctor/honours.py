"""What a cluster honours: the guard's table, tried on objects of the doctor's own, which are removed again."""

from __future__ import annotations

from collections import Counter
from typing import Iterator

from ... import RedirectError
from .finding import NOTE, OK, PROBLEM, WARNING, Finding, plain
from .gateway import Gateway
from .lab import FAILURES, Lab
from .probes import NOT_TRIED, PROBES, Probe

HONOURED = "honoured"
IGNORED = "not honoured"
REFUSED = "refused by the cluster"
UNSENT = "not carried by a redirect"

TOLD = {
    HONOURED: (NOTE, "{} is honoured here, though the patch refuses it"),
    IGNORED: (OK, "{} is not honoured: the patch is right to refuse it"),
    REFUSED: (OK, "{} is refused by the cluster as well as by the patch"),
    UNSENT: (OK, "{} is not carried by the redirects of this cluster: the patch is right to refuse it"),
}

PLACED = frozenset(("QuestionMarkKey", "PercentKey", "LongKey"))
"""What goes well as long as there is one target, so that it is not for a cluster of one to say that it does."""


def findings(gateway: Gateway) -> Iterator[Finding]:
    """Try each line of the guard's table, compare, and clean up whatever happens.

    Args:
        gateway: an endpoint that was looked at.
    """
    if not gateway.is_well or not gateway.is_aistore or gateway.bucket is None:
        why = "there are problems above" if not gateway.is_well else "this is no AIStore"
        yield Finding(NOTE, "honoured", f"nothing was written, since {why}")
        return
    lab = Lab(gateway.client(), gateway.bucket, gateway.policy)
    failure = None
    with lab:
        try:
            _try_plain_calls(lab)
            yield from _compared(lab, len(gateway.targets))
        except FAILURES as error:
            failure = error
    if failure is not None:
        yield Finding(PROBLEM, "honoured", f"a plain call fails: {plain(failure)}", "Nothing more was tried")
    yield _left(lab)


def _try_plain_calls(lab: Lab) -> None:
    """Make the calls without which nothing else can be tried; raises one of `FAILURES`."""
    key = lab.put("plain")
    lab.read(key)
    lab.listed()
    lab.copy(key, "copy")
    lab.put_in_parts("parts")


def _compared(lab: Lab, targets: int) -> Iterator[Finding]:
    outcomes: dict[str, list[str]] = {}
    for probe in PROBES:
        outcome = _outcome(lab, probe)
        if outcome is not None:
            outcomes.setdefault(probe.name, []).append(outcome)
            yield _told(probe, outcome, lab.policy.honoured) if targets else _told_of_no_redirect(probe, outcome)
    counts = Counter(outcome for each in outcomes.values() for outcome in each)
    yield Finding(OK, "honoured", ", ".join(f"{counts[what]} {what}" for what in sorted(counts)))
    untried = ", ".join(sorted(set(NOT_TRIED) | {probe.name for probe in PROBES} - set(outcomes)))
    yield Finding(NOTE, "honoured", f"not tried, and refused by the patch as ever: {untried}")
    sure = {name for name, each in outcomes.items() if set(each) == {HONOURED}}
    names = sure if targets > 1 else sure - PLACED
    if targets and names - lab.policy.honoured:
        value = ",".join(sorted(names | lab.policy.honoured))
        do = f"To have the patch let it pass, set AISTORE_PATCH_HONOURED={value}"
        yield Finding(NOTE, "honoured", "this cluster honours more than the patch expects", do)


def _outcome(lab: Lab, probe: Probe) -> str | None:
    """What becomes of a probe; None where this botocore cannot ask for it."""
    if not lab.can(probe.operation, probe.parameter):
        return None
    try:
        with lab.honouring(probe.name):
            return HONOURED if probe.is_honoured(lab) else IGNORED
    except RedirectError:
        return UNSENT
    except FAILURES:
        lab.listed()  # a cluster that does not answer any more has not refused; raises
        return REFUSED


def _told(probe: Probe, outcome: str, lets_pass: frozenset[str]) -> Finding:
    about = f"honoured.{probe.name}"
    if probe.name not in lets_pass:
        level, text = TOLD[outcome]
        return Finding(level, about, text.format(_what(probe)))
    if outcome in (IGNORED, UNSENT):
        do = f"Take {probe.name} out of AISTORE_PATCH_HONOURED"
        return Finding(PROBLEM, about, f"{_what(probe)} is {outcome}, and the policy lets it pass", do)
    return Finding(OK, about, f"{_what(probe)} is {outcome}, and the policy lets it pass")


def _told_of_no_redirect(probe: Probe, outcome: str) -> Finding:
    """The patch sees no call of a gateway that answers all by itself, and so refuses none."""
    text = f"{_what(probe)} is {outcome}"
    if outcome == IGNORED:
        return Finding(WARNING, f"honoured.{probe.name}", f"{text}, and without a redirect the patch cannot refuse it")
    return Finding(OK, f"honoured.{probe.name}", text)


def _what(probe: Probe) -> str:
    return probe.name if probe.name == probe.operation else f"{probe.name} with {probe.operation}"


def _left(lab: Lab) -> Finding:
    if not lab.left:
        return Finding(OK, "clean-up", f"what was written below {lab.prefix} is removed")
    do = f"Delete what is below {lab.prefix} in the bucket {plain(lab.bucket)}"
    return Finding(PROBLEM, "clean-up", f"not all that was written could be removed: {plain(', '.join(lab.left))}", do)
