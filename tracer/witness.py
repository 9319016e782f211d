"""A variable's value, and what to keep of it to know later whether it still is the same.

What is kept holds nothing alive but immutable values, so that the program's objects die when they
would without a tracer; and it is compared by identity and exact type alone, which runs no code.
"""

from collections import deque
from itertools import islice
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
    read = READ_ATOM.get(id(kind))
    if read is not None:
        if id(kind) in ATOMS:
            return read(value, budget), value
        if kind is FunctionType:
            return read(value, budget), Witness(kind, 0, value.__qualname__)
        return read(value, budget), UNKNOWN
    if id(kind) not in _FLAT:
        return capture(value, budget), UNKNOWN
    size, most = len(value), budget.nodes
    items = tuple(value) if size < most else tuple(islice(value, most))
    if not _are_atoms(items):
        return capture(value, budget), UNKNOWN
    if kind is list and size < most:
        parts = tuple([READ_ATOM[id(type(item))](item, budget) for item in items])
        return _new(Value, ("list", parts, None)), _new(Witness, (kind, size, items, None))
    values = tuple(islice(value.values(), most)) if kind is dict else None
    tree = capture(value, budget)
    if values is not None and not _are_atoms(values):
        return tree, UNKNOWN
    if (kind is tuple or kind is frozenset) and size < most:
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


def _are_atoms(items: tuple) -> bool:
    return ATOMS.issuperset(map(id, map(type, items)))
