"""A variable's value, and what to keep of it to know later whether it still is the same.

What is kept holds nothing alive but immutable values, so that the program's objects die when they
would without a tracer; and it is compared by identity and exact type alone, which runs no code.
"""

from collections import deque
from operator import is_
from types import FunctionType
from typing import Any, NamedTuple

from tracer.values import ATOMS, READ_ATOM, Budget, Value, capture


class Witness(NamedTuple):
    """What a mutable value was: its type, its length, and its first items, where all are atoms."""

    kind: Any
    size: int = 0
    items: Any = ()
    values: tuple | None = None  # of a dict


UNKNOWN = Witness(None)  # of a value that has to be read again
_FLAT = frozenset(map(id, (list, tuple, set, frozenset, deque, dict)))
_new = tuple.__new__


def look(value: Any, budget: Budget) -> tuple[Value, Any]:
    """The typed tree, and what to keep: the value itself, if that object is always the same."""
    kind = type(value)
    atom = READ_ATOM.get(id(kind))
    if atom is not None:
        if id(kind) in ATOMS:
            return atom(value, budget), value
        if kind is FunctionType:
            return atom(value, budget), Witness(kind, 0, value.__qualname__)
        return atom(value, budget), UNKNOWN
    if id(kind) not in _FLAT:
        return capture(value, budget), UNKNOWN
    size, most, values = len(value), budget.nodes, None
    items = tuple(value) if size < most else (*value[:most],) if kind is list else tuple(value)
    if kind is dict:
        values = tuple(value.values())
    if not ATOMS.issuperset(map(id, map(type, items))):
        return capture(value, budget), UNKNOWN
    if kind is list and size < most:
        read = tuple([READ_ATOM[id(type(item))](item, budget) for item in items])
        return _new(Value, ("list", read, None)), _new(Witness, (kind, size, items, None))
    if values is not None and not ATOMS.issuperset(map(id, map(type, values))):
        return capture(value, budget), UNKNOWN
    tree = capture(value, budget)
    if kind is tuple or kind is frozenset:
        return tree, value
    return tree, _new(Witness, (kind, size, items, values))


def unchanged(value: Any, seen: Witness) -> bool:
    kind, size, items, values = seen
    if type(value) is not kind:
        return False
    if kind is FunctionType:
        return value.__qualname__ is items
    if len(value) != size or not all(map(is_, value, items)):
        return False
    return values is None or all(map(is_, value.values(), values))
