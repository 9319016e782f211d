"""What a call really does, and where in it an imagined frame is."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Any, NamedTuple

from experiments.altered import Setting, alter
from experiments.command import UserError
from experiments.predict import Frame, true_frame
from experiments.score import Change, change
from experiments.walk import Place
from tracer.sandbox import Limits, Sandbox
from tracer.schema import Event
from tracer.values import capture, render

Body = list[tuple[int, Event]]  # the events of a frame from its first statement on, and their
# numbers in the trace


class Happened(NamedTuple):
    """An event of a frame, imagined or true."""

    kind: str
    line: int
    variables: Frame
    outcome: str | None  # repr of what is returned, yielded or raised
    change: Change  # of the variables, by what ran before


class Compared(NamedTuple):
    """One step of a frame, twice."""

    index: int
    statement: str
    imagined: Happened | None
    true: Happened | None

    @property
    def right(self) -> bool:
        return self.imagined == self.true


class Truth:
    """What was traced of the call, and the settings with which it ran."""

    def __init__(self, trace: Sequence[Event], settings: tuple[Setting, ...] = ()):
        self.trace, self.settings = trace, settings
        bodies: dict[int, Body] = {}
        for number, event in enumerate(trace):
            body = bodies.setdefault(event.scope, [])
            if event.kind != "call":
                body.append((number, event))
        self.bodies = [body for body in bodies.values() if body]
        if not self.bodies:
            raise UserError("the program really ran, and nothing of it was traced")

    def events(self, stack: Sequence[Place]) -> list[Event]:
        """Of the innermost frame of a stack; none where the truth has no such frame."""
        return [event for _, event in self._body(stack)]

    def setting(self, stack: Sequence[Place], name: str, value: str) -> tuple[int, Setting] | None:
        """What sets a variable where the innermost place is, and the number of that event; None
        where the truth does not come to the place."""
        body, place = self._body(stack), stack[-1]
        number, event = body[place.index] if place.index < len(body) else (0, None)
        if event is None or (event.kind, event.lineno) != ("line", place.step.line):
            return None
        there = [(e.kind, e.lineno) for e in self.trace[:number]]
        return number, Setting(event.lineno, there.count(("line", event.lineno)), name, value)

    def _body(self, stack: Sequence[Place]) -> Body:
        body: Body | None = self.bodies[0]
        for outer, inner in pairwise(stack):
            body = body and self._inner(body, outer, inner)
        return body or []

    def _inner(self, body: Body, outer: Place, inner: Place) -> Body | None:
        """The call that the outer frame makes there; several of one statement are told apart by
        their number."""
        if outer.index + 1 >= len(body):
            return None
        start, stop = body[outer.index][0], body[outer.index + 1][0]
        depth = body[outer.index][1].depth + 1
        found = [
            each for each in self.bodies if start < each[0][0] < stop and each[0][1].depth == depth
        ]
        alike = [each for each in found if each[0][1].lineno == inner.first]
        return alike[outer.calls] if outer.calls < len(alike) else None


@dataclass(frozen=True, eq=False)
class Set:
    """A variable that the user set, and where."""

    stack: tuple[Place, ...]
    name: str
    value: str  # a literal


class Truths:
    """Of a call as it is, and with what was set in it; each is run once, when it is asked for."""

    def __init__(self, source: str, call: str, limits: Limits, sandbox: Mapping[str, Any]):
        self.source, self.call, self.limits, self.sandbox = source, call, limits, sandbox
        self.found: dict[tuple[Set, ...], Truth] = {}

    def of(self, settings: tuple[Set, ...]) -> Truth:
        """Raises UserError where there is none."""
        if settings not in self.found:
            made = self._altered(settings) if settings else Truth(self._run(self.source))
            self.found[settings] = made
        return self.found[settings]

    def _altered(self, settings: tuple[Set, ...]) -> Truth:
        *others, last = settings
        before = self.of(tuple(others))
        there = before.setting(last.stack, last.name, last.value)
        if there is None:
            raise UserError(f"in truth the call does not come to where {last.name} was set")
        number, setting = there
        every = (*before.settings, setting)
        if altered := alter(self.source, every):
            events = altered.told(self._run(altered.source))
            held = events[number].locals.get(setting.name) if number < len(events) else None
            if held == capture(ast.literal_eval(setting.value)):
                return Truth(events, every)
        raise UserError(f"no assignment before line {setting.line} sets {setting.name} there")

    def _run(self, source: str) -> list[Event]:
        with Sandbox(self.limits, **self.sandbox) as box:
            return box.run(source.encode(), self.call).trace.events


def compared(place: Place, events: Sequence[Event]) -> list[Compared]:
    """The way to an imagined place, beside the events of the frame."""
    path = place.path
    imagined = happened([(p.step.kind, p.step.line, p.values, p.outcome) for p in path])
    true = happened(
        [(e.kind, e.lineno, true_frame(e), render(e.arg) if e.arg else None) for e in events]
    )
    texts = [p.text for p in path] + [e.statement for e in events[len(path) :]]
    return [
        Compared(index, text, one, other)
        for index, (text, one, other) in enumerate(zip_longest(texts, imagined, true))
    ]


def happened(events: Sequence[tuple[str, int, Frame, str | None]]) -> list[Happened]:
    before = [{}, *(variables for _, _, variables, _ in events)]
    return [
        Happened(*event, change(last, event[2]))
        for last, event in zip(before, events, strict=False)
    ]
