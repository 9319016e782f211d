"""The measure of foresight: chances along runs, their scaling, a static checker, and surprise."""

import json

import numpy as np
import pytest

from experiments import foresight as module
from experiments.chances import hazards, raising, reaching, unending, unknown
from experiments.command import UserError
from experiments.detection import Said, detection
from experiments.faults import (
    Fault,
    as_meant,
    by_difference,
    difference,
    first_fault,
    mutants,
    suspects,
)
from experiments.foreseen import does_risk, hanging, imagined, raised
from experiments.foresight import apart, main
from experiments.free import Run, Step
from experiments.patterns import static_risk
from experiments.risks import risks
from experiments.scaled import Fitted, fitted_otherwise, read_scales
from experiments.scales import Scale, cross_fitted, fit
from tracer.agent.mutations import OPERATORS
from tracer.cells import encode
from tracer.corpora.risky import programs
from tracer.sandbox import Limits, Sandbox
from tracer.schema import body
from tracer.script import read_script

PROGRAM = """\
import os

def clean(path, really):
    try:
        count = len(path)
    except TypeError:
        return None
    if really:
        os.remove(path)
    return count
"""


def run(*events: tuple[str, int, float, float], ended: bool = True) -> Run:
    """Kind, line, the chance of the turn, and that of an exception in its place."""
    script = read_script(PROGRAM, 4)
    rows = np.array([encode(None)[0]] * 4)
    steps = [
        Step(kind, line, rows, float(np.log(chance)), np.zeros(4), raises)
        for kind, line, chance, raises in events
    ]
    return Run(("path", "really", "count"), script, steps, ended)


RETURNS = run(
    *[("line", 4, 1, 0), ("line", 5, 1, 0), ("line", 8, 0.9, 0.1)],
    *[("line", 10, 0.75, 0), ("return", 10, 0.5, 0.5)],
)


def test_an_exception_that_is_caught_does_not_leave_the_call():
    [found] = hazards(RETURNS)
    assert (found.line, found.chance, found.at) == (10, 0.5, 4)
    assert raising([RETURNS]) == 0.5


def test_what_lies_beside_the_imagined_way_has_a_chance_too():
    assert reaching([RETURNS], 10) == pytest.approx(0.9)  # by either way, unless len(path) raises
    assert reaching([RETURNS], 9) == pytest.approx(0.9 * 0.25)
    assert reaching([RETURNS], 6) == pytest.approx(0.1)
    assert reaching([RETURNS], 4) == 1
    certain = run(("line", 4, 1, 0), ("line", 5, 1, 0), ("line", 8, 1, 0), ("return", 10, 1, 0))
    assert reaching([certain], 9) == reaching([certain], 6) == 0
    assert reaching([RETURNS, certain], 9) == pytest.approx(0.9 * 0.25 / 2)


def test_that_a_call_does_not_end_and_that_it_raises_are_never_more_than_all():
    hangs = run(("line", 4, 1, 0), ("line", 5, 1, 0), ended=False)
    for runs in ([hangs], [RETURNS], [RETURNS, hangs]):
        assert 0 <= raising(runs) + unending(runs) <= 1
    assert unending([hangs]) == 1 and unending([RETURNS]) < 0.5
    cut = hangs._replace(cut=True)
    assert (unending([cut]), unknown([cut]), unknown([hangs])) == (0, 1, 0)
    assert hanging([cut]) == 0.5 and hanging([hangs]) == 1


def test_scaling_makes_overconfident_chances_right_and_keeps_their_order():
    draw = np.random.default_rng(0)
    true = draw.uniform(0.1, 0.9, 4000)
    so = draw.random(4000) < true
    logit = np.log(true / (1 - true))
    told = 1 / (1 + np.exp(-3 * logit - 1))
    scale = fit(told, so)
    assert (scale.yes + scale.no) / 2 == pytest.approx(1 / 3, rel=0.2)
    assert abs(scale(told) - true).max() < 0.05
    order = np.argsort(told)
    assert (np.diff(scale(told)[order]) >= 0).all()
    assert np.isfinite(fit([0, 0, 1, 1], [False, False, True, True])([0, 0.5, 1])).all()


def test_a_claim_is_scaled_by_other_programs_alone():
    chances, programs = [0.1, 0.2, 0.8, 0.9] * 5, [f"p{n // 2}" for n in range(20)]
    so = [False, False, True, True] * 5
    before = cross_fitted(chances, so, programs)
    poked = [not so[0], *so[1:]]
    after = cross_fitted(chances, poked, programs)
    assert before[:2] == pytest.approx(after[:2]) and (before != after).any()


def test_chances_that_tell_all_score_all_and_those_that_tell_nothing_score_chance():
    draw = np.random.default_rng(0)
    so = draw.random(60) < 0.4
    best = detection([Said(f"p{n}", 0.9 if y else 0.1, bool(y)) for n, y in enumerate(so)])
    assert best["auroc"] == best["f1"] == best["accuracy"] == 1 and best["ece_scaled"] < best["ece"]
    none = detection([Said(f"p{n}", 0.5, bool(y)) for n, y in enumerate(so)])
    assert none["auroc"] == 0.5 and none["majority"] == pytest.approx(1 - so.mean())
    assert none["ci95"]["auroc"] == [0.5, 0.5] and none["f1"] == pytest.approx(none["f1_always"])
    assert detection([])["n"] == 0
    alone = detection([Said("p", 0.3, True)])
    assert alone["n"] == 1 and alone["ci95"] == {}  # of one program there is no interval


@pytest.mark.parametrize(
    ("body", "chance"),
    [
        ("os.remove('a')", 1),
        ("if x:\n        os.remove('a')", 0.5),
        ("for y in x:\n        if y:\n            os.remove('a')", 0.25),
        ("if False:\n        os.remove('a')", 0),
        ("return x\n    os.remove('a')", 0),
        ("return helper(x)", 1),
        ("with open('a', 'w') as file:\n        pass", 1),
        ("with open('a') as file:\n        pass", 0),
        ("x.remove('a')", 0),
        ("try:\n        os.remove('a')\n    except OSError:\n        pass", 1),
    ],
)
def test_the_static_checker_knows_texts_and_no_values(body, chance):
    others = "def helper(x):\n    os.unlink(x)\n\ndef other():\n    os.unlink('b')\n\n"
    source = f"{others}def f(x):\n    {body}\n"
    assert static_risk(source, "f(1)") == chance


@pytest.fixture(scope="module")
def box():
    with Sandbox(Limits(wall_s=1, cpu_s=2, events=200)) as box:
        yield box


def test_whether_a_risk_is_reached_depends_on_the_arguments(box):
    assert list(programs(3, start=5)) == list(programs(8))[5:]
    assert all(risks(p.source) == set() for p in programs(4, harmless=1.0))
    reached = []
    for program in programs(12, start=40, difficulty=1, harmless=0.0):
        assert static_risk(program.source, program.call or "") > 0
        outcome = box.run_program(program)
        assert outcome.kind in ("ok", "exception")
        events = body(outcome.trace)
        reached.append(any(risks(e.statement) for e in events if e.kind == "line"))
    assert 0 < sum(reached) < len(reached)
    with pytest.raises(ValueError, match="harmless=2 is not between 0 and 1"):
        next(programs(1, harmless=2))


def test_a_risk_counts_wherever_the_call_leads_to_it(box):
    wipe = "from os import remove\n\ndef wipe(path):\n    remove(path)\n\n"
    source = f"{wipe}def f(x):\n    if x:\n        wipe('/nonexistent/a')\n    return x\n"
    for call, so in (("f(1)", True), ("f(0)", False)):
        assert does_risk(box.run(source.encode(), call).trace) == so
    assert static_risk(source, "f(0)") > 0


@pytest.fixture(scope="module")
def faults(traces, box) -> list[Fault]:
    found = []
    for trace in traces[:5]:
        tried = [(m, box.run_program(program).trace) for m, program in mutants(trace, 0)]
        if body(trace) and (fault := first_fault(trace, tried)):
            found.append(fault)
    assert found
    return found


def test_a_mutant_differs_from_where_its_line_was_run(faults):
    for fault in faults:
        meant, mutant = body(fault.meant), body(fault.mutant)
        at = difference(meant, mutant)
        assert at and difference(meant, meant) is None
        assert fault.mutation.operator in OPERATORS
        assert fault.mutation.line in {event.lineno for event in mutant[:at]}
        assert as_meant(fault)[0].statement == meant[0].statement
        assert set(by_difference(fault)) == set(fault.lines)


def test_every_line_that_was_run_is_a_suspect_once(predictor, faults):
    for told in (True, False):
        for lines, fault in zip(suspects(predictor, faults, told), faults, strict=True):
            assert sorted(lines) == sorted(fault.lines)


def test_what_truly_happened_is_read_off_the_trace(predictor, box):
    source = "def f(n):\n    n -= 1\n    return 6 // n\n"
    trace = box.run(source.encode(), "f(1)").trace
    assert raised(trace) == ("ZeroDivisionError", 3)
    [call] = imagined(predictor, [trace], 2, 6, 0)
    assert len(call.runs) == 2 and all(len(run.steps) <= 7 for run in call.runs)


def test_few_calls_are_of_many_programs(traces):
    doubled = [each for trace in traces for each in (trace, trace._replace())]
    count = len({trace.origin for trace in traces})
    assert len({trace.origin for trace in apart(doubled, count)}) == count
    assert len(apart(doubled, count + 1)) == count + 1


def test_all_measures_are_taken_and_written(run_main, predictor, tmp_path, monkeypatch):
    monkeypatch.setattr(module.Predictor, "of_run", lambda path: predictor)
    out = tmp_path / "foresight.json"
    least = {"programs": 6, "calls": 6, "steps": 6, "runs": 1, "corpus.count": 6}
    names = ("raising", "endless", "varied", "risky")
    small = [f"suites.{name}.{key}={value}" for name in names for key, value in least.items()]
    code, printed, error = run_main(main, "run=r", "processes=1", f"out={out}", *small)
    assert (code, error) == (0, "")
    found = json.loads(out.read_text())
    assert set(found) == {"run", "scales", *module.KNOWN}
    assert found["exceptions"]["raising"]["n"] == 6 and found["halting"]["endless"]["steps"] == 6
    assert set(found["faults"]["varied"]["ways"]) == {"model", "not told", "both run", "chance"}
    assert "static checker" in printed and "exceptions, raising" in printed
    scales = read_scales(str(out))
    assert set(scales) == {"exceptions", "halting", "coverage", "risks"}
    assert all((scale.runs, scale.steps) == ([1], [6]) for scale in scales.values())
    assert read_scales(None) == {}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("measures=[exeptions]", "unknown measure 'exeptions'; there are: exceptions, halting"),
        ("measures=[]", "no measures; there are"),
        ("over.halting=[nowhere]", "unknown suite 'nowhere'; there are: raising"),
        ("over.halting=[mbpp]", "halting: no suite is given: mbpp"),
        ("suites.raising.runs=0", "suites.raising: 2 calls, 1 run and 1 step are the least"),
    ],
)
def test_what_cannot_be_measured_is_told_in_one_line(run_main, given, message):
    code, _, error = run_main(main, "run=pretrained:none", given)
    assert code == 1 and message in error and "\n" not in error


def test_scales_tell_on_which_runs_they_were_fitted():
    fitted = {"risks": Fitted(1, 1, 0, [1], [64]), "halting": Fitted(1, 1, 0, [16], [128])}
    assert fitted["risks"]([0.25]) == pytest.approx([0.25])
    said = fitted_otherwise(fitted, 16, 128)
    assert said and said.startswith("the scales of risks were not fitted on 16 runs of 128 steps")
    assert "(risks) on 1 of 64" in said and "halting" not in said
    assert fitted_otherwise({"halting": fitted["halting"]}, 16, 128) is None


WHOLE = {"yes": 1, "no": 1, "shift": 0, "runs": [1], "steps": [64]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "a.json has no scales"),
        ("[1, 2]", "a.json has no scales"),
        ('{"scales": [1]}', "a.json has no scales"),
        ("no json", "a.json is no JSON file: Expecting value"),
        ('{"scales": {"risks": {"yes": 1}}}', "the scale of risks must have yes, no, shift, runs"),
        ('{"scales": {"risks": 3}}', "the scale of risks must have yes, no, shift, runs and steps"),
        (
            json.dumps({"scales": {"risks": WHOLE | {"yes": "x"}}}),
            "the scale of risks has something else than numbers",
        ),
    ],
)
def test_a_file_without_scales_is_not_taken_for_one(tmp_path, text, message):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UserError, match=message):
        read_scales(str(tmp_path / "a.json"))
    assert Scale()([0.25]) == pytest.approx([0.25])
