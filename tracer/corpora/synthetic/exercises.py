"""Exercises: strings, lists, dictionaries and floats, no method seldom, however long they are.

The values of `synthetic` are short, and what is written into a container is mostly new there. Here
strings have up to some thirty letters, keys are often there already, and some programs end by an
error.
"""

import copy
import re
from collections.abc import Iterator, Sequence
from random import Random
from textwrap import dedent
from typing import Any

from tracer.corpora.synthetic import changing, handling
from tracer.corpora.synthetic.holes import NAMES, VARIABLES, Holes, Unsuited, drawn, fits
from tracer.schema import Program

SLOTS = 8  # variables, and what loops go through
THEME = 4  # templates that a program is about,
ABOUT = 0.6  # and the share of its statements that are of these
LOOPING, CHANGING = 0.25, 0.4  # of what is written
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
CHANGES = lines(changing.CHANGES)
BLOCKS = tuple(dedent(changing.BLOCKS).strip().split("\n\n"))
RAISING = lines(changing.RAISING)


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
    exec(text, scope)  # of our own templates, and nothing else
    return {name: value for name, value in scope.items() if name != "__builtins__"}
