"""The symbols and styles that stand for outcomes in text."""

from __future__ import annotations

from collections.abc import Mapping

from boto_matrix.results.model import Outcome, SetOutcome

# Each differs in shape, for those who see no colour.
SYMBOLS: Mapping[SetOutcome, str] = {
    SetOutcome.PASSED: "✓",
    SetOutcome.FAILED: "✗",
    SetOutcome.CRASHED: "!",
    SetOutcome.SKIPPED: "s",
    SetOutcome.NOT_RUN: "·",
}
_IN_ASCII = {**SYMBOLS, SetOutcome.PASSED: ".", SetOutcome.FAILED: "F", SetOutcome.NOT_RUN: "-"}


def symbols_for(encoding: str) -> Mapping[SetOutcome, str]:
    """Give a symbol for each outcome of a set that an output of this encoding can show."""
    try:
        "".join(SYMBOLS.values()).encode(encoding)
    except UnicodeEncodeError:
        return _IN_ASCII
    return SYMBOLS


STYLES: dict[Outcome | SetOutcome, str] = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "bold red",
    Outcome.INSTALL_FAILED: "bold magenta",
    Outcome.NO_INTERPRETER: "dim",
    Outcome.CRASHED: "bold red",
    Outcome.NOT_RUN: "dim",
    SetOutcome.PASSED: "green",
    SetOutcome.FAILED: "bold red",
    SetOutcome.CRASHED: "bold red",
    SetOutcome.SKIPPED: "yellow",
    SetOutcome.NOT_RUN: "dim",
}
