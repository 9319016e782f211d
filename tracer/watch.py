"""Watches the calls of a project's functions while something else runs: a trace of each.

A function is under test where code that is not the project's calls it. Its frame, and the frames
of the project that it calls, go to recorders, one for each file; the rest of the program is let
alone. What goes wrong in here marks the trace and stays in here.
"""

import platform
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any
from zlib import crc32

from tracer.monitor import FOLDED, Recorder, is_signal
from tracer.project import Excerpt, File, Project, excerpt
from tracer.schema import Row, Trace, program_id, unfold
from tracer.values import DEFAULT, Budget, Value, render

_FOLDED = {*FOLDED, "<lambda>"}
_FUNCTION, _ARGS, _KEYWORDS, _GENERATOR = 0x1, 0x4, 0x8, 0x20 | 0x80 | 0x200  # of co_flags


@dataclass(frozen=True)
class Bounds:
    depth: int = 3  # of calls inside the call
    events: int = 2_000  # of one call
    calls: int = 50  # of one function
    total: int = 1_000_000  # events
    sample: float = 1.0  # share of the calls that are recorded
    seed: int = 0
    budget: Budget = DEFAULT


class Call:
    """One call of a function under test, as far as it is recorded."""

    def __init__(self, name: str, number: int, code: CodeType):
        self.name, self.number, self.code = name, number, code  # no frame: it would outlive itself
        self.rows: list[tuple[Row, Place]] = []
        self.scopes = 0
        self.outcome = "ok"
        self.full = False  # no more of its events are kept
        self.left = False  # a generator that nobody asked for its end
        self.flags: set[str] = set()


class Place:
    """Where a frame stands in its call."""

    __slots__ = ("call", "file", "line", "scope", "depth", "local", "key")

    def __init__(self, call: Call, file: File, line: int, depth: int):
        self.call, self.file, self.line, self.depth = call, file, line, depth
        self.scope = call.scopes
        self.local: Callable | None = None  # the recorder's trace function of this frame
        self.key: tuple[str, int] = (file.path, -1)  # what the recorder calls it
        call.scopes += 1


class Watch:
    """A trace function for `sys.settrace`; `keep` is given each trace when its call has ended."""

    def __init__(self, project: Project, bounds: Bounds, keep: Callable[[Trace], object]):
        self.project, self.bounds, self.keep = project, bounds, keep
        self.left = bounds.total
        self.seen: Counter[str] = Counter()  # calls, by function
        self.kept: Counter[str] = Counter()
        self.lost = 0  # errors of ours
        self.muted = 0  # running calls that are full: what they call is not looked at
        self.base: FrameType | None = None
        self.places: dict[FrameType, Place] = {}
        self.recorders: dict[str, Recorder] = {}
        self.excerpts: dict[tuple, Excerpt] = {}
        self.keys: dict[tuple[str, int], Place] = {}
        self.now: Place | None = None
        self.threads: list[tuple[Watch, int]] = []  # and how many events it began with
        self.over = False  # of a thread's: the calls that are still open are forgotten

    def start(self) -> bool:
        """Begin to watch this thread and those that it starts, unless another tool does."""
        if sys.gettrace() is not None or threading.gettrace() is not None or self.left <= 0:
            return False
        self.base = sys._getframe(1)
        threading.settrace(self._on_thread)
        sys.settrace(self.on_call)
        return True

    def _on_thread(self, frame: FrameType, event: str, arg: Any) -> Callable | None:
        """What begins to run in another thread has a watch of its own, within the same limits."""
        part = Watch(self.project, self.bounds, self.keep)
        part.seen, part.kept, part.left = self.seen, self.kept, self.left
        self.threads.append((part, self.left))
        sys.settrace(part.on_call)
        return part.on_call(frame, event, arg)

    def stop(self) -> None:
        """End it, and every call that is still open: generators that were not used up."""
        if threading.gettrace() == self._on_thread:
            threading.settrace(None)
        for part, left in self.threads:
            part.over = True
            self.lost += part.lost
            self.left -= left - part.left
        self.threads.clear()
        removed = sys.gettrace() != self.on_call
        if not removed:  # what the watched code has put there, it has put there
            sys.settrace(None)
        for call in {id(p.call): p.call for p in self.places.values()}.values():
            call.flags |= {"tracer_removed"} if removed else {"trace_incomplete"}
            self._end(call)
        for frame in list(self.places):
            self._forget(frame)
        self.base, self.muted = None, 0

    def on_call(self, frame: FrameType, event: str, arg: Any) -> Callable | None:
        if self.over or self.muted and frame not in self.places:
            return None
        file = self.project.file_of(frame)
        if file is None:
            return None
        try:
            place = self.places.get(frame) or self._enter(frame, file)
            if place:
                return self._record(place, self._recorder(file).hook, frame, event, arg)
        except Exception as error:
            self._failed(error)
        return None

    def on_event(self, frame: FrameType, event: str, arg: Any) -> Callable | None:
        place = self.places.get(frame)
        if place is None or place.local is None or self.over:
            return None
        if place.call.full and event == "line":
            return self.on_event
        try:
            if event == "exception" and arg[0] is GeneratorExit and place.scope == 0:
                place.call.left = True
            return self._record(place, place.local, frame, event, arg)
        except Exception as error:
            self._failed(error)
        return None

    def _failed(self, error: Exception) -> None:
        """In a trace function it would be thrown into the program: none of ours is."""
        self.lost += 1
        if is_signal(error):
            raise error

    def _record(
        self, place: Place, hook: Callable, frame: FrameType, event: str, arg: Any
    ) -> Callable | None:
        self.now = place
        try:
            place.local = hook(frame, event, arg)
        finally:
            self.now = None
        recorder = self._recorder(place.file)
        if recorder.broken:
            recorder.broken = False
            place.call.flags.add("trace_incomplete")
        if event == "return" and frame not in recorder.scopes:
            self._leave(frame, place)
        return self.on_event if frame in self.places and place.local else None

    def _leave(self, frame: FrameType, place: Place) -> None:
        """A frame has ended, also where its recorder finds that not worth an event."""
        self._forget(frame)
        if place.scope == 0:
            self._end(place.call)

    def _recorder(self, file: File) -> Recorder:
        if file.path not in self.recorders:
            self.recorders[file.path] = Recorder(
                file.path, file.table, self.bounds.budget, sys.maxsize, self._emit
            )
        return self.recorders[file.path]

    def _enter(self, frame: FrameType, file: File) -> Place | None:
        """The place of a new frame, if it is to be recorded."""
        code = frame.f_code
        is_resumed = code.co_flags & _GENERATOR and frame.f_lineno > code.co_firstlineno
        if is_resumed or code.co_name in _FOLDED:
            return None
        name = f"{file.module}.{code.co_qualname}"
        if not self.places and (self.left <= 0 or self.kept.get(name, 0) >= self.bounds.calls):
            return None
        above = frame.f_back
        while above is not None and above is not self.base:
            if above in self.places:
                return self._step_in(self.places[above], frame, file)
            if self.project.file_of(above) and above.f_code.co_name not in _FOLDED:
                return None  # called by what is not recorded
            above = above.f_back
        return self._begin(name, frame, file) if code.co_flags & _FUNCTION else None

    def _step_in(self, above: Place, frame: FrameType, file: File) -> Place | None:
        if above.call.full or above.depth >= self.bounds.depth:
            return None
        place = Place(above.call, file, frame.f_code.co_firstlineno, above.depth + 1)
        self.places[frame] = place
        return place

    def _begin(self, name: str, frame: FrameType, file: File) -> Place | None:
        self.seen[name] += 1
        chance = crc32(f"{self.bounds.seed}/{name}/{self.seen[name]}".encode()) / 2**32
        if self.left <= 0 or self.kept[name] >= self.bounds.calls or chance >= self.bounds.sample:
            return None
        self.kept[name] += 1
        call = Call(name, self.seen[name], frame.f_code)
        place = self.places[frame] = Place(call, file, frame.f_code.co_firstlineno, 0)
        return place

    def _emit(self, row: Row) -> None:
        path = self.now.file.path if self.now else ""
        key = path, row[1]
        if row[0] == "call" and self.now:
            self.now.key, self.keys[key] = key, self.now
        place = self.keys.get(key)  # a recorder may hold an event back until the next
        if place is None:
            return
        call = place.call
        if place.scope == 0 and row[0] == "unwind" and not call.left:
            call.outcome = "exception"
        if call.full:
            return
        call.rows.append(((row[0], place.scope, place.depth, *row[3:]), place))
        self.left -= 1
        if len(call.rows) >= self.bounds.events or self.left <= 0:
            self._fill(call)

    def _fill(self, call: Call) -> None:
        """Keep no more of a call than how it ends; of a generator, not even that."""
        call.full = True
        call.flags.add("trace_truncated")
        if call.code.co_flags & _GENERATOR:
            self._end(call)
            return
        self.muted += 1
        for frame, place in list(self.places.items()):
            if place.call is call and place.scope:
                self._forget(frame)

    def _forget(self, frame: FrameType) -> None:
        if place := self.places.pop(frame, None):
            self.keys.pop(place.key, None)
            self._recorder(place.file).forget(frame)

    def _end(self, call: Call) -> None:
        self.muted -= call.full and not call.code.co_flags & _GENERATOR
        for frame, place in list(self.places.items()):
            if place.call is call:
                self._forget(frame)
        if any(row[0] == "line" for row, _ in call.rows):
            self.keep(self._trace(call))
        call.rows.clear()  # which lead back to the call

    def _trace(self, call: Call) -> Trace:
        functions = {(p.file.path, p.line): (p.file, p.line) for _, p in call.rows}
        key = (call.rows[0][1].file.path, frozenset(functions))
        if key not in self.excerpts:
            self.excerpts[key] = excerpt(functions.values())
        source, places = self.excerpts[key]
        rows = [
            (*row[:3], places.get((place.file.path, row[3]), row[3]), *row[4:])
            for row, place in call.rows
        ]
        events = list(unfold(rows))
        name = call.code.co_qualname
        text = call_text(call.code, events[0].locals)
        return Trace(
            id=program_id(source, name, text, f"{self.bounds}/{call.number}"),
            source=source,
            entry=name,
            input=text,
            python=platform.python_version(),
            outcome=call.outcome,
            flags=tuple(sorted(call.flags)),
            stdout="",
            events=events,
            origin=f"pytest/{call.name}",
        )


def call_text(code: CodeType, values: dict[str, Value]) -> str:
    """The call as one would write it, with what its arguments were when it began."""
    names = iter(code.co_varnames)
    shown = {name: render(value) for name, value in values.items()}
    parts = [shown.get(next(names), "...") for _ in range(code.co_argcount)]
    keywords = [next(names) for _ in range(code.co_kwonlyargcount)]
    if code.co_flags & _ARGS:
        rest = values.get(next(names))
        parts += map(render, rest.data) if rest and rest.kind == "tuple" else []
    parts += [f"{name}={shown.get(name, '...')}" for name in keywords]
    if code.co_flags & _KEYWORDS:
        rest = values.get(next(names))
        parts += [f"{k.data}={render(v)}" for k, v in (rest.data if rest else ())]
    return f"{code.co_qualname}({', '.join(parts)})"
