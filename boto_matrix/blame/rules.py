"""Who is at fault in a cell that failed: a table of rules over the evidence, of which the first that holds decides.

The four sets are the ground: where a test fails patched and its unpatched controls pass, only the patch has changed;
where a control fails too, the patch cannot be what did it. A rule is here only if a real fault of its kind has been put
in and was found by it (tests/boto_matrix/test_blame_seeded.py); where none holds, the culprit is unknown, and what the
tool itself said last is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from boto_matrix.blame.evidence import (
    PLAIN_CONTROL,
    REDIRECT_CONTROL,
    Code,
    Evidence,
    Kind,
    last_error,
    raised_in,
)
from boto_matrix.results.model import CellResult, Outcome, RunResult, SetOutcome


class Culprit(str, Enum):
    """Who can be at fault."""

    PATCH = "the patch"
    MOCK = "the mock or moto"
    BOTOCORE = "botocore"
    RESOLVER = "the resolver"
    INTERPRETER = "the interpreter"
    NETWORK = "the network"
    UNKNOWN = "unknown"

    @property
    def heading(self) -> str:
        """The verdict in a few words."""
        return "Unknown who is at fault" if self is Culprit.UNKNOWN else f"At fault: {self.value}"


@dataclass(frozen=True)
class Verdict:
    """Who is at fault in a cell.

    Attributes:
        culprit: who.
        because: the evidence, as the end of a sentence.
        rule: the `when` of the rule that decided.

    """

    culprit: Culprit
    because: str
    rule: str

    def beside(self, reason: str | None) -> str:
        """Give the verdict for where the cell's own reason stands already: the same is not said twice."""
        return self.culprit.heading if self.because == reason else f"{self.culprit.heading}: {self.because}"


@dataclass(frozen=True)
class Rule:
    """One row of the table.

    Attributes:
        culprit: who is at fault where the rule holds.
        when: what it looks for, in words.
        finds: the evidence as the end of a sentence; None where the rule does not hold.

    """

    culprit: Culprit
    when: str
    finds: Callable[[Evidence], str | None]


def blame(run: RunResult) -> Mapping[str, Verdict]:
    """Say for each cell that failed, or has no Python, who is at fault; by the cell's name."""
    verdicts = {cell.name: blame_cell(cell) for cell in run.cells}
    return {name: verdict for name, verdict in verdicts.items() if verdict is not None}


def blame_cell(cell: CellResult) -> Verdict | None:
    """Say who is at fault in a cell; None if it did not fail."""
    if not cell.outcome.is_failure and cell.outcome is not Outcome.NO_INTERPRETER:
        return None
    evidence = Evidence(cell)
    for rule in RULES:
        found = rule.finds(evidence)
        if found is not None:
            return Verdict(rule.culprit, found, rule.when)
    return Verdict(Culprit.UNKNOWN, _what_the_tool_said(cell), "no rule holds")


# The environment could not be made

# What uv, git and our own index client print when nothing answers. An index that turns one away, with a 401 say, has
# answered.
_UNREACHABLE = re.compile(
    r"error sending request|dns error|failed to lookup|name resolution|could not resolve host|are you offline"
    r"|network was disabled|UV_OFFLINE is set|network is unreachable|no route to host|connection refused"
    r"|connection reset|connect timeout|timed out|tcp connect|status server error|no answer within",
    re.IGNORECASE,
)
_UNSATISFIABLE = re.compile(r"no solution found|has no wheel|is installed, .* was asked for", re.IGNORECASE)


def _no_interpreter(evidence: Evidence) -> str | None:
    if evidence.cell.outcome is Outcome.NO_INTERPRETER:
        return evidence.cell.reason or f"there is no Python {evidence.cell.python} on this machine"
    return None


def _install_says(pattern: re.Pattern[str]) -> Callable[[Evidence], str | None]:
    def finds(evidence: Evidence) -> str | None:
        cell = evidence.cell
        if cell.outcome is not Outcome.INSTALL_FAILED:
            return None
        return next((line for line in _lines(cell.reason, cell.output) if pattern.search(line)), None)

    return finds


# Nothing could be run

_BROKEN_BY = re.compile(r"ended by SIG(SEGV|BUS|ILL|ABRT)")


def _no_test_ran_for(*codes: Code) -> Callable[[Evidence], str | None]:
    def finds(evidence: Evidence) -> str | None:
        code = raised_in(evidence.import_text) if evidence.is_nothing_run else None
        if code is None or code not in codes:
            return None
        error = last_error(evidence.import_text) or evidence.cell.reason or "it says nothing"
        return f"{code.value} could not be imported on Python {evidence.cell.python}, so that no test ran: {error}"

    return finds


def _process_died_before_any_test(evidence: Evidence) -> str | None:
    reason = evidence.cell.reason or ""
    if evidence.is_nothing_run and _BROKEN_BY.search(reason):
        return f"no test ran on Python {evidence.cell.python}: {reason}"
    return None


# Something crashed, or never ended

_CONTROLS = (PLAIN_CONTROL, REDIRECT_CONTROL)


def _only_patched_cut_off(evidence: Evidence) -> str | None:
    controls = [evidence.cell.sets.get(name) for name in _CONTROLS]
    do_pass = all(one is not None and one.outcome is SetOutcome.PASSED for one in controls)
    if evidence.cell.outcome is Outcome.CRASHED and evidence.cut_off and do_pass:
        return f"{' and '.join(evidence.cut_off)} did not come to an end; the unpatched controls did, and pass"
    return None


# Tests failed


def _says_itself(pattern: str, *sets: str) -> Callable[[Evidence], str | None]:
    def finds(evidence: Evidence) -> str | None:
        errors = (one.error for one in dict.fromkeys(evidence.tracebacks(*sets)))  # many tests fail alike
        return next((error for error in errors if error and re.search(pattern, error)), None)

    return finds


def _raised_in_mock(evidence: Evidence) -> str | None:
    for one in evidence.tracebacks(*_CONTROLS):
        if one.raised_in in (Code.MOCK, Code.MOTO) and one.raised_in is not None:
            return f"an unpatched control fails by an error in {one.raised_in.value} itself: {one.error}"
    return None


# EPERM, EACCES, EAFNOSUPPORT, EADDRNOTAVAIL, ENETUNREACH, ECONNREFUSED, EHOSTUNREACH; and botocore's names for them
_NO_LOOPBACK = re.compile(
    r"\[Errno (1|13|97|99|101|111|113)\]|EndpointConnectionError|ConnectTimeoutError|Could not connect to the endpoint"
)


def _loopback_is_refused(evidence: Evidence) -> str | None:
    errors = [one.error for one in evidence.tracebacks()]
    refused = [error for error in errors if error and _NO_LOOPBACK.search(error)]
    if evidence.fails_on_sockets_only and len(refused) * 2 > len(errors):
        return f"{len(refused)} of {len(errors)} failing tests could not connect to this machine itself: {refused[0]}"
    return None


def _only_patched(evidence: Evidence) -> str | None:
    if evidence.kind is not Kind.ONLY_PATCHED:
        return None
    passes = "passes" if len(evidence.by_kind[Kind.ONLY_PATCHED]) == 1 else "pass"
    found = f"{_counted(evidence, Kind.ONLY_PATCHED)}, and {passes} in the unpatched controls"
    if evidence.on_sockets is SetOutcome.PASSED:
        return f"{found}. On real sockets all passes: look at the mock's targets, too"
    return found


def _only_with_moto(evidence: Evidence) -> str | None:
    if evidence.kind is Kind.PLAIN and evidence.on_sockets is SetOutcome.PASSED:
        return f"{_counted(evidence, Kind.PLAIN)}, while on real sockets, without moto, all passes"
    return None


def _without_moto_too(evidence: Evidence) -> str | None:
    if evidence.kind is Kind.PLAIN and evidence.on_sockets is SetOutcome.FAILED:
        return f"{_counted(evidence, Kind.PLAIN)}, and on real sockets, without moto, tests fail too"
    return None


def _only_unpatched_with_redirects(evidence: Evidence) -> str | None:
    if evidence.kind is Kind.REDIRECTED and not evidence.fails_patched_too:
        return f"{_counted(evidence, Kind.REDIRECTED)}: botocore itself takes them otherwise than it did"
    return None


RULES: tuple[Rule, ...] = (
    Rule(Culprit.INTERPRETER, "the Python is not on this machine", _no_interpreter),
    Rule(Culprit.NETWORK, "the install failed, and says that nothing answered", _install_says(_UNREACHABLE)),
    Rule(
        Culprit.RESOLVER,
        "the install failed, for no releases fit together, or installed others than asked for",
        _install_says(_UNSATISFIABLE),
    ),
    Rule(Culprit.PATCH, "no test ran, for importing aistore_patch fails", _no_test_ran_for(Code.PATCH)),
    Rule(Culprit.MOCK, "no test ran, for importing moto or the mock fails", _no_test_ran_for(Code.MOTO, Code.MOCK)),
    Rule(
        Culprit.INTERPRETER,
        "no test ran, for importing botocore fails on this Python",
        _no_test_ran_for(Code.BOTOCORE),
    ),
    Rule(Culprit.INTERPRETER, "no test ran, for the process crashed", _process_died_before_any_test),
    Rule(Culprit.PATCH, "a patched set died or did not end, and the controls pass", _only_patched_cut_off),
    Rule(
        Culprit.PATCH,
        "the patch itself says that it does not support this botocore",
        _says_itself("UnsupportedBotocoreError"),
    ),
    Rule(
        Culprit.PATCH,
        "a control finds botocore patched where nobody asked for it",
        _says_itself(r"has (patched|changed) botocore", *_CONTROLS),
    ),
    Rule(
        Culprit.MOCK,
        "the mock itself says that this moto lacks what it stands on",
        _says_itself("MotoHasMovedError"),
    ),
    Rule(Culprit.MOCK, "a control fails by an error that the mock or moto raised", _raised_in_mock),
    Rule(
        Culprit.NETWORK,
        "the four sets pass, and most that fails on real sockets could not connect on loopback",
        _loopback_is_refused,
    ),
    Rule(Culprit.PATCH, "most failing tests fail patched and pass in their unpatched controls", _only_patched),
    Rule(Culprit.MOCK, "tests fail without patch and redirects, and all sets on real sockets pass", _only_with_moto),
    Rule(Culprit.BOTOCORE, "tests fail without patch and redirects, and on real sockets too", _without_moto_too),
    Rule(Culprit.BOTOCORE, "tests fail with redirects only, and only unpatched", _only_unpatched_with_redirects),
)
"""The table: the first rule that holds decides."""


# How evidence is put into words

_SHOWN = 2
_TREE = "×╰─▶│ "  # noqa: RUF001 - it is uv that draws with a multiplication sign
_WORDS = {
    Kind.ONLY_PATCHED: "patched",
    Kind.PLAIN: "with nothing patched and nothing redirected",
    Kind.REDIRECTED: "unpatched with redirects",
}


def _counted(evidence: Evidence, kind: Kind) -> str:
    names = evidence.by_kind[kind]
    fail = "fails" if len(names) == 1 else "fail"
    others = sum(len(found) for other, found in evidence.by_kind.items() if other is not kind)
    rest = f" ({others} more fail in another way)" if others else ""
    return f"{_some(names)} {fail} {_WORDS[kind]}{rest}"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _what_the_tool_said(cell: CellResult) -> str:
    """Give the cell's reason, and the last line of what was printed that names an error, or else the last line."""
    reason = cell.reason or "it failed, and nothing is known of it"
    lines = _lines(cell.output)
    said = next((line for line in reversed(lines) if "error" in line.lower()), lines[-1] if lines else "")
    return reason if not said or said in reason else f"{reason}: {said}"


def _lines(*texts: str | None) -> list[str]:
    """Give the lines that say something, without the tree that uv draws before its own."""
    lines: Iterable[str] = (line.strip(_TREE) for text in texts for line in (text or "").splitlines())
    return [line for line in lines if line]
