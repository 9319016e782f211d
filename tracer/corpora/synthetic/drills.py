"""Whole numbers of one to several digits: every operation as often, however long its operands.

Programs that people write, and those of `synthetic`, count from nought and seldom come far. What
they teach of numbers with two digits is little; here half of all numbers have more.
"""

from collections.abc import Iterator
from random import Random

from tracer.schema import Program

NAMES = "abcd"
LOOPING = 0.3  # of what is written
# {x} is assigned; {y} and {z} are variables or numbers, {v} is a variable, {n} a number.
SIMPLE = (
    "{x} = {y} + {z}",
    "{x} = {y} - {z}",
    "{x} = {y} * {z}",
    "{x} = {y} // {z}",
    "{x} = {y} % {z}",
    "{x} = {y} & {z}",
    "{x} = {y} | {z}",
    "{x} = {y} ^ {z}",
    "{x} = -{v}",
    "{x} = abs({v})",
    "{x} = min({y}, {z})",
    "{x} = max({y}, {z})",
    "{x} = {v} << 1",
    "{x} = {v} >> 2",
    "{x} = {v} ** 2",
    "{x} = int(str({v}))",
    "{x} = ({y} + {z}) % {n}",
    "{x} += {y}",
    "{x} -= {y}",
    "{x} += 1",
    "{x} -= 1",
    "{x} *= {y}",
    "{x} //= {y}",
    "{x} %= {y}",
    "{x} ^= {y}",
)
LOOPS = (
    ("for i in range({n}, {n} + {k}):", "{x} = i + {z}"),
    ("for i in range({n}, {n} + {k}):", "{x} += i"),
    ("for i in range({n}, {n} + {k}):", "{x} -= {y}"),
    ("for i in range({n} + {k}, {n}, -1):", "{x} += i"),
    ("for i in range({n}, {n} + {k} * {s}, {s}):", "{x} = i - {y}"),
)


def programs(
    count: int, seed: int = 0, start: int = 0, statements: int = 10, digits: int = 2
) -> Iterator[Program]:
    """Program `i` depends on the seed and `i` alone; its numbers are below 10 ** `digits`, and what
    it assigns has a digit more at most."""
    for option, given in (("statements", statements), ("digits", digits)):
        if given < 1:
            raise ValueError(f"{option}={given} is below 1")
    for i in range(start, start + count):
        rng = Random(f"{seed}/{i}")
        yield Program(*drill(rng, statements, digits), f"drills/{i}", "drills")


def drill(rng: Random, statements: int, digits: int) -> tuple[str, str]:
    """A function and its call."""
    values = {name: number(rng, digits) for name in NAMES[: rng.randint(2, len(NAMES))]}
    call = f"drill({', '.join(map(str, values.values()))})"
    lines = [f"def drill({', '.join(values)}):"]
    for _ in range(statements):
        lines += written(rng, values, digits)
    lines.append(f"    return {rng.choice(tuple(values))}")
    return "\n".join(lines) + "\n", call


def written(rng: Random, values: dict[str, int], digits: int) -> list[str]:
    """The next statement, or a loop of a few rounds; the values are then as it leaves them."""
    while True:
        head, body = rng.choice(LOOPS) if rng.random() < LOOPING else ("", rng.choice(SIMPLE))
        lines = [filled(rng, text, values, digits) for text in (head, body) if text]
        if len(lines) > 1:
            lines[1] = f"    {lines[1]}"
        after = dict(values)
        try:
            exec("\n".join(lines), {}, after)  # of the templates above, and nothing else
        except ZeroDivisionError:
            continue
        after.pop("i", None)
        if all(abs(value) < 10 ** (digits + 1) for value in after.values()):
            values.update(after)
            return [f"    {line}" for line in lines]


def filled(rng: Random, template: str, values: dict[str, int], digits: int) -> str:
    """Operands are variables, each named once, or numbers."""
    names = rng.sample(tuple(values), len(values))
    y, z = (
        name if rng.random() < 0.7 else str(abs(number(rng, digits)))
        for name in (names[0], names[1])
    )
    n, k, s = abs(number(rng, digits)), rng.randint(2, 6), rng.randint(2, 12)
    text = template.replace("{n} + {k} * {s}", str(n + k * s)).replace("{n} + {k}", str(n + k))
    return text.format(x=rng.choice(names), y=y, z=z, v=names[0], n=n, s=s)


def number(rng: Random, digits: int) -> int:
    """As often of one digit as of any other number of digits; one in five is negative."""
    size = 10 ** rng.randint(1, digits)
    return rng.randrange(size // 10 if size > 10 else 0, size) * (-1 if rng.random() < 0.2 else 1)
