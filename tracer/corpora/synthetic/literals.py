"""How literals of synthetic programs are drawn, and what their variables are called."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

Draw = Callable[[Random, int], Any]

KEYS = ("a", "b", "c", "x", "red", "cat")
OTHER_KEYS = ("y", "key", "blue", "z")
WORDS = ("ab", "cat", "dog", "moon", "tree", "Blue", "level", "noon", "apple", "x1", "Hi", "to be")
LETTERS = "abcdeilmnorstxyzABR 1"


def number(rng: Random, level: int) -> int:
    return rng.randint(0, rng.choice((9, 9, 20, 99, 999)[: level + 2]))


def item(rng: Random, level: int) -> int:
    return rng.randint(-9 if rng.random() < 0.3 else 0, rng.choice((5, 9, 20, 99)[: level + 1]))


def word(rng: Random, level: int) -> str:
    if rng.random() < 0.5:
        return rng.choice(WORDS)
    return "".join(rng.choice(LETTERS) for _ in range(rng.randint(1, 3 + level)))


# A literal whose kind is a type's name is an atom of that type's expressions.
LITERALS: dict[str, Draw] = {
    "int": number,
    "item": item,
    "float": lambda rng, level: rng.randint(-20, 20 * level**2) / 4,
    "bool": lambda rng, level: rng.random() < 0.5,
    "str": word,
    "ints": lambda rng, level: [item(rng, level) for _ in range(rng.randint(3, 4 + level // 2))],
    "strs": lambda rng, level: [word(rng, 1) for _ in range(rng.randint(2, 2 + level // 2))],
    "counts": lambda rng, level: {
        k: item(rng, level) for k in rng.sample(KEYS + OTHER_KEYS, level + 1)
    },
    "pair": lambda rng, level: (item(rng, level), item(rng, level)),
    "small": lambda rng, level: rng.randint(1, 9),
    "factor": lambda rng, level: rng.randint(2, 4 * level),
    "divisor": lambda rng, level: rng.randint(2, 9),
    "modulus": lambda rng, level: rng.choice((5, 7, 10, 11, 13, 50, 97)),
    "half": lambda rng, level: rng.choice((2, 4, 5, 8, 10)),
    "power": lambda rng, level: rng.choice((2, 2, 3)),
    "shift": lambda rng, level: rng.randint(1, 2),
    "mask": lambda rng, level: rng.choice((1, 3, 5, 6, 7, 8, 12, 15)),
    "count": lambda rng, level: rng.randint(2, 4 + level // 2),
    "twice": lambda rng, level: rng.randint(2, 3),
    "dozen": lambda rng, level: rng.randint(6, 12),
    "digits": lambda rng, level: rng.randint(0, 2),
    "index": lambda rng, level: rng.choice((0, 0, 0, 1, -1, -1, 2)),
    "cut": lambda rng, level: rng.randint(1, 3),
    "letter": lambda rng, level: rng.choice(LETTERS[:15]),
    "mark": lambda rng, level: rng.choice("-,:_ +/"),
    "key": lambda rng, level: rng.choice(KEYS),
    "other": lambda rng, level: rng.choice(OTHER_KEYS),
}

MORE_WORDS = ("a,b,c", "k=v", "  pad ", "Mixed Up", "x-y-z", "42", "007", "-5")

# The same kinds, and others, over wider ranges: zero, one, negative, large, empty, repeated.


def any_number(rng: Random, level: int) -> int:
    most = rng.choice((1, 9, 9, 20, 99, 99, 999, 10 ** (level + 2)))
    return rng.randint(-most if rng.random() < 0.25 else 0, most)


def any_item(rng: Random, level: int) -> int:
    most = rng.choice((1, 5, 9, 9, 20, 99))
    return rng.randint(-most if rng.random() < 0.25 else 0, most)


def any_word(rng: Random, level: int) -> str:
    form = rng.random()
    if form < 0.06:
        return ""
    if form < 0.45:
        return rng.choice(WORDS + MORE_WORDS)
    return "".join(rng.choice(LETTERS) for _ in range(rng.randint(1, 4 + level)))


def any_float(rng: Random, level: int) -> float:
    most = rng.choice((1, 4, 20, 100, 10 ** (level + 1)))
    return rng.randint(-most if rng.random() < 0.3 else 0, most) / rng.choice((1, 2, 4, 10))


def length(rng: Random, level: int, most: int = 4) -> int:
    return 0 if rng.random() < 0.07 else rng.randint(1, most)


def several(draw: Draw, most: int = 4, make: Callable = list) -> Draw:
    """A container of up to so many values, one of which may stand there twice."""

    def draw_several(rng: Random, level: int) -> Any:
        values = [draw(rng, level) for _ in range(length(rng, level, most))]
        if len(values) > 1 and rng.random() < 0.3:
            values[-1] = values[0]
        return make(values)

    return draw_several


def keyed(draw: Draw, keys: tuple = KEYS + OTHER_KEYS, most: int = 3) -> Draw:
    def draw_keyed(rng: Random, level: int) -> dict:
        return {k: draw(rng, level) for k in rng.sample(keys, length(rng, level, most))}

    return draw_keyed


def grid(rng: Random, level: int) -> list[list[int]]:
    width = rng.randint(1, 3)
    return [[rng.randint(0, 9) for _ in range(width)] for _ in range(rng.randint(1, 3))]


def thing(rng: Random, level: int) -> Any:
    draw = rng.choice((any_item, any_item, any_word, any_float, LITERALS["bool"]))
    return None if rng.random() < 0.15 else draw(rng, level)


def entry(rng: Random, level: int) -> tuple[str, int]:
    return rng.choice(KEYS + OTHER_KEYS), any_item(rng, level)


def pick(*values: Any) -> Draw:
    return lambda rng, level: rng.choice(values)


RANGES: dict[str, Draw] = (
    LITERALS
    | {
        "int": any_number,
        "item": any_item,
        "float": any_float,
        "str": any_word,
        "bytes": lambda rng, level: any_word(rng, level).encode(),
        "ints": several(any_item, 5),
        "strs": several(any_word, 3),
        "counts": keyed(any_item),
        "pair": lambda rng, level: (any_item(rng, level), any_item(rng, level)),
        "grid": grid,
        "pairs": several(entry, 3),
        "groups": keyed(several(any_item, 2), KEYS, 2),
        "labels": keyed(any_word, tuple(range(1, 7))),
        "row": several(any_item, 4, tuple),
        "numset": several(any_item, 4, set),
        "charset": several(lambda rng, level: rng.choice(LETTERS[:15]), 4, set),
        "frozen": several(any_item, 4, frozenset),
        "mixed": several(thing, 4),
        "any": thing,
        "maybe": lambda rng, level: None if rng.random() < 0.4 else any_item(rng, level),
        "window": lambda rng, level: range(
            rng.randint(0, 3), rng.randint(4, 20), rng.randint(1, 3)
        ),
        "wild": lambda rng, level: rng.randint(-6, 6),  # an index that may be out of range
        "wide": lambda rng, level: rng.randint(4, 12),
        "bits": lambda rng, level: f"{rng.randint(1, 31):b}",
        "numeral": lambda rng, level: str(any_number(rng, level)),
        "letters": lambda rng, level: "".join(rng.sample(LETTERS[:15], 2)),
        "hexfloat": pick("0x1.8p+1", "0x1p-2", "0x1.4p+3", "-0x1.cp+2"),
        "base": pick(2, 3, 8, 16),
        "message": pick("bad value", "too large", "empty", "not found", "negative", "no key"),
        "skip": lambda rng, level: rng.choice((2, 3, -1, -2)),
        "zero": lambda rng, level: 0,
    }
)

NAMES: dict[str, tuple[str, ...]] = {
    "int": tuple("n x y m i j a b total count step limit best value score size acc low".split()),
    "float": ("rate", "price", "ratio", "mean", "weight", "temp", "share", "speed", "r", "t"),
    "bool": ("found", "done", "flag", "ok", "valid", "even", "seen", "ready"),
    "str": ("s", "text", "word", "line", "name", "label", "prefix", "out", "c", "part", "title"),
    "ints": ("nums", "values", "items", "data", "xs", "queue", "stack", "ys", "scores", "row"),
    "strs": ("words", "parts", "lines", "tokens", "names", "letters", "fields", "tags"),
    "counts": ("counts", "table", "d", "ages", "stock", "prices", "freq", "points", "memo"),
    "pair": ("pair", "point", "span", "p", "bounds", "edge"),
}
MORE_NAMES: dict[str, tuple[str, ...]] = NAMES | {
    "bytes": ("raw", "blob", "payload", "chunk", "packet"),
    "grid": ("grid", "matrix", "board", "rows"),
    "pairs": ("pairs", "records", "entries", "orders"),
    "groups": ("groups", "graph", "buckets", "links"),
    "labels": ("labels", "titles", "roles", "codes"),
    "row": ("sizes", "shape", "marks", "triple"),
    "numset": ("unique", "known", "primes", "visited", "picked"),
    "charset": ("chars", "vowels", "allowed", "used"),
    "frozen": ("frozen", "core", "base", "allowed_ids"),
    "mixed": ("mixed", "things", "cells", "args"),
    "any": ("thing", "cell", "obj"),
    "maybe": ("choice", "hint", "nearest", "default"),
    "window": ("window", "days", "slots", "pages"),
    "stream": ("stream", "it", "rest", "source"),
    "func": ("fn", "rule", "op", "convert"),
    "object": ("box", "node", "account", "cart", "shop"),
}
FUNCTIONS = tuple("f g solve compute update process transform run combine check build".split())
PARAMETERS: dict[str, tuple[str, ...]] = {
    "arithmetic": ("int", "int", "int", "float"),
    "control": ("int", "int", "int", "pair"),
    "strings": ("str", "str", "strs", "int"),
    "lists": ("ints", "ints", "int", "strs"),
    "dicts": ("counts", "counts", "int", "str"),
}
ANNOTATIONS = {"ints": "list[int]", "strs": "list[str]", "counts": "dict[str, int]"}
ANNOTATIONS |= {"pair": "tuple[int, int]"}
MORE_ANNOTATIONS: Mapping[str, str] = ANNOTATIONS | {
    "grid": "list[list[int]]",
    "pairs": "list[tuple[str, int]]",
    "groups": "dict[str, list[int]]",
    "labels": "dict[int, str]",
    "row": "tuple[int, ...]",
    "numset": "set[int]",
    "charset": "set[str]",
    "frozen": "frozenset[int]",
    "mixed": "list[object]",
    "any": "object",
    "maybe": "int | None",
    "window": "range",
    "stream": "object",
    "func": "object",
    "object": "object",
}


def spell(value: Any) -> str:
    """The same text on every machine: the order of texts in a set depends on the process."""
    if isinstance(value, set | frozenset) and value:
        items = f"{{{', '.join(map(repr, sorted(value)))}}}"
        return items if isinstance(value, set) else f"frozenset({items})"
    return repr(value)
