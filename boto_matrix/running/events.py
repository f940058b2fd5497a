"""What a run hears from the tox that it started: a line of JSON for each thing that happens to a cell.

The run gives tox the writing end of a pipe; a tox that was typed by hand has none, and tells nobody.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum

from boto_matrix.redaction import redacted

PIPE_VARIABLE = "BOTO_MATRIX_EVENTS"
"""The environment variable that holds the number of the pipe's writing end."""


class Happened(str, Enum):
    """What can happen to a cell, in order."""

    STARTED = "started"
    NO_INTERPRETER = "no interpreter"
    INSTALL_FAILED = "install failed"
    INSTALLED = "installed"
    ENDED = "ended"


@dataclass(frozen=True)
class Event:
    """Something happened to a cell.

    Attributes:
        cell: its name.
        happened: what.
        text: the output, or the sentence, that explains it.
        requested: what the cell asked for, by package (with INSTALLED).
        installed: everything that it then had, by package (with INSTALLED).
        exit_code: of the test process; negative when a signal ended it (with ENDED).
        timed_out: whether it was ended for taking too long (with ENDED).
        results: the path of what the tests wrote (with ENDED).
        covered_by: the sets that the cell was told to leave out, and the cell that runs each in its stead (with ENDED).

    """

    cell: str
    happened: Happened
    text: str = ""
    requested: Mapping[str, str] | None = None
    installed: Mapping[str, str] | None = None
    exit_code: int | None = None
    timed_out: bool = False
    results: str = ""
    covered_by: Mapping[str, str] | None = None

    def line(self) -> bytes:
        """Give the event as it goes through the pipe, without what is secret."""
        return json.dumps({**asdict(self), "text": redacted(self.text)}).encode() + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> Event:
        """Read what `line` wrote."""
        facts = json.loads(line)
        return cls(**{**facts, "happened": Happened(facts["happened"])})


_one_at_a_time = threading.Lock()


def tell(event: Event) -> None:
    """Tell the run that started this tox, if one did."""
    pipe = os.environ.get(PIPE_VARIABLE)
    if pipe is not None:
        with _one_at_a_time, contextlib.suppress(BrokenPipeError):  # nobody hears: `end_with_the_run` sees to that
            _write(int(pipe), event.line())


def end_with_the_run() -> None:
    """Have this tox, and all that it started, end at once when the run that started it is killed."""
    pipe = os.environ.get(PIPE_VARIABLE)
    if pipe is not None:
        threading.Thread(target=_end_when_unheard, args=(int(pipe),), daemon=True).start()


def _end_when_unheard(pipe: int) -> None:
    poll = select.poll()
    poll.register(pipe, 0)  # nothing asked for: it answers only when the reading end is closed
    poll.poll()
    os.killpg(os.getpgrp(), signal.SIGKILL)  # the group is tox's own: the run gave it one


def _write(pipe: int, data: bytes) -> None:
    while data:
        data = data[os.write(pipe, data) :]
