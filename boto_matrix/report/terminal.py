"""What is shown when a run is over: the failures, the table of pins and Pythons, the sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from boto_matrix.blame.rules import Verdict, blame
from boto_matrix.report.covered import left_to_others
from boto_matrix.report.symbols import STYLES, symbols_for
from boto_matrix.report.unknown import called_out
from boto_matrix.results.model import FOUR_SETS, WORST_FIRST, CellResult, Outcome, RunResult, SetOutcome

_INSTEAD_OF_SETS = {
    Outcome.INSTALL_FAILED: "install",
    Outcome.NO_INTERPRETER: "no py",
    Outcome.CRASHED: "crash",
    Outcome.FAILED: "fail",
    Outcome.NOT_RUN: "not run",
    Outcome.PASSED: "",
}


def show(run: RunResult, console: Console) -> None:
    """Show a run: its failures, each with its reason, who is at fault and what repeats it, then the table."""
    symbols = symbols_for(console.encoding)
    verdicts = blame(run)
    for failure in run.failures:
        console.print(_failure(failure, verdicts[failure.name]), soft_wrap=True)
    if run.failures:
        console.print()
    if run.overrides:
        console.print(Text(_overridden(run)), soft_wrap=True)
    console.print(_table(run.cells, symbols))
    console.print(Text(_legend(run.cells, symbols), style="dim"), soft_wrap=True)
    for reason in dict.fromkeys(cell.reason for cell in run.cells if cell.outcome is Outcome.NO_INTERPRETER):
        console.print(Text(reason or ""), soft_wrap=True)
    if left := left_to_others(run.cells):
        console.print(Text(left, style="dim"), soft_wrap=True)
    for unknown in called_out(run.cells):
        console.print(Text(unknown, style="yellow"), soft_wrap=True)


def summary(run: RunResult) -> str:
    """Give the sum in the one line that CI reads."""
    failed = len(run.failures)
    passed = sum(cell.outcome is Outcome.PASSED for cell in run.cells)
    skipped = len(run.cells) - passed - failed
    return f"cells: {passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")


def _overridden(run: RunResult) -> str:
    """What really ran, where it is not what the rows are named for."""
    asked = " ".join(f"{name}={value}" for name, value in run.overrides.items())
    pairs = dict.fromkeys(
        ", ".join(f"{package} {version}" for package, version in cell.requested.items()) for cell in run.cells
    )
    return f"Instead of the pins, for {asked}: {'; '.join(filter(None, pairs)) or 'nothing'}"


def _failure(cell: CellResult, verdict: Verdict) -> RenderableType:
    return Group(
        Text.assemble((cell.name, "bold"), " ", (cell.outcome.value, STYLES[cell.outcome]), f": {cell.reason}"),
        Text(f"    {verdict.beside(cell.reason)}"),
        Text(f"    {cell.repeat}", style="cyan"),
    )


def _table(cells: Sequence[CellResult], symbols: Mapping[SetOutcome, str]) -> Table:
    pythons = sorted({cell.python for cell in cells}, key=lambda python: [int(part) for part in python.split(".")])
    table = Table(box=None, pad_edge=False)
    table.add_column("boto3")
    for python in pythons:
        table.add_column(python)
    rows: dict[str, dict[str, CellResult]] = {}
    for cell in cells:
        rows.setdefault(cell.name.partition("-")[2], {})[cell.python] = cell
    for factor, row in rows.items():
        places = [_place(row[python], symbols) if python in row else Text() for python in pythons]
        table.add_row(factor.removeprefix("boto"), *places)
    return table


def _place(cell: CellResult, symbols: Mapping[SetOutcome, str]) -> Text:
    if not cell.sets:
        return Text(_INSTEAD_OF_SETS[cell.outcome], style=STYLES[cell.outcome])
    text = Text()
    for outcome in cell.four_sets:
        text.append(symbols[outcome], style=STYLES[outcome])
    if cell.other_sets is not None:
        text.append(" ").append(symbols[cell.other_sets], style=STYLES[cell.other_sets])
    crash_is_shown = any(one.outcome is SetOutcome.CRASHED for one in cell.sets.values())
    if cell.outcome is Outcome.INSTALL_FAILED or (cell.outcome is Outcome.CRASHED and not crash_is_shown):
        text.append(f" {_INSTEAD_OF_SETS[cell.outcome]}", style=STYLES[cell.outcome])
    if cell.arguments:
        text.append(" part")
    return text


def _legend(cells: Sequence[CellResult], symbols: Mapping[SetOutcome, str]) -> str:
    shown = Counter(one.outcome for cell in cells for one in cell.sets.values())
    shown.update(cell.other_sets for cell in cells if cell.other_sets is not None)
    signs = ", ".join(f"{symbols[outcome]} {outcome.value}" for outcome in WORST_FIRST if shown[outcome])
    sets = ", ".join(FOUR_SETS)
    others = any(cell.other_sets is not None for cell in cells)
    return f"In each cell: {sets}{', and all others' if others else ''}. {signs}" if shown else "No set ran."
