"""The one hook into the interpreter: runs code and records what happens in the traced file.

It decides nothing but which events are worth keeping, so that one program gives one trace on every
Python: comprehensions, generator expressions and (unless asked for) lambdas are folded into their
statement, and so are the further lines of a long statement.

A generator that is left open is closed by the interpreter, which throws a GeneratorExit into it.
That is an artefact: it is no exception event, it is the `arg` of the `unwind`; and where it runs
none of the generator's own code it leaves no event, as on Python 3.13 it does by itself.

Threads that the program starts are traced, each with depths of its own. What a signal handler
raises while an event is recorded, Ctrl-C above all, goes on into the program, as it would without a
tracer; it removes the hook, and the trace says so. So does a RecursionError that the interpreter
raises where it would call the hook; see `tracer.stack`.
"""

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from os.path import dirname
from threading import RLock
from types import CodeType, FrameType
from typing import Any

from tracer.bytecode import FOLDED, GENERATOR, Code, Span
from tracer.schema import Row
from tracer.stack import Stack
from tracer.state import State
from tracer.statements import Statement
from tracer.values import Budget, Value, capture

# Where the code is that runs in a hook; `<string>` is what namedtuples are made of.
_OWN = (dirname(__file__), dirname(threading.__file__), "<string>", "<frozen ")
_NOTHING: dict[str, Value | None] = {}  # that no event changes
_gettrace, _current_frames = sys.gettrace, sys._current_frames  # a program may put others there


@dataclass(slots=True)
class Line:
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


class Scope(State):
    """A running frame: what it holds, and which of its events are worth a record."""

    def __init__(self, recorder: "Recorder", number: int, depth: int, frame: FrameType):
        self.recorder, self.number, self.depth = recorder, number, depth
        self.lines = recorder.lines_of(frame.f_code)
        super().__init__(self.lines.code, recorder.budget, frame)
        self.line = self.lines[frame.f_lineno]
        self.reported = 0  # line of the statement reported last
        self.raised = -1  # instruction at which an exception was seen, until the next line
        self.closed: Value | None = None  # the GeneratorExit of a generator left open

    def on_event(self, frame: FrameType, event: str, arg: Any) -> Callable | None:
        recorder = self.recorder
        if not recorder.open:
            frame.f_trace = None  # to return None leaves it as it is
            return None
        # An exception in here would remove the hook and be thrown into the program.
        try:
            if event == "line":
                before, self.raised = self.line, -1
                line = self.line = self.lines[frame.f_lineno]
                if line.number == self.reported and not self._goes_round(frame, line):
                    self.pending += before.binds
                else:
                    self.reported = line.number
                    self.update(frame, before.binds)
                    changed, self.changed = self.changed, {}
                    recorder.add(
                        ("line", self.number, self.depth, line.number, line.text, changed, None)
                    )
            elif event == "return":
                self._on_return(frame, arg)
            elif event == "exception":
                if recorder.stack.thrown and arg[0] is RecursionError:
                    recorder.stack.tidy(arg[2])
                self._on_exception(frame, *arg[:2])
        except RecursionError:
            recorder.broken = True  # there may be no room for a call
        except BaseException as error:
            recorder.failed(error)
        return self.on_event if recorder.open else None

    def record(self, kind: str, frame: FrameType, arg: Value | None = None) -> None:
        """An event within a line."""
        self.pending += self.line.binds
        if frame.f_lineno is not None:
            self.line = self.lines[frame.f_lineno]
        if kind == "exception" and self.code.lent:
            self.update_inside(frame, self.line.binds)
        else:
            self.update(frame, self.line.binds)
        self.recorder.record(kind, self, arg)

    def _on_return(self, frame: FrameType, arg: Any) -> None:
        # `return` also fires on a yield, and with None while an exception passes through.
        code, at, recorder = self.code, frame.f_lasti, self.recorder
        failed = at == self.raised
        if at in code.yields and not failed:
            if not code.is_coroutine:
                self.record("yield", frame, capture(arg, recorder.budget))
            return
        del recorder.scopes[frame]
        if at in code.returns and not failed:
            self.record("return", frame, capture(arg, recorder.budget))
        elif self.closed is None or not recorder.takes_back("resume", self):
            self.record("unwind", frame, self.closed)

    def _on_exception(self, frame: FrameType, kind: type, error: BaseException) -> None:
        self.raised, self.closed, code = frame.f_lasti, None, self.code
        value = capture(error, self.recorder.budget)
        if kind is GeneratorExit and code.is_generator:
            self.closed = value
        elif kind is not StopIteration and kind is not StopAsyncIteration:
            self.record("exception", frame, value)
        elif frame.f_lasti not in code.ends:
            self.record("exception", frame, value)

    def _goes_round(self, frame: FrameType, line: Line) -> bool:
        """Whether a loop that stands on one line with its body goes round again."""
        if line.loop is not None:
            return self.code.iterates(frame.f_lasti, line.loop)
        return line.repeats


def is_signal(error: BaseException) -> bool:
    """Whether an exception in a hook is not the recorder's own, but a signal handler's."""
    if isinstance(error, KeyboardInterrupt):
        return True
    if isinstance(error, RecursionError | MemoryError):
        return False
    place = error.__traceback__
    while place is not None:
        file = place.tb_frame.f_code.co_filename
        if not file.startswith(_OWN) or "site-packages" in file:
            return True
        place = place.tb_next
    return False


class Recorder:
    """Collects the events of all frames whose code comes from `filename`."""

    def __init__(
        self,
        filename: str,
        table: dict[int, Statement],
        budget: Budget,
        limit: int,
        emit: Callable[[Row], object],
        lambdas: bool = False,
    ):
        self.folded = FOLDED if lambdas else {*FOLDED, "<lambda>"}
        self.filename, self.table, self.budget, self.emit = filename, table, budget, emit
        self.left = limit
        self.stack = Stack()
        self.open = True  # further events are recorded
        self.truncated = False
        self.broken = False  # an event could not be recorded: the trace is incomplete
        self.removed = False  # the program took the hook away
        self.scopes: dict[FrameType, Scope] = {}
        self.count = count()
        self.codes: dict[CodeType, Lines] = {}
        self.held: Row | None = None  # a generator's resumption, until it does something
        self.lock = RLock()  # threads may record at the same time
        self.acquire, self.release = self.lock.acquire, self.lock.release

    def run(self, call: Callable[[], object], stack: Stack | None = None) -> None:
        """Run `call` with the hook in place, and leave none behind."""
        self.stack = stack or self.stack
        hook = self.stack.hook = self._on_call
        before, before_in_threads = sys.gettrace(), threading.gettrace()
        threading.settrace(hook)
        sys.settrace(hook)
        try:
            call()
        finally:
            self.removed = _gettrace() is not hook or self._lost_a_frame()
            sys.settrace(before)
            threading.settrace(before_in_threads)
            with self.lock:
                self.emit_held()
                self.open = False
            self.scopes.clear()

    def _lost_a_frame(self) -> bool:
        """Whether a function has ended without an event: the program took its frame's hook away."""
        if not self.open or self.broken:
            return False
        left = [frame for frame in self.scopes if not frame.f_code.co_flags & GENERATOR]
        running: set[FrameType] = set()
        for top in _current_frames().values() if left else ():
            frame: FrameType | None = top
            while frame is not None:
                running.add(frame)
                frame = frame.f_back
        return any(frame not in running for frame in left)

    @property
    def hook(self) -> Callable:
        """What `run` gives to `sys.settrace`, for those who choose the frames themselves."""
        return self._on_call

    def forget(self, frame: FrameType) -> None:
        """Let go of a frame whose end will not be seen."""
        self.scopes.pop(frame, None)

    def record(self, kind: str, scope: Scope, arg: Value | None = None) -> None:
        line, changed = scope.line, _NOTHING
        if scope.changed:
            changed, scope.changed = scope.changed, {}
        self.add((kind, scope.number, scope.depth, line.number, line.text, changed, arg))

    def add(self, row: Row) -> None:
        self.acquire()
        try:
            if self.held is not None:
                self.emit_held()
            if not self.open:
                return
            if self.left <= 0:
                self.truncated, self.open = True, False
            elif row[0] == "resume":
                self.held = row
            else:
                self.left -= 1
                self.emit(row)
        finally:
            self.release()

    def failed(self, error: BaseException) -> None:
        """An exception in a hook would be thrown into the program: none of ours is."""
        self.broken = True
        if is_signal(error):
            raise error

    def emit_held(self) -> None:
        row, self.held = self.held, None
        if row is not None and self.left > 0:
            self.left -= 1
            self.emit(row)

    def takes_back(self, kind: str, scope: Scope) -> bool:
        with self.lock:
            held = self.held
            if held is None or held[:2] != (kind, scope.number):
                return False
            self.held = None
            return True

    def lines_of(self, code: CodeType) -> "Lines":
        if code not in self.codes:
            self.codes[code] = Lines(Code(code), self.table)
        return self.codes[code]

    def _on_call(self, frame: FrameType, event: str, arg: Any) -> Callable | None:
        stack, code = self.stack, frame.f_code
        stack.spare -= 1
        if stack.spare < 0:
            stack.enter(frame)
        if code.co_filename != self.filename or code.co_name in self.folded or not self.open:
            return None
        scope = self.scopes.get(frame)
        try:
            if scope is None:
                scope = self._enter(frame)
                scope.record("call", frame)
            elif not scope.code.is_coroutine:
                scope.record("resume", frame)
        except RecursionError:
            self.broken = True
        except BaseException as error:
            self.failed(error)
        return scope.on_event if scope else None

    def _enter(self, frame: FrameType) -> Scope:
        above = frame.f_back
        while above is not None and above not in self.scopes:
            above = above.f_back
        depth = self.scopes[above].depth + 1 if above is not None else 0
        scope = self.scopes[frame] = Scope(self, next(self.count), depth, frame)
        return scope
