"""The list of survivors that somebody has looked at: what no test can notice, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.mutant import Mutant
from tests.mutants.settings import read_toml

_FIELDS = ("file", "function", "line", "becomes", "reason")


class UnreadableListError(Exception):
    """The list is not what it should be; the message names the entry."""


@dataclass(frozen=True)
class Reviewed:
    """An entry of the list: a change, and why it changes nothing that a test could see."""

    file: str
    function: str
    line: str
    becomes: str
    reason: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """The key of the mutant that it is about."""
        return self.file, self.function, self.line, self.becomes


def reviewed_in(path: Path) -> list[Reviewed]:
    """Read the list; a project that has none has nothing reviewed.

    Raises:
        UnreadableListError: an entry lacks something, or has something that no entry has.
    """
    return [_entry(path, number, entry) for number, entry in enumerate(read_toml(path).get("mutant", []), start=1)]


def _entry(path: Path, number: int, entry: dict[str, object]) -> Reviewed:
    texts = {name: value.strip() for name, value in entry.items() if isinstance(value, str)}
    if set(entry) != set(_FIELDS) or not all(texts.get(name) for name in _FIELDS if name != "becomes"):
        raise UnreadableListError(f"{path}: entry {number} must have {', '.join(_FIELDS)}, and a reason; it is {entry}")
    return Reviewed(**texts)


def as_entry(mutant: Mutant) -> str:
    """An entry for a mutant as the list has it, with the reason still to be written."""
    fields = {"file": mutant.file, "function": mutant.function, "line": mutant.line, "becomes": mutant.becomes}
    return "\n".join(["[[mutant]]", *(f"{name} = {_literal(text)}" for name, text in fields.items()), 'reason = ""'])


def _literal(text: str) -> str:
    return f"'{text}'" if "'" not in text and "\n" not in text else f"'''\n{text}'''"


def stale_among(
    entries: Iterable[Reviewed], survivors: Iterable[Mutant], tried: Iterable[Mutant] | None
) -> list[Reviewed]:
    """The entries that are about no survivor.

    Args:
        entries: the list.
        survivors: the mutants that have survived.
        tried: those that were tried, None for all: an entry of a function where nothing was tried may well be true.
    """
    functions = None if tried is None else {(mutant.file, mutant.function) for mutant in tried}
    alive = {mutant.key for mutant in survivors}
    return [
        entry
        for entry in entries
        if entry.key not in alive and (functions is None or (entry.file, entry.function) in functions)
    ]
