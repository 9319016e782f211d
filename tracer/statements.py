"""The statements of a source text, by line: what one action is.

A statement over several lines is one action with its whole text; a compound statement is its
header alone; statements that share a line are one action, because the interpreter reports lines.
"""

import ast
import re
import sys
from typing import NamedTuple, TypeGuard

from tracer.bytecode import Span

Node = ast.stmt | ast.ExceptHandler | ast.match_case

_NEWLINE = re.compile(r"\r\n|\r|\n")  # `str.splitlines` also splits where Python does not


class Statement(NamedTuple):
    line: int  # where it begins
    text: str  # dedented source
    kind: str  # "Assign", "For", ...: the name of the ast node
    loop: Span | None  # of a for loop: what the interpreter says is running at each iteration


def statement_table(source: str) -> dict[int, Statement]:
    """Every line that belongs to a statement, and that statement."""
    lines = _NEWLINE.split(source)
    spans: list[tuple[Node, int, int]] = []  # the first statement of a line has it all
    for node in sorted(filter(_is_node, ast.walk(ast.parse(source))), key=place):
        last = _header_end(node)
        if spans and place(node)[0] <= spans[-1][2]:  # `a = 1; b = 2`, `if x: y = 1`
            first, start, end = spans.pop()
            spans.append((first, start, max(end, last)))
        else:
            spans.append((node, _decorated_from(node), last))
    table: dict[int, Statement] = {}
    for node, start, last in spans:
        first = place(node)[0]
        text = _text(lines[first - 1 : last], isinstance(node, ast.stmt) and not _body(node))
        statement = Statement(first, text, type(node).__name__, _loop(node))
        table |= dict.fromkeys(range(start, last + 1), statement)
    return table


class Reading(NamedTuple):
    """A statement that was parsed by itself."""

    node: ast.stmt
    before: int  # lines that stood before it
    bare: bool  # a header without its body


def read_statement(text: str) -> Reading | None:
    """The statement of a table by its text; of `elif x:` it is an `if`. None: it is no statement
    or several."""
    for head in ("", "if x: pass\n"):
        for tail in ("", "\n pass"):
            try:
                body = ast.parse(head + text + tail).body
            except (SyntaxError, ValueError, RecursionError):
                continue
            if len(body) != 1:
                return None
            [node] = body
            if head and isinstance(node, ast.If) and node.orelse:
                node = node.orelse[0]
            return Reading(node, head.count("\n"), bool(tail))
    return None


def _is_node(node: ast.AST) -> TypeGuard[Node]:
    return isinstance(node, Node)


def place(node: Node) -> tuple[int, int]:
    where = node.pattern if isinstance(node, ast.match_case) else node
    return where.lineno, where.col_offset


def _body(node: Node) -> list:
    return getattr(node, "body", None) or getattr(node, "cases", [])


def _header_end(node: Node) -> int:
    """The last line before the body, or of the body when that begins on the header's line."""
    body = _body(node)
    if not body:
        return getattr(node, "end_lineno", None) or place(node)[0]
    begin, end = _decorated_from(body[0]), getattr(body[-1], "end_lineno", 0)
    return begin - 1 if begin > place(node)[0] else end


def _decorated_from(node: Node) -> int:
    return min([place(node)[0], *(d.lineno for d in getattr(node, "decorator_list", []))])


def _text(lines: list[str], simple: bool) -> str:
    indent = len(lines[0]) - len(lines[0].lstrip())
    body = [line[indent:] if not line[:indent].strip() else line for line in lines]
    while not simple and (not body[-1].strip() or body[-1].lstrip().startswith("#")):
        body.pop()  # comments between a header and its body
    return "\n".join(line.rstrip() for line in body)


def _loop(node: Node) -> Span | None:
    if not isinstance(node, ast.For | ast.AsyncFor):
        return None
    running = node.iter if sys.version_info >= (3, 13) else node
    return (running.lineno, running.end_lineno, running.col_offset, running.end_col_offset)
