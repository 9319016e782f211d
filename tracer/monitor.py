"""The one hook into the interpreter: runs code and records what happens in the traced file.

It decides nothing but which events are worth keeping: comprehensions, generator expressions and
lambdas are folded into their statement, and so are the further lines of a long statement, so that
one program gives one trace on every Python.
"""

import dis
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from tracer.schema import Event
from tracer.statements import Span, Statement
from tracer.values import ATOMS, Budget, Value, bindings, capture

FOLDED = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<lambda>"}

_RETURNS = {"RETURN_VALUE", "RETURN_CONST", "RETURN_GENERATOR"}
_YIELDS = {"YIELD_VALUE", "SEND", "RESUME"}  # RESUME: from Python 3.13 on
_ENDS = {"FOR_ITER", "SEND", "END_SEND"}  # where the end of an iteration is not an error
_COROUTINE = 0x80 | 0x200  # CO_COROUTINE | CO_ASYNC_GENERATOR: an `await` is not a yield of theirs
_OPTIMIZED = 0x1  # CO_OPTIMIZED: a function, not a module or a class


class Scope:
    """What the recorder remembers of a running frame."""

    __slots__ = ("number", "depth", "namespace", "hidden", "line", "raised", "objects", "values")

    def __init__(self, number: int, depth: int, frame: FrameType):
        self.number, self.depth = number, depth
        code = frame.f_code
        # Of a module or class, asked for once: while an inlined comprehension runs in it, newer
        # Pythons add the comprehension's variables to it, or show nothing but them.
        self.namespace = None if code.co_flags & _OPTIMIZED else frame.f_locals
        own = code.co_names if self.namespace is not None else code.co_varnames
        self.hidden = frozenset(code.co_varnames).difference(own)
        self.line = 0  # first line of the statement reported last
        self.raised = -1  # instruction at which an exception was seen, until the next line
        self.objects: dict[str, object] = {}  # immutable objects seen last, by name
        self.values: dict[str, Value] = {}


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
        self.count = 0
        self.codes: dict[CodeType, _Code] = {}

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

    @property
    def hook(self) -> Callable:
        """What `run` gives to `sys.settrace`, for those who choose the frames themselves."""
        return self._on_call

    def forget(self, frame: FrameType) -> None:
        """Let go of a frame whose end will not be seen."""
        self.scopes.pop(frame, None)

    def _on_call(self, frame: FrameType, event: str, arg: Any) -> Callable | None:
        code = frame.f_code
        if code.co_filename != self.filename or code.co_name in FOLDED or self.truncated:
            return None
        try:
            if frame not in self.scopes:
                self._record("call", frame, self._enter(frame), None)
            elif not code.co_flags & _COROUTINE:
                self._record("resume", frame, self.scopes[frame], None)
        except BaseException:
            self.broken = True
        return self._on_event

    def _on_event(self, frame: FrameType, event: str, arg: Any) -> Callable | None:
        # An exception in here would remove the hook and be thrown into the program.
        try:
            scope = self.scopes[frame]
            if event == "line":
                scope.raised = -1
                if self._is_new_statement(frame, scope):
                    self._record("line", frame, scope, None)
            elif event == "return":
                self._on_return(frame, scope, arg)
            elif event == "exception":
                scope.raised = frame.f_lasti
                if not self._ends_a_loop(frame, arg[0]):
                    self._record("exception", frame, scope, capture(arg[1], self.budget))
        except BaseException:
            self.broken = True
        return None if self.truncated else self._on_event

    def _on_return(self, frame: FrameType, scope: Scope, arg: Any) -> None:
        # `return` also fires on a yield, and with None while an exception passes through.
        operation = self._code(frame).operations.get(frame.f_lasti, "RETURN_VALUE")
        if frame.f_lasti == scope.raised:
            self._record("unwind", frame, scope, None)
            del self.scopes[frame]
        elif operation in _YIELDS:
            if not frame.f_code.co_flags & _COROUTINE:
                self._record("yield", frame, scope, capture(arg, self.budget))
        elif operation in _RETURNS:
            self._record("return", frame, scope, capture(arg, self.budget))
            del self.scopes[frame]
        else:
            self._record("unwind", frame, scope, None)
            del self.scopes[frame]

    def _enter(self, frame: FrameType) -> Scope:
        above = frame.f_back
        while above is not None and above not in self.scopes:
            above = above.f_back
        depth = self.scopes[above].depth + 1 if above is not None else 0
        scope = self.scopes[frame] = Scope(self.count, depth, frame)
        self.count += 1
        return scope

    def _is_new_statement(self, frame: FrameType, scope: Scope) -> bool:
        statement = self.table.get(frame.f_lineno)
        line = statement.line if statement else frame.f_lineno
        if line == scope.line and not (statement and self._is_new_round(frame, statement)):
            return False
        scope.line = line
        return True

    def _is_new_round(self, frame: FrameType, statement: Statement) -> bool:
        """Whether a loop that stands on one line with its body goes round again."""
        if statement.kind in ("For", "AsyncFor"):
            return self._code(frame).iterates(frame.f_lasti, statement.loop)
        return statement.kind == "While" and "\n" not in statement.text

    def _ends_a_loop(self, frame: FrameType, kind: type) -> bool:
        if kind is GeneratorExit:
            return True
        operation = self._code(frame).operations.get(frame.f_lasti)
        return (kind is StopIteration or kind is StopAsyncIteration) and operation in _ENDS

    def _record(self, kind: str, frame: FrameType, scope: Scope, arg: Value | None) -> None:
        if self.left <= 0:
            self.truncated = True
            return
        self.left -= 1
        line = frame.f_lineno
        statement = self.table.get(line)
        if statement:
            line = statement.line
        text = statement.text if statement else ""
        values = self._locals(frame, scope, kind)
        self.emit(Event(kind, scope.number, scope.depth, line, text, values, arg))

    def _locals(self, frame: FrameType, scope: Scope, kind: str) -> dict[str, Value]:
        """All locals as typed values; an immutable that is still the same object is not read."""
        objects, known, changed = scope.objects, scope.values, False
        values, hidden = {}, scope.hidden
        if kind == "exception":
            lent = self._code(frame).lent
            values = {name: known[name] for name in lent if name in known}
            hidden = hidden | lent
        namespace = frame.f_locals if scope.namespace is None else scope.namespace
        for name, value in bindings(namespace):
            if name.startswith((".", "__")) or name in hidden:
                continue
            if name in objects and objects[name] is value and name in known:
                values[name] = known[name]
                continue
            values[name] = new = capture(value, self.budget)
            changed = changed or known.get(name) != new
            if id(type(value)) in ATOMS:
                objects[name] = value
            else:
                objects.pop(name, None)
        if changed or len(values) != len(known):
            scope.values = values
        return scope.values

    def _code(self, frame: FrameType) -> "_Code":
        code = frame.f_code
        if code not in self.codes:
            self.codes[code] = _Code(code)
        return self.codes[code]


class _Code:
    """The instructions of a code object, by offset."""

    def __init__(self, code: CodeType):
        instructions = list(dis.get_instructions(code))
        self.operations = {each.offset: each.opname for each in instructions}
        # What comprehensions inlined here, from Python 3.12 on, use as their own for a while.
        self.lent = frozenset(i.argval for i in instructions if i.opname == "LOAD_FAST_AND_CLEAR")
        self.jumps = {i.offset: i.argval for i in instructions if i.opname == "JUMP_BACKWARD"}
        self.spans = {
            each.offset: tuple(each.positions)
            for each in instructions
            if each.opname == "FOR_ITER" and each.positions
        }

    def iterates(self, offset: int, loop: Span | None) -> bool:
        """Whether the instruction asks the for loop, not a comprehension in it, for an item."""
        return loop is not None and self.spans.get(self.jumps.get(offset, offset)) == loop
