"""What every report shows, whatever its form: the pins and Pythons as rows and columns, the verdicts, the changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from packaging.version import InvalidVersion, Version

from boto_matrix.blame.rules import Verdict, blame
from boto_matrix.report.changes import Changes, compare
from boto_matrix.results.model import CellResult, Outcome, RunResult
from boto_matrix.results.standing import Standing, standing

_THAT_GO_ON = ("boto3", "botocore", "moto", "pytest", "urllib3")


@dataclass(frozen=True)
class PinResults:
    """A pin, and its cells by Python."""

    label: str
    botocore: str
    cells: Mapping[str, CellResult]


@dataclass(frozen=True)
class Report:
    """A run, and what it is held against.

    Attributes:
        run: the results.
        before: the run before, if there is one to compare with.
        asked: the names of the cells that should be in the results: those of the matrix.

    """

    run: RunResult
    before: RunResult | None = None
    asked: tuple[str, ...] = ()

    @cached_property
    def standing(self) -> Standing:
        """How the cells stand: what makes the report green or red."""
        return standing(self.run, self.asked)

    @cached_property
    def verdicts(self) -> Mapping[str, Verdict]:
        """Who is at fault, by the name of the cell."""
        return blame(self.run)

    @cached_property
    def changes(self) -> Changes | None:
        """What is different from the run before; None if there is none."""
        return compare(self.run, self.before) if self.before is not None else None

    @cached_property
    def pythons(self) -> tuple[str, ...]:
        """The columns, the oldest first."""
        return tuple(sorted({cell.python for cell in self.run.cells}, key=Version))

    @cached_property
    def rows(self) -> tuple[PinResults, ...]:
        """The rows: latest first, then from the newest pin to the oldest."""
        found: dict[str, dict[str, CellResult]] = {}
        for cell in self.run.cells:
            row = found.setdefault(_factor(cell.name), {})
            if cell.python in row:  # no cell may hide another, whatever names a file has
                row = found.setdefault(cell.name, {})
            row[cell.python] = cell
        rows = [_row(cells) for cells in found.values()]
        return tuple(sorted(rows, key=lambda row: _age(next(iter(row.cells.values()))), reverse=True))

    @cached_property
    def newest(self) -> Mapping[str, str]:
        """The newest installed release of what no pin holds back: what `latest` meant in this run."""
        found = {
            package: [version for cell in self.run.cells if (version := _version(cell.installed.get(package, "")))]
            for package in _THAT_GO_ON
        }
        return {package: str(max(versions)) for package, versions in found.items() if versions}

    @property
    def headline(self) -> str:
        """The answer in a few words."""
        stand = self.standing
        passed, failed = len(stand.passed), len(stand.failed)
        if stand.is_red:
            return f"{failed:,} of {_cells(passed + failed)} {'fails' if failed == 1 else 'fail'}"
        if not passed:
            return "No cell has run all its tests" if stand.in_part else "No cell has run"
        if passed < stand.total:
            return f"{passed:,} of {_cells(stand.total)} passed, the others did not run"
        return f"All {_cells(passed)} pass" if passed > 1 else "The cell passes"

    @property
    def left_out(self) -> str:
        """What says nothing of a cell, as the rest of a sentence; empty if there is no such thing."""
        stand = self.standing
        no_python = sum(cell.outcome is Outcome.NO_INTERPRETER for cell in self.run.cells)
        parts = [
            (len(stand.in_part), "with a part of the tests"),
            (no_python, "without an interpreter here"),
            (len(stand.unknown) - no_python, "not run"),
        ]
        return ", ".join(f"{number:,} {words}" for number, words in parts if number)


def duration(seconds: float) -> str:
    """Write seconds for people: ``42 s``, ``3 min 5 s``, ``2 h 14 min``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _cells(number: int) -> str:
    return f"{number:,} cells" if number != 1 else "1 cell"


def _factor(name: str) -> str:
    return name.partition("-")[2] or name


def _row(cells: Mapping[str, CellResult]) -> PinResults:
    first = next(iter(cells.values()))
    installed = {cell.installed.get("botocore") for cell in cells.values()} - {None}
    botocore = first.pin.botocore
    if _version(botocore) is None:
        botocore = installed.pop() or "" if len(installed) == 1 else ""
    return PinResults(label=first.pin.boto3, botocore=botocore, cells=cells)


def _age(cell: CellResult) -> tuple[bool, Version, Version, str]:
    """Give what rows are sorted by; what is no number, `latest`, is the newest."""
    boto3, botocore = _version(cell.pin.boto3), _version(cell.pin.botocore)
    return boto3 is None, boto3 or _NONE, botocore or _NONE, _factor(cell.name)


_NONE = Version("0")


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
