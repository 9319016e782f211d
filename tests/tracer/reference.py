"""A slow tracer that reads everything at every event and remembers nothing: what is right.

It shares with the fast one how a value is read, and nothing of when. Its rules are those of the
record: all variables of the frame, and the globals that its code writes, or reads where they hold
data when the frame begins, at every kept event.

    python tests/tracer/reference.py 300 [humaneval=FILE] [mbpp=FILE] [cruxeval=FILE]

compares the two on so many programs of each corpus, the synthetic one and the standard library's
among them, and prints where they differ.
"""

import dis
import io
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from importlib import import_module
from itertools import islice
from types import CodeType, FrameType, ModuleType

from tracer.corpora import stdlib, synthetic
from tracer.schema import Event, Program
from tracer.statements import statement_table
from tracer.trace import FILENAME, Run, Settings, traced
from tracer.values import Budget, Value, capture

FOLDED = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
DATA = {type(None), bool, int, float, complex, str, bytes, bytearray, range, slice}
DATA |= {list, tuple, dict, set, frozenset, deque}


@cache
def instructions(code: CodeType) -> list[dis.Instruction]:
    return list(dis.get_instructions(code))


class Reference:
    def __init__(self, source: str, limit: int, budget: Budget = Budget()):  # noqa: B008
        self.table, self.limit, self.budget = statement_table(source), limit, budget
        self.events: list[Event] = []
        self.frames: dict[FrameType, dict] = {}
        self.count = 0

    def on_call(self, frame, event, arg):
        code = frame.f_code
        if code.co_filename != FILENAME or code.co_name in (*FOLDED, "<lambda>"):
            return None
        if frame not in self.frames:
            above = frame.f_back
            while above is not None and above not in self.frames:
                above = above.f_back
            depth = self.frames[above]["depth"] + 1 if above else 0
            namespace = None if code.co_flags & 1 else frame.f_locals
            self.frames[frame] = {"number": self.count, "depth": depth, "line": 0, "raised": -1}
            self.frames[frame] |= {"space": namespace, "locals": {}, "closed": None}
            self.frames[frame]["read"] = globals_read(frame) if code.co_flags & 1 else set()
            self.count += 1
            self.record("call", frame, None)
        elif not code.co_flags & 0x280:
            self.record("resume", frame, None)
        return self.on_event

    def on_event(self, frame, event, arg):
        state, code, at = self.frames[frame], frame.f_code, frame.f_lasti
        names = {i.offset: i.opname for i in instructions(code)}
        if event == "line":
            state["raised"] = -1
            statement = self.table.get(frame.f_lineno)
            line = statement.line if statement else frame.f_lineno
            if line != state["line"] or (statement and self.goes_round(frame, statement)):
                state["line"] = line
                self.record("line", frame, None)
        elif event == "exception":
            state["raised"] = at
            ends = names.get(at, "") in ("FOR_ITER", "SEND", "END_SEND")
            state["closed"] = None
            if arg[0] is GeneratorExit and code.co_flags & 0x2A0:
                state["closed"] = capture(arg[1], self.budget)
            elif not (arg[0] in (StopIteration, StopAsyncIteration) and ends):
                self.record("exception", frame, capture(arg[1], self.budget))
        elif at != state["raised"] and names.get(at, "") in ("YIELD_VALUE", "SEND", "RESUME"):
            if not code.co_flags & 0x280:
                self.record("yield", frame, capture(arg, self.budget))
        elif at != state["raised"] and names.get(at, "").startswith("RETURN_"):
            self.record("return", frame, capture(arg, self.budget))
            del self.frames[frame]
        else:
            self.record("unwind", frame, state["closed"])
            del self.frames[frame]
        return self.on_event

    def goes_round(self, frame, statement) -> bool:
        found = {i.offset: i for i in instructions(frame.f_code)}
        at = found[frame.f_lasti]
        if at.opname == "JUMP_BACKWARD":
            at = found[at.argval]
        if statement.loop:
            return at.opname == "FOR_ITER" and tuple(at.positions) == statement.loop
        return statement.kind == "While" and "\n" not in statement.text

    def record(self, kind: str, frame: FrameType, arg: Value | None) -> None:
        if len(self.events) >= self.limit:
            return
        state, line = self.frames[frame], frame.f_lineno
        seen = state["locals"] = self.snapshot(kind, frame, state)
        last = self.events[-1] if self.events else None
        if kind == "unwind" and arg and last and last[:2] == ("resume", state["number"]):
            self.events.pop()  # it was closed, and ran nothing of its own
            return
        statement = self.table.get(line)
        place = (statement.line, statement.text) if statement else (line, "")
        self.events.append(Event(kind, state["number"], state["depth"], *place, seen, arg))

    def snapshot(self, kind: str, frame: FrameType, state: dict) -> dict[str, Value]:
        code = frame.f_code
        own = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
        space, hidden = state["space"], set()
        if space is None:
            found = {n: v for n, v in dict(frame.f_locals).items() if n in own}
        else:
            hidden = {*code.co_varnames} - {*code.co_names}
            found = dict(dict.items(space)) if isinstance(space, dict) else {}
        outside = {n for c in (code, *inner(code)) for n in globals_written(c)} | state["read"]
        found |= {n: frame.f_globals[n] for n in outside if n in frame.f_globals}
        seen = {
            name: capture(value, self.budget)
            for name, value in found.items()
            if type(name) is str and not name.startswith((".", "__")) and name not in hidden
        }
        if kind == "exception":
            for each in instructions(code):
                if each.opname == "LOAD_FAST_AND_CLEAR":
                    seen.pop(each.argval, None)
                    if each.argval in state["locals"]:
                        seen[each.argval] = state["locals"][each.argval]
        return seen


def inner(code: CodeType) -> list[CodeType]:
    return [c for c in code.co_consts if type(c) is CodeType and c.co_name in FOLDED]


def globals_written(code: CodeType) -> set[str]:
    found = instructions(code)
    return {i.argval for i in found if i.opname in ("STORE_GLOBAL", "DELETE_GLOBAL")}


def globals_read(frame: FrameType) -> set[str]:
    codes = (frame.f_code, *inner(frame.f_code))
    asked = {i.argval for c in codes for i in instructions(c) if i.opname == "LOAD_GLOBAL"}
    held = frame.f_globals
    return {name for name in asked if name in held and type(held[name]) in DATA}


def reference_events(program: Program, limit: int) -> list[Event]:
    """Run the program as `run_program` does, and read everything at every event."""
    slow = Reference(program.source, limit)
    code = compile(program.source, FILENAME, "exec", dont_inherit=True)
    module = sys.modules[program.name] = ModuleType(program.name)
    module.__dict__["__builtins__"] = __builtins__
    if program.call is not None:
        exec(code, module.__dict__)
        code = compile(program.call, "<call>", "exec", dont_inherit=True)
    sys.settrace(slow.on_call)
    threading.settrace(slow.on_call)
    try:
        exec(code, module.__dict__)
    except BaseException:
        pass  # an ending like any other
    finally:
        sys.settrace(None)
        threading.settrace(None)
        slow.frames.clear()
    return slow.events


def recorded_events(program: Program, limit: int) -> tuple[Run, list[Event]]:
    return traced(program, Settings(limit))


@contextmanager
def quiet() -> Iterator[None]:
    """What a program prints or imports is forgotten."""
    modules = dict(sys.modules)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        try:
            yield
        finally:
            sys.modules.clear()
            sys.modules.update(modules)


def first_difference(program: Program, limit: int = 3000) -> tuple[object, int]:
    """The first event on which the two disagree, or None; and the number of events."""
    with quiet():
        run, fast = recorded_events(program, limit)
    with quiet():
        slow = [] if run.outcome == "rejected" else reference_events(program, limit)
    if "trace_incomplete" in run.flags:
        return run, len(fast)
    unequal = (pair for pair in zip(fast, slow, strict=False) if pair[0] != pair[1])
    lengths = None if len(fast) == len(slow) else (len(fast), len(slow))
    return next(unequal, lengths), len(fast)


def is_deterministic(program: Program, limit: int = 3000) -> bool:
    """Whether two runs agree with each other: a program may look at an `id` or a clock."""
    with quiet():
        once = reference_events(program, limit)
    with quiet():
        return once == reference_events(program, limit)


def main(count: int, suites: dict[str, str]) -> None:
    corpora = {"synthetic": synthetic.programs(count, difficulty=3), "stdlib": stdlib.programs(3)}
    for name, path in suites.items():
        corpora[name] = import_module(f"tracer.corpora.{name}").programs(path)
    for name, programs in corpora.items():
        total = events = differ = 0
        for program in islice(programs, count):
            difference, length = first_difference(program)
            if difference and is_deterministic(program):
                print(program.origin, program.call, difference, sep="\n")
                differ += 1
            total, events = total + 1, events + length
        print(f"{name}: {total} programs, {events} events, {differ} differ", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), dict(argument.split("=") for argument in sys.argv[2:]))
