"""Where control may go from each statement, read off the source text.

A header has two ways on, into its body and past it; whatever else is a statement has one. What no
text says, and a world model must, is which way is taken, and whether a statement raises.

A jump may have a route: a `return` within `try` and `with` first runs the body of `finally`, and
the line of `with` once more. `flow_table` tells where each step leads in itself: by it datasets are
labelled. `route_table` tells the routes as a whole: tracer.detours follows them.
"""

import ast
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from tracer.statements import Node, place

END = 0  # no line: the frame ends
LEFT = -1  # neither: it ends by what was raised in it
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


class Stop(NamedTuple):
    """A line on a route. What follows on the route waits until it is done there.

    A `with` that is run again tells what for: "jump" or "raised". Two stops are no steps: "done" is
    the end of a detour, behind it the way on if nothing waits; "same" tells but a label's line.
    """

    line: int
    depth: int = 0  # detours in which that line is; a stop that others follow is one more
    how: str = ""


Route = tuple[Stop, ...]


class Routes(NamedTuple):
    """Ways as a whole, of a statement in so many detours."""

    inside: Route
    past: Route
    raised: Route
    depth: int
    again: bool = False  # a `with`

    @property
    def ways(self) -> Ways:
        return Ways(*(_told(route) for route in (self.inside, self.past, self.raised)))

    @property
    def aims(self) -> tuple[int, ...]:
        return tuple(stop.line for stop in (*self.inside, *self.past) if stop.how != "done")


class Jumps(NamedTuple):
    """Where a statement that leaves its block goes."""

    broken: Route = (Stop(END),)
    continued: Route = (Stop(END),)
    returned: Route = (Stop(END),)
    raised: Route = (Stop(LEFT),)

    def through(self, stop: Stop) -> "Jumps":
        return Jumps(*((stop, *route) for route in self))


@lru_cache(maxsize=64)  # the calls of one program come one after the other
def flow_table(source: str) -> Mapping[int, Ways]:
    """The ways on from each statement, by the line where it begins; none in what is no program, or
    nests deeper than Python recurses.

    Statements that share a line are one, and go on where the last of them does.
    """
    return {line: routes.ways for line, routes in route_table(source).items()}


@lru_cache(maxsize=64)
def route_table(source: str) -> Mapping[int, Routes]:
    """The same, with what stands between."""
    table: dict[int, Routes] = {}
    try:
        for scope in ast.walk(ast.parse(source)):
            if isinstance(scope, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef):
                _block(scope.body, (Stop(END),), Jumps(), 0, table)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    return table


def branch(ways: Ways, line: int) -> int:
    """The number in BRANCHES of the way that leads to a line."""
    if not ways.fork:
        return 0
    return 1 if line == ways.inside else 2 if line == ways.past else 0


def _told(route: Route) -> int:
    """The line by which labels are told."""
    return max(END, next(stop.line for stop in route if stop.how not in ("jump", "done")))


def _block(
    body: Sequence[Node], after: Route, jumps: Jumps, depth: int, table: dict[int, Routes]
) -> None:
    for node, following in zip(body, [*body[1:], None], strict=False):
        beyond = _first([following] if following else [], depth, after)
        _node(node, beyond, jumps, depth, table)


def _node(node: Node, after: Route, jumps: Jumps, depth: int, table: dict[int, Routes]) -> None:
    line = _line(node)
    here = Stop(line, depth)

    def ways(inside: Route, past: Route, again: bool = False) -> None:
        table[line] = Routes(inside, past, jumps.raised, depth, again)

    def header(body: Sequence[Node], after_body: Route, within: Jumps, again: bool = False) -> None:
        past = _first(getattr(node, "orelse", []), depth, after)
        ways(_first(body, depth), past, again)
        _block(body, after_body, within, depth, table)
        if _line(body[0]) == line:  # on one line, it goes on where its body does
            ways(table[line].past, past, again)
        _block(getattr(node, "orelse", []), after, jumps, depth, table)

    match node:
        case ast.If(body=body):
            header(body, after, jumps)
        case ast.For(body=body) | ast.AsyncFor(body=body) | ast.While(body=body):
            header(body, (here,), jumps._replace(broken=after, continued=(here,)))
        case ast.With(body=body) | ast.AsyncWith(body=body) if _line(body[0]) == line:
            header(body, (here._replace(how="same"), *after), jumps, True)
        case ast.With(body=body) | ast.AsyncWith(body=body):
            # It is run again at its end, and when a jump or an exception leaves it.
            within = jumps.through(here._replace(how="jump"))
            raised = (here._replace(how="raised"), *jumps.raised)
            header(body, (here, *after), within._replace(raised=raised), True)
        case ast.ClassDef(body=body):
            header(body, after, jumps)  # its body is run in the frame that it stands in
        case ast.Try() | ast.TryStar():
            _try(node, after, jumps, depth, table)
        case ast.Match(cases=cases):
            first = _first(cases, depth)
            ways(first, first)
            others = [*(_first([case], depth) for case in cases[1:]), after]
            for case, beyond in zip(cases, others, strict=False):
                inside = _first(case.body, depth)
                table[_line(case)] = Routes(inside, beyond, jumps.raised, depth)
                _block(case.body, after, jumps, depth, table)
        case ast.Return():
            ways(jumps.returned, jumps.returned)
        case ast.Raise(exc=None):  # it goes on, and nothing new is raised
            ways(jumps.raised, jumps.raised)
        case ast.Raise():
            nowhere = (Stop(_told(jumps.raised), depth, "same"),)
            ways(nowhere, nowhere)
        case ast.Break():
            ways(jumps.broken, jumps.broken)
        case ast.Continue():
            ways(jumps.continued, jumps.continued)
        case _:
            ways(after, after)


def _try(
    node: ast.Try | ast.TryStar,
    after: Route,
    jumps: Jumps,
    depth: int,
    table: dict[int, Routes],
) -> None:
    beyond, left = after, jumps  # of what is neither caught nor left alone by `finally`
    if node.finalbody:
        [final] = _first(node.finalbody, depth)
        beyond, left = (final, *after), jumps.through(final)
    first = _first(node.body, depth)
    handled = [_first([handler], depth) for handler in node.handlers]
    caught = left._replace(raised=handled[0]) if handled else left
    table[node.lineno] = Routes(first, first, jumps.raised, depth)
    _block(node.body, _first(node.orelse, depth, beyond), caught, depth, table)
    _block(node.orelse, beyond, left, depth, table)
    for handler, other in zip(node.handlers, [*handled[1:], left.raised], strict=False):
        inside = _first(handler.body, depth)
        past = other if handler.type else inside
        table[handler.lineno] = Routes(inside, past, left.raised, depth)
        more = isinstance(node, ast.TryStar) and other != left.raised
        _block(handler.body, other if more else beyond, left, depth, table)
    done = Stop(END, depth, "done")
    _block(node.finalbody, (done, *after), jumps, depth + 1, table)


def _first(body: Sequence[Node], depth: int, otherwise: Route = ()) -> Route:
    return (Stop(_line(body[0]), depth),) if body else otherwise


def _line(node: Node) -> int:
    return place(node)[0]
