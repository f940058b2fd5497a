"""The text of a module, and where in it each node of its syntax tree stands."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True)
class Edit:
    """Some characters of a text, and what stands there instead in a mutant."""

    start: int
    end: int
    text: str

    def applied(self, source: str) -> str:
        """Return the source with this edit in it."""
        return source[: self.start] + self.text + source[self.end :]


class Source:
    """A module's text, addressed by the nodes of its tree."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self._conditions = {id(condition) for node in ast.walk(self.tree) for condition in _conditions_in(node)}
        self._lines = text.splitlines(keepends=True)
        self._starts = [0, *accumulate(len(line) for line in self._lines)]

    def offset(self, line: int, column: int) -> int:
        """The index of a character, from its line (from 1) and its column in bytes, as `ast` counts."""
        before = self._lines[line - 1].encode()[:column]
        return self._starts[line - 1] + len(before.decode())

    def start(self, node: ast.expr | ast.stmt | ast.keyword | ast.excepthandler) -> int:
        """The index of the first character of a node."""
        return self.offset(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        """The index behind the last character of a node."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.offset(node.end_lineno, node.end_col_offset)

    def of(self, node: ast.expr | ast.stmt | ast.keyword) -> str:
        """The text of a node."""
        return self.text[self.start(node) : self.end(node)]

    def replace(self, node: ast.expr | ast.stmt | ast.keyword, text: str) -> Edit:
        """Put a text in the place of a node."""
        return Edit(self.start(node), self.end(node), text)

    def is_condition(self, node: ast.expr) -> bool:
        """Whether a node decides by its truth alone: it has mutants in which it is always true, and never."""
        return id(node) in self._conditions

    def replace_between(self, left: ast.expr, right: ast.expr, pattern: str, text: str) -> Edit | None:
        """Replace an operator between two operands; None where it is not found there (parentheses may hide it)."""
        match = re.compile(rf"(?:#.*|[^#])*?(?P<operator>{pattern})").match(
            self.text, self.end(left), self.start(right)
        )
        return Edit(match.start("operator"), match.end("operator"), text) if match else None

    def without(self, parts: list[tuple[int, int]], index: int) -> Edit:
        """Remove one of the parts of a list, each a pair of start and end, with one comma."""
        if index > 0:
            return Edit(parts[index - 1][1], parts[index][1], "")
        return Edit(parts[0][0], parts[1][0] if len(parts) > 1 else parts[0][1], "")


def _conditions_in(node: ast.AST) -> list[ast.expr]:
    """The conditions right below a node."""
    if isinstance(node, (ast.If, ast.IfExp)):
        return _parts(node.test)
    if isinstance(node, ast.comprehension):
        return [inner for condition in node.ifs for inner in _parts(condition)]
    return []


def _parts(condition: ast.expr) -> list[ast.expr]:
    """A condition, and those that it is made of with `and`, `or` and `not`."""
    if isinstance(condition, ast.BoolOp):
        return [condition, *(part for operand in condition.values for part in _parts(operand))]
    if isinstance(condition, ast.UnaryOp) and isinstance(condition.op, ast.Not):
        return [condition, *_parts(condition.operand)]
    return [condition]
