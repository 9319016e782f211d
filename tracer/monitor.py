"""The one hook into the interpreter: runs code and records what happens in the traced file.

It decides nothing but which events are worth keeping: comprehensions, generator expressions and
lambdas are folded into their statement, and so are the further lines of a long statement, so that
one program gives one trace on every Python.
"""

import sys
from collections.abc import Callable
from itertools import count
from types import CodeType, FrameType
from typing import Any, NamedTuple

from tracer.bytecode import FOLDED, Code, is_variable
from tracer.schema import Event
from tracer.statements import Span, Statement
from tracer.values import Budget, Value, capture, namespace_of
from tracer.witness import Witness, look, unchanged

_UNBOUND = object()
_new = tuple.__new__  # four times as fast as calling the class


class Line(NamedTuple):
    """What the recorder needs to know of a line of a code object."""

    number: int  # where its statement begins
    text: str
    binds: tuple[str, ...]
    loop: Span | None = None  # of a for loop
    repeats: bool = False  # of a while loop that shares a line with its body


class Lines(dict[int, Line]):
    """The lines of a code object, each made when it is first asked for."""

    def __init__(self, code: Code, table: dict[int, Statement]):
        self.code, self.table = code, table

    def __missing__(self, number: int) -> Line:
        statement, binds = self.table.get(number), self.code.binds(number)
        if statement is None:
            line = Line(number, "", binds)
        else:
            repeats = statement.kind == "While" and "\n" not in statement.text
            line = Line(statement.line, statement.text, binds, statement.loop, repeats)
        return self.setdefault(number, line)


class Scope:
    """A running frame: its locals as typed values, and what tells whether they still are."""

    __slots__ = ("recorder", "number", "depth", "code", "lines", "namespace", "line", "reported")
    __slots__ += ("raised", "pending", "kept", "live", "values")

    def __init__(self, recorder: "Recorder", number: int, depth: int, frame: FrameType):
        self.recorder, self.number, self.depth = recorder, number, depth
        self.lines = recorder.lines_of(frame.f_code)
        self.code = self.lines.code
        # Of a module or class, asked for once: while an inlined comprehension runs in it, newer
        # Pythons add the comprehension's variables to it, or show nothing but them.
        self.namespace = None if self.code.is_function else namespace_of(frame.f_locals)
        self.line = self.lines[frame.f_lineno]
        self.reported = 0  # line of the statement reported last
        self.raised = -1  # instruction at which an exception was seen, until the next line
        self.pending = self.code.names  # what may have been bound since the locals were read
        self.kept: dict[str, Any] = {}  # per name: what tells whether its value is still the same
        self.live: tuple[str, ...] = ()  # names of values that any code may change
        self.values: dict[str, Value] = {}

    def on_event(self, frame: FrameType, event: str, arg: Any) -> Callable | None:
        # An exception in here would remove the hook and be thrown into the program.
        recorder = self.recorder
        try:
            if event == "line":
                before, self.raised = self.line, -1
                line = self.line = self.lines[frame.f_lineno]
                if line.number == self.reported and not self._goes_round(frame, line):
                    self.pending += before.binds
                else:
                    self.reported = line.number
                    self.look(frame, before.binds)
                    recorder.record("line", self)
            elif event == "return":
                self._on_return(frame, arg)
            elif event == "exception":
                self.raised = frame.f_lasti
                if not self._ends_a_loop(frame, arg[0]):
                    self.record("exception", frame, capture(arg[1], recorder.budget))
        except BaseException:
            recorder.broken = True
        return None if recorder.truncated else self.on_event

    def record(self, kind: str, frame: FrameType, arg: Value | None = None) -> None:
        """An event that is not a new line."""
        self.pending += self.line.binds
        if frame.f_lineno is not None:
            self.line = self.lines[frame.f_lineno]
        lent = self.code.lent
        if kind == "exception" and lent:  # the comprehension that failed did not yet clean up
            pending, self.pending = self.pending, ()
            self.look(frame, tuple([name for name in pending if name not in lent]))
            self.pending = pending
        else:
            self.look(frame, self.line.binds)
        self.recorder.record(kind, self, arg)

    def look(self, frame: FrameType, names: tuple[str, ...]) -> None:
        """Bring the locals up to date. What cannot have changed is not looked at."""
        if self.pending:
            names, self.pending = self.pending + names, ()
        names += self.live
        if self.namespace is not None:
            get, names = self.namespace.get, self._all_names(self.namespace)
        elif names:
            get = frame.f_locals.get
        else:
            return
        kept = self.kept
        for name in names:
            value, old = get(name, _UNBOUND), kept.get(name, _UNBOUND)
            if value is old or (type(old) is Witness and unchanged(value, old)):
                continue
            if value is _UNBOUND:
                self._forget(name)
                continue
            new, kept[name] = look(value, self.recorder.budget)
            if (type(kept[name]) is Witness) != (name in self.live):
                self._switch(name)
            if self.values.get(name) != new:
                self.values = self.values.copy()
                self.values[name] = new

    def _all_names(self, namespace: dict) -> list[str]:
        hidden = self.code.hidden
        names = [n for n in namespace if type(n) is str and is_variable(n) and n not in hidden]
        return names + [name for name in self.kept if name not in namespace]

    def _forget(self, name: str) -> None:
        del self.kept[name]
        self.live = tuple([n for n in self.live if n != name])
        self.values = {n: v for n, v in self.values.items() if n != name}

    def _switch(self, name: str) -> None:
        without = tuple([n for n in self.live if n != name])
        self.live = without if name in self.live else (*without, name)

    def _on_return(self, frame: FrameType, arg: Any) -> None:
        # `return` also fires on a yield, and with None while an exception passes through.
        code, at, budget = self.code, frame.f_lasti, self.recorder.budget
        if at != self.raised and at in code.yields:
            if not code.is_coroutine:
                self.record("yield", frame, capture(arg, budget))
            return
        if at != self.raised and (at in code.returns):
            self.record("return", frame, capture(arg, budget))
        else:
            self.record("unwind", frame)
        del self.recorder.scopes[frame]

    def _goes_round(self, frame: FrameType, line: Line) -> bool:
        """Whether a loop that stands on one line with its body goes round again."""
        if line.loop is not None:
            return self.code.iterates(frame.f_lasti, line.loop)
        return line.repeats

    def _ends_a_loop(self, frame: FrameType, kind: type) -> bool:
        if kind is GeneratorExit:
            return True
        return (kind is StopIteration or kind is StopAsyncIteration) and (
            frame.f_lasti in self.code.ends
        )


class Recorder:
    """Collects the events of all frames whose code comes from `filename`."""

    def __init__(
        self,
        filename: str,
        table: dict[int, Statement],
        budget: Budget,
        limit: int,
        emit: Callable[[Event], object],
    ):
        self.filename, self.table, self.budget, self.emit = filename, table, budget, emit
        self.left = limit
        self.truncated = False
        self.broken = False  # an event could not be recorded: the trace is incomplete
        self.removed = False  # the program took the hook away
        self.scopes: dict[FrameType, Scope] = {}
        self.count = count()
        self.codes: dict[CodeType, Lines] = {}

    def run(self, call: Callable[[], object]) -> None:
        """Run `call` with the hook in place, and leave none behind."""
        hook = self._on_call
        before = sys.gettrace()
        sys.settrace(hook)
        try:
            call()
        finally:
            self.removed = sys.gettrace() is not hook
            sys.settrace(before)
            self.scopes.clear()

    def record(self, kind: str, scope: Scope, arg: Value | None = None) -> None:
        if self.left <= 0:
            self.truncated = True
            return
        self.left -= 1
        line, number, depth = scope.line, scope.number, scope.depth
        self.emit(_new(Event, (kind, number, depth, line.number, line.text, scope.values, arg)))

    def lines_of(self, code: CodeType) -> "Lines":
        if code not in self.codes:
            self.codes[code] = Lines(Code(code), self.table)
        return self.codes[code]

    def _on_call(self, frame: FrameType, event: str, arg: Any) -> Callable | None:
        code = frame.f_code
        if code.co_filename != self.filename or code.co_name in FOLDED or code.co_name == "<lambda>" or self.truncated:
            return None
        scope = self.scopes.get(frame)
        try:
            if scope is None:
                scope = self._enter(frame)
                scope.record("call", frame)
            elif not scope.code.is_coroutine:
                scope.record("resume", frame)
        except BaseException:
            self.broken = True
        return scope.on_event if scope else None

    def _enter(self, frame: FrameType) -> Scope:
        above = frame.f_back
        while above is not None and above not in self.scopes:
            above = above.f_back
        depth = self.scopes[above].depth + 1 if above is not None else 0
        scope = self.scopes[frame] = Scope(self, next(self.count), depth, frame)
        return scope
