"""The results as one page that needs nothing else: no other file, no server, no network."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from boto_matrix.blame.rules import RULES
from boto_matrix.report.changes import Change
from boto_matrix.report.covered import left_to_others
from boto_matrix.report.details import details
from boto_matrix.report.failures import failures_by_culprit
from boto_matrix.report.model import Report, duration
from boto_matrix.report.terminal import summary
from boto_matrix.report.unknown import called_out
from boto_matrix.results.model import CellResult, Outcome, SetOutcome

_HERE = Path(__file__).parent
_WORDS = {
    Outcome.INSTALL_FAILED: "install",
    Outcome.NO_INTERPRETER: "—",
    Outcome.CRASHED: "crash",
    Outcome.FAILED: "fail",
    Outcome.NOT_RUN: "not run",
    Outcome.PASSED: "pass",
}


@dataclass(frozen=True)
class Tile:
    """What is drawn in the place of a cell.

    Attributes:
        cell: the cell.
        marks: the outcomes of the four sets; empty where a word says more.
        others: the worst outcome of all other sets; None if there are none.
        word: what stands there instead of marks, or beside them.
        label: all of it for those who do not see it.
        change: what became of it since the run before.

    """

    cell: CellResult
    marks: tuple[SetOutcome, ...]
    others: SetOutcome | None
    word: str
    label: str
    change: Change | None


def page(report: Report) -> str:
    """Give the page."""
    style, script = _asset("page.css"), _asset("page.js")
    return _template().render(
        report=report,
        run=report.run,
        changes=report.changes,
        tile=lambda cell: _tile(cell, report),
        failures=failures_by_culprit(report),
        rules=RULES,
        summary=summary(report.run),
        called_out=called_out(report.run.cells),
        left_to_others=left_to_others(report.run.cells),
        set_outcomes=list(SetOutcome),
        Change=Change,
        style=Markup(style),  # noqa: S704 - a file of ours, which the policy names by its hash
        script=Markup(script),  # noqa: S704 - likewise
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=_json(details(report)),
    )


def _tile(cell: CellResult, report: Report) -> Tile:
    marks: tuple[SetOutcome, ...] = ()
    word = _WORDS[cell.outcome]
    others = None
    if cell.sets:
        marks, others = cell.four_sets, cell.other_sets
        is_seen = cell.outcome in (Outcome.PASSED, Outcome.FAILED) or SetOutcome.CRASHED in {*marks, others}
        word = ("part" if cell.arguments else "") if is_seen else word
    change = report.changes.cells.get(cell.name) if report.changes else None
    return Tile(cell, marks, others, word, _label(cell, change), change)


def _label(cell: CellResult, change: Change | None) -> str:
    failing = [name for name, one in cell.sets.items() if one.outcome.is_failure]
    parts = [f"boto3 {cell.pin.boto3}, Python {cell.python}: {cell.outcome.value}"]
    parts += [f" in {', '.join(failing)}"] if failing else []
    parts += [f", with a part of the tests ({cell.arguments})"] if cell.arguments else []
    parts += [f", {change.value}"] if change else []
    return "".join(parts)


def _json(value: object) -> Markup:
    """Write a value into a script element: nothing in it can end the element, or begin a comment of HTML."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    safe = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(safe)  # noqa: S704 - made safe in the line above


@cache
def _asset(name: str) -> str:
    return "\n" + (_HERE / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Give the hash by which a Content-Security-Policy lets pass just this text (https://www.w3.org/TR/CSP3/)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(duration=duration, sentence=_sentence)
    return environment.from_string((_HERE / "page.html").read_text(encoding="utf-8"))


def _sentence(text: str) -> str:
    """Begin with a capital letter, unless it begins with a name of ours, which stays as it is."""
    return text if "_" in text.partition(" ")[0] else text[:1].upper() + text[1:]
