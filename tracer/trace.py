"""Runs a program under the monitor, and looks at what was recorded."""

import builtins
import sys
import threading
from _thread import _count as _count_threads  # C code, which no program can change
from collections.abc import Callable, Iterator
from itertools import pairwise
from types import CodeType, ModuleType
from typing import NamedTuple

from tracer.monitor import Recorder
from tracer.schema import Event, Program, Row, Step, effect, unfold
from tracer.stack import Stack
from tracer.statements import statement_table
from tracer.values import Budget, Value, capture, render

FILENAME = "<traced>"
_new = tuple.__new__  # four times as fast as calling the class
_EXIT_CODE = vars(SystemExit)["code"].__get__  # a subclass may have made a property of it


class Settings(NamedTuple):
    """What decides, beside the program, what its trace is."""

    events: int = 20_000
    budget: Budget = Budget()
    lambdas: bool = False  # their calls are events of their own


class Run(NamedTuple):
    """How a run ended."""

    outcome: str  # "ok", "exception", "memory" or "rejected"
    flags: tuple[str, ...]
    error: Value | None = None


def run_program(program: Program, settings: Settings, emit: Callable[[Row], object]) -> Run:
    """Run a program in this process, and hand every event to `emit` as it happens."""
    try:
        table = statement_table(program.source)
        code = compile(program.source, FILENAME, "exec", dont_inherit=True)
        call = compile(program.call, "<call>", "exec", dont_inherit=True) if program.call else None
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        return Run("rejected", (), capture(error))
    module = ModuleType(program.name)
    module.__dict__["__builtins__"] = builtins
    sys.modules[program.name] = module  # dataclasses and pickle look their module up
    recorder = Recorder(FILENAME, table, settings.budget, settings.events, emit, settings.lambdas)
    try:
        with Stack() as stack:
            if call is not None:
                stack.begin()
                exec(code, module.__dict__)
            recorder.run(lambda: _run_to_end(call or code, module.__dict__, stack), stack)
    except MemoryError as error:
        return Run("memory", _flags(recorder), capture(error))
    except SystemExit as error:
        ended = render(capture(_EXIT_CODE(error))) in ("None", "0", "False")
        return Run("ok" if ended else "exception", _flags(recorder), capture(error))
    except BaseException as error:
        return Run("exception", _flags(recorder), capture(error))
    return Run("ok", _flags(recorder))


def traced(program: Program, settings: Settings = Settings()) -> tuple[Run, list[Event]]:  # noqa: B008
    """Run a program in this process: how it ended, and its events."""
    rows: list[Row] = []
    run = run_program(program, settings, rows.append)
    return run, list(unfold(rows))


def _run_to_end(code: CodeType, namespace: dict, stack: Stack) -> None:
    """Run the code, and what threads it starts: a program ends with the last that is no daemon."""
    running, before = _count_threads(), set(threading.enumerate())
    try:
        stack.begin(stack.hook)
        exec(code, namespace)
    finally:
        if _count_threads() > running:
            for thread in threading.enumerate():
                if thread not in before and not thread.daemon:
                    thread.join()


def _flags(recorder: Recorder) -> tuple[str, ...]:
    marks = {
        "trace_truncated": recorder.truncated,
        "trace_incomplete": recorder.broken,
        "tracer_removed": recorder.removed,
    }
    return tuple(name for name, is_set in marks.items() if is_set)


def entry_name(program: Program, first: str) -> str:
    """The name in the `def` line that is the first statement traced, or "<module>"."""
    if program.call is None:
        return "<module>"
    words = first.replace("(", " ").split()
    return words[words.index("def") + 1] if "def" in words else words[0] if words else "<module>"


def steps(events: list[Event]) -> Iterator[Step]:
    """The events of one frame with their effects: what the same frame's next event shows."""
    for event, after in pairwise(events):
        yield _new(Step, (event, effect(event.locals, after.locals)))
    yield from (Step(event, {}) for event in events[-1:])
