"""Beta calibration: chances of a model made to agree with how often it is right.

    P(so | p) = sigmoid(yes log p - no log(1 - p) + shift)

fitted by maximum likelihood, with a weak pull towards changing nothing (Kull, Silva Filho and Flach
2017). With yes = no it is Platt's scaling; apart, they tell a chance of nearly 0 that is too sure
from one of nearly 1 that is.
"""

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

Chances = Sequence[float] | np.ndarray
LEAST = 0.001  # a chance that is nearer to 0 or 1 is as good as this one
PULL = 1.0  # claims that speak for the chances as they are
ROUNDS = 100
FOLDS = 5


class Scale(NamedTuple):
    yes: float = 1.0
    no: float = 1.0
    shift: float = 0.0

    def __call__(self, chances: Chances) -> np.ndarray:
        return sigmoid(features(chances) @ np.array(self))


def features(chances: Chances) -> np.ndarray:
    p = np.clip(np.asarray(chances, float), LEAST, 1 - LEAST)
    return np.stack([np.log(p), -np.log(1 - p), np.ones(len(p))], 1)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def fit(chances: Chances, so: Sequence[bool] | np.ndarray) -> Scale:
    """By Newton's method; what was likelier does not become less likely."""
    x, y = features(chances), np.asarray(so, float)
    same = np.array(Scale())
    weights = same.copy()
    for _ in range(ROUNDS):
        p = sigmoid(x @ weights)
        slope = x.T @ (p - y) + PULL * (weights - same)
        curve = (x * (p * (1 - p))[:, None]).T @ x + PULL * np.eye(len(same))
        step = np.linalg.solve(curve, slope)
        weights = weights - step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            break
    yes, no, shift = map(float, weights)
    return Scale(max(0.0, yes), max(0.0, no), shift)


def cross_fitted(
    chances: Sequence[float], so: Sequence[bool], programs: Sequence[Hashable]
) -> np.ndarray:
    """Each chance scaled by what was fitted on other programs."""
    p, y = np.asarray(chances, float), np.asarray(so, bool)
    scaled = np.zeros(len(p))
    for own in folds(programs):
        scaled[own] = fit(p[~own], y[~own])(p[own])
    return scaled


def folds(programs: Sequence[Hashable]) -> Iterator[np.ndarray]:
    """Which claims are of each fold; those of one program are of one."""
    number = {program: n for n, program in enumerate(dict.fromkeys(programs))}
    fold = np.array([number[program] % FOLDS for program in programs])
    yield from (fold == each for each in range(FOLDS))
