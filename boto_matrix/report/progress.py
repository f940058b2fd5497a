"""What is shown while cells run: on a terminal a line that is kept up to date, elsewhere a line for each that ends."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from boto_matrix.report.model import duration
from boto_matrix.report.symbols import STYLES
from boto_matrix.results.model import CellResult

_NAMES_SHOWN = 4


class RunProgress:
    """How far a run is: cells done of all, running now, failures so far, time left."""

    def __init__(self, total: int, console: Console) -> None:
        """Take how many cells there are to run and where to show it."""
        self._total = total
        self._console = console
        self._began = time.monotonic()
        self._done = 0
        self._failures = 0
        self._running: list[str] = []
        self._line = Progress(
            SpinnerColumn(),
            MofNCompleteColumn(),
            BarColumn(bar_width=20),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._line.add_task("starting", total=total)

    def __enter__(self) -> RunProgress:
        """Begin to show."""
        self._line.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the line away."""
        self._line.stop()

    def started(self, name: str) -> None:
        """Show that a cell runs now."""
        if name not in self._running:
            self._running.append(name)
        self.refresh()

    def ended(self, result: CellResult) -> None:
        """Show that a cell has ended: every one where there is no line to follow, else those that failed."""
        self._done += 1
        self._failures += result.outcome.is_failure
        if result.name in self._running:
            self._running.remove(result.name)
        if result.outcome.is_failure or not self._console.is_terminal:
            self._console.print(self._told(result), soft_wrap=True)
        self.refresh()

    def refresh(self) -> None:
        """Bring the line up to date."""
        self._line.update(self._task, completed=self._done, description=self._state())

    def say(self, text: str) -> None:
        """Show a sentence above the line."""
        self._console.print(escape(text), soft_wrap=True)

    def _told(self, result: CellResult) -> str:
        seconds = (result.install_seconds or 0.0) + (result.tests_seconds or 0.0)
        took = f" in {seconds:.1f} s" if seconds else ""
        reason = f": {escape(result.reason)}" if result.reason else ""
        style = STYLES[result.outcome]
        counted = f"{self._done}/{self._total}"
        line = f"{counted} {result.name} [{style}]{result.outcome.value}[/]{took}{reason}"
        return line if self._console.is_terminal else f"{line} ({self._state()})"

    def _state(self) -> str:
        parts = [f"{self._failures} failed"]
        if self._running:
            more = len(self._running) - _NAMES_SHOWN
            names = " ".join(self._running[:_NAMES_SHOWN])
            parts.append(f"running {names} and {more} more" if more > 0 else f"running {names}")
        if (left := self._seconds_left()) is not None:
            parts.append(f"{duration(left)} left")
        return " · ".join(parts) if self._console.encoding.startswith("utf") else ", ".join(parts)

    def _seconds_left(self) -> float | None:
        if not self._done or self._done == self._total:
            return None
        return (time.monotonic() - self._began) / self._done * (self._total - self._done)
