"""The one issue on GitHub that says what there is to do after a nightly run; it is closed when there is nothing."""

from __future__ import annotations

from dataclasses import dataclass

from boto_matrix.ci.github import gh, gh_json
from boto_matrix.report.markdown import code_block, markdown
from boto_matrix.report.model import Report

_ROOM = 60_000  # characters of an issue's body, of which GitHub takes 65,536
_ROOM_FOR_BISECT = 8_000
_SHOWN = 50
_LABEL = "boto-matrix"
"""By it the issue is found again: only who may write to the repository can give a label, so nobody else's is taken."""


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


def open_or_update(issue: NightlyIssue) -> str:
    """Open the issue on GitHub, or bring the open one up to date; returns what was done.

    Raises:
        GhError: gh is missing, or could not do it.

    """
    number = _open_issue()
    if number is not None:
        gh("issue", "edit", number, "--title", issue.title, "--body-file", "-", text=issue.body)
        return f"issue {number} is up to date: {issue.title}"
    gh("label", "create", _LABEL, "--force", "--description", "The nightly matrix is red", "--color", "B60205")
    created = gh("issue", "create", "--title", issue.title, "--label", _LABEL, "--body-file", "-", text=issue.body)
    return f"opened {created.strip()}: {issue.title}"


def close(issue: NightlyIssue) -> str:
    """Close the issue on GitHub if there is one; returns what was done.

    Raises:
        GhError: gh is missing, or could not do it.

    """
    number = _open_issue()
    if number is None:
        return f"{issue.title}: nothing to tell"
    gh("issue", "close", number, "--comment", f"{issue.title}. {issue.link}".strip())
    return f"issue {number} is closed: {issue.title}"


def _open_issue() -> str | None:
    found = gh_json("issue", "list", "--label", _LABEL, "--state", "open", "--json", "number", "--limit", "1")
    return str(found[0]["number"]) if found else None


def _cut(text: str, room: int) -> str:
    """Cut text at the end of a line, if it is too long, and say so."""
    if len(text) <= room:
        return text.rstrip("\n")
    return f"{text[:room].rpartition(chr(10))[0]}\n\n… cut here; the report of the run has it whole"
