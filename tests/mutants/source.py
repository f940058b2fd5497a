"""The text of a module, and where in it each node of its syntax tree stands."""

from __future__ import annotations

import ast
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

    def without(self, parts: list[tuple[int, int]], index: int) -> Edit:
        """Remove one of the parts of a list, each a pair of start and end, with one comma."""
        if index > 0:
            return Edit(parts[index - 1][1], parts[index][1], "")
        return Edit(parts[0][0], parts[1][0] if len(parts) > 1 else parts[0][1], "")
