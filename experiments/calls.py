"""Calls inside a statement that can be imagined in a frame of their own.

Such a call is `f(x, 3)` or `f(n - 1)`: of a plain function of the same file, with arguments that
call nothing, and the first thing in its statement that has an effect. What it returns then stands
in its place in the text of the statement.
"""

import ast
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tracer.statements import read_statement

PURE = frozenset(
    "abs bool dict float int len list max min range repr round set sorted str sum tuple".split()
)
HIDING = (
    ast.Await,
    ast.Call,
    ast.comprehension,
    ast.Lambda,
    ast.NamedExpr,
    ast.Starred,
    ast.Yield,
    ast.YieldFrom,
)


class Inner(NamedTuple):
    """A call, and where it is in the text of its statement."""

    name: str
    call: str  # with the values of the variables in its arguments
    start: int
    end: int
    given: tuple[str | None, ...]  # names of the variables that are arguments by themselves


def functions(source: str) -> dict[str, ast.FunctionDef]:
    """The functions of a file whose call runs their body, and nothing before it."""
    return {
        node.name: node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef)
        and not node.decorator_list
        and not any(isinstance(each, ast.Yield | ast.YieldFrom) for each in ast.walk(node))
    }


def global_names(source: str) -> set[str]:
    """The variables of a module that a statement outside of functions and classes binds."""
    left: list[ast.AST] = [*ast.parse(source).body]
    found = set[str]()
    while left:
        node = left.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            left += ast.iter_child_nodes(node)
    return found


def used(function: ast.FunctionDef) -> set[str]:
    return {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}


def inner_call(
    text: str, known: Mapping[str, ast.FunctionDef], values: Mapping[str, str]
) -> Inner | None:
    """The call in a statement that comes first, where it can be imagined; `values` are the
    variables' reprs."""
    parsed = parse(text)
    if parsed is None:
        return None
    node, head = parsed
    for call in in_order(node):
        function = call.func
        if not isinstance(function, ast.Name):
            return None
        if function.id in known and function.id not in values:
            return simple(call, function.id, text, head, values)
        if function.id not in PURE:
            return None
    return None


def parse(text: str) -> tuple[ast.AST, int] | None:
    """What a statement evaluates once and for all, or a header when it is come to; and the lines
    that stand before it."""
    match read_statement(text):
        case (ast.If(test=test) | ast.While(test=test) | ast.Assert(test=test), before, _):
            return test, before
        case (ast.Assign(value=value) | ast.For(iter=value), before, _):
            return value, before
        case (
            ast.Expr() | ast.AugAssign() | ast.AnnAssign() | ast.Return() | ast.Raise() as node,
            before,
            _,
        ):
            return node, before
    return None


def in_order(node: ast.AST) -> Iterator[ast.Call]:
    """Calls in the order in which they are evaluated, as far as all of them are."""
    match node:
        case ast.Lambda():
            return
        case ast.BoolOp(values=[first, *_]):
            yield from in_order(first)
            return
        case ast.IfExp(test=test):
            yield from in_order(test)
            return
        case ast.Compare(left=left, comparators=[first, *_]):
            yield from in_order(left)
            yield from in_order(first)
            return
        case ast.ListComp(generators=parts) | ast.SetComp(generators=parts):
            yield from in_order(parts[0].iter)
            return
        case ast.DictComp(generators=parts) | ast.GeneratorExp(generators=parts):
            yield from in_order(parts[0].iter)
            return
    for child in ast.iter_child_nodes(node):
        yield from in_order(child)
    if isinstance(node, ast.Call):
        yield node


def simple(
    call: ast.Call, name: str, text: str, head: int, values: Mapping[str, str]
) -> Inner | None:
    arguments = [*call.args, *(each.value for each in call.keywords)]
    parts = [part for each in arguments for part in ast.walk(each)]
    if any(isinstance(part, HIDING) for part in parts) or not all(k.arg for k in call.keywords):
        return None
    used = {part.id for part in parts if isinstance(part, ast.Name)} & values.keys()
    if not all(literal(values[each]) for each in used):
        return None
    filled = ast.unparse(Filled(values).visit(ast.parse(ast.unparse(call), mode="eval")))
    given = tuple(each.id if isinstance(each, ast.Name) else None for each in call.args)
    start, end = (
        place(text, call.lineno - head, call.col_offset),
        place(text, (call.end_lineno or 0) - head, call.end_col_offset or 0),
    )
    return Inner(name, filled, start, end, given)


class Filled(ast.NodeTransformer):
    """Variables become their values."""

    def __init__(self, values: Mapping[str, str]):
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        held = self.values.get(node.id)
        return node if held is None else ast.parse(held, mode="eval").body


def place(text: str, line: int, column: int) -> int:
    """Where a line and a column, counted in bytes, are in a text."""
    lines = text.split("\n")
    before = sum(len(each) + 1 for each in lines[: line - 1])
    return before + len(lines[line - 1].encode()[:column].decode())


def literal(text: str | None) -> bool:
    try:
        ast.literal_eval(text or "")
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return False
    return True


def returned(text: str, inner: Inner, value: str) -> str:
    """The statement with a value in place of the call."""
    held = f"({value})" if value.startswith("-") else value
    return text[: inner.start] + held + text[inner.end :]


def kept(function: ast.FunctionDef) -> set[str]:
    """Parameters that are never bound anew: what is done to them is done to the caller's value."""
    bound = {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    return {each.arg for each in function.args.args} - bound
