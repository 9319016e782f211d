"""Where a program goes next, from what a model says of the kind of event and of the branch."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tracer.detours import Open
from tracer.flow import END, LEFT, branch
from tracer.schema import KINDS

KIND = {kind: number for number, kind in enumerate(KINDS)}
YIELDS = re.compile(r"\b(yield|await)\b")
TINY = 1e-9  # certain is never all
ENDS = ("return", "unwind")  # events after which a frame has none


class Turn(NamedTuple):
    """An event that may come next in a frame."""

    kind: str
    line: int
    log_prob: float


def weighed(turns: Iterable[Turn]) -> list[Turn]:
    """With their probabilities among those that can be."""
    found = list(turns)
    total = np.logaddexp.reduce([turn.log_prob for turn in found])
    return [turn._replace(log_prob=float(turn.log_prob - total)) for turn in found]


def choose(turns: Sequence[Turn], draw: np.random.Generator | None = None) -> Turn:
    """The likeliest, or one that is drawn."""
    noise = np.zeros(len(turns)) if draw is None else draw.gumbel(size=len(turns))
    return max(zip(turns, noise, strict=True), key=lambda pair: pair[0].log_prob + pair[1])[0]


def of_all(kinds: Sequence[np.ndarray]) -> np.ndarray:
    """Log-probabilities of what kind of event a statement leads to, from those after each of its
    parts, [K]: an exception may come of any part, and all else of the last."""
    *others, last = kinds
    if not others:
        return last
    at = KIND["exception"]
    chances = np.exp([min(0, kind[at]) for kind in others])
    none = np.log1p(-np.minimum(chances, 1 - TINY)).sum()
    said = last + none
    said[at] = np.logaddexp(said[at], np.log(max(TINY, -np.expm1(none))))
    return said


def turns(
    kind: str, line: int, statement: str, here: Open, said: Mapping[str, np.ndarray]
) -> Iterator[Turn]:
    """What may follow an event, by the text of its statement. `said` holds log-probabilities of
    the labels: `kind` of an event, and `branch`.

    Whether a frame goes on or ends hangs on what waits in it, which the text tells better than the
    model: what that says of the end to which a detour leads is meant of the detour, and so on.
    """
    kinds, branches = said["kind"], said["branch"]

    def turn(kind: str, to: int = line, way: float = 0.0) -> Turn:
        return Turn(kind, to, float(kinds[KIND[kind]]) + way)

    if kind == "exception":
        yield turn("unwind") if here.raised == END else turn("line", here.raised)
        return
    if kind == "yield":
        yield turn("resume")
        return
    yield turn("exception")
    if YIELDS.search(statement):
        yield turn("yield")
    found = {kind_of(to) for to in here.lines}
    meant = [kinds[KIND[kind]] for kind in {kind_of(to) for to in here.aims} - found]

    def on(kind: str, to: int = line, way: float = 0.0) -> Turn:
        return Turn(kind, to, float(np.logaddexp.reduce([kinds[KIND[kind]], *meant])) + way)

    if END in here.lines:
        yield on("return")
    if LEFT in here.lines:
        yield on("unwind", here.left)
    odds = [branches[branch(here.told, to)] if here.fork else 0.0 for to in here.lines]
    whole = np.logaddexp.reduce(odds)
    for to, share in zip(here.lines, odds, strict=True):
        if to not in (END, LEFT):
            yield on("line", to, float(share - whole))


def kind_of(line: int) -> str:
    """Of the event by which a frame comes to a line, or to an end."""
    return {END: "return", LEFT: "unwind"}.get(line, "line")
