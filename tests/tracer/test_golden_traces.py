"""Traces of the programs in `traces/`, beside them as tables that a person can read.

The same table must come out on every Python. To write the tables anew, and then read the diff:

    pytest tests/tracer/test_golden_traces.py --record
"""

from pathlib import Path

import pytest
from programs import GOLDEN, golden_program

from tracer.__main__ import table_rows
from tracer.schema import Program, Trace
from tracer.trace import traced
from tracer.values import render


def table(program: Program) -> str:
    """One line per event: line, kind, statement, changes; and how the run ended."""
    run, events = traced(program)
    trace = Trace("", program.source, "", program.call, "", run.outcome, run.flags, "", events)
    rows = [
        (line, kind, first_line(text), changes) for line, kind, text, changes in table_rows(trace)
    ]
    width = max(len(statement) for _, _, statement, _ in rows)
    lines = [f"{l:>3}  {k:<9}  {s:<{width}}  {c}".rstrip() for l, k, s, c in rows]
    error = f": {render(run.error)}" if run.error else ""
    return "\n".join([*lines, " ".join([run.outcome, *run.flags]) + error, ""])


def first_line(statement: str) -> str:
    first, *rest = statement.split("\n")
    return f"{first} ..." if rest else first


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_trace_of_a_program_is_the_recorded_one(path: Path, request):
    found, recorded = table(golden_program(path)), path.with_suffix(".txt")
    if request.config.getoption("--record"):
        recorded.write_text(found)
    assert found.splitlines() == recorded.read_text().splitlines()
