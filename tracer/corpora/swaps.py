"""Chains of swaps: values that only move, the plainest question about a long memory.

After k swaps of n variables every value is still there; a model that follows them is right about
all n, one that guesses is right about one in n.
"""

from collections.abc import Iterator, Sequence
from random import Random

from tracer.schema import Program

FORMS = ("pair", "spare")  # a, b = b, a and, by a third variable, c = a; a = b; b = c
NAMES = "abcdefg"
SPARE = "spare"


def programs(
    count: int,
    seed: int = 0,
    start: int = 0,
    variables: int = 4,
    lengths: Sequence[int] = (4, 8, 16, 32, 64, 128),
    forms: Sequence[str] = FORMS,
    largest: int = 99,
) -> Iterator[Program]:
    """Program `i` has `lengths[i % len(lengths)]` swaps and depends on the seed and `i` alone."""
    check(variables, lengths, forms, largest)
    for i in range(start, start + count):
        rng = Random(f"{seed}/{i}")
        length, form = lengths[i % len(lengths)], rng.choice(tuple(forms))
        source, call = chain(rng, NAMES[:variables], length, form, largest)
        yield Program(source, call, f"swaps/{length}/{i}", "swaps")


def check(variables: int, lengths: Sequence[int], forms: Sequence[str], largest: int) -> None:
    if not 2 <= variables <= len(NAMES):
        raise ValueError(f"variables={variables} is not between 2 and {len(NAMES)}")
    if not lengths or min(lengths) < 1:
        raise ValueError(f"lengths={list(lengths)} must be one or more numbers above 0")
    if unknown := [form for form in forms if form not in FORMS]:
        raise ValueError(f"unknown form {unknown[0]!r}; there are: {', '.join(FORMS)}")
    if not forms:
        raise ValueError(f"no forms given; there are: {', '.join(FORMS)}")
    if largest + 1 < variables:
        raise ValueError(f"largest={largest} leaves no {variables} different values")


def chain(rng: Random, names: str, length: int, form: str, largest: int) -> tuple[str, str]:
    """A function and its call, with a different value for each variable."""
    lines = [line for _ in range(length) for line in swap(rng.sample(names, 2), form)]
    body = "\n".join(f"    {line}" for line in lines)
    values = rng.sample(range(largest + 1), len(names))
    source = f"def swaps({', '.join(names)}):\n{body}\n    return [{', '.join(names)}]\n"
    return source, f"swaps({', '.join(map(str, values))})"


def swap(names: Sequence[str], form: str) -> list[str]:
    one, other = names
    if form == "pair":
        return [f"{one}, {other} = {other}, {one}"]
    return [f"{SPARE} = {one}", f"{one} = {other}", f"{other} = {SPARE}"]
