"""What is said while mutants are tried, and at the end."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from types import TracebackType

from rich.console import Console

from tests.mutants.mutant import Mutant
from tests.mutants.reviewed import Reviewed, as_entry, stale_among
from tests.mutants.settings import Settings
from tests.mutants.verdict import Outcome, Verdict

_TO_REVIEW = "results/mutants-to-review.toml"


class Progress:
    """A line that says how far it is: over and over on a terminal, now and then in a log."""

    _SECONDS_IN_A_LOG = 30.0

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._done = 0
        self._counts = dict.fromkeys(Outcome, 0)
        self._began = self._told = time.monotonic()
        self._status = console.status("")

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def tell(self, mutant: Mutant, verdict: Verdict) -> None:
        """Say what became of one."""
        self._done += 1
        self._counts[verdict.outcome] += 1
        if verdict.outcome is Outcome.SURVIVED:
            self._console.print(f"survived: {mutant.name}")
        if self._console.is_terminal:
            self._status.update(self._line())
        elif self._done == self._total or time.monotonic() - self._told > self._SECONDS_IN_A_LOG:
            self._told = time.monotonic()
            self._console.print(self._line())

    def _line(self) -> str:
        minutes = (time.monotonic() - self._began) / 60
        left = minutes / self._done * (self._total - self._done)
        counts = ", ".join(f"{count} {outcome.value}" for outcome, count in self._counts.items())
        return f"{self._done}/{self._total}: {counts}; {minutes:.1f} min, {left:.0f} to go"


class Report:
    """What became of all mutants.

    Args:
        settings: how many must be killed.
        mutants: those that were tried.
        verdicts: what became of each.
        reviewed: the survivors that somebody has looked at.
        are_all: whether these are all mutants of the package.
    """

    def __init__(
        self,
        settings: Settings,
        mutants: Sequence[Mutant],
        verdicts: Mapping[Mutant, Verdict],
        reviewed: Sequence[Reviewed],
        are_all: bool,
    ) -> None:
        self._settings = settings
        self._verdicts = verdicts
        keys = {entry.key for entry in reviewed}
        survivors = [mutant for mutant in mutants if not verdicts[mutant].outcome.is_noticed]
        self._unknown = [mutant for mutant in survivors if mutant.key not in keys]
        self._known = len(survivors) - len(self._unknown)
        self._stale = stale_among(reviewed, survivors, None if are_all else mutants)
        self.score = 100 * (1 - len(survivors) / len(mutants))

    @property
    def is_good(self) -> bool:
        """Whether enough are killed, and the list says all that is true of the rest, and no more."""
        return self.score >= self._settings.least_score and not self._unknown and not self._stale

    def print(self, console: Console) -> None:
        """Show the survivors, by file, and the score."""
        for file, mutants in groupby(self._unknown, key=lambda mutant: mutant.file):
            text = (self._settings.root / self._settings.package / file).read_text(encoding="utf-8")
            console.rule(f"survivors in {file}", align="left")
            for mutant in mutants:
                console.print(f"\n{mutant.name}, in {mutant.function}", style="bold red")
                console.print(mutant.diff(text))
        for entry in self._stale:
            what = f"{entry.file}: {entry.function}: {entry.line} -> {entry.becomes}"
            console.print(f"\nStale in {self._settings.reviewed}, since no such mutant survives: {what}", style="red")
        self._write_entries(console)
        self._conclude(console)

    def _write_entries(self, console: Console) -> None:
        path = self._settings.root / _TO_REVIEW
        path.unlink(missing_ok=True)
        if self._unknown:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n\n".join(map(as_entry, self._unknown)) + "\n", encoding="utf-8")
            what = f"\n{_TO_REVIEW} has an entry for each, for {self._settings.reviewed}, if no test can notice it"
            console.print(what)

    def _conclude(self, console: Console) -> None:
        total, hung = len(self._verdicts), sum(v.outcome is Outcome.HUNG for v in self._verdicts.values())
        alive = len(self._unknown) + self._known
        console.print(
            f"\n{total - alive} of {total} mutants killed ({hung} because they hang): {self.score:.1f} %, "
            f"{self._settings.least_score:g} % are required. Survivors: {self._known} reviewed, {len(self._unknown)} "
            f"not. Stale: {len(self._stale)}.",
            style="green" if self.is_good else "red",
        )
