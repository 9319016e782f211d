"""The monitor where a program is against it, or comes to a bad end."""

import io
import signal
import sys
from contextlib import redirect_stdout

import pytest
from test_monitor import trace, values

from tracer.schema import Program
from tracer.trace import Run, Settings, entry_name, run_program


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
