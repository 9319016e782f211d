"""Routes beside one another: means over seeds, and intervals.

The intervals are of a bootstrap over seeds and over programs; all seeds are scored on the same
programs, so that both are drawn apart from each other. What comes in are the files that
`experiments.evaluate` wrote for each seed.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiments.charts import Axis, Chart, Series, chart, linear, logarithmic
from experiments.score import HEADLINES, HORIZONS, mean

RESAMPLES = 500
CONTROLS = ("copy", "shuffled", "misled")
SHOWN = 10  # types, and kinds of statements
OF_FAMILIES = ("synthetic", "swaps")  # corpora whose programs are of families, or lengths
Measure = Callable[[Mapping[str, Any]], float | None]  # of a call; None where it has no such thing


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


def interval(result: Result, mode: str, measure: Measure) -> Interval:
    """Mean over calls, then over seeds, and the middle 95 % of the means of what is drawn again:
    seeds, and programs."""
    sums, sizes = grouped(
        [[call for call in calls if call["mode"] == mode] for calls in result.calls], measure
    )
    if not sizes.any():
        return Interval(math.nan, math.nan, math.nan)
    draw, (seeds, programs) = np.random.default_rng(0), sums.shape
    means = []
    for _ in range(RESAMPLES):
        again = np.ix_(draw.integers(seeds, size=seeds), draw.integers(programs, size=programs))
        means.append(mean_of_means(sums[again], sizes[again]))
    low, high = np.nanpercentile(means, [2.5, 97.5])
    return Interval(mean_of_means(sums, sizes), float(low), float(high))


def mean_of_means(sums: np.ndarray, sizes: np.ndarray) -> float:
    """Of each seed that has any call, then of these; nan of none."""
    totals, counts = sums.sum(1), sizes.sum(1)
    return mean(totals[counts > 0] / counts[counts > 0])


def grouped(
    seeds: Sequence[Sequence[Mapping[str, Any]]], measure: Measure
) -> tuple[np.ndarray, np.ndarray]:
    """Per seed and program the sum of what is measured, and of how many calls."""
    known = dict.fromkeys(call["program"] for calls in seeds for call in calls)
    column = {program: at for at, program in enumerate(known)}
    sums, sizes = np.zeros((2, len(seeds), len(column)))
    for row, calls in enumerate(seeds):
        for call in calls:
            if not math.isnan(value := number(measure(call))):
                sums[row, column[call["program"]]] += value
                sizes[row, column[call["program"]]] += 1
    return sums, sizes


def number(x: Any) -> float:
    return x if isinstance(x, int | float) else math.nan


def shares(result: Result, mode: str, key: str) -> dict[str, Interval]:
    """Accuracy by type or by statement: over all seeds, with the lowest and highest seed."""
    names = dict.fromkeys(name for seed in result.figures for name in seed[mode][key])
    found = {}
    for name in list(names)[:SHOWN]:
        values = [seed[mode][key][name]["accuracy"] for seed in result.figures]
        found[name] = Interval(mean(values), min(values), max(values))
    return found


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


def charts(results: Sequence[Result]) -> dict[str, Chart]:
    """By name of file."""
    found: dict[str, Chart | None] = {}
    if any("open" in result.modes for result in results):
        found["horizon"] = horizon_chart(results)
    for cost, name in COSTS.items():
        found[f"cost_{cost}"] = cost_chart(results, cost, name)
    return {name: drawn for name, drawn in found.items() if drawn}


COSTS = {
    "train_flops": "operations per transition trained",
    "imagine_us": "µs per imagined statement",
}


def horizon_chart(results: Sequence[Result]) -> Chart | None:
    results = [result for result in results if "open" in result.modes]
    longest = max(len(c["true"]) for r in results for calls in r.calls for c in calls) - 1
    steps = [each for each in HORIZONS if each <= longest]
    curves = [[(s, horizon(result, "open", s)) for s in steps] for result in results]
    copies = [
        (float(s), 100 * at["state_exact_match"])
        for s in steps
        if (at := results[0].figures[0]["open"]["copy"]["by_horizon"].get(str(s)))
    ]
    lines = [
        Series(result.name, f"r{at}", [(s, 100 * i.value) for s, i in curve])
        for at, (result, curve) in enumerate(zip(results, curves, strict=True))
    ]
    bounds = [
        Series("", f"r{at} bound", [(s, 100 * i[end]) for s, i in curve])
        for at, curve in enumerate(curves)
        for end in (1, 2)
    ]
    x, y = logarithmic("statements after the only observation", steps), linear("", [0, 100])
    return drawn(
        "exact states in open loop, %", [*lines, Series("copy", "copy", copies)], bounds, x, y
    )


def cost_chart(results: Sequence[Result], cost: str, name: str) -> Chart | None:
    """Each route a point: effects that are right in open loop, against what they cost."""
    known = [(at, r) for at, r in enumerate(results) if r.costs.get(cost) and "open" in r.modes]
    if not known:
        return None
    points, bounds = [], []
    for at, result in known:
        line = line_of(result, "open", "effect_accuracy")
        if math.isnan(line.value):
            continue
        x = result.costs[cost]
        points.append(Series(result.name, f"r{at}", [(x, 100 * line.value)]))
        ends = [(x, 100 * line.low), (x, 100 * line.high)]
        bounds.append(Series("", f"r{at} bound", ends))
    axis = logarithmic(name, [result.costs[cost] for _, result in known])
    highest = max((y for one in bounds for _, y in one.points), default=1.0)
    y = linear("", [0, highest])
    return drawn(f"effects right in open loop, %, by {name}", points, bounds, axis, y)


def drawn(title: str, lines: list[Series], bounds: list[Series], x: Axis, y: Axis) -> Chart | None:
    """Lines with dots, and thin ones where their intervals end."""
    main, thin = chart(title, lines, x, y), chart(title, bounds, x, y, dots=False)
    return main and main._replace(lines=[*main.lines, *(thin.lines if thin else [])])
