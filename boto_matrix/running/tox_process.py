"""One tox for a whole run: started once, heard through a pipe, and ended with everything that it started."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO

from boto_matrix import PROJECT
from boto_matrix.redaction import redacted
from boto_matrix.results.files import cannot_be_written
from boto_matrix.running.events import PIPE_VARIABLE, Event
from boto_matrix.running.once_per_class import VARIABLE

_TIME_TO_STOP = 30.0  # seconds from being told to stop to being killed; tox.ini gives each running cell 5 + 2
_TIME_TO_LOG = 5.0  # seconds: tox has ended, and what it said last is in a pipe
_CHUNK = 65536


class ToxProcess:
    """tox, running cells in parallel in a process group of its own."""

    def __init__(
        self,
        cells: Sequence[str],
        *,
        jobs: int,
        pytest_arguments: Sequence[str],
        log: Path,
        once_per_class: bool,
    ) -> None:
        """Take what to run.

        Args:
            cells: their names.
            jobs: how many at once.
            pytest_arguments: what pytest is told.
            log: where tox's own output goes.
            once_per_class: whether cells leave to their representative what it runs for them.

        """
        self._command = [
            sys.executable, "-m", "tox", "run-parallel", "--no-provision", "--colored", "no", "--parallel-no-spinner",
            "-p", str(jobs), "-e", ",".join(cells), "--", *pytest_arguments,
        ]  # fmt: skip
        self._log = log
        self._settings = {VARIABLE: "1" if once_per_class else ""}
        self._deadline: float | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._logging: threading.Thread | None = None

    def __enter__(self) -> ToxProcess:
        """Start it.

        Raises:
            ResultsError: the log cannot be written.

        """
        log = _opened(self._log)
        self._pipe, writing_end = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - tox, with cells that matrix.yaml names
                self._command,
                cwd=PROJECT,
                env={**_without_tox_settings(), **self._settings, PIPE_VARIABLE: str(writing_end)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(writing_end,),
                start_new_session=True,  # Ctrl-C comes to the run alone, which passes it on once
            )
        finally:
            os.close(writing_end)
        self._logging = threading.Thread(target=_log, args=(self._process.stdout, log), daemon=True)
        self._logging.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what is left of it: tox, and any process that a test left behind."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                if kind is None:
                    self._process.wait(_TIME_TO_STOP)
            self._kill()
            self._process.wait()
        if self._logging is not None:
            self._logging.join(_TIME_TO_LOG)
        os.close(self._pipe)

    def events(self, tick: float) -> Iterator[Event | None]:
        """Give what happens, as it happens, and None whenever nothing did for `tick` seconds; ends when tox does."""
        unread = b""
        while True:
            if not select.select([self._pipe], [], [], tick)[0]:
                self._keep_deadline()
                yield None
                continue
            data = os.read(self._pipe, _CHUNK)
            if not data:
                return
            *lines, unread = (unread + data).split(b"\n")
            yield from map(Event.of_line, lines)

    def stop(self) -> None:
        """Ask it to end its cells and itself; asked again, or if it takes too long, it is killed."""
        if self._deadline is not None:
            self._kill()
            return
        self._deadline = time.monotonic() + _TIME_TO_STOP
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)

    def _keep_deadline(self) -> None:
        if self._deadline is not None and time.monotonic() > self._deadline:
            self._kill()

    def _kill(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


def _opened(log: Path) -> BinaryIO:
    try:
        return log.open("wb")
    except OSError as error:
        raise cannot_be_written(log, error) from error


def _log(output: IO[bytes], log: BinaryIO) -> None:
    """Write what tox says, without what is secret; where there is no more room, what it says is lost and it goes on."""
    with output, contextlib.suppress(OSError), log:
        for line in output:
            with contextlib.suppress(OSError):
                log.write(redacted(line.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape"))
                log.flush()


def _without_tox_settings() -> dict[str, str]:
    """The environment, without what would have tox select or skip other cells than those that are named."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TOX")}
