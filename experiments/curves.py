"""How routes scale: accuracy at several sizes or on shares of the data, and the slope."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from experiments.charts import Chart, logarithmic
from experiments.compare import RESAMPLES, Interval
from experiments.plots import curve_chart

NORMAL = 1.96  # standard deviations to either end of 95 %
LEAST = 1e-3  # of wrong effects
AXES = {"params": "parameters", "data": "training windows"}


class Curve(NamedTuple):
    route: str
    by: str  # a key of AXES
    points: list[tuple[float, Interval]]  # effects that are right in open loop

    def slope(self) -> Interval:
        """b of the least-squares fit log(wrong) = a + b log(x), wrong the share of effects that
        are: ten times as much leaves 10^b of the errors. NaN of fewer than two points. Its interval
        is that of fits to points drawn from a normal distribution each, as wide as its own."""
        found = [(x, at) for x, at in self.points if 0 <= at.value < 1]
        if len({x for x, _ in found}) < 2:
            return Interval(math.nan, math.nan, math.nan)
        xs = np.log([x for x, _ in found])
        right = np.array([at.value for _, at in found])
        spread = np.array([(at.high - at.low) / (2 * NORMAL) for _, at in found])
        draw = np.random.default_rng(0)
        drawn = right + spread * draw.standard_normal((RESAMPLES, len(found)))
        wrong = np.log(np.maximum(1 - np.vstack([right, drawn]), LEAST))
        slopes = np.polyfit(xs, wrong.T, 1)[0]
        low, high = np.percentile(slopes[1:], [2.5, 97.5])
        return Interval(float(slopes[0]), float(low), float(high))


def curve_charts(curves: Sequence[Curve]) -> dict[str, Chart]:
    """By name of file."""
    found = {}
    for by, what in AXES.items():
        there = {curve.route: sorted(curve.points) for curve in curves if curve.by == by}
        xs = sorted({x for points in there.values() for x, _ in points})
        if len(xs) > 1:
            title = f"effects right in open loop, %, by {what}"
            if plot := curve_chart(there, title, logarithmic(what, xs)):
                found[f"scaling_{by}"] = plot
    return found
