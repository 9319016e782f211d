"""One imagined frame, event by event. Every place on the way is a value, so that going back is to
keep the places, and a changed variable leads to another place."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.command import UserError, user_errors
from experiments.control import ENDS
from experiments.free import Step, follow, room_for, window
from experiments.predict import Frame, Predictor, frame, text
from rssm.model import Imagined
from tracer.cells import encode
from tracer.schema import Event
from tracer.script import Script, read_script

HEADS = ("kind", "branch")  # the labels that say where a program goes


class Place(NamedTuple):
    """An event of an imagined frame, and the latent there."""

    script: Script
    names: tuple[str, ...]  # of the slots
    depth: int
    first: int  # line of the frame's first statement
    index: int  # events of the frame before this one
    step: Step
    text: str  # the statement that is about to run, as the model is told it
    at: Imagined
    led: tuple[Imagined, np.ndarray] | None  # the latent before, and the statement that was run
    previous: "Place | None"
    calls: int = 0  # of the statement that were imagined in a frame of their own

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
        rows = self.rows(names, event)
        step = Step(event.kind, event.lineno, rows, 0.0, np.zeros(len(rows)))
        text = script.statements.get(event.lineno, "")
        texts = list(script.statements.values())
        at = self.trainer.begin(self.params, self._batch(names, texts, step, depth))
        return Place(script, names, depth, event.lineno, 0, step, text, at, None, None)

    def advance(self, place: Place) -> Place:
        """The statement is run, and what is likeliest comes next."""
        chosen, told = self._number(place), self._told(place)
        at, belief = self.trainer.advance(self.params, told, chosen)
        missing = [name for name in HEADS if name not in belief.labels]
        if missing:
            raise UserError(f"this model does not say what runs next: it has no {missing[0]!r}")
        step = follow(place.script, place.step, jax.device_get(belief), 0)
        at = at._replace(actions=place.at.actions)  # another text was for this once
        return self._on(place, step, at, (told, chosen))

    def ground(self, place: Place, step: Step) -> Place:
        """The same event with the state of `step`, as if that had been seen."""
        texts = list(place.script.statements.values())
        batch = self._batch(place.names, texts, step, place.depth)
        if place.led is None:
            at = self.trainer.begin(self.params, batch)
        else:
            at = self.trainer.ground(self.params, *place.led, batch)
        return place._replace(step=step, at=at)

    def follow(self, source: str, events: Sequence[Event], depth: int) -> Place:
        """Through a frame's true events, each of them seen."""
        place = self.begin(source, events[0], depth)
        for event in events[1:]:
            rows = self.rows(place.names, event)
            step = Step(event.kind, event.lineno, rows, 0.0, np.zeros(len(rows)))
            chosen = self._number(place)
            reached = self._on(place, step, place.at, (place.at, chosen))
            place = self.ground(reached, step)
        return place

    def reworded(self, place: Place, text: str) -> Place:
        """With another text for the statement that is about to run."""
        return place._replace(text=text, calls=place.calls + 1)

    def raised(self, place: Place, what: str | None, outcome: np.ndarray) -> Place:
        """The statement is run and raises an exception, of which there is the repr and the row."""
        after = self.advance(place._replace(text=f"raise {what}"))
        rows = np.concatenate([after.step.rows[:-1], outcome[None]])
        odds = np.concatenate([after.step.odds[:-1], [0.0]])
        step = Step("exception", place.step.line, rows, 0.0, odds, 1.0)
        return after._replace(step=step, text=place.script.statements[place.step.line])

    def rows(self, names: Sequence[str], event: Event) -> np.ndarray:
        held = [event.locals.get(name) for name in names]
        spare = [None] * (self.layout.slots - len(held))
        return np.array([encode(v, self.layout.cells)[0] for v in (*held, *spare, event.arg)])

    def _on(self, place: Place, step: Step, at: Imagined, led: tuple) -> Place:
        text = place.script.statements.get(step.line, "")
        after = place._replace(step=step, text=text, at=at, led=led, previous=place)
        return after._replace(index=place.index + 1, calls=0)

    def _told(self, place: Place) -> Imagined:
        """The latent, with the text that the statement has now among its actions."""
        texts, line = place.script.statements, place.step.line
        if place.text == texts.get(line):
            return place.at
        other = [*(texts | {line: place.text}).values()]
        batch = self._batch(place.names, other, place.step, place.depth)
        return place.at._replace(actions=self.trainer.begin(self.params, batch).actions)

    def _number(self, place: Place) -> np.ndarray:
        """Of the statement that is about to run, as a batch of one."""
        lines = list(place.script.statements)
        line = place.step.line
        number = lines.index(line) if line in place.script else len(lines)
        if number >= min(len(lines), room_for(len(lines))):
            raise UserError(f"line {line} holds no statement that the model was shown")
        return np.array([number], np.int32)

    def _batch(
        self, names: Sequence[str], texts: Sequence[str], step: Step, depth: int
    ) -> dict[str, Any]:
        size = room_for(len(texts))
        made = window(self.layout, names, texts, step.rows, step.kind, size, depth)
        return {name: x[None] for name, x in made.items()}
