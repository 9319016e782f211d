"""Line charts as geometry: where lines, dots and ticks lie; templates/charts.jinja draws them."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 340, 190
LEFT, RIGHT, TOP, BOTTOM = 40, WIDTH - 10, 10, HEIGHT - 36  # of the plotted area

Point = tuple[float, float]


class Series(NamedTuple):
    name: str
    style: str  # a class of templates/report.css
    points: list[Point]


class Axis(NamedTuple):
    name: str
    ticks: list[float]  # the first and the last are the ends
    log: bool = False
    names: tuple[str, ...] = ()  # of the ticks, in place of numbers

    def share(self, value: float) -> float:
        """0 at the first tick, 1 at the last."""
        scale: Callable[[float], float] = math.log if self.log else float
        low, high = scale(self.ticks[0]), scale(self.ticks[-1])
        return (scale(value) - low) / (high - low)


class Dot(NamedTuple):
    x: float
    y: float
    text: str


class Line(NamedTuple):
    name: str
    style: str
    path: str
    dots: list[Dot]


class Chart(NamedTuple):
    title: str
    x_name: str
    xs: list[Dot]  # ticks
    ys: list[Dot]
    lines: list[Line]


def chart(title: str, series: list[Series], x: Axis, y: Axis, dots: bool = True) -> Chart | None:
    """None when there is nothing to draw."""

    def place(point: Point) -> Point:
        return _along(LEFT, RIGHT, x.share(point[0])), _along(BOTTOM, TOP, y.share(point[1]))

    lines = []
    for one in series:
        places = [place(point) for point in one.points]
        path = " ".join(f"{at},{up}" for at, up in places)
        names = [f"{one.name}: {up:.3g} at {at:g}" for at, up in one.points]
        marks = [Dot(*at, name) for at, name in zip(places, names, strict=True)]
        lines.append(Line(one.name, one.style, path, marks if dots else []))
    named = x.names or [f"{tick:g}" for tick in x.ticks]
    places = [_along(LEFT, RIGHT, x.share(tick)) for tick in x.ticks]
    xs = [Dot(at, BOTTOM, name) for at, name in zip(places, named, strict=True)]
    ys = [Dot(LEFT, _along(BOTTOM, TOP, y.share(tick)), f"{tick:g}") for tick in y.ticks]
    drawn = any(one.points for one in series)
    return Chart(title, x.name, xs, ys, lines) if drawn else None


def linear(name: str, values: Iterable[float]) -> Axis:
    """Ticks at round numbers that hold all values between them."""
    values = list(values) or [0.0]
    low, high = min(values), max(values)
    step = _round_up((high - low) / 4) if high > low else 1.0
    first, last = math.floor(low / step), math.ceil(high / step)
    last = max(last, first + 1)
    return Axis(name, [float(f"{step * number:.6g}") for number in range(first, last + 1)])


def logarithmic(name: str, values: Iterable[float]) -> Axis:
    """Ticks at 1, 2 and 5 times the powers of ten, or at the powers alone when they are many."""
    values = list(values) or [1.0]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    ticks = [10.0**power * digit for power in range(low, high + 1) for digit in (1, 2, 5)]
    first = max(number for number, tick in enumerate(ticks) if tick <= min(values))
    last = min(number for number, tick in enumerate(ticks) if tick >= max(values))
    kept = ticks[first : max(last, first + 1) + 1]
    if len(kept) > 6:
        kept = [10.0**power for power in range(low, max(high, low + 1) + 1)]
    return Axis(name, [float(f"{tick:.6g}") for tick in kept], log=True)


def categories(names: Sequence[str]) -> Axis:
    """0, 1, 2, ..., each with its name, and room at both ends."""
    ticks = [-0.5, *map(float, range(len(names))), len(names) - 0.5]
    return Axis("", ticks, names=("", *names, ""))


def thin(points: list[Point], count: int = 240) -> list[Point]:
    """At most so many points: means over stretches of equal length."""
    size = math.ceil(len(points) / count)
    parts = [points[start : start + size] for start in range(0, len(points), size or 1)]
    return [(part[-1][0], sum(value for _, value in part) / len(part)) for part in parts]


def _round_up(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= step * 0.999)


def _along(start: float, stop: float, share: float) -> float:
    return round(start + (stop - start) * share, 1)
