"""What a program, an event and a trace are: the record format `trace-v1`.

A trace is the truth about one run of one program: every event of every frame of the program's own
code, with all locals, as typed values. Anything else (arrays, CWM text, tables) is derived.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tracer.values import Value

VERSION = "trace-v1"
OUTCOMES = ("ok", "exception", "timeout", "memory", "killed", "rejected")
KINDS = ("call", "line", "return", "yield", "resume", "exception", "unwind")
TELLING = ("return", "yield", "exception")  # have an `arg`
_new = tuple.__new__  # four times as fast as calling the class


class Program(NamedTuple):
    """A module's text, and what to run in it."""

    source: str
    call: str | None = None  # code run and traced in the module's namespace; None: the module
    origin: str = "file"  # "humaneval/3", "stdlib/textwrap.wrap", "synthetic/text/17"
    name: str = "program"  # the module's __name__
    mutated: bool = False  # kept where it takes a path that no call before it took


class Event(NamedTuple):
    """One thing that the interpreter did in one frame.

    `locals` is the state *before* a line runs, and at the moment of any other event: the frame's
    variables, the globals that its code writes, and those that it reads and that held data (no
    functions, classes, modules or other objects) when the frame began. `scope` counts
    calls, so that two frames never share a number; `arg` is the value returned, yielded or raised.
    """

    kind: str
    scope: int
    depth: int
    lineno: int
    statement: str
    locals: dict[str, Value]
    arg: Value | None = None


# An event as it is recorded and stored: its kind, scope, depth, lineno and statement, the variables
# that are not what they were at the scope's event before (None is unbound), and its arg.
Row = tuple[str, int, int, int, str, dict[str, Value | None], Value | None]


class Trace(NamedTuple):
    """One executed program."""

    id: str  # digest of source, entry, input and the tracer's settings
    source: str
    entry: str  # qualified name of the first traced function, or "<module>"
    input: str | None
    python: str
    outcome: str
    flags: tuple[str, ...]
    stdout: str
    events: list[Event]
    origin: str = "file"


class Step(NamedTuple):
    """One event of one frame, and the place in the trace where the same frame goes on."""

    event: Event
    effect: dict[str, tuple[Value | None, Value | None]]  # name: (old, new); None is unbound


def program_id(source: str, entry: str, call: str | None, settings: str) -> str:
    text = "\0".join([VERSION, source, entry, call or "", settings])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def frames(trace: Trace) -> dict[int, list[Event]]:
    """The events of each scope, in order: one trajectory per call."""
    scopes: dict[int, list[Event]] = {}
    for event in trace.events:
        scopes.setdefault(event.scope, []).append(event)
    return scopes


def without_call(events: list[Event]) -> list[Event]:
    """Of one scope, from its first statement on: that it was called changes nothing."""
    return events[1:] if events[0].kind == "call" else events


def body(trace: Trace) -> list[Event]:
    """Of the last call that no other traced call made, from its first statement on: those before
    it made what it was called with. Empty where there was none."""
    outer = [events for events in frames(trace).values() if events[0].depth == 0]
    return without_call(outer[-1]) if outer else []


def effect(before: dict[str, Value], after: dict[str, Value]) -> dict:
    """What changed between two events of one frame: {name: (old, new)}."""
    if before is after:
        return {}
    get = after.get
    changes: dict[str, tuple[Value | None, Value | None]] = {
        name: (old, get(name))
        for name, old in before.items()
        if (new := get(name)) is not old and new != old
    }
    if not after.keys() <= before.keys():
        changes |= {name: (None, new) for name, new in after.items() if name not in before}
    return changes


def fold(events: Iterable[Event]) -> Iterator[Row]:
    last: dict[int, dict[str, Value]] = {}
    for event in events:
        changed = effect(last.get(event.scope, {}), event.locals)
        last[event.scope] = event.locals
        yield (*event[:5], {name: new for name, (_, new) in changed.items()}, event.arg)


def unfold(rows: Iterable[Row]) -> Iterator[Event]:
    """Events that change nothing share their `locals`."""
    last: dict[int, dict[str, Value]] = {}
    for kind, scope, depth, lineno, statement, changed, arg in rows:
        values = last.setdefault(scope, {})
        if changed:
            both = {**values, **changed}
            values = last[scope] = {n: v for n, v in both.items() if v is not None}
        yield _new(Event, (kind, scope, depth, lineno, statement, values, arg))


def pack_row(row: Row) -> list:
    """As a JSON list."""
    bound, deleted = row[5], []
    if None in bound.values():
        deleted = [name for name, value in bound.items() if value is None]
        bound = {name: value for name, value in bound.items() if value is not None}
    return [*row[:5], bound, deleted, row[6]]


def unpack_row(packed: list) -> Row:
    kind, scope, depth, lineno, statement, bound, deleted, arg = packed
    changed: dict[str, Value | None] = dict.fromkeys(deleted)
    changed |= {name: Value.from_json(value) for name, value in bound.items()}
    argument = None if arg is None else Value.from_json(arg)
    return kind, scope, depth, lineno, statement, changed, argument


def dump_trace(trace: Trace) -> bytes:
    rows = list(map(pack_row, fold(trace.events)))
    record = trace._asdict() | {"version": VERSION, "events": rows}
    text = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")  # as an escape, two surrogates would become one


def load_trace(text: bytes) -> Trace:
    record = json.loads(text)
    version = record.pop("version", None)
    if version != VERSION:
        raise ValueError(f"trace of version {version!r}; this program reads {VERSION!r}")
    record["events"] = list(unfold(map(unpack_row, record["events"])))
    return Trace(**record | {"flags": tuple(record["flags"])})
