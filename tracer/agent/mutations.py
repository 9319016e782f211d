"""Mutations of a Python source: faults of one line each, that tests are to find.

    delete      a statement becomes `pass`
    swap        two variables of a statement or a condition change places
    operator    `+` becomes `-`, `<` becomes `<=`, `and` becomes `or`
    constant    an integer becomes the next, True becomes False, a text is emptied
    argument    a call loses one of its arguments

A line is changed as text, so that everything else of it stays as it was written. What is changed
has a meaning when the program runs: no docstrings, no annotations, no imports; and no parts of
f-strings, whose places Python 3.11 does not know.
"""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

OPERATORS = ("delete", "swap", "operator", "constant", "argument")

_OTHER = {
    **{"+": "-", "-": "+", "*": "+", "/": "*", "//": "/", "%": "//", "**": "*"},
    **{"&": "|", "|": "&", "^": "&", "<<": ">>", ">>": "<<"},
    **{"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="},
    **{"is": "is not", "is not": "is", "in": "not in", "not in": "in", "and": "or", "or": "and"},
}
_TOKEN = re.compile(r"is\s+not\b|not\s+in\b|\w+|[-+*/%&|^<>=!]+")
_COMMA = re.compile(r"\s*,\s*")
_UNCHANGED = ("annotation", "returns", "decorator_list")  # fields of a node
_SIMPLE = (
    *(ast.Assign, ast.AugAssign, ast.Expr, ast.Return, ast.Raise, ast.Delete),
    *(ast.Assert, ast.Break, ast.Continue),
)


class Mutation(NamedTuple):
    operator: str  # one of OPERATORS
    line: int  # from 1 on
    old: str  # the line as it is
    new: str


class _Span(NamedTuple):
    """A part of one line; columns are of its UTF-8 bytes, as in `ast`."""

    line: int
    start: int
    stop: int


def mutations(source: str) -> list[Mutation]:
    """All of a source, in the order of its lines. Raises SyntaxError."""
    lines = [line.encode() for line in source.split("\n")]
    found = []
    for node in _running(ast.parse(source)):
        for operator, span, text in _changes(node, lines):
            old = lines[span.line - 1]
            new = old[: span.start] + text.encode() + old[span.stop :]
            if new != old:
                found.append(Mutation(operator, span.line, old.decode(), new.decode()))
    return sorted(dict.fromkeys(found), key=lambda each: each.line)


def mutated(source: str, mutation: Mutation) -> str:
    lines = source.split("\n")
    lines[mutation.line - 1] = mutation.new
    return "\n".join(lines)


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that have a meaning at run time, and whose places are known."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.JoinedStr) or _is_text(node):
            continue
        yield node
        for name, value in ast.iter_fields(node):
            if name not in _UNCHANGED:
                inner = value if isinstance(value, list) else [value]
                waiting += [each for each in inner if isinstance(each, ast.AST)]


def _is_text(node: ast.AST) -> bool:
    """A docstring, or another text that stands for itself."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changes(node: ast.AST, lines: list[bytes]) -> Iterator[tuple[str, _Span, str]]:
    """The operator, what it replaces, and by what."""
    if isinstance(node, _SIMPLE) and (span := _span(node)):
        yield "delete", span, "pass"
    if part := _reading(node):
        yield from _swaps(part, lines)
    match node:
        case ast.BinOp(left=left, right=right) | ast.AugAssign(target=left, value=right):
            yield from _operator(left, right, lines)
        case ast.Compare(left=left, comparators=others):
            for pair in pairwise([left, *others]):
                yield from _operator(*pair, lines)
        case ast.BoolOp(values=values):
            for pair in pairwise(values):
                yield from _operator(*pair, lines)
        case ast.Constant() if (span := _span(node)) and (other := _constant(node.value)):
            yield "constant", span, other
        case ast.Call():
            yield from _arguments(node, lines)


def _span(node: ast.AST) -> _Span | None:
    """Where a node is, if that is one line."""
    line, stop = getattr(node, "lineno", None), getattr(node, "end_col_offset", None)
    if line is None or stop is None or line != getattr(node, "end_lineno", None):
        return None
    return _Span(line, getattr(node, "col_offset", 0), stop)


def _between(left: ast.AST, right: ast.AST, lines: list[bytes]) -> tuple[_Span, str] | None:
    """What stands between two nodes of one line."""
    before, after = _span(left), _span(right)
    if before is None or after is None or before.line != after.line:
        return None
    span = _Span(before.line, before.stop, after.start)
    return span, lines[span.line - 1][span.start : span.stop].decode()


def _reading(node: ast.AST) -> ast.AST | None:
    """The statement or condition whose variables may be exchanged."""
    if isinstance(node, ast.If | ast.While):
        return node.test
    if isinstance(node, ast.For):
        return node.iter
    return node if isinstance(node, _SIMPLE) else None


def _swaps(part: ast.AST, lines: list[bytes]) -> Iterator[tuple[str, _Span, str]]:
    called = {id(node.func) for node in ast.walk(part) if isinstance(node, ast.Call)}
    names = [
        (span, node.id)
        for node in _running(part)
        if isinstance(node, ast.Name) and id(node) not in called and (span := _span(node))
    ]
    for (one, first), (other, second) in pairwise(sorted(names)):
        if first != second and one.line == other.line:
            middle = lines[one.line - 1][one.stop : other.start].decode()
            yield "swap", _Span(one.line, one.start, other.stop), f"{second}{middle}{first}"


def _operator(
    left: ast.AST, right: ast.AST, lines: list[bytes]
) -> Iterator[tuple[str, _Span, str]]:
    if not (found := _between(left, right, lines)):
        return
    span, text = found
    token = _TOKEN.search(text)
    name = " ".join(token.group().split()) if token else ""
    assigns = len(name) > 1 and name.endswith("=") and name not in _OTHER
    other = _OTHER.get(name.removesuffix("=") if assigns else name)
    if token and other:
        new = text[: token.start()] + other + "=" * assigns + text[token.end() :]
        yield "operator", span, new


def _constant(value: object) -> str:
    """Another constant as text; none for those that have no neighbour."""
    if isinstance(value, bool):
        return str(not value)
    if isinstance(value, int):
        return str(value + 1)
    if isinstance(value, str | bytes) and value:
        return repr(value[:0])
    return ""


def _arguments(call: ast.Call, lines: list[bytes]) -> Iterator[tuple[str, _Span, str]]:
    given = sorted([*call.args, *call.keywords], key=lambda node: (node.lineno, node.col_offset))
    if any(isinstance(each, ast.GeneratorExp) for each in given):  # it may have the parentheses
        return
    for number, each in enumerate(given):
        span = _span(each)
        if span is None:
            continue
        if number:
            gap = _between(given[number - 1], each, lines)
            if gap and _COMMA.fullmatch(gap[1]):
                yield "argument", _Span(span.line, gap[0].start, span.stop), ""
        elif len(given) == 1:
            yield "argument", span, ""
        else:
            gap = _between(each, given[1], lines)
            if gap and _COMMA.fullmatch(gap[1]):
                yield "argument", _Span(span.line, span.start, gap[0].stop), ""
