"""Where a package uses a name, so that it is known which tests may notice what has become of a constant or a class."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.mutant import Mutant, lines_of

Place = tuple[str, int]
"""A line of a file."""


class Uses:
    """What functions use by name, and what is made of it when the package is imported.

    By name alone: two attributes of one name count as one, so that rather too much is found than too little.
    """

    def __init__(self, package: Path) -> None:
        self._in_functions: dict[str, set[Place]] = defaultdict(set)
        self._made_of: dict[str, set[str]] = defaultdict(set)
        self._bound_at: dict[Place, set[str]] = defaultdict(set)
        for path in package.rglob("*.py"):
            for statement in ast.parse(path.read_text(encoding="utf-8")).body:
                self._read(statement, path.relative_to(package).as_posix(), (), statement)

    def of(self, mutant: Mutant) -> set[Place]:
        """The lines of functions that use what a mutant changes when the package is imported."""
        new = {_called(mutant.function.split("."))}.union(*(self._bound_at[mutant.file, line] for line in mutant.lines))
        found: set[str] = set()
        while new:
            found |= new
            new = {made for name in new for made in self._made_of[name]} - found
        return {place for name in found for place in self._in_functions[name]}

    def _read(self, node: ast.AST, file: str, scopes: tuple[str, ...], around: ast.AST) -> None:
        """Read what runs at import."""
        if isinstance(node, ast.stmt):
            around = node
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            scopes = (*scopes, node.name)
        if isinstance(node, ast.FunctionDef):  # its defaults and decorators matter where it is called from outside, too
            inside = range(node.body[0].lineno, (node.end_lineno or 0) + 1)
            self._in_functions[_called(scopes)].update((file, line) for line in inside)
        bound = _stored_in(around) | ({_called(scopes)} if scopes else set())
        for line in lines_of(around):
            self._bound_at[file, line] |= bound
        self._made_of[_used_by(node)] |= bound
        for child in ast.iter_child_nodes(node):
            if isinstance(node, ast.FunctionDef) and child in node.body:
                self._read_function(child, file, child)
            else:
                self._read(child, file, scopes, around)

    def _read_function(self, node: ast.AST, file: str, around: ast.AST) -> None:
        if isinstance(node, (ast.stmt, ast.ExceptHandler)):
            around = node
        self._in_functions[_used_by(node)].update((file, line) for line in lines_of(around))
        for child in ast.iter_child_nodes(node):
            self._read_function(child, file, around)


def _called(scopes: Sequence[str]) -> str:
    """The name by which a function or class is used: `__init__` and its like by that of their class."""
    return scopes[-2] if len(scopes) > 1 and scopes[-1].startswith("__") else scopes[-1]


def _used_by(node: ast.AST) -> str:
    """The name that a node reads; "" for none."""
    if isinstance(node, ast.Name):
        return node.id if isinstance(node.ctx, ast.Load) else ""
    return node.attr if isinstance(node, ast.Attribute) else ""


def _stored_in(statement: ast.AST) -> set[str]:
    if not isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        return set()
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
