"""The speed of the tracer, and of the way from its events to batches."""

import io
import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from experiments.data import train_batches
from experiments.measure import Cases, cost, measure, rate
from tracer.corpora.synthetic import programs
from tracer.encode import encode_trajectory, pieces
from tracer.layout import Layout
from tracer.sandbox import Sandbox
from tracer.schema import Program, Row, frames
from tracer.store import Dataset, Writer
from tracer.trace import Settings, run_program, steps, traced
from tracer.windows import pack

PROGRAM = """
def work(rounds):
    total = 0
    items = []
    for i in range(rounds):
        text = f'item {i % 7}'
        items = items[-3:] + [i % 5]
        total = total + len(text) * i
    return total
"""
EVENTS_PER_ROUND = 4
LIMIT = Settings(events=1_000_000)


def tracer(cfg: DictConfig, sizes: dict[str, Any]) -> Cases:
    rounds = max(1, cfg.events // EVENTS_PER_ROUND)
    program = Program(PROGRAM, f"work({rounds})")
    events = len(rows_of(program))
    sizes["traced"] = {"events": events, "locals": 5}
    with tempfile.TemporaryDirectory() as folder:
        work = load(Path(folder) / "traced.py")
        calls: dict[str, Callable[[], object]] = {
            "no tracing": lambda: work(rounds),
            "empty settrace function": lambda: with_empty_trace(lambda: work(rounds)),
            "tracer, typed values and effects": lambda: rows_of(program),
            "tracer, full states of all events": lambda: list(steps(traced(program, LIMIT)[1])),
        }
        for name, wrapped in others(work):
            calls[name] = lambda wrapped=wrapped: wrapped(rounds)
        # Of the processor's time: what else the machine does meanwhile is nobody's cost.
        cases = {
            name: cost(measure(call, cfg.runs, time.process_time), events, "µs/event")
            for name, call in calls.items()
        }
    with Sandbox() as box:
        sandboxed = measure(lambda: box.run_program(program), cfg.runs)
    return cases | {"sandbox, the same program": cost(sandboxed, events, "µs/event")}


def rows_of(program: Program) -> list[Row]:
    rows: list[Row] = []
    run_program(program, LIMIT, rows.append)
    return rows


def load(path: Path) -> Callable[[int], int]:
    """The function in a file of its own: some tracers read the source."""
    path.write_text(PROGRAM)
    names: dict[str, Any] = {"__name__": "traced", "__file__": str(path)}
    exec(compile(PROGRAM, str(path), "exec"), names)
    return names["work"]


def with_empty_trace(call: Callable[[], object]) -> None:
    def nothing(frame: Any, event: str, arg: Any) -> Any:
        return nothing

    before = sys.gettrace()
    sys.settrace(nothing)
    try:
        call()
    finally:
        sys.settrace(before)


def others(work: Callable) -> Iterator[tuple[str, Callable]]:
    """What is installed of the tracers that people use; they print, into nowhere."""
    if find_spec("pysnooper"):
        snoop = import_module("pysnooper").snoop
        yield "PySnooper", snoop(io.StringIO(), color=False)(work)
    if find_spec("snoop"):
        config = import_module("snoop").Config(out=io.StringIO(), color=False)
        yield "snoop", config.snoop(work)
    if find_spec("hunter"):
        hunter, filename = import_module("hunter"), work.__code__.co_filename

        def hunted(rounds: int) -> None:
            printer = hunter.VarsSnooper(stream=io.StringIO())
            with hunter.trace(filename=filename, action=printer):
                work(rounds)

        yield "hunter, VarsSnooper", hunted


def pipeline(cfg: DictConfig, sizes: dict[str, Any]) -> Cases:
    layout = Layout()
    with Sandbox() as box:
        traces = [box.run_program(program).trace for program in programs(cfg.programs)]
    calls = [events for trace in traces for events in frames(trace).values()]
    trajectories = [encode_trajectory(events, layout) for events in calls]
    cut = [piece for trajectory in trajectories for piece in pieces(trajectory, layout)]
    windows = list(pack(cut, layout))
    length = sum(len(events) for events in calls)
    sizes["pipeline"] = {"trajectories": len(calls), "steps": length, "windows": len(windows)}

    def encode() -> None:
        for events in calls:
            list(pieces(encode_trajectory(events, layout), layout))

    cases = {
        "encode": cost(measure(encode, cfg.runs), length, "µs/step"),
        "pack": cost(measure(lambda: list(pack(cut, layout)), cfg.runs), length, "µs/step"),
    }
    with tempfile.TemporaryDirectory() as folder:
        writer = Writer(Path(folder) / "dataset", layout)
        for window in windows:
            writer.write_window("train", window)
        writer.finish({})
        batches = train_batches(Dataset(Path(folder) / "dataset"), cfg.batch_size, seed=0)
        epoch = max(4, len(windows) // cfg.batch_size)
        read = measure(lambda: list(itertools.islice(batches, epoch)), cfg.runs)
    fill = np.mean([window["mask"].mean() for window in windows])
    used = float(fill) * epoch * cfg.batch_size * layout.steps
    return cases | {"read shuffled batches": rate(read, used, "steps/s")}
