"""What the page knows of each cell beyond what it draws: read when a cell is opened, so it is kept small.

What many cells have in common, the installed packages and the outputs of tests, is written once and referred to by
number. The output of a test is cut in the middle where it is long; after so many characters in all, outputs are left
out. The page says where that is so, and the JSON of results has them whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from boto_matrix.blame.rules import Verdict
from boto_matrix.report.changes import Changes
from boto_matrix.report.model import Report
from boto_matrix.results.merge import origin_of
from boto_matrix.results.model import FOUR_SETS, CellResult, FoundModel, SetOutcome, SetResult

_HEAD, _TAIL = 1_500, 4_500  # characters of an output that are kept
_OUTPUTS_OF_A_CELL = 20
_ALL_OUTPUTS = 6_000_000  # characters



class _Once:
    """Values that are written once and referred to by number."""

    def __init__(self, limit: int | None = None) -> None:
        self.values: list[Any] = []
        self._numbers: dict[object, int] = {}
        self._left = limit

    def number(self, value: Any, key: object) -> int | None:
        """Give the number of a value; None if there is no room for it."""
        if key not in self._numbers:
            if self._left is not None:
                if self._left < len(value):
                    return None
                self._left -= len(value)
            self._numbers[key] = len(self.values)
            self.values.append(value)
        return self._numbers[key]


def details(report: Report) -> dict[str, Any]:
    """Give the details of all cells, as plain values."""
    return _Details(report).all()


class _Details:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._by_name = {cell.name: cell for cell in report.run.cells}
        self._packages = _Once()
        self._outputs = _Once(_ALL_OUTPUTS)

    def all(self) -> dict[str, Any]:
        cells = {cell.name: self._cell(cell) for cell in self._report.run.cells}
        return {"cells": cells, "packages": self._packages.values, "outputs": self._outputs.values}

    def _cell(self, cell: CellResult) -> dict[str, Any]:
        run = self._report.run
        facts = {
            "name": cell.name,
            "python": cell.python,
            "pin": {"boto3": cell.pin.boto3, "botocore": cell.pin.botocore},
            "outcome": cell.outcome.value,
            "reason": cell.reason,
            "blame": _blame(self._report.verdicts.get(cell.name)),
            "change": _change(cell, self._report.changes),
            "requested": cell.requested,
            "packages": self._packages.number(cell.installed, tuple(cell.installed.items())),
            "interpreter": cell.interpreter.model_dump() if cell.interpreter else None,
            "surfaces": {package: found.name or found.problem for package, found in cell.surfaces.items()},
            "s3_model": _s3_model(cell.s3_model),
            "sets": self._sets(cell),
            "install_seconds": cell.install_seconds,
            "tests_seconds": cell.tests_seconds,
            "repeat": cell.repeat,
            "output": self._output(cell.output),
            "run": f"{origin_of(cell, run).started:%Y-%m-%d %H:%M} UTC" if run.runs else None,
        }
        return {name: fact for name, fact in facts.items() if fact not in (None, [], {})}

    def _sets(self, cell: CellResult) -> list[dict[str, Any]]:
        room = _OUTPUTS_OF_A_CELL
        sets = []
        for name in _in_order(cell.sets):
            one = cell.sets[name]
            failing = []
            for test in one.tests:
                if test.outcome.is_failure:
                    output = self._output(test.detail) if room > 0 else None
                    room -= output is not None
                    is_cut = bool(test.detail) and output is None
                    failing.append({"name": test.name, "outcome": test.outcome.value, "output": output, "cut": is_cut})
            sets.append(_set(name, one, failing))
        return [*sets, *(self._covered(name, other) for name, other in cell.covered_by.items())]

    def _covered(self, name: str, other: str) -> dict[str, Any]:
        """Give a set that was left to another cell, as it ended there."""
        found = self._by_name.get(other)
        there = found.sets.get(name) if found is not None else None
        outcome = there.outcome if there is not None else SetOutcome.NOT_RUN
        return {"name": name, "outcome": outcome.value, "by": other}

    def _output(self, text: str | None) -> int | None:
        return self._outputs.number(_shortened(text), text) if text else None


def _in_order(sets: Mapping[str, SetResult]) -> Iterable[str]:
    return [*(name for name in FOUR_SETS if name in sets), *(name for name in sets if name not in FOUR_SETS)]


def _set(name: str, one: SetResult, failing: list[dict[str, Any]]) -> dict[str, Any]:
    facts = {
        "name": name,
        "outcome": one.outcome.value,
        "passed": sum(test.outcome is SetOutcome.PASSED for test in one.tests),
        "tests": len(one.tests),
        "seconds": one.seconds,
        "cpu_seconds": one.cpu_seconds,
        "failing": failing,
    }
    return {key: fact for key, fact in facts.items() if fact not in (None, [])}


def _blame(verdict: Verdict | None) -> dict[str, str] | None:
    return {"title": verdict.culprit.heading, "because": verdict.because, "rule": verdict.rule} if verdict else None


def _s3_model(found: FoundModel | None) -> str | None:
    if found is None or found.problem:
        return found.problem if found else None
    return f"not known to the guard: {', '.join(found.unclassified)}" if found.unclassified else "known to the guard"


def _change(cell: CellResult, changes: Changes | None) -> str | None:
    if changes is None or cell.name not in changes.cells:
        return None
    return f"{changes.cells[cell.name].value} since {changes.since.started:%Y-%m-%d %H:%M} UTC"


def _shortened(text: str) -> str:
    left_out = len(text) - _HEAD - _TAIL
    if left_out <= 0:
        return text
    return f"{text[:_HEAD]}\n\n… {left_out:,} characters are left out here; the results have them …\n\n{text[-_TAIL:]}"
