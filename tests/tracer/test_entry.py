"""The state before a call, without the call."""

import ast

import pytest

from tracer.entry import stub

SOURCE = '''\
import math

def area(r, scale=math.pi):
    """Of a circle."""
    total = (
        r * r
    )
    return total * scale

def twice(x): return 2 * x
'''


def test_a_body_gives_way_and_all_other_lines_stay():
    found = stub(SOURCE, "area(2)")
    assert (found.name, found.line) == ("area", 5)
    lines = found.source.split("\n")
    assert lines[4:8] == ["    pass", "", "", ""]
    assert len(lines) == len(SOURCE.split("\n")) and lines[9] == "def twice(x): return 2 * x"


def test_a_function_on_one_line_too():
    found = stub(SOURCE, "twice(2)")
    assert found.source.split("\n")[9] == "def twice(x): pass" and found.line == 10
    ast.parse(found.source)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("3 + 4", "no call of a function by its name"),
        ("math.sqrt(2)", "no call of a function by its name"),
        ("radius(2)", "no function 'radius' in the program; there are: area, twice"),
        ("area(", "no program"),
    ],
)
def test_what_is_no_call_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        stub(SOURCE, call)
