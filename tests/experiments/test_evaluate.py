"""Evaluation: what is written, what it agrees with, and that a perfect model gets full marks."""

import gzip
import json

import numpy as np
import pytest
from tiny import config

from experiments.control import Turn
from experiments.evaluate import coverage, evaluate, main, mislead, suite_traces
from experiments.predict import (
    BUCKETS,
    Prediction,
    held_frame,
    misled,
    true_frame,
    with_wrong_statements,
)
from experiments.score import HEADLINES, Scored, score
from tracer.sandbox import Sandbox
from tracer.store import Dataset
from tracer.values import render

FIGURES = {"n_traces", "n_steps", *HEADLINES, "by_horizon", "first_divergence", "by_type"}
FIGURES |= {"by_statement", "by_operation", "by_place", "ci95"}
BESIDE = {
    "copy",
    "shuffled",
    "course",
    "calibration",
    "coverage",
    "n_cut",
    "params",
    "seconds",
    "states_per_second",
}


class Perfect:
    """A predictor that looks the answers up."""

    drawn = None

    def __init__(self, predictor):
        self.cases, self.run_dir = predictor.cases, predictor.run_dir
        self.step, self.size = predictor.step, predictor.size

    def predict(self, cases, mode, shuffled=False):
        for case in cases:
            frames = [held_frame(case, step) for step in range(len(case.events))]
            last = case.events[-1].arg
            turns = [Turn(event.kind, event.lineno, 0.0) for event in case.events]
            raised = [render(event.arg) if event.arg else None for event in case.events]
            names = case.trajectory.names
            output = render(last) if last else None
            yield Prediction(case, frames, np.zeros((0, 0)), [], names, turns, output, raised)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("eval")


@pytest.fixture(scope="module")
def result(predictor, traces, out) -> dict:
    return evaluate(predictor, traces, ["filter", "open"], out, "tiny")


@pytest.fixture(scope="module")
def lines(result, out) -> list[dict]:
    written = (out / "tiny.predictions.jsonl").read_text()
    return [json.loads(line) for line in written.splitlines()]


def traced(source: str, call: str):
    with Sandbox() as box:
        return box.run(source.encode(), call).trace


def test_the_figures_of_every_mode_and_of_its_controls_are_written(result, out):
    written = json.loads((out / "tiny.json").read_text())
    assert written.keys() == {"suite", "run", "step", "drawn", "programs", "filter", "open"}
    assert written["step"] == 12
    for mode in ("filter", "open"):
        assert written[mode].keys() == FIGURES | BESIDE
        for control, more in (("copy", set()), ("shuffled", {"course"})):
            assert written[mode][control].keys() == FIGURES | more
            assert written[mode][control]["n_steps"] == written[mode]["n_steps"]
        assert written[mode]["ci95"].keys() <= set(HEADLINES)
        for at in (*written[mode]["by_horizon"].values(), written[mode]["course"]["event"]):
            intervals = at["ci95"].values() if isinstance(at["ci95"], dict) else [at["ci95"]]
            assert all(0 <= low <= high <= 1 for low, high in intervals)
    assert {path.name for path in out.iterdir()} == {"tiny.json", "tiny.predictions.jsonl"}


def test_the_copy_baseline_gets_no_effect_right(result):
    for mode in ("filter", "open"):
        assert result[mode]["copy"]["effect_accuracy"] == 0
        assert result[mode]["copy"]["effect_free_accuracy"] == 1


def test_anyone_can_score_the_predictions_again(result, lines):
    """With nothing but the frames, by the same definitions."""
    for mode in ("filter", "open"):
        traces = []
        for line in (each for each in lines if each["mode"] == mode):
            true, guess = line["true"], line["predicted"]
            follows = guess if mode == "open" else true
            returned = line["kinds"][-1] == "return"
            traces.append(
                Scored(
                    program=line["origin"],
                    true=true,
                    predicted=guess,
                    before=[true[0], *follows[:-1]],
                    types=[{}] * len(true),
                    statements=line["statements"],
                    output=line["true_output"] if returned else None,
                    predicted_output=line["predicted_output"],
                )
            )
        again = score(traces)
        for name in FIGURES - {"by_type"}:
            assert again[name] == result[mode][name] or name in HEADLINES, name
            if name in HEADLINES:
                np.testing.assert_equal(again[name], result[mode][name], name)


def test_a_line_tells_which_call_it_was(lines, traces):
    ids = {trace.id for trace in traces}
    for line in lines:
        assert line["id"] in ids
        assert line["origin"].startswith("synthetic/")
        assert line["input"].startswith(f"{line['entry']}(")
        steps = {len(line[name]) for name in ("kinds", "lines", "statements", "true", "predicted")}
        assert len(steps) == 1
        assert line["predicted"][0] == line["true"][0]  # which was observed


def test_perfect_predictions_score_one(predictor, traces, tmp_path):
    found = evaluate(Perfect(predictor), traces, ["filter", "open"], tmp_path, "perfect")
    for mode in ("filter", "open"):
        assert found[mode]["coverage"] == 1
        assert found[mode]["first_divergence"] is None
        for name in HEADLINES:
            assert found[mode][name] == 1, name
        for at in found[mode]["by_horizon"].values():
            assert at["state_exact_match"] == at["key_value_match"] == 1
        for kind in ("by_type", "by_statement", "by_operation"):
            assert {at["accuracy"] for at in found[mode][kind].values()} == {1}


def test_what_is_scored_before_an_end_by_force_is_kept(predictor, traces, tmp_path):
    class Ended(Perfect):
        def predict(self, cases, mode, shuffled=False):
            if mode == "open":
                raise KeyboardInterrupt
            return super().predict(cases, mode, shuffled)

    with pytest.raises(KeyboardInterrupt):
        evaluate(Ended(predictor), traces[:2], ["filter", "open"], tmp_path, "heldout")
    kept = json.loads((tmp_path / "heldout.json").read_text())
    assert kept["filter"]["state_exact_match"] == 1 and "open" not in kept
    assert (tmp_path / "heldout.predictions.jsonl").read_text().count("\n") >= 2


class Lazy(Perfect):
    """Expects that nothing changes."""

    def predict(self, cases, mode, shuffled=False):
        for found in super().predict(cases, mode):
            last = [frame.copy() for frame in found.frames[:1]]
            before = [*last, *found.frames[:-1]] if mode == "filter" else last * len(found.frames)
            yield found._replace(frames=before)


@pytest.mark.parametrize("mode", ["filter", "open"])
def test_whoever_is_shown_wrong_values_and_keeps_them_changes_nothing(predictor, traces, mode):
    figures = mislead(Lazy(predictor), list(predictor.cases(traces)), mode)
    assert figures["effect_free_accuracy"] == 1 and figures["effect_accuracy"] == 0
    assert figures["state_exact_match"] < 1


def test_a_value_that_is_shown_in_place_of_another_is_always_the_same_one(predictor, traces):
    for number, case in enumerate(predictor.cases(traces)):
        own, wrong = (each.trajectory.states for each in (case, misled(case, number)))
        pairs = {pair for a, b in zip(own, wrong, strict=True) for pair in zip(a, b, strict=True)}
        assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
        assert all(any(a) == any(b) for a, b in pairs)


def test_a_wrong_statement_is_never_the_right_one(predictor, traces):
    for number, case in enumerate(predictor.cases(traces)):
        wrong = with_wrong_statements(case.window, number)
        mask = case.window["mask"]
        right, given = case.window["statement"][mask], wrong["statement"][mask]
        several = len(set(right.tolist())) > 1
        assert several == (right != given).any()
        assert not several or (right != given).all()
        own = {tuple(map(int, row)) for row in statements(case.window, mask)}
        assert {tuple(map(int, row)) for row in statements(wrong, mask)} <= own
        for name in wrong.keys() - {"statement", "references"}:
            assert wrong[name] is case.window[name]


def statements(window: dict, mask: np.ndarray) -> np.ndarray:
    """Per step the statement's row and the slots that it names, which belong together."""
    return np.concatenate([window["statement"][mask, None], window["references"][mask]], 1)


def test_the_only_statement_of_a_trajectory_stays():
    window = {"mask": np.ones(3, bool), "statement": np.zeros(3, int), "references": np.arange(3)}
    np.testing.assert_array_equal(with_wrong_statements(window, 0)["references"], [0, 1, 2])


def test_wrong_statements_change_what_is_predicted(predictor, traces):
    cases = list(predictor.cases(traces))
    right, wrong = predictor.predict(cases, "open"), predictor.predict(cases, "open", shuffled=True)
    for one, other in zip(right, wrong, strict=True):
        assert one.case is other.case
        assert not np.array_equal(one.log_probs[1:], other.log_probs[1:])


def test_latents_that_are_drawn_are_those_of_their_seed(predictor, traces, monkeypatch):
    cases = list(predictor.cases(traces))

    def odds(seed: int | None) -> np.ndarray:
        monkeypatch.setattr(predictor, "drawn", seed)
        return np.concatenate([p.log_probs.ravel() for p in predictor.predict(cases, "open")])

    likeliest, one, again, other = map(odds, (None, 0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other) and not np.array_equal(one, likeliest)


def test_filtering_and_the_open_agree_on_the_first_step_after_the_observed_one(predictor, traces):
    cases = list(predictor.cases(traces))
    pairs = zip(predictor.predict(cases, "filter"), predictor.predict(cases, "open"), strict=True)
    for one, other in pairs:
        assert one.frames[:2] == other.frames[:2]


def test_a_prediction_does_not_depend_on_its_neighbours(predictor, traces):
    cases = list(predictor.cases(traces))
    together = {id(p.case): p for p in predictor.predict(cases, "open")}
    [alone] = predictor.predict(cases[-1:], "open")
    expected = together[id(cases[-1])]
    np.testing.assert_allclose(alone.log_probs, expected.log_probs, rtol=1e-3, atol=1e-4)
    assert alone.frames == expected.frames


def test_a_trajectory_beyond_the_longest_bucket_is_cut_and_counted(predictor, tmp_path):
    short = traced("def f(n):\n    return n", "f(1)")
    long = traced("def f(n):\n    for i in range(n):\n        x = 1", f"f({BUCKETS[-1]})")
    assert len(long.events) > BUCKETS[-1]
    found = evaluate(Perfect(predictor), [short, long], ["filter"], tmp_path, "long")["filter"]
    assert found["n_cut"] == 1
    assert found["n_traces"] == 2
    cases = list(predictor.cases([short, long]))
    whole, cut = cases
    assert len(whole.events) == len(short.events) - 1
    assert cut.at[-1] < BUCKETS[-1] <= cut.trajectory.at[len(cut.events)]  # no further step fits
    assert [len(case.window["mask"]) for case in cases] == [BUCKETS[0], BUCKETS[-1]]
    predicted = [len(prediction.frames) for prediction in predictor.predict(cases, "filter")]
    assert predicted == [len(case.events) for case in cases]


def test_a_case_begins_with_its_first_statement(predictor):
    [case] = predictor.cases([traced("def f(n):\n    return n", "f(1)")])
    assert [event.kind for event in case.events] == ["line", "return"]


def test_only_calls_that_no_traced_call_made_are_under_test(predictor):
    source = "def g(n):\n    return n + 1\ndef f(n):\n    m = g(n)\n    return m"
    [case] = predictor.cases([traced(source, "f(1)")])
    assert case.trace.entry == "f"
    assert [true_frame(event) for event in case.events][-1] == {"n": "1", "m": "2"}


def test_values_that_the_encoding_cannot_hold_count_against_coverage(predictor):
    source = "def f(n):\n    text = 'x' * n\n    return 1"
    held, lost = (list(predictor.cases([traced(source, f"f({n})")])) for n in (3, 300))
    assert coverage(held) == 1
    # n in all three events (two lines, return; the call is left out), text in the last two
    assert coverage(lost) == pytest.approx(3 / 5)


FILES = {
    "humaneval": [
        {
            "task_id": f"HumanEval/{number}",
            "prompt": 'def add(a, b):\n    """Add."""\n',
            "entry_point": "add",
            "canonical_solution": "    c = a + b\n    return c\n",
            "test": f"def check(candidate):\n    assert candidate(1, {number}) == 1\n",
        }
        for number in range(2)
    ],
    "mbpp": [
        {
            "task_id": number,
            "code": "def add(a, b):\n    c = a + b\n    return c\n",
            "test_list": [f"assert add({number}, 2) == 3"],
        }
        for number in range(2)
    ],
    "cruxeval": [
        {"id": f"s_{n}", "code": "def f(a):\n    b = a * 2\n    return b", "input": str(n)}
        for n in range(2)
    ],
}


@pytest.mark.parametrize("name", FILES)
def test_a_published_suite_runs_to_its_end(name, predictor, tmp_path):
    path = tmp_path / (f"{name}.jsonl.gz" if name == "humaneval" else f"{name}.jsonl")
    text = "".join(f"{json.dumps(record)}\n" for record in FILES[name])
    (gzip.open if path.suffix == ".gz" else open)(path, "wt").write(text)
    places = (f"run={predictor.run_dir}", f"suite.path={path}")
    cfg = config("evaluate", f"suite={name}", "processes=1", *places)
    found = evaluate(
        predictor, suite_traces(cfg, predictor.cfg.dataset), ["filter"], tmp_path, name
    )
    assert found["programs"] == {"ok": 2}
    assert found["filter"]["n_traces"] == 2
    assert (tmp_path / f"{name}.json").is_file()


def test_the_command_scores_the_held_out_programs_of_the_run(run_main, run, predictor, monkeypatch):
    perfect = Perfect(predictor)
    perfect.cfg = predictor.cfg
    monkeypatch.setattr("experiments.evaluate.Predictor.of_run", lambda folder: perfect)
    code, printed, error = run_main(main, f"run={run.folder}", "modes=[open]")
    assert (code, error) == (0, "")
    assert "heldout, open: " in printed
    written = json.loads((run.folder / "eval" / "heldout.json").read_text())
    assert written["open"]["state_exact_match"] == 1


def test_a_limit_takes_traces_from_everywhere(run_main, run, predictor, monkeypatch):
    monkeypatch.setattr("experiments.evaluate.Predictor.of_run", lambda folder: perfect)
    perfect = Perfect(predictor)
    perfect.cfg = predictor.cfg
    out = run.folder / "limited"
    run_main(main, f"run={run.folder}", "modes=[filter]", "limit=2", f"out={out}")
    lines = (out / "heldout.predictions.jsonl").read_text().splitlines()
    every = [trace.id for trace in Dataset(predictor.cfg.dataset).traces("test")]
    assert {json.loads(text)["id"] for text in lines} == {every[0], every[len(every) // 2]}


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("run=nowhere",), "no run at nowhere: config.yaml is missing"),
        (("run={run}", "modes=[filter,opn]"), "unknown mode 'opn'; this model has: filter, open"),
        (("run={run}", "suite=mbpp"), "suite.path must be given: suite.path=..."),
        (("run={run}", "suite=mbpp", "suite.path=no"), "no file no; the whole set is mbpp/mbpp.js"),
        (("run={run}", "suite=mpbb"), "unknown suite 'mpbb'; there are: arithmetic, containers, "),
        (("run={run}", "limit=0"), "limit=0 is no number of traces"),
        (("run={run}", "drawn=0", "modes=[open,free]"), "drawn=0 is for filter and open, not for"),
        (("run={run}", "drawn=0"), "drawn=0 gives no scores of the run: out=DIR is for them"),
        (("run={run}", "drawn=abc", "out=o"), "drawn=abc is no seed: a whole number, or null"),
        (("run={run}", "drawn=1.5", "out=o"), "drawn=1.5 is no seed"),
        ((), "run must be given: run=..."),
    ],
)
def test_what_cannot_be_evaluated_is_said_in_one_line(
    run_main, run, predictor, monkeypatch, arguments, said
):
    if "nowhere" not in str(arguments):
        monkeypatch.setattr("experiments.evaluate.Predictor.of_run", lambda folder: predictor)
    arguments = [argument.format(run=run.folder) for argument in arguments]
    code, _, error = run_main(main, "processes=1", *arguments)
    assert code == 1
    assert error.startswith(f"error: {said}")
    assert "\n" not in error.strip()
