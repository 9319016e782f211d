"""Routes beside one another: means over seeds, and intervals.

The intervals are of a bootstrap over seeds and over programs; all seeds are scored on the same
programs, so that both are drawn apart from each other. What comes in are the files that
`experiments.evaluate` wrote for each seed.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiments.score import HEADLINES, mean

RESAMPLES = 500
CONTROLS = ("copy", "shuffled", "misled")
SHOWN = 10  # types, and kinds of statements
OF_FAMILIES = ("synthetic", "swaps")  # corpora whose programs are of families, or lengths
Measure = Callable[[Mapping[str, Any]], float | None]  # of a call; None where it has no such thing
Count = Callable[[Mapping[str, Any]], tuple[float, float]]  # of a call: so much of so many


class Interval(NamedTuple):
    value: float
    low: float
    high: float


class Line(NamedTuple):
    """One figure of one route."""

    route: str
    mode: str
    figure: str
    value: float
    low: float
    high: float
    copy: float
    shuffled: float
    misled: float


class Result(NamedTuple):
    """A route: what it costs, and what its seeds scored."""

    name: str
    costs: Mapping[str, float]
    figures: Sequence[Mapping[str, Any]]  # NAME.json of each seed
    calls: Sequence[Sequence[Mapping[str, Any]]]  # lines of NAME.predictions.jsonl of each seed

    @property
    def modes(self) -> list[str]:
        return [mode for mode in ("filter", "open", "free") if mode in self.figures[0]]


def read_result(name: str, costs: Mapping[str, float], evals: Sequence[Path], suite: str) -> Result:
    figures = [json.loads((path / f"{suite}.json").read_text()) for path in evals]
    lines = [(path / f"{suite}.predictions.jsonl").read_text().splitlines() for path in evals]
    return Result(name, costs, figures, [[json.loads(text) for text in each] for each in lines])


def table(results: Iterable[Result]) -> list[Line]:
    return [
        line_of(result, mode, figure)
        for result in results
        for mode in result.modes
        for figure in HEADLINES
    ]


def line_of(result: Result, mode: str, figure: str) -> Line:
    found = interval(result, mode, lambda call: call["figures"][figure])
    parts = [seed[mode] for seed in result.figures]
    others = (
        mean(number(part.get(control, {}).get(figure)) for part in parts) for control in CONTROLS
    )
    return Line(result.name, mode, figure, *found, *others)


def horizon(result: Result, mode: str, steps: int) -> Interval:
    """Exact states so many steps after the first, over the calls that are so long."""

    def right(call: Mapping[str, Any]) -> float | None:
        if len(call["true"]) <= steps:
            return None
        return float(call["true"][steps] == call["predicted"][steps])

    return interval(result, mode, right)


def unbroken(result: Result, mode: str, steps: int) -> Interval:
    """Calls in which no state was wrong up to there, of those that are so long."""

    def right(call: Mapping[str, Any]) -> float | None:
        if len(call["true"]) <= steps:
            return None
        return float(call["true"][1 : steps + 1] == call["predicted"][1 : steps + 1])

    return interval(result, mode, right)


def long_enough(result: Result, mode: str, steps: int) -> int:
    """Calls of a seed that are so long."""
    return sum(call["mode"] == mode and len(call["true"]) > steps for call in result.calls[0])


def interval(result: Result, mode: str, measure: Measure) -> Interval:
    """Mean over calls, then over seeds, and the middle 95 % of the means of what is drawn again:
    seeds, and programs."""

    def count(call: Mapping[str, Any]) -> tuple[float, float]:
        value = number(measure(call))
        return (0.0, 0.0) if math.isnan(value) else (value, 1.0)

    return drawn_again(*grouped(result, mode, count))


def drawn_again(sums: np.ndarray, sizes: np.ndarray) -> Interval:
    """Of what was counted per seed and program."""
    if not sizes.any():
        return Interval(math.nan, math.nan, math.nan)
    chosen, often = resamples(*sums.shape)
    totals, counts = (np.take_along_axis(each @ often, chosen, axis=0) for each in (sums, sizes))
    there = counts > 0
    rates = np.divide(totals, counts, out=np.zeros_like(totals), where=there)
    some = there.any(0)
    means = rates.sum(0)[some] / there.sum(0)[some]
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(mean_of_means(sums, sizes), float(low), float(high))


@cache
def resamples(seeds: int, programs: int) -> tuple[np.ndarray, np.ndarray]:
    """Which seeds are drawn, [seeds, resamples], and how often each program, [programs, resamples]:
    the same for all that is measured of as many."""
    draw = np.random.default_rng(0)
    again = [
        (draw.integers(seeds, size=seeds), draw.integers(programs, size=programs))
        for _ in range(RESAMPLES)
    ]
    often = [np.bincount(drawn, minlength=programs) for _, drawn in again]
    return np.array([drawn for drawn, _ in again]).T, np.array(often, float).T


def mean_of_means(sums: np.ndarray, sizes: np.ndarray) -> float:
    """Of each seed that has any call, then of these; nan of none."""
    totals, counts = sums.sum(1), sizes.sum(1)
    return mean(totals[counts > 0] / counts[counts > 0])


def grouped(result: Result, mode: str, count: Count) -> tuple[np.ndarray, np.ndarray]:
    """Per seed and program the sum of what is counted, and out of how many."""
    seeds = [[call for call in calls if call["mode"] == mode] for calls in result.calls]
    known = dict.fromkeys(call["program"] for calls in seeds for call in calls)
    column = {program: at for at, program in enumerate(known)}
    sums, sizes = np.zeros((2, len(seeds), len(column)))
    for row, calls in enumerate(seeds):
        for call in calls:
            total, size = count(call)
            sums[row, column[call["program"]]] += total
            sizes[row, column[call["program"]]] += size
    return sums, sizes


def number(x: Any) -> float:
    return x if isinstance(x, int | float) else math.nan


def shares(result: Result, mode: str, key: str) -> dict[str, Interval]:
    """Accuracy by type or by statement, the most frequent first."""

    def count(call: Mapping[str, Any], name: str) -> tuple[float, float]:
        own = call[key].get(name, {"n": 0, "accuracy": 0.0})
        return own["n"] * own["accuracy"], own["n"]

    names = list(dict.fromkeys(name for seed in result.figures for name in seed[mode][key]))
    counts = {name: grouped(result, mode, partial(count, name=name)) for name in names[:SHOWN]}
    return {name: drawn_again(*found) for name, found in counts.items()}


def families(result: Result, mode: str) -> dict[str, Interval]:
    """Effects that are right, by the corpus that the programs are of, or its family."""
    return by_family(result, mode, lambda call: call["figures"]["effect_accuracy"])


def finals(result: Result, mode: str) -> dict[str, Interval]:
    """Last states that are exact, likewise; of a call of one state it is given."""

    def right(call: Mapping[str, Any]) -> float | None:
        return float(call["true"][-1] == call["predicted"][-1]) if len(call["true"]) > 1 else None

    return by_family(result, mode, right)


def by_family(result: Result, mode: str, measure: Measure) -> dict[str, Interval]:
    calls = [call for seed in result.calls for call in seed if call["mode"] == mode]
    names = sorted({family(call) for call in calls}, key=natural)

    def of_one(call: Mapping[str, Any], name: str) -> float | None:
        return measure(call) if family(call) == name else None

    return {name: interval(result, mode, partial(of_one, name=name)) for name in names}


def natural(name: str) -> tuple[str, int]:
    """swaps/16 comes before swaps/128."""
    corpus, _, inner = name.partition("/")
    return (corpus, int(inner)) if inner.isdigit() else (name, 0)


def family(call: Mapping[str, Any]) -> str:
    """`synthetic/lists` of `synthetic/lists/17`, and of all others their corpus alone."""
    corpus, _, inner = call["origin"].partition("/")
    return f"{corpus}/{inner.partition('/')[0]}" if corpus in OF_FAMILIES else corpus


def divergence(result: Result, mode: str) -> str:
    """Median step of the first mistake, of each seed."""
    steps = [seed[mode]["first_divergence"] for seed in result.figures]
    return ", ".join("never" if step is None else f"{step:g}" for step in steps)
