"""Traces of the programs in `traces/`, beside them as tables that a person can read.

The same table must come out on every Python. To write the tables anew, and then read the diff:

    pytest tests/tracer/test_golden_traces.py --record
"""

from pathlib import Path

import pytest
from golden import table
from programs import GOLDEN, golden_program


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_trace_of_a_program_is_the_recorded_one(path: Path, request):
    found, recorded = table(golden_program(path)), path.with_suffix(".txt")
    if request.config.getoption("--record"):
        recorded.write_text(found)
    assert found.splitlines() == recorded.read_text().splitlines()
