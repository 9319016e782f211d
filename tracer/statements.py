"""The statements of a source text, by line: what one action is.

A statement over several lines is one action with its whole text; a compound statement is its
header alone; statements that share a line are one action, because the interpreter reports lines.
"""

import ast
import sys
from typing import NamedTuple

Span = tuple[int | None, int | None, int | None, int | None]  # line, end line, column, end column
Node = ast.stmt | ast.ExceptHandler


class Statement(NamedTuple):
    line: int  # where it begins
    text: str  # dedented source
    kind: str  # "Assign", "For", ...: the name of the ast node
    loop: Span | None  # of a for loop: what the interpreter says is running at each iteration


def statement_table(source: str) -> dict[int, Statement]:
    """Every line that belongs to a statement, and that statement."""
    lines = source.splitlines(keepends=True)
    table: dict[int, Statement] = {}
    nodes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, Node))
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        first, last = node.lineno, _header_end(node)
        if first in table:  # `a = 1; b = 2`, `if x: y = 1`: the line's first statement has it all
            continue
        statement = Statement(first, _text(lines, first, last), type(node).__name__, _loop(node))
        for line in range(_decorated_from(node), last + 1):
            table.setdefault(line, statement)
    return table


def _header_end(node: Node) -> int:
    body = getattr(node, "body", None) or getattr(node, "cases", None)
    if not body:
        return node.end_lineno or node.lineno
    inner = body[0].pattern if isinstance(body[0], ast.match_case) else body[0]
    first = min([inner.lineno, *(d.lineno for d in getattr(inner, "decorator_list", []))])
    return max(node.lineno, first - 1) if first > node.lineno else node.end_lineno or node.lineno


def _decorated_from(node: Node) -> int:
    return min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])


def _text(lines: list[str], first: int, last: int) -> str:
    kept = "".join(lines[first - 1 : last]).rstrip()
    indent = len(kept) - len(kept.lstrip())
    body = [line[indent:] if not line[:indent].strip() else line for line in kept.splitlines()]
    while body and (not body[-1].strip() or body[-1].lstrip().startswith("#")):
        body.pop()
    return "\n".join(line.rstrip() for line in body)


def _loop(node: Node) -> Span | None:
    if not isinstance(node, ast.For | ast.AsyncFor):
        return None
    running = node.iter if sys.version_info >= (3, 13) else node
    return (running.lineno, running.end_lineno, running.col_offset, running.end_col_offset)
