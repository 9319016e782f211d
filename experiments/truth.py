"""What a call really does, and where in it an imagined frame is."""

from collections.abc import Sequence
from itertools import pairwise, zip_longest
from typing import NamedTuple

from experiments.command import UserError
from experiments.predict import Frame, true_frame
from experiments.score import Change, change
from experiments.walk import Place
from tracer.sandbox import Outcome
from tracer.schema import Event
from tracer.values import render

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
    """The trace of the call."""

    def __init__(self, outcome: Outcome):
        bodies: dict[int, Body] = {}
        for number, event in enumerate(outcome.trace.events):
            body = bodies.setdefault(event.scope, [])
            if event.kind != "call":
                body.append((number, event))
        self.bodies = [body for body in bodies.values() if body]
        if not self.bodies:
            raise UserError(f"the program really ran, and nothing was traced: {outcome.kind}")

    def events(self, stack: Sequence[Place]) -> list[Event]:
        """Of the innermost frame of a stack; none where the truth has no such frame."""
        body: Body | None = self.bodies[0]
        for outer, inner in pairwise(stack):
            body = body and self._inner(body, outer, inner)
        return [event for _, event in body or ()]

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
