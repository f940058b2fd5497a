"""The results as Markdown, for a README or the summary of a CI step: short, failures first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from boto_matrix.evidence import FOUR_SETS
from boto_matrix.glyphs import Glyphs
from boto_matrix.report.changes import Change, Changes
from boto_matrix.report.contents import Contents, Row
from boto_matrix.report.failures import Failure, failures_by_culprit
from boto_matrix.results import CellResult, Outcome, SetOutcome
from boto_matrix.unknown import called_out

_FAILURES = 10  # of each culprit
_NAMES = 12
_PACKAGES = 6
_ROWS_IN_SIGHT = 60
_GLYPHS = Glyphs.for_encoding("utf-8")
_WORDS = {
    Outcome.INSTALL_FAILED: "install",
    Outcome.NO_INTERPRETER: "—",
    Outcome.NOT_RUN: "·",
    Outcome.CRASHED: "crash",
}


def markdown(contents: Contents) -> str:
    """Give the report."""
    blocks = [_head(contents), *_failures(contents)]
    if contents.changes is not None:
        blocks.append(_changes(contents.changes))
    blocks += [f"**{_text(unknown)}**" for unknown in called_out(contents.run.cells)]
    blocks.append(_matrix(contents))
    return "\n\n".join(blocks) + "\n"


def _head(contents: Contents) -> str:
    run = contents.run
    overrides = " ".join(f"{name}={value}" for name, value in run.overrides.items())
    parts = [
        f"Run of {run.started:%Y-%m-%d %H:%M} UTC" if not run.runs else f"Merged from {len(run.runs)} runs",
        contents.left_out,
        f"with {_code(overrides)}" if overrides else "",
        "" if run.finished else "not finished",
    ]
    return f"## {contents.headline}\n\n{', '.join(part for part in parts if part)}."


def _failures(contents: Contents) -> Iterator[str]:
    if not contents.run.failures:
        return
    yield "### Failing"
    for culprit, failures in failures_by_culprit(contents):
        yield f"**{culprit.heading}**"
        more = len(failures) - _FAILURES
        rest = [f"- and {more} more"] if more > 0 else []
        yield "\n".join([*(_failure(failure) for failure in failures[:_FAILURES]), *rest])


def _failure(failure: Failure) -> str:
    names = _names([cell.name for cell in failure.cells])
    others = {cell.outcome.value for cell in failure.cells} - {Outcome.FAILED.value}
    how = f" ({', '.join(sorted(others))})" if others else ""
    lines = [f"- {names}{how}: {_text(failure.because)}", *(_code(command) for command in failure.repeat[:1])]
    return "  \n  ".join(lines)


def _changes(changes: Changes) -> str:
    title = f"### Since {changes.since.started:%Y-%m-%d %H:%M} UTC"
    lines = [f"- {change.value}: {_names(changes.of(change))}" for change in Change if changes.of(change)]
    if changes.gone:
        lines.append(f"- gone: {_names(changes.gone)}")
    for one in changes.packages[:_PACKAGES]:
        cells = f"{one.cells} cells" if one.cells > 1 else "1 cell"
        lines.append(f"- {_text(one.package)} {_text(one.before)} → {_text(one.now)} in {cells}")
    if len(changes.packages) > _PACKAGES:
        lines.append(f"- and {len(changes.packages) - _PACKAGES} more changes of packages")
    return f"{title}\n\n" + ("\n".join(lines) or "All is as it was.")


def _matrix(contents: Contents) -> str:
    head = f"| boto3 | {' | '.join(contents.pythons)} |\n|:--|{':-:|' * len(contents.pythons)}"
    table = "\n".join([head, *(_row(row, contents.pythons) for row in contents.rows)])
    legend = f"{_GLYPHS.passed} all sets pass. Otherwise each of {', '.join(FOUR_SETS)}, then all others: " + ", ".join(
        f"{_GLYPHS.of(outcome)} {outcome.value}" for outcome in SetOutcome
    )
    block = f"{table}\n\n{legend}."
    if len(contents.rows) <= _ROWS_IN_SIGHT:
        return block
    return f"<details><summary>{len(contents.rows)} pins</summary>\n\n{block}\n\n</details>"


def _row(row: Row, pythons: Sequence[str]) -> str:
    places = [_place(row.cells[python]) if python in row.cells else "" for python in pythons]
    return f"| {_text(row.label)} | {' | '.join(places)} |"


def _place(cell: CellResult) -> str:
    if cell.outcome is Outcome.PASSED:
        return _GLYPHS.passed
    if not cell.sets:
        return _WORDS.get(cell.outcome, _GLYPHS.failed)
    four = [cell.sets[name].outcome if name in cell.sets else SetOutcome.NOT_RUN for name in FOUR_SETS]
    others = {one.outcome for name, one in cell.sets.items() if name not in FOUR_SETS}
    worst = next((outcome for outcome in (SetOutcome.CRASHED, SetOutcome.FAILED) if outcome in others), None)
    signs = "".join(_GLYPHS.of(outcome) for outcome in four)
    return f"{signs} {_GLYPHS.of(worst)}" if worst else signs


def _names(names: Sequence[str]) -> str:
    more = len(names) - _NAMES
    return ", ".join(_text(name) for name in names[:_NAMES]) + (f" and {more} more" if more > 0 else "")


def _text(text: str) -> str:
    """Write text so that Markdown takes nothing in it for its own, nor HTML, nor GitHub a name for a user's."""
    flat = " ".join(text.split())
    escaped = re.sub(r"([\\`*{}\[\]#|~$!]|(?<!\w)_|_(?!\w))", r"\\\1", flat.replace("&", "&amp;").replace("<", "&lt;"))
    return escaped.replace(">", "&gt;").replace("@", "&#64;")


def _code(text: str) -> str:
    """Write text as code: between more backticks than it has in a row."""
    flat = " ".join(text.split())
    fence = "`" * (max((len(run) for run in re.findall("`+", flat)), default=0) + 1)
    padding = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{padding}{flat}{padding}{fence}"
