import io
import signal
import sys
import threading
import time
from contextlib import redirect_stdout
from itertools import pairwise

import pytest

from tracer.schema import Event, Program, Trace, frames
from tracer.trace import Run, Settings, entry_name, run_program, steps, traced
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
    source = "n = 1\nm = 2\ndef f():\n    global n\n    n += m\n    g()\ndef g():\n    pass"
    _, events = trace(source, "f()")
    outer, inner = frames_of(events)
    assert [values(event) for event in outer] == [{"n": "1"}] * 2 + [{"n": "3"}] * 2
    assert all(event.locals == {} for event in inner)


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


def test_a_program_that_runs_out_of_stack_is_flagged():
    run, events = trace("def f(n):\n    return f(n + 1)", "f(0)")
    assert run.outcome == "exception"
    assert run.flags
    assert sys.gettrace() is None


@pytest.mark.parametrize("limit", [0, 1, 5])
def test_a_trace_stops_at_its_limit_and_says_so_while_the_program_goes_on(limit):
    source = "def f():\n    n = 0\n    for i in range(9):\n        n += i\n    print(n)"
    run, events = trace(source, "f()", limit)
    assert len(events) == limit
    assert run == Run("ok", ("trace_truncated",))


@pytest.mark.parametrize("ending", ["", "\n    raise ValueError", "\n    raise SystemExit"])
def test_a_program_that_removes_the_hook_is_flagged_however_it_ends(ending):
    run, _ = trace(f"import sys\ndef f():\n    sys.settrace(None)\n    x = 1{ending}", "f()")
    assert run.flags == ("tracer_removed",)


@pytest.mark.parametrize("number", [3, 4, 5])  # of the event that is recorded meanwhile
@pytest.mark.parametrize("raised", ["Late('now')", "KeyboardInterrupt"])
def test_what_a_signal_handler_raises_while_an_event_is_recorded_reaches_the_program(
    raised, number
):
    source = (
        "import signal\nclass Late(Exception):\n    pass\ndef late(*_):\n"
        f"    raise {raised}\nold = signal.signal(signal.SIGUSR1, late)\n"
        "def f():\n    n = 0\n    try:\n        while n < 9:\n            n += 1\n"
        f"    except {raised.split('(')[0]}:\n        print('ended early')\n"
        "    signal.signal(signal.SIGUSR1, old)\n"
    )
    rows = []

    def emit(row):
        rows.append(row)
        if len(rows) == number + 1:
            signal.raise_signal(signal.SIGUSR1)

    said = io.StringIO()
    with redirect_stdout(said):
        run = run_program(Program(source, "f()"), Settings(), emit)
    assert said.getvalue() == "ended early\n"
    assert run.outcome == "ok"
    assert "trace_incomplete" in run.flags
    assert sys.gettrace() is None


def test_a_program_cannot_pose_as_the_hook():
    source = (
        "import sys\nclass Same:\n    def __eq__(self, other):\n        return True\n"
        "    def __call__(self, *event):\n        return self\nsys.settrace(Same())"
    )
    assert "tracer_removed" in trace(source)[0].flags


HOSTILE = """
class Meta(type):
    def __eq__(self, other): print("ran")
    def __hash__(self): print("ran"); return 0
    def __instancecheck__(self, other): print("ran")
    def prepare(*_): return Space()
class Space(dict):
    def __iter__(self): print("ran"); return iter(())
    def keys(self): print("ran"); return []
    def items(self): print("ran"); return []
class Prepared(type):
    __prepare__ = Meta.prepare
class Odd(metaclass=Meta):
    def __eq__(self, other): print("ran")
    def __hash__(self): print("ran"); return 0
    def __repr__(self): print("ran")
    def __getattribute__(self, name): print("ran")
    __dict__ = property(lambda self: print("ran"))
    __class__ = property(lambda self: print("ran"))
class Key:
    def __hash__(self): print("ran") if armed else None; return 1
    def __eq__(self, other): print("ran") if armed else None; return True
class Sub(dict): pass
class Text(str):
    def __hash__(self): return str.__hash__(self)
    def __eq__(self, other): print("ran") if armed else None; return str.__eq__(self, other)
class Exit(SystemExit):
    code = property(lambda self: print("ran"))
armed = False
def f():
    global armed
    odd, keys, sub = Odd(), {Key(): 1}, Sub()
    sub[Key()] = 2
    bag = {Key()}
    armed = True
    armed = not not armed
    kind = Odd
    class Made(metaclass=Prepared):
        x = 1
        y = [x for x in "ab"]
    kept = [odd, keys, sub, bag, Made]
    globals()[3] = globals()[Text("odd")] = "not a name"
    raise Exit(odd)
"""


def test_tracing_runs_none_of_the_program_s_code(capsys):
    namespace = {"__name__": "untraced"}
    exec(HOSTILE, namespace)
    with pytest.raises(SystemExit):
        namespace["f"]()
    untraced = capsys.readouterr().out
    run, events = trace(HOSTILE, "f()")
    assert run.outcome == "exception"
    assert run.flags == ()
    assert capsys.readouterr().out == untraced
    made = [event for event in events if event.statement.startswith("class Made")]
    assert len({event.scope for event in made}) == 2
    assert any(values(event).get("x") == "1" for event in events)


@pytest.mark.parametrize(
    ("ending", "outcome"),
    [
        ("pass", "ok"),
        ("import sys; sys.exit()", "ok"),
        ("import sys; sys.exit(0)", "ok"),
        ("import sys; sys.exit(False)", "ok"),
        ("import sys; sys.exit(2)", "exception"),
        ("import sys; sys.exit('sorry')", "exception"),
        ("raise KeyboardInterrupt", "exception"),
        ("1 / 0", "exception"),
        ("raise MemoryError", "memory"),
        ("def f(:", "rejected"),
        ("x = '\0'", "rejected"),
        ("x = '\ud800'", "rejected"),
        ("(" * 5000, "rejected"),
    ],
)
def test_every_ending_of_a_run_has_an_outcome(ending, outcome):
    assert trace(ending)[0].outcome == outcome


def test_the_entry_is_the_first_function_that_was_traced():
    source = "def g(x): return x\nasync def h(): pass\n"
    for call, name in [("g(1)", "g"), ("h().send(None)", "h"), (None, "<module>")]:
        _, events = trace(source, call)
        assert entry_name(Program(source, call), events[0].statement) == name
    assert entry_name(Program(source, "1"), "") == "<module>"
