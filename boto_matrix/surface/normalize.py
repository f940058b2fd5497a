"""What a piece of Python code means: its syntax tree, without what does nothing.

Left out are docstrings, comments, annotations, calls of a logger and formatting. What is left may still be written in
two ways and mean one thing (`super()` and `super(C, self)`): that counts as a change, for somebody should look.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Union

_LOGGERS = {"logger", "log", "logging", "LOG", "LOGGER", "_logger", "_log"}
_LEVELS = {"debug", "info", "warning", "warn", "error", "exception", "critical", "log"}
_Function = Union[ast.FunctionDef, ast.AsyncFunctionDef]
# Fields of a node that say what the rest of it says, or nothing.
_WITHOUT_MEANING = {"ctx", "kind", "type_comment", "type_params"}


class NotPython(ValueError):
    """A text that cannot be read as Python."""


@dataclass(frozen=True)
class NormalizedCode:
    """What some code means.

    Attributes:
        tree: the same text for the same meaning, on every Python that this runs on.
        code: for people; written differently by different Pythons.

    """

    tree: str
    code: str


@lru_cache(maxsize=64)  # the cells of one pin have the same sources
def normalized_bindings(source: str, names: tuple[str, ...]) -> dict[str, NormalizedCode]:
    """Give the meaning of what a module binds to names.

    Args:
        source: the text of the module.
        names: qualified names, ``Endpoint._send``.

    Returns:
        By name, the meaning of every statement that binds it, in order; a name that nothing binds is left out.

    Raises:
        NotPython: the source cannot be parsed.

    """
    tree = _tree(source)
    meanings = {name: _meaning(_find(tree.body, name)) for name in names}
    return {name: meaning for name, meaning in meanings.items() if meaning is not None}


@lru_cache(maxsize=256)
def normalized_entries(source: str, key: str, mapping: str) -> NormalizedCode | None:
    """Give the meaning of what a module puts under a key into mappings of a name.

    Args:
        source: the text of the module.
        key: the key, ``client_config``.
        mapping: the end of the mappings' name: ``context`` takes ``request_context`` in, too.

    Returns:
        None if it puts nothing there.

    Raises:
        NotPython: the source cannot be parsed.

    """
    if key not in source:
        return None
    values = sorted(ast.unparse(value) for value in _entries(_tree(source), key, mapping))
    return _meaning(ast.parse("\n".join(f"{mapping}[{key!r}] = {value}" for value in values)).body)


def _tree(source: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # escapes that are none, in the strings of old releases
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # ValueError: a NUL in it
        raise NotPython(f"is not Python that can be read: {error}") from error


def _find(body: list[ast.stmt], name: str) -> list[ast.stmt]:
    outer, dot, inner = name.partition(".")
    bound = [*_bindings(body, outer)]
    if not dot:
        return bound
    classes = [statement for statement in bound if isinstance(statement, ast.ClassDef)]
    return _find([statement for one in classes for statement in one.body], inner)


def _bindings(body: list[ast.stmt], name: str) -> Iterator[ast.stmt]:
    """Find what binds a name in a body, also under conditions."""
    for statement in body:
        if name in _names_bound(statement):
            yield statement
        elif isinstance(statement, (ast.If, ast.Try, ast.With)):
            handlers = getattr(statement, "handlers", [])
            for part in (statement, *handlers):
                for block in ("body", "orelse", "finalbody"):
                    yield from _bindings(getattr(part, block, []), name)


def _names_bound(statement: ast.stmt) -> set[str]:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _entries(tree: ast.Module, key: str, mapping: str) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            if isinstance(target, ast.Subscript) and _is_key(target.slice, key) and _ends(target.value, mapping):
                yield node.value
        if isinstance(node.value, ast.Dict) and any(_ends(target, mapping) for target in node.targets):
            yield from (value for name, value in zip(node.value.keys, node.value.values) if _is_key(name, key))


def _is_key(node: ast.expr | None, key: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == key


def _ends(node: ast.expr, mapping: str) -> bool:
    """Say whether it is `…mapping`, `x.…mapping` or `x["…mapping"]`."""
    name = getattr(node, "id", None) or getattr(node, "attr", None)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        name = node.slice.value
    return isinstance(name, str) and name.endswith(mapping)


def _meaning(statements: list[ast.stmt]) -> NormalizedCode | None:
    stripped = _Stripped().visit(ast.Module(body=statements, type_ignores=[])).body
    if not stripped:
        return None
    return NormalizedCode("\n".join(map(_canonical, stripped)), "\n".join(map(ast.unparse, stripped)))


def _canonical(node: object) -> str:
    """Write a tree so that every Python writes the same, which `ast.dump` and `ast.unparse` do not."""
    if isinstance(node, ast.AST):
        fields = [(name, value) for name, value in ast.iter_fields(node) if name not in _WITHOUT_MEANING]
        said = [f"{name}={_canonical(value)}" for name, value in fields if value is not None and value != []]
        return f"{type(node).__name__}({', '.join(said)})"
    if isinstance(node, list):
        return f"[{', '.join(map(_canonical, node))}]"
    return repr(node)


class _Stripped(ast.NodeTransformer):
    """Takes away what has no meaning."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: _Function) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        plain = ast.Assign(targets=[node.target], value=node.value)
        return self.generic_visit(ast.fix_missing_locations(ast.copy_location(plain, node)))

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        if isinstance(node.value, ast.Constant) or _is_logging(node.value):
            return None
        return self.generic_visit(node)

    def visit_Pass(self, _: ast.Pass) -> None:
        return None

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Go on below, and leave no block empty that must not be."""
        super().generic_visit(node)
        if getattr(node, "body", None) == [] and not isinstance(node, ast.Module):
            node.body = [ast.Pass()]  # type: ignore[attr-defined]  # it has one, as was asked just now
        return node


def _is_logging(node: ast.expr) -> bool:
    function = node.func if isinstance(node, ast.Call) else None
    return (
        isinstance(function, ast.Attribute)
        and function.attr in _LEVELS
        and isinstance(function.value, ast.Name)
        and function.value.id in _LOGGERS
    )
