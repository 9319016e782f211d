"""A typed tree: what a Python value is, exactly, and the text of its repr."""

from collections.abc import Iterator
from typing import Any, NamedTuple


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
_SEQUENCES = {"list": "[]", "tuple": "()", "set": "{}", "frozenset": "{}", "deque": "[]"}


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
