"""How right a model is about the course of programs: what runs next, and what is raised."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.control import ENDS
from experiments.predict import Prediction, program_of
from experiments.score import mean, ratio_interval
from tracer.flow import NOWHERE
from tracer.values import render


class Move(NamedTuple):
    """One event of a frame, and the one that was expected in its place."""

    fork: bool  # it follows a header, and a line
    inside: bool  # the first line of the header's body
    true: tuple[str, int]  # kind and line
    predicted: tuple[str, int]
    raised: str | None  # the class of an exception that is raised here
    expected: str | None


def course(predictions: Sequence[Prediction]) -> dict[str, Any]:
    """Shares of what is right, each with the number of what there was.

    next_statement   of the lines that follow a header, with the share of the commoner way beside
    event            of all events: kind and line
    exception_type   of the exceptions raised: that one is raised, and its class
    path             of the calls: every event
    raises           of free runs: whether a call comes to an exception, as area under the curve
    """
    each = [list(moves(prediction)) for prediction in predictions]
    programs = [program_of(prediction.case) for prediction in predictions]
    forks = [[move for move in found if move.fork] for found in each]
    raised = [[move for move in found if move.raised] for found in each]
    inside = mean(float(move.inside) for found in forks for move in found)
    whole = [
        [not prediction.extra and all(map(same, found))]
        for prediction, found in zip(predictions, each, strict=True)
    ]
    claims = [
        (prediction.raises, any(move.raised for move in found))
        for prediction, found in zip(predictions, each, strict=True)
        if prediction.raises is not None
    ]
    return {
        "next_statement": share(programs, [[*map(same, found)] for found in forks])
        | {"majority": max(inside, 1 - inside)},
        "event": share(programs, [[*map(same, found)] for found in each]),
        "exception_type": share(programs, [[*map(named, found)] for found in raised]),
        "path": share(programs, whole),
        "raises": ranked(claims),
    }


def same(move: Move) -> bool:
    return move.predicted == move.true


def named(move: Move) -> bool:
    return move.predicted[0] == "exception" and move.expected == move.raised


def moves(prediction: Prediction) -> Iterator[Move]:
    case = prediction.case
    for step, (event, after) in enumerate(zip(case.events, case.events[1:], strict=False), 1):
        ways = case.ways.get(event.lineno, NOWHERE)
        there = step < len(prediction.turns)
        turn = prediction.turns[step][:2] if there else (ENDS[0], 0)
        raises = after.kind == "exception"
        yield Move(
            ways.fork and (event.kind, after.kind) == ("line", "line"),
            after.lineno == ways.inside,
            (after.kind, after.lineno),
            turn,
            class_of(render(after.arg)) if raises and after.arg else None,
            class_of(prediction.raised[step]) if there else None,
        )


def ranked(claims: Sequence[tuple[float, bool]]) -> dict[str, float]:
    """Area under the receiver operating characteristic: how often what is so was held likelier
    than what is not, ties counting half."""
    yes = np.array([chance for chance, so in claims if so])
    no = np.array([chance for chance, so in claims if not so])
    found = {"n": len(claims), "positives": len(yes)}
    if not len(yes) or not len(no):
        return found | {"auroc": math.nan}
    above = yes[:, None] > no
    return found | {"auroc": float((above + 0.5 * (yes[:, None] == no)).mean())}


def class_of(text: str | None) -> str | None:
    return None if text is None else text.partition("(")[0]


def share(programs: Sequence[str], right: Sequence[Sequence[bool]]) -> dict[str, Any]:
    """Of all that there is; `right` has the events of each call."""
    total, sizes = [sum(each) for each in right], [len(each) for each in right]
    accuracy = sum(total) / sum(sizes) if any(sizes) else math.nan
    interval = ratio_interval(programs, total, sizes) if any(sizes) else None
    return {"n": sum(sizes), "accuracy": accuracy, "ci95": interval}
