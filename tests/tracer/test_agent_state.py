"""What a terminal shows, as a small typed state."""

import pytest

from tracer.agent.state import State, after_command, failure, last_line, steady
from tracer.sandbox.shell import Reply
from tracer.values import Value

TRACEBACK = """\
Traceback (most recent call last):
  File "a.py", line 3, in <module>
KeyError: 'x'

During handling of the above exception, another exception occurred:

json.decoder.JSONDecodeError: Expecting value: line 1
"""
FAILED = """\
.F.F                                                                     [100%]
/work/stack.py:7: IndexError: pop from empty list
/work/test_stack.py:20: AssertionError: assert 1 == 2
FAILED test_stack.py::TestStack::test_pop[a b] - IndexError: pop from empty list
FAILED test_stack.py::test_push - AssertionError: assert 1 == 2
2 failed, 2 passed, 1 xfailed in 0.31s
"""
BROKEN = """\
E     File "/work/stack.py", line 7
E   SyntaxError: invalid syntax
=========================== short test summary info ============================
ERROR test_stack.py
!!!!!!!!!!!!!!!!!!!! Interrupted: 1 error during collection !!!!!!!!!!!!!!!!!!!!
1 error in 0.64s
"""


def after(command: str, text: str, status: int | None, timed_out: bool = False) -> State:
    return after_command(State(), command, Reply(text, status, timed_out, False), 0)


@pytest.mark.parametrize(
    "text, error",
    [
        (TRACEBACK, "JSONDecodeError"),
        ("  File x\n    f(\nSyntaxError: '(' was never closed\n", "SyntaxError"),
        ("cat: nope: No such file or directory\n", "FileNotFoundError"),
        ("mkdir: cannot create directory 'a': File exists\n", "FileExistsError"),
        ("/bin/bash: line 4: ./a: Permission denied\n", "PermissionError"),
        ("/bin/bash: line 4: spam: command not found\n", "FileNotFoundError"),
        ("python: No module named spam\n", "ModuleNotFoundError"),
        ("no\n", None),
        ("", None),
    ],
)
def test_a_command_that_fails_has_the_class_of_the_last_error_that_it_shows(text, error):
    assert after("python a.py", text, 1).error == error
    assert after("python a.py", text, 0).error is None  # whatever the text speaks of


def test_a_command_that_took_too_long_has_an_error_of_its_own():
    assert after("sleep 60", "", -9, timed_out=True) == State(-9, error="TimeoutError")


def test_tests_are_counted_and_the_first_failure_is_the_error():
    state = after("python -m pytest test_stack.py", FAILED, 1)
    assert state == State(1, 0, passed=2, failed=2, error="IndexError")
    assert failure(FAILED) == "test_pop"
    assert after("pytest", BROKEN, 2) == State(2, 0, passed=0, failed=1, error="SyntaxError")
    assert after("pytest", "....\n4 passed in 0.01s\n", 0) == State(0, 0, passed=4, failed=0)
    plain = "/work/a.py:3: assert 1 == 2\n/work/a.py:9: KeyError: 1\n2 failed in 0.01s\n"
    assert after("pytest", plain, 1) == State(1, 0, passed=0, failed=2, error="AssertionError")
    missing = "\nno tests ran in 0.00s\nERROR: file or directory not found: a.py\n"
    assert after("pytest a.py", missing, 4) == State(4, 0, 0, 0, "FileNotFoundError")
    assert after("pytest", "Killed", 137) == State(137)


def test_what_is_said_of_tests_stays_until_they_are_run_again():
    tested = State(1, 1, passed=3, failed=2, error="TypeError")
    assert after_command(tested, "ls", Reply("a\n", 0, False, False), 2) == State(0, 2, 3, 2, None)


def test_times_and_addresses_are_no_part_of_a_response():
    text = "<A object at 0x7f3c5d0a>\n3 passed in 0.12s\n"
    assert steady(text) == "<A object at 0x...>\n3 passed\n"


def test_a_last_line_is_whole_or_marked():
    assert last_line("a\n  42 \n\n") == Value("str", "42")
    assert last_line("\n") == Value("str", "")
    assert last_line("x" * 40) == Value("str", "x" * 31, 40)


def test_an_error_is_a_value_of_three_symbols():
    values = State(1, error="TypeError").values()
    assert values["error"] == Value("exception", ("TypeError", ()))
    assert values["failed"] == State().values()["error"] == Value("NoneType", None)
