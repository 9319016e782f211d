"""The comparison of routes as charts, which templates/plot.svg.jinja draws."""

import math
from collections.abc import Callable, Mapping, Sequence

from experiments import compare
from experiments.charts import (
    Axis,
    Chart,
    Point,
    Series,
    categories,
    chart,
    linear,
    logarithmic,
)
from experiments.compare import Interval, Result
from experiments.score import HORIZONS

COSTS = {
    "train_flops": "operations per transition trained",
    "imagine_us": "µs per imagined statement",
}
SHARES = {"by_type": "type of the new value", "by_statement": "kind of statement"}
MOST = 6  # names along an axis
FEWEST = 10  # calls that a horizon needs to be drawn
Curve = Sequence[tuple[float, Interval]]


def charts(results: Sequence[Result], others: Mapping[str, Sequence[Result]]) -> dict[str, Chart]:
    """By name of file. `others` are of further suites: where the programs are of several lengths,
    how routes take to those."""
    found: dict[str, Chart | None] = {}
    there = [result for result in results if "open" in result.modes]
    if there:
        found["horizon"] = horizon_chart(there, compare.horizon, "exact states in open loop, %")
        title = "calls without a mistake so far, in open loop, %"
        found["unbroken"] = horizon_chart(there, compare.unbroken, title)
    for key, name in SHARES.items():
        shares = {result.name: compare.shares(result, "open", key) for result in there}
        found[key] = named_chart(shares, f"right in open loop, %, by {name}")
    families = {result.name: compare.families(result, "open") for result in there}
    found["by_corpus"] = named_chart(families, "effects right in open loop, %, by corpus")
    for suite, rows in others.items():
        lengths = {r.name: compare.finals(r, "open") for r in rows if "open" in r.modes}
        found[f"lengths_{suite}"] = length_chart(lengths, f"{suite}: last states exact, %")
    for cost, name in COSTS.items():
        found[f"cost_{cost}"] = cost_chart(results, cost, name)
    return {name: drawn for name, drawn in found.items() if drawn}


def horizon_chart(
    results: Sequence[Result], figure: Callable[[Result, str, int], Interval], title: str
) -> Chart | None:
    """As far as there are calls to tell."""
    count = compare.long_enough
    steps = [s for s in HORIZONS if any(count(r, "open", s) >= FEWEST for r in results)]
    curves = {r.name: [(float(s), figure(r, "open", s)) for s in steps] for r in results}
    axis = logarithmic("statements after the only observation", steps)
    same = [Series("copy", "copy", copied(results[0], steps))]
    return curve_chart(curves, title, axis, same if figure is compare.horizon else [])


def copied(result: Result, steps: Sequence[int]) -> list[Point]:
    known = result.figures[0]["open"]["copy"]["by_horizon"]
    return [(float(s), 100 * known[str(s)]["state_exact_match"]) for s in steps if str(s) in known]


def length_chart(found: Mapping[str, Mapping[str, Interval]], title: str) -> Chart | None:
    """Along the lengths that corpora have in their names, as swaps/16 has."""
    curves = {
        route: [(float(name.partition("/")[2]), at) for name, at in each.items()]
        for route, each in found.items()
        if all(name.partition("/")[2].isdigit() for name in each)
    }
    lengths = sorted({x for curve in curves.values() for x, _ in curve})
    several = len(lengths) > 1
    return curve_chart(curves, title, logarithmic("length", lengths)) if several else None


def named_chart(found: Mapping[str, Mapping[str, Interval]], title: str) -> Chart | None:
    """One beside the other, the names that there is most of."""
    names = list(dict.fromkeys(name for each in found.values() for name in each))[:MOST]
    step = 0.6 / max(1, len(found))
    lines = []
    for number, (route, each) in enumerate(found.items()):
        places = ((at + step * (number - (len(found) - 1) / 2), n) for at, n in enumerate(names))
        known = [(x, each[n]) for x, n in places if n in each and not math.isnan(each[n].value)]
        lines += bars(route, number, known)
    return chart(title, lines, categories(names), linear("", [0, 100])) if names else None


def cost_chart(results: Sequence[Result], cost: str, name: str) -> Chart | None:
    """Each route a point: effects that are right in open loop, against what they cost."""
    lines, xs = [], []
    for number, result in enumerate(results):
        if result.costs.get(cost) and "open" in result.modes:
            line = compare.line_of(result, "open", "effect_accuracy")
            if not math.isnan(line.value):
                xs.append(result.costs[cost])
                at = (xs[-1], Interval(line.value, line.low, line.high))
                lines += bars(result.name, number, [at])
    highest = max((y for one in lines for _, y in one.points), default=1.0)
    title = f"effects right in open loop, %, by {name}"
    return chart(title, lines, logarithmic(name, xs), linear("", [0, highest]))


def curve_chart(
    curves: Mapping[str, Curve], title: str, x: Axis, more: Sequence[Series] = ()
) -> Chart | None:
    """Lines with dots, and thin ones where their intervals end; in percent."""
    lines, bounds = [], []
    for number, (name, curve) in enumerate(curves.items()):
        known = [(at, one) for at, one in curve if not math.isnan(one.value)]
        lines.append(Series(name, f"r{number}", [(at, 100 * one.value) for at, one in known]))
        for end in (1, 2):
            ends = [(at, 100 * one[end]) for at, one in known]
            bounds.append(Series("", f"r{number} bound", ends))
    highest = max((y for one in bounds for _, y in one.points), default=1.0)
    y = linear("", [0, highest])
    main, thin = chart(title, [*lines, *more], x, y), chart(title, bounds, x, y, dots=False)
    return main and main._replace(lines=[*main.lines, *(thin.lines if thin else [])])


def bars(name: str, number: int, points: Curve) -> list[Series]:
    """Dots, each on a bar from end to end of its interval; in percent."""
    found = []
    for at, (x, one) in enumerate(points):
        style, ends = f"r{number}", [(x, 100 * one.low), (x, 100 * one.high)]
        found += [Series("" if at else name, style, [(x, 100 * one.value)])]
        found += [Series("", f"{style} bound", ends)]
    return found
