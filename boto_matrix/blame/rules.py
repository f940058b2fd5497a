"""Who is at fault in a cell that failed: a table of rules over the evidence, of which the first that holds decides.

The four sets are the ground: where a test fails patched and its unpatched controls pass, only the patch has changed;
where a control fails too, the patch cannot be what did it. Which of the others it was then follows from what else is
common to all that fails and to nothing that passes: the moto, the botocore, the Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from boto_matrix.blame.evidence import (
    PLAIN_CONTROL,
    REDIRECT_CONTROL,
    Code,
    Evidence,
    Kind,
    Run,
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
    UNCLEAR = "unclear"

    @property
    def heading(self) -> str:
        """The verdict in a few words."""
        return "Unclear who is at fault" if self is Culprit.UNCLEAR else f"At fault: {self.value}"


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
    cells = Run(run.cells)
    judged = {cell.name: blame_cell(cell, cells) for cell in run.cells}
    return {name: verdict for name, verdict in judged.items() if verdict is not None}


def blame_cell(cell: CellResult, run: Run | None = None) -> Verdict | None:
    """Say who is at fault in a cell; None if it did not fail.

    Args:
        cell: the cell.
        run: the cells of its run, which the rules compare it with; without them there is less to go by.

    """
    if not cell.outcome.is_failure and cell.outcome is not Outcome.NO_INTERPRETER:
        return None
    evidence = Evidence(cell, run)
    for rule in RULES:
        found = rule.finds(evidence)
        if found is not None:
            return Verdict(rule.culprit, found, rule.when)
    return Verdict(Culprit.UNCLEAR, cell.reason or "no rule fits what was found", "no rule holds")


# The environment could not be made

# What uv, pip and our own index client print when an index cannot be reached, or turns one away.
_UNREACHABLE = re.compile(
    r"error sending request|dns error|failed to lookup|name resolution|are you offline|network was disabled"
    r"|network is unreachable|connection refused|connection reset|connect timeout|timed out|tcp connect|certificate"
    r"|failed to fetch"
    r"|status server error|status client error \(40[137]|does not answer|cannot be asked",
    re.IGNORECASE,
)
_BROKEN_PYTHON = re.compile(r"failed to (inspect|query) python|querying python at|broken python", re.IGNORECASE)


def _no_interpreter(evidence: Evidence) -> str | None:
    if evidence.cell.outcome is Outcome.NO_INTERPRETER:
        return evidence.cell.reason or f"there is no Python {evidence.cell.python} on this machine"
    return None


def _index_is_unreachable(evidence: Evidence) -> str | None:
    if evidence.cell.outcome is Outcome.INSTALL_FAILED and (line := _line_with(_UNREACHABLE, _told(evidence))):
        reason = evidence.cell.reason or ""
        return reason if line in reason else f"the package index could not be reached: {line}"
    return None


def _python_is_broken(evidence: Evidence) -> str | None:
    if evidence.cell.outcome is Outcome.INSTALL_FAILED and (line := _line_with(_BROKEN_PYTHON, _told(evidence))):
        return f"Python {evidence.cell.python} is there and does not work: {line}"
    return None


def _install_failed(evidence: Evidence) -> str | None:
    if evidence.cell.outcome is Outcome.INSTALL_FAILED:
        return evidence.cell.reason or "what the cell asks for could not be installed"
    return None


# Nothing could be run


def _nothing_ran_for(*codes: Code) -> Callable[[Evidence], str | None]:
    def finds(evidence: Evidence) -> str | None:
        if evidence.is_nothing_run and (code := raised_in(evidence.import_text)) in codes and code is not None:
            return f"{code.value} could not be imported, so that no test ran: {_import_error(evidence)}"
        return None

    return finds


def _nothing_ran_on_any_python(evidence: Evidence) -> str | None:
    if not evidence.is_nothing_run or evidence.runs_elsewhere(on_same_python=False):
        return None
    if other := evidence.runs_elsewhere(on_same_python=True):
        cells = evidence.run.cells if evidence.run else ()
        is_alone = sum(cell.pin == evidence.cell.pin for cell in cells) < 2
        if not is_alone and raised_in(evidence.import_text) is Code.BOTOCORE:
            return f"it could be imported on no Python, while {other.name} runs on this one: {_import_error(evidence)}"
    return None


def _nothing_ran(evidence: Evidence) -> str | None:
    if not evidence.is_nothing_run or evidence.cell.outcome is not Outcome.CRASHED:
        return None
    other = evidence.runs_elsewhere(on_same_python=False)
    elsewhere = f"; {other.name} runs" if other else ""
    return f"no test ran on Python {evidence.cell.python}: {_import_error(evidence)}{elsewhere}"


# Something crashed, or never ended


def _only_patched_cut_off(evidence: Evidence) -> str | None:
    controls = [evidence.cell.sets.get(name) for name in _CONTROLS]
    do_pass = all(one is not None and one.outcome is SetOutcome.PASSED for one in controls)
    if evidence.cell.outcome is Outcome.CRASHED and evidence.cut_off and do_pass:
        return f"{_listed(evidence.cut_off)} did not come to an end; the unpatched controls did, and pass"
    return None


def _control_died(evidence: Evidence) -> str | None:
    died = [name for name in _CONTROLS if name in evidence.cut_off and name in evidence.failing]
    if died:
        return f"the process of {_listed(died)}, in which nothing is patched, died"
    return None


# Tests failed


def _patch_refuses(evidence: Evidence) -> str | None:
    return _error_with("UnsupportedBotocoreError", evidence)


def _patch_leaks(evidence: Evidence) -> str | None:
    error = _error_with(r"has (patched|changed) botocore", evidence, *_CONTROLS)
    return error and f"botocore is patched where nobody asked for it: {error}"


def _mock_refuses(evidence: Evidence) -> str | None:
    return _error_with("MotoHasMovedError", evidence)


def _raised_in_mock(evidence: Evidence) -> str | None:
    for failure in evidence.failures(*_CONTROLS):
        if failure.raised_in in (Code.MOCK, Code.MOTO) and failure.raised_in is not None:
            return f"an unpatched control fails by an error in {failure.raised_in.value} itself: {failure.error}"
    return None


# EPERM, EACCES, EAFNOSUPPORT, EADDRNOTAVAIL, ENETUNREACH, ECONNREFUSED, EHOSTUNREACH; and botocore's names for them
_NO_LOOPBACK = re.compile(
    r"\[Errno (1|13|97|99|101|111|113)\]|EndpointConnectionError|ConnectTimeoutError|Could not connect to the endpoint"
)


def _loopback_is_refused(evidence: Evidence) -> str | None:
    errors = [failure.error for failure in evidence.failures()]
    refused = [error for error in errors if error and _NO_LOOPBACK.search(error)]
    if evidence.fails_on_sockets_only and len(refused) * 2 > len(errors):
        return f"{len(refused)} of {len(errors)} failing tests could not connect to this machine itself: {refused[0]}"
    return None


def _only_patched(evidence: Evidence) -> str | None:
    if evidence.kind is not Kind.ONLY_PATCHED:
        return None
    found = f"{_counted(evidence, Kind.ONLY_PATCHED)}, and {_pass_or_passes(evidence)} in the unpatched controls"
    if evidence.on_sockets is SetOutcome.PASSED:
        return f"{found}. On real sockets all passes: look at the mock's targets, too"
    return found


def _python_differs(evidence: Evidence) -> str | None:
    if evidence.kind is Kind.PLAIN:
        test = evidence.by_kind[Kind.PLAIN][0]
        if other := evidence.passes_where_only_differs(None, test):
            return f"{_counted(evidence, Kind.PLAIN)}; the same botocore and moto pass in {other.name}"
    return None


def _moto_differs(evidence: Evidence) -> str | None:
    if evidence.kind is Kind.PLAIN:
        test = evidence.by_kind[Kind.PLAIN][0]
        if other := evidence.passes_where_only_differs("moto", test):
            return f"{_counted(evidence, Kind.PLAIN)}; {other.name} passes with moto {other.installed.get('moto')}"
        if number := evidence.fails_wherever_differs("botocore", test):
            moto = evidence.cell.installed.get("moto")
            return f"{_counted(evidence, Kind.PLAIN)}, also with {number} other botocores and the same moto {moto}"
    return None


def _sockets_pass(evidence: Evidence) -> str | None:
    if evidence.kind is Kind.PLAIN and evidence.on_sockets is SetOutcome.PASSED:
        return f"{_counted(evidence, Kind.PLAIN)}, while on real sockets, without moto, all passes"
    return None


def _botocore_differs(evidence: Evidence) -> str | None:
    if evidence.kind is Kind.PLAIN:
        test = evidence.by_kind[Kind.PLAIN][0]
        if other := evidence.passes_where_only_differs("botocore", test):
            return f"{_counted(evidence, Kind.PLAIN)}; the same moto passes with botocore {other.installed['botocore']}"
    return None


def _sockets_fail(evidence: Evidence) -> str | None:
    if evidence.kind is Kind.PLAIN and evidence.on_sockets is SetOutcome.FAILED:
        return f"{_counted(evidence, Kind.PLAIN)}, and on real sockets, without moto, tests fail too"
    return None


def _controls_fail(evidence: Evidence) -> str | None:
    if evidence.kind is Kind.PLAIN:
        return f"{_counted(evidence, Kind.PLAIN)}: the patch had no part in it"
    return None


def _redirects_are_taken_otherwise(evidence: Evidence) -> str | None:
    if evidence.kind is Kind.REDIRECTED and (
        not evidence.failing_patched_too or evidence.on_sockets is SetOutcome.FAILED
    ):
        return f"{_counted(evidence, Kind.REDIRECTED)}: botocore itself takes them otherwise than it did"
    return None


def _redirects_fail(evidence: Evidence) -> str | None:
    if evidence.kind is Kind.REDIRECTED:
        return f"{_counted(evidence, Kind.REDIRECTED)}, and patched as well: its redirects are not what they should be"
    return None


def _only_on_sockets(evidence: Evidence) -> str | None:
    if evidence.fails_on_sockets_only:
        names = [name for tests in evidence.failing.values() for name in tests]
        return f"the four sets pass; on real sockets {_some(names)} {_fail(names)}"
    return None


_CONTROLS = (PLAIN_CONTROL, REDIRECT_CONTROL)

RULES: tuple[Rule, ...] = (
    Rule(Culprit.INTERPRETER, "the Python is not on this machine", _no_interpreter),
    Rule(Culprit.NETWORK, "the install failed, and the index could not be reached", _index_is_unreachable),
    Rule(Culprit.INTERPRETER, "the install failed, and the Python does not work", _python_is_broken),
    Rule(Culprit.RESOLVER, "the install failed otherwise, or installed other versions than asked for", _install_failed),
    Rule(Culprit.PATCH, "no test ran, for importing aistore_patch fails", _nothing_ran_for(Code.PATCH)),
    Rule(Culprit.MOCK, "no test ran, for importing moto or the mock fails", _nothing_ran_for(Code.MOTO, Code.MOCK)),
    Rule(
        Culprit.BOTOCORE,
        "no test ran, for importing botocore fails on every Python, while others run on this one",
        _nothing_ran_on_any_python,
    ),
    Rule(Culprit.INTERPRETER, "no test ran: importing fails on this Python, or the process dies", _nothing_ran),
    Rule(Culprit.PATCH, "a patched set died or did not end, and the controls pass", _only_patched_cut_off),
    Rule(Culprit.INTERPRETER, "the process of a control died", _control_died),
    Rule(Culprit.PATCH, "the patch itself says that it does not support this botocore", _patch_refuses),
    Rule(Culprit.PATCH, "a control finds botocore patched", _patch_leaks),
    Rule(Culprit.MOCK, "the mock itself says that this moto lacks what it stands on", _mock_refuses),
    Rule(Culprit.MOCK, "a control fails by an error that the mock or moto raised", _raised_in_mock),
    Rule(
        Culprit.NETWORK,
        "the four sets pass, and most that fails on real sockets could not connect on loopback",
        _loopback_is_refused,
    ),
    Rule(Culprit.PATCH, "most failing tests fail patched and pass in their unpatched controls", _only_patched),
    Rule(
        Culprit.INTERPRETER,
        "tests fail without patch and redirects; with the same botocore and moto they pass on another Python",
        _python_differs,
    ),
    Rule(
        Culprit.MOCK,
        "tests fail without patch and redirects; they pass with another moto, or fail with every botocore on this moto",
        _moto_differs,
    ),
    Rule(Culprit.MOCK, "tests fail without patch and redirects, and all sets on real sockets pass", _sockets_pass),
    Rule(
        Culprit.BOTOCORE,
        "tests fail without patch and redirects; with the same moto they pass on another botocore",
        _botocore_differs,
    ),
    Rule(Culprit.BOTOCORE, "tests fail without patch and redirects, and on real sockets too", _sockets_fail),
    Rule(Culprit.MOCK, "tests fail without patch and redirects, and there is nothing to compare with", _controls_fail),
    Rule(
        Culprit.BOTOCORE,
        "tests fail with redirects only, unpatched and not patched, or on real sockets too",
        _redirects_are_taken_otherwise,
    ),
    Rule(Culprit.MOCK, "tests fail with redirects only, patched and unpatched", _redirects_fail),
    Rule(Culprit.PATCH, "the four sets pass and tests on real sockets fail", _only_on_sockets),
)
"""The table: the first rule that holds decides."""


# How evidence is put into words

_SHOWN = 2
_TREE = "×╰─▶│ "  # noqa: RUF001 - it is uv that draws with a multiplication sign


def _counted(evidence: Evidence, kind: Kind) -> str:
    names = evidence.by_kind[kind]
    others = sum(len(found) for other, found in evidence.by_kind.items() if other is not kind)
    rest = f" ({others} more fail in another way)" if others else ""
    return f"{_some(names)} {_fail(names)} {_WORDS[kind]}{rest}"


_WORDS = {
    Kind.ONLY_PATCHED: "patched",
    Kind.PLAIN: "with nothing patched and nothing redirected",
    Kind.REDIRECTED: "unpatched with redirects",
}


def _pass_or_passes(evidence: Evidence) -> str:
    return "passes" if len(evidence.by_kind[Kind.ONLY_PATCHED]) == 1 else "pass"


def _fail(names: Sequence[str]) -> str:
    return "fails" if len(names) == 1 else "fail"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names)


def _import_error(evidence: Evidence) -> str:
    return last_error(evidence.import_text) or evidence.cell.reason or "it says nothing"


def _told(evidence: Evidence) -> str:
    return f"{evidence.cell.output or ''}\n{evidence.cell.reason or ''}"


def _line_with(pattern: re.Pattern[str], text: str) -> str | None:
    """Give the first line that says it, without the tree that uv draws before its lines."""
    return next((line.lstrip(_TREE) for line in text.splitlines() if pattern.search(line)), None)


def _error_with(pattern: str, evidence: Evidence, *sets: str) -> str | None:
    errors = (failure.error for failure in dict.fromkeys(evidence.failures(*sets)))  # many tests fail alike
    return next((error for error in errors if error and re.search(pattern, error)), None)
