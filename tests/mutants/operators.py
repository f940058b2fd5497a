"""The small changes that are made to Python code: each operator takes a node and says what could stand there instead.

An operator may propose what is no Python, or changes nothing: the caller compiles each proposal and drops those.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.mutants.source import Edit, Source

KNOWS_PLACES_IN_STRINGS = sys.version_info >= (3, 12)
"""Whether `ast` says where something in an f-string stands."""

_Operator = Callable[[Any, Source], Iterable["Edit | None"]]
_OPERATORS: dict[type[ast.AST], list[_Operator]] = {}


def edits_of(node: ast.AST, source: Source) -> Iterator[Edit]:
    """All changes of one node, but not of the nodes below it."""
    for operator in _OPERATORS.get(type(node), ()):
        yield from (edit for edit in operator(node, source) if edit is not None)


def _mutates(*kinds: type[ast.AST]) -> Callable[[_Operator], _Operator]:
    def register(operator: _Operator) -> _Operator:
        for kind in kinds:
            _OPERATORS.setdefault(kind, []).append(operator)
        return operator

    return register


# Comparisons, conditions and arithmetic.

# The pattern of each, what differs from it at the boundary alone, and its negation.
_COMPARISONS: dict[type[ast.cmpop], tuple[str, str, str]] = {
    ast.Lt: ("<", "<=", ">="),
    ast.LtE: ("<=", "<", ">"),
    ast.Gt: (">", ">=", "<="),
    ast.GtE: (">=", ">", "<"),
    ast.Eq: ("==", "", "!="),
    ast.NotEq: ("!=", "", "=="),
    ast.Is: (r"\bis\b", "", "is not"),
    ast.IsNot: (r"\bis\s+not\b", "", "is"),
    ast.In: (r"\bin\b", "", "not in"),
    ast.NotIn: (r"\bnot\s+in\b", "", "in"),
}
_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: (r"\+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: (r"\*", "//"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: (r"\*\*", "*"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: (r"\|", "&"),
    ast.BitXor: (r"\^", "&"),
}


@_mutates(ast.Compare)
def _comparison(node: ast.Compare, source: Source) -> Iterator[Edit | None]:
    operands = [node.left, *node.comparators]
    for left, operator, right in zip(operands, node.ops, operands[1:]):
        pattern, boundary, negation = _COMPARISONS[type(operator)]
        others = [boundary] if source.is_condition(node) else [boundary, negation]
        yield from (source.replace_between(left, right, pattern, other) for other in others if other)


@_mutates(ast.BoolOp)
def _operands(node: ast.BoolOp, source: Source) -> Iterator[Edit]:
    """Leave out one operand. Tests that notice each of these notice `or` for `and` as well."""
    neutral = "True" if isinstance(node.op, ast.And) else "False"
    yield from (source.replace(operand, neutral) for operand in node.values)


@_mutates(ast.UnaryOp)
def _sign(node: ast.UnaryOp, source: Source) -> Iterator[Edit]:
    if not source.is_condition(node):
        yield Edit(source.start(node), source.start(node.operand), "")


@_mutates(ast.BinOp)
def _arithmetic(node: ast.BinOp, source: Source) -> Iterator[Edit | None]:
    if not (_is_text(node.left) or _is_text(node.right)):
        pattern, other = _ARITHMETIC[type(node.op)]
        yield source.replace_between(node.left, node.right, pattern, other)
    if isinstance(node.op, (ast.Add, ast.BitOr, ast.BitAnd)):
        yield source.replace(node, f"({source.of(node.left)})")
        yield source.replace(node, f"({source.of(node.right)})")


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, (ast.JoinedStr, ast.Tuple, ast.List)) or (
        isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))
    )


@_mutates(ast.AugAssign)
def _changed_in_place(node: ast.AugAssign, source: Source) -> Iterator[Edit | None]:
    pattern, other = _ARITHMETIC[type(node.op)]
    yield source.replace_between(node.target, node.value, pattern + "=", other + "=")
    yield source.replace_between(node.target, node.value, pattern + "=", "=")


@_mutates(ast.If, ast.IfExp)
def _condition(node: ast.If | ast.IfExp, source: Source) -> Iterator[Edit]:
    yield source.replace(node.test, "True")
    yield source.replace(node.test, "False")


@_mutates(ast.While)
def _loop(node: ast.While, source: Source) -> Iterator[Edit]:
    yield source.replace(node.test, "False")


@_mutates(ast.For, ast.comprehension)
def _iteration(node: ast.For | ast.comprehension, source: Source) -> Iterator[Edit]:
    yield source.replace(node.iter, "()")
    for condition in getattr(node, "ifs", ()):
        yield source.replace(condition, "True")


# Constants.


@_mutates(ast.Constant)
def _constant(node: ast.Constant, source: Source) -> Iterator[Edit]:
    value = node.value
    if isinstance(value, bool):
        yield source.replace(node, str(not value))
    elif isinstance(value, (int, float)):
        yield source.replace(node, repr(value + 1))
        if value >= 1:
            yield source.replace(node, repr(value - 1))
    elif value is None:
        yield source.replace(node, "1")
    elif isinstance(value, str):
        yield source.replace(node, '""' if value else '"XX"')
    elif isinstance(value, bytes):
        yield source.replace(node, 'b""' if value else 'b"XX"')


@_mutates(ast.JoinedStr)
def _formatted(node: ast.JoinedStr, source: Source) -> Iterator[Edit]:
    yield source.replace(node, '""')
    if KNOWS_PLACES_IN_STRINGS:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield source.replace(part, "")


@_mutates(ast.Tuple, ast.List, ast.Set)
def _collection(node: ast.Tuple | ast.List | ast.Set, source: Source) -> Iterator[Edit]:
    """Leave out one element of what is data: constants only."""
    parts = [(source.start(element), source.end(element)) for element in node.elts]
    if len(parts) > 1 and all(_is_data(element) for element in node.elts):
        for index in range(len(parts)):
            yield source.without(parts, index)


@_mutates(ast.Dict)
def _mapping(node: ast.Dict, source: Source) -> Iterator[Edit]:
    pairs = zip(node.keys, node.values)
    parts = [(source.start(key) if key else source.start(value) - 2, source.end(value)) for key, value in pairs]
    for index in range(len(parts)):
        yield source.without(parts, index)


def _is_data(node: ast.expr) -> bool:
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return all(_is_data(element) for element in node.elts)
    if isinstance(node, ast.Call):  # a record in a table
        return bool(node.args) and all(_is_data(argument) for argument in node.args)
    return isinstance(node, (ast.Constant, ast.JoinedStr))


@_mutates(ast.Call)
def _words(node: ast.Call, source: Source) -> Iterator[Edit]:
    """Leave out one word of `"a list of words".split()`."""
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr == "split" and not node.args and _is_text(function.value):
        start, literal = source.start(function.value), source.of(function.value)
        quote = min(literal.find(character) for character in "\"'" if character in literal)
        for word in re.compile(r"[\w-]+").finditer(literal, quote):
            yield Edit(start + word.start(), start + word.end(), "")


# Calls.

_LITERALS = (ast.Constant, ast.JoinedStr)  # they have mutants of their own that do as much

_PAIRS = (
    ("partition", "rpartition"),
    ("find", "rfind"),
    ("index", "rindex"),
    ("lower", "upper"),
    ("lstrip", "rstrip"),
    ("startswith", "endswith"),
    ("removeprefix", "removesuffix"),
    ("any", "all"),
    ("min", "max"),
    ("match", "search"),
)
_SISTERS = {**dict(_PAIRS), **{right: left for left, right in _PAIRS}}
_SISTERS.update(strip="lstrip", fullmatch="match", sorted="list", reversed="list", append="extend")
_TRIVIAL = {"isinstance", "issubclass", "len", "super", "type", "getattr", "setattr", "vars"}


@_mutates(ast.Call)
def _called(node: ast.Call, source: Source) -> Iterator[Edit]:
    name = _name_of(node.func)
    if name in _SISTERS:
        end = source.end(node.func)
        yield Edit(end - len(name), end, _SISTERS[name])


@_mutates(ast.Call)
def _arguments(node: ast.Call, source: Source) -> Iterator[Edit]:
    """Leave out each argument by name, and those of unknown number; pass None for the others if they are but names."""
    given: list[ast.expr | ast.keyword] = sorted([*node.args, *node.keywords], key=source.start)
    parts = [(source.start(argument), source.end(argument)) for argument in given]
    for index, argument in enumerate(given):
        if isinstance(argument, (ast.keyword, ast.Starred)):
            yield source.without(parts, index)
        elif isinstance(argument, (ast.Name, ast.Attribute)) and _name_of(node.func) not in _TRIVIAL:
            yield source.replace(argument, "None")


def _name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


@_mutates(ast.Slice)
def _slice(node: ast.Slice, source: Source) -> Iterator[Edit]:
    yield from (source.replace(bound, "") for bound in (node.lower, node.upper) if bound is not None)


@_mutates(ast.Lambda)
def _lambda(node: ast.Lambda, source: Source) -> Iterator[Edit]:
    yield source.replace(node.body, "None")


# Functions and statements.


@_mutates(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
def _decorators(node: ast.FunctionDef | ast.ClassDef, source: Source) -> Iterator[Edit]:
    for decorator in node.decorator_list:
        yield Edit(source.text.rindex("@", 0, source.start(decorator)), source.end(decorator), "")


@_mutates(ast.arguments)
def _defaults(node: ast.arguments, source: Source) -> Iterator[Edit]:
    for default in [*node.defaults, *node.kw_defaults]:
        if default is not None and not isinstance(default, ast.Constant):
            yield source.replace(default, "None")


@_mutates(ast.Return, ast.Yield)
def _result(node: ast.Return | ast.Yield, source: Source) -> Iterator[Edit]:
    if node.value is not None and not isinstance(node.value, _LITERALS):
        yield source.replace(node.value, "None")


@_mutates(ast.Assign, ast.AnnAssign)
def _assigned(node: ast.Assign | ast.AnnAssign, source: Source) -> Iterator[Edit]:
    """Set something else: an attribute or an element. Without a variable, what follows fails in any case."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    is_kept = any(isinstance(target, (ast.Attribute, ast.Subscript)) for target in targets)
    if is_kept and node.value is not None and not isinstance(node.value, _LITERALS):
        yield source.replace(node.value, "None")


@_mutates(ast.Expr)
def _statement(node: ast.Expr, source: Source) -> Iterator[Edit]:
    if isinstance(node.value, ast.Call):
        yield source.replace(node, "pass")


@_mutates(ast.Raise, ast.Delete)
def _removed(node: ast.Raise | ast.Delete, source: Source) -> Iterator[Edit]:
    yield source.replace(node, "pass")


@_mutates(ast.Break, ast.Continue)
def _jump(node: ast.Break | ast.Continue, source: Source) -> Iterator[Edit]:
    yield source.replace(node, "continue" if isinstance(node, ast.Break) else "break")


@_mutates(ast.With)
def _context(node: ast.With, source: Source) -> Iterator[Edit]:
    if all(item.optional_vars is None for item in node.items):
        yield Edit(source.start(node), source.end(node.items[-1].context_expr), "if True")


# Exceptions.


@_mutates(ast.Raise)
def _raised(node: ast.Raise, source: Source) -> Iterator[Edit]:
    if isinstance(node.exc, ast.Call):
        yield source.replace(node.exc.func, "Exception")


@_mutates(ast.ExceptHandler)
def _caught(node: ast.ExceptHandler, source: Source) -> Iterator[Edit]:
    if node.type is None:
        return
    yield source.replace(node.type, "()")
    if isinstance(node.type, ast.Tuple):
        for kind in node.type.elts:
            yield source.replace(kind, "()")


# Regular expressions.

_USES_PATTERN = {"compile", "match", "fullmatch", "search", "sub", "split", "findall", "finditer"}
_PIECES = re.compile(
    r"""(?P<anchor>\\[AZbB] | \^ | \$)
    | \\.
    | (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
    | (?P<look>\(\?<?[=!])
    | \(\?[^:)]*[:)]
    | (?P<count>\{\d+,?\d*\})
    | (?P<repeat>[+*?])""",
    re.VERBOSE,
)
_MEMBERS = re.compile(r"(?:\\x[0-9a-fA-F]{2}|\\.|.)-(?:\\x[0-9a-fA-F]{2}|\\.|[^\]])|\\x[0-9a-fA-F]{2}|\\.|.")


@_mutates(ast.Call)
def _pattern(node: ast.Call, source: Source) -> Iterator[Edit]:
    if _name_of(node.func) in _USES_PATTERN and node.args and _is_text(node.args[0]):
        literal = source.of(node.args[0])
        match = re.fullmatch(r"""(?si)(?:r|rb|br)("{3}|'{3}|"|')(.*)\1""", literal)
        if match is not None:
            start = source.start(node.args[0])
            for piece in _PIECES.finditer(match[2]):
                begin = start + match.start(2) + piece.start()
                yield from (Edit(begin, begin + len(piece[0]), other) for other in _other_pieces(piece))


def _other_pieces(piece: re.Match[str]) -> Iterator[str]:
    text = piece[0]
    if piece["anchor"]:
        yield ""
    elif piece["look"]:
        yield text.translate(str.maketrans("=!", "!="))
    elif piece["repeat"]:
        yield {"+": "*", "*": "+", "?": ""}[text]
    elif piece["count"]:
        yield re.sub(r"\d+(?=\D*$)", lambda number: str(int(number[0]) + 1), text)
    elif piece["set"]:
        yield from _other_sets(text)


def _other_sets(text: str) -> Iterator[str]:
    """A set of characters, negated, and without each of its members."""
    is_negated = text.startswith("[^")
    members = _MEMBERS.findall(text[1 + is_negated : -1])
    yield "[" + "^" * (not is_negated) + text[1 + is_negated :]
    if len(members) > 1:
        for index in range(len(members)):
            yield text[: 1 + is_negated] + "".join(members[:index] + members[index + 1 :]) + "]"
