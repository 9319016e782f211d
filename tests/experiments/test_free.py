"""Free runs: they begin as given, take only ways that there are, and end."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.calibration import Claim, figures
from experiments.command import UserError
from experiments.control import ENDS, Turn, choose, of_all, turns, weighed
from experiments.course import course, ranked
from experiments.evaluate import evaluate
from experiments.free import LANES, Lane, Run, Start, Step, free_runs
from rssm.model import Belief
from tracer.detours import Open
from tracer.flow import BRANCHES, END, LEFT, Ways
from tracer.schema import KINDS, Event
from tracer.script import read_script

LIMIT = 24
FORK, LAST = Ways(4, 7, 9), Ways(END, END, END)


def said(kind: str, branch: str = "other") -> dict[str, np.ndarray]:
    """Nearly certain of one kind and one branch; least of all would it expect an exception."""
    odds = {"kind": np.full(len(KINDS), -9.0), "branch": np.full(len(BRANCHES), -9.0)}
    odds["kind"][KINDS.index("exception")] = -20.0
    odds["kind"][KINDS.index(kind)] = odds["branch"][BRANCHES.index(branch)] = 0.0
    return odds


def only(ways: Ways) -> Open:
    """Where nothing waits."""
    return Open(tuple(dict.fromkeys(ways[:2])), ways.raised, ways, 1)


@pytest.fixture(scope="module")
def starts(predictor, traces) -> list[Start]:
    cases = list(predictor.cases(traces))[: LANES[0][-1] + 2]
    return [Start(case.trace.source, case.events[0], LIMIT) for case in cases]


@pytest.fixture(scope="module")
def runs(predictor, starts) -> list:
    return list(free_runs(predictor.trainer, predictor.params, starts, predictor.layout))


def test_a_free_run_of_what_is_no_program_is_told(predictor, starts):
    wrong = starts[0]._replace(source="$ ls -l")
    with pytest.raises(UserError, match="no program"):
        list(free_runs(predictor.trainer, predictor.params, [wrong], predictor.layout))


def test_only_a_statement_that_yields_may_yield():
    kinds = {
        text: {turn.kind for turn in turns("line", 1, text, only(FORK), said("yield"))}
        for text in ("yielded = 1", "x = yield 1")
    }
    assert "yield" not in kinds["yielded = 1"] and "yield" in kinds["x = yield 1"]


def test_a_run_begins_with_what_is_given_and_goes_where_its_program_can(runs, starts):
    for run, start in zip(runs, starts, strict=True):
        first = run.steps[0]
        assert (first.kind, first.line) == (start.event.kind, start.event.lineno)
        detours = run.script.detours
        for before, after in pairwise(run.steps):
            assert before.kind not in ENDS
            if (before.kind, after.kind) == ("line", "line"):
                assert after.line in detours.open(before.line).lines
            assert after.log_prob <= 1e-6
            detours = detours.on(before[:2], after[:2])


def test_a_run_ends_with_its_frame_or_at_the_limit(runs):
    for run in runs:
        assert run.ended == (run.steps[-1].kind in ENDS)
        assert run.ended or len(run.steps) == LIMIT + 1


def test_a_run_does_not_depend_on_those_beside_it(predictor, runs, starts):
    own = predictor.trainer, predictor.params
    for number in (0, len(starts) - 1):
        [alone] = free_runs(*own, [starts[number]], predictor.layout)
        found = [(step.kind, step.line) for step in alone.steps]
        assert found == [(step.kind, step.line) for step in runs[number].steps]


@pytest.mark.parametrize(
    ("kind", "ways", "label", "expected"),
    [
        ("line", FORK, said("line", "inside"), ("line", 4)),
        ("line", FORK, said("line", "past"), ("line", 7)),
        ("line", FORK, said("exception"), ("exception", 1)),
        ("line", LAST, said("line"), ("return", 1)),  # there is nowhere else to go
        ("line", Ways(4, END, END), said("return", "past"), ("return", 1)),
        ("line", Ways(4, 4, END), said("return"), ("line", 4)),  # and here no end
        ("exception", FORK, said("line"), ("line", 9)),
        ("exception", LAST, said("line"), ("unwind", 1)),
    ],
)
def test_what_comes_next_is_the_likeliest_of_what_can(kind, ways, label, expected):
    found = choose(weighed(turns(kind, 1, "x = 1", only(ways), label)))
    assert found[:2] == expected and 0.9 < np.exp(found.log_prob) <= 1


def test_the_chances_of_all_that_can_come_next_add_up_to_one():
    odds = said("line", "inside")
    found = weighed(turns("line", 1, "for x in y:", only(FORK), odds))
    assert np.logaddexp.reduce([turn.log_prob for turn in found]) == pytest.approx(0)
    assert choose(found) == max(found, key=lambda turn: turn.log_prob)
    drawn = [choose(found, np.random.default_rng(seed)) for seed in range(200)]
    assert drawn.count(choose(found)) > 180
    assert {turn.line for turn in found if turn.kind == "line"} == {4, 7}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=4), st.floats(0.01, 1))
def test_an_exception_may_come_of_any_part_of_a_statement(chances, rest):
    at, line = KINDS.index("exception"), KINDS.index("line")
    kinds = []
    for chance in chances:
        kind = np.full(len(KINDS), (1 - chance) * (1 - rest) / (len(KINDS) - 2))
        kind[at], kind[line] = chance, (1 - chance) * rest
        kinds.append(np.log(np.maximum(kind, 1e-30)).astype(np.float32))
    found = np.exp(of_all(kinds))
    none = np.prod([1 - chance for chance in chances])
    assert found.sum() == pytest.approx(1, abs=1e-5)
    assert found[at] == pytest.approx(1 - none, abs=1e-5)
    assert found[line] == pytest.approx(none * rest, abs=1e-5)


def test_a_pending_end_of_the_frame_is_taken_for_what_it_is():
    here = Open((LEFT,), 9, Ways(4, 4, 9), 3, (4,))
    found = choose(weighed(turns("line", 6, "x = 1", here, said("line"))))
    assert found[:2] == ("unwind", 3) and np.exp(found.log_prob) > 0.99  # not: an exception


@pytest.mark.parametrize(
    ("body", "way", "course"),
    [
        ("try:\n  return n\n finally:\n  n = 1\n return 5", "inside", [2, 3, 5, "return"]),
        ("with n:\n  return n\n return 5", "past", [2, 3, 2, "return"]),
        ("with n:\n  n = 1\n return 5", "inside", [2, 3, 2, 4, "return"]),
        (
            "for x in n:\n  try:\n   break\n  finally:\n   n = 1\n return 5",
            "inside",
            [2, 3, 4, 6, 7, "return"],
        ),
        (
            "while n:\n  with n:\n   try:\n    return 1\n   finally:\n    n = 1\n return 5",
            "inside",
            [2, 3, 4, 5, 7, 3, "return"],
        ),
    ],
)
def test_where_the_text_decides_no_model_leaves_the_path(predictor, body, way, course):
    start = Start(f"def f(n):\n {body}\n", Event("line", 0, 0, 2, "", {}), LIMIT)
    lane = Lane(start, predictor.layout, None)
    rows = lane.rows[None, None]
    labels = {name: odds[None, None] for name, odds in said("line", way).items()}
    while lane.on(64):
        lane.next()
        lane.take(Belief(rows, np.zeros(rows.shape[:3]), labels), 0)
    found = [step.line if step.kind == "line" else step.kind for step in lane.run().steps]
    assert found == course


def test_all_figures_are_there_of_free_runs_too(predictor, traces, tmp_path):
    result = evaluate(predictor, traces[:4], ["free"], tmp_path, "free")["free"]
    assert result["course"]["path"]["n"] == result["n_traces"]
    assert 0 <= result["state_exact_match"] <= 1 and result["calibration"]["states"]["n"] > 0


def test_the_course_of_a_program_is_right_where_every_event_is(predictor, traces):
    cases = list(predictor.cases(traces))
    perfect = [
        prediction._replace(
            turns=[Turn(event.kind, event.lineno, 0.0) for event in prediction.case.events]
        )
        for prediction in predictor.predict(cases, "filter")
    ]
    found = course(perfect)
    assert found["event"]["accuracy"] == found["path"]["accuracy"] == 1
    assert found["next_statement"]["accuracy"] == 1
    assert 0.5 <= found["next_statement"]["majority"] <= 1
    late = [prediction._replace(extra=1) for prediction in perfect]
    assert course(late)["path"]["accuracy"] == 0


def test_a_curve_by_hand():
    found = ranked([(0.9, True), (0.4, True), (0.4, False), (0.1, False)])
    assert found == {"n": 4, "positives": 2, "auroc": (1 + 1 + 0.5 + 1) / 4}
    assert np.isnan(ranked([(0.5, True)])["auroc"])


def test_the_chance_of_an_exception_is_that_of_any_step():
    rows = np.zeros((1, 1), int)
    steps = [Step("line", 1, rows, 0.0, np.zeros(1), chance) for chance in (0.0, 0.5, 0.5)]
    assert Run((), read_script("x", 1), steps, False).raises == pytest.approx(0.75)


def test_a_calibration_error_by_hand():
    claims = [Claim(0.95, True)] * 3 + [Claim(0.95, False)] + [Claim(0.15, False)] * 4
    found = figures(claims)
    assert found["ece"] == pytest.approx((4 * abs(0.95 - 0.75) + 4 * 0.15) / 8)
    assert found["selective"]["0.5"] == 0.75 and found["selective"]["1"] == 3 / 8
    assert figures([]) == {"n": 0}
