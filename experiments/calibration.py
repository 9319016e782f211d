"""Are probabilities what they say? Reliability, and accuracy on what a model is surest of."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.predict import Prediction, held_frame, true_frame

BINS = 10
COVERAGES = (0.1, 0.25, 0.5, 0.75, 1.0)


class Claim(NamedTuple):
    """Something that was said to be so with a probability."""

    probability: float
    right: bool


def calibration(predictions: Iterable[Prediction], mode: str) -> dict[str, Any]:
    """Of whole states, and of the values that the model decided on, each with all that it was
    made of; in a free run, of that it comes to the event too."""
    states, values = [], []
    for prediction in predictions:
        case, names, path = prediction.case, prediction.names, 0.0
        for step, worth in enumerate(prediction.worths[1:], 1):
            true, expected = true_frame(case.events[step]), prediction.frames[step]
            before = held_frame(case, step - 1) if mode == "filter" else prediction.frames[step - 1]
            path += prediction.turns[step].log_prob if mode in ("free", "nested") else 0.0
            whole = path + worth.together(range(len(names)))
            states.append(Claim(math.exp(min(0.0, whole)), true == expected))
            for name, log_prob in zip(names, worth.log_probs, strict=False):
                if log_prob < 0 or expected.get(name) != before.get(name):
                    right = true.get(name) == expected.get(name)
                    values.append(Claim(math.exp(min(0.0, path + log_prob)), right))
    return {"states": figures(states), "values": figures(values)}


def figures(claims: Sequence[Claim]) -> dict[str, Any]:
    """`ece` is the expected calibration error (arXiv:1706.04599), over bins of equal width;
    `selective` the accuracy on the surest share."""
    if not claims:
        return {"n": 0}
    probability, right = np.array(claims, float).T
    order = np.argsort(-probability, kind="stable")
    number = np.minimum((probability * BINS).astype(int), BINS - 1)
    bins = [
        {
            "n": int(there.sum()),
            "probability": float(probability[there].mean()),
            "accuracy": float(right[there].mean()),
        }
        for at in range(BINS)
        if (there := number == at).any()
    ]
    gaps = sum(each["n"] * abs(each["probability"] - each["accuracy"]) for each in bins)
    return {
        "n": len(claims),
        "ece": gaps / len(claims),
        "bins": bins,
        "selective": {
            f"{share:g}": float(right[order[: max(1, round(share * len(claims)))]].mean())
            for share in COVERAGES
        },
    }
