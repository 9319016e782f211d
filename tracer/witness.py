"""What to keep of a mutable value, to know later whether it still is the same.

What is kept holds nothing alive but immutable values, so that the program's objects die when they
would without a tracer; and it is compared by identity and exact type alone, which runs no code.
"""

from collections.abc import Iterable
from operator import is_
from types import FunctionType
from typing import Any

from tracer.atoms import ATOMS, Atoms
from tracer.classes import shape_of
from tracer.values import CONTAINERS, NAMED, Budget, Value, capture

# Of a flat value its type, its length and its items, where all of them are atoms, and of a dict the
# values; of another None, the budget, and its trail.
Witness = tuple[Any, Any, Any, Any]

UNKNOWN: Witness = (None, None, None, None)  # of a value that has to be read again
_FROZEN = frozenset(map(id, (tuple, frozenset)))
_AGAIN, _DEEP = object(), object()  # a value that was met before, or that is not looked into
_new = tuple.__new__  # twice as fast as calling the class


def look(value: Any, budget: Budget, atoms: Atoms) -> tuple[Value, Witness | None]:
    """The typed tree of what is no atom; and no witness, if that object is always the same.

    The witness is taken first: what a thread changes in between will be seen.
    """
    kind = type(value)
    if (kind is list or kind is tuple) and len(value) < budget.nodes:  # the most frequent ones
        items = tuple(value)
        try:
            parts = tuple([atoms[id(type(item))](item) for item in items])
        except KeyError:
            pass
        else:
            if kind is tuple:
                return _new(Value, ("tuple", parts, None)), None
            return _new(Value, ("list", parts, None)), (list, len(items), items, None)
    witness = _flat(value, kind, budget.nodes) or _trailed(value, budget)
    if id(kind) in _FROZEN and witness[0] is kind and witness[1] <= budget.nodes:
        witness = None
    return capture(value, budget), witness


def _flat(value: Any, kind: type, most: int) -> Witness | None:
    if id(kind) not in CONTAINERS:
        return None
    first, size = CONTAINERS[id(kind)]
    length, items = size(value), first(value, 2 * most if kind is dict else most)
    if not ATOMS.issuperset(map(id, map(type, items))):
        return None
    return (kind, length, items[::2], items[1::2]) if kind is dict else (kind, length, items, None)


def unchanged(value: Any, seen: Witness) -> bool:
    kind, size, items, values = seen
    if kind is None:
        return size is not None and _is_trail_of(value, size, items, values)
    if type(value) is not kind or len(value) != size:
        return False
    try:
        same = all(map(is_, value, items))
        return same and (values is None or all(map(is_, value.values(), values)))
    except RuntimeError:  # a thread has changed it between two of our instructions
        return False


class Trail:
    """All that a value's tree is made from, in the order in which it is read and as far as that.

    To be compared by identity: the leaves, and of each container its type; numbers as numbers.
    """

    __slots__ = ("leaves", "numbers", "budget", "left", "path", "known")

    def __init__(self, budget: Budget):
        self.leaves: list[Any] = []
        self.numbers: list[int] = []
        self.budget, self.left = budget, budget.nodes - 1
        self.path: dict[int, int] = {}  # depth of each value around this one, by its id
        self.known: dict[int, int] = {}  # number of each value that may be an alias, likewise

    def follow(self, value: Any) -> bool:
        """False where something has to be read to be known."""
        kind, path, number = type(value), self.path, id(value)
        if kind is FunctionType:
            self.leaves += (kind, value.__qualname__)
            return True
        if id(kind) in NAMED:
            return False
        if number in path or number in self.known:
            self.leaves.append(_AGAIN)
            self.numbers.append(path[number] if number in path else ~self.known[number])
            return True
        if len(path) >= self.budget.depth:
            self.leaves.append(_DEEP)
            return True
        if self.budget.aliases:
            self.known[number] = len(self.known)
        path[number] = len(path)
        parts = self._parts(value, kind)
        if parts is None:
            return False
        left, add = self.left, self.leaves.append
        for part in parts:
            left -= 1
            if left < 0:
                break
            if id(type(part)) in ATOMS:
                add(part)
                continue
            self.left = left
            if not self.follow(part):
                return False
            left = self.left
        self.left = left
        del path[number]
        return True

    def _parts(self, value: Any, kind: type) -> Iterable[Any] | None:
        if kind is list and len(value) <= self.left:
            self.leaves.append(kind)
            self.numbers.append(len(value))
            return [*value]
        if id(kind) in CONTAINERS:
            self.leaves.append(kind)
            return self._items(value, kind)
        if kind is range or kind is slice:
            self.leaves.append(kind)
            return value.start, value.stop, value.step
        shape = shape_of(kind)
        if shape.family:
            return None
        self.leaves.append(shape.name)
        parts = []
        for base in shape.bases:
            if id(base) not in CONTAINERS:
                return None
            parts += self._items(value, base)
        for name, each in shape.attributes(value):
            self.leaves.append(name)
            parts.append(each)
        return parts

    def _items(self, value: Any, kind: type) -> list:
        items, size = CONTAINERS[id(kind)]
        self.numbers.append(size(value))
        return items(value, max(0, self.left))


def _trailed(value: Any, budget: Budget) -> Witness:
    found = Trail(budget)
    return (None, budget, found.leaves, found.numbers) if found.follow(value) else UNKNOWN


def _is_trail_of(value: Any, budget: Budget, leaves: list, numbers: list[int]) -> bool:
    if id(type(value)) in ATOMS:
        return False
    found = Trail(budget)
    return (
        found.follow(value)
        and found.numbers == numbers
        and len(found.leaves) == len(leaves)
        and all(map(is_, found.leaves, leaves))
    )
