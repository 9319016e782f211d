"""What to keep of a mutable value, to know later whether it still is the same.

What is kept holds nothing alive but immutable values, so that the program's objects die when they
would without a tracer; and it is compared by identity and exact type alone, which runs no code.
"""

from collections import deque
from itertools import islice
from operator import is_
from types import FunctionType
from typing import Any

from tracer.values import ATOMS, READ_ATOM, SMALL, Budget, Value, capture

# Its type, its length and its items, where all of them are atoms; of a dict also the values.
Witness = tuple[Any, int, Any, tuple | None]

UNKNOWN: Witness = (None, 0, (), None)  # of a value that has to be read again
_FLAT = frozenset(map(id, (list, tuple, set, frozenset, deque, dict)))
_SMALL = SMALL.get
_new = tuple.__new__  # four times as fast as calling the class


def look(value: Any, budget: Budget) -> tuple[Value, Witness | None]:
    """The typed tree of what is no atom; and no witness, if that object is always the same."""
    kind = type(value)
    if kind is list and len(value) < budget.nodes:
        return _look_at_list(value, budget)
    if kind is FunctionType:
        return capture(value, budget), (kind, 0, value.__qualname__, None)
    tree = capture(value, budget)
    if id(kind) not in _FLAT:
        return tree, UNKNOWN
    size, most = len(value), budget.nodes
    items = tuple(islice(value, most))
    values = tuple(islice(value.values(), most)) if kind is dict else None
    if not _are_atoms(items + (values or ())):
        return tree, UNKNOWN
    if (kind is tuple or kind is frozenset) and size <= most:
        return tree, None
    return tree, (kind, size, items, values)


def _look_at_list(value: list, budget: Budget) -> tuple[Value, Witness]:
    """As above, for the most frequent of the values that change."""
    items = tuple(value)
    parts = [_SMALL(item) if type(item) is int else None for item in items]
    if None in parts:
        if not _are_atoms(items):
            return capture(value, budget), UNKNOWN
        parts = [READ_ATOM[id(type(item))](item, budget) for item in items]
    return _new(Value, ("list", tuple(parts), None)), (list, len(items), items, None)


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
    return ATOMS.issuperset(map(id, map(type, items)))  # of the types, a metaclass may make hashes
