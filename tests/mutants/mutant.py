"""Mutants: copies of a module with one small change each."""

from __future__ import annotations

import ast
import difflib
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.mutants.operators import KNOWS_PLACES_IN_STRINGS, edits_of
from tests.mutants.source import Edit, Source
from tests.mutants.worker import changed_functions, compiled, meaning

MODULE, STORY = "<module>", "<story>"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (*_FUNCTIONS, ast.ClassDef)


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
        at_import: whether it changes what runs when the module is imported, so that it cannot be put in later.
        function_text: the text of the outermost function or class around it.
    """

    name: str
    file: str
    function: str
    line: str
    becomes: str
    lines: range
    edit: Edit
    at_import: bool
    function_text: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells it from others, whatever is edited elsewhere."""
        return self.file, self.function, self.line, self.becomes

    @property
    def is_story(self) -> bool:
        """Whether somebody made it by hand."""
        return self.function == STORY

    def diff(self, text: str) -> str:
        """Its change of its module's text, to be read."""
        return _diff(text, self.edit.applied(text), self.file)


def mutants_of(file: str, text: str) -> list[Mutant]:
    """All mutants of a module, in the order of its lines.

    Args:
        file: its path below the package.
        text: its text.
    """
    source = Source(text)
    made = [mutant for statement in source.tree.body for mutant in _mutants_of(statement, source, file)]
    seen: Counter[tuple[str, str, str, str]] = Counter()
    for index, mutant in enumerate(made):
        seen[mutant.key] += 1
        if seen[mutant.key] > 1:  # the same line stands twice in its function
            made[index] = replace(mutant, name=f"{mutant.name}-{seen[mutant.key]}")
    return made


def mutants_of_package(package: Path) -> Iterator[Mutant]:
    """All mutants of all modules of a package."""
    for path in sorted(package.rglob("*.py")):
        yield from mutants_of(path.relative_to(package).as_posix(), path.read_text(encoding="utf-8"))


def _mutants_of(statement: ast.stmt, source: Source, file: str) -> Iterator[Mutant]:
    """The mutants of one statement of a module, each of another meaning."""
    first = min([statement.lineno, *(decorator.lineno for decorator in getattr(statement, "decorator_list", ()))])
    start, end = source.offset(first, 0), source.end(statement)
    text = source.text[start:end]
    sound = compiled(text)
    seen = {meaning(sound)}
    for edit, function, lines in sorted(_edits(statement, source), key=lambda found: found[0].start):
        try:
            mutated = compiled(Edit(edit.start - start, edit.end - start, edit.text).applied(text))
        except SyntaxError:
            continue
        if meaning(mutated) not in seen:
            seen.add(meaning(mutated))
            at_import = changed_functions(sound, mutated) is None
            yield _mutant(source.text, file, function, lines, edit, at_import, text)


def _edits(statement: ast.stmt, source: Source) -> Iterator[tuple[Edit, str, range]]:
    for node, scopes, around in _nodes(statement, (), statement):
        for edit in edits_of(node, source):
            yield edit, ".".join(scopes) or MODULE, lines_of(around)


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
    """The nodes below one, without those that have a better mutant: the one that their parent makes of them."""
    if isinstance(node, ast.JoinedStr):
        return [part.value for part in node.values if isinstance(part, ast.FormattedValue) and KNOWS_PLACES_IN_STRINGS]
    children = [child for child in ast.iter_child_nodes(node) if child not in _annotations(node)]
    if isinstance(node, ast.Raise):
        return children[:1]  # not what it comes `from`
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)) and len(children) > 2:
        return [child for child in children if not isinstance(child, ast.Constant)]
    if isinstance(node, ast.Compare):
        return [child for child in children if not (isinstance(child, ast.Constant) and child.value is None)]
    return children


def _annotations(node: ast.AST) -> list[ast.AST | None]:
    return [getattr(node, "annotation", None), getattr(node, "returns", None)]


def _is_seen_by_no_test(node: ast.AST) -> bool:
    """Whether a node has no meaning when the program runs: a docstring, an import, and what is for type checkers."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, (ast.Assign, ast.AnnAssign)):  # Name = Callable[...]
        return isinstance(node.value, ast.Subscript) and _is_type(node.value.value)
    if isinstance(node, ast.If):
        return ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).rpartition(".")[2] in ("TypeVar", "ParamSpec", "NewType")
    return isinstance(node, (ast.Import, ast.ImportFrom, ast.Assert))


def _is_type(node: ast.expr) -> bool:
    name = ast.unparse(node).rpartition(".")[2]
    return name[:1].isupper() and not name.isupper()


def lines_of(around: ast.AST) -> range:
    """The lines of a statement, those of its block not included."""
    assert isinstance(around, (ast.stmt, ast.ExceptHandler))
    body = getattr(around, "body", None)
    end = body[0].lineno - 1 if body else around.end_lineno
    return range(around.lineno, max(end or 0, around.lineno) + 1)


def _mutant(
    text: str, file: str, function: str, lines: range, edit: Edit, at_import: bool, function_text: str
) -> Mutant:
    line, becomes = _changed_lines(text, edit)
    digest = hashlib.sha256("\0".join((file, function, line, becomes)).encode()).hexdigest()[:5]
    place = file.removesuffix(".py").replace("/", ".") + ("" if function == MODULE else f".{function}")
    return Mutant(f"{place}-{digest}", file, function, line, becomes, lines, edit, at_import, function_text)


def _changed_lines(text: str, edit: Edit) -> tuple[str, str]:
    """The lines that an edit changes, before and after it, without indentation."""
    start = text.rfind("\n", 0, edit.start) + 1
    end = text.find("\n", edit.end)
    end = len(text) if end < 0 else end
    before = text[start:end]
    after = text[start : edit.start] + edit.text + text[edit.end : end]
    return _unindented(before), _unindented(after)


def _unindented(lines: str) -> str:
    return "\n".join(line.strip() for line in lines.splitlines() if line.strip())


def _diff(before: str, after: str, file: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), file, file, n=1, lineterm="")
    return "\n".join(lines)
