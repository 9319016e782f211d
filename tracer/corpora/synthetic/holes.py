"""What stands in the holes of exercises' templates: variables, and values that suit these."""

import string
from collections.abc import Callable
from random import Random
from typing import Any

from tracer.corpora.synthetic.drills import number

NAMES = {
    "number": ("n", "total", "size"),
    "float": ("rate", "share"),
    "flag": ("ok", "found"),
    "text": ("s", "text", "line"),
    "numbers": ("xs", "nums", "row"),
    "words": ("ws", "names", "parts"),
    "table": ("d", "counts", "seen"),
    "pairs": ("pairs", "rows"),
    "groups": ("groups", "index"),
}
VARIABLES = 5
ROUNDS = 8  # of a loop
LARGEST = 9999
MARKS = "-, :_/.+"


class Unsuited(Exception):
    """Nothing among the variables can stand in a hole."""


def fits(value: Any, longest: int) -> bool:
    """Whether a value is no larger, and its repr without blanks behind commas no longer."""
    if isinstance(value, int | float) and not abs(value) <= LARGEST:
        return False
    return len(repr(value).replace(", ", ",").replace(": ", ":")) <= longest


class Holes(dict):
    """What stands in the holes of a template: drawn when it is asked for, then always the same."""

    def __init__(self, rng: Random, kinds: dict[str, str], values: dict[str, Any], longest: int):
        super().__init__()
        self.rng, self.kinds, self.held, self.longest = rng, kinds, values, longest

    def assigned(self) -> dict[str, str]:
        """The kinds of what is assigned."""
        return {name: hole.removeprefix("to ") for hole, name in self.items() if hole[:3] == "to "}

    def __missing__(self, hole: str) -> str:
        if hole in SUITED:
            found = repr(SUITED[hole](self))
        elif hole.startswith("to "):
            found = self.target(hole.removeprefix("to "))
        elif hole.endswith(" after"):
            found = self[f"to {hole.removesuffix(' after')}"]
        elif hole.startswith("short "):
            found = self[hole.removeprefix("short ")]
            if not 0 < len(self.held[found]) <= ROUNDS:
                raise Unsuited(hole)
        else:
            found = self.operand(hole)
        self[hole] = found
        return found

    def operand(self, hole: str) -> str:
        """A variable of this kind; of what is named a second time another one, or a literal."""
        kind = hole.removesuffix("2")
        taken = {name for other, name in self.items() if other == kind or other == f"to {kind}"}
        names = [name for name, known in self.kinds.items() if known == kind and name not in taken]
        if hole != kind and (not names or self.rng.random() < 0.5):
            return repr(drawn(self.rng, kind, max(8, self.longest // 3)))
        if not names:
            raise Unsuited(hole)
        return self.rng.choice(names)

    def target(self, kind: str) -> str:
        """One of the kind, or a new one while there is room."""
        names = [name for name, known in self.kinds.items() if known == kind]
        if len(self.kinds) < VARIABLES:
            names += [name for name in NAMES[kind] if name not in self.kinds][:1]
        if not names:
            raise Unsuited(kind)
        return self.rng.choice(names)

    def of(self, *kinds: str) -> Any:
        """The value of a variable of one of these kinds, if any is: rather of one that is named."""
        known = [kind for kind in kinds if kind in self.kinds.values()]
        named = [kind for kind in kinds if kind in self] or known
        return self.held[self[named[0]]] if named else ()

    def one_of(self, values: Any, *others: Any) -> Any:
        """One of these; in one case of five, and where there are none, of the others."""
        values = list(values)
        if others and (not values or self.rng.random() < 0.2):
            return self.rng.choice(others)
        if not values:
            raise Unsuited
        return self.rng.choice(values)

    def part(self) -> str:
        text = self.of("text")
        first = self.rng.randrange(max(1, len(text) - 1))
        if len(text) < 2:
            raise Unsuited
        return text[first : first + self.rng.randint(2, 3)]

    def place(self) -> int:
        """Of an item: of the first and the last as often as of any other."""
        count = len(self.of(*HELD))
        return self.one_of((0, -1, *self.rng.sample(range(count), min(count, 2))))

    def new_key(self) -> str | int:
        keys = self.of("table")
        found = key(self.rng)
        while found in keys:
            found = key(self.rng)
        return found

    def absent(self) -> int:
        numbers = self.of("numbers")
        return next(n for n in iter(lambda: number(self.rng, 2), None) if n not in numbers)


HELD = ("numbers", "words", "pairs", "text")

SUITED: dict[str, Callable[[Holes], Any]] = {
    "letter": lambda holes: holes.one_of(holes.of("text"), *string.ascii_lowercase),
    "part": Holes.part,
    "ending": lambda holes: holes.of("text")[-holes.rng.randint(1, 2) :],
    "mark": lambda holes: holes.rng.choice(MARKS),
    "item": lambda holes: holes.one_of(holes.of("numbers"), number(holes.rng, 1)),
    "absent": Holes.absent,
    "word": lambda holes: holes.one_of(holes.of("words"), word(holes.rng)),
    "word2": lambda holes: word(holes.rng),
    "key": lambda holes: holes.one_of(holes.of("table")),
    "new key": Holes.new_key,
    "member": lambda holes: holes.one_of(holes.of("groups")),
    "index": Holes.place,
    "beyond": lambda holes: len(holes.of(*HELD)) + holes.rng.randint(0, 3),
    "cut": lambda holes: holes.rng.randint(1, 3),
    "wide": lambda holes: holes.rng.randint(4, 16),
    "digit": lambda holes: digit(holes.rng),
    "divisor": lambda holes: holes.rng.randint(2, 12),
    "half": lambda holes: holes.rng.choice((2, 4, 5, 8, 10)),
}


def drawn(rng: Random, kind: str, longest: int) -> Any:
    """A value of this kind that is no longer."""
    while True:
        value = DRAWN[kind](rng)
        if fits(value, longest):
            return value


def text(rng: Random) -> str:
    """Letters of which few or many differ, or words with a mark between them."""
    if rng.random() < 0.4:
        return rng.choice(MARKS).join(several(rng, word, 5))
    letters = rng.choice((string.ascii_lowercase, string.ascii_letters, string.printable[:62]))
    if rng.random() < 0.5:
        letters = rng.sample(letters + MARKS, rng.randint(2, 5))
    return "".join(rng.choices(letters, k=rng.randint(0, 28)))


def word(rng: Random) -> str:
    letters = "".join(rng.choices(string.ascii_lowercase, k=rng.randint(1, 6)))
    return letters.capitalize() if rng.random() < 0.2 else letters


def key(rng: Random) -> str | int:
    return number(rng, 1) if rng.random() < 0.3 else word(rng)


def digit(rng: Random) -> int:
    return rng.randint(1, 9)


def item(rng: Random) -> int:
    return number(rng, 2 if rng.random() < 0.3 else 1)


def several(rng: Random, draw: Callable[[Random], Any], most: int) -> list[Any]:
    """Up to so many, rather more than fewer; some stand there twice."""
    values = [draw(rng) for _ in range(max(rng.randint(0, most), rng.randint(0, most)))]
    return rng.choices(values, k=len(values)) if values and rng.random() < 0.4 else values


DRAWN: dict[str, Callable[[Random], Any]] = {
    "number": lambda rng: number(rng, 3),
    "float": lambda rng: number(rng, 2) / rng.choice((2, 4, 10)),
    "text": text,
    "numbers": lambda rng: several(rng, item, 10),
    "words": lambda rng: several(rng, word, 5),
    "table": lambda rng: {k: number(rng, 2) for k in several(rng, key, 5)},
    "pairs": lambda rng: [(key(rng), number(rng, 2)) for _ in range(rng.randint(0, 3))],
    "groups": lambda rng: {k: several(rng, digit, 3) for k in several(rng, key, 3)},
    "flag": lambda rng: rng.random() < 0.5,
}
