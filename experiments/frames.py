"""An imagined call with the frames of the calls in it, one on the other.

A call of a plain function of the same file, with arguments that call nothing, has a frame of its
own. While it runs its caller stays where it is; what it returns then stands in its place in the
text of the caller's statement, what it raises is raised there, and what it has done to a list or
dict that it was given, or to a global that both use, is done to the caller's.
"""

import ast
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from experiments.begin import begin
from experiments.calls import (
    Inner,
    functions,
    global_names,
    inner_call,
    kept,
    literal,
    returned,
    used,
)
from experiments.command import UserError
from experiments.truth import Set
from experiments.walk import Place, Walker
from tracer.cells import encode
from tracer.entry import first_statement
from tracer.schema import Event
from tracer.statements import place as place_of
from tracer.values import capture
from tracer.working import value_of

CHANGING = "[{"  # how reprs of values begin that a callee may change


class Moment(NamedTuple):
    stack: tuple[Place, ...]  # outermost first
    inner: tuple[Inner, ...] = ()  # the call that led to each frame but the outermost
    settings: tuple[Set, ...] = ()  # by the user: the truth is that of another run

    @property
    def place(self) -> Place:
        """In the innermost frame."""
        return self.stack[-1]

    def at(self, place: Place) -> "Moment":
        """Another place of the innermost frame."""
        return self._replace(stack=(*self.stack[:-1], place))


class Frames:
    """Goes into the calls of one program and out of them."""

    def __init__(self, walker: Walker, source: str, sandbox: Mapping[str, Any], steps: int):
        self.walker, self.source, self.functions = walker, source, functions(source)
        self.globals = global_names(source)
        self.sandbox, self.steps = dict(sandbox), steps

    def inner(self, moment: Moment) -> Inner | None:
        """The call that comes first in the statement that is about to run."""
        place = moment.place
        _, again = place.lowering.site(place.step.line, place.loops)
        if place.step.kind != "line" or not place.text or again:
            return None
        return inner_call(place.text, self.functions, place.values)

    def enter(self, moment: Moment, inner: Inner) -> Moment:
        """At the first statement of what is called. Raises UserError where its arguments do."""
        function = self.functions[inner.name]
        event = bound(function, inner.call) if self.globals.isdisjoint(used(function)) else None
        event = event or begin(self.source, inner.call, self.sandbox, self.steps).event
        place = self.walker.begin(self.source, event, len(moment.stack))
        place = self.grounded(place, self._shared(moment.place, place))
        return moment._replace(stack=(*moment.stack, place), inner=(*moment.inner, inner))

    def leave(self, moment: Moment) -> tuple[Moment, str]:
        """What came of the innermost frame takes the place of the call in the caller; and what is
        to be said of it."""
        ended, inner, caller, note = moment.place, moment.inner[-1], moment.stack[-2], ""
        value = ended.outcome
        passed = self._passed(ended, inner, caller) | self._shared(ended, caller)
        caller = self.grounded(caller, passed)
        if ended.step.kind == "unwind":
            caller = self.walker.raised(caller, value, ended.outcome_row)
        elif literal(value):
            caller = self.walker.reworded(caller, returned(caller.text, inner, value or "None"))
        else:
            caller = self.walker.advance(caller)
            note = f"{inner.call} returns {value}, no literal: {inner.name} was run in one step"
        stack = (*moment.stack[:-2], caller)
        return Moment(stack, moment.inner[:-1], moment.settings), note

    def grounded(self, place: Place, rows: Mapping[str, np.ndarray]) -> Place:
        """The same event, where some variables hold something else."""
        worth, held = place.step.worth, dict(zip(place.names, place.step.rows, strict=False))
        others = {name: row for name, row in rows.items() if (row != held[name]).any()}
        if not others:
            return place
        for name, row in others.items():
            worth = worth.given(place.names.index(name), row)
        step = place.step._replace(rows=worth.rows, odds=worth.odds, worth=worth)
        return self.walker.ground(place, step)

    def row(self, value: str) -> np.ndarray:
        """Of the repr of a literal."""
        if not literal(value):
            raise UserError(f"{value!r} is no Python literal, as in 3, 'text' or [1, 2]")
        row, whole = encode(capture(ast.literal_eval(value)), self.walker.layout.cells)
        if not whole:
            raise UserError(f"the encoding cannot hold {value}: it is too long")
        return np.array(row)

    def _shared(self, here: Place, there: Place) -> dict[str, np.ndarray]:
        """Rows of the globals that the frames of both use."""
        own = {*here.script.names, *there.script.names}
        return {
            name: here.step.rows[at]
            for at, name in enumerate(here.names)
            if name in self.globals and name in there.names and name not in own
        }

    def _passed(self, ended: Place, inner: Inner, caller: Place) -> dict[str, np.ndarray]:
        """Rows of the caller's variables that the callee was given and may have changed."""
        function, before = self.functions[inner.name], caller.values
        stays = kept(function)
        return {
            given: ended.step.rows[ended.names.index(each.arg)]
            for each, given in zip(function.args.args, inner.given, strict=False)
            if given and each.arg in stays and each.arg in ended.names
            if before[given].startswith(tuple(CHANGING))
        }


def bound(function: ast.FunctionDef, call: str) -> Event | None:
    """The first state of a call with plain arguments, without running anything; None where that
    is not so simple."""
    asked, given = ast.parse(call, mode="eval").body, function.args
    assert isinstance(asked, ast.Call)
    names = [each.arg for each in (*given.posonlyargs, *given.args)]
    spread = given.vararg or given.kwarg or given.kwonlyargs or len(asked.args) > len(names)
    nodes = dict(zip(names[::-1], given.defaults[::-1], strict=False))
    nodes |= dict(zip(names, asked.args, strict=False))
    nodes |= {each.arg: each.value for each in asked.keywords if each.arg}
    if spread or nodes.keys() != {*names}:
        return None
    try:
        values = {name: capture(value_of(nodes[name], {})) for name in names}
    except Exception:  # Unknown, or what the operations in it raise: it is said elsewhere
        return None
    return Event("line", 0, 0, place_of(first_statement(function))[0], "", values)
