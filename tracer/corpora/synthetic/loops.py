"""Loops that go far: over long strings and lists and through ranges, upwards and downwards.

Elsewhere most loops go round a few times from nought on. What such programs teach of counting to
ten and further, of where a range ends, and of the length of what is long, is little.
"""

import copy
from collections.abc import Iterator
from random import Random
from textwrap import indent
from typing import Any

from tracer.corpora.synthetic.drills import number
from tracer.corpora.synthetic.exercises import executed
from tracer.corpora.synthetic.holes import drawn, fits, several
from tracer.schema import Program

BEGUN: dict[str, Any] = {"total": 0, "out": "", "found": []}
LONGEST = 30  # characters of a repr
FARTHEST = 24  # rounds
NESTED, BETWEEN = 0.15, 0.3  # of the loops: one in the other, and with a statement before them
# {x} is what is gone through; the others are drawn.
HEADS = (
    "for i in range({n}):",
    "for i in range(len({x})):",
    "for i in range(len({x})):",
    "for i in range(len({x}) - {k}):",
    "for i in range({k}, len({x})):",
    "for i in range(0, len({x}), {step}):",
    "for i in range(len({x}) // 2):",
    "for i in range(len({x}) - 1, -1, -1):",
    "for i in range(-len({x}), 0):",
    "for i in range({low}, {high}):",
    "for i in range({low}, {high}):",
    "for i in range({low}, {high}, {step}):",
    "for i in range({high}, {low}, -1):",
    "for i in range({high}, {low}, -{step}):",
    "for i in range(-{n}, {k}):",
    "for i in reversed(range({n})):",
    "for i in reversed(range(len({x}))):",
    "for i, c in enumerate({x}):",
    "for c in {x}:",
)
INNER = ("for j in range({k}):", "for j in range(i + 1, {small}):", "for j in range(i):")
BODIES = (
    "pass",
    "total += 1",
    "total += i",
    "total -= i",
    "total = i",
    "total = i + {k}",
    "total += i % {step}",
    "out += {x}[i]",
    "out += c",
    "out = c + out",
    "found.append(i)",
    "found.append({x}[i])",
    "if i % {step} == 0:\n    total += 1",
    "if i > {small}:\n    break",
    "if i < {small}:\n    continue\ntotal += i",
    "if {x}[i] == {item}:\n    total += 1",
    "if {x}[i] == {item}:\n    out += {x}[i]",
    "if {x}[i] == {x}[0]:\n    total = i",
    "if c == {item}:\n    total += 1",
    "if c == {item}:\n    break",
    "if c != {item}:\n    out += c",
)
STATEMENTS = ("total = len({x})", "total = len({x}) - {k}", "out = ''", "found = []", "total = 0")
ERRORS = (IndexError, NameError, TypeError)  # of a body that does not suit its loop


def programs(count: int, seed: int = 0, start: int = 0, loops: int = 2) -> Iterator[Program]:
    """Program `i` depends on the seed and `i` alone; it has so many loops, one behind the other, of
    which some have another in them."""
    if loops < 1:
        raise ValueError(f"loops={loops} is below 1")
    for i in range(start, start + count):
        yield Program(*walk(Random(f"loops/{seed}/{i}"), loops), f"loops/{i}", "loops")


def walk(rng: Random, loops: int) -> tuple[str, str]:
    """A function and its call."""
    values: dict[str, Any] = {"s": long_text(rng), "xs": long_list(rng)}
    call = f"walk({', '.join(map(repr, values.values()))})"
    lines = [f"{name} = {value!r}" for name, value in BEGUN.items()]
    values |= copy.deepcopy(BEGUN)
    for _ in range(loops):
        lines += written(rng, values)
    lines.append(f"return {rng.choice(tuple(BEGUN))}")
    return f"def walk(s, xs):\n{indented(lines)}\n", call


def long_text(rng: Random) -> str:
    return max((drawn(rng, "text", LONGEST) for _ in range(2)), key=len)


def long_list(rng: Random) -> list[int]:
    while True:
        found = several(rng, lambda rng: rng.randint(0, 9), 14)
        if fits(found, LONGEST):
            return found


def written(rng: Random, values: dict[str, Any]) -> list[str]:
    """The lines of the next loop; the variables are then as it leaves them."""
    while True:
        lines = loop(rng, values)
        try:
            after = executed("\n".join(lines), values)
        except ERRORS:
            continue
        if all(fits(value, LONGEST) for value in after.values()):
            values.clear()
            values.update(after)
            return lines


def loop(rng: Random, values: dict[str, Any]) -> list[str]:
    """Lines that may not suit the variables."""
    name = rng.choice(("s", "xs"))
    held = values[name]
    low, small, step = abs(number(rng, 3)), rng.randint(1, 6), rng.randint(2, 4)
    holes = {"x": name, "n": rng.randint(1, FARTHEST), "k": rng.randint(1, 4), "small": small}
    holes |= {"low": low, "high": low + rng.randint(0, FARTHEST), "step": step}
    holes |= {"item": repr(rng.choice(held or [0]))}

    def filled(templates: tuple[str, ...]) -> list[str]:
        return rng.choice(templates).format_map(holes).splitlines()

    head, body = filled(HEADS), filled(BODIES)
    if rng.random() < NESTED:
        body = [*filled(INNER), *indented(body).splitlines()]
    before = filled(STATEMENTS) if rng.random() < BETWEEN else []
    return [*before, *head, *indented(body).splitlines()]


def indented(lines: list[str]) -> str:
    return indent("\n".join(lines), "    ")
