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


def test_the_copy_is_not_decorated_for_that_would_run_what_stands_around_it():
    found = stub("def loud(f):\n    print(f)\n\n@loud\ndef f(x):\n    return x\n", "f(1)")
    assert found.source.count("@loud") == 1


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    yield x\n",
        "def f(x):\n    if x:\n        y = yield\n",
        "async def f(x):\n    return x\n",
    ],
)
def test_a_call_that_runs_nothing_has_no_state_to_begin_with(text):
    with pytest.raises(ValueError, match="to call 'f' runs nothing of it"):
        stub(text, "f(1)")
    stub(f"def f(x):\n    return [*map(lambda: (yield), x)]\n{text.replace('f(', 'g(')}", "f(1)")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("3 + 4", "no call of a function by its name"),
        ("math.sqrt(2)", "no call of a function by its name"),
        ("radius(2)", "no function 'radius' in the program; there are: area, twice"),
        ("area(", r"'area\(' is no call of a function, as in f\(3\): '\(' was never closed"),
    ],
)
def test_what_is_no_call_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        stub(SOURCE, call)
