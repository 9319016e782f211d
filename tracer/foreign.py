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


def foreign(
    value: Any, kind: type, mro: tuple[type, ...], most: int
) -> list[tuple[str, Any]] | None:
    """The attributes that stand for the value, or None where it is not numpy's."""
    numpy = sys.modules.get("numpy")
    if type(numpy) is not ModuleType or _FLAGS(kind) & _HEAP:
        return None
    array, generic = vars(numpy).get("ndarray"), vars(numpy).get("generic")
    if kind is array:
        items = Items([_plain(item, generic) for item in islice(value.flat, most)], value.size)
        return [("dtype", value.dtype.str), ("shape", value.shape), ("items", items)]
    if not any(base is generic for base in mro):
        return None
    plain = _plain(value, generic)
    return [("", plain)] if plain is not value and not any(b in _PLAIN for b in mro) else []


def _plain(item: Any, generic: Any) -> Any:
    """A scalar as the Python value that it is; one that is none stays as it is."""
    kind = type(item)
    if _FLAGS(kind) & _HEAP or not any(base is generic for base in kind.__mro__):
        return item
    found = item.item()
    return found if type(found) in _PLAIN else item
