"""Where a fault is, by the surprise of a model that watches: no reference run is needed.

One line of a program is mutated, and the mutant is run. The model sees each of its true states, and
is told the statements of the program as it was meant: what comes out otherwise than these lead it
to expect surprises it, and the line that surprises most is suspected first. All lines but one do
what they were meant to, so that a perfect model would be surprised at the mutated line alone.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from experiments.predict import Prediction, Predictor, held_frame
from experiments.score import intervals, mean
from tracer.agent.mutations import OPERATORS, Mutation, mutated, mutations
from tracer.schema import Event, Program, Trace, body
from tracer.statements import statement_table
from tracer.values import render

LEAST = 1e-6  # of a probability, where it is turned into surprise
TRIES = 6  # mutants of a program that are run, for one that does something else


class Fault(NamedTuple):
    """A mutant that did something else than the program that it was made of."""

    mutation: Mutation
    meant: Trace
    mutant: Trace

    @property
    def lines(self) -> list[int]:
        """Those that the mutant ran, in the order in which it came to them."""
        return list(dict.fromkeys(e.lineno for e in body(self.mutant) if e.kind == "line"))


def mutants(trace: Trace, seed: int) -> list[tuple[Mutation, Program]]:
    """Programs with one line changed that the call ran, each operator as likely as the others."""
    rng = Random(f"{seed}/{trace.id}")
    ran = {event.lineno for event in body(trace) if event.kind == "line"}
    each = [m for m in mutations(trace.source) if m.line in ran and compiles(trace.source, m)]
    kinds = {kind: [m for m in each if m.operator == kind] for kind in OPERATORS}
    found: list[Mutation] = []
    while len(found) < TRIES and (left := [kind for kind in OPERATORS if kinds[kind]]):
        of_kind = kinds[rng.choice(left)]
        found.append(of_kind.pop(rng.randrange(len(of_kind))))
    return [(m, Program(mutated(trace.source, m), trace.input, trace.origin)) for m in found]


def compiles(source: str, mutation: Mutation) -> bool:
    """And its statements begin on the same lines."""
    changed = mutated(source, mutation)
    try:
        compile(changed, "<mutant>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return statement_table(changed).keys() == statement_table(source).keys()


def first_fault(meant: Trace, tried: Iterable[tuple[Mutation, Trace]]) -> Fault | None:
    """The first mutant that is different, and whose end was seen."""
    for mutation, mutant in tried:
        if not mutant.flags and body(mutant) and difference(body(meant), body(mutant)) is not None:
            return Fault(mutation, meant, mutant)
    return None


def difference(meant: Sequence[Event], mutant: Sequence[Event]) -> int | None:
    """The number of the first event that is another, by all that a trace shows but its text."""
    for number, (one, other) in enumerate(zip(meant, mutant, strict=False)):
        if shown(one) != shown(other):
            return number
    return None if len(meant) == len(mutant) else min(len(meant), len(mutant))


def shown(event: Event) -> tuple:
    return event.kind, event.lineno, event.locals, event.arg


def by_difference(fault: Fault) -> list[int]:
    """Lines by a run of the program as it was meant: first the one behind which the runs part."""
    events = body(fault.mutant)
    at = difference(body(fault.meant), events)
    assert at is not None
    suspect = events[max(0, at - 1)].lineno
    return [suspect, *(line for line in fault.lines if line != suspect)]


def as_meant(fault: Fault) -> list[Event]:
    """What the mutant did, under the statements that the program was meant to have."""
    table = statement_table(fault.meant.source)
    return [
        event._replace(statement=table[event.lineno].text) if event.lineno in table else event
        for event in body(fault.mutant)
    ]


def suspects(predictor: Predictor, faults: Sequence[Fault], told: bool = True) -> list[list[int]]:
    """The lines of each fault, the most surprising first. If not `told` what was meant, the model
    gets the mutant's own statements: a control, as these explain all that it does."""
    cases = [
        predictor.case(fault.meant, as_meant(fault))
        if told
        else predictor.case(fault.mutant, body(fault.mutant))
        for fault in faults
    ]
    numbers = {id(case.events): number for number, case in enumerate(cases)}
    ranked: list[list[int]] = [[] for _ in cases]
    for prediction in predictor.predict(cases, "filter"):
        number = numbers[id(prediction.case.events)]
        ranked[number] = by_surprise(prediction, faults[number].lines)
    return ranked


def by_surprise(prediction: Prediction, lines: Sequence[int]) -> list[int]:
    """By the mean of the times that a line was run; of equals, the one that came first."""
    bits: dict[int, list[float]] = {line: [] for line in lines}
    for line, each in surprises(prediction):
        bits.setdefault(line, []).append(each)
    return sorted(lines, key=lambda line: -sum(bits[line]) / max(1, len(bits[line])))


def surprises(prediction: Prediction) -> Iterator[tuple[int, float]]:
    """Per event: the line that led to it, and the bits that the truth costs; where something else
    was expected, at least."""
    case = prediction.case
    for step in range(1, len(case.events)):
        event, turn = case.events[step], prediction.turns[step]
        true, expected = held_frame(case, step), prediction.frames[step]
        bits = cost(turn.log_prob, (turn.kind, turn.line) == (event.kind, event.lineno))
        for name, log_prob in zip(prediction.names, prediction.log_probs[step], strict=False):
            bits += cost(float(log_prob), true.get(name) == expected.get(name))
        if event.arg is not None:
            right = prediction.raised[step] == render(event.arg)
            bits += cost(float(prediction.log_probs[step][-1]), right)
        yield case.events[step - 1].lineno, bits


def cost(log_prob: float, right: bool) -> float:
    """Bits of what came, from the log-probability of what was likeliest."""
    chance = math.exp(min(0.0, log_prob))
    return -math.log2(max(LEAST, chance if right else 1 - chance))


def located(faults: Sequence[Fault], ways: Mapping[str, Sequence[list[int]]]) -> dict[str, Any]:
    """How early the mutated line comes among those that were run, as each way ranks them."""
    programs = [fault.meant.origin for fault in faults]
    places = {
        way: [
            [one_of(lines, fault.mutation.line)]
            for lines, fault in zip(ranked, faults, strict=True)
        ]
        for way, ranked in ways.items()
    }
    places["chance"] = [[*range(1, len(fault.lines) + 1)] for fault in faults]
    operators = [fault.mutation.operator for fault in faults]
    return {
        "n": len(faults),
        "lines": mean(float(len(fault.lines)) for fault in faults),
        "ways": {way: summary(programs, found) for way, found in places.items()},
        "by_operator": {
            operator: {
                "n": operators.count(operator),
                "first": mean(
                    float(place == 1)
                    for (place,), own in zip(places["model"], operators, strict=True)
                    if own == operator
                ),
            }
            for operator in OPERATORS
        },
    }


def one_of(lines: Sequence[int], line: int) -> int:
    """Its place, from 1 on; behind all where the mutant never came to it."""
    return lines.index(line) + 1 if line in lines else len(lines) + 1


def summary(programs: Sequence[str], places: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Means over faults; of several places that are equally likely, their mean."""
    rows = [
        {
            "first": mean(float(place == 1) for place in each),
            "of_three": mean(float(place <= 3) for place in each),
            "reciprocal": mean(1 / place for place in each),
        }
        for each in places
    ]
    names = list(rows[0])
    means = {name: mean(row[name] for row in rows) for name in names}
    return means | {"ci95": intervals(programs, rows, names)}
