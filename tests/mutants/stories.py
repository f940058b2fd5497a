"""Mutants that no tool makes: a whole feature gone wrong, as a user would meet it."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.mutants.mutant import STORY, Mutant
from tests.mutants.settings import read_toml
from tests.mutants.source import Edit


class OutdatedStoryError(Exception):
    """A story is about names that are gone; the message says which."""


def stories_in(path: Path, package: Path) -> list[Mutant]:
    """Read the stories of a project; it may have none.

    Args:
        path: the TOML file that tells them.
        package: the directory of the modules that they are about.

    Raises:
        OutdatedStoryError: a module, or a name in it, is not there.
    """
    stories = read_toml(path).get("story", [])
    missing = [problem for story in stories for problem in _missing(story, package)]
    if missing:
        raise OutdatedStoryError("\n".join([f"{path.name} is to be adapted to the package:", *missing]))
    return [_mutant(story, package) for story in stories]


def _missing(story: dict[str, str], package: Path) -> list[str]:
    module = package / story["file"]
    names = _names_in(ast.parse(module.read_text(encoding="utf-8"))) if module.exists() else set()
    return [f"{story['name']}: there is no {name} in {story['file']}" for name in story["needs"] if name not in names]


def _names_in(body: ast.Module | ast.ClassDef, prefix: str = "") -> set[str]:
    """All that a module defines or imports at its top, and `Class.name` of what is in its classes."""
    names = set()
    for statement in body.body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            names.add(prefix + statement.name)
        if isinstance(statement, ast.ClassDef):
            names |= _names_in(statement, f"{statement.name}.")
        elif isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom)):
            names |= {prefix + name for name in _bound(statement)}
    return names


def _bound(statement: ast.stmt) -> set[str]:
    stored = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return stored | {node.asname or node.name for node in ast.walk(statement) if isinstance(node, ast.alias)}


def _mutant(story: dict[str, str], package: Path) -> Mutant:
    text = (package / story["file"]).read_text(encoding="utf-8")
    code = story["code"].strip()
    edit = Edit(len(text), len(text), f"\n\n{code}\n")
    return Mutant(
        name=story["name"],
        file=story["file"],
        function=STORY,
        line=story["harm"],
        becomes=code,
        lines=range(0),
        edit=edit,
        at_import=True,
        function_text=text,
    )
