"""How routes scale: accuracy at several sizes or on shares of the data, and the slope."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from experiments.charts import Chart, Series, linear, logarithmic
from experiments.compare import Interval, drawn

AXES = {"params": "parameters", "data": "training windows"}


class Curve(NamedTuple):
    route: str
    by: str  # a key of AXES
    points: list[tuple[float, Interval]]  # effects that are right in open loop

    def slope(self) -> float:
        """b of the least-squares fit log(wrong) = a + b log(x), wrong the share of effects that
        are: ten times as much leaves 10^b of the errors. NaN of fewer than two points."""
        found = [(x, 1 - at.value) for x, at in self.points if 0 <= at.value < 1]
        if len({x for x, _ in found}) < 2:
            return math.nan
        xs, wrong = np.log(np.array(found)).T
        return float(np.polyfit(xs, wrong, 1)[0])


def curve_charts(curves: Sequence[Curve]) -> dict[str, Chart]:
    """By name of file."""
    found = {}
    names = list(dict.fromkeys(curve.route for curve in curves))
    for by, what in AXES.items():
        there = [curve for curve in curves if curve.by == by]
        xs = sorted({x for curve in there for x, _ in curve.points})
        if len(xs) < 2:
            continue
        lines, bounds = [], []
        for curve in there:
            style = f"r{names.index(curve.route)}"
            points = sorted(curve.points)
            lines.append(Series(curve.route, style, [(x, 100 * at.value) for x, at in points]))
            for end in (1, 2):
                ends = [(x, 100 * at[end]) for x, at in points]
                bounds.append(Series("", f"{style} bound", ends))
        highest = max(y for one in bounds for _, y in one.points)
        axes = logarithmic(what, xs), linear("", [0, highest])
        if plot := drawn(f"effects right in open loop, %, by {what}", lines, bounds, *axes):
            found[f"scaling_{by}"] = plot
    return found
