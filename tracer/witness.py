"""A variable's value, and what to keep of it to know later whether it still is the same.

What is kept holds nothing alive but immutable values, so that the program's objects die when they
would without a tracer; and it is compared by identity and exact type alone, which runs no code.
"""

from collections import deque
from itertools import islice
from operator import is_
from types import FunctionType
from typing import Any, NamedTuple

from tracer.values import ATOMS, READ_ATOM, SMALL, Budget, Value, capture


class Witness(NamedTuple):
    """What a mutable value was: its type, its length, and its first items, where all are atoms."""

    kind: Any
    size: int = 0
    items: Any = ()
    values: tuple | None = None  # of a dict


UNKNOWN = Witness(None)  # of a value that has to be read again
_FLAT = frozenset(map(id, (list, tuple, set, frozenset, deque, dict)))
_INTS = frozenset([id(int)])
_new = tuple.__new__


def look(value: Any, budget: Budget) -> tuple[Value, Any]:
    """The typed tree, and what to keep: the value itself, if that object is always the same."""
    kind = type(value)
    number = id(kind)
    if number in ATOMS:
        return READ_ATOM[number](value, budget), value
    if kind is list and len(value) < budget.nodes:
        return _look_at_list(value, budget)
    if kind is FunctionType:
        return capture(value, budget), Witness(kind, 0, value.__qualname__)
    tree = capture(value, budget)
    if number not in _FLAT:
        return tree, UNKNOWN
    size, most = len(value), budget.nodes
    items = tuple(islice(value, most))
    values = tuple(islice(value.values(), most)) if kind is dict else None
    if not _ids_of_types(items + (values or ())) <= ATOMS:
        return tree, UNKNOWN
    if (kind is tuple or kind is frozenset) and size <= most:
        return tree, value
    return tree, Witness(kind, size, items, values)


def _look_at_list(value: list, budget: Budget) -> tuple[Value, Witness]:
    """As above, for the most frequent of the values that change."""
    items = tuple(value)
    kinds = _ids_of_types(items)
    if not kinds <= ATOMS:
        return capture(value, budget), UNKNOWN
    parts = tuple(map(SMALL.get, items)) if kinds == _INTS else (None,)
    if None in parts:
        parts = tuple([READ_ATOM[id(type(item))](item, budget) for item in items])
    witness = _new(Witness, (list, len(items), items, None))
    return _new(Value, ("list", parts, None)), witness


def unchanged(value: Any, seen: Witness) -> bool:
    kind, size, items, values = seen
    if type(value) is not kind:
        return False
    if kind is FunctionType:
        return value.__qualname__ is items
    if len(value) != size or not all(map(is_, value, items)):
        return False
    return values is None or all(map(is_, value.values(), values))


def _ids_of_types(items: tuple) -> set[int]:
    return {*map(id, map(type, items))}  # a set of the types would ask a metaclass for a hash
