"""Foresight: nothing of the call runs, chances are shares, and the verdict follows them."""

import json

import numpy as np
import pytest
from tiny import LAYOUT

from experiments import foresee as module
from experiments.atomic import make_room
from experiments.begin import begin
from experiments.chances import hazards, raising, reaching
from experiments.command import UserError
from experiments.effects import Effects
from experiments.expected import beyond, coverage, endings, ends, returned, risked, totals
from experiments.foresee import STATUS, foresee, main, show, told
from experiments.free import STATEMENTS, Lane, Run, Start, Step
from experiments.scales import Scale
from experiments.unwanted import UNTOLD, Unwanted, verdict
from experiments.worth import Worth
from tracer.cells import encode
from tracer.schema import Event
from tracer.script import read_script
from tracer.values import capture

PROGRAM = """\
import os

def clean(path, really):
    count = len(path)
    if really:
        os.remove(path)
    return count
"""
CALL = "clean('nowhere', True)"
EFFECTS = Effects(PROGRAM)


def test_the_arguments_are_evaluated_and_the_function_is_not_run(tmp_path):
    there = tmp_path / "file"
    there.write_text("")
    start = begin(PROGRAM, f"clean({str(there)!r}, 1 + 1 == 2)", {}, 9)
    assert start.event.lineno == 4 and there.exists()
    assert {name: value.data for name, value in start.event.locals.items()} == {
        "path": str(there),
        "really": True,
    }


NESTED = """\
CALLS = []

def f(n, more=(1, 2)):
    CALLS.append(n)
    return n + 1

def g(n):
    return f(n) + f(n)

FIRST = f(0) + 1
"""


def test_arguments_may_call_the_function_and_only_the_outer_call_is_not_run():
    for call, expected in (("f(f(3))", 4), ("f(g(1))", 4), ("f(FIRST)", 2), ("f(len(CALLS))", 1)):
        event = begin(NESTED, call, {}, 9).event
        assert (event.lineno, event.locals["n"].data) == (4, expected)
        assert event.locals["more"] == capture((1, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("clean()", r"clean\(\): TypeError: clean\(\) missing 2 required positional"),
        ("other(1)", "no function 'other'"),
        ("clean(1/0, 2)", r"clean\(1/0, 2\): ZeroDivisionError: division by zero, before"),
        ("clean({}['a'], 2)", "KeyError: 'a'"),
        ("clean(open('/no'), 2)", r"FileNotFoundError: \[Errno 2\] No such file or directory"),
        ("clean(exec('raise ValueError(1, 2)'), 2)", r"ValueError: \(1, 2\)"),
        ("clean(exec('raise ValueError'), 2)", "ValueError, before"),
    ],
)
def test_a_call_that_cannot_begin_is_told(call, message):
    with pytest.raises(UserError, match=message):
        begin(PROGRAM, call, {}, 9)


def test_a_program_that_cannot_be_imported_is_told_as_python_does():
    with pytest.raises(UserError, match="f.1.: ModuleNotFoundError: No module named 'nothing_so'"):
        begin("import nothing_so\ndef f(x): return x\n", "f(1)", {}, 9)


def test_arguments_that_take_too_long_are_told():
    with pytest.raises(UserError, match="its arguments take more than 20000 events"):
        begin("def f(x):\n    for y in range(x): pass\n    return x\n", "f(f(30000))", {}, 9)


def run(*events: tuple[str, int], source: str = PROGRAM, **more: object) -> Run:
    """A run of a program whose variable `count` holds a number, and which returns it."""
    given = {"count": 0, "ended": True, "cut": False} | more
    count = capture(given["count"])
    script = read_script(source, events[0][1])
    steps = []
    for kind, line in events:
        outcome = count if kind == "return" else None
        rows = np.array([encode(value)[0] for value in (capture("a"), None, count, outcome)])
        worth = Worth.seen({}, rows)
        steps.append(Step(kind, line, rows, 0.0, np.zeros(4), float(kind == "exception"), worth))
    return Run(("path", "really", "count"), script, steps, given["ended"], given["cut"])


RETURNS = run(("line", 4), ("line", 5), ("line", 7), ("return", 7), count=99)
REMOVES = run(("line", 4), ("line", 5), ("line", 6), ("exception", 6), ("unwind", 6))
HANGS = run(("line", 4), ("line", 5), ended=False)
CUT = run(("line", 4), ("line", 5), ended=False, cut=True)
START = Start(PROGRAM, Event("line", 0, 0, 4, "", {}), 1)


def test_chances_of_runs_that_are_certain_are_their_shares():
    runs = [RETURNS, RETURNS, REMOVES, HANGS]
    items = [*endings(runs, 1), *risked(runs, EFFECTS)]
    assert {(e.what, e.name): (e.line, e.chance, e.came) for e in items} == {
        ("exception", "?"): (6, 0.25, 1),
        ("no end", "in 1 steps"): (None, 0.25, 1),
        ("risk", "deletion"): (6, 0.25, 1),
    }
    assert ends(runs).returned == 0.5 and coverage(runs) == {4: 1, 5: 1, 6: 0.25, 7: 0.5}
    assert returned(runs) == ("99", 0.5, 1.0)


FINALLY = """\
def f(n):
    try:
        n = 6 // n
        return n
    finally:
        n = 1
    return 5
"""


def test_what_is_behind_a_finally_is_not_reached_by_a_return():
    returns = run(("line", 2), ("line", 3), ("line", 4), ("line", 6), ("return", 6), source=FINALLY)
    cut = run(("line", 2), ("line", 3), source=FINALLY, ended=False, cut=True)
    assert reaching([returns], 7) == reaching([cut], 7) == 0
    assert reaching([cut], 6) > 0


def test_an_exception_that_goes_on_after_finally_leaves_the_call():
    begin, raised = [("line", 2), ("line", 3), ("exception", 3)], ("exception", 6)
    unwinds = run(*begin, ("line", 6), ("unwind", 6), source=FINALLY)
    assert raising([unwinds]) == 1
    replaced = run(*begin, ("line", 6), raised, ("unwind", 6), source=FINALLY)
    assert [hazard.line for hazard in hazards(replaced)] == [6]
    kept = run(*begin, ("line", 6), ("return", 6), source=FINALLY.replace("n = 1", "return 1"))
    assert raising([kept]) == 0


def test_what_is_returned_is_what_most_runs_return_and_has_a_chance_of_its_own():
    runs = [RETURNS, *[run(("line", 4), ("return", 7), count=n) for n in (3, 3)], REMOVES]
    assert returned(runs) == ("3", 0.5, 1.0)
    assert returned([REMOVES, HANGS]) == (None, 0.0, 0.0)
    unsure = RETURNS.steps[-1].worth._replace(claims=(frozenset({(0, float(np.log(0.3)))}),) * 4)
    last = RETURNS.steps[-1]._replace(worth=unsure)
    found = returned([RETURNS._replace(steps=[*RETURNS.steps[:-1], last]), REMOVES])
    assert found == ("99", 0.5, pytest.approx(0.3))


LINES = range(4, 12)
LONG = "import os\n\ndef f(count):\n" + "".join(f"    os.remove({n})\n" for n in LINES)


def test_a_verdict_is_of_the_event_however_many_ways_it_has():
    runs = [run(("line", 4), ("exception", n), ("unwind", n), source=LONG) for n in LINES]
    runs = [each._replace(steps=[run(("line", n), source=LONG).steps[0], *each.steps[1:]])
            for n, each in zip(LINES, runs, strict=True)]  # fmt: skip
    start = START._replace(source=LONG)
    found = told(runs, start, Unwanted(what=["exception"]))
    assert max(e.chance for e in found.expected if e.what == "exception") == 1 / 8
    assert found.chances["exception"] == 1 and found.verdict == "refuse"
    found = told(runs, start, Unwanted(what=["risk"]))
    assert found.chances["risk"] == found.chances["deletion"] == 1 and found.verdict == "refuse"
    several = [run(("line", 4), count=9), run(("line", 4)), RETURNS]
    left = totals(several, EFFECTS, {"count": [0, 5], "absent": [0, 1]})
    assert left["bound"] == pytest.approx(2 / 3)


def test_scaled_chances_still_share_what_may_happen():
    runs = [RETURNS, RETURNS, REMOVES, HANGS]
    doubtful = Scale(0.2, 0.2, 1.0)
    scales = {"exceptions": doubtful, "halting": doubtful, "risks": doubtful}
    items = [*endings(runs, 1, scales)]
    [raised] = [each.chance for each in items if each.what == "exception"]
    assert raised == pytest.approx(float(doubtful([0.25])[0]))
    assert sum(each.chance for each in items) + ends(runs, scales).returned == pytest.approx(1)
    assert [*risked(runs, EFFECTS, scales)][0].chance == pytest.approx(raised)
    assert coverage(runs, scales) == coverage(runs)  # of which nothing was fitted


def test_an_explanation_is_the_way_there_with_the_arguments_as_imagined():
    [risk] = risked([REMOVES], EFFECTS)
    assert risk.steps == ["4: count = len(path)", "5: if really:", "6: os.remove(path)"]
    assert risk.values == {"path": "'a'"}
    [raised] = endings([REMOVES], 9)
    assert raised.steps == risk.steps and raised.values == risk.values


def test_where_no_run_comes_the_likeliest_is_told_and_that_none_did():
    unsure = RETURNS.steps[2]._replace(log_prob=float(np.log(0.5)))
    runs = [RETURNS._replace(steps=[*RETURNS.steps[:2], unsure, RETURNS.steps[3]])]
    found = {each.what: each for each in (*endings(runs, 9), *risked(runs, EFFECTS))}
    for what in ("no end", "risk"):
        assert found[what].chance > 0 and found[what].came == 0 and found[what].values == {}
        assert found[what].steps[-1] == "7: return"


def test_a_number_leaves_its_bounds_at_the_statement_that_set_it():
    grown = run(("line", 4), ("line", 5))
    steps = [grown.steps[0], RETURNS.steps[1]]
    [found] = beyond([grown._replace(steps=steps)], {"count": [0, 9], "absent": [0, 1]})
    assert (found.name, found.line, found.chance, found.came) == ("count", 4, 1, 1)
    assert found.steps == ["4: count = len(path)"] and found.values == {"count": "99"}
    [given] = beyond([RETURNS], {"count": [0, 9]})
    assert given.line is None and given.steps == []  # before anything was run


CALLER = """\
import os

def wipe(path):
    os.remove(path)

def clean(path, really):
    if really:
        wipe(path)
    return path
"""


def test_a_risk_in_what_is_called_is_as_likely_as_its_call():
    comes = run(("line", 7), ("line", 8), ("line", 9), ("return", 9), source=CALLER)
    stays = run(("line", 7), ("line", 9), ("return", 9), source=CALLER)
    found = told([comes, stays], START._replace(source=CALLER))
    [risk] = [each for each in found.expected if each.what == "risk"]
    assert (risk.name, risk.line, risk.chance) == ("deletion", 8, 0.5)
    assert [(e.line, e.statement) for e in risk.within] == [(4, "os.remove(path)")]
    assert found.verdict == "refuse" and risk.values == {"path": "'a'"}


def test_only_the_effects_that_are_unwanted_are_risks():
    assert told([REMOVES], START, Unwanted(["risk"], effects=["deletion"])).verdict == "refuse"
    found = told([REMOVES], START, Unwanted(["risk"], effects=["writing", "network"]))
    assert found.verdict == "allow" and all(each.what != "risk" for each in found.expected)


def test_what_was_cut_for_room_is_unknown_and_not_without_an_end():
    found = told([CUT, RETURNS, RETURNS, RETURNS], START)
    by_what = {each.what: each for each in found.expected}
    assert "no end" not in by_what and by_what[UNTOLD].chance == 0.25
    assert by_what[UNTOLD].line == 5 and found.verdict == "ask"
    assert verdict({"risk": 0.0, UNTOLD: 0.01}, Unwanted()) == "ask"
    assert found.chances["risk"] == pytest.approx(0.25 / 2)  # it may come to line 6, or not


def test_a_run_that_comes_to_more_statements_than_there_is_room_for_is_cut():
    begun = Lane(START, LAYOUT, None)
    assert begun.on(STATEMENTS[-1]) and not begun.on(0) and begun.run().cut
    limited = Lane(START._replace(limit=0), LAYOUT, None)
    assert not limited.on(STATEMENTS[-1]) and not limited.run().cut


def test_a_model_foresees_something_in_every_case(predictor):
    found = foresee(predictor, PROGRAM, CALL, steps=12)
    again = foresee(predictor, PROGRAM, CALL, steps=12)
    assert found == again
    assert 0 <= found.chance <= 1 and found.lines.keys() == {4, 5, 6, 7}
    assert 0 <= found.result.chance <= 1 and 0 <= found.result.sure <= 1
    assert found.lines[4] == 1 and found.verdict in STATUS
    ends = sum(e.chance for e in found.expected if e.what in ("exception", "no end"))
    assert ends + found.chance == pytest.approx(1)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("unwanted.what=[exceptoin]", "unwanted.what: unknown 'exceptoin'; there are: exception"),
        ("unwanted.what=risk", "unwanted.what is a list, as in [exception], not risk"),
        ("unwanted.effects=[delete]", "unwanted.effects: unknown 'delete'; there are: deletion,"),
        ("unwanted.ask=0.9", "unwanted.ask=0.9 is above unwanted.refuse=0.5"),
        ("unwanted.ask=x", "unwanted.ask=x is no number; by itself it is 0.2"),
        ("unwanted.bounds.count=[3]", "unwanted.bounds.count is [lowest, highest], not [3]"),
        ("unwanted.bounds.count=[3,1]", "unwanted.bounds.count is [lowest, highest], not [3, 1]"),
        ("unwanted.bounds.count=[a,1]", "unwanted.bounds.count is [lowest, highest], not ['a', 1]"),
        ("unwanted.bounds=3", "unwanted.bounds are {name: [lowest, highest]}, not 3"),
        ("unwanted.bounds={count: 3}", "unwanted.bounds.count is [lowest, highest], not 3"),
        ("unwanted.bounds=[0,9]", "unwanted.bounds are {name: [lowest, highest]}, not [0, 9]"),
        (
            "unwanted.bounds.cuont=[0,9]",
            "no variable 'cuont' there; there are: path, really",
        ),
        ("unwanted.bound.count=[0,9]", "unknown key 'unwanted.bound.count'; the nearest is"),
        ("stps=3", "unknown key 'stps'; the nearest is 'steps'"),
        ("steps=0", "steps=0 is no whole number from 1 on"),
        ("runs=0", "runs=0 is no whole number from 1 on"),
        ("seed=-1", "seed=-1 is no whole number from 0 on"),
    ],
)
def test_what_is_asked_wrongly_is_told_before_weights_are_read(
    run_main, tmp_path, monkeypatch, asked, message
):
    monkeypatch.setattr(module.Predictor, "of_run", None)
    program = tmp_path / "clean.py"
    program.write_text(PROGRAM)
    code, _, error = run_main(main, "run=r", f"program={program}", "call=clean([1],2)", asked)
    assert code == 1 and message in error and "\n" not in error


@pytest.fixture
def imagined(predictor, monkeypatch, tmp_path):
    """The command, on a program of which two runs were imagined."""
    monkeypatch.setattr(module.Predictor, "of_run", lambda path: predictor)
    monkeypatch.setattr(module, "free_runs", lambda *args, **more: iter([RETURNS, REMOVES]))
    program = tmp_path / "clean.py"
    program.write_text(PROGRAM)
    return "run=r", f"program={program}", "call=clean('a',2)"


def test_the_exit_status_is_the_verdict(run_main, imagined, tmp_path):
    out = tmp_path / "out.json"
    code, printed, _ = run_main(main, *imagined, f"json={out}")
    assert code == STATUS["refuse"] and "verdict: refuse" in printed and "path = 'a'" in printed
    written = json.loads(out.read_text())
    assert written["verdict"] == "refuse" and written["expected"][0]["chance"] == 0.5
    assert written["result"] == {"value": "99", "chance": 0.5, "sure": 1.0}
    [risk] = [each for each in written["expected"] if each["what"] == "risk"]
    assert risk["values"] == {"path": "'a'"} and written["chances"]["deletion"] == 0.5
    code, printed, _ = run_main(main, *imagined, "unwanted.refuse=0.9")
    assert code == STATUS["ask"]
    code, printed, _ = run_main(main, *imagined, "unwanted.what=[bound]")
    assert code == 0 and "verdict: allow" in printed


@pytest.mark.parametrize(
    "bounds", ["unwanted.bounds.count=[0,9]", "unwanted.bounds={count: [0, 9]}"]
)
def test_bounds_are_given_by_the_names_of_variables(run_main, imagined, bounds):
    code, printed, _ = run_main(main, *imagined, "unwanted.what=[bound]", bounds)
    assert code == STATUS["refuse"] and "count = 99" in printed


def test_scales_of_other_runs_are_warned_of(run_main, imagined, tmp_path):
    own = {"yes": 1, "no": 1, "shift": 0, "runs": [2], "steps": [64]}
    (tmp_path / "s.json").write_text(json.dumps({"scales": {"risks": own}}))
    asked = (*imagined, f"scales={tmp_path / 's.json'}")
    _, _, warned = run_main(main, *asked)
    assert warned.startswith("warning: the scales of risks were not fitted on 16 runs of 128 steps")
    _, _, warned = run_main(main, *asked, "runs=2", "steps=64")
    assert warned == ""


def test_statements_are_shown_as_they_are(capsys):
    source = "def f(items, at):\n    y = items[at]\n    z = '[/b]'\n    z = '\x1b'\n    z.go()\n"
    steps = [("line", 2), ("line", 3), ("line", 4), ("line", 5), ("exception", 5), ("unwind", 5)]
    show(told([run(*steps, source=source)], START._replace(source=source)), "f([1], '\x1b')")
    printed = capsys.readouterr().out
    assert "y = items[at]" in printed and "'[/b]'" in printed and "\x1b" not in printed


def test_a_file_that_cannot_be_written_is_told_before_anything_is_imagined(tmp_path):
    make_room(None)
    make_room(str(tmp_path / "new" / "found.json"))
    assert [path.name for path in tmp_path.rglob("*")] == ["new"]
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file/found.json"):
        make_room(str(tmp_path / "file" / "found.json"))
