"""How much of a trace its CWM text gives back."""

from typing import NamedTuple

from tracer.cwm.reader import parse, resolve
from tracer.cwm.writer import Options, shown_events
from tracer.schema import Trace
from tracer.values import render


class Check(NamedTuple):
    frames: int  # with locals: the format has none at a return or exception
    locals: int
    lost: int  # locals that are not read back as they were


def check(trace: Trace, text: str, options: Options) -> Check:
    """Reads a text that was written of a trace, and compares all locals of all its frames."""
    found = resolve(parse(text).frames, strict=False)
    pairs = [
        ({name: render(value) for name, value in event.locals.items()}, state)
        for event, state in zip(shown_events(trace, options), found, strict=True)
        if state is not None
    ]
    lost = sum(len(dict(true.items() ^ state.items())) for true, state in pairs)
    return Check(len(pairs), sum(len(true) for true, _ in pairs), lost)
