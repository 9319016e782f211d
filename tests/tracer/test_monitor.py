import sys
import threading
import time
from itertools import pairwise

import pytest

from tracer.schema import Event, Program, Trace, frames
from tracer.trace import Run, Settings, steps, traced
from tracer.values import render


def trace(source: str, call: str | None = None, limit: int = 10_000) -> tuple[Run, list[Event]]:
    return traced(Program(source, call), Settings(limit))


def shown(events: list[Event]) -> list[tuple[str, int]]:
    return [(event.kind, event.lineno) for event in events]


def values(event: Event) -> dict[str, str]:
    return {name: render(value) for name, value in event.locals.items()}


def test_the_locals_are_those_before_a_line_and_at_any_other_moment():
    _, events = trace("def f(n):\n    m = n + 1\n    return m", "f(1)")
    assert shown(events) == [("call", 1), ("line", 2), ("line", 3), ("return", 3)]
    assert [values(event) for event in events] == [
        {"n": "1"},
        {"n": "1"},
        {"n": "1", "m": "2"},
        {"n": "1", "m": "2"},
    ]
    assert render(events[-1].arg) == "2"


@pytest.mark.parametrize("body", ["x = 1", "raise ValueError", "import sys; sys.exit(1)", "f(:"])
def test_no_hook_is_left_behind_however_the_program_ends(body):
    trace(body)
    assert sys.gettrace() is None


@pytest.mark.parametrize("body", ["x = 1", "1 / 0", "import sys; sys.settrace(None)"])
def test_a_hook_that_was_there_before_is_there_again_afterwards(body):
    def hook(frame, event, arg):
        return None

    before = sys.gettrace()
    sys.settrace(hook)
    try:
        trace(body)
        assert sys.gettrace() is hook
    finally:
        sys.settrace(before)


def test_what_a_nested_call_changes_is_an_effect_of_the_step_that_called():
    source = (
        "def grow(xs):\n    xs.append(1)\n"
        "def f():\n    xs = []\n    grow(xs)\n    grow(xs)\n    return xs"
    )
    _, events = trace(source, "f()")
    outer, *inner = frames_of(events)
    changes = [
        (step.event.lineno, {n: render(new) for n, (_, new) in step.effect.items()})
        for step in steps(outer)
    ]
    assert changes == [
        (3, {}),
        (4, {"xs": "[]"}),
        (5, {"xs": "[1]"}),
        (6, {"xs": "[1, 1]"}),
        (7, {}),
        (7, {}),
    ]
    assert [[e.kind for e in events] for events in inner] == [["call", "line", "return"]] * 2


def frames_of(events: list[Event]) -> list[list[Event]]:
    return list(frames(Trace("", "", "", None, "", "ok", (), "", events)).values())


def test_scopes_count_calls_and_depths_count_the_calls_above():
    source = "def f(n):\n    return f(n - 1) + f(n - 2) if n > 1 else n"
    _, events = trace(source, "f(3)")
    calls = [event for event in events if event.kind == "call"]
    assert [event.scope for event in calls] == [0, 1, 2, 3, 4]
    assert [event.depth for event in calls] == [0, 1, 2, 2, 1]
    ends = [event.scope for event in events if event.kind == "return"]
    assert ends == [2, 3, 1, 4, 0]


def test_a_call_that_goes_through_code_of_others_is_still_one_level_deeper():
    _, events = trace(
        "def key(x):\n    return -x\ndef f():\n    return sorted([1], key=key)", "f()"
    )
    assert {(event.scope, event.depth) for event in events} == {(0, 0), (1, 1)}


@pytest.mark.parametrize(
    "expression",
    [
        "[x + 1 for x in xs]",
        "{x for x in xs}",
        "{x: [y for y in xs] for x in xs}",
        "sum(x for x in xs)",
        "list(map(lambda x: x + 1, xs))",
        "max([\n        x\n        for x in xs\n    ],\n        key=lambda x:\n            -x)",
    ],
)
def test_comprehensions_generator_expressions_and_lambdas_are_part_of_their_statement(expression):
    _, events = trace(f"def f(xs):\n    y = {expression}\n    return y", "f([1, 2])")
    assert [event.kind for event in events] == ["call", "line", "line", "return"]
    assert all(set(event.locals) <= {"xs", "y"} for event in events)


@pytest.mark.parametrize("where", ["module", "function", "class"])
def test_the_variables_of_a_failing_comprehension_are_never_seen(where):
    body = "k = 5\ntry:\n    y = [1 // k for j in [1] for k in (1, 0)]\n"
    body += "except ZeroDivisionError:\n    y = k\n"
    inner = "".join(f"    {line}\n" for line in body.splitlines())
    source = {"module": body, "function": f"def f():\n{inner}f()", "class": f"class A:\n{inner}"}
    run, events = trace(source[where])
    assert run == Run("ok", ())
    assert [event.kind for event in events].count("exception") == 1
    seen = [values(event) for event in events if "k" in event.locals]
    assert {state["k"] for state in seen} == {"5"}
    assert not any("j" in state for state in seen)
    assert {state["y"] for state in seen if "y" in state} == {"5"}


def test_a_generator_yields_resumes_and_returns_in_one_scope():
    source = (
        "def g():\n    x = yield 1\n    return x\ndef f():\n    i = g()\n    next(i)\n    i.send(2)"
    )
    _, events = trace(f"{source}\n", "f()")
    inner = frames_of(events)[1]
    assert shown(inner) == [
        ("call", 1),
        ("line", 2),
        ("yield", 2),
        ("resume", 2),
        ("line", 3),
        ("return", 3),
    ]
    assert [render(event.arg) for event in inner if event.arg] == ["1", "2"]
    assert values(inner[4]) == {"x": "2"}


def test_a_generator_that_catches_what_is_thrown_in_yields_again():
    source = (
        "def g():\n    n = 0\n    while True:\n        try:\n            yield n\n"
        "        except KeyError:\n            n += 1\n"
        "def f():\n    i = g()\n    next(i)\n    i.throw(KeyError())\n    i.throw(KeyError())\n"
    )
    run, events = trace(source, "f()")
    assert run == Run("ok", ())
    inner = frames_of(events)[1]
    assert [render(e.arg) for e in inner if e.kind == "yield"] == ["0", "1", "2"]
    assert [e.kind for e in inner].count("exception") == 2


def test_a_caught_exception_is_an_event_and_an_uncaught_one_also_unwinds():
    source = "def g():\n    raise KeyError(1)\ndef f():\n    try:\n        g()\n"
    source += "    except KeyError:\n        return 2"
    _, events = trace(source, "f()")
    outer, inner = frames_of(events)
    assert shown(inner) == [("call", 1), ("line", 2), ("exception", 2), ("unwind", 2)]
    assert [event.kind for event in outer] == [
        "call",
        "line",
        "line",
        "exception",
        "line",
        "line",
        "return",
    ]
    assert [render(e.arg) for e in events if e.kind == "exception"] == ["KeyError(1)"] * 2


def test_the_end_of_an_iteration_is_not_an_exception():
    source = (
        "class Twice:\n    n = 2\n    def __iter__(self):\n        return self\n"
        "    def __next__(self):\n        self.n -= 1\n        if self.n < 0:\n"
        "            raise StopIteration\n        return self.n\n"
        "def g():\n    yield from Twice()\n"
        "def f():\n    for x in Twice():\n        pass\n    return list(g())"
    )
    _, events = trace(source, "f()")
    assert {e.lineno for e in events if e.kind == "exception"} == {8}


def test_a_name_that_is_deleted_and_bound_again_to_the_same_object_is_seen():
    run, events = trace("def f():\n    x = 1\n    del x\n    x = 1\n    return x", "f()")
    assert run == Run("ok", ())
    assert [values(event) for event in events[-2:]] == [{"x": "1"}] * 2


def test_threads_have_frames_and_depths_of_their_own():
    source = (
        "import threading\ndef g(xs):\n    xs.append(1)\ndef work(xs):\n    g(xs)\n"
        "def f():\n    xs = []\n    t = threading.Thread(target=work, args=(xs,))\n"
        "    t.start(); t.join()\n    return xs"
    )
    run, events = trace(source, "f()")
    assert run == Run("ok", ())
    outer, work, inner = frames_of(events)
    assert [frame[0].depth for frame in (outer, work, inner)] == [0, 0, 1]
    assert values(work[-1]) == {"xs": "[1]"}
    assert threading.gettrace() is None


def test_many_threads_lose_no_event_and_share_no_scope():
    source = (
        "import threading\ndef work(n):\n    for i in range(n):\n        n = n\n"
        "def f():\n    ts = [threading.Thread(target=work, args=(30,)) for i in range(8)]\n"
        "    for t in ts: t.start()\n    for t in ts: t.join()\n"
    )
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        run, events = trace(source, "f()")
    finally:
        sys.setswitchinterval(before)
    assert run == Run("ok", ())
    alone = [[event.kind for event in frame] for frame in frames_of(events)[1:]]
    assert alone == [["call", *["line"] * 61, "return"]] * 8


def test_a_program_ends_when_its_threads_do_and_nothing_is_recorded_afterwards():
    source = (
        "import threading\ngo = threading.Event()\ndef last():\n    go.wait()\n    x = 1\n"
        "def f():\n    threading.Thread(target=last).start()\n"
        "    threading.Thread(target=last, daemon=True).start()\n"
        "    threading.Timer(0.05, go.set).start()"
    )
    run, events = trace(source, "f()")
    length = len(events)
    assert run == Run("ok", ())
    assert any(event.statement == "x = 1" for event in events)
    time.sleep(0.05)
    assert len(events) == length


def test_a_function_s_state_has_the_globals_that_it_writes():
    source = "n = 1\ndef f():\n    global n\n    n += 2\n    g()\ndef g():\n    pass"
    _, events = trace(source, "f()")
    outer, inner = frames_of(events)
    assert [values(event) for event in outer] == [{"n": "1"}] * 2 + [{"n": "3"}] * 2
    assert all(event.locals == {} for event in inner)


def test_a_function_s_state_has_the_data_that_it_reads_of_its_module():
    source = (
        "import math\nrate, names, other = 3, ['a'], 4\n"
        "def f(x):\n    x = [k * rate for k in range(x)]\n    g(len(x))\n    return names\n"
        "def g(n):\n    names.append(math.floor(n))\n    global rate\n    rate = 5"
    )
    _, events = trace(source, "f(2)")
    outer, inner = frames_of(events)
    assert [[values(event)[name] for event in outer] for name in ("rate", "names")] == [
        ["3", "3", "3", "5", "5"],
        ["['a']", "['a']", "['a']", "['a', 2]", "['a', 2]"],
    ]
    assert outer[0].locals.keys() == {"x", "rate", "names"}  # not g, len, math, other
    assert inner[0].locals.keys() == {"n", "rate", "names"}


def test_what_a_module_holds_is_read_without_asking_it_for_a_name():
    source = (
        "class Key(str):\n    __hash__ = str.__hash__\n"
        "    def __eq__(self, other):\n        log.append(other)\n        return False\n"
        "log = []\nglobals()[Key('gone')] = 3\n"
        "def f(x):\n    log.clear()\n    if x:\n        return gone\n    return log\n"
    )
    _, events = trace(source, "f(0)")
    assert render(events[-1].arg) == "[]"
    assert all(event.locals.keys() == {"x", "log"} for event in events)


OPEN = "def g(log):\n    try:\n        yield 1\n    finally:\n        log.append(2)\n"


@pytest.mark.parametrize("ending", ["i.close()", "del i"])
def test_a_generator_left_open_is_marked_where_it_unwinds(ending):
    source = f"{OPEN}def f():\n    log = []\n    i = g(log)\n    next(i)\n    {ending}\n"
    if ending == "del i" and sys.version_info < (3, 13):
        source = source.replace("i = g(log)\n    next(i)\n    del i", "next(g(log))")
    run, events = trace(source, "f()")
    assert run == Run("ok", ())
    inner = frames_of(events)[1]
    assert [event.kind for event in inner][-4:] == ["yield", "resume", "line", "unwind"]
    assert render(inner[-1].arg) == "GeneratorExit()"
    assert not any(event.kind == "exception" for event in events)


def test_a_generator_that_runs_nothing_when_it_is_closed_ends_with_its_yield():
    source = "def g():\n    for i in range(9):\n        yield i\ndef f():\n    next(g())\n    x = 1"
    _, events = trace(source, "f()")
    assert [event.kind for event in frames_of(events)[1]][-1] == "yield"


def test_a_generator_exit_that_a_function_raises_is_an_exception_like_any_other():
    source = (
        "def f():\n    try:\n        raise GeneratorExit\n    except GeneratorExit:\n        pass"
    )
    _, events = trace(source, "f()")
    assert [render(e.arg) for e in events if e.kind == "exception"] == ["GeneratorExit()"]


def test_lambdas_are_calls_where_they_are_asked_for():
    program = Program("def f(xs):\n    return max(xs, key=lambda x: -x)", "f([1, 2])")
    _, events = traced(program, Settings(lambdas=True))
    outer, *inner = frames_of(events)
    assert [event.kind for event in outer] == ["call", "line", "return"]
    assert [[event.kind for event in each] for each in inner] == [["call", "line", "return"]] * 2
    assert [values(each[0]) for each in inner] == [{"x": "1"}, {"x": "2"}]


def test_what_does_not_change_is_the_same_object_in_the_next_event():
    source = "def f():\n    a = [1]\n    b = {'k': a}\n    if b:\n        a.append(2)\n    return a"
    _, events = trace(source, "f()")
    for before, after in pairwise(events):
        for name, value in before.locals.items():
            if after.locals[name] == value:
                assert after.locals[name] is value
        if before.locals == after.locals:
            assert before.locals is after.locals


def test_the_program_s_objects_die_when_they_would_without_a_tracer():
    source = (
        "import weakref\nclass A: pass\ndef g(a):\n    b = [a, {1: a}]\n    return weakref.ref(a)\n"
        "def f():\n    r = g(A())\n    dead = r() is None\n    return dead"
    )
    _, events = trace(source, "f()")
    assert render(events[-1].arg) == "True"
