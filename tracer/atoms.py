"""Atoms, values that are immutable and made of no others: read once, then known."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from tracer.tree import Budget, Value

Atoms = dict[int, Callable[[Any], Value]]

NONE = Value("NoneType", None)
_BOOL = {False: Value("bool", False), True: Value("bool", True)}
_MOST = 4096  # values of a type that are known
_SHORT = 64  # characters of a text that is looked up: to look it up is to hash it
_WORD = 10**18
_new = tuple.__new__  # twice as fast as calling the class


class _Known(dict[Any, Value]):
    """The atoms of one type as Values: a program holds few different ones, each very often."""

    def __init__(self, read: Callable[[Any, Budget], Value], budget: Budget):
        self.read, self.budget = read, budget

    def __missing__(self, value: Any) -> Value:
        made = self.read(value, self.budget)
        if made.size is None and len(self) < _MOST:
            self[value] = made
        return made


@lru_cache(8)
def atoms(budget: Budget) -> Atoms:
    """What reads an atom, by the id of its type: to look up the type itself is to hash it, which a
    metaclass may have its own code for.
    """
    ints, floats = _Known(read_int, budget), _Known(read_float, budget)
    texts = _Known(read_str, budget)

    def text(value: str) -> Value:
        return texts[value] if len(value) <= _SHORT else read_str(value, budget)

    def number(value: float) -> Value:
        return floats[value] if value else read_float(value, budget)  # 0.0 and -0.0 are one key

    found: dict[type, Callable[[Any], Value]] = {
        int: ints.__getitem__,
        str: text,
        float: number,
        bool: _BOOL.__getitem__,
        type(None): {None: NONE}.__getitem__,
        complex: lambda value: Value("complex", complex.__repr__(value)),
        bytes: lambda value: read_bytes("bytes", value, budget),
    }
    return {id(kind): read for kind, read in found.items()}


def read_int(value: int, budget: Budget) -> Value:
    if -_WORD < value < _WORD:
        return _new(Value, ("int", value, None))
    digits = value.bit_length() * 1233 >> 12  # log10(2) from below
    return Value("int", value) if digits < budget.digits else Value("int", 0, digits)


def read_float(value: float, budget: Budget) -> Value:
    return _new(Value, ("float", float.__repr__(value), None))


def read_str(value: str, budget: Budget) -> Value:
    if len(value) <= budget.string:
        return _new(Value, ("str", value, None))
    return Value("str", value[: budget.string], len(value))


def read_bytes(kind: str, value: bytes | bytearray, budget: Budget) -> Value:
    size = len(value) if len(value) > budget.string else None
    return Value(kind, value[: budget.string].decode("latin-1"), size)


ATOMS = frozenset(atoms(Budget()))
