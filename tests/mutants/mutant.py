"""Mutants: copies of a module with one small change each, or with a story of `stories.toml` at its end."""

from __future__ import annotations

import ast
import difflib
import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.operators import edits_of, is_data
from tests.mutants.source import Edit, Source

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Mutant:
    """One small change of one module.

    Attributes:
        name: what it is called on the command line; the same as long as function, line and change are.
        file: its module's path below the package.
        function: the qualified name of the function or class that it is in, or `<module>`.
        line: the line, or lines, that it changes, without indentation.
        becomes: what stands there instead.
        lines: the numbers of the lines of the statement that it changes.
        edit: the change itself.
    """

    name: str
    file: str
    function: str
    line: str
    becomes: str
    lines: range
    edit: Edit

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells it from others, whatever is edited elsewhere."""
        return self.file, self.function, self.line, self.becomes

    def diff(self, text: str) -> str:
        """Its change of its module's text, to be read."""
        pair = text.splitlines(), self.edit.applied(text).splitlines()
        return "\n".join(difflib.unified_diff(*pair, self.file, self.file, n=1, lineterm=""))


def mutants_of_package(package: Path, leave_out: Collection[str] = ()) -> Iterator[Mutant]:
    """All mutants of all modules of a package, but for those in the folders right below it that are left out."""
    for path in sorted(package.rglob("*.py")):
        file = path.relative_to(package)
        if file.parts[0] not in leave_out:
            yield from mutants_of(file.as_posix(), path.read_text(encoding="utf-8"))


def mutants_of(file: str, text: str) -> list[Mutant]:
    """All mutants of a module, in the order of its lines.

    Args:
        file: its path below the package.
        text: its text.
    """
    source = Source(text)
    made: dict[tuple[str, str, str, str], Mutant] = {}  # of lines that stand twice in a function, the first
    for statement in source.tree.body:
        for mutant in _mutants_of(statement, source, file):
            made.setdefault(mutant.key, mutant)
    return sorted(made.values(), key=lambda mutant: mutant.edit.start)


def _mutants_of(statement: ast.stmt, source: Source, file: str) -> Iterator[Mutant]:
    """The mutants of one statement of a module, each another program."""
    first = min([statement.lineno, *(decorator.lineno for decorator in getattr(statement, "decorator_list", ()))])
    start, end = source.offset(first, 0), source.end(statement)
    text = source.text[start:end]
    seen = {ast.dump(ast.parse(text))}
    for node, scopes, around in _nodes(statement, (), statement):
        for edit in edits_of(node, source):
            try:
                program = ast.dump(ast.parse(Edit(edit.start - start, edit.end - start, edit.text).applied(text)))
            except SyntaxError:
                continue
            if program not in seen:
                seen.add(program)
                yield _mutant(source.text, file, ".".join(scopes) or "<module>", _lines_of(around), edit)


def _nodes(
    node: ast.AST, scopes: tuple[str, ...], around: ast.AST
) -> Iterator[tuple[ast.AST, tuple[str, ...], ast.AST]]:
    """What may be changed in a node, each with the functions and the innermost statement that it stands in."""
    if _is_seen_by_no_test(node):
        return
    if isinstance(node, (ast.stmt, ast.ExceptHandler)):
        around = node
    if isinstance(node, _SCOPES):
        scopes = (*scopes, node.name)
    yield node, scopes, around
    for child in _children(node):
        yield from _nodes(child, scopes, around)


def _children(node: ast.AST) -> Iterable[ast.AST]:
    """The nodes below one, without annotations, and without those that have a better mutant: their parent's of them."""
    if isinstance(node, ast.JoinedStr):
        return [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
    if isinstance(node, ast.Raise):
        return [node.exc] if node.exc else []  # not what it comes `from`
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)) and len(node.elts) > 1:
        return [child for child in node.elts if not is_data(child) or _has_rows(child)]
    if isinstance(node, ast.Dict):
        return [child for child in node.values if not is_data(child)]
    annotations = (getattr(node, "annotation", None), getattr(node, "returns", None))
    return [child for child in ast.iter_child_nodes(node) if child not in annotations]


def _has_rows(node: ast.expr) -> bool:
    return any(isinstance(inner, ast.Dict) for inner in ast.walk(node))


def _is_seen_by_no_test(node: ast.AST) -> bool:
    """Whether a node has no meaning when the program runs, or only for who reads: prose, logs, types, imports."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and (" " in node.value or not node.value)
    if isinstance(node, ast.Expr):
        call = ast.unparse(node.value.func) if isinstance(node.value, ast.Call) else ""
        return isinstance(node.value, ast.Constant) or call.startswith(("log.", "_log.", "logger."))
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        return ast.unparse(target) in ("__all__", "__slots__") or _is_type(node.value)
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    return isinstance(node, (ast.Import, ast.ImportFrom, ast.Assert))


def _is_type(value: ast.expr | None) -> bool:
    """Whether it is one as in `Name = Callable[...]` or `Name = TypeVar(...)`."""
    named = value.value if isinstance(value, ast.Subscript) else value.func if isinstance(value, ast.Call) else None
    return named is not None and ast.unparse(named) in ("Callable", "Union", "Optional", "Type", "Tuple", "TypeVar")


def _lines_of(around: ast.AST) -> range:
    """The lines of a statement, those of its block not included."""
    assert isinstance(around, (ast.stmt, ast.ExceptHandler))
    body = getattr(around, "body", None)
    end = body[0].lineno - 1 if body else around.end_lineno
    return range(around.lineno, max(end or 0, around.lineno) + 1)


def _mutant(text: str, file: str, function: str, lines: range, edit: Edit) -> Mutant:
    start = text.rfind("\n", 0, edit.start) + 1
    end = text.find("\n", edit.end)
    end = len(text) if end < 0 else end
    line, becomes = (
        _unindented(text[start:end]),
        _unindented(text[start : edit.start] + edit.text + text[edit.end : end]),
    )
    digest = hashlib.sha256("\0".join((file, function, line, becomes)).encode()).hexdigest()[:5]
    place = file.removesuffix(".py").replace("/", ".") + ("" if function == "<module>" else f".{function}")
    return Mutant(f"{place}-{digest}", file, function, line, becomes, lines, edit)


def _unindented(lines: str) -> str:
    return "\n".join(line.strip() for line in lines.splitlines() if line.strip())
