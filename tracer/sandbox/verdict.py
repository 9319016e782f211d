"""What became of a program, from what its worker saw and from the bytes that it left.

A program can write what it likes into its trace from the moment on at which it understands where
that goes. So nothing is believed that a run could not have said: frames in their order and whole,
events of known kinds with values of known types, one end and nothing after it. Precedence: the
clock, then a signal, then a missing end, then the end's own word.
"""

import json
import signal
from typing import Any, NamedTuple

from tracer.sandbox.frames import BrokenFrame, unpack
from tracer.sandbox.limits import Limits
from tracer.sandbox.seen import Seen
from tracer.schema import KINDS, Row, unpack_row
from tracer.values import Value

OF_ITSELF = ("ok", "exception", "memory", "rejected")  # what a program's end may say
FLAGS = ("trace_truncated", "trace_incomplete", "tracer_removed")
_MOST = 1 << 40  # of any count
_decode = json.JSONDecoder().decode
_TEXTS = ("float", "complex", "str", "bytes", "bytearray", "function", "module", "type")
_ITEMS = ("list", "tuple", "set", "frozenset", "deque", "range", "slice")
_UNREADABLE = (BrokenFrame, ValueError, TypeError, KeyError, IndexError, AttributeError)
_TOO_MUCH = (RecursionError, OverflowError, MemoryError)


class Verdict(NamedTuple):
    kind: str
    flags: tuple[str, ...]
    rows: list[Row]
    entry: str | None  # as the end says it
    error: Value | None


class End(NamedTuple):
    outcome: str
    flags: tuple[str, ...]
    error: Value | None
    entry: str


def judge(seen: Seen, trace: bytes, key: int, limits: Limits, lines: int) -> Verdict:
    """`lines` are those of the program's source."""
    rows, end = read(trace, key, lines)
    flags = {"output_truncated"} if seen.output_cut else set()
    if end is not None:
        flags |= set(end.flags)
    else:
        flags.add("trace_incomplete")
        if len(rows) >= limits.events:
            flags.add("trace_truncated")
    kind = _kind(seen, end, limits)
    return Verdict(
        kind,
        tuple(sorted(flags)),
        rows,
        end.entry if end else None,
        end.error if end and end.outcome == kind else None,
    )


def _kind(seen: Seen, end: End | None, limits: Limits) -> str:
    if seen.reason in ("wall", "cpu"):
        return "timeout"
    if seen.signal:
        # The kernel's own bound of processor time, where we came late.
        by_clock = seen.signal in (signal.SIGXCPU, signal.SIGKILL)
        return "timeout" if by_clock and seen.cpu_s >= limits.cpu_s else "killed"
    return "killed" if end is None or seen.code else end.outcome


def read(trace: bytes, key: int, lines: int) -> tuple[list[Row], End | None]:
    """The events up to where the trace is not what a run writes; its end, if it has just one."""
    rows: list[Row] = []
    at, end = 0, None
    try:
        while at < len(trace):
            if end is not None:
                return rows, None  # there is something after it
            body, at = unpack(trace, at, key)
            key += 1
            message = _decode(body.decode("utf-8", "surrogatepass"))
            if type(message) is dict:
                end = _end(message, bool(rows))
            else:
                rows.append(_row(message, lines))
    except (*_UNREADABLE, *_TOO_MUCH):
        return rows, None
    return rows, end


def _end(message: dict[str, Any], ran: bool) -> End:
    error = None if message["error"] is None else Value.from_json(message["error"])
    end = End(message["outcome"], tuple(message["flags"]), error, message["entry"])
    _check(end.outcome in OF_ITSELF and set(end.flags) <= set(FLAGS) and type(end.entry) is str)
    _check(end.outcome != "rejected" or not ran)
    _check(error is None or is_value(error))
    return end


def _row(message: Any, lines: int) -> Row:
    kind, scope, depth, line, statement, changed, argument = row = unpack_row(message)
    _check(kind in KINDS and type(statement) is str)
    _check(all(type(number) is int and 0 <= number < _MOST for number in (scope, depth, line)))
    _check(line <= lines)
    _check(all(value is None or is_value(value) for value in changed.values()))
    _check(argument is None or is_value(argument))
    return row


def _check(is_so: bool) -> None:
    if not is_so:
        raise ValueError("no run of a program says that")


def is_value(value: Value) -> bool:
    """Whether it is a typed tree as `tracer.values` makes them."""
    kind, data, size = value
    if size is not None and not (type(size) is int and 0 <= size):
        return False
    if kind == "int":
        return type(data) is int
    if kind in _TEXTS:
        return type(data) is str
    if kind in ("NoneType", "cut"):
        return data is None
    if kind in ("ref", "alias"):
        return type(data) is int and 0 <= data < _MOST
    if kind in _ITEMS:
        return all(map(is_value, data))
    if kind == "dict":
        return all(is_value(key) and is_value(each) for key, each in data)
    if kind in ("exception", "object"):
        name, parts = data
        if kind == "object":
            if not all(type(part) is str for part, _ in parts):
                return False
            parts = [each for _, each in parts]
        return type(name) is str and all(map(is_value, parts))
    return kind == "bool" and type(data) is bool
