"""Runs one cell with given releases, as a person would, with `python -m boto_matrix run`, and gives how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from boto_matrix import PROJECT
from boto_matrix.errors import UserError
from boto_matrix.matrix.cells import Cell
from boto_matrix.results.files import read_results
from boto_matrix.results.model import CellResult


class BisectError(UserError):
    """A cell could not be run at all; the message says why."""


@dataclass(frozen=True)
class Candidate:
    """A cell to run.

    Attributes:
        cell: the cell.
        botocore: the release that is then installed.
        overrides: what the environment overrides of its pin.

    """

    cell: Cell
    botocore: str
    overrides: Mapping[str, str] = field(default_factory=dict)


def run_candidate(candidate: Candidate, pytest_arguments: Sequence[str]) -> CellResult:
    """Run a cell, in the environment that it has or that is made for it.

    Raises:
        BisectError: it was refused, or left no results.
        KeyboardInterrupt: the run was stopped; what it had started has been ended.

    """
    with tempfile.TemporaryDirectory() as folder:
        results, log = Path(folder, "results.json"), Path(folder, "output.txt")
        command = [sys.executable, "-m", "boto_matrix", "run", candidate.cell.name, "--results", str(results), "--"]
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - this program, with a cell that matrix.yaml names
                [*command, *pytest_arguments],
                cwd=PROJECT,
                env={**os.environ, **candidate.overrides},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C comes to us alone, who pass it on
            )
            _wait(process)
        if not results.exists():
            said = log.read_text(encoding="utf-8", errors="replace").strip()
            raise BisectError(f"{candidate.cell.name} could not be run: {said or f'exit code {process.returncode}'}")
        return read_results(results).cells[0]


def _wait(process: subprocess.Popen[bytes]) -> None:
    """Wait for a run; when we are stopped, stop it and see it end."""
    with _stoppable():
        try:
            process.wait()
        except BaseException:
            process.send_signal(signal.SIGINT)
            _see_it_end(process)
            raise


def _see_it_end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait()
    except BaseException:  # asked a second time: the run kills at once what it started
        process.send_signal(signal.SIGINT)
        process.wait()
        raise


@contextmanager
def _stoppable() -> Iterator[None]:
    """Have a polite kill and a closed terminal do what Ctrl-C does."""

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    numbers = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_DFL]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
