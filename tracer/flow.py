"""Where control may go from each statement, read off the source text.

A header has two ways on, into its body and past it; whatever else is a statement has one. What no
text says, and a world model must, is which way is taken, and whether a statement raises.
"""

import ast
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from tracer.statements import Node, place

END = 0  # no line: the frame ends
BRANCHES = ("other", "inside", "past")  # the way a step took; "other" also where there is but one


class Ways(NamedTuple):
    """The lines where a frame may be after a statement."""

    inside: int  # the first of a header's body, else what comes next
    past: int  # what comes next
    raised: int  # after an exception

    @property
    def fork(self) -> bool:
        return self.inside != self.past


NOWHERE = Ways(END, END, END)  # of a line of which no source tells


class Jumps(NamedTuple):
    """Where a statement that leaves its block goes."""

    broken: int = END
    continued: int = END
    returned: int = END
    raised: int = END


@lru_cache(maxsize=64)  # the calls of one program come one after the other
def flow_table(source: str) -> Mapping[int, Ways]:
    """The ways on from each statement, by the line where it begins; none in what is no program, or
    nests deeper than Python recurses.

    Statements that share a line are one, and go on where the last of them does.
    """
    table: dict[int, Ways] = {}
    try:
        for scope in ast.walk(ast.parse(source)):
            if isinstance(scope, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef):
                _block(scope.body, END, Jumps(), table)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    return table


def branch(ways: Ways, line: int) -> int:
    """The number in BRANCHES of the way that leads to a line."""
    if not ways.fork:
        return 0
    return 1 if line == ways.inside else 2 if line == ways.past else 0


def _block(body: Sequence[Node], after: int, jumps: Jumps, table: dict[int, Ways]) -> None:
    for node, following in zip(body, [*body[1:], None], strict=False):
        _node(node, after if following is None else _line(following), jumps, table)


def _node(node: Node, after: int, jumps: Jumps, table: dict[int, Ways]) -> None:
    line = _line(node)

    def ways(inside: int, past: int) -> None:
        table[line] = Ways(inside, past, jumps.raised)

    def header(body: Sequence[Node], after_body: int, within: Jumps) -> None:
        past = _first(getattr(node, "orelse", []), after)
        ways(_first(body), past)
        _block(body, after_body, within, table)
        if _first(body) == line:  # on one line, it goes on where its body does
            ways(table[line].past, past)
        _block(getattr(node, "orelse", []), after, jumps, table)

    match node:
        case ast.If(body=body):
            header(body, after, jumps)
        case ast.For(body=body) | ast.AsyncFor(body=body) | ast.While(body=body):
            header(body, line, jumps._replace(broken=after, continued=line))
        case ast.With(body=body) | ast.AsyncWith(body=body):
            # It is run again at its end, and when an exception leaves it.
            header(body, line, jumps._replace(raised=line))
        case ast.ClassDef(body=body):
            header(body, after, jumps)  # its body is run in the frame that it stands in
        case ast.Try() | ast.TryStar():
            _try(node, after, jumps, table)
        case ast.Match(cases=cases):
            ways(_line(cases[0]), _line(cases[0]))
            for case, beyond in zip(cases, [*map(_line, cases[1:]), after], strict=False):
                table[_line(case)] = Ways(_first(case.body), beyond, jumps.raised)
                _block(case.body, after, jumps, table)
        case ast.Return():
            ways(jumps.returned, jumps.returned)
        case ast.Raise():
            ways(jumps.raised, jumps.raised)
        case ast.Break():
            ways(jumps.broken, jumps.broken)
        case ast.Continue():
            ways(jumps.continued, jumps.continued)
        case _:
            ways(after, after)


def _try(node: ast.Try | ast.TryStar, after: int, jumps: Jumps, table: dict[int, Ways]) -> None:
    final = _first(node.finalbody)
    beyond = final or after
    left = jumps  # of what is neither caught nor left alone by `finally`
    if final:
        left = Jumps(*(final for _ in jumps))
    caught = left._replace(raised=_line(node.handlers[0])) if node.handlers else left
    table[node.lineno] = Ways(_first(node.body), _first(node.body), jumps.raised)
    _block(node.body, _first(node.orelse, beyond), caught, table)
    _block(node.orelse, beyond, left, table)
    others = [*map(_line, node.handlers[1:]), left.raised]
    for handler, other in zip(node.handlers, others, strict=False):
        inside = _first(handler.body)
        table[handler.lineno] = Ways(inside, other if handler.type else inside, left.raised)
        more = isinstance(node, ast.TryStar) and other != left.raised
        _block(handler.body, other if more else beyond, left, table)
    _block(node.finalbody, after, jumps, table)


def _first(body: Sequence[Node], otherwise: int = END) -> int:
    return place(body[0])[0] if body else otherwise


def _line(node: Node) -> int:
    return place(node)[0]
