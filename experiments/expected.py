"""What may happen in a call, from runs of it that were imagined: each event with its chance, and
with the steps that lead there.

An event may come in several ways, such as exceptions of two classes on three lines. Each of them
is told by itself; what is acted on is the chance of the event as a whole.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from experiments.chances import hazards, raising, reaching, unending, unknown
from experiments.effects import Effect, Effects
from experiments.free import Run
from experiments.predict import frame, text
from experiments.scaled import UNSCALED, Scales, scaled
from experiments.unwanted import UNTOLD, Bounds
from experiments.worth import read_names


class Expected(NamedTuple):
    """One way in which something may happen."""

    what: str  # one of `experiments.unwanted.WHAT`, or UNTOLD
    name: str  # which: ValueError, deletion, x
    line: int | None  # in the function that is called
    chance: float
    steps: list[str]  # that were imagined up to there; of the likeliest run, where none came there
    came: int  # how many of the runs came there
    values: dict[str, str]  # reprs of the variables that matter there, as imagined
    within: Sequence[Effect] = ()  # what is risky in the functions that the statement calls


class Returned(NamedTuple):
    value: str | None  # repr of what most runs return; None where none does
    chance: float  # the share of the runs that return it
    sure: float  # the chance that it is this where they come to their end, as the model says


class Place(NamedTuple):
    """In a run, where something happens."""

    run: Run
    at: int  # the number of the step whose statement it is; -1: before the first

    @property
    def line(self) -> int | None:
        return self.run.steps[self.at].line if self.at >= 0 else None

    @property
    def told(self) -> list[str]:
        """The statements up to here."""
        lines = self.run.script.statements
        return [
            f"{step.line}: {lines.get(step.line, '') if step.kind == 'line' else step.kind}"
            for step in self.run.steps[: self.at + 1]
        ]

    @property
    def values(self) -> dict[str, str]:
        """Of the variables that the statement reads."""
        step = self.run.steps[self.at]
        held = frame(self.run.names, step.rows.tolist())
        names = read_names(self.run.script.statements.get(step.line, ""))
        return {name: held[name] for name in names if name in held}


def returned(runs: Sequence[Run]) -> Returned:
    ends = [run.steps[-1] for run in runs if run.steps[-1].kind == "return"]
    found: dict[str, list[float]] = {}
    for step in ends:
        value = text(tuple(step.rows[-1].tolist()))
        if value is not None:
            found.setdefault(value, []).append(math.exp(min(0.0, step.worth.log_probs[-1])))
    if not found:
        return Returned(None, 0.0, 0.0)
    value = max(found, key=lambda each: len(found[each]))
    sure = found[value]
    return Returned(value, len(sure) / len(runs), sum(sure) / len(sure))


class Ends(NamedTuple):
    """How a call may end, as chances that add up to 1."""

    raised: float
    endless: float  # after so many steps
    untold: float
    returned: float


def ends(runs: Sequence[Run], scales: Scales = UNSCALED) -> Ends:
    raised = scaled(scales, "exceptions", raising(runs))
    untold = min(1 - raised, unknown(runs))
    endless = min(1 - raised - untold, scaled(scales, "halting", unending(runs)))
    return Ends(raised, endless, untold, 1 - raised - untold - endless)


def endings(runs: Sequence[Run], steps: int, scales: Scales = UNSCALED) -> Iterator[Expected]:
    """Exceptions, each by its class and line; that there is no end; and that nothing is known."""
    end = ends(runs, scales)
    yield from raisings(runs, end.raised)
    on = [Place(run, len(run.steps) - 1) for run in runs if not run.ended and not run.cut]
    cut = [Place(run, len(run.steps) - 1) for run in runs if run.cut]
    for what, name, chance, places in (
        ("no end", f"in {steps} steps", end.endless, on),
        (UNTOLD, "no room for more statements", end.untold, cut),
    ):
        if chance:
            place = likeliest(runs, places)
            line = place.line if what == UNTOLD else None
            yield Expected(what, name, line, chance, place.told, len(places), {})


def raisings(runs: Sequence[Run], raised: float) -> Iterator[Expected]:
    """`raised` is the chance of all of them together."""
    chances: dict[tuple[str, int], float] = {}
    ways: dict[tuple[str, int], tuple[float, Place]] = {}
    came: dict[tuple[str, int], int] = {}
    for run in runs:
        for hazard in hazards(run):
            key = (hazard.name, hazard.line)
            chances[key] = chances.get(key, 0.0) + hazard.chance / len(runs)
            way = (hazard.chance, Place(run, hazard.at - 1))
            ways[key] = max(ways.get(key, way), way, key=lambda each: each[0])
            came[key] = came.get(key, 0) + (run.steps[hazard.at].kind == "exception")
    share = raised / total if (total := raising(runs)) else 0.0
    for key, chance in chances.items():
        place = ways[key][1]
        yield Expected("exception", *key, share * chance, place.told, came[key], place.values)


def risked(runs: Sequence[Run], effects: Effects, scales: Scales = UNSCALED) -> Iterator[Expected]:
    """Statements that are risky, or call what is, and might be run."""
    for line, found in risky_lines(runs, effects).items():
        chance = scaled(scales, "risks", reaching(runs, line))
        places = [place for run in runs if (place := first_at(run, line))]
        place = likeliest(runs, places)
        values = place.values if places else {}
        for kind in dict.fromkeys(effect.kind for effect in found) if chance else ():
            within = [each for each in found if each.kind == kind and each.function is not None]
            where = (place.told, len(places), values, within)
            yield Expected("risk", kind, line, chance, *where)


def risky_lines(runs: Sequence[Run], effects: Effects) -> dict[int, list[Effect]]:
    lines = runs[0].script.statements.items()
    return {line: found for line, text in lines if (found := effects.of(line, text))}


def first_at(run: Run, line: int) -> Place | None:
    for at, step in enumerate(run.steps):
        if (step.kind, step.line) == ("line", line):
            return Place(run, at)
    return None


def likeliest(runs: Sequence[Run], places: Sequence[Place]) -> Place:
    """The first of the places; where there is none, the end of the likeliest run."""
    return places[0] if places else Place(runs[0], len(runs[0].steps) - 1)


def beyond(runs: Sequence[Run], bounds: Bounds) -> Iterator[Expected]:
    """Numbers that leave the bounds given for their names, and the statements that led there."""
    for name in bounds:
        left = [found for run in runs if (found := leaving(run, name, bounds[name]))]
        if left:
            place, value = left[0]
            chance = len(left) / len(runs)
            where = (place.told, len(left), {name: value})
            yield Expected("bound", name, place.line, chance, *where)


def leaving(run: Run, name: str, bounds: Sequence[float]) -> tuple[Place, str] | None:
    """Where it first does, and its value then."""
    low, high = bounds
    for at, step in enumerate(run.steps):
        held = frame(run.names, step.rows.tolist()).get(name)
        value = number(held)
        if held is not None and value is not None and not low <= value <= high:
            return Place(run, at - 1), held
    return None


def number(value: str | None) -> float | None:
    try:
        return float(value) if value is not None else None
    except ValueError:
        return None


def totals(
    runs: Sequence[Run], effects: Effects, bounds: Bounds, scales: Scales = UNSCALED
) -> dict[str, float]:
    """The chance of each event as a whole, however it comes, and of each kind of risk."""
    end, risky = ends(runs, scales), risky_lines(runs, effects)
    kinds = {kind: lines_of(kind, risky) for kind in effects.kinds}
    by_kind = {kind: reaching(runs, *lines) for kind, lines in kinds.items() if lines}
    left = [any(leaving(run, name, bounds[name]) for name in bounds) for run in runs]
    return {
        "exception": end.raised,
        "no end": end.endless,
        UNTOLD: end.untold,
        "risk": scaled(scales, "risks", reaching(runs, *risky)) if risky else 0.0,
        "bound": sum(left) / len(runs),
        **{kind: scaled(scales, "risks", chance) for kind, chance in by_kind.items()},
    }


def lines_of(kind: str, risky: Mapping[int, Sequence[Effect]]) -> list[int]:
    return [line for line, found in risky.items() if any(each.kind == kind for each in found)]


def coverage(runs: Sequence[Run], scales: Scales = UNSCALED) -> dict[int, float]:
    """The chance of every line; the first is run whatever happens."""
    first = runs[0].steps[0].line
    return {
        line: 1.0 if line == first else scaled(scales, "coverage", reaching(runs, line))
        for line in runs[0].script.statements
    }
