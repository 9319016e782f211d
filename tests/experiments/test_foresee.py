"""Foresight: nothing of the function runs, chances are shares, and the verdict follows them."""

import json

import numpy as np
import pytest

from experiments import foresee as module
from experiments.command import UserError
from experiments.foresee import (
    STATUS,
    Unwanted,
    begin,
    beyond,
    coverage,
    effects,
    endings,
    foresee,
    main,
)
from experiments.free import Run, Step
from experiments.risks import risks
from experiments.scales import Scale
from tracer.cells import encode
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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("os.remove(path)", {"deletion"}),
        ("if not path.unlink():", {"deletion"}),
        ("with open(name, 'w') as file:", {"writing"}),
        ("with open(name) as file:", set()),
        ("open(name, mode='rb')", set()),
        ("data = subprocess.run(args).stdout", {"process"}),
        ("elif os.environ['HOME']:", {"environment"}),
        ("remove = x.removes", set()),
        ("not a statement", set()),
    ],
)
def test_effects_are_read_off_a_statement(text, expected):
    assert risks(text) == expected


def test_the_arguments_are_evaluated_and_the_function_is_not_run(tmp_path):
    there = tmp_path / "file"
    there.write_text("")
    start = begin(PROGRAM, f"clean({str(there)!r}, 1 + 1 == 2)", {}, 9)
    assert start.event.lineno == 4 and there.exists()
    assert {name: value.data for name, value in start.event.locals.items()} == {
        "path": str(there),
        "really": True,
    }


@pytest.mark.parametrize(
    ("call", "message"),
    [("clean()", "TypeError"), ("other(1)", "no function 'other'"), ("clean(1/0, 2)", "Zero")],
)
def test_a_call_that_cannot_begin_is_told(call, message):
    with pytest.raises(UserError, match=message):
        begin(PROGRAM, call, {}, 9)


def run(*events: tuple[str, int], count: int = 0, ended: bool = True) -> Run:
    """A run of PROGRAM whose variable `count` holds a number."""
    script = read_script(PROGRAM, 4)
    rows = np.array([encode(value)[0] for value in (None, None, capture(count), None)])
    steps = [
        Step(kind, line, rows, 0.0, np.zeros(4), float(kind == "exception"))
        for kind, line in events
    ]
    return Run(("path", "really", "count"), script, steps, ended)


RETURNS = run(("line", 4), ("line", 5), ("line", 7), ("return", 7), count=99)
REMOVES = run(("line", 4), ("line", 5), ("line", 6), ("exception", 6), ("unwind", 6))
HANGS = run(("line", 4), ("line", 5), ended=False)


def test_chances_of_runs_that_are_certain_are_their_shares():
    runs = [RETURNS, RETURNS, REMOVES, HANGS]
    ends, returns = endings(runs, 1)
    found = {(e.what, e.name): (e.line, e.chance) for e in [*ends, *effects(runs)]}
    assert found == {
        ("exception", "?"): (6, 0.25),
        ("no end", "in 1 steps"): (None, 0.25),
        ("risk", "deletion"): (6, 0.25),
    }
    assert returns == 0.5
    assert coverage(runs) == {4: 1, 5: 1, 6: 0.25, 7: 0.5}
    [found] = beyond(runs, {"count": [0, 9], "absent": [0, 1]})
    assert (found.name, found.line, found.chance) == ("count", 4, 0.5)


def test_scaled_chances_still_share_what_may_happen():
    runs = [RETURNS, RETURNS, REMOVES, HANGS]
    doubtful = Scale(0.2, 0.2, 1.0)
    scales = {"exceptions": doubtful, "halting": doubtful, "risks": doubtful}
    ends, returns = endings(runs, 1, scales)
    [raised] = [each.chance for each in ends if each.what == "exception"]
    assert raised == pytest.approx(float(doubtful([0.25])[0]))
    assert sum(each.chance for each in ends) + returns == pytest.approx(1) and returns >= 0
    assert effects(runs, scales)[0].chance == pytest.approx(raised)
    assert coverage(runs, scales) == coverage(runs)  # of which nothing was fitted


def test_an_explanation_is_the_way_there():
    [risk] = effects([REMOVES])
    assert risk.steps == ["4: count = len(path)", "5: if really:", "6: os.remove(path)"]


def test_a_model_foresees_something_in_every_case(predictor):
    found = foresee(predictor, PROGRAM, CALL, steps=12)
    again = foresee(predictor, PROGRAM, CALL, steps=12)
    assert found == again
    assert 0 <= found.chance <= 1 and found.lines.keys() == {4, 5, 6, 7}
    assert found.lines[4] == 1 and found.verdict in STATUS
    ends = sum(e.chance for e in found.expected if e.what in ("exception", "no end"))
    assert ends + found.chance == pytest.approx(1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"what": ["exceptoin"]}, "unknown unwanted 'exceptoin'; there are: exception, no end"),
        ({"bounds": {"x": [3]}}, r"bounds of x are \[lowest, highest\], not \[3\]"),
        ({"bounds": {"x": [3, 1]}}, "bounds of x"),
        ({"bounds": {"x": ["a", 1]}}, "bounds of x"),
    ],
)
def test_what_is_misspelled_is_not_let_through(predictor, given, message):
    with pytest.raises(UserError, match=message):
        foresee(predictor, PROGRAM, CALL, unwanted=Unwanted(**given))


def test_the_exit_status_is_the_verdict(run_main, predictor, tmp_path, monkeypatch):
    monkeypatch.setattr(module.Predictor, "of_run", lambda path: predictor)
    monkeypatch.setattr(module, "free_runs", lambda *args, **more: iter([RETURNS, REMOVES]))
    program, out = tmp_path / "clean.py", tmp_path / "out.json"
    program.write_text(PROGRAM)
    asked = ("run=r", f"program={program}", "call=clean(1,2)")
    code, printed, _ = run_main(main, *asked, f"json={out}")
    assert code == STATUS["refuse"] and "verdict: refuse" in printed
    written = json.loads(out.read_text())
    assert written["verdict"] == "refuse" and written["expected"][0]["chance"] == 0.5
    code, printed, _ = run_main(main, *asked, "unwanted.refuse=0.9")
    assert code == STATUS["ask"]
    code, printed, _ = run_main(main, *asked, "unwanted.what=[bound]")
    assert code == 0 and "verdict: allow" in printed
