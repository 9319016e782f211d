"""Free runs in which calls have frames of their own.

In `free` mode a call inside a statement is one step, whatever its function would do: what it
returns must be guessed. Here it is imagined, statement by statement, as `experiments.frames` goes
into it; the program's own functions are worked out, however deep, and none of them is learned.
"""

from collections.abc import Iterator, Sequence

from experiments.command import UserError
from experiments.frames import Frames, Moment
from experiments.free import Run, Start
from experiments.predict import MODES, Case, Prediction, Predictor, free_start, from_run
from experiments.walk import Walker

EVERY = (*MODES, "nested")
DEEPEST = 32  # frames, one on the other
MOST = 1024  # events of all frames


def predict(predictor: Predictor, cases: Sequence[Case], mode: str) -> Iterator[Prediction]:
    """In any of EVERY mode; see Predictor.predict."""
    if mode != "nested":
        yield from predictor.predict(cases, mode)
        return
    walker = Walker(predictor)
    for case in sorted(cases, key=lambda case: len(case.events)):
        start = free_start(case.trace.source, case.events)
        yield from_run(case, nested_run(Frames(walker, start.source, {}, start.limit), start))


def nested_run(frames: Frames, start: Start) -> Run:
    """To the end of the outermost frame, or as far as the limits allow."""
    moment, events, cut = Moment((frames.walker.begin(start.source, start.event),)), 0, False
    while events < MOST and len(moment.stack[0].path) <= start.limit:
        place = moment.place
        if place.ended and len(moment.stack) == 1:
            break
        try:
            moment = after(frames, moment)
        except UserError:  # a line beyond what the model was shown
            cut = True
            break
        events += 1
    outermost = moment.stack[0]
    steps = [place.step for place in outermost.path]
    return Run(outermost.names, outermost.script, steps, outermost.ended, cut)


def after(frames: Frames, moment: Moment) -> Moment:
    """One event on, in the frame of a call where there is one."""
    if moment.place.ended:
        return frames.leave(moment)[0]
    inner = frames.inner(moment) if len(moment.stack) < DEEPEST else None
    if inner:
        try:
            return frames.enter(moment, inner)
        except UserError:  # its arguments raise an exception: that is for the model to say
            pass
    return moment.at(frames.walker.advance(moment.place))
