"""Exported traces as programs, to run them anew: with other limits, or on another Python."""

from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from tracer.records import read_traces
from tracer.schema import Program


def programs(path: str | PathLike[str]) -> Iterator[Program]:
    """Of a file that `experiments.export` wrote, or of a dataset folder."""
    for _, trace in read_traces(Path(path)):
        name = "__main__" if trace.input is None else "program"
        yield Program(trace.source, trace.input, trace.origin, name)
