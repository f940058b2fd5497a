"""What is read from TOML: the settings, the stories, and the survivors that somebody has looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomllib  # type: ignore[import-not-found]  # Python has it since 3.11; mypy looks as 3.10 would

from tests.mutants.mutant import Mutant
from tests.mutants.source import Edit

_FIELDS = {"file", "function", "line", "becomes", "reason"}


class UnreadableError(Exception):
    """A list is not what it should be; the message names the entry."""


@dataclass(frozen=True)
class Settings:
    """`[tool.mutants]` of a project's pyproject.toml.

    Attributes:
        root: where pyproject.toml is.
        package: the directory whose modules are mutated.
        tests: the directories of the tests that must notice, the quickest first.
        beside: what else a copy of the project needs, beside package and pyproject.toml.
        reviewed: the list of survivors that somebody has looked at.
        stories: mutants made by hand, each a whole feature gone wrong, as a user would meet it.
        leave_out: folders of the package that are not mutated.
        least_score: how many of a hundred mutants must be killed.
    """

    root: Path
    package: str
    tests: tuple[str, ...]
    beside: tuple[str, ...] = ("tests",)
    reviewed: str = "tests/mutants/equivalent.toml"
    stories: str = "tests/mutants/stories.toml"
    leave_out: tuple[str, ...] = ()
    least_score: float = 95.0


def settings_of(root: Path) -> Settings:
    """Read the settings of a project."""
    table = _read(root / "pyproject.toml")["tool"]["mutants"]
    given: dict[str, Any] = {
        name.replace("-", "_"): tuple(value) if isinstance(value, list) else value for name, value in table.items()
    }
    return Settings(root, **given)


def reviewed_in(path: Path) -> dict[tuple[str, str, str, str], str]:
    """Read the list of survivors: the reason of each, by its mutant's key. A project that has none has none reviewed.

    Raises:
        UnreadableError: an entry lacks something, or has something that no entry has.
    """
    reasons = {}
    for number, entry in enumerate(_read(path).get("mutant", []), start=1):
        if set(entry) != _FIELDS or not entry["reason"].strip():
            raise UnreadableError(f"{path}: entry {number} must have {', '.join(sorted(_FIELDS))}; it is {entry}")
        key = entry["file"], entry["function"], entry["line"].strip(), entry["becomes"].strip()
        reasons[key] = entry["reason"]
    return reasons


def as_entry(mutant: Mutant) -> str:
    """An entry for a mutant as the list has it, with the reason still to be written."""
    fields = {"file": mutant.file, "function": mutant.function, "line": mutant.line, "becomes": mutant.becomes}
    return "\n".join(["[[mutant]]", *(f"{name} = {_literal(text)}" for name, text in fields.items()), 'reason = ""'])


def _literal(text: str) -> str:
    return f"'{text}'" if "'" not in text and "\n" not in text else f"'''\n{text}'''"


def stories_in(path: Path, package: Path) -> list[Mutant]:
    """Read the stories of a project; it may have none.

    Args:
        path: the TOML file that tells them.
        package: the directory of the modules that they are about.
    """
    return [_mutant(story, package) for story in _read(path).get("story", [])]


def _mutant(story: dict[str, str], package: Path) -> Mutant:
    end, code = len((package / story["file"]).read_text(encoding="utf-8")), story["code"].strip()
    edit = Edit(end, end, f"\n\n{code}\n")
    return Mutant(story["name"], story["file"], "<story>", story["harm"], code, range(0), edit)


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
