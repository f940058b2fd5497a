"""Threads that are used again: to start one for each connection took a third of the time of a short connection."""

from __future__ import annotations

import queue
import threading
from typing import Callable


class Workers:
    """Does what it is given at once, each thing in a thread that has nothing else to do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._idle = 0
        self._threads: list[threading.Thread] = []

    def do(self, work: Callable[[], None]) -> None:
        with self._lock:
            if self._idle:
                self._idle -= 1
                self._waiting.put(work)
                return
            thread = threading.Thread(target=self._run, args=(work,), name="cluster-worker", daemon=True)
            self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """Return when the last thing is done."""
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self, work: Callable[[], None] | None) -> None:
        while work is not None:
            work()
            with self._lock:
                self._idle += 1
            work = self._waiting.get()
