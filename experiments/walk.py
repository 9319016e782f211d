"""One imagined frame, event by event. Every place on the way is a value, so that going back is to
keep the places, and a changed variable leads to another place."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.command import UserError, user_errors
from experiments.control import ENDS
from experiments.free import Running, Step, follow, numbered, room_for, window
from experiments.predict import Frame, Predictor, frame, text
from experiments.worth import Worth
from rssm.model import Belief, Imagined
from tracer.cells import encode
from tracer.detours import Detours
from tracer.encode import slot_numbers
from tracer.lowering import Lowering, Site
from tracer.schema import Event
from tracer.script import Script, read_script

Led = tuple[Imagined, np.ndarray]  # the latent before, and the number of the text that was run


class Place(NamedTuple):
    """An event of an imagined frame, and the latent there."""

    script: Script
    lowering: Lowering
    names: tuple[str, ...]  # of the slots
    depth: int
    first: int  # line of the frame's first statement
    index: int  # events of the frame before this one
    step: Step
    text: str  # the statement that is about to run, as the model is told it
    at: Imagined
    led: Led | None
    previous: "Place | None"
    calls: int = 0  # of the statement that were imagined in a frame of their own
    loops: frozenset[int] = frozenset()  # the lines of those that go on
    detours: Detours = Detours({})  # on which the frame is

    @property
    def ended(self) -> bool:
        return self.step.kind in ENDS

    @property
    def values(self) -> Frame:
        """The repr of each variable."""
        return frame(self.names, self.step.rows.tolist())

    @property
    def outcome_row(self) -> np.ndarray:
        """Of what is returned, yielded or raised; a frame is left by what was raised before."""
        left = self.step.kind == "unwind" and self.previous is not None
        return (self.previous.step if left and self.previous else self.step).rows[-1]

    @property
    def outcome(self) -> str | None:
        """Its repr; of a statement that is about to run there is none."""
        return None if self.step.kind == "line" else text(tuple(self.outcome_row.tolist()))

    @property
    def path(self) -> list["Place"]:
        """From the frame's first event to this one."""
        found, place = [], self
        while place is not None:
            found.append(place)
            place = place.previous
        return found[::-1]


class Walker:
    """Goes through frames, one at a time, with one model."""

    def __init__(self, predictor: Predictor):
        self.trainer, self.params = predictor.trainer, predictor.params
        self.layout = predictor.layout

    def begin(self, source: str, event: Event, depth: int = 0) -> Place:
        """At a frame's first statement, with the variables that it has there."""
        with user_errors(ValueError):
            script = read_script(source, event.lineno)
        names = tuple(dict.fromkeys((*event.locals, *script.names)))[: self.layout.slots]
        lowering, step = Lowering(source, self.layout), self._seen(names, event)
        text = script.statements.get(event.lineno, "")
        texts, _ = numbered(lowering.table(script.statements, names))
        at = self.trainer.begin(self.params, self._batch(names, texts, step, depth))
        place = Place(script, lowering, names, depth, event.lineno, 0, step, text, at, None, None)
        return place._replace(detours=script.detours)

    def advance(self, place: Place) -> Place:
        """The statement is run, and what is likeliest comes next."""
        led, beliefs = self._led(place)
        at, belief = self.trainer.advance(self.params, *led)
        beliefs = jax.device_get([*beliefs, belief])
        ran = Running(place.step.worth)
        parts = self._table(place)[place.lowering.site(place.step.line, place.loops)]
        for part, each in zip(parts, beliefs, strict=True):
            ran = ran.ran(part, each, 0)
        step = follow(place.script, place.detours, place.step, beliefs[-1], 0, ran)
        return self._on(place, step, at, led)

    def ground(self, place: Place, step: Step) -> Place:
        """The same event with the state of `step`, as if that had been seen."""
        texts, _ = numbered(self._table(place))
        batch = self._batch(place.names, texts, step, place.depth)
        if place.led is None:
            return place._replace(step=step, at=self.trainer.begin(self.params, batch))
        at = self.trainer.ground(self.params, *place.led, batch)
        return place._replace(step=step, at=at._replace(actions=place.at.actions))

    def follow(self, source: str, events: Sequence[Event], depth: int) -> Place:
        """Through a frame's true events, each of them seen."""
        place = self.begin(source, events[0], depth)
        for event in events[1:]:
            step = self._seen(place.names, event)
            place = self.ground(self._on(place, step, place.at, self._led(place)[0]), step)
        return place

    def reworded(self, place: Place, text: str) -> Place:
        """With another text for the statement that is about to run."""
        return place._replace(text=text, calls=place.calls + 1)

    def raised(self, place: Place, what: str | None, outcome: np.ndarray) -> Place:
        """The statement is run and raises an exception, of which there is the repr and the row."""
        after = self.advance(place._replace(text=f"raise {what}"))
        rows = np.concatenate([after.step.rows[:-1], outcome[None]])
        odds = np.concatenate([after.step.odds[:-1], [0.0]])
        step = Step("exception", place.step.line, rows, 0.0, odds, 1.0, after.step.worth)
        text = place.script.statements[place.step.line]
        return after._replace(step=step, text=text, detours=place.detours)

    def _seen(self, names: Sequence[str], event: Event) -> Step:
        rows = self.rows(names, event)
        worth = Worth.seen(slot_numbers(names, self.layout), rows)
        return Step(event.kind, event.lineno, rows, 0.0, worth.odds, worth=worth)

    def rows(self, names: Sequence[str], event: Event) -> np.ndarray:
        held = [event.locals.get(name) for name in names]
        spare = [None] * (self.layout.rows - 1 - len(held))
        return np.array([encode(v, self.layout.cells)[0] for v in (*held, *spare, event.arg)])

    def _on(self, place: Place, step: Step, at: Imagined, led: Led) -> Place:
        text = place.script.statements.get(step.line, "")
        at = at._replace(actions=place.at.actions)  # another text was for this once
        line, runs = place.step.line, place.step.kind == step.kind == "line"
        loops = place.lowering.on(place.loops, line, step.line, runs)
        detours = place.detours.on(place.step[:2], step[:2])
        after = place._replace(step=step, text=text, at=at, led=led, previous=place, loops=loops)
        return after._replace(index=place.index + 1, calls=0, detours=detours)

    def _led(self, place: Place) -> tuple[Led, list[Belief]]:
        """The latent before the statement's last part, and that part; and what was believed after
        each of the others."""
        line, at = place.step.line, place.at
        texts, numbers = numbered(self._table(place))
        here = place.lowering.site(line, place.loops)
        if line not in place.script or numbers[here].stop > room_for(len(texts)):
            raise UserError(f"line {line} holds no statement that the model was shown")
        if place.text != place.script.statements[line]:
            batch = self._batch(place.names, texts, place.step, place.depth)
            at = at._replace(actions=self.trainer.begin(self.params, batch).actions)
        *others, last = (np.array([number], np.int32) for number in numbers[here])
        beliefs = []
        for number in others:
            at, belief = self.trainer.advance(self.params, at, number)
            beliefs.append(belief)
        return (at, last), beliefs

    def _table(self, place: Place) -> dict[Site, tuple[str, ...]]:
        """The parts of the frame's statements, with the text that the one at hand has now."""
        texts = place.script.statements
        if place.step.line in texts:
            texts = texts | {place.step.line: place.text or texts[place.step.line]}
        return place.lowering.table(texts, place.names)

    def _batch(
        self, names: Sequence[str], texts: Sequence[str], step: Step, depth: int
    ) -> dict[str, Any]:
        size = room_for(len(texts))
        made = window(self.layout, names, texts, step.rows, step.kind, size, depth)
        return {name: x[None] for name, x in made.items()}
