"""A debugger of what is imagined: step, go back, change a variable, and only then look.

    from experiments.debugger import Debugger

    debugger = Debugger.of("pretrained:demo", source, "f(3)")
    debugger.next().set("total", "7").out().result

Nothing of the function runs, except where the truth is asked for: `reveal` and `compare` run the
call once, in the sandbox. What *is* evaluated are arguments, of the call and of inner calls that
are stepped into, with the values that were imagined.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from experiments.begin import begin
from experiments.command import UserError
from experiments.frames import Frames, Moment
from experiments.page import page
from experiments.predict import Frame, Predictor, true_frame
from experiments.truth import Compared, Set, Truth, Truths, compared
from experiments.walk import Place, Walker
from tracer.sandbox import Limits
from tracer.schema import TELLING, Event

LEAST = 1e-9  # of a probability, where it is turned into bits


class Local(NamedTuple):
    """A variable of the innermost frame."""

    name: str
    value: str | None  # repr of what is imagined
    chance: float  # of this value, with all that it was made of
    true: str | None  # repr, where the truth is known and at this event too
    surprise: float | None  # bits that the true value costs; where another was imagined, at least


class Debugger:
    """One imagined call. Every command leads to a new moment, and returns the debugger."""

    def __init__(
        self,
        predictor: Predictor,
        source: str,
        call: str,
        steps: int = 256,  # of a command, at most
        limits: Mapping[str, Any] | None = None,  # of the real run
        sandbox: Mapping[str, Any] | None = None,
    ):
        self.source, self.call, self.steps = source, call, steps
        self.limits, self.sandbox = Limits(**dict(limits or {})), dict(sandbox or {})
        self.walker = Walker(predictor)
        start = begin(source, call, self.sandbox, steps)
        self.frames = Frames(self.walker, source, self.sandbox, steps)
        self.moments = [Moment((self.walker.begin(source, start.event),))]
        self.truths = Truths(source, call, self.limits, self.sandbox)
        self.note = ""  # what the last command did otherwise than was asked
        self.halted = False

    @classmethod
    def of(cls, run: Path | str, source: str, call: str, **more: Any) -> "Debugger":
        """`run`: the folder of a training run, or `pretrained:NAME`."""
        return cls(Predictor.of_programs(Path(run)), source, call, **more)

    @property
    def moment(self) -> Moment:
        return self.moments[-1]

    @property
    def place(self) -> Place:
        """In the innermost frame."""
        return self.moment.place

    @property
    def truth(self) -> Truth | None:
        """Where it was asked for already."""
        return self.truths.found.get(self.moment.settings)

    @property
    def line(self) -> int:
        return self.place.step.line

    @property
    def kind(self) -> str:
        return self.place.step.kind

    @property
    def statement(self) -> str:
        """What runs next; results that were imagined in a frame of their own stand in it."""
        return self.place.text if self.kind == "line" else ""

    @property
    def depth(self) -> int:
        return len(self.moment.stack) - 1

    @property
    def sure(self) -> float:
        """The chance that this event comes next, with what it returns or raises."""
        step = self.place.step
        says = step.kind in TELLING
        return math.exp(min(0.0, step.log_prob + (step.odds[-1] if says else 0.0)))

    @property
    def ended(self) -> bool:
        return self.place.ended and not self.depth

    @property
    def result(self) -> str | None:
        """The repr of what the innermost frame returns, where it does."""
        return self.place.outcome if self.kind == "return" else None

    @property
    def exception(self) -> str | None:
        """The repr of what is raised in the innermost frame, or has left it."""
        return self.place.outcome if self.kind in ("exception", "unwind") else None

    @property
    def locals(self) -> list[Local]:
        values, true = self.place.values, self._true()
        found = []
        odds = self.place.step.worth.log_probs.tolist()
        for name, log_prob in zip(self.place.names, odds, strict=False):
            if name in values or name in (true or ()):
                chance = math.exp(min(0.0, log_prob))
                found.append(local(name, values.get(name), chance, true))
        return found

    @property
    def listing(self) -> list[tuple[int, str, str]]:
        """Number and text of each line of the source, and what is there: `now`, `caller` or ``."""
        marks = {place.step.line: "caller" for place in self.moment.stack} | {self.line: "now"}
        lines = enumerate(self.source.rstrip("\n").split("\n"), 1)
        return [(number, text, marks.get(number, "")) for number, text in lines]

    @property
    def headline(self) -> str:
        """Where it is, in words."""
        match self.kind:
            case "return":
                what = f"returns {self.result or 'something'}"
            case "exception":
                what = f"raises {self.exception or 'an exception'}"
            case "unwind":
                what = f"is left by {self.exception or 'an exception'}"
            case "line":
                what = f"is about to run: {self.statement.partition(chr(10))[0]}"
            case kind:
                what = kind
        where = f"{self.call}, " + (f"{self.depth} deeper, " if self.depth else "")
        changed = "; a variable was set" if self.moment.settings else ""
        return f"{where}line {self.line} {what} ({100 * self.sure:.0f} %{changed})"

    def step(self) -> "Debugger":
        """One event on, and into a call that can be imagined in a frame of its own: of a plain
        function of this file, with arguments that call nothing."""
        inner = self.frames.inner(self.moment)
        if inner is None:
            return self.next()
        try:
            return self._go(self.frames.enter(self.moment, inner))
        except UserError as error:
            return self.next()._say(f"not stepped into: {error}")

    def next(self) -> "Debugger":
        """One event on in this frame, calls included; from its end, back to the caller."""
        if self.ended:
            raise UserError(f"{self.call} has ended; go back or reset")
        if self.place.ended:
            return self._leave()
        return self._to(self.walker.advance(self.place))

    def out(self) -> "Debugger":
        """To the end of this frame and back to the caller, or to the end of the call."""
        self._until(lambda: self.place.ended)
        return self._leave() if self.depth else self

    def run_to(self, line: int) -> "Debugger":
        """On to a line of this frame, or to the frame's end."""
        there = self.place.script.statements
        if line not in there:
            known = ", ".join(map(str, there))
            raise UserError(f"no statement of this frame begins in line {line}, but in: {known}")
        self.next()
        self._until(lambda: self.place.ended or (self.kind, self.line) == ("line", line))
        came = (self.kind, self.line) == ("line", line)
        return self if came else self._say(f"the frame ends and does not come to line {line}")

    def back(self) -> "Debugger":
        """Where it was one event, or one change, before."""
        if len(self.moments) == 1:
            raise UserError("this is where the call begins")
        self.moments.pop()
        return self._say("")

    def halt(self) -> None:
        """From another thread: `out` and `run_to` end where they are."""
        self.halted = True

    def reset(self) -> "Debugger":
        del self.moments[1:]
        return self._say("")

    def set(self, name: str, value: str) -> "Debugger":
        """A counterfactual: on from here as if a variable held this value, a Python literal."""
        if self.kind != "line":
            raise UserError(f"a variable is set before a statement runs, not at: {self.kind}")
        if name not in self.place.names:
            known = ", ".join(self.place.names) or "none"
            raise UserError(f"no variable {name!r} in this frame; there are: {known}")
        place = self.frames.grounded(self.place, {name: self.frames.row(value)})
        one = Set(self.moment.stack, name, value)
        self._to(place)
        self.moments[-1] = self.moment._replace(settings=(*self.moment.settings, one))
        return self

    def reveal(self) -> "Debugger":
        """See what truly is at this step of the frame, and go on from there."""
        place, events = self.place, self._known().events(self.moment.stack)
        if place.index >= len(events):
            raise UserError(f"in truth this frame has {len(events)} events, and not so many more")
        seen = self.walker.follow(self.source, events[: place.index + 1], place.depth)
        return self._to(seen._replace(previous=place.previous))

    def compare(self) -> list[Compared]:
        """The events of the innermost frame, as far as they were imagined, and as they truly are.
        After a variable was set, the truth is that of the program in which it is."""
        return compared(self.place, self._known().events(self.moment.stack))

    def _repr_html_(self) -> str:
        known = self.truth is not None
        rows = self.compare() if known else []
        return page(self.headline, self.note, self.listing, self.locals, rows, known)

    def __repr__(self) -> str:
        held = ", ".join(f"{name} = {value}" for name, value in self.place.values.items())
        return f"<{self.headline}: {held}>"

    def _say(self, note: str) -> "Debugger":
        self.note = note
        return self

    def _go(self, moment: Moment) -> "Debugger":
        self.moments.append(moment)
        return self._say("")

    def _to(self, place: Place) -> "Debugger":
        """Another place of the innermost frame."""
        return self._go(self.moment.at(place))

    def _until(self, there: Callable[[], bool]) -> None:
        steps, self.halted = 0, False
        while not there():
            if self.halted:
                raise UserError(f"halted after {steps} steps; back undoes one, reset all")
            if steps == self.steps:
                raise UserError(f"no end after {steps} steps; back undoes one, reset all")
            self.next()
            steps += 1

    def _leave(self) -> "Debugger":
        moment, note = self.frames.leave(self.moment)
        return self._go(moment)._say(note)

    def _known(self) -> Truth:
        """The program is run where it first matters, and never again, but with what is set."""
        return self.truths.of(self.moment.settings)

    def _true(self) -> Frame | None:
        """The true variables, where the truth is known and has come to this event too."""
        if self.truth is None:
            return None
        events: list[Event] = self.truth.events(self.moment.stack)[self.place.index :]
        there = events and (events[0].kind, events[0].lineno) == (self.kind, self.line)
        return true_frame(events[0]) if there else None


def local(name: str, value: str | None, chance: float, truth: Frame | None) -> Local:
    if truth is None:
        return Local(name, value, chance, None, None)
    true = truth.get(name)
    share = chance if value == true else 1 - chance
    return Local(name, value, chance, true, math.log2(1 / max(LEAST, share)))
