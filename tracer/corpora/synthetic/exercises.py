"""Exercises: strings, lists, dictionaries and floats, every method as often, however long they are.

The values of `synthetic` are short, and what is written into a container is mostly new there. Here
a string is as often of twenty letters as of two, a key as often there as not, and some programs end
by an error.
"""

import copy
import re
import string
from collections.abc import Callable, Iterator, Sequence
from random import Random
from textwrap import dedent
from typing import Any

from tracer.corpora.synthetic import handling
from tracer.corpora.synthetic.drills import number
from tracer.schema import Program

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
SLOTS = 8  # and what loops go through
ROUNDS = 8  # of a loop
THEME = 4  # templates that a program is about,
ABOUT = 0.6  # and the share of its statements that are of these
LOOPING, CHANGING = 0.25, 0.4  # of what is written
LARGEST = 9999
MARKS = "-, :_/.+"
ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    TypeError,
    ValueError,
)


def lines(block: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in block.strip().splitlines())


EXPRESSIONS = tuple((k, line) for k, block in handling.EXPRESSIONS.items() for line in lines(block))
CHANGES = lines(handling.CHANGES)
BLOCKS = tuple(dedent(handling.BLOCKS).strip().split("\n\n"))
RAISING = lines(handling.RAISING)


class Unsuited(Exception):
    """Nothing among the variables can stand in a hole."""


def programs(
    count: int,
    seed: int = 0,
    start: int = 0,
    statements: int = 9,
    longest: int = 30,
    raises: float = 0.08,
    about: Sequence[str] = (),
) -> Iterator[Program]:
    """Program `i` depends on the seed and `i` alone.

    longest: characters of a value's repr, blanks not counted. raises: share of the programs that
    end by an exception. about: kinds of values, names of NAMES, one of which is in what more than
    half of the statements do; any are where none is named.
    """
    if statements < 1:
        raise ValueError(f"statements={statements} is below 1")
    if longest < 8:
        raise ValueError(f"longest={longest} is below 8, which no dictionary fits")
    if not 0 <= raises <= 1:
        raise ValueError(f"raises={raises} is not between 0 and 1")
    if unknown := set(about) - set(NAMES):
        raise ValueError(f"about={min(unknown)} is none of {', '.join(NAMES)}")
    for i in range(start, start + count):
        rng = Random(f"exercises/{seed}/{i}")
        theme = [template(rng, about) for _ in range(THEME)]
        source, call = exercise(rng, theme, statements, longest, rng.random() < raises)
        yield Program(source, call, f"exercises/{i}", "exercises")


def exercise(
    rng: Random, theme: list[str], statements: int, longest: int, raises: bool
) -> tuple[str, str]:
    """A function and its call."""
    read = dict.fromkeys(kind for text in theme for kind in read_in(text))
    kinds = {rng.choice(NAMES[kind]): kind for kind in (*read, "text")[: VARIABLES - 1]}
    values = {name: drawn(rng, kind, longest) for name, kind in kinds.items()}
    call = f"exercise({', '.join(map(repr, values.values()))})"
    written = [f"def exercise({', '.join(values)}):"]
    for _ in range(statements):
        written += statement(rng, theme, kinds, values, longest)
    written += ending(rng, kinds, values, longest) if raises else [f"return {rng.choice([*kinds])}"]
    return "\n    ".join(written) + "\n", call


def read_in(template: str) -> list[str]:
    """The kinds of variables that a template reads."""
    return [kind for kind in re.findall(r"\{(?:short )?(\w+)\}", template) if kind in NAMES]


def statement(rng: Random, theme: list[str], kinds: dict, values: dict, longest: int) -> list[str]:
    """Lines of the next statement; the variables are then as it leaves them."""
    while True:
        holes = Holes(rng, kinds, values, longest)
        try:
            form = rng.choice(theme) if rng.random() < ABOUT else template(rng)
            text = form.format_map(holes)
            after = executed(text, values)
        except (Unsuited, *ERRORS):
            continue
        if after == values and rng.random() < 0.8:
            continue
        if len(after) <= SLOTS and all(fits(value, longest) for value in after.values()):
            values.clear()
            values.update(after)
            kinds.update(holes.assigned())
            return text.splitlines()


def ending(rng: Random, kinds: dict, values: dict, longest: int) -> list[str]:
    """The line of a statement that raises."""
    while True:
        try:
            text = rng.choice(RAISING).format_map(Holes(rng, kinds, values, longest))
            executed(text, values)
        except Unsuited:
            continue
        except ERRORS:
            return [text]


def template(rng: Random, about: Sequence[str] = ()) -> str:
    """One at random; of those that have to do with one of these kinds, if any are named."""
    while True:
        form = rng.random()
        if form < LOOPING:
            found = rng.choice(BLOCKS)
        elif form < LOOPING + CHANGING:
            found = rng.choice(CHANGES)
        else:
            kind, expression = rng.choice(EXPRESSIONS)
            found = f"{{to {kind}}} = {expression}"
        if not about or any(re.search(rf"\b{kind}\b", found) for kind in about):
            return found


def executed(text: str, values: dict[str, Any]) -> dict[str, Any]:
    """The variables after it, others than those given."""
    scope = copy.deepcopy(values)
    exec(text, scope)  # of the templates of `handling`, and nothing else
    return {name: value for name, value in scope.items() if name != "__builtins__"}


def fits(value: Any, longest: int) -> bool:
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
