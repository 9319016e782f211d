"""The code of a frame: what it binds, and which statements it can reach."""

import pytest

from tracer.script import read_script

SOURCE = """\
def double(x): return 2 * x

def outer(items, start=0):
    total = start
    def inner(y):
        return y + total
    for item in items:
        total += inner(item)
    squares = [each * each for each in items]
    return total
"""


def test_variables_come_with_the_arguments_first():
    assert read_script(SOURCE, 4).names[:2] == ("items", "start")
    assert {"total", "inner", "item", "squares"} <= set(read_script(SOURCE, 4).names)
    assert read_script(SOURCE, 6).names == ("y", "total")
    assert read_script(SOURCE, 1).names == ("x",)


def test_only_statements_of_the_frame_can_be_reached():
    script = read_script(SOURCE, 4)
    assert list(script.statements) == [4, 5, 7, 8, 9, 10]
    assert script.statements[7] == "for item in items:"
    assert 8 in script and 6 not in script and 0 not in script


def test_a_lambda_or_a_function_on_the_first_line_is_not_the_frame():
    source = "def f(xs):\n    key = lambda x: -x\n    return sorted(xs, key=key)\n"
    assert read_script(source, 2).names == ("xs", "key")
    source = "def f(xs):\n    def key(x): return -x\n    return sorted(xs, key=key)\n"
    assert read_script(source, 2).names == ("xs", "key")


def test_a_module_has_the_variables_that_it_binds_and_no_others():
    source = "import math\nfor x in range(3):\n    print(math.sqrt(x))\ny = x\n"
    assert read_script(source, 1).names == ("math", "x", "y")


def test_what_is_no_program_is_told():
    with pytest.raises(ValueError, match="no program"):
        read_script("x ==== 1", 1)
