"""The text of matrix.yaml, the releases there are, the surface → the text as it should be, and what changed in it.

The rows that somebody put there for a reason of their own stay: only the newest row of a minor is moved on, unless it
is one side of a change of the surface, too; only a row with a release that was taken back is removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from boto_matrix.matrix.edit import MatrixEdit, Row
from boto_matrix.releases.index import PackageIndex
from boto_matrix.releases.resolve import boto3_for
from boto_matrix.results.model import Outcome, RunResult
from boto_matrix.update.pins import DuePin, ends_of_each_class, newest_of_each_minor, supported, yanked

NOT_RUN = "not run yet"
"""What a row's `why` ends with as long as nobody has seen it run."""

_LIMITS = ("<", "<=", "!=")


PairHistory = Mapping[tuple[str, str], Mapping[str, bool]]
"""By boto3 and botocore, by Python: whether the cell passed when all its tests ran last."""


@dataclass(frozen=True)
class Refreshed:
    """matrix.yaml as it should be.

    Attributes:
        text: the file.
        changes: a line for each change, with its reason.
        remarks: a line for each row that should be there and cannot be.

    """

    text: str
    changes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def refresh(text: str, index: PackageIndex, fingerprints: Mapping[Version, str], history: PairHistory) -> Refreshed:
    """Bring the text of a matrix.yaml up to date.

    Args:
        text: the file, which `boto_matrix.matrix.cells` found right.
        index: has the releases, those left out that are too young.
        fingerprints: of the examined releases of botocore.
        history: the pairs that have been seen to run.

    Raises:
        IndexUnavailable: the index cannot be asked.
        NoSuchRelease: it does not have a release that it lists.

    """
    work = _Refresh(MatrixEdit(text), index, fingerprints)
    for due in newest_of_each_minor(index):
        work.newest(due)
    for botocore, why, change in ends_of_each_class(fingerprints):
        work.end_of_class(botocore, why, change)
    work.remove_yanked()
    work.note_what_ran(history)
    return Refreshed(work.edit.text if work.changes else text, tuple(work.changes), tuple(work.remarks))


def history_of(runs: Iterable[RunResult]) -> PairHistory:
    """Read out of the results of runs which pairs have been seen to run."""
    history: dict[tuple[str, str], dict[str, bool]] = {}
    for run in sorted(runs, key=lambda one: one.started):
        for cell in run.cells:
            if cell.is_whole_fact:
                pair = (cell.requested.get("boto3", ""), cell.requested.get("botocore", ""))
                history.setdefault(pair, {})[cell.python] = cell.outcome is Outcome.PASSED
    return history


@dataclass
class _Refresh:
    edit: MatrixEdit
    index: PackageIndex
    fingerprints: Mapping[Version, str]
    changes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def newest(self, due: DuePin) -> None:
        """Have the newest pair of a minor, in place of the row that was the newest if that has no other reason."""
        of_minor = [row for row in self.edit.rows if row.boto3.release[:2] == due.boto3.release[:2]]
        newest = max(of_minor, key=lambda row: row.boto3, default=None)
        if newest is None:
            self._add(due)
        elif self._is_yanked(newest) or (_is_before(newest, due) and not self._is_end_of_class(newest)):
            self._replace(newest, due)
        elif newest.boto3 < due.boto3:
            self._add(due)

    def end_of_class(self, botocore: Version, why: str, change: Version | None) -> None:
        """Have a row of this botocore."""
        rows = self.edit.rows
        if any(row.botocore == botocore for row in rows):
            return
        boto3 = boto3_for(botocore, self.index, {row.boto3 for row in rows})
        if boto3 is None:
            self.remarks.append(f"no row for botocore {botocore}, {why}: no boto3 without a row admits it")
        else:
            self._add(DuePin(boto3, botocore, why, change))

    def remove_yanked(self) -> None:
        """Have no row of a release that was taken back."""
        for row in self.edit.rows:
            if self._is_yanked(row):
                self.edit.remove(row)
                self.changes.append(f"removed {_pair(row)}: it was taken back")

    def note_what_ran(self, history: PairHistory) -> None:
        """Say no longer of a pair that it has not run, when it has and passed on every Python that it ran on."""
        for row in self.edit.rows:
            passed = history.get((str(row.boto3), str(row.botocore)), {})
            if _is_marked(row) and passed and all(passed.values()):
                self.edit.replace(row, replace(row, why=_without_mark(row) or None))
                where = ", ".join(passed)
                self.changes.append(f"changed {_pair(row)}: it has run, on {where}, and passed")

    def _add(self, due: DuePin) -> None:
        row = self._row(due, self._neighbour(due.boto3))
        is_first = due.change == due.botocore
        self.edit.add(row, f"both sides of botocore {due.change}" if is_first else None)
        self.changes.append(f"added {_pair(row)}: {due.why}")

    def _replace(self, old: Row, due: DuePin) -> None:
        why = f"{due.why}; the other was taken back" if self._is_yanked(old) else due.why
        new = self._row(due, old)
        self.edit.replace(old, new)
        self.changes.append(f"changed {_pair(old)} to {_pair(new)}: {why}")

    def _row(self, due: DuePin, neighbour: Row | None) -> Row:
        pythons = self.edit.pythons
        admitted = supported(pythons, due.boto3, due.botocore, self.index)
        limits = _limits(neighbour)
        known = _without_mark(neighbour) if neighbour is not None and limits else ""
        why = "; ".join(part for part in (known, NOT_RUN) if part)
        return Row(due.boto3, due.botocore, _range(pythons, admitted, limits), why)

    def _neighbour(self, boto3: Version) -> Row | None:
        """Give the row of the nearest release: of its minor if that has one, else the next newer, or older."""
        rows = self.edit.rows
        same = [row for row in rows if row.boto3.release[:2] == boto3.release[:2]]
        if same:
            return min(same, key=lambda row: (abs(row.boto3.micro - boto3.micro), row.boto3))
        newer = [row for row in rows if row.boto3 > boto3]
        older = [row for row in rows if row.boto3 < boto3]
        by_boto3 = {row.boto3: row for row in rows}
        nearest = min((row.boto3 for row in newer), default=max((row.boto3 for row in older), default=None))
        return None if nearest is None else by_boto3[nearest]

    def _is_end_of_class(self, row: Row) -> bool:
        return any(row.botocore == botocore for botocore, _, _ in ends_of_each_class(self.fingerprints))

    def _is_yanked(self, row: Row) -> bool:
        taken_back = yanked(self.index)
        return ("boto3", str(row.boto3)) in taken_back or ("botocore", str(row.botocore)) in taken_back


def _is_marked(row: Row) -> bool:
    return (row.why or "").endswith(NOT_RUN)


def _without_mark(row: Row) -> str:
    return (row.why or "").removesuffix(NOT_RUN).rstrip("; ")


def _is_before(row: Row, due: DuePin) -> bool:
    return (row.boto3, row.botocore) < (due.boto3, due.botocore) and row.boto3 <= due.boto3


def _pair(row: Row) -> str:
    return f"boto3 {row.boto3} with botocore {row.botocore}"


def _limits(row: Row | None) -> list[str]:
    """Give the limits of a row that metadata does not state: those upwards, found by running it."""
    clauses = SpecifierSet(row.python) if row is not None else SpecifierSet()
    return sorted(str(clause) for clause in clauses if clause.operator in _LIMITS)


def _range(pythons: Sequence[str], admitted: Sequence[str], limits: Sequence[str]) -> str:
    """Write the range of the Pythons that are admitted, of all of the matrix, as a specifier that keeps the limits."""
    if not admitted:
        return ",".join([f">={pythons[0]}", *limits])
    first = pythons.index(admitted[0])
    refused = [f"!={python}" for python in pythons[first:] if python not in admitted]
    return ",".join(dict.fromkeys([f">={admitted[0]}", *limits, *refused]))


