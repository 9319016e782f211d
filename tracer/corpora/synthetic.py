"""Small random functions, valid by construction: typed, bounded and sure to end."""

import ast
from collections.abc import Iterator, Sequence
from random import Random
from textwrap import indent

from tracer.corpora.grammar import FAMILIES
from tracer.corpora.literals import ANNOTATIONS, FUNCTIONS, PARAMETERS
from tracer.corpora.writer import Scope, Writer
from tracer.schema import Program


def programs(
    count: int,
    seed: int = 0,
    start: int = 0,
    families: Sequence[str] = FAMILIES,
    difficulty: int = 2,
) -> Iterator[Program]:
    """Program `i` depends on the seed and on `i` alone: any range can be made anywhere."""
    for family in families:
        if family not in FAMILIES:
            raise ValueError(f"unknown family {family!r}; there are: {', '.join(FAMILIES)}")
    if not families:
        raise ValueError(f"no families given; there are: {', '.join(FAMILIES)}")
    if difficulty not in (1, 2, 3):
        raise ValueError(f"difficulty {difficulty!r} is not 1, 2 or 3")
    for i in range(start, start + count):
        source, call = _draw(Random(f"{seed}/{i}"), tuple(families), difficulty)
        yield Program(source, call, f"synthetic/{i}", "synthetic")


def _draw(rng: Random, families: tuple[str, ...], level: int) -> tuple[str, str]:
    focus = rng.choice(families)
    others = rng.sample(families, min(len(families), rng.randint(1, 2)))
    writer, scope = Writer(rng, focus, {focus, *others}, level), Scope()
    kinds = [rng.choice(PARAMETERS[focus]) for _ in range(rng.choice((1, 2, 2, 3)))]
    arguments = [writer.parameter(scope, kind) for kind in kinds]
    header = list(scope.types)
    if rng.random() < 0.3:
        header = [f"{name}: {ANNOTATIONS.get(kind, kind)}" for name, kind in scope.types.items()]
    lines = writer.statements(scope, rng.randint(2 + level, 4 + 3 * level))
    lines.append(writer.result(scope))
    name = rng.choice(FUNCTIONS)
    source = f"def {name}({', '.join(header)}):\n" + indent("\n".join(lines), "    ")
    # The writer puts parentheses around every operand; this takes out those that say nothing.
    source = ast.unparse(ast.parse(source)) + "\n"
    return source, f"{name}({', '.join(arguments)})"
