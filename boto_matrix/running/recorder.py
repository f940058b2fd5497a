"""The results of a run as they come in: events of cells go in, and the document on disk is always up to date."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from boto_matrix.machine.interpreters import how_to_get
from boto_matrix.matrix.cells import Cell
from boto_matrix.results.covered import settled
from boto_matrix.results.files import ResultsError, read_cell_report, write_results
from boto_matrix.results.merge import merge
from boto_matrix.results.model import CellReport, CellResult, Outcome, PinnedVersions, RunResult, UsedInterpreter
from boto_matrix.running.events import Event, Happened
from boto_matrix.running.installed import model_of_cell, surfaces_of_cell
from boto_matrix.running.outcome import Ended, outcome_of

_SPARING = 20  # no more than one part in so many of the time goes into writing the document
_LONGEST_REASON = 300
_CROSS = "\N{MULTIPLICATION SIGN}"  # some releases of uv mark the reason with it, and draw lines to the causes
_DRAWING = f"{_CROSS}╰─▶│ "


@dataclass
class _Clock:
    """When a cell got where."""

    started: float
    installed: float | None = None
    requested: dict[str, str] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)


class Recorder:
    """What is known of a run so far."""

    def __init__(
        self,
        cells: Sequence[Cell],
        *,
        blank: RunResult,
        path: Path,
        repeat: Callable[[Sequence[str]], str],
        arguments: str = "",
        earlier: Sequence[RunResult] = (),
    ) -> None:
        """Take what is asked for.

        Args:
            cells: of the run, in the order of the matrix.
            blank: its document, without them.
            path: where that goes.
            repeat: gives the command that repeats cells.
            arguments: what pytest is told.
            earlier: documents with results that still hold; their cells are not run again.

        Raises:
            ResultsError: the document cannot be written there.

        """
        self._cells = {cell.name: _not_run(cell, repeat([cell.name]), arguments) for cell in cells}
        self._blank = blank
        self._earlier = earlier
        self._path = path
        self._began = time.monotonic()
        self._clocks: dict[str, _Clock] = {}
        self._write_again_at = 0.0
        self._is_written = False
        self.unwritten: ResultsError | None = None
        """Why the document that is on disk is not the last one; None if it is."""
        write_results(self.run, path)  # now, so that a place where it cannot be is known before anything runs

    @property
    def run(self) -> RunResult:
        """The document as it stands, what still holds of earlier ones included."""
        seconds = round(time.monotonic() - self._began, 3)
        run = self._blank.model_copy(update={"seconds": seconds, "cells": tuple(self._cells.values())})
        if not self._earlier:
            return settled(run)
        return merge([run, *self._earlier], run.command)

    def no_interpreter(self, names: Iterable[str]) -> None:
        """Note cells that have no Python to run on."""
        for name in names:
            self._end(name, Outcome.NO_INTERPRETER, _no_interpreter(self._cells[name].python))

    def hear(self, event: Event, *, is_stopping: bool) -> CellResult | None:
        """Take an event in, and give the cell's result if that was its end.

        Args:
            event: what happened.
            is_stopping: whether the run is being ended: what does not pass is then for nobody to judge.

        """
        now = time.monotonic()
        clock = self._clocks.setdefault(event.cell, _Clock(now))
        if event.happened is Happened.INSTALLED:
            clock.installed = now
            clock.requested, clock.packages = dict(event.requested or {}), dict(event.installed or {})
        elif event.happened is Happened.NO_INTERPRETER:
            return self._end(event.cell, Outcome.NO_INTERPRETER, _no_interpreter(self._cells[event.cell].python))
        elif event.happened is Happened.INSTALL_FAILED:
            return self._install_failed(event, is_stopping=is_stopping)
        elif event.happened is Happened.ENDED:
            return self._ended(event, clock, is_stopping=is_stopping)
        return None

    def close(self, *, is_stopped: bool) -> None:
        """End the run: what was started and never ended was stopped, or died with tox."""
        for name, clock in self._clocks.items():
            if self._cells[name].outcome is Outcome.NOT_RUN and self._cells[name].reason is None:
                outcome = Outcome.NOT_RUN if is_stopped else Outcome.CRASHED
                reason = "the run was stopped while it ran" if is_stopped else "tox ended before it did"
                self._end(name, outcome, reason, requested=clock.requested, installed=clock.packages)
        self._blank = self._blank.model_copy(update={"finished": True})
        self._write()

    def _install_failed(self, event: Event, *, is_stopping: bool) -> CellResult:
        if is_stopping:
            return self._end(event.cell, Outcome.NOT_RUN, "the run was stopped while it was installed")
        reason = _telling_line(event.text) or "the environment could not be made"
        return self._end(event.cell, Outcome.INSTALL_FAILED, reason, output=event.text or None)

    def _ended(self, event: Event, clock: _Clock, *, is_stopping: bool) -> CellResult:
        report = _report(event.results)
        outcome, reason = outcome_of(Ended(event.exit_code, event.timed_out, clock.requested, report))
        if is_stopping and outcome is not Outcome.PASSED:
            return self._end(event.cell, Outcome.NOT_RUN, "the run was stopped while it ran", requested=clock.requested)
        now = time.monotonic()
        installed_at = clock.installed if clock.installed is not None else now
        return self._end(
            event.cell,
            outcome,
            reason,
            requested=clock.requested,
            installed=report.packages if report else clock.packages,
            surfaces=surfaces_of_cell(Path(report.executable), report.python) if report else {},
            s3_model=model_of_cell(Path(report.executable)) if report else None,
            interpreter=UsedInterpreter(version=report.python, path=report.executable) if report else None,
            sets=report.sets if report else {},
            covered_by=_left(event, report),
            install_seconds=round(installed_at - clock.started, 3),
            tests_seconds=round(now - installed_at, 3),
            output=None if outcome in (Outcome.PASSED, Outcome.FAILED) else event.text or None,
        )

    def _end(self, name: str, outcome: Outcome, reason: str | None, **facts: object) -> CellResult:
        result = self._cells[name].model_copy(update={"outcome": outcome, "reason": reason, **facts})
        self._cells[name] = result
        self._is_written = False
        self.save()
        return result

    def save(self) -> None:
        """Write what is new, but not so often that a long run spends its time on it."""
        if not self._is_written and (now := time.monotonic()) >= self._write_again_at:
            self._write()
            self._write_again_at = now + (time.monotonic() - now) * _SPARING

    def _write(self) -> None:
        """Write the document; where that fails the run goes on, for there may be room again when it ends."""
        try:
            write_results(self.run, self._path)
        except ResultsError as error:
            self.unwritten = error
        else:
            self._is_written, self.unwritten = True, None


def _left(event: Event, report: CellReport | None) -> dict[str, str]:
    """Give the sets that a cell was told to leave to another one, and has left."""
    told = event.covered_by or {}
    return {name: other for name, other in told.items() if report is not None and name not in report.sets}


def _not_run(cell: Cell, repeat: str, arguments: str) -> CellResult:
    return CellResult(
        name=cell.name,
        python=cell.python,
        pin=PinnedVersions(boto3=cell.pin.boto3, botocore=cell.pin.botocore),
        outcome=Outcome.NOT_RUN,
        repeat=repeat,
        arguments=arguments,
    )


def _no_interpreter(python: str) -> str:
    return f"there is no Python {python} on this machine; {how_to_get(python)}"


def _report(path: str) -> CellReport | None:
    try:
        return read_cell_report(Path(path))
    except ResultsError:
        return None


def _telling_line(output: str) -> str | None:
    """What an installer's output says went wrong, as one line: uv's from the one that it marks on; else the last."""
    lines = [line.strip() for line in output.strip().splitlines()]
    marked = (index for index, line in enumerate(lines) if line.startswith(("error:", _CROSS)))
    told = " ".join(line.strip(_DRAWING) for line in lines[next(marked, len(lines) - 1) :] if line)
    return told.removeprefix("error: ")[:_LONGEST_REASON] or None
