"""What still waits in a frame: where it goes on after a body of `finally`, or out of a `with`.

A jump or an exception that leaves such a block, and what merely comes to its end, makes a detour
first. The text tells its whole route (tracer.flow); on the way the rest of it is kept here, one for
each detour in another. A `return` or `break` on a detour, or an exception that leaves it, takes the
place of what waited.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import NamedTuple

from tracer.flow import END, LEFT, NOWHERE, Route, Routes, Ways


class Rest(NamedTuple):
    """What waits until a detour is done."""

    routes: tuple[Route, ...]  # several where nobody saw which: `if x: return` ends a `try`
    raised: int = 0  # of a `with` that an exception leaves: the line where it was raised


Waits = tuple[Rest | None, ...]  # outermost first; None: nobody saw how the detour began


class Open(NamedTuple):
    """The ways on that there truly are from a statement."""

    lines: tuple[int, ...]  # LEFT: the frame ends by what was raised before; none: it must raise
    raised: int  # after an exception
    told: Ways  # by which the model was taught to tell them apart
    left: int  # the line at which the frame is left, where it is
    aims: tuple[int, ...] = ()  # all lines, and ends, on the routes that begin there

    @property
    def fork(self) -> bool:
        return len(self.lines) > 1


class Detours(NamedTuple):
    """Those on which a frame is. A value: each step leads to another."""

    table: Mapping[int, Routes]
    waits: Waits = ()

    def open(self, line: int) -> Open:
        if line not in self.table:
            return Open((END,), END, NOWHERE, line)
        routes = self.table[line]
        found = dict.fromkeys(to for to, _ in self._ways(self._routes(line), line))
        raised = max(END, *(to for to, _ in self._ways([routes.raised], line)))
        return Open(tuple(found), raised, routes.ways, self._origin(line), routes.aims)

    def on(self, before: tuple[str, int], after: tuple[str, int]) -> "Detours":
        """From one event to the next, each with its kind and line. Where no way leads there, what
        waits there is not known."""
        (kind, line), (becomes, there) = before, after
        if becomes != "line":
            return self
        for routes, origin in self._tries(kind, line):
            found = [waits for to, waits in self._ways(routes, origin) if to == there]
            if found:
                return self._replace(waits=either(found))
        depth = self.table[there].depth if there in self.table else 0
        return self._replace(waits=cut(self.waits, depth))

    def caught(self, line: int) -> bool:
        """Whether there is a handler, in this frame, for what is raised at a line."""
        return line in self.table and self.table[line].raised[-1].line != LEFT

    def _tries(self, kind: str, line: int) -> Iterator[tuple[Iterable[Route], int]]:
        """Routes that are taken after an event, and where what was raised comes from."""
        if line in self.table:
            if kind != "exception":
                yield self._routes(line), self._origin(line)
            yield [self.table[line].raised], line

    def _routes(self, line: int) -> tuple[Route, ...]:
        """Those on from a statement that does not raise."""
        inside, past, _, depth, again = self.table[line]
        if not again:
            return inside, past
        if len(self.waits) <= depth:  # a `with` begins
            return (inside,)
        rest = self.waits[depth]
        if rest is None:
            return (past,)
        return (*rest.routes, past) if rest.raised else rest.routes  # it may keep an exception

    def _ways(self, routes: Iterable[Route], origin: int) -> Iterator[tuple[int, Waits]]:
        """The next line of each, and what waits there."""
        for first, *others in routes:
            if first.how in ("done", "same"):
                done = first.how == "done" and first.depth < len(self.waits)
                rest = self.waits[first.depth] if done else None
                plain = [tuple(others)] if others else []
                yield from self._ways(rest.routes if rest else plain, origin)
            elif others:
                rest = Rest((tuple(others),), origin if first.how == "raised" else 0)
                yield first.line, (*cut(self.waits, first.depth), rest)
            else:
                yield first.line, cut(self.waits, first.depth)

    def _origin(self, line: int) -> int:
        """Where the exception was raised that a `with` lets pass; else where the frame is."""
        routes = self.table[line]
        rest = self.waits[routes.depth] if len(self.waits) > routes.depth else None
        return rest.raised if routes.again and rest and rest.raised else line


def cut(waits: Waits, depth: int) -> Waits:
    """Of so many detours."""
    return (*waits, *[None] * depth)[:depth]


def either(found: list[Waits]) -> Waits:
    """What waits where it is one of several."""
    made: list[Rest | None] = []
    for rests in zip_longest(*found):
        known = [rest for rest in rests if rest]
        routes = tuple(dict.fromkeys(route for rest in known for route in rest.routes))
        raised = max((rest.raised for rest in known), default=0)
        made.append(Rest(routes, raised) if len(known) == len(rests) else None)
    return tuple(made)
