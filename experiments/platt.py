"""Platt's scaling: chances of a model made to agree with how often it is right.

    P(so | p) = sigmoid(slope * logit(p) + shift)

fitted by maximum likelihood, with a weak pull towards changing nothing (Platt 1999).
"""

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

FARTHEST = 7.0  # of a logit: a chance beyond 0.999 is as good as any
PULL = 1.0  # claims that speak for slope 1 and shift 0
ROUNDS = 100
FOLDS = 5


class Platt(NamedTuple):
    slope: float = 1.0
    shift: float = 0.0

    def __call__(self, chances: Sequence[float] | np.ndarray) -> np.ndarray:
        return sigmoid(self.slope * logit(chances) + self.shift)


def logit(chances: Sequence[float] | np.ndarray) -> np.ndarray:
    least = 1 / (1 + np.exp(FARTHEST))
    clipped = np.clip(np.asarray(chances, float), least, 1 - least)
    return np.log(clipped / (1 - clipped))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def fit(chances: Sequence[float] | np.ndarray, so: Sequence[bool] | np.ndarray) -> Platt:
    """By Newton's method; what was likelier stays likelier."""
    x = np.stack([logit(chances), np.ones(len(chances))], 1)
    y, weights, prior = np.asarray(so, float), np.array([1.0, 0.0]), np.array([1.0, 0.0])
    for _ in range(ROUNDS):
        p = sigmoid(x @ weights)
        slope = x.T @ (p - y) + PULL * (weights - prior)
        curve = (x * (p * (1 - p))[:, None]).T @ x + PULL * np.eye(2)
        step = np.linalg.solve(curve, slope)
        weights = weights - step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            break
    return Platt(max(0.0, float(weights[0])), float(weights[1]))


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
