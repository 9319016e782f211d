"""Chances of what may happen in a call, from runs of it that were imagined.

A run tells more than whether it came to an event: at each of its steps the model gave a chance that
an exception comes next, and that things go on as they did. Along a run with the chances p_t of an
exception that nothing catches,

    P(raises) = 1 - prod_t (1 - p_t)

and the means of such numbers over runs are finer than the share of the runs that raise.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from experiments.free import Run
from experiments.predict import text
from tracer.flow import END, NOWHERE

UNKNOWN = 0.5  # the chance of what is not known: other ways than the one that was imagined


class Hazard(NamedTuple):
    """An exception that may leave the call."""

    at: int  # the step of the run that would be the exception
    line: int
    name: str  # of its class, by the outcome that the model expects there; "?" where it has none
    chance: float  # that this is what ends the call


def hazards(run: Run) -> Iterator[Hazard]:
    left = 1.0  # the chance that none was raised before
    for at, (before, step) in enumerate(pairwise(run.steps), 1):
        caught = run.script.ways.get(before.line, NOWHERE).raised != END
        if before.kind == "exception" or caught or not step.raises:
            continue
        raised = text(tuple(step.rows[-1].tolist())) or "?"
        name = raised.partition("(")[0]
        yield Hazard(at, before.line, name if name.isidentifier() else "?", left * step.raises)
        left *= 1 - min(1.0, step.raises)


def raising(runs: Sequence[Run]) -> float:
    """That the call is left by an exception."""
    return mean([sum(hazard.chance for hazard in hazards(run)) for run in runs])


def unending(runs: Sequence[Run]) -> float:
    """That the call takes more steps than the runs were given: of a run, the chance that it is
    right to end or not to, and of other ways one half."""
    return mean([known(run, not run.ended, len(run.steps)) for run in runs])


def reaching(runs: Sequence[Run], line: int) -> float:
    """That the line is run."""
    return mean([coming(run, line) for run in runs])


def coming(run: Run, line: int) -> float:
    places = (n for n, step in enumerate(run.steps, 1) if (step.kind, step.line) == ("line", line))
    steps = next(places, None)
    if steps is None:
        return UNKNOWN * (1 - way(run, len(run.steps)))
    return way(run, steps)


def known(run: Run, so: bool, steps: int) -> float:
    right = UNKNOWN + (1 - UNKNOWN) * way(run, steps)
    return right if so else 1 - right


def way(run: Run, steps: int) -> float:
    """The chance that the first steps are those of the run."""
    return math.exp(min(0.0, sum(step.log_prob for step in run.steps[:steps])))


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
