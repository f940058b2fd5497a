"""Trying many mutants, several at once."""

from __future__ import annotations

import argparse
import contextlib
import queue
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console

from tests.mutants.lane import Lane
from tests.mutants.memory import Memory
from tests.mutants.mutant import Mutant
from tests.mutants.report import Progress
from tests.mutants.settings import Settings
from tests.mutants.suite import Suite, imported_anew, measured
from tests.mutants.verdict import Verdict, tried

_MEMORY = "results/mutants.json"


class FailingTestsError(Exception):
    """Tests fail without any mutant, so that nothing can be proved."""


class Run:
    """A run over mutants.

    Args:
        settings: of the project.
        reviewed: the keys of the survivors that somebody has looked at.
        asked: what the command line says.
        console: where to say how it goes.
    """

    def __init__(
        self,
        settings: Settings,
        reviewed: Collection[tuple[str, str, str, str]],
        asked: argparse.Namespace,
        console: Console,
    ) -> None:
        self._settings = settings
        self._reviewed = reviewed
        self._asked = asked
        self._console = console
        self.has_failing_tests = False

    def verdicts(self, mutants: Sequence[Mutant]) -> dict[Mutant, Verdict]:
        """Say what becomes of each mutant.

        Raises:
            BrokenError: the tests cannot be run.
            FailingTestsError: some fail without any mutant.
        """
        memory = Memory(self._settings.root / _MEMORY, self._settings)
        remembered = {} if self._asked.anew else {mutant: self._remembered(memory, mutant) for mutant in mutants}
        known = {mutant: verdict for mutant, verdict in remembered.items() if verdict is not None}
        if known:
            self._say(f"{len(known)} of {len(mutants)} mutants are known from earlier runs; --anew tries them again")
        missing = [mutant for mutant in mutants if mutant not in known]
        try:
            for mutant, verdict in self._tried(missing):
                known[mutant] = verdict
                if not self.has_failing_tests:
                    memory.keep(mutant, verdict, self._is_quick(mutant))
        finally:
            memory.save()
        return known

    def _remembered(self, memory: Memory, mutant: Mutant) -> Verdict | None:
        return memory.verdict(mutant, self._is_quick(mutant))

    def _is_quick(self, mutant: Mutant) -> bool:
        """Whether a mutant is not worth all the tests."""
        return not mutant.is_story and (self._asked.quick or mutant.key in self._reviewed)

    def _tried(self, mutants: Sequence[Mutant]) -> Iterator[tuple[Mutant, Verdict]]:
        if mutants:
            with _lanes(self._settings, min(self._asked.jobs, len(mutants))) as lanes:
                suite = self._measured(lanes)
                with Progress(self._console, len(mutants)) as progress:
                    for mutant, verdict in self._each_tried(mutants, lanes, suite):
                        progress.tell(mutant, verdict)
                        yield mutant, verdict

    def _measured(self, lanes: Sequence[Lane]) -> Suite:
        """Measure the tests in the first lane; see in the last that they pass where the package is imported anew."""
        began = time.monotonic()
        with ThreadPoolExecutor(len(lanes)) as pool:
            measuring = pool.submit(measured, lanes[0])
            repeating = pool.submit(imported_anew, lanes[-1])
            for _ in pool.map(Lane.start, lanes[1:-1]):
                pass
            suite = measuring.result()
            suite.correct(repeating.result())
        self._leave_out_failing(suite)
        seconds, alone = time.monotonic() - began, sum(suite.seconds.values())
        self._say(f"No mutant: {len(suite.seconds)} tests pass in {alone:.0f} s, and are measured in {seconds:.0f} s")
        return suite

    def _leave_out_failing(self, suite: Suite) -> None:
        for test, why in suite.unsteady.items():
            self._say(f"Failed once without any mutant, and then passed: {test}\n{why}\n", "yellow")
        for test, why in suite.failing.items():
            self._say(f"Fails without any mutant: {test}\n{why}\n", "red")
        self.has_failing_tests = bool(suite.failing)
        if suite.failing and not self._asked.despite_failures:
            raise FailingTestsError("With no mutant at all, each test must pass; --despite-failures leaves these out.")
        suite.leave_out_failing()

    def _each_tried(
        self, mutants: Sequence[Mutant], lanes: Sequence[Lane], suite: Suite
    ) -> Iterator[tuple[Mutant, Verdict]]:
        free: queue.Queue[Lane] = queue.Queue()
        for lane in lanes:
            free.put(lane)

        def try_one(mutant: Mutant) -> Verdict:
            lane = free.get()
            try:
                return tried(mutant, lane, suite, self._settings.patience, self._is_quick(mutant))
            finally:
                free.put(lane)

        with ThreadPoolExecutor(len(lanes)) as pool:
            futures = {pool.submit(try_one, mutant): mutant for mutant in mutants}
            try:
                for future in as_completed(futures):
                    yield futures[future], future.result()
            except BaseException:  # Ctrl-C, above all
                pool.shutdown(wait=False, cancel_futures=True)
                for lane in lanes:
                    lane.end()
                raise

    def _say(self, text: str, style: str | None = None) -> None:
        self._console.print(text, style=style)


@contextlib.contextmanager
def _lanes(settings: Settings, number: int) -> Iterator[list[Lane]]:
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as directory:
        lanes: list[Lane] = []
        try:
            for index in range(number):
                lanes.append(Lane(Path(directory) / str(index), settings))
            yield lanes
        finally:
            for lane in lanes:
                lane.end()
