"""The small changes that are made to Python code: each operator takes a node and says what could stand there instead.

Words for people are left alone: no test should pin them. An operator may propose what is no Python, or changes nothing:
the caller parses each proposal and drops those.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tests.mutants.source import Edit, Source

_Operator = Callable[[Any, Source], Iterable[Edit]]
_OPERATORS: dict[type[ast.AST], list[_Operator]] = {}


def edits_of(node: ast.AST, source: Source) -> Iterator[Edit]:
    """All changes of one node, but not of the nodes below it."""
    for operator in _OPERATORS.get(type(node), ()):
        yield from operator(node, source)


def _mutates(*kinds: type[ast.AST]) -> Callable[[_Operator], _Operator]:
    def register(operator: _Operator) -> _Operator:
        for kind in kinds:
            _OPERATORS.setdefault(kind, []).append(operator)
        return operator

    return register


# Comparisons, conditions and arithmetic.

# What differs at the boundary alone; the opposite where there is none.
_OTHER: dict[type[ast.AST], type[ast.AST]] = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq},
    **{ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In},
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd},
    **{ast.Mult: ast.FloorDiv, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult},
    **{ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitXor: ast.BitAnd},
}


@_mutates(ast.Compare)
def _comparison(node: ast.Compare, source: Source) -> Iterator[Edit]:
    for index, operator in enumerate(node.ops):
        ops = [*node.ops[:index], _OTHER[type(operator)](), *node.ops[index + 1 :]]
        yield source.replace(node, ast.unparse(ast.Compare(node.left, ops, node.comparators)))  # type: ignore[arg-type]


@_mutates(ast.BoolOp)
def _operands(node: ast.BoolOp, source: Source) -> Iterator[Edit]:
    """Leave out one operand. Tests that notice each of these notice `or` for `and` as well."""
    neutral = "True" if isinstance(node.op, ast.And) else "False"
    yield from (source.replace(operand, neutral) for operand in node.values)


@_mutates(ast.UnaryOp)
def _sign(node: ast.UnaryOp, source: Source) -> Iterator[Edit]:
    yield source.replace(node, f"({source.of(node.operand)})")


@_mutates(ast.BinOp)
def _arithmetic(node: ast.BinOp, source: Source) -> Iterator[Edit]:
    if isinstance(node.op, (ast.Add, ast.BitOr, ast.BitAnd)):
        yield from (source.replace(node, f"({source.of(side)})") for side in (node.left, node.right))
    if not (_is_text(node.left) or _is_text(node.right)):
        other: Any = _OTHER[type(node.op)]()
        yield source.replace(node, ast.unparse(ast.BinOp(node.left, other, node.right)))


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, (ast.JoinedStr, ast.Tuple, ast.List)) or (
        isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))
    )


@_mutates(ast.AugAssign)
def _changed_in_place(node: ast.AugAssign, source: Source) -> Iterator[Edit]:
    yield source.replace(node, f"{source.of(node.target)} = {source.of(node.value)}")


@_mutates(ast.If, ast.IfExp, ast.While)
def _condition(node: ast.If | ast.IfExp | ast.While, source: Source) -> Iterator[Edit]:
    if not isinstance(node, ast.While):  # it would hang
        yield source.replace(node.test, "True")
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
    elif isinstance(value, (str, bytes)) and value:
        yield source.replace(node, '""' if isinstance(value, str) else 'b""')


@_mutates(ast.Tuple, ast.List, ast.Set)
def _rows(node: ast.Tuple | ast.List | ast.Set, source: Source) -> Iterator[Edit]:
    """Leave out one row of what is data."""
    parts = [(source.start(element), source.end(element)) for element in node.elts]
    if len(parts) < 2 or not all(is_data(element) for element in node.elts):
        return
    if len(parts) == 2 and isinstance(node, ast.Tuple):  # ("a") is none
        yield from (source.replace(node, f"({source.of(element)},)") for element in node.elts)
    else:
        yield from (source.without(parts, index) for index in range(len(parts)))


@_mutates(ast.Dict)
def _pairs(node: ast.Dict, source: Source) -> Iterator[Edit]:
    pairs = zip(node.keys, node.values)
    parts = [(source.start(key) if key else source.start(value) - 2, source.end(value)) for key, value in pairs]
    yield from (source.without(parts, index) for index in range(len(parts)))


def is_data(node: ast.expr) -> bool:
    """Whether it is a constant, or a row of a table: a tuple or a record of constants."""
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return all(is_data(element) for element in node.elts)
    if isinstance(node, ast.Dict):
        return all(is_data(value) for value in node.values)
    if isinstance(node, ast.Call):
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        return _name_of(node.func)[:1].isupper() and bool(given) and all(is_data(value) for value in given)
    return isinstance(node, (ast.Constant, ast.JoinedStr)) or (isinstance(node, ast.Name) and node.id.isupper())


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

_TWINS = (
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
_SISTERS = {**dict(_TWINS), **{right: left for left, right in _TWINS}}
_SISTERS.update(strip="lstrip", fullmatch="match", sorted="list", reversed="list", append="extend")


@_mutates(ast.Call)
def _called(node: ast.Call, source: Source) -> Iterator[Edit]:
    name = _name_of(node.func)
    if name in _SISTERS:
        end = source.end(node.func)
        yield Edit(end - len(name), end, _SISTERS[name])


@_mutates(ast.Call)
def _arguments(node: ast.Call, source: Source) -> Iterator[Edit]:
    """Leave out each argument by name, and those of unknown number. Without another, the call fails in any case."""
    given: list[ast.expr | ast.keyword] = sorted([*node.args, *node.keywords], key=source.start)
    parts = [(source.start(argument), source.end(argument)) for argument in given]
    for index, argument in enumerate(given):
        if isinstance(argument, (ast.keyword, ast.Starred)):
            yield source.without(parts, index)


def _name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


@_mutates(ast.Slice)
def _slice(node: ast.Slice, source: Source) -> Iterator[Edit]:
    yield from (source.replace(bound, "") for bound in (node.lower, node.upper) if bound is not None)


# Functions and statements.


@_mutates(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
def _decorators(node: ast.FunctionDef | ast.ClassDef, source: Source) -> Iterator[Edit]:
    for decorator in node.decorator_list:
        yield Edit(source.text.rindex("@", 0, source.start(decorator)), source.end(decorator), "")


@_mutates(ast.Return, ast.Yield, ast.Lambda)
def _result(node: ast.Return | ast.Yield | ast.Lambda, source: Source) -> Iterator[Edit]:
    value = node.body if isinstance(node, ast.Lambda) else node.value
    if value is not None and not isinstance(value, (ast.Constant, ast.JoinedStr)):
        yield source.replace(value, "None")


@_mutates(ast.Assign, ast.AnnAssign)
def _assigned(node: ast.Assign | ast.AnnAssign, source: Source) -> Iterator[Edit]:
    """Set something else: an attribute or an element. Without a variable, what follows fails in any case."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    is_kept = any(isinstance(target, (ast.Attribute, ast.Subscript)) for target in targets)
    if is_kept and node.value is not None:
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
