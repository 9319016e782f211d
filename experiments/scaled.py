"""Chances as they are worth: scaled by what `experiments.foresight` found on calls that ended.

Scales hold for calls like those that were measured, of which as many raise, hang or do harm: where
far fewer do, scaled chances are too large. And they hold for as many runs of as many steps.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from experiments.command import UserError, first_line
from experiments.scales import Chances, Scale


class Fitted(NamedTuple):
    """A scale of a file."""

    yes: float
    no: float
    shift: float
    runs: Sequence[int]  # imagined of each call that it was fitted on: numbers that there were
    steps: Sequence[int]  # of these runs

    def __call__(self, chances: Chances) -> np.ndarray:
        return Scale(self.yes, self.no, self.shift)(chances)


Scales = Mapping[str, Callable[[Chances], np.ndarray]]  # by measure of experiments.foresight
UNSCALED: Scales = MappingProxyType({})


def scaled(scales: Scales, measure: str, chance: float) -> float:
    scale = scales.get(measure)
    return chance if scale is None else float(scale([chance])[0])


def read_scales(file: str | None) -> dict[str, Fitted]:
    """Of a file that `experiments.foresight` wrote; None has none."""
    if file is None:
        return {}
    try:
        found = json.loads(Path(file).read_text())
    except ValueError as error:
        raise UserError(f"{file} is no JSON file: {first_line(error)}") from error
    scales = found.get("scales") if isinstance(found, dict) else None
    if not isinstance(scales, dict) or not scales:
        raise UserError(f"{file} has no scales: give one that experiments.foresight wrote")
    return {measure: read_scale(file, measure, scale) for measure, scale in scales.items()}


def read_scale(file: str, measure: str, scale: object) -> Fitted:
    wanted = f"{', '.join(Fitted._fields[:-1])} and {Fitted._fields[-1]}"
    if not isinstance(scale, dict) or scale.keys() != {*Fitted._fields}:
        raise UserError(f"{file}: the scale of {measure} must have {wanted}, and nothing else")
    *weights, runs, steps = (scale[name] for name in Fitted._fields)
    numbers = all(isinstance(x, int | float) for x in weights)
    lists = all(isinstance(x, list) and all(isinstance(n, int) for n in x) for x in (runs, steps))
    if not numbers or not lists:
        raise UserError(f"{file}: the scale of {measure} has something else than numbers")
    return Fitted(**scale)


def fitted_otherwise(scales: Mapping[str, Fitted], runs: int, steps: int) -> str | None:
    """What there is to say where scales were fitted on other numbers than are asked for."""
    others = [name for name, s in scales.items() if [*s.runs, *s.steps] != [runs, steps]]
    if not others:
        return None
    first = scales[others[0]]
    counts = [" or ".join(map(str, each)) for each in (first.runs, first.steps)]
    return (
        f"the scales of {', '.join(others)} were not fitted on {runs} runs of {steps} steps, but "
        f"({others[0]}) on {counts[0]} of {counts[1]}: scaled chances may be off"
    )
