"""What is in an array or a scalar of numpy, which only a program that uses it need have."""

import sys
from itertools import islice
from types import ModuleType
from typing import Any, NamedTuple

_HEAP = 1 << 9  # Py_TPFLAGS_HEAPTYPE: a class that a program could have written
_FLAGS = vars(type)["__flags__"].__get__
_PLAIN = (bool, int, float, complex, str, bytes)


class Items(NamedTuple):
    """The first items of an array, row by row, and how many it has."""

    first: list
    size: int


def is_foreign(kind: type, mro: tuple[type, ...]) -> bool:
    """Whether a class is numpy's own, of an array or of a scalar."""
    numpy = sys.modules.get("numpy")
    if type(numpy) is not ModuleType or _FLAGS(kind) & _HEAP:
        return False
    array, generic = vars(numpy).get("ndarray"), vars(numpy).get("generic")
    return kind is array or any(base is generic for base in mro)


def foreign(value: Any, most: int) -> list[tuple[str, Any]]:
    """The attributes that stand for an instance of such a class."""
    array, generic = sys.modules["numpy"].ndarray, sys.modules["numpy"].generic
    if type(value) is array:
        items = Items([_plain(item, generic) for item in islice(value.flat, most)], value.size)
        return [("dtype", value.dtype.str), ("shape", value.shape), ("items", items)]
    plain = _plain(value, generic)
    builtin = any(base in _PLAIN for base in type(value).__mro__)
    return [] if plain is value or builtin else [("", plain)]


def _plain(item: Any, generic: Any) -> Any:
    """A scalar as the Python value that it is; one that is none stays as it is."""
    kind = type(item)
    if _FLAGS(kind) & _HEAP or not any(base is generic for base in kind.__mro__):
        return item
    found = item.item()
    return found if type(found) in _PLAIN else item
