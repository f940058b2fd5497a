"""The signs that stand for outcomes in a terminal."""

from __future__ import annotations

from dataclasses import dataclass

from boto_matrix.results.model import Outcome, SetOutcome


@dataclass(frozen=True)
class Symbols:
    """A sign for each outcome of a set; each differs in shape, for those who see no colour."""

    passed: str
    failed: str
    crashed: str
    skipped: str
    not_run: str

    @classmethod
    def for_encoding(cls, encoding: str) -> Symbols:
        """Give the signs that an output of this encoding can show."""
        signs = cls("✓", "✗", "!", "s", "·")
        try:
            "".join((signs.passed, signs.failed, signs.not_run)).encode(encoding)
        except UnicodeEncodeError:
            return cls(".", "F", "!", "s", "-")
        return signs

    def of(self, outcome: SetOutcome) -> str:
        """Give the sign of an outcome."""
        signs = {
            SetOutcome.PASSED: self.passed,
            SetOutcome.FAILED: self.failed,
            SetOutcome.CRASHED: self.crashed,
            SetOutcome.SKIPPED: self.skipped,
            SetOutcome.NOT_RUN: self.not_run,
        }
        return signs[outcome]


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
