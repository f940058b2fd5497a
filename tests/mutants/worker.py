"""The process that runs tests in a copy of the project: `python worker.py FD SECONDS TEST...`.

It is started in the copy and holds one end of a connection. It imports what the tests import and is not the project's,
once; then it forks a process for each list of pytest's arguments that it is sent, and answers with what pytest returned
(None: it hung, and was ended) and what it said.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, NoReturn

import pytest

_POLL_SECONDS = 0.01
_MARK = "\0modules"
_MOST_MEMORY = 4 << 30  # bytes; some mutants collect things for ever


def main(descriptor: str, seconds: str, *tests: str) -> None:
    """Serve whoever holds the other end, until it is closed. What says nothing for some seconds hangs."""
    patience = float(seconds)
    sys.path.insert(0, os.getcwd())
    connection = Connection(int(descriptor))

    code, said = _forked(lambda: _collect(tests), 60.0)
    said, _, modules = said.rpartition(_MARK)
    for name in modules.split() if code == 0 else ():
        with contextlib.suppress(BaseException):
            importlib.import_module(name)
    connection.send((code, said))
    gc.collect()
    gc.freeze()  # or the first collection in a child would copy all that is here
    with contextlib.suppress(EOFError):
        while True:
            arguments = connection.recv()
            connection.send(_forked(lambda arguments=arguments: pytest.main(arguments), patience))  # type: ignore[misc]


def _collect(tests: Sequence[str]) -> int:
    """Collect all tests; tell the modules that were imported by then and are not of this project."""
    code = pytest.main(["-q", "-p", "no:cacheprovider", "--collect-only", *tests])
    here = os.getcwd() + os.sep
    modules = [(name, str(getattr(module, "__file__", None) or "")) for name, module in sys.modules.items()]
    print(_MARK, *(name for name, file in modules if not file.startswith(here) and not name.startswith("__")))
    return code


def _forked(work: Callable[[], int], patience: float) -> tuple[int | None, str]:
    """Do something in a process of its own, until it is done or silent for too long."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            _be_child(work, output.fileno())
        try:
            code = _wait(child, output.fileno(), patience)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)  # and whatever it has started
        output.seek(0)
        return code, output.read().decode(errors="replace")


def _be_child(work: Callable[[], int], output: int) -> NoReturn:
    code: Any = 70
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
        os.dup2(output, 1)
        os.dup2(output, 2)
        code = work()
        sys.stdout.flush()
    finally:
        os._exit(int(code))


def _wait(child: int, output: int, patience: float) -> int | None:
    """Wait for a process; None if it says nothing more and does not end."""
    size, heard = 0, time.monotonic()
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if os.fstat(output).st_size != size:
            size, heard = os.fstat(output).st_size, time.monotonic()
        if time.monotonic() - heard > patience:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        time.sleep(_POLL_SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])
