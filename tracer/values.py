"""A Python value as a typed tree, exactly.

Traced programs hold hostile objects, so they are read here and in `atoms`, `classes` and `foreign`
alone, and none of their code is run: what is done with a value hangs on the identity of
`type(value)`, built-in containers are read through the built-in's own methods, and of the rest
nothing but a type name, the instance dictionary and the slots. Of numpy, where the program imported
it, the array itself is asked.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from itertools import chain, islice
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from tracer.atoms import ATOMS, atoms, read_bytes
from tracer.classes import shape_of, type_name
from tracer.foreign import Items, foreign
from tracer.tree import DEFAULT, Budget, Value, render

__all__ = ["DEFAULT", "Budget", "Value", "bindings", "capture", "render"]

_FROZEN = frozenset(map(id, (tuple, frozenset, range, slice)))
_TRIES = 1000
_ORDERED = 1024  # keys of an OrderedDict that are put in order
_CUT = Value("cut", None)
_new = tuple.__new__  # twice as fast as calling the class


def capture(value: object, budget: Budget = DEFAULT) -> Value:
    """The typed tree of a live object, without running any of the program's code."""
    return _Reader(budget).read(value)


class _Reader:
    def __init__(self, budget: Budget):
        self.budget, self.nodes = budget, budget.nodes
        self.path: dict[int, int] = {}  # depth of each value around this one, by its id
        self.atoms = atoms(budget)
        self.known: dict[int, int] = {}  # number of each mutable object, by its id

    def read(self, value: Any) -> Value:
        kind = type(value)
        self.nodes -= 1
        if self.nodes < 0:
            return _CUT
        atom = self.atoms.get(id(kind))
        if atom:
            return atom(value)
        leaf = NAMED.get(id(kind))
        if leaf:
            return leaf(value, self.budget)
        if id(value) in self.path:
            return Value("ref", len(self.path) - self.path[id(value)])
        if self.budget.aliases and id(kind) not in _FROZEN:
            if id(value) in self.known:
                return Value("alias", self.known[id(value)])
            self.known[id(value)] = len(self.known)
        if len(self.path) >= self.budget.depth:
            return _CUT
        self.path[id(value)] = len(self.path)
        tree = self._read_tree(value, kind)
        del self.path[id(value)]
        return tree

    def _read_tree(self, value: Any, kind: type) -> Value:
        if id(kind) in CONTAINERS:
            return self._container(value, kind)
        if kind is range or kind is slice:  # `in` would ask a metaclass for `__eq__`
            parts = (value.start, value.stop, value.step)
            return Value(kind.__name__, tuple(self.read(part) for part in parts))
        return self._instance(value, kind)

    def _container(self, value: Any, kind: type) -> Value:
        items, length = CONTAINERS[id(kind)]
        if kind is not dict:
            return self._sequence(kind.__name__, items(value, max(0, self.nodes)), length(value))
        read, size = self._read_all(items(value, max(0, self.nodes))), length(value)
        kept = tuple(zip(read[::2], read[1::2], strict=True))
        return _new(Value, ("dict", kept, size if len(kept) < size else None))

    def _sequence(self, name: str, items: list, length: int) -> Value:
        kept = self._read_all(items)
        if name in ("set", "frozenset"):
            kept = tuple(sorted(kept, key=render))
        return _new(Value, (name, kept, length if len(kept) < length else None))

    def _read_all(self, parts: list) -> tuple[Value, ...]:
        get = self.atoms.get
        reads = [get(id(type(part))) for part in parts]
        if None in reads:
            return tuple([self.read(part) for part in parts])
        self.nodes -= len(parts)
        return tuple([read(part) for read, part in zip(reads, parts, strict=True) if read])

    def _instance(self, value: Any, kind: type) -> Value:
        shape = shape_of(kind)
        if shape.family == "exception":
            arguments = self._container(_ARGS(value), tuple)
            return Value("exception", (shape.name, arguments.data), arguments.size)
        if shape.family == "type":
            return Value("type", type_name(value))
        parts = [("", self._base(value, base)) for base in shape.bases]
        if shape.family == "foreign":
            attributes = foreign(value, self.budget.nodes)
        else:
            attributes = shape.attributes(value)
        kept = attributes[: max(0, self.nodes)]
        parts += [(n, self._part(v)) for n, v in kept]
        size = len(attributes) if len(kept) < len(attributes) else None
        return Value("object", (shape.name, tuple(parts)), size)

    def _part(self, value: Any) -> Value:
        if type(value) is Items:
            return self._sequence("list", value.first, value.size)
        return self.read(value)

    def _base(self, value: Any, base: type) -> Value:
        """The built-in value inside an instance of a built-in's subclass.

        Never as a copy of the built-in's type: filling a dict or a set hashes what is put in.
        """
        if id(base) in CONTAINERS:
            return self._container(value, base)
        return self.read(_PLAIN_BY_ID[id(base)](value))


_NAMED: dict[type, Callable[[Any, Budget], Value]] = {
    bytearray: lambda value, budget: read_bytes("bytearray", value, budget),
    type(...): lambda value, budget: Value("object", ("ellipsis", ())),
    FunctionType: lambda value, budget: Value("function", str.__str__(value.__qualname__)),
    BuiltinFunctionType: lambda value, budget: Value("function", value.__name__),
    MethodType: lambda value, budget: Value("function", _method_name(value)),
    ModuleType: lambda value, budget: Value("module", _module_name(value)),
    type: lambda value, budget: Value("type", type_name(value)),
}

_READ_PLAIN: dict[type, Callable[[Any], Any]] = {
    int: int.__int__,
    float: float.__float__,
    complex: complex.__complex__,
    str: str.__str__,
    bytes: bytes.__bytes__,
    bytearray: lambda value: bytearray.__getitem__(value, slice(None)),
}

NAMED = {id(kind): read for kind, read in _NAMED.items()}
_PLAIN_BY_ID = {id(kind): read for kind, read in _READ_PLAIN.items()}

_ARGS = BaseException.__dict__["args"].__get__
_MODULE_DICT: Callable[[ModuleType], dict] = vars(ModuleType)["__dict__"].__get__


def _module_name(value: ModuleType) -> str:
    name = _MODULE_DICT(value).get("__name__")
    return name if type(name) is str else "module"


def _method_name(value: MethodType) -> str:
    function = value.__func__
    return str.__str__(function.__qualname__) if type(function) is FunctionType else "method"


def _first(iterate: Callable[[Any], Iterator]) -> Callable[[Any, int], list]:
    def first(value: Any, most: int) -> list:
        for _ in range(_TRIES):
            try:
                return [*islice(iterate(value), most)]
            except RuntimeError:  # another thread has changed it between two of our instructions
                pass
        raise RuntimeError("a container changes faster than it is read")

    return first


def _first_pairs(value: dict, most: int) -> list:
    return [*chain.from_iterable(_pairs(_in_order(value), most // 2))]


def _in_order(value: dict) -> dict:
    """An OrderedDict's order is its own; to follow it hashes the keys, so they must be atoms."""
    if type(value) is not OrderedDict or len(value) > _ORDERED:
        return value
    try:
        if not ATOMS.issuperset(map(id, map(type, dict.__iter__(value)))):
            return value
        return {key: dict.__getitem__(value, key) for key in OrderedDict.__iter__(value)}
    except (KeyError, RuntimeError):  # the program went behind its back, or a thread came between
        return value


_pairs = _first(lambda value: iter(dict.items(value)))

# What the built-in containers hold, keys and values alternately, and how many items they say.
_CONTAINERS: dict[type, tuple[Callable[[Any, int], list], Callable[[Any], int]]] = {
    list: (_first(list.__iter__), list.__len__),
    tuple: (_first(tuple.__iter__), tuple.__len__),
    set: (_first(set.__iter__), set.__len__),
    frozenset: (_first(frozenset.__iter__), frozenset.__len__),
    deque: (_first(deque.__iter__), deque.__len__),
    dict: (_first_pairs, dict.__len__),
}
CONTAINERS = {id(kind): read for kind, read in _CONTAINERS.items()}
DATA = ATOMS.union(CONTAINERS, map(id, (bytearray, range, slice)))  # types, by their ids


def bindings(namespace: Any) -> list[tuple[str, Any]]:
    """The names of a module or class and what they hold: of a class, it may be any object."""
    if type(namespace) is dict or dict in shape_of(type(namespace)).bases:
        return [pair for pair in [*dict.items(namespace)] if type(pair[0]) is str]
    return []
