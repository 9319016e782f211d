"""A value as a row of cells, exactly, and back.

    None, True, False            the tag alone
    int, neg                     decimal digits, least significant first
    float, complex               the characters of the repr
    str, bytes, bytearray        the characters
    list, tuple, set, ...        the items, then `end`
    dict                         key, value, key, value, ..., then `end`
    exception                    the class, the arguments, then `end`
    object                       the class, (name, value) pairs, then `end`

Rows have a fixed length; a value that is longer, or that the tracer cut, ends in the symbol `cut`.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

from tracer.values import Value
from tracer.vocab import EXCEPTIONS, INDEX, PAD, SYMBOLS, read_digits, read_text, spell, spell_int

CELLS = 32

_END, _CUT, _NAME = INDEX["end"], INDEX["cut"], INDEX["name"]
_ITEMS = ("list", "tuple", "set", "frozenset", "deque", "range", "slice")
_TEXTS = ("str", "bytes", "bytearray", "float", "complex", "function", "module", "type")
_IS_SPELLED: dict[str, Callable[[str], bool]] = {
    "float": lambda text: repr(float(text)) == text,
    "complex": lambda text: repr(complex(text)) == text,
    "bytes": lambda text: all(character <= "\xff" for character in text),
    "bytearray": lambda text: all(character <= "\xff" for character in text),
}
_EXCEPTION = {INDEX[f"exception {name}"]: name for name in EXCEPTIONS}


class Unreadable(ValueError):
    """The cells are not the spelling of a value."""


@lru_cache(maxsize=1 << 16)
def encode(value: Value | None, cells: int = CELLS) -> tuple[tuple[int, ...], bool]:
    """The row of a value, and whether it holds the value exactly; None is an unbound name."""
    if value is None:
        return (PAD,) * cells, True
    symbols = _spell(value)
    whole = len(symbols) <= cells and _CUT not in symbols
    if len(symbols) > cells:
        symbols = [*symbols[: cells - 1], _CUT]
    return (*symbols, *[PAD] * (cells - len(symbols))), whole


def _spell(value: Value) -> list[int]:
    kind, data, size = value
    if size is not None or kind == "cut":
        return [_CUT]
    if kind in ("NoneType", "bool"):
        return [INDEX[str(data)]]
    if kind == "int":
        return spell_int(data)
    if kind in _TEXTS:
        return [INDEX[kind], *spell(data)]
    if kind in _ITEMS:
        return [INDEX[kind], *(s for item in data for s in _spell(item)), _END]
    if kind == "dict":
        return [INDEX[kind], *(s for pair in data for item in pair for s in _spell(item)), _END]
    if kind == "exception":
        name = f"exception {data[0]}"
        head = [INDEX[name]] if name in INDEX else spell(data[0])
        return [INDEX[kind], *head, *(s for item in data[1] for s in _spell(item)), _END]
    if kind == "object":
        parts = (s for name, v in data[1] for s in [_NAME, *spell(name), *_spell(v)])
        return [INDEX[kind], *spell(data[0]), *parts, _END]
    assert kind == "ref", kind
    return [INDEX[kind], *spell_int(data)[1:]]


@lru_cache(maxsize=1 << 16)
def decode(row: tuple[int, ...]) -> Value | None:
    """The value that a row spells, or None for an unbound name."""
    symbols = list(row)
    while symbols and symbols[-1] == PAD:
        symbols.pop()
    if not symbols:
        return None
    try:
        value, _ = _read(symbols, 0)
    except (IndexError, ValueError) as error:
        raise Unreadable(f"not the spelling of a value: {describe(row)}") from error
    if encode(value, len(row)) != (row, True):  # leading zeros, symbols after the end, ...
        raise Unreadable(f"not how {value.kind} values are spelled: {describe(row)}")
    return value


def _read(symbols: list[int], at: int) -> tuple[Value, int]:
    tag = SYMBOLS[symbols[at]]
    at += 1
    if tag in ("None", "True", "False"):
        kind = "NoneType" if tag == "None" else "bool"
        return Value(kind, {"None": None, "True": True, "False": False}[tag]), at
    if tag in ("int", "neg", "ref"):
        number, at = read_digits(symbols, at)
        return Value("ref" if tag == "ref" else "int", -number if tag == "neg" else number), at
    if tag in _TEXTS:
        text, at = read_text(symbols, at)
        if tag in _IS_SPELLED and not _IS_SPELLED[tag](text):
            raise ValueError(text)
        return Value(tag, text), at
    if tag in _ITEMS:
        items, at = _read_items(symbols, at)
        if tag in ("range", "slice") and len(items) != 3:
            raise ValueError(f"a {tag} of {len(items)} parts")
        return Value(tag, tuple(items)), at
    if tag == "dict":
        items, at = _read_items(symbols, at)
        return Value(tag, tuple(zip(items[::2], items[1::2], strict=True))), at
    if tag == "exception":
        if symbols[at] in _EXCEPTION:
            name, at = _EXCEPTION[symbols[at]], at + 1
        else:
            name, at = read_text(symbols, at)
        items, at = _read_items(symbols, at)
        return Value(tag, (name, tuple(items))), at
    if tag == "object":
        name, at = read_text(symbols, at)
        parts, at = _read_parts(symbols, at)
        return Value(tag, (name, tuple(parts))), at
    raise ValueError(tag)


def exception_class(symbols: Sequence[int]) -> str | None:
    """Of cells that begin as an exception of Python's own does, whatever they go on with."""
    begins = len(symbols) > 1 and symbols[0] == INDEX["exception"]
    return _EXCEPTION.get(symbols[1]) if begins else None


def _read_items(symbols: list[int], at: int) -> tuple[list[Value], int]:
    items: list[Value] = []
    while symbols[at] != _END:
        item, at = _read(symbols, at)
        items.append(item)
    return items, at + 1


def _read_parts(symbols: list[int], at: int) -> tuple[list[tuple[str, Value]], int]:
    parts: list[tuple[str, Value]] = []
    while symbols[at] == _NAME:
        name, at = read_text(symbols, at + 1)
        value, at = _read(symbols, at)
        parts.append((name, value))
    if symbols[at] != _END:
        raise ValueError("an object ends with `end`")
    return parts, at + 1


def describe(row: tuple[int, ...]) -> str:
    known = range(len(SYMBOLS))
    words = (SYMBOLS[s] if s in known else f"<{s}>" for s in row if s != PAD)
    return " ".join(words).replace("\n", "\\n")
