"""What a text model expects of a call: its text, read as a run."""

import pytest

from experiments.chances import raising, reaching, unending, unknown
from experiments.command import UserError
from experiments.foreseen import Foreseen, exceptions, halting
from experiments.text_runs import run_of
from experiments.tokens import read_text_run
from tracer import cwm
from tracer.sandbox import Sandbox
from tracer.schema import Trace

SOURCE = """\
def f(n):
    total = 0
    for k in range(n):
        total += 6 // (2 - k)
        if total > 100:
            return "much"
    return total
"""


@pytest.fixture(scope="module")
def box():
    with Sandbox() as box:
        yield box


def truth(trace: Trace) -> str:
    """What a model that knows everything would write."""
    return cwm.write(cwm.as_main(trace)).split(cwm.FRAME, 2)[2]


def expected(box, call: str, steps: int = 64):
    trace = box.run(SOURCE.encode(), call).trace
    return trace, run_of(trace, truth(trace), steps)


def test_a_call_that_returns_goes_the_way_that_it_goes(box):
    _, run = expected(box, "f(2)")
    assert [step.line for step in run.steps] == [2, 3, 4, 5, 3, 4, 5, 3, 7, 7]
    assert run.steps[-1].kind == "return" and run.ended and not run.cut
    assert (raising([run]), unending([run]), unknown([run])) == (0, 0, 0)
    assert reaching([run], 6) == 0 and reaching([run], 7) == 1


def test_an_exception_has_its_class_and_its_line(box):
    trace, run = expected(box, "f(3)")
    assert raising([run]) == 1 and reaching([run], 7) == 0
    found = exceptions([Foreseen(trace, [run], 64, 0.0)])
    assert found["raised"]["both"]["accuracy"] == 1


def test_a_run_of_so_many_steps_that_goes_on_does_not_end_in_them(box):
    trace, run = expected(box, "f(2)", steps=4)
    assert len(run.steps) == 5 and not run.ended and not run.cut
    assert halting([Foreseen(trace, [run], 4, 0.0)])["said"][0][1:] == [1.0, True]


@pytest.mark.parametrize("text", ["", "{", "nothing of the kind"])
def test_a_text_that_breaks_off_tells_nothing_of_the_rest(box, text):
    trace = box.run(SOURCE.encode(), "f(2)").trace
    whole = truth(trace).split(cwm.FRAME)
    for given in (text, cwm.FRAME.join([*whole[:5], text])):
        run = run_of(trace, given, 64)
        assert run.cut and unknown([run]) == 1 and raising([run]) == unending([run]) == 0


def test_a_statement_that_the_function_has_not_ends_what_is_known(box):
    trace = box.run(SOURCE.encode(), "f(2)").trace
    run = run_of(trace, truth(trace).replace("for k in range(n):", "for k in range(9):"), 64)
    assert [step.line for step in run.steps] == [2] and run.cut


def test_a_world_model_is_no_text_model(run):
    with pytest.raises(UserError, match="is no text model, of experiments.tokens"):
        read_text_run(run.folder)
