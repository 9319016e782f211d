"""What is left of the iterators of loops, where a trace tells.

    of a list, tuple or dict    a list of the items or keys to come
    of a string or a range      a string, a range
    of d.items()                a dict
    of enumerate(x), zip(x, y)  a tuple: the next number and what is left of x; what is left of each

It is computed from the variables' values; where that cannot be done, it is what the loop's variable
came to hold, if the loop went on to its end. Nothing of the traced program runs.
"""

import ast
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tracer.flatten import VIEWS
from tracer.lowering import Loop, Lowering
from tracer.schema import Event
from tracer.values import Value, capture
from tracer.working import Unknown, literal, value_of

SOMETHING = Value("object", ("?", ()))  # is left, of which nothing is known
SAME = frozenset({"list", "str", "bytes", "range"})  # what is left of them is such a value again


class Going(NamedTuple):
    """The loops of a frame at one event."""

    again: bool = False  # the statement is the header of a loop that goes on
    left: Mapping[str, Value] = {}  # by the name of what is kept of an iterator
    now: Value | None = None  # what is left when a header is about to take the first of it


def going(events: Sequence[Event], lowering: Lowering, told: bool = True) -> list[Going]:
    """At each event of a frame; with no values unless they are told."""
    if not lowering.iterators:
        return [Going()] * len(events)
    loops, on, found = lowering.unsaid.loops, frozenset[int](), list[Going]()
    left: dict[int, Value] = {}  # by the line of the header
    for number, (event, after) in enumerate(zip(events, [*events[1:], None], strict=True)):
        line, again, now = event.lineno, event.lineno in on, None
        kept = {lowering.iterators[loops[header].depth]: left[header] for header in left}
        if told and line in loops and event.kind == "line":
            now = _following(left[line]) if again else _opened(loops[line], event.locals)
            if not _agrees(now, events, number, loops[line]):
                now = SOMETHING if again else _met(events[number:], loops[line])
            left[line] = now
        found.append(Going(again, kept, now))
        if after:
            runs = event.kind == after.kind == "line"
            on = lowering.on(on, line, after.lineno, runs)
            left = {header: value for header, value in left.items() if header in on}
    return found


def split(left: Value) -> tuple[Value, Value] | None:
    """The first item, and what is left then; None where nothing is. Raises Unknown."""
    kind, data, size = left
    if kind == "range":
        start, stop, step = (each.data for each in data)
        if not range(start, stop, step):
            return None
        return data[0], Value("range", (Value("int", start + step), *data[1:]))
    if kind == "tuple":
        parts = [_numbered(each) if each.kind == "int" else split(each) for each in data]
        there = [each for each in parts if each is not None]
        if len(there) < len(parts):
            return None
        first, others = zip(*there, strict=True)
        return Value("tuple", first), Value("tuple", others)
    if kind not in ("list", "str", "bytes", "dict") or (size and not data):
        raise Unknown(left)
    if not data:
        return None
    others = Value(kind, data[1:], size and size - 1)
    match kind:
        case "str":
            return Value("str", data[0]), others
        case "bytes":
            return Value("int", ord(data[0])), others
        case "dict":
            return Value("tuple", data[0]), others
    return data[0], others


def _numbered(number: Value) -> tuple[Value, Value]:
    return number, Value("int", number.data + 1)


def opened(node: ast.expr, variables: Mapping[str, Value]) -> Value:
    """What is left, at first, of what an expression gives. Raises Unknown, and whatever the
    operations in it raise."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[each, *more], keywords=[]) if (
            name not in variables and not any(isinstance(a, ast.Starred) for a in node.args)
        ):
            if name == "enumerate" and len(more) <= 1:
                first = _plain(more[0], variables) if more else Value("int", 0)
                return Value("tuple", (first, opened(each, variables)))
            if name == "zip":
                return Value("tuple", tuple(opened(each, variables) for each in node.args))
            if name == "reversed" and not more:
                return _reversed(opened(each, variables))
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=[], keywords=[]):
            held = _plain(value, variables) if name in VIEWS else None
            if held and held.kind == "dict":
                parts = {"items": held.data, "keys": _column(held, 0), "values": _column(held, 1)}
                return Value("dict" if name == "items" else "list", parts[name], held.size)
    return _listed(_plain(node, variables))


def _plain(node: ast.expr, variables: Mapping[str, Value]) -> Value:
    match node:
        case ast.Name(id=name) if name in variables:
            return variables[name]
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    held = {name: literal(variables[name]) for name in names if name in variables}
    try:
        return capture(value_of(node, held))
    except KeyError as error:  # of a name that is no variable
        raise Unknown(node) from error


def _column(held: Value, number: int) -> tuple[Value, ...]:
    return tuple(pair[number] for pair in held.data)


def _listed(value: Value) -> Value:
    if value.kind in SAME:
        return value
    if value.kind == "tuple":
        return Value("list", value.data, value.size)
    if value.kind == "dict":
        return Value("list", _column(value, 0), value.size)
    raise Unknown(value)


def _reversed(value: Value) -> Value:
    if value.size is not None or value.kind not in SAME:
        raise Unknown(value)
    if value.kind == "range":
        return capture(range(*(each.data for each in value.data))[::-1])
    return Value(value.kind, value.data[::-1])


def _opened(loop: Loop, variables: Mapping[str, Value]) -> Value:
    try:
        return opened(loop.node.iter, variables)
    except Exception:  # Unknown, or what the operations in it raise
        return SOMETHING


def _following(left: Value) -> Value:
    try:
        found = split(left)
    except Unknown:
        found = None
    return found[1] if found else SOMETHING


def _agrees(left: Value, events: Sequence[Event], number: int, loop: Loop) -> bool:
    """Whether it explains where the loop goes next, and what its variable holds then."""
    event = events[number]
    after = events[number + 1] if number + 1 < len(events) else None
    try:
        found = split(left)
    except Unknown:
        return False
    if after is None or after.kind not in ("line", "return"):
        return True
    if not event.lineno < after.lineno <= loop.last:
        return found is None
    item = _item(after, loop)
    return found is not None and (item is None or _same(item, found[0]))


def _same(item: Value, first: Value) -> bool:
    unpacked = item.kind == "tuple" and first.kind == "list"
    return item == (first._replace(kind="tuple") if unpacked else first)


def _item(after: Event, loop: Loop) -> Value | None:
    """What the loop's variable, or its variables, took."""
    match loop.node.target:
        case ast.Name(id=name):
            return after.locals.get(name)
        case ast.Tuple(elts=parts):
            found = [after.locals.get(each.id) for each in parts if isinstance(each, ast.Name)]
            there = tuple(each for each in found if each)
            return Value("tuple", there) if len(there) == len(parts) else None
    return None


def _met(events: Sequence[Event], loop: Loop) -> Value:
    """All that the loop's variable came to hold, if it went on to its end."""
    items, line = list[Value](), events[0].lineno
    for event, after in zip(events, events[1:], strict=False):
        if event.kind == "line" and event.lineno == line and after.kind in ("line", "return"):
            if not line < after.lineno <= loop.last:
                return Value("list", tuple(items))
            item = _item(after, loop)
            if item is None:
                break
            items.append(item)
        elif not line <= after.lineno <= loop.last:
            break
    return SOMETHING
