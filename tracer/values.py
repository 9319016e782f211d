"""A Python value as a typed tree, exactly, and back to the text of its repr.

Traced programs hold hostile objects, so this is the one place that reads them, and it never runs
their code: it dispatches on the identity of `type(value)`, reads built-in containers through the
built-in's own methods, and takes nothing but a type name, the instance dictionary and the slots of
the rest. Of numpy, where the program imported it, it asks the array itself.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from enum import EnumMeta
from itertools import islice
from threading import Thread
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any, NamedTuple

from tracer.foreign import Items, foreign


class Budget(NamedTuple):
    """How much of a value is kept; what is cut keeps its original length in `Value.size`."""

    depth: int = 6
    nodes: int = 256
    string: int = 1024  # characters, or bytes
    digits: int = 640  # of an integer; 18 are always kept
    aliases: bool = False  # whether a mutable object's second place in a value is an `alias`


class Value(NamedTuple):
    """A typed tree.

    kind                                   data
    NoneType, bool, int                    the value itself
    float, complex                         its repr, so that nan equals nan and -0.0 is not 0.0
    str, bytes, bytearray                  text; bytes as latin-1
    list, tuple, set, frozenset, deque     the items; sets in a canonical order
    dict                                   the (key, value) pairs
    range, slice                           start, stop, step
    function, module, type                 a name
    exception, object                      (class name, (name, value) pairs or arguments)
    ref                                    how many levels up the same object stands
    alias                                  which of the value's mutable objects, as read, it is
    cut                                    None: the budget ended here

    Values of equal content are equal: `[[0]] * 2` and `[[0], [0]]` differ in what a later step can
    do to them, and only a budget with `aliases` tells them apart.
    """

    kind: str
    data: Any
    size: int | None = None  # original length, where the budget cut something off

    @classmethod
    def from_json(cls, item: Any) -> "Value":
        kind, data, size = item
        if kind in _SEQUENCES or kind in ("range", "slice"):
            data = tuple(map(cls.from_json, data))
        elif kind == "dict":
            data = tuple((cls.from_json(k), cls.from_json(v)) for k, v in data)
        elif kind == "exception":
            data = (data[0], tuple(map(cls.from_json, data[1])))
        elif kind == "object":
            data = (data[0], tuple((name, cls.from_json(v)) for name, v in data[1]))
        return cls(kind, data, size)

    def children(self) -> Iterator["Value"]:
        if self.kind in _SEQUENCES or self.kind in ("range", "slice"):
            yield from self.data
        elif self.kind == "dict":
            yield from (part for pair in self.data for part in pair)
        elif self.kind == "exception":
            yield from self.data[1]
        elif self.kind == "object":
            yield from (part for _, part in self.data[1])

    @property
    def whole(self) -> bool:
        """Whether nothing was cut off."""
        return self.size is None and self.kind != "cut" and all(c.whole for c in self.children())


DEFAULT = Budget()

# Immutable: same object, same value. By id, because looking up a type hashes it, and a metaclass
# may define `__hash__`.
ATOMS = frozenset(map(id, (int, str, float, bool, type(None), bytes, complex)))
_FROZEN = frozenset(map(id, (tuple, frozenset, range, slice)))
_SEQUENCES = {"list": "[]", "tuple": "()", "set": "{}", "frozenset": "{}", "deque": "[]"}
_CUT = Value("cut", None)
_NONE = Value("NoneType", None)
_FALSE, _TRUE = Value("bool", False), Value("bool", True)
_WORD = 10**18
SMALL = {number: Value("int", number) for number in range(-100, 1000)}
_new = tuple.__new__  # four times as fast as calling the class


def capture(value: object, budget: Budget = DEFAULT) -> Value:
    """The typed tree of a live object, without running any of the program's code."""
    return _Reader(budget).read(value)


class _Reader:
    def __init__(self, budget: Budget):
        self.budget, self.nodes, self.path = budget, budget.nodes, []
        self.known: dict[int, int] = {}  # number of each mutable object, by its id

    def read(self, value: Any) -> Value:
        kind = type(value)
        self.nodes -= 1
        if self.nodes < 0:
            return _CUT
        atom = READ_ATOM.get(id(kind))
        if atom:
            return atom(value, self.budget)
        for level, parent in enumerate(reversed(self.path), 1):
            if parent is value:
                return Value("ref", level)
        if self.budget.aliases and id(kind) not in _FROZEN:
            if id(value) in self.known:
                return Value("alias", self.known[id(value)])
            self.known[id(value)] = len(self.known)
        if len(self.path) >= self.budget.depth:
            return _CUT
        self.path.append(value)
        try:
            return self._read_tree(value, kind)
        finally:
            self.path.pop()

    def _read_tree(self, value: Any, kind: type) -> Value:
        if id(kind) in _ITEMS_BY_ID:
            name, items, length = _ITEMS_BY_ID[id(kind)]
            return self._sequence(name, items(value), length(value))
        if kind is dict:
            return self._mapping(value)
        if kind is range or kind is slice:  # `in` would ask a metaclass for `__eq__`
            parts = (value.start, value.stop, value.step)
            return Value(kind.__name__, tuple(self.read(part) for part in parts))
        return self._instance(value, kind)

    def _sequence(self, name: str, items: Iterator, length: int) -> Value:
        # A container that the program changes while we read cannot happen: reading runs no code.
        kept = self._read_all([*islice(items, max(0, self.nodes))])
        if name in ("set", "frozenset"):
            kept = tuple(sorted(kept, key=render))
        return _new(Value, (name, kept, length if len(kept) < length else None))

    def _mapping(self, value: dict) -> Value:
        half, size = max(0, self.nodes // 2), dict.__len__(value)
        pairs = [*islice(dict.items(value), half)]
        read = self._read_all([part for pair in pairs for part in pair])
        kept = tuple(zip(read[::2], read[1::2], strict=True))
        return _new(Value, ("dict", kept, size if len(kept) < size else None))

    def _read_all(self, parts: list) -> tuple[Value, ...]:
        if not ATOMS.issuperset(map(id, map(type, parts))):
            return tuple(map(self.read, parts))
        self.nodes -= len(parts)
        budget = self.budget
        return tuple([READ_ATOM[id(type(part))](part, budget) for part in parts])

    def _instance(self, value: Any, kind: type) -> Value:
        name = _type_name(kind)
        mro = _MRO(kind)
        if _inherits(mro, BaseException):
            arguments = self._sequence("tuple", iter(_ARGS(value)), len(_ARGS(value)))
            return Value("exception", (name, arguments.data), arguments.size)
        if _inherits(mro, type):
            return Value("type", _type_name(value))
        parts = [("", base) for base in self._bases(value, mro)]
        attributes = foreign(value, kind, mro, self.budget.nodes)
        if attributes is None:
            attributes = _slots(value, mro) + _attributes(value, mro)
        if type(kind) is EnumMeta:  # what else there is differs from Python to Python
            attributes = [(n, v) for n, v in attributes if n in ("_name_", "_value_")]
        if _inherits(mro, Thread):  # its numbers and locks are the interpreter's
            attributes = [(n, v) for n, v in attributes if not n.startswith("_")]
        kept = attributes[: max(0, self.nodes)]
        parts += [(n, self._part(v)) for n, v in kept]
        size = len(attributes) if len(kept) < len(attributes) else None
        return Value("object", (name, tuple(parts)), size)

    def _part(self, value: Any) -> Value:
        if type(value) is Items:
            return self._sequence("list", iter(value.first), value.size)
        return self.read(value)

    def _bases(self, value: Any, mro: tuple[type, ...]) -> Iterator[Value]:
        """The built-in value inside an instance of a built-in's subclass.

        Never as a copy of the built-in's type: filling a dict or a set hashes what is put in.
        """
        for base in mro:
            if base is dict:
                yield self._mapping(_in_order(value, self.budget.nodes))
            elif id(base) in _ITEMS_BY_ID:
                name, items, length = _ITEMS_BY_ID[id(base)]
                yield self._sequence(name, items(value), length(value))
            elif id(base) in _PLAIN_BY_ID:
                yield self.read(_PLAIN_BY_ID[id(base)](value))


def _read_int(value: int, budget: Budget) -> Value:
    small = SMALL.get(value)
    if small is not None:
        return small
    if -_WORD < value < _WORD:
        return _new(Value, ("int", value, None))
    digits = value.bit_length() * 1233 >> 12  # log10(2) from below
    if digits < budget.digits:
        return _new(Value, ("int", value, None))
    return Value("int", 0, digits)


def _read_str(value: str, budget: Budget) -> Value:
    if len(value) <= budget.string:
        return _new(Value, ("str", value, None))
    return Value("str", value[: budget.string], len(value))


def _read_bytes(kind: str) -> Callable[[Any, Budget], Value]:
    def read(value: Any, budget: Budget) -> Value:
        size = len(value) if len(value) > budget.string else None
        return Value(kind, value[: budget.string].decode("latin-1"), size)

    return read


_ATOMS: dict[type, Callable[[Any, Budget], Value]] = {
    type(None): lambda value, budget: _NONE,
    bool: lambda value, budget: _TRUE if value else _FALSE,
    int: _read_int,
    float: lambda value, budget: _new(Value, ("float", float.__repr__(value), None)),
    complex: lambda value, budget: Value("complex", complex.__repr__(value)),
    str: _read_str,
    bytes: _read_bytes("bytes"),
    bytearray: _read_bytes("bytearray"),
    type(...): lambda value, budget: Value("object", ("ellipsis", ())),
    FunctionType: lambda value, budget: Value("function", str.__str__(value.__qualname__)),
    BuiltinFunctionType: lambda value, budget: Value("function", value.__name__),
    MethodType: lambda value, budget: Value("function", _method_name(value)),
    ModuleType: lambda value, budget: Value("module", _module_name(value)),
    type: lambda value, budget: Value("type", _type_name(value)),
}

_READ_ITEMS: dict[type, tuple[str, Callable, Callable]] = {
    list: ("list", list.__iter__, list.__len__),
    tuple: ("tuple", tuple.__iter__, tuple.__len__),
    set: ("set", set.__iter__, set.__len__),
    frozenset: ("frozenset", frozenset.__iter__, frozenset.__len__),
    deque: ("deque", deque.__iter__, deque.__len__),
}

_READ_PLAIN: dict[type, Callable[[Any], Any]] = {
    int: int.__int__,
    float: float.__float__,
    complex: complex.__complex__,
    str: str.__str__,
    bytes: bytes.__bytes__,
    bytearray: lambda value: bytearray.__getitem__(value, slice(None)),
}

READ_ATOM = {id(kind): read for kind, read in _ATOMS.items()}
_ITEMS_BY_ID = {id(kind): read for kind, read in _READ_ITEMS.items()}
_PLAIN_BY_ID = {id(kind): read for kind, read in _READ_PLAIN.items()}

_MRO = type.__dict__["__mro__"].__get__
_ARGS = BaseException.__dict__["args"].__get__
_TYPE_NAME = type.__dict__["__name__"].__get__
_MODULE_DICT: Callable[[ModuleType], dict] = vars(ModuleType)["__dict__"].__get__
_TYPE_DICT = type.__dict__["__dict__"].__get__


def _type_name(kind: type) -> str:
    return str.__str__(_TYPE_NAME(kind))  # a name may be of a subclass of str


def _module_name(value: ModuleType) -> str:
    name = _MODULE_DICT(value).get("__name__")
    return name if type(name) is str else "module"


def _method_name(value: MethodType) -> str:
    function = value.__func__
    return str.__str__(function.__qualname__) if type(function) is FunctionType else "method"


def _inherits(mro: tuple[type, ...], base: type) -> bool:
    return any(each is base for each in mro)  # `in` would ask a metaclass for `__eq__`


def _attributes(value: Any, mro: tuple[type, ...]) -> list[tuple[str, Any]]:
    """The instance dictionary, when it is the interpreter's own and not something a class made."""
    for base in mro:
        descriptor = _TYPE_DICT(base).get("__dict__")
        if type(descriptor) is GetSetDescriptorType and descriptor.__objclass__ is base:
            found = descriptor.__get__(value)
            return [(n, v) for n, v in list(dict.items(found)) if type(n) is str]
        if descriptor is not None:
            break
    return []


def _slots(value: Any, mro: tuple[type, ...]) -> list[tuple[str, Any]]:
    """What a class written in Python keeps beside the dictionary, or in its stead."""
    found = []
    for base in reversed(mro):
        names = _TYPE_DICT(base)
        if "__slots__" in names:
            for name, descriptor in names.items():
                if type(descriptor) is MemberDescriptorType and descriptor.__objclass__ is base:
                    try:
                        found.append((str.__str__(name), descriptor.__get__(value)))
                    except AttributeError:
                        pass  # unbound
    return found


def _in_order(value: dict, most: int) -> dict:
    """An OrderedDict's order is its own; to follow it hashes the keys, so they must be atoms."""
    if type(value) is not OrderedDict or len(value) > most:
        return value
    if not ATOMS.issuperset(map(id, map(type, dict.__iter__(value)))):
        return value
    try:
        return {key: dict.__getitem__(value, key) for key in OrderedDict.__iter__(value)}
    except (KeyError, RuntimeError):  # the program went behind its back
        return value


def bindings(namespace: Any) -> list[tuple[str, Any]]:
    """The names of a module or class and what they hold: of a class, it may be any object."""
    if type(namespace) is dict or _inherits(_MRO(type(namespace)), dict):
        return [pair for pair in dict.items(namespace) if type(pair[0]) is str]
    return []


def render(value: Value) -> str:
    """The text that `repr` gives for the built-in types; what was cut shows as `...`."""
    kind, data, size = value
    mark = "..." if size is not None else ""
    if kind == "int":
        return f"<int of {size} digits>" if size is not None else str(data)
    if kind in ("NoneType", "bool"):
        return str(data)
    if kind in ("float", "complex"):
        return data
    if kind == "str":
        return repr(data) + mark
    if kind == "bytes":
        return repr(data.encode("latin-1")) + mark
    if kind == "bytearray":  # not the repr of its bytes: it quotes in its own way
        return repr(bytearray(data, "latin-1"))[:-1] + mark + ")"
    if kind in _SEQUENCES:
        return _render_items(kind, [*map(render, data), *([mark] if mark else [])])
    if kind == "dict":
        pairs = [f"{render(k)}: {render(v)}" for k, v in data]
        return "{" + ", ".join([*pairs, *([mark] if mark else [])]) + "}"
    if kind in ("range", "slice"):
        parts = data[:2] if kind == "range" and data[2] == Value("int", 1) else data
        return f"{kind}({', '.join(map(render, parts))})"
    if kind == "exception":
        return f"{data[0]}({', '.join([*map(render, data[1]), *([mark] if mark else [])])})"
    if kind == "object":
        return f"<{data[0]}{''.join(f' {name}={render(v)}' for name, v in data[1])}{mark}>"
    if kind in ("ref", "alias"):
        return f"<{kind} {data}>"
    return "..." if kind == "cut" else f"<{kind} {data}>"


def _render_items(kind: str, parts: list[str]) -> str:
    open_, close = _SEQUENCES[kind]
    if kind == "tuple" and len(parts) == 1:
        return f"({parts[0]},)"
    if kind == "set" and not parts:
        return "set()"
    text = f"{open_}{', '.join(parts)}{close}"
    if kind == "frozenset":
        return f"frozenset({text if parts else ''})"
    return f"deque({text})" if kind == "deque" else text
