"""`python -m boto_matrix run`: run cells through tox, show how it goes, and keep what was found."""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from boto_matrix import PROJECT
from boto_matrix.errors import UserError
from boto_matrix.machine.interpreters import Interpreters
from boto_matrix.matrix.cells import Cell
from boto_matrix.matrix.load import project_matrix
from boto_matrix.redaction import redacted
from boto_matrix.releases.index_settings import ignored
from boto_matrix.releases.requested import check_overrides, given_overrides, shown_overrides
from boto_matrix.report.progress import RunProgress
from boto_matrix.report.terminal import show, summary
from boto_matrix.results.files import newest_first
from boto_matrix.results.model import Machine, Outcome, RunResult
from boto_matrix.results.standing import standing
from boto_matrix.running.once_per_class import covered_by
from boto_matrix.running.recorder import Recorder
from boto_matrix.running.resume import passed_before
from boto_matrix.running.selection import corners, one, representatives_here
from boto_matrix.running.tox_process import ToxProcess

_TICK = 0.2  # seconds between two looks at the clock while nothing happens
_NARROWEST = 100  # columns, where there is no terminal that has a width
_LINES_OF_LOG = 15
_ALL, _ONCE_PER_CLASS = "all", "once-per-class"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("cells", nargs="*", metavar="CELL", help="py311-boto1.26, say; all cells if none is named")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--few", action="store_true", help="the corners of the matrix")
    instead.add_argument(
        "--representatives",
        action="store_true",
        help="each surface class of botocore on the oldest and the newest Python that is there",
    )
    instead.add_argument("--one", action="store_true", help="what BOTO3_VERSION asks for, or the latest")
    parser.add_argument(
        "-j", "--jobs", type=_positive, default=_processors(), help="cells at once (default: %(default)s)"
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="leave out the cells that passed when they were last asked for, with the same pins, overrides and "
        "arguments for pytest; their results are taken over",
    )
    parser.add_argument(
        "--sets",
        choices=(_ALL, _ONCE_PER_CLASS),
        help="all: every set in every cell, as in cells that are named; or once-per-class: what pyproject.toml says "
        "that one cell of a class runs for all is left to that cell, as it is where the whole matrix runs as it stands",
    )
    parser.add_argument("--results", type=Path, help="where the JSON of results goes (default: results/<start>.json)")


def main(arguments: argparse.Namespace, pytest_arguments: Sequence[str]) -> int:
    """Run the cells that are named, or all.

    Returns:
        0 if each cell that was asked for passed, and 1 if not; 128 + the signal's number if one stopped it. Where no
        cell is named, those are asked for that have a Python here.

    Raises:
        MatrixError: matrix.yaml is wrong, or a cell is named that it does not have.
        SettingsError, SurfaceError: it cannot be told which cells may leave sets to others.
        RequestError: the overrides cannot be.
        ResultsError: the results cannot be written. That is known before anything runs, unless the disk fills up.

    """
    check_overrides()
    interpreters = Interpreters()
    cells = _select(arguments, interpreters)
    started = datetime.now(timezone.utc)
    path = arguments.results or PROJECT / "results" / f"{started:%Y%m%d-%H%M%S-%f}.json"
    console = Console(highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = max(console.width, _NARROWEST)
    once_per_class = _is_once_per_class(arguments, pytest_arguments)
    leaves = covered_by if once_per_class else _nothing
    leaves(cells[0].name)  # what is wrong with the classes is said now, not in each cell
    earlier = _earlier(cells, pytest_arguments, path.parent, console, leaves) if arguments.resume else []
    recorder = Recorder(
        cells,
        blank=_blank(started),
        path=path,
        repeat=lambda names: repeat_command(names, pytest_arguments),
        arguments=redacted(shlex.join(pytest_arguments)),
        earlier=earlier,
    )
    for sentence in ignored():
        console.print(sentence, soft_wrap=True, markup=False)
    passed = {cell.name for run in earlier for cell in run.cells}
    left = [cell for cell in cells if cell.name not in passed]
    log = path.with_suffix(".log")
    stopped_by = _run(
        left, interpreters, recorder, arguments.jobs, pytest_arguments, log, console, once_per_class=once_per_class
    )
    run = recorder.run
    show(run, console)
    failed = [cell.name for cell in run.failures]
    if len(failed) > 1:
        console.print(
            f"All that failed, again: {repeat_command(failed, pytest_arguments)}", soft_wrap=True, markup=False
        )
    if recorder.unwritten is not None:
        console.print(summary(run), markup=False)
        raise recorder.unwritten
    console.print(f"Results: {_shown(path)}", soft_wrap=True, markup=False)
    console.print(summary(run), markup=False)
    return 128 + stopped_by if stopped_by else int(not _is_green(run, arguments, pytest_arguments))


def repeat_command(names: Sequence[str], pytest_arguments: Sequence[str]) -> str:
    """Give the command that runs these cells again, on a machine with nothing set up; without what is secret."""
    overrides = [f"{name}={shlex.quote(value)}" for name, value in shown_overrides().items()]
    command = [*overrides, "make", "matrix", f"CELLS={shlex.quote(' '.join(names))}"]
    if pytest_arguments:
        command.append(f"ARGS={shlex.quote(redacted(shlex.join(pytest_arguments)))}")
    return " ".join(command)


def _select(arguments: argparse.Namespace, interpreters: Interpreters) -> list[Cell]:
    matrix = project_matrix()
    named = {matrix.cell(name).name for name in arguments.cells}
    if arguments.few:
        named |= {cell.name for cell in corners(matrix, interpreters)}
    elif arguments.representatives:
        named |= {cell.name for cell in representatives_here(matrix, interpreters)}
    elif arguments.one:
        named.add(one(matrix, interpreters).name)
    return [cell for cell in matrix.cells if cell.name in named or not named]


def _is_once_per_class(arguments: argparse.Namespace, pytest_arguments: Sequence[str]) -> bool:
    """Whether cells leave to their representative what it runs for them.

    Raises:
        UserError: that is asked for where nothing would be known of the cells then.

    """
    asked = arguments.sets == _ONCE_PER_CLASS
    if pytest_arguments or given_overrides():
        # What runs then is a part of the sets, or not what the cells are named for.
        if asked:
            what = "arguments for pytest" if pytest_arguments else ", ".join(given_overrides())
            raise UserError(f"--sets {_ONCE_PER_CLASS} does not go together with {what}: leave one of them out")
        return False
    is_whole = not (arguments.cells or arguments.few or arguments.representatives or arguments.one)
    return asked or (is_whole and arguments.sets is None)


def _nothing(_: str) -> dict[str, str]:
    return {}


def _earlier(
    cells: Sequence[Cell],
    pytest_arguments: Sequence[str],
    folder: Path,
    console: Console,
    leaves: Callable[[str], Mapping[str, str]],
) -> list[RunResult]:
    """Find what passed before and need not be run again, and say so."""
    earlier = passed_before(
        cells, lambda cell: repeat_command([cell.name], pytest_arguments), newest_first(folder), leaves
    )
    number = sum(len(run.cells) for run in earlier)
    console.print(f"{number} of {len(cells)} cells passed before and are not run again.", markup=False)
    return earlier


def _run(
    cells: Sequence[Cell],
    interpreters: Interpreters,
    recorder: Recorder,
    jobs: int,
    pytest_arguments: Sequence[str],
    log: Path,
    console: Console,
    *,
    once_per_class: bool,
) -> int | None:
    """Run what can be run; returns the number of the signal that stopped it, if one did."""
    there = {python: interpreters.find(python) is not None for python in {cell.python for cell in cells}}
    recorder.no_interpreter(cell.name for cell in cells if not there[cell.python])
    names = [cell.name for cell in cells if there[cell.python]]
    stopped_by: list[int] = []
    if names:
        tox = ToxProcess(names, jobs=jobs, pytest_arguments=pytest_arguments, log=log, once_per_class=once_per_class)
        with RunProgress(len(names), console) as progress, _stopping(tox.stop, stopped_by, progress), tox:
            _listen(tox, recorder, progress, stopped_by)
    recorder.close(is_stopped=bool(stopped_by))
    if not stopped_by and any(cell.outcome is Outcome.NOT_RUN and cell.reason is None for cell in recorder.run.cells):
        _show_log(log, console)
    return stopped_by[0] if stopped_by else None


def _listen(tox: ToxProcess, recorder: Recorder, progress: RunProgress, stopped_by: list[int]) -> None:
    for event in tox.events(_TICK):
        if event is None:
            progress.refresh()
            recorder.save()
            continue
        result = recorder.hear(event, is_stopping=bool(stopped_by))
        if result is None:
            progress.started(event.cell)
        else:
            progress.ended(result)


@contextmanager
def _stopping(stop: Callable[[], None], stopped_by: list[int], progress: RunProgress) -> Iterator[None]:
    """Have Ctrl-C, a closed terminal and a polite kill end the cells that run; what was finished is kept."""

    def end(number: int, _: object) -> None:
        if not stopped_by:
            progress.say("Ending the cells that run; again to kill them.")
        stopped_by.append(number)
        stop()

    # Under nohup SIGHUP stays ignored. SIGINT, which `command &` in a script ignores, does not: tox would inherit that,
    # and it is by SIGINT that tox is ended.
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show_log(log: Path, console: Console) -> None:
    console.print(f"tox ended before all cells had run. The end of {_shown(log)}:", soft_wrap=True, markup=False)
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    console.print("\n".join(lines[-_LINES_OF_LOG:]), soft_wrap=True, markup=False)


def _is_green(run: RunResult, arguments: argparse.Namespace, pytest_arguments: Sequence[str]) -> bool:
    """Say whether what was asked for has passed: the cells that are named, or all that have a Python here."""
    if not arguments.cells:
        there = tuple(cell for cell in run.cells if cell.outcome is not Outcome.NO_INTERPRETER)
        run = run.model_copy(update={"cells": there})
    return standing(run, arguments=redacted(shlex.join(pytest_arguments))).is_green


def _blank(started: datetime) -> RunResult:
    return RunResult(
        started=started,
        seconds=0.0,
        finished=False,
        command=redacted(shlex.join(["python", "-m", "boto_matrix", *sys.argv[1:]])),
        overrides=shown_overrides(),
        machine=Machine(
            system=platform.system(), release=platform.release(), architecture=platform.machine(), cpus=_processors()
        ),
        tools={"python": platform.python_version(), **{name: version(name) for name in ("tox", "tox-uv", "uv")}},
        cells=(),
    )


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number


def _shown(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
