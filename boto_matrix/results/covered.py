"""Sets that a cell left to another one of its class: whether that cell has done its part.

A cell says in `covered_by` which sets it left to whom. It has passed only if that cell has passed them in the same
document, with all of their tests, and turned out to be of the same class: the same Python, a botocore with the same
surface, the same major of urllib3. All of that is in the results; what was planned does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from boto_matrix.results.model import CellResult, Outcome, RunResult, SetOutcome


def settled(run: RunResult) -> RunResult:
    """Judge the cells of a document that left sets to others by what that document holds of those."""
    if not any(cell.covered_by for cell in run.cells):
        return run
    by_name = {cell.name: cell for cell in run.cells}
    return run.model_copy(update={"cells": tuple(_settled(cell, by_name) for cell in run.cells)})


def own_part(cell: CellResult) -> CellResult:
    """Give a cell as its own sets ended, whatever became of those that it left to another one."""
    outcomes = {one.outcome for one in cell.sets.values()}
    is_own_passed = SetOutcome.PASSED in outcomes and not any(outcome.is_failure for outcome in outcomes)
    if cell.covered_by and cell.outcome is Outcome.NOT_RUN and is_own_passed:
        return cell.model_copy(update={"outcome": Outcome.PASSED, "reason": None})
    return cell


def _settled(cell: CellResult, by_name: Mapping[str, CellResult]) -> CellResult:
    own = own_part(cell)
    if own.outcome is not Outcome.PASSED or not own.covered_by:
        return own
    missing: dict[str, list[str]] = {}
    for name, other in own.covered_by.items():
        if why := _why_not(own, name, other, by_name.get(other)):
            missing.setdefault(why, []).append(name)
    if not missing:
        return own
    reason = "; ".join(f"{_listed(names)} left to {why}" for why, names in missing.items())
    return own.model_copy(update={"outcome": Outcome.NOT_RUN, "reason": reason})


def _why_not(cell: CellResult, name: str, other: str, found: CellResult | None) -> str | None:
    """Say why a set does not count as covered, after "left to"; None if it does."""
    if found is None:
        return f"{other}, which is not in these results"
    if different := _difference(cell, found):
        return f"{other}, which is of another class: {different}"
    if found.arguments:
        return f"{other}, which ran a part of the tests: {found.arguments}"
    outcome = found.sets[name].outcome if name in found.sets else SetOutcome.NOT_RUN
    return None if outcome is SetOutcome.PASSED else f"{other}, where it ended as: {outcome.value}"


def _difference(cell: CellResult, other: CellResult) -> str | None:
    if not other.sets:
        return None  # it has not run, and nothing of it is known
    mine, its = _class_of(cell), _class_of(other)
    unlike = [what for what, value in mine.items() if value is None or its[what] != value]
    return " and ".join(unlike) or None


def _class_of(cell: CellResult) -> dict[str, str | None]:
    surface = cell.surfaces.get("botocore")
    urllib3 = cell.installed.get("urllib3")
    return {
        "its Python": cell.python,
        "the surface of botocore": surface.fingerprint if surface is not None else None,
        "the major of urllib3": urllib3.partition(".")[0] if urllib3 else None,
    }


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
