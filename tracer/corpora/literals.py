"""How literals of synthetic programs are drawn, and what their variables are called."""

from collections.abc import Callable
from random import Random
from typing import Any

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
LITERALS: dict[str, Callable[[Random, int], Any]] = {
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
