"""What a nightly run means to those who look after the matrix: is there anything to do, and what."""

from __future__ import annotations

from dataclasses import dataclass

from boto_matrix.ci.code_block import code_block
from boto_matrix.report.markdown import markdown
from boto_matrix.report.model import Report

_ROOM = 60_000  # characters of an issue's body, of which GitHub takes 65,536
_ROOM_FOR_BISECT = 8_000
_SHOWN = 50


@dataclass(frozen=True)
class NightlyIssue:
    """What the issue about a nightly run says.

    Attributes:
        report: the results of the run, held against the matrix; None if it left none.
        asked: the names of the cells of the matrix.
        bisect: what the search for the release said, if there was one.
        link: where to look.

    """

    report: Report | None
    asked: tuple[str, ...]
    bisect: str = ""
    link: str = ""

    @property
    def is_green(self) -> bool:
        """Whether every cell of the matrix passed."""
        return self.report is not None and self.report.standing.is_green

    @property
    def unknown(self) -> tuple[str, ...]:
        """The names of the cells of which it is not known whether they pass."""
        if self.report is None:
            return self.asked
        return (*self.report.standing.unknown, *self.report.standing.in_part)

    @property
    def title(self) -> str:
        """The title of an issue about it."""
        if self.report is None:
            return "The matrix left no results"
        parts = [self.report.headline] if self.report.standing.is_red or not self.unknown else []
        if self.unknown:
            parts.append(f"{len(self.unknown)} of its cells did not run")
        return f"The matrix: {'; '.join(parts)}"

    @property
    def body(self) -> str:
        """The text of an issue about it, as Markdown."""
        blocks = [f"[The run]({self.link})" if self.link else "", self._unknown(), self._bisect()]
        others = "\n\n".join(block for block in blocks if block)
        report = markdown(self.report) if self.report is not None else ""
        return f"{_cut(report, _ROOM - len(others))}\n\n{others}\n".lstrip("\n")

    def _unknown(self) -> str:
        if not self.unknown:
            return ""
        more = len(self.unknown) - _SHOWN
        names = ", ".join(self.unknown[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        return f"### Did not run\n\n{names}"

    def _bisect(self) -> str:
        text = self.bisect.strip()
        return f"### Since which release\n\n{code_block(text[-_ROOM_FOR_BISECT:])}" if text else ""


def _cut(text: str, room: int) -> str:
    """Cut text at the end of a line, if it is too long, and say so."""
    if len(text) <= room:
        return text.rstrip("\n")
    return f"{text[:room].rpartition(chr(10))[0]}\n\n… cut here; the report of the run has it whole"
