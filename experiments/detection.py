"""How well chances tell what is so from what is not: ranking, verdicts at one half, calibration."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.calibration import Claim
from experiments.calibration import figures as reliability
from experiments.course import ranked
from experiments.scales import cross_fitted, fit, folds

RESAMPLES = 300


class Said(NamedTuple):
    """That something is so, with a chance."""

    program: str
    chance: float
    so: bool


def detection(said: Sequence[Said]) -> dict[str, Any]:
    """Figures with 95 % intervals by a bootstrap over programs.

    auroc      how often what is so was held likelier than what is not
    accuracy   of the verdict that it is so, from a scaled chance of one half
    precision, recall, f1   of the verdict from that scaled chance that gave the best F1 on others
    ece, brier        of the chances as they are
    ece_scaled, brier_scaled   of those scaled by beta calibration, fitted on other programs
    ece_least  what chances like the scaled ones come to if they are just right, for so many claims
    majority   accuracy of the commoner answer; f1_always, of saying that all is so
    """
    if not said:
        return {"n": 0, "said": []}
    programs, chances, so = zip(*said, strict=True)
    p, y = np.array(chances, float), np.array(so, bool)
    scaled, yes = cross_fitted(chances, so, programs), judged(chances, so, programs)
    share = float(y.mean())
    return {
        "n": len(said),
        "programs": len(set(programs)),
        "positives": int(y.sum()),
        **measured(p, scaled, yes, y),
        "ece_least": least(scaled),
        "majority": max(share, 1 - share),
        "f1_always": 2 * share / (1 + share),
        "scale": fit(p, y)._asdict(),
        "said": [list(each) for each in said],
        "bins": reliability(claims(scaled, y))["bins"],
        "ci95": resampled(programs, lambda at: measured(p[at], scaled[at], yes[at], y[at])),
    }


def measured(p: np.ndarray, scaled: np.ndarray, yes: np.ndarray, y: np.ndarray) -> dict[str, float]:
    return {
        "auroc": ranked([*zip(p.tolist(), y.tolist(), strict=True)])["auroc"],
        **verdicts(yes, y),
        "accuracy": float(((scaled >= 0.5) == y).mean()),
        "ece": reliability(claims(p, y))["ece"],
        "ece_scaled": reliability(claims(scaled, y))["ece"],
        "brier": float(((p - y) ** 2).mean()),
        "brier_scaled": float(((scaled - y) ** 2).mean()),
    }


def judged(chances: Sequence[float], so: Sequence[bool], programs: Sequence[str]) -> np.ndarray:
    """Whether each is taken to be so: from the chance on that had the best F1 on other programs."""
    p, y = np.array(chances, float), np.array(so, bool)
    yes = np.zeros(len(p), bool)
    for own in folds(programs):
        yes[own] = p[own] >= threshold(p[~own], y[~own])
    return yes


def threshold(p: np.ndarray, y: np.ndarray) -> float:
    """Half way between two chances; one half where there are none."""
    steps = np.unique(p)
    if not len(steps):
        return 0.5
    between = [float(steps[0]), *((steps[1:] + steps[:-1]) / 2).tolist()]
    return max(between, key=lambda each: (y & (p >= each)).sum() / ((p >= each).sum() + y.sum()))


def verdicts(yes: np.ndarray, so: np.ndarray) -> dict[str, float]:
    """Of what was said to be so; without a yes, precision is not a number."""
    both, nan = float((yes & so).sum()), float("nan")
    return {
        "precision": both / float(yes.sum()) if yes.any() else nan,
        "recall": both / float(so.sum()) if so.any() else nan,
        "f1": 2 * both / float(yes.sum() + so.sum()) if (yes | so).any() else nan,
    }


def claims(chances: np.ndarray, so: np.ndarray) -> list[Claim]:
    return [Claim(float(p), bool(y)) for p, y in zip(chances, so, strict=True)]


def least(chances: np.ndarray) -> float:
    """The error of so many chances of which each is right, in the mean."""
    draw = np.random.default_rng(0)
    errors = [
        reliability(claims(chances, draw.random(len(chances)) < chances))["ece"] for _ in range(100)
    ]
    return float(np.mean(errors))


def resampled(
    programs: Sequence[str], measure: Callable[[np.ndarray], dict[str, float]]
) -> dict[str, list[float]]:
    """95 % intervals of figures of rows, by a bootstrap over programs."""
    members: dict[str, list[int]] = {}
    for row, program in enumerate(programs):
        members.setdefault(program, []).append(row)
    groups = [np.array(rows) for rows in members.values()]
    if len(groups) < 2:
        return {}
    draw, found = np.random.default_rng(0), list[dict[str, float]]()
    for _ in range(RESAMPLES):
        again = draw.integers(len(groups), size=len(groups))
        found.append(measure(np.concatenate([groups[each] for each in again])))
    ends = {}
    for name in found[0]:
        values = np.array([each[name] for each in found])
        values = values[np.isfinite(values)]
        if len(values):
            ends[name] = [float(x) for x in np.percentile(values, [2.5, 97.5])]
    return ends
