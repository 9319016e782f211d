"""What a model that writes text (experiments.tokens) expects of calls: the trace that it writes of
each, read as a run in which every step is certain. A text that breaks off is a run that was cut.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from experiments.control import ENDS
from experiments.foreseen import Foreseen
from experiments.free import Run, Step
from experiments.others import entry_events
from experiments.tokens import generations, read_text_run, writing
from tracer.cells import encode
from tracer.cwm import Frame
from tracer.detours import Detours
from tracer.flow import LEFT
from tracer.schema import Trace, body
from tracer.script import Script, read_script
from tracer.values import Value

NOTHING = np.array([encode(None)[0]])  # the outcome of what has none


class Texts:
    """A run of experiments.tokens, ready to write."""

    def __init__(self, run_dir: Path):
        self.cfg, model = read_text_run(run_dir)
        self.write = writing(self.cfg, model)

    def foreseen(self, traces: Sequence[Trace], steps: int) -> list[Foreseen]:
        """One run of each call, of so many steps at most."""
        began = time.monotonic()
        written = dict(generations(self.cfg, self.write, traces, "free"))
        seconds = (time.monotonic() - began) / max(1, len(traces))
        runs = [run_of(trace, written.get(trace.id, ""), steps) for trace in traces]
        return [
            Foreseen(trace, [run], steps, seconds) for trace, run in zip(traces, runs, strict=True)
        ]


def run_of(trace: Trace, generation: str, steps: int) -> Run:
    first = body(trace)[0]
    script = read_script(trace.source, first.lineno)
    found, detours = [step("line", first.lineno)], script.detours
    for frame in entry_events(generation)[1:]:  # the first is given
        next_one = follow(script, detours, found[-1], frame)
        if next_one is None or len(found) > steps:
            break
        detours = detours.on(found[-1][:2], next_one[:2])
        found.append(next_one)
    ended = found[-1].kind in ENDS
    return Run((), script, found, ended, cut=not ended and len(found) <= steps)


def follow(script: Script, detours: Detours, last: Step, frame: Frame) -> Step | None:
    """None where the text has what cannot come: a statement that the frame has not."""
    if last.kind in ENDS:
        return None
    if frame.kind == "exception":
        raised = Value("exception", ((frame.arg or "").partition("(")[0], ()))
        rows = np.array([encode(raised)[0]])
        return step("exception", last.line)._replace(rows=rows, raises=1.0)
    here = detours.open(last.line)
    if frame.kind == "return":
        left = last.kind == "exception" or here.lines == (LEFT,)
        return step("unwind", here.left) if left else step("return", last.line)
    alike = [at for at, text in script.statements.items() if text == frame.source.strip()]
    line = next((at for at in alike if at in (*here.lines, here.raised)), next(iter(alike), None))
    return None if line is None else step("line", line)


def step(kind: str, line: int) -> Step:
    return Step(kind, line, NOTHING, 0.0, np.zeros(1))
