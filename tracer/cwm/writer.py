"""A trace as Meta's CWM trace text."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from tracer.cwm.grammar import (
    ACTION,
    ARG,
    BEGIN,
    CONTEXT,
    END,
    FRAME,
    KINDS,
    MARKER,
    SAME,
    STATES,
    TOKEN,
    Frame,
    escape,
)
from tracer.schema import Event, Trace
from tracer.values import Value, render

DIFFS = ("boundary", "scope", "none")
DIALECTS = ("cwm", "debugger")
ACTIONS = ("line", "statement")
EXCEPTIONS = ("repr", "type_name", "message")

# What Python's own trace hook calls them, and with it Meta's tracer.
_KIND_OF = {"yield": "return", "resume": "call", "unwind": "return"}
_NONE = Value("NoneType", None)
_NEWLINE = re.compile(r"\r\n|\r|\n")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_PARTIAL = {"trace_truncated", "trace_incomplete", "tracer_removed"}


class Options(NamedTuple):
    """Where users of the format differ, or what Meta did is not known.

    diff: "boundary" writes all values in full after a call or return, as Meta's client reads them;
    "scope" abbreviates against the same scope's frame before, which no reader can undo once a call
    lies between; "none" writes all values always.
    dialect: "cwm" has a ".." for each value that is the same; "debugger" one pair for all of them.
    """

    diff: str = "boundary"
    dialect: str = "cwm"
    action: str = "line"  # or "statement": all lines of a long one
    exception_value: str = "repr"  # or "type_name", "message"
    unwind: bool = True  # the "return None" of a scope that an exception leaves
    newline: bool = True  # at the end of an action
    strip_addresses: bool = False  # " at 0x7f..." in reprs

    def check(self) -> "Options":
        choices = {"diff": DIFFS, "dialect": DIALECTS, "action": ACTIONS}
        for name, allowed in (choices | {"exception_value": EXCEPTIONS}).items():
            if (found := getattr(self, name)) not in allowed:
                raise ValueError(f"unknown {name} {found!r}; there are: {', '.join(allowed)}")
        return self


def write(trace: Trace, options: Options = Options()) -> str:  # noqa: B008
    """The whole text; it ends with <|end_of_text|> where the trace saw the end of the program."""
    lines = _NEWLINE.split(trace.source)
    parts = [BEGIN, CONTEXT, escape(context(trace.events, lines)), FRAME]
    for frame in written_frames(trace, options):
        state = _json(frame.locals) if frame.kind in STATES else ""
        action = escape(frame.source) + "\n" * options.newline
        arg = [] if frame.kind in STATES else [ARG, _json(frame.arg)]
        parts += [KINDS[frame.kind], state, ACTION, action, *arg, FRAME]
    complete = trace.outcome in ("ok", "exception") and not _PARTIAL & set(trace.flags)
    return "".join([*parts, END * complete])


def context(events: list[Event], lines: list[str]) -> str:
    """The program with the marker where the trace begins: of a module, its first statement."""
    begin = next((event.lineno for event in events if event.lineno > 0), 0)
    return "\n".join(line + MARKER * (n == begin) for n, line in enumerate(lines, 1))


def written_frames(trace: Trace, options: Options) -> Iterator[Frame]:
    """The frames of the text, with their locals abbreviated."""
    writer = _Writer(trace, options.check())
    yield from map(writer.frame, shown_events(trace, options))


def shown_events(trace: Trace, options: Options) -> list[Event]:
    """Those of which there is a frame."""
    return [event for event in trace.events if event.kind != "unwind" or options.unwind]


class _Writer:
    def __init__(self, trace: Trace, options: Options):
        self.options = options
        self.lines = _NEWLINE.split(trace.source)
        self.texts: dict[int, str] = {}  # by id: the trace keeps its values alive
        self.states: dict[int, dict[str, str]] = {}  # what a reader knows, by scope

    def frame(self, event: Event) -> Frame:
        kind = _KIND_OF.get(event.kind, event.kind)
        source = self._action(event)
        if kind in STATES:
            return Frame(kind, source, locals=self._state(event))
        if kind == "return" and self.options.diff == "boundary":
            self.states.clear()
        value = event.arg or _NONE
        message = kind == "exception" and value.kind == "exception"
        return Frame(kind, source, arg=self._raised(value) if message else self._text(value))

    def _state(self, event: Event) -> dict[str, str]:
        values = {name: self._text(value) for name, value in event.locals.items()}
        if event.kind != "line" and self.options.diff == "boundary":
            self.states.clear()
        known = self.states.get(event.scope)
        if self.options.diff != "scope":
            self.states.clear()  # a reader looks at the text before, whosever it is
        if self.options.diff != "none":
            self.states[event.scope] = values
        return values if known is None else self._abbreviated(values, known)

    def _abbreviated(self, values: dict[str, str], known: dict[str, str]) -> dict[str, str]:
        same = {name for name, text in values.items() if known.get(name) == text} - {SAME}
        if self.options.dialect == "cwm":
            return {name: SAME if name in same else text for name, text in values.items()}
        if SAME in values or not known.keys() <= values.keys() or not same:
            return values  # the pair stands for all names of the frame before
        changed = {name: text for name, text in values.items() if name not in same}
        return {SAME: SAME} | changed

    def _action(self, event: Event) -> str:
        if not 0 < event.lineno <= len(self.lines):
            return event.statement
        height = 1 if self.options.action == "line" else event.statement.count("\n") + 1
        return "\n".join(self.lines[event.lineno - 1 :][:height])

    def _raised(self, error: Value) -> str:
        name, arguments = error.data
        if self.options.exception_value == "type_name":
            return repr(name)
        if self.options.exception_value == "message":
            return repr(_message(name, arguments))
        return self._text(error)

    def _text(self, value: Value) -> str:
        if id(value) not in self.texts:
            text = render(value)
            strip = self.options.strip_addresses
            self.texts[id(value)] = _ADDRESS.sub("", text) if strip else text
        return self.texts[id(value)]


def _message(name: str, arguments: tuple[Value, ...]) -> str:
    """What `str` gives for most built-in exceptions."""
    if len(arguments) != 1:
        return render(Value("tuple", arguments)) if arguments else ""
    plain = arguments[0].kind == "str" and name != "KeyError"
    return arguments[0].data if plain else render(arguments[0])


def _json(item: object) -> str:
    """As Meta's client writes it, and never with a token in it."""
    text = json.dumps(item)
    if _PAIR.search(raw := json.dumps(item, ensure_ascii=False)):
        text = raw  # as escapes, two surrogates would become one character
    return TOKEN.sub(r"\\u003c|\1|>", text)
