"""What to keep of a mutable value, to know later whether it still is the same.

What is kept holds nothing alive but immutable values, so that the program's objects die when they
would without a tracer; and it is compared by identity and exact type alone, which runs no code.
"""

from collections import deque
from itertools import islice
from operator import is_
from types import FunctionType
from typing import Any

from tracer.atoms import ATOMS, Atoms
from tracer.classes import shape_of
from tracer.values import NAMED, Budget, Value, capture

# Of a flat value its type, its length and its items, where all of them are atoms, and of a dict the
# values; of another None, the length of its trail at most, and that trail.
Witness = tuple[Any, int, Any, Any]

UNKNOWN: Witness = (None, 0, None, None)  # of a value that has to be read again
_FLAT = frozenset(map(id, (list, tuple, set, frozenset, deque, dict)))
_FROZEN = frozenset(map(id, (tuple, frozenset)))
_AGAIN = object()  # a value that was met before
_new = tuple.__new__  # twice as fast as calling the class


def look(value: Any, budget: Budget, atoms: Atoms) -> tuple[Value, Witness | None]:
    """The typed tree of what is no atom; and no witness, if that object is always the same."""
    kind = type(value)
    if kind is list and len(value) < budget.nodes:  # the most frequent of what changes
        items = tuple(value)
        try:
            parts = tuple([atoms[id(type(item))](item) for item in items])
        except KeyError:
            return capture(value, budget), _trailed(value, budget)
        return _new(Value, ("list", parts, None)), (list, len(items), items, None)
    tree = capture(value, budget)
    if id(kind) not in _FLAT:
        return tree, _trailed(value, budget)
    size, most = len(value), budget.nodes
    items = tuple(islice(value, most))
    values = tuple(islice(value.values(), most)) if kind is dict else None
    if not ATOMS.issuperset(map(id, map(type, items + (values or ())))):
        return tree, _trailed(value, budget)
    if id(kind) in _FROZEN and size <= most:
        return tree, None
    return tree, (kind, size, items, values)


def unchanged(value: Any, seen: Witness) -> bool:
    kind, size, items, values = seen
    if kind is None:
        found = items and trail(value, size)
        return bool(found) and _same(found[0], items) and found[1] == values
    return (
        type(value) is kind
        and len(value) == size
        and all(map(is_, value, items))
        and (values is None or all(map(is_, value.values(), values)))
    )


def trail(value: Any, most: int) -> tuple[list, list[int]] | None:
    """All that a value's tree is made from, in one order: what to compare by identity, and numbers.

    None where it is longer than `most`, or where something in it has to be read to be known.
    """
    leaves: list[Any] = []
    numbers: list[int] = []
    known: dict[int, int] = {}  # number of each value, by its id
    rest = [value]
    while rest:
        part = rest.pop()
        kind = type(part)
        if id(kind) in ATOMS:
            leaves.append(part)
            continue
        if id(part) in known:
            leaves.append(_AGAIN)
            numbers.append(known[id(part)])
            continue
        known[id(part)] = len(known)
        if id(kind) in _FLAT:
            leaves.append(kind)
            numbers.append(len(part))
            if len(part) > most:
                return None
            rest += part
            if kind is dict:
                rest += part.values()
        elif kind is FunctionType:
            leaves += (kind, part.__qualname__)
        elif kind is range or kind is slice:
            leaves.append(kind)
            rest += (part.start, part.stop, part.step)
        elif id(kind) in NAMED:
            return None
        else:
            shape = shape_of(kind)
            if shape.family or shape.bases:
                return None
            attributes = shape.attributes(part)
            leaves.append(shape.name)
            numbers.append(len(attributes))
            for name, each in attributes:
                leaves.append(name)
                rest.append(each)
        if len(leaves) + len(rest) > most:
            return None
    return leaves, numbers


def _trailed(value: Any, budget: Budget) -> Witness:
    found = trail(value, budget.nodes)
    return (None, budget.nodes, *found) if found else UNKNOWN


def _same(some: list, others: list) -> bool:
    return len(some) == len(others) and all(map(is_, some, others))
