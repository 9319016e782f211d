"""Random programs, valid by construction: typed, bounded and sure to end, unless asked otherwise.

The families of `BALANCED` use every operation of `operations.listed()` about equally often. Those
of `BASIC` use few, and a small model learns them in minutes. `endless` is for those who ask: half
of its programs do not end.
"""

import ast
from collections.abc import Iterator, Sequence
from random import Random
from textwrap import indent

from tracer.corpora.synthetic.balanced import BALANCE, Draft, compose
from tracer.corpora.synthetic.families import (
    BALANCED,
    BASIC,
    BASIC_GRAMMAR,
    FAMILIES,
    Grammar,
    full_grammar,
)
from tracer.corpora.synthetic.literals import ANNOTATIONS, FUNCTIONS, PARAMETERS
from tracer.corpora.synthetic.probe import probe
from tracer.corpora.synthetic.scope import Scope
from tracer.corpora.synthetic.writer import Writer
from tracer.schema import Program

TRIES = 8  # programs, and calls of each, before one is taken that does not end as wanted
OF_BASIC = 30  # how often a basic family is drawn, where a balanced one is once per operation


def programs(
    count: int,
    seed: int = 0,
    start: int = 0,
    families: Sequence[str] = BALANCED,
    difficulty: int = 2,
    calls: int = 1,
    raises: float = 0.4,
    balance: float = BALANCE,
) -> Iterator[Program]:
    """Functions with `calls` calls each; number `i` depends on the seed and on `i` alone.

    `raises` is the share of the programs of the family `exceptions` that end in an exception; of
    several calls, those after the first are to reach other statements. `balance` is the share of
    the statements of balanced families that are drawn operation first, so that no one is rare.
    """
    _check(families, difficulty, calls, raises, balance)
    for i in range(start, start + count):
        rng = Random(f"{seed}/{i}")
        family, source, found = _draw(rng, tuple(families), difficulty, calls, raises, balance)
        for call in found:
            yield Program(source, call, f"synthetic/{family}/{i}", "synthetic")


def _check(
    families: Sequence[str], difficulty: int, calls: int, raises: float, balance: float
) -> None:
    for family in families:
        if family not in FAMILIES:
            raise ValueError(f"unknown family {family!r}; there are: {', '.join(FAMILIES)}")
    if not families:
        raise ValueError(f"no families given; there are: {', '.join(FAMILIES)}")
    if difficulty not in (1, 2, 3):
        raise ValueError(f"difficulty {difficulty!r} is not 1, 2 or 3")
    if calls < 1:
        raise ValueError(f"calls={calls} is below 1")
    if not 0 <= raises <= 1:
        raise ValueError(f"raises={raises} is not between 0 and 1")
    if not 0 <= balance <= 1:
        raise ValueError(f"balance={balance} is not between 0 and 1")


def _draw(
    rng: Random,
    families: tuple[str, ...],
    level: int,
    calls: int,
    raises: float,
    balance: float,
) -> tuple[str, str, list[str]]:
    """The family of a program, its text, and its calls."""
    focus = _family(rng, families)
    if focus in BASIC:
        grammar = BASIC_GRAMMAR
        draft, call = _basic(rng, focus, [each for each in families if each in BASIC], level)
    else:
        grammar = full_grammar()
        others = [family for family in families if family in BALANCED]
        around = {focus, *rng.sample(others, min(2, len(others)))}
        draft, call = _settled(rng, focus, around, level, raises, balance)
    return focus, draft.source, [call, *_further(draft, call, grammar, rng, level, calls - 1)]


def _family(rng: Random, families: Sequence[str]) -> str:
    """One of the families: the more operations it has, the more often."""
    if set(families) <= set(BASIC):
        return rng.choice(families)
    breadth = full_grammar().breadth
    return rng.choices(families, [breadth.get(family, OF_BASIC) for family in families])[0]


def _basic(rng: Random, focus: str, families: Sequence[str], level: int) -> tuple[Draft, str]:
    others = rng.sample(families, min(len(families), rng.randint(1, 2)))
    writer, scope = Writer(BASIC_GRAMMAR, rng, focus, {focus, *others}, level), Scope()
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
    return Draft(source, name, tuple(kinds)), f"{name}({', '.join(arguments)})"


def _settled(
    rng: Random, focus: str, families: set[str], level: int, raises: float, balance: float
) -> tuple[Draft, str]:
    """A program and a call that end as the family and its dial want."""
    chance = rng.random()
    if focus == "exceptions":
        wanted = "raise" if chance < raises else "ok"
    elif focus == "endless":
        wanted = "endless" if chance < 0.5 else "end"
    else:
        wanted = "ok" if chance < 0.9 else "end"
    fallback = None
    while True:
        for _ in range(TRIES):
            draft = compose(rng, focus, families, level, balance)
            tries = range(TRIES if draft.kinds else 1)
            calls = (draft.call(full_grammar(), rng, level) for _ in tries)
            for run in probe(draft.source, calls):
                if _is(run.outcome, wanted):
                    return draft, run.call
                if _is(run.outcome, "end"):
                    fallback = draft, run.call
        if fallback:
            return fallback


def _is(outcome: str, wanted: str) -> bool:
    ended = outcome not in ("endless", "large")
    return (
        outcome == wanted
        or (wanted == "end" and ended)
        or (wanted == "raise" and ended and outcome != "ok")
    )


def _further(
    draft: Draft, call: str, grammar: Grammar, rng: Random, level: int, count: int
) -> list[str]:
    """Other calls of a program; before all, those that reach statements not reached so far."""
    if count < 1 or not draft.kinds:
        return []
    others = dict.fromkeys(draft.call(grammar, rng, level) for _ in range(TRIES * count))
    others.pop(call, None)
    first, *runs = probe(draft.source, [call, *others])
    reached, found, rest = set(first.reached), [], []
    for run in runs:
        if run.outcome in ("endless", "large") and first.outcome != "endless":
            continue
        (rest if run.reached <= reached else found).append(run.call)
        reached |= run.reached
    return [*found, *rest][:count]
