"""The imagined debugger: a place is a value, a set variable holds, and truth is only looked at."""

import asyncio
import random
import threading
import time

import pytest

from experiments.altered import Setting, alter
from experiments.calls import functions, inner_call, returned
from experiments.command import UserError
from experiments.counterfactual import changed as changed_calls
from experiments.counterfactual import figures, inserted
from experiments.debug import main
from experiments.debugger import Debugger
from experiments.terminal import Terminal
from tracer.sandbox import Limits, Sandbox
from tracer.schema import body
from tracer.values import render

RECURSION = """\
def fact(n):
    if n < 2:
        return 1
    return n * fact(n - 1)
"""
RAISES = """\
def pick(items, at):
    found = items[at]
    return {1: at}[found]
"""
COUNT = """def count(n):
    total = 0
    for i in range(n):
        total += i
    return total
"""


@pytest.fixture
def debugger(predictor):
    return Debugger(predictor, RECURSION, "fact(3)", steps=40)


@pytest.fixture
def failing(predictor):
    return Debugger(predictor, RAISES, "pick([1, 0], 1)", steps=40)


def state(debugger) -> tuple:
    return debugger.headline, debugger.locals, debugger.depth, debugger.place.index


def test_back_is_where_one_was_and_reset_is_the_start(debugger):
    states = [state(debugger)]
    while not debugger.ended and len(states) < 6:
        states.append(state(debugger.next()))
    again = states[:1]
    debugger.reset()
    while len(again) < len(states):
        again.append(state(debugger.next()))
    assert again == states
    for before in states[-2::-1]:
        assert state(debugger.back()) == before
    with pytest.raises(UserError, match="this is where the call begins"):
        debugger.back()


def test_a_variable_that_is_set_holds_its_value_and_is_certain(debugger):
    before = state(debugger)
    debugger.set("n", "7")
    [n] = debugger.locals
    assert (n.name, n.value, n.chance) == ("n", "7", 1.0)
    assert "a variable was set" in debugger.headline
    debugger.next().set("n", "-4") if not debugger.place.ended else None
    assert debugger.reset().locals[0].value == "3" and state(debugger) == before


def at_the_call(debugger) -> Debugger:
    """Wherever an untrained model would go, at the statement that calls."""
    events = debugger._known().events(debugger.moment.stack)
    place = debugger.walker.follow(debugger.source, events[:2], 0)
    return debugger._to(place._replace(previous=debugger.place))


def test_a_call_is_stepped_into_and_what_it_returns_takes_its_place(debugger):
    at_the_call(debugger).step()
    assert debugger.depth == 1 and debugger.line == 2 and debugger.locals[0].value == "2"
    debugger.reveal()
    events = debugger._known().events(debugger.moment.stack)
    assert [event.arg.data for event in events if event.kind == "return"] == [2]
    place = debugger.walker.follow(RECURSION, events, 1)
    debugger._to(place).next()
    assert (debugger.depth, debugger.statement) == (0, "return n * 2")
    assert debugger.next().kind != "line"


def test_what_leaves_a_call_is_raised_in_the_caller(predictor):
    source = f"{RAISES}def g(x):\n    y = pick([0], x)\n    return y\n"
    debugger = Debugger(predictor, source, "g(0)")
    debugger.step()
    events = debugger._known().events(debugger.moment.stack)
    assert debugger.depth == 1 and [event.kind for event in events][-2:] == ["exception", "unwind"]
    debugger._to(debugger.walker.follow(source, events, 1)).next()
    assert (debugger.depth, debugger.kind, debugger.line) == (0, "exception", 5)
    assert debugger.exception.startswith("KeyError(")
    assert debugger.next().kind == "unwind" and debugger.ended


def test_the_truth_is_what_really_happens_and_is_asked_for_once(failing, monkeypatch):
    assert failing.truth is None and all(each.true is None for each in failing.locals)
    failing.next()
    if failing.place.index == 1:
        failing.reveal()
    true = {each.name: each.value for each in failing.locals}
    assert true == {"items": "[1, 0]", "at": "1", "found": "0"}
    assert all(each.surprise == 0 and each.chance == 1 for each in failing.locals)
    monkeypatch.setattr(Sandbox, "run", None)  # it is not run again
    rows = failing.compare()
    assert [row.true.kind for row in rows if row.true] == ["line", "line", "exception", "unwind"]
    assert rows[0].right and rows[1].right and rows[3].imagined is None


def at_events(debugger, count: int) -> Debugger:
    """Wherever an untrained model would go, where the truth is after so many events."""
    events = debugger._known().events(debugger.moment.stack)[:count]
    return debugger._to(debugger.walker.follow(debugger.source, events, 0))


def test_what_is_set_is_set_in_the_call_under_test_and_leaves_no_trace_of_how():
    source = '"""Text."""\nfrom __future__ import annotations\n' + COUNT + "FIRST = count(2)\n"
    line = source.split("\n").index("    for i in range(n):") + 1
    altered = alter(source, [Setting(line, 0, "total", "7")])
    assert altered
    with Sandbox() as box:
        events = altered.told(body(box.run(altered.source.encode(), "count(3)").trace))
    assert events[-1].lineno == line + 2 and render(events[-1].locals["total"]) == "10"
    assert {name for event in events for name in event.locals} == {"n", "total", "i"}


def test_with_a_variable_set_the_truth_is_that_of_the_program_in_which_it_is(failing):
    at_events(failing, 2).set("found", "1")
    assert failing.truth is None
    rows = failing.compare()
    assert [row.true.kind for row in rows if row.true] == ["line", "line", "return"]
    assert rows[2].true.outcome == "1" and rows[1].true.line == 3
    failing.set("at", "[2]").compare()
    assert failing.compare()[2].true.outcome == "[2]"
    assert at_events(failing, 3).result == "[2]"
    failing.reset()
    assert [row.true.kind for row in failing.compare()][2] == "exception"


LOOP = """\
def f(n):
    total = 0
    while n:
        n -= 1
        if n == 7:
            total = 9
        else:
            total += n
    return total
"""


@pytest.mark.parametrize(
    ("events", "name", "value", "outcome"),
    [
        (4, "n", "0", "0"),  # at `if`, in the first round
        (6, "n", "1", "None"),  # at `while`, in the second round: no assignment stands for that
        (7, "n", "5", "12"),  # at `n -= 1`
        (8, "n", "7", "30"),  # at `if`
    ],
)
def test_a_variable_is_set_the_one_time_that_it_was(predictor, events, name, value, outcome):
    debugger = at_events(Debugger(predictor, LOOP, "f(3)"), events)
    debugger.set(name, value)
    if outcome == "None":
        with pytest.raises(UserError, match="no assignment before line 3 sets n there"):
            debugger.compare()
    else:
        assert [row.true.outcome for row in debugger.compare() if row.true][-1] == outcome


def test_a_run_to_a_line_and_out_end_somewhere(failing):
    failing.run_to(3)
    assert failing.line == 3 or "does not come to line 3" in failing.note
    failing.reset().out()
    assert failing.ended
    with pytest.raises(UserError, match="has ended"):
        failing.next()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (lambda d: d.set("n", "n + 1"), "'n [+] 1' is no Python literal"),
        (lambda d: d.set("m", "1"), "no variable 'm' in this frame; there are: n"),
        (lambda d: d.set("n", repr("x" * 99)), "cannot hold"),
        (lambda d: d.run_to(9), "no statement of this frame begins in line 9, but in: 2, 3, 4"),
    ],
)
def test_what_is_not_possible_is_said_and_changes_nothing(debugger, command, message):
    before = state(debugger)
    with pytest.raises(UserError, match=message):
        command(debugger)
    assert state(debugger) == before


@pytest.mark.parametrize(
    ("source", "call", "message"),
    [("def f(:", "f(1)", "no program"), (RECURSION, "g(1)", "no function 'g'")],
)
def test_what_cannot_begin_is_said(predictor, source, call, message):
    with pytest.raises(UserError, match=message):
        Debugger(predictor, source, call)


@pytest.mark.parametrize(
    ("text", "call", "after"),
    [
        ("return n * f(n - 1)", "f(3 - 1)", "return n * 9"),
        ("elif f(n) > f(1):", "f(3)", "elif 9 > f(1):"),
        ("x = len(f(n, [n]))", "f(3, [3])", "x = len(9)"),
        ("x = g(f(n))", "f(3)", "x = g(9)"),
        ("for i in f(n):", "f(3)", "for i in 9:"),
        ("x = y and f(n)", None, ""),
        ("x = q.pop() + f(n)", None, ""),
        ("x = f(g(n))", None, ""),
    ],
)
def test_the_first_call_of_a_statement_is_found(text, call, after):
    inner = inner_call(text, functions("def f(a, b=0):\n    return a\n"), {"n": "3"})
    assert (inner and inner.call) == call
    assert not inner or returned(text, inner, "9") == after


def test_a_page_shows_source_and_variables_and_escapes_them(failing):
    shown = failing.set("items", "['<b>']")._repr_html_()
    assert "found = items[at]" in shown and "&lt;b&gt;" in shown and "<b>&#39;" not in shown


async def pressed(pilot, *keys: str) -> None:
    """One after the other, each when what the one before began has ended."""
    for key in keys:
        await pilot.press(key)
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()


def test_the_terminal_shows_what_the_keys_do(debugger):
    app = Terminal(debugger)

    async def tried() -> None:
        async with app.run_test(size=(120, 30)) as pilot:
            await pressed(pilot, "n")
            assert debugger.place.index == 1
            await pressed(pilot, "b", "v", *"n=8", "enter")
            assert debugger.locals[0].value == "8"
            assert "8" in str(app.query_one("#locals").get_row_at(0)[1])
            await pressed(pilot, "v", *"n=", "enter")
            assert "no Python literal" in str(app.query_one("#note").render())
            await pressed(pilot, "r", "c")
            assert app.query_one("#compared").display and debugger.truth is not None
            await pressed(pilot, "t", "o")
            assert debugger.ended
            await pilot.press("q")

    asyncio.run(tried())


def test_the_terminal_steps_into_a_call_and_shows_both_frames(debugger):
    app = Terminal(debugger)

    async def tried() -> None:
        async with app.run_test(size=(120, 30)) as pilot:
            events = debugger._known().events(debugger.moment.stack)
            debugger._to(debugger.walker.follow(RECURSION, events[:2], 0))  # before the inner call
            await pressed(pilot, "s")
            assert debugger.depth == 1 and [each.name for each in debugger.locals] == ["n"]
            marked = [line for line in str(app.query_one("#code").render()).splitlines()]
            assert any(" > " in line for line in marked) and any(" | " in line for line in marked)
            await pressed(pilot, "c", "t")
            name, imagined, _, true, surprise = app.query_one("#locals").get_row_at(0)
            assert (str(name), str(imagined), str(true)) == ("n", "2", "2") and float(
                str(surprise)
            ) >= 0
            rows = app.query_one("#compared")
            assert rows.row_count == len(debugger.compare()) > 1
            assert "return n * fact(n - 1)" in {
                str(rows.get_row_at(n)[1]) for n in range(rows.row_count)
            }

    asyncio.run(tried())


def test_the_terminal_runs_to_a_line_or_says_why_not(debugger):
    app = Terminal(debugger)

    async def tried() -> None:
        async with app.run_test(size=(120, 30)) as pilot:
            await pressed(pilot, "l", *"x", "enter")
            assert "'x' is no number of a line" in str(app.query_one("#note").render())
            await pressed(pilot, "l", *"2", "enter")
            assert debugger.line == 2 or debugger.ended

    asyncio.run(tried())


def test_the_terminal_shows_an_exception(failing):
    app = Terminal(failing)

    async def tried() -> None:
        async with app.run_test(size=(120, 30)) as pilot:
            events = failing._known().events(failing.moment.stack)
            failing._to(failing.walker.follow(RAISES, events[:3], 0))
            await pressed(pilot, "c")
            assert "raises KeyError(" in str(app.query_one("#headline").render())
            await pressed(pilot, "n")
            assert failing.ended and "is left by" in str(app.query_one("#headline").render())

    asyncio.run(tried())


def test_a_command_that_goes_on_and_on_is_halted_by_a_key(debugger, monkeypatch):
    app, began, debugger.steps = Terminal(debugger), threading.Event(), 10**9

    def nowhere() -> None:
        began.set()
        time.sleep(0.01)

    monkeypatch.setattr(debugger, "next", nowhere)

    async def tried() -> None:
        async with app.run_test(size=(120, 30)) as pilot:
            await pilot.press("o")
            assert began.wait(30)
            await pilot.press("r", "s")  # they do nothing
            await pressed(pilot, "escape")
            assert "halted after" in str(app.query_one("#note").render())
            monkeypatch.undo()
            await pressed(pilot, "n")
            assert debugger.place.index == 1

    asyncio.run(tried())


def test_without_a_terminal_it_says_so(run_main, run, tmp_path):
    code, _, error = run_main(main, f"run={run.folder}", "program=x.py", "call=f(1)")
    assert code == 1 and "this is no terminal" in error


def test_counterfactuals_are_true_of_programs_with_the_assignment(predictor, traces):
    with Sandbox() as box:
        changes = [*changed_calls(traces[:6], box, random.Random(0))]
    assert changes
    found = figures(predictor, changes, 24)
    assert found["calls"] == len(changes) and 0 <= found["right"] <= 1


def test_an_assignment_stands_at_the_step_that_was_drawn():
    loop = "    while n:\n        total += n\n        n -= 1\n"
    source = f"def f(n):\n    total = 0\n{loop}    return total\n"
    with Sandbox(Limits(wall_s=0.5)) as box:  # some of these loops have no end
        trace = box.run(source.encode(), "f(3)").trace
        for seed in range(12):
            [change] = changed_calls([trace], box, random.Random(seed))
            text = inserted(source, change.event.lineno, f"{change.name} = 0") or ""
            events = body(box.run(text.encode(), "f(3)").trace)
            [there] = [event for event in events if event.lineno == change.event.lineno]
            assert there.locals == change.event.locals
