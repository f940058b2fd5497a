"""What became of mutants in earlier runs, so that a run tries only what may have changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from tests.mutants.mutant import Mutant
from tests.mutants.settings import Settings
from tests.mutants.verdict import Outcome, Verdict


class Memory:
    """A file of verdicts.

    A mutant that was noticed counts as noticed as long as the function around it and the file of the test that did are
    the same. One that survived is tried again as soon as anything in package or tests has changed.
    """

    def __init__(self, path: Path, settings: Settings) -> None:
        self._path = path
        self._root = settings.root
        places = [settings.root / place for place in (settings.package, *settings.tests, *settings.beside)]
        self._everything = _digest(file.read_bytes() for place in places for file in sorted(place.rglob("*.py")))
        self._known: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def verdict(self, mutant: Mutant, is_quick: bool) -> Verdict | None:
        """Return what is known of a mutant, if it still holds.

        Args:
            mutant: which.
            is_quick: whether it is enough that a part of the tests has not noticed it.
        """
        outcome, test, condition = self._known.get(self._key(mutant), ("", "", ""))
        valid = {self._condition(test, is_quick), self._condition(test, is_quick=False)}
        return Verdict(Outcome(outcome), test) if outcome and condition in valid else None

    def keep(self, mutant: Mutant, verdict: Verdict, is_quick: bool) -> None:
        """Write down what became of a mutant."""
        condition = self._condition(verdict.test, is_quick)
        self._known[self._key(mutant)] = [verdict.outcome.value, verdict.test, condition]

    def save(self) -> None:
        """Write the file."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self._known, indent=0), encoding="utf-8")

    def _key(self, mutant: Mutant) -> str:
        return f"{mutant.name} {_digest([mutant.function_text.encode()])}"

    def _condition(self, test: str, is_quick: bool) -> str:
        """What must be the same for a verdict to hold."""
        path = self._root / test.partition("::")[0]
        if test and path.is_file():
            return _digest([path.read_bytes()])
        return self._everything + " by some tests" * is_quick


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]
