"""What a run hears from the tox that it started: a line of JSON for each thing that happens to a cell.

The run gives tox the writing end of a pipe; a tox that was typed by hand has none, and tells nobody.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum

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
        exit_code: of the test process; negative when a signal ended it (with ENDED).
        timed_out: whether it was ended for taking too long (with ENDED).
        results: the path of what the tests wrote (with ENDED).

    """

    cell: str
    happened: Happened
    text: str = ""
    requested: Mapping[str, str] | None = None
    exit_code: int | None = None
    timed_out: bool = False
    results: str = ""

    def line(self) -> bytes:
        """Give the event as it goes through the pipe."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> Event:
        """Read what `line` wrote."""
        facts = json.loads(line)
        return cls(**{**facts, "happened": Happened(facts["happened"])})


_one_at_a_time = threading.Lock()


def tell(event: Event) -> None:
    """Tell the run that started this tox, if one did.

    When that run is gone, nobody wants the rest: this tox is interrupted, as Ctrl-C would.
    """
    pipe = os.environ.get(PIPE_VARIABLE)
    if pipe is None:
        return
    try:
        with _one_at_a_time:
            _write(int(pipe), event.line())
    except OSError:
        os.kill(os.getpid(), signal.SIGINT)


def _write(pipe: int, data: bytes) -> None:
    while data:
        data = data[os.write(pipe, data) :]
