"""Chances of what may happen in a call, from runs of it that were imagined.

A run tells more than whether it came to an event: at each of its steps the model gave a chance that
an exception comes next, and that things go on as they did. Along a run with the chances p_t of an
exception that nothing catches,

    P(raises) = 1 - prod_t (1 - p_t)

and the means of such numbers over runs are finer than the share of the runs that raise.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from experiments.free import Run, Step
from experiments.predict import text
from tracer.detours import Detours, Waits
from tracer.flow import END, LEFT
from tracer.script import Script

UNNAMED = "?"
UNKNOWN = 0.5  # the chance of what is not known
STRAY = 0.1  # the chance that a call that was imagined to end, but wrongly, does not
LEAST = 1e-4  # below it, a chance is not followed
STATES = 4096  # of a program, that are looked at for a way


class Hazard(NamedTuple):
    """An exception that may leave the call."""

    at: int  # the step of the run that would be the exception
    line: int
    name: str  # of its class, by the outcome that the model expects there; or UNNAMED
    chance: float  # that this is what ends the call


def hazards(run: Run) -> Iterator[Hazard]:
    left = 1.0  # the chance that none was raised before
    for at, (before, step) in enumerate(pairwise(run.steps), 1):
        if before.kind == "exception" or not step.raises or not leaves(run, at):
            continue
        name = (text(tuple(step.rows[-1].tolist())) or UNNAMED).partition("(")[0]
        chance = min(1.0, step.raises)
        yield Hazard(at, before.line, name if name.isidentifier() else UNNAMED, left * chance)
        left *= 1 - chance


def leaves(run: Run, at: int) -> bool:
    """Whether what is raised at a step leaves the call: as the run has it, where it is raised there
    and the run ended; else by the text, in which a `with` keeps nothing."""
    if run.ended and run.steps[at].kind == "exception":
        others = any(step.kind == "exception" for step in run.steps[at + 1 :])
        return run.steps[-1].kind == "unwind" and not others
    return not run.script.detours.caught(run.steps[at - 1].line)


def raising(runs: Sequence[Run]) -> float:
    """That the call is left by an exception."""
    return mean([sum(hazard.chance for hazard in hazards(run)) for run in runs])


def unending(runs: Sequence[Run]) -> float:
    """That the call takes more steps than the runs were given, and raises nothing before: of a run
    that went on, by how sure the model is of all that happens in it; of one that ended, by how
    unsure. One that was cut tells nothing of this: see `unknown`."""
    chances = []
    for run in runs:
        unsure = 1 - sure(run)
        hangs = STRAY * unsure if run.ended else 1 - UNKNOWN * unsure
        chances.append(0.0 if run.cut else (1 - raising([run])) * hangs)
    return mean(chances)


def unknown(runs: Sequence[Run]) -> float:
    """That the call comes to where the model was shown no more, and raises nothing before."""
    return mean([(1 - raising([run])) * run.cut for run in runs])


def sure(run: Run) -> float:
    """The chance of all of a run."""
    return math.exp(min(0.0, run_log_prob(run)))


def run_log_prob(run: Run) -> float:
    """Of every turn that it takes and of every value that it makes on the way."""
    return sum(step.log_prob for step in run.steps) + run.steps[-1].worth.whole


def reaching(runs: Sequence[Run], *lines: int) -> float:
    """That one of the lines is run."""
    return mean([coming(run, {*lines}) for run in runs])


def coming(run: Run, lines: Collection[int]) -> float:
    """Along the run, and by the ways that it might have gone instead."""
    left, found = 1.0, 0.0
    detours = run.script.detours
    for before, step in pairwise(run.steps):
        if before.kind == "line" and before.line in lines:
            return found + left
        for kind, other, chance in aside(detours, before, step):
            if left * chance > LEAST:
                there = detours.on((kind, before.line), ("line", other))
                found += left * chance * leads(run.script, there, other, lines)
        left *= math.exp(min(0.0, step.log_prob))
        detours = detours.on(before[:2], step[:2])
    last = run.steps[-1]
    if run.cut:
        return found + left * leads(run.script, detours, last.line, lines)
    return found + left * (last.kind == "line" and last.line in lines)


def aside(detours: Detours, before: Step, step: Step) -> Iterator[tuple[str, int, float]]:
    """The lines where the model might have gone in place of a step: after what kind of event, and
    with what chance."""
    here = detours.open(before.line)
    others = {*here.lines}
    if before.kind == "exception":
        return
    if step.kind == "exception":
        chance = 1 - step.raises
    else:
        others.discard({"line": step.line, "unwind": LEFT}.get(step.kind, END))
        chance = 1 - math.exp(min(0.0, step.log_prob)) - step.raises
        yield "exception", here.raised, step.raises
    yield from (("line", other, max(0.0, chance) / len(others)) for other in others)


def leads(script: Script, detours: Detours, start: int, lines: Collection[int]) -> float:
    """The chance to come from one line to some others, by the text alone: 1 where all ways do, 0
    where none does."""
    at, here, passed = start, detours, set[tuple[int, Waits]]()
    while at in script and (at, here.waits) not in passed and at not in lines:
        passed.add((at, here.waits))
        ways = here.open(at)
        to = END if ways.fork or not ways.lines else ways.lines[0]
        at, here = to, here.on(("line", at), ("line", to))
    if at in lines:
        return 1.0
    left, seen = [(start, detours)], set[tuple[int, Waits]]()
    while left and len(seen) < STATES:
        at, here = left.pop()
        if at in script and (at, here.waits) not in seen:
            seen.add((at, here.waits))
            ways = here.open(at)
            left += [(to, here.on(("line", at), ("line", to))) for to in ways.lines]
            left.append((ways.raised, here.on(("exception", at), ("line", ways.raised))))
    return 0.0 if not left and {at for at, _ in seen}.isdisjoint(lines) else UNKNOWN


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
