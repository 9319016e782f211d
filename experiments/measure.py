"""How long something takes: a median over runs, with the least and the greatest beside it."""

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple


class Case(NamedTuple):
    """A figure: what was measured so many times."""

    median: float
    low: float
    high: float
    unit: str
    runs: int


Cases = dict[str, Case]


Clock = Callable[[], float]


def measure(call: Callable[[], object], runs: int, clock: Clock = time.perf_counter) -> list[float]:
    """Seconds of each run, after one that warms up."""
    return [seconds(call, clock) for _ in range(runs + 1)][1:]


def seconds(call: Callable[[], object], clock: Clock = time.perf_counter) -> float:
    began = clock()
    call()
    return clock() - began


def cost(found: list[float], per: float, unit: str) -> Case:
    """Seconds as a time of each of `per` things."""
    return case([1e6 * t / per if unit.startswith("µs") else 1e3 * t / per for t in found], unit)


def rate(found: list[float], things: float, unit: str) -> Case:
    return case([things / t for t in found], unit)


def case(values: list[float], unit: str) -> Case:
    return Case(statistics.median(values), min(values), max(values), unit, len(values))
