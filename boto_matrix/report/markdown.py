"""The results as Markdown, for a README or the summary of a CI step: short, failures first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from boto_matrix.report.changes import Change, Changes
from boto_matrix.report.covered import left_to_others
from boto_matrix.report.failures import Failure, failures_by_culprit
from boto_matrix.report.model import PinResults, Report
from boto_matrix.report.symbols import SYMBOLS
from boto_matrix.report.unknown import called_out
from boto_matrix.results.model import FOUR_SETS, CellResult, Outcome, SetOutcome

_FAILURES = 10  # of each culprit
_NAMES = 12
_PACKAGES = 6
_NEW = 4
_ROWS_IN_SIGHT = 60
_WORDS = {
    Outcome.INSTALL_FAILED: "install",
    Outcome.NO_INTERPRETER: "—",
    Outcome.NOT_RUN: "·",
    Outcome.CRASHED: "crash",
}


def markdown(report: Report) -> str:
    """Give the report."""
    blocks = [_head(report), *_failures(report)]
    if report.changes is not None:
        blocks.append(_changes(report.changes))
    blocks += [f"**{_text(unknown)}**" for unknown in called_out(report.run.cells)]
    blocks.append(_matrix(report))
    return "\n\n".join(blocks) + "\n"


def _head(report: Report) -> str:
    run = report.run
    overrides = " ".join(f"{name}={value}" for name, value in run.overrides.items())
    parts = [
        f"Run of {run.started:%Y-%m-%d %H:%M} UTC" if not run.runs else f"Merged from {len(run.runs)} runs",
        report.left_out,
        f"with {_code(overrides)}" if overrides else "",
        "" if run.finished else "not finished",
        ", ".join(f"{_text(package)} {_text(version)}" for package, version in report.newest.items()),
    ]
    return f"## {report.headline}\n\n{', '.join(part for part in parts if part)}."


def _failures(report: Report) -> Iterator[str]:
    if not report.run.failures:
        return
    yield "### Failing"
    for culprit, failures in failures_by_culprit(report):
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
    lines += [f"- {_text(one.sentence)}" for one in changes.new_where_broken[:_NEW]]
    if changes.gone:
        lines.append(f"- gone: {_names(changes.gone)}")
    for one in changes.packages[:_PACKAGES]:
        cells = f"{one.cells} cells" if one.cells > 1 else "1 cell"
        lines.append(f"- {_text(one.package)} {_text(one.before)} → {_text(one.now)} in {cells}")
    if len(changes.packages) > _PACKAGES:
        lines.append(f"- and {len(changes.packages) - _PACKAGES} more changes of packages")
    return f"{title}\n\n" + ("\n".join(lines) or "All is as it was.")


def _matrix(report: Report) -> str:
    head = f"| boto3 | {' | '.join(report.pythons)} |\n|:--|{':-:|' * len(report.pythons)}"
    table = "\n".join([head, *(_row(row, report.pythons) for row in report.rows)])
    symbols = ", ".join(f"{SYMBOLS[outcome]} {outcome.value}" for outcome in SetOutcome)
    otherwise = f"Otherwise each of {', '.join(FOUR_SETS)}, then all others: {symbols}"
    part = " part: some tests pass, the others did not run." if report.standing.in_part else ""
    left = left_to_others(report.run.cells)
    block = f"{table}\n\n{SYMBOLS[SetOutcome.PASSED]} all sets pass.{part} {otherwise}."
    block += f" {_text(left)}." if left else ""
    if len(report.rows) <= _ROWS_IN_SIGHT:
        return block
    return f"<details><summary>{len(report.rows)} pins</summary>\n\n{block}\n\n</details>"


def _row(row: PinResults, pythons: Sequence[str]) -> str:
    places = [_place(row.cells[python]) if python in row.cells else "" for python in pythons]
    return f"| {_text(row.label)} | {' | '.join(places)} |"


def _place(cell: CellResult) -> str:
    if cell.outcome is Outcome.PASSED:
        return "part" if cell.arguments else SYMBOLS[SetOutcome.PASSED]
    if not cell.sets:
        return _WORDS.get(cell.outcome, SYMBOLS[SetOutcome.FAILED])
    worst = cell.other_sets
    signs = "".join(SYMBOLS[outcome] for outcome in cell.four_sets)
    return f"{signs} {SYMBOLS[worst]}" if worst not in (None, SetOutcome.PASSED, SetOutcome.SKIPPED) else signs


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


def code_block(text: str) -> str:
    """Show text as it is, whatever is in it: nothing of it is Markdown or HTML, and no name in it calls anybody."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text.strip(chr(10))}\n{fence}"
