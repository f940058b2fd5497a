"""What is mutated, which tests must notice, and how many of the mutants: `[tool.mutants]` of pyproject.toml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomllib  # type: ignore[import-not-found]  # Python has it since 3.11; mypy looks as 3.10 would


@dataclass(frozen=True)
class Settings:
    """The settings of a project.

    Attributes:
        root: where its pyproject.toml is.
        package: the directory whose modules are mutated.
        tests: the files and directories of the tests that must notice.
        beside: what else a copy of the project needs, beside package, pyproject.toml and tests.
        reviewed: the list of survivors that somebody has looked at.
        stories: mutants made by hand; see `stories.py`.
        least_score: how many of a hundred mutants must be killed.
        examples: how many examples hypothesis tries in a test.
        patience: how many seconds a test may take, beside ten times what it takes without a mutant.
    """

    root: Path
    package: str
    tests: tuple[str, ...]
    beside: tuple[str, ...] = ()
    reviewed: str = "tests/mutants/equivalent.toml"
    stories: str = "tests/mutants/stories.toml"
    least_score: float = 95.0
    examples: int = 25
    patience: float = 5.0


def settings_of(root: Path) -> Settings:
    """Read the settings of a project."""
    table = read_toml(root / "pyproject.toml")["tool"]["mutants"]
    return Settings(root, **{name.replace("-", "_"): _frozen(value) for name, value in table.items()})


def _frozen(value: object) -> Any:
    return tuple(value) if isinstance(value, list) else value


def read_toml(path: Path) -> dict[str, Any]:
    """Read a file; one that is not there is empty."""
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
