"""The state before a call, without the call."""

import ast

import pytest

from tracer.entry import stub
from tracer.schema import Program
from tracer.trace import traced

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


def test_the_program_stays_as_it_is_but_for_an_empty_copy_of_the_function():
    found = stub(SOURCE, "area(area(2), scale=1)")
    assert (found.function, found.name, found.line) == ("area", "area_", 5)
    assert found.call == "area_(area(2), scale=1)"
    lines = found.source.split("\n")
    assert lines[8:10] == ["def area_(r, scale=math.pi):", "    pass"] and found.at == 10
    assert "\n".join(lines[:8] + lines[10:]) == SOURCE


def test_a_function_on_one_line_too():
    found = stub(SOURCE, "twice(2)")
    assert found.line == 10 and found.source.endswith("def twice_(x):\n    pass\n")
    ast.parse(found.source)


def test_the_copy_begins_with_the_globals_of_the_function():
    source = (
        'rate, count, calls = 3, 0, 0\ndef f(x):\n    """Count."""\n    global calls\n'
        "    calls += 1\n    return x * rate\n"
    )
    found = stub(source, "f(2)")
    _, events = traced(Program(found.source, found.call, "f", "files"))
    states = [event.locals for event in events if event.lineno == found.at]
    assert states[0].keys() == {"x", "rate", "calls"} and found.line == 5


def test_the_copy_has_a_name_that_nothing_else_has():
    assert stub("def f(f_): return f_\n", "f(f__)").name == "f___"


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
