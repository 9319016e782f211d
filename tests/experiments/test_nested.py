"""Free runs in which calls have frames of their own."""

import numpy as np
import pytest

from experiments import nested
from experiments.begin import begin
from experiments.calls import functions
from experiments.command import UserError
from experiments.evaluate import evaluate
from experiments.frames import Frames, Moment, bound
from experiments.free import Run, Start, free_runs
from experiments.nested import nested_run, predict
from experiments.walk import Walker
from tracer.sandbox import Sandbox
from tracer.schema import Event, frames

CALLS = """\
def double(x, by=2):
    return x * by


def fill(xs, n):
    '''With itself.'''
    xs.append(n)
    return xs


def f(n):
    xs = [n]
    fill(xs, double(n))
    return xs
"""
ENDLESS = """\
def f(n):
    return f(n + 1)
"""


@pytest.fixture(scope="module")
def walker(predictor) -> Walker:
    return Walker(predictor)


@pytest.fixture(scope="module")
def truth() -> list[list[Event]]:
    """The events of the frames of f, double and fill, from their first statements on."""
    with Sandbox() as box:
        found = frames(box.run(CALLS.encode(), "f(3)").trace).values()
    return [[event for event in events if event.kind != "call"] for events in found]


def run(walker: Walker, source: str, call: str, limit: int = 24) -> Run:
    start = Start(source, begin(source, call, {}, limit).event, limit)
    return nested_run(Frames(walker, source, {}, limit), start)


@pytest.mark.parametrize(
    "call",
    ["double(3)", "double(-3, 1 + 1)", "double(by='a', x=2)", "fill([1], None)", "f({1: 2})"],
)
def test_a_plain_call_begins_as_if_it_were_run(call):
    function = functions(CALLS)[call.partition("(")[0]]
    event, run = bound(function, call), begin(CALLS, call, {}, 9).event
    assert (event.kind, event.lineno, event.locals) == (run.kind, run.lineno, run.locals)


@pytest.mark.parametrize("call", ["double()", "double(1, 2, 3)", "double(1, z=2)", "double(1 / 0)"])
def test_a_call_that_cannot_be_is_not_entered(walker, call):
    assert bound(functions(CALLS)["double"], call) is None
    with pytest.raises(UserError):
        begin(CALLS, call, {}, 9)


def test_a_call_goes_through_its_frame_and_its_result_stands_in_its_place(walker, truth):
    outer, double, fill = truth
    go = Frames(walker, CALLS, {}, 9)
    moment = Moment((walker.follow(CALLS, outer[:2], 0),))
    inner = go.inner(moment)
    assert inner.call == "double(3)"
    moment = go.enter(moment, inner)
    assert len(moment.stack) == 2 and moment.place.values == {"x": "3", "by": "2"}
    moment, note = go.leave(moment.at(walker.follow(CALLS, double, 1)))
    assert moment.place.text == "fill(xs, 6)" and not note
    inner = go.inner(moment)
    assert inner.call == "fill([3], 6)"
    moment = go.enter(moment, inner)
    assert moment.place.step.line == 7
    moment, note = go.leave(moment.at(walker.follow(CALLS, fill, 1)))
    assert moment.place.text == "[3, 6]"
    assert moment.place.values["xs"] == "[3, 6]"  # what was done to it there is done here


def test_globals_that_two_frames_use_are_the_same_in_both(walker):
    source = (
        "rate, log = 3, []\ndef g(x):\n    log.append(x)\n    return x * rate\n"
        "def f(x):\n    y = g(x)\n    return y * rate, log\n"
    )
    with Sandbox() as box:
        outer, inner = frames(box.run(source.encode(), "f(2)").trace).values()
    go = Frames(walker, source, {}, 9)
    place = walker.follow(source, outer[1:2], 0)
    assert place.values == {"x": "2", "rate": "3", "log": "[]"}
    moment = Moment((go.grounded(place, {"rate": go.row("5")}),))  # as if it was set
    moment = go.enter(moment, go.inner(moment))
    assert moment.place.values == {"x": "2", "rate": "5", "log": "[]"}
    moment, _ = go.leave(moment.at(walker.follow(source, inner[1:], 1)))
    assert moment.place.values["log"] == "[2]"  # what the callee has added to it
    assert moment.place.text == "y = 6"


def test_what_a_loop_goes_over_is_called_once(walker):
    source = "def g():\n    return [1, 2]\n\n\ndef f():\n    for x in g():\n        y = x\n"
    with Sandbox() as box:
        outer, _ = frames(box.run(source.encode(), "f()").trace).values()
    go, called = Frames(walker, source, {}, 9), []
    for stop in range(2, len(outer)):
        inner = go.inner(Moment((walker.follow(source, outer[1:stop], 0),)))
        called.append((outer[stop - 1].lineno, inner.call if inner else None))
    assert called == [(6, "g()"), (7, None), (6, None), (7, None), (6, None)]


def test_without_calls_it_is_a_free_run(walker, predictor, traces):
    cases = [case for case in predictor.cases(traces) if "def " not in case.trace.source[4:]][:4]
    starts = [Start(case.trace.source, case.events[0], 12) for case in cases]
    free = free_runs(predictor.trainer, predictor.params, starts, predictor.layout)
    for start, expected in zip(starts, free, strict=True):
        found = nested_run(Frames(walker, start.source, {}, 12), start)
        assert [(s.kind, s.line) for s in found.steps] == [(s.kind, s.line) for s in expected.steps]
        for one, other in zip(found.steps, expected.steps, strict=True):
            assert np.array_equal(one.rows, other.rows)
    assert starts


def test_calls_without_end_end(walker, monkeypatch):
    monkeypatch.setattr(nested, "DEEPEST", 4)
    monkeypatch.setattr(nested, "MOST", 30)
    found = run(walker, ENDLESS, "f(0)")
    assert len(found.steps) >= 1


def test_all_figures_are_there(predictor, traces, tmp_path):
    result = evaluate(predictor, traces[:3], ["nested"], tmp_path, "nested")["nested"]
    assert result["course"]["path"]["n"] == result["n_traces"]
    assert [*predict(predictor, list(predictor.cases(traces[:2])), "nested")]
