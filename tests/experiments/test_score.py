"""Figures worked out by hand."""

import json
import math

import pytest

from experiments.score import (
    Scored,
    by_type,
    change,
    divergence,
    finite,
    intervals,
    jaccard,
    ratio_interval,
    same_value,
    score,
    score_trace,
)

# def f(n):            frame before it runs, as predicted, right?
#     a = n            n=2                observed
#     b = 7            n=2 a=2            n=2 a=2             whole
#     a = 'x'          n=2 a=2 b=7        n=2 a=2 b=8         2 of 4 pairs, all 3 keys
#     del b            n=2 a='x' b=7      n=2 a='x'           2 of 3 pairs, 2 of 3 keys
#     pass             n=2 a='x'          n=2 a='x'           whole
#     return           n=2 a='x'          n=3 a='x' b=7       1 of 4 pairs, 2 of 3 keys
TRUE = [
    {"n": "2"},
    {"n": "2", "a": "2"},
    {"n": "2", "a": "2", "b": "7"},
    {"n": "2", "a": "'x'", "b": "7"},
    {"n": "2", "a": "'x'"},
    {"n": "2", "a": "'x'"},
]
GUESS = [
    {"n": "2"},
    {"n": "2", "a": "2"},
    {"n": "2", "a": "2", "b": "8"},
    {"n": "2", "a": "'x'"},
    {"n": "2", "a": "'x'"},
    {"n": "3", "a": "'x'", "b": "7"},
]
STATEMENTS = ["a = n", "b = 7", "a = 'x'", "del b", "pass", "return"]


def trace(true=TRUE, predicted=GUESS, before="open", **more) -> Scored:
    """In the open the predicted frames follow one another; when filtering, the true ones."""
    follows = predicted if before == "open" else true
    others = dict(
        program="p",
        before=[true[0], *follows[:-1]],
        types=[{n: "str" if v == "'x'" else "int" for n, v in frame.items()} for frame in true],
        statements=STATEMENTS[: len(true)],
        output=None,
        predicted_output=None,
    )
    return Scored(true=true, predicted=predicted, **others | more)


def test_a_state_is_right_when_all_of_it_is():
    # steps 1 and 4 of the five that are scored
    assert score_trace(trace())["state_exact_match"] == pytest.approx(2 / 5)


def test_names_are_compared_as_sets():
    # 1, 1, 2/3, 1, 2/3
    assert score_trace(trace())["key_match"] == pytest.approx((3 + 4 / 3) / 5)


def test_names_with_values_are_compared_as_sets():
    # 1; {n2 a2 b7} and {n2 a2 b8}: 2/4; {n2 ax b7} and {n2 ax}: 2/3; 1; {n2 ax}, {n3 ax b7}: 1/4
    assert score_trace(trace())["key_value_match"] == pytest.approx((2 + 1 / 2 + 2 / 3 + 1 / 4) / 5)


def test_what_was_not_predicted_is_wrong_even_where_nothing_is_there_or_changes():
    true = [{}, {}, {"n": "1"}, {"n": "1"}]
    found = score_trace(trace(true, [{}, None, None, None]))
    names = ("state_exact_match", "key_match", "key_value_match", "effect_accuracy")
    assert [found[name] for name in (*names, "effect_free_accuracy")] == [0.0] * 5
    assert not any(right for _, right in by_type(trace(true, [{}, None, None, None])))


def test_effects_in_the_open_are_between_predicted_frames():
    figures = score_trace(trace())
    # true          predicted
    # a=2           a=2              right
    # b=7           b=8
    # a='x'         a='x', del b
    # del b         nothing
    # nothing       n=3, b=7
    assert figures["effect_accuracy"] == pytest.approx(1 / 4)
    assert figures["effect_free_accuracy"] == 0


def test_effects_when_filtering_are_from_the_true_frame_before():
    figures = score_trace(trace(before="filter"))
    # true          predicted
    # a=2           a=2              right
    # b=7           b=8
    # a='x'         a='x', del b
    # del b         del b            right
    # nothing       n=3, b=7
    assert figures["effect_accuracy"] == pytest.approx(2 / 4)
    assert figures["effect_free_accuracy"] == 0


def test_a_step_that_changes_nothing_is_right_when_nothing_was_expected_to_change():
    true, guess = [{"a": "1"}] * 3, [{"a": "1"}, {"a": "2"}, {"a": "2"}]
    # in the open: a changes at step 1, and stays what it wrongly is at step 2
    assert score_trace(trace(true, guess))["effect_free_accuracy"] == pytest.approx(1 / 2)
    # from the true frame before: a changes at both
    assert score_trace(trace(true, guess, "filter"))["effect_free_accuracy"] == 0
    assert math.isnan(score_trace(trace(true, guess))["effect_accuracy"])


def test_figures_are_means_of_traces_not_of_steps():
    right = trace([{"a": "1"}] * 2, [{"a": "1"}] * 2)
    figures = score([trace(), right])
    assert figures["n_traces"] == 2
    assert figures["n_steps"] == 5 + 1
    assert figures["state_exact_match"] == pytest.approx((2 / 5 + 1) / 2)
    assert figures["effect_accuracy"] == pytest.approx(1 / 4)  # only the first has an effect


def test_whoever_copies_gets_no_effect_right_and_whatever_has_none():
    copied = [TRUE[0], *TRUE[:-1]]
    for frames, before in ((copied, "filter"), ([TRUE[0]] * 6, "open")):
        figures = score([trace(TRUE, frames, before)])
        assert figures["effect_accuracy"] == 0
        assert figures["effect_free_accuracy"] == 1


def test_whoever_is_right_gets_everything():
    figures = score([trace(TRUE, TRUE, output="3", predicted_output="3")])
    for name in ("state_exact_match", "key_match", "key_value_match", "output_pass_at_1"):
        assert figures[name] == 1
    assert figures["effect_accuracy"] == figures["effect_free_accuracy"] == 1
    assert figures["first_divergence"] is None


def test_empty_frames_match():
    figures = score([trace([{}, {}], [{}, {}])])
    assert figures["state_exact_match"] == figures["key_match"] == figures["key_value_match"] == 1
    assert jaccard([], []) == 1
    assert jaccard(["a"], []) == 0


def test_a_change_is_a_new_value_a_new_name_or_a_name_that_is_gone():
    assert change({"a": "1", "b": "2"}, {"a": "3", "c": "4"}) == {"a": "3", "b": None, "c": "4"}
    assert change({"a": "1"}, {"a": "1"}) == {}


@pytest.mark.parametrize(
    "true, predicted",
    [
        ("1", "1"),
        ("'a'", '"a"'),
        ("{1, 2}", "{2, 1}"),
        ("{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}"),
        ("1.0", "1.00"),
        ("nan", "nan"),
        ("<object Point x=1>", "<object Point x=1>"),
    ],
)
def test_outputs_that_are_equal(true, predicted):
    assert same_value(true, predicted)


@pytest.mark.parametrize(
    "true, predicted",
    [
        ("1", "True"),
        ("1", "1.0"),
        ("[1]", "(1,)"),
        ("'1'", "1"),
        ("'a'", "b'a'"),
        ("None", None),
        ("None", "False"),
        ("0", "-"),
        ("nan", "inf"),
        ("1", "<unreadable>"),
        ("<object A>", "<object B>"),
        ("[1, 2]", "[1, 2"),
        ("1", "(" * 1000),
        ("1", "\0"),
    ],
)
def test_outputs_that_are_not(true, predicted):
    assert not same_value(true, predicted)


def test_an_output_counts_where_something_was_returned():
    traces = [
        trace(output="3", predicted_output="3"),
        trace(output="3", predicted_output=None),
        trace(output="3", predicted_output="4"),
        trace(output=None, predicted_output="4"),  # it raised
    ]
    assert score(traces)["output_pass_at_1"] == pytest.approx(1 / 3)


def test_a_horizon_is_that_many_steps_after_the_observed_one():
    figures = score([trace(), trace([{"a": "1"}] * 3, [{"a": "1"}] * 3)])["by_horizon"]
    assert list(figures) == ["1", "2", "4"]
    # step 1: both right; step 2: the first wrong with 2 of 4; step 4: the first alone, and right
    one_program = {"ci95": {}}  # has no interval
    assert figures["1"] == {"n": 2, "state_exact_match": 1, "key_value_match": 1} | one_program
    assert figures["2"] == {"n": 2, "state_exact_match": 0.5, "key_value_match": 0.75} | one_program
    assert figures["4"] == {"n": 1, "state_exact_match": 1, "key_value_match": 1} | one_program


def test_the_longest_horizon_is_256():
    true = [{"i": str(i)} for i in range(300)]
    found = score([trace(true, true, statements=["i += 1"] * 300, types=[{"i": "int"}] * 300)])
    assert list(found["by_horizon"]) == [str(2**n) for n in range(9)]


def test_first_divergence_is_the_median_first_wrong_step():
    right = trace([{"a": "1"}] * 2, [{"a": "1"}] * 2)
    at_1 = trace([{"a": "1"}] * 2, [{"a": "1"}, {"a": "2"}])
    assert [divergence(t) for t in (trace(), at_1, right)] == [2, 1, math.inf]
    assert score([trace(), at_1])["first_divergence"] == 1.5
    assert score([trace(), at_1, right])["first_divergence"] == 2


def test_first_divergence_is_never_when_half_never_diverge():
    right = trace([{"a": "1"}] * 2, [{"a": "1"}] * 2)
    assert score([trace(), right])["first_divergence"] is None
    assert score([trace(), right, right])["first_divergence"] is None


def test_changes_are_counted_by_the_type_of_the_new_value():
    # int: a=2 right, b=7 wrong; str: a='x' right; unbound: b is gone in the guess as well
    assert score([trace()])["by_type"] == {
        "int": {"n": 2, "accuracy": 0.5},
        "str": {"n": 1, "accuracy": 1},
        "unbound": {"n": 1, "accuracy": 1},
    }


def test_effects_are_counted_by_the_statement_that_made_them():
    assert score([trace(before="filter")])["by_statement"] == {
        "Assign": {"n": 3, "accuracy": pytest.approx(1 / 3)},
        "Delete": {"n": 1, "accuracy": 1},
        "Pass": {"n": 1, "accuracy": 0},
    }


def headlines(value: float) -> dict[str, float]:
    names = ("state_exact_match", "key_match", "key_value_match")
    names += ("effect_accuracy", "effect_free_accuracy", "output_pass_at_1")
    return dict.fromkeys(names, value)


def test_an_interval_contains_the_mean():
    rows = [headlines(value) for value in (0.0, 0.2, 0.4, 0.9, 1.0, 0.7)]
    found = intervals(list("abcdef"), rows)
    assert found.keys() == headlines(0).keys()
    for low, high in found.values():
        assert 0 < low < 3.2 / 6 < high < 1


def test_an_interval_is_of_programs_not_of_traces():
    rows = [headlines(value) for value in [0.0] * 50 + [1.0] * 50]
    # Two programs of fifty traces: both drawn alike half of the time.
    assert intervals(["a"] * 50 + ["b"] * 50, rows)["key_match"] == [0, 1]
    low, high = intervals([str(n) for n in range(100)], rows)["key_match"]
    assert 0.35 < low < 0.5 < high < 0.65


def test_programs_count_by_their_traces():
    rows = [headlines(1.0)] * 9 + [headlines(0.0)]
    found = intervals([*"aaaaaaaaa", "b"], rows)
    assert found["key_match"] == [0, 1]


def test_an_interval_leaves_out_what_has_no_figure():
    rows = [headlines(value) | {"output_pass_at_1": math.nan} for value in (0.5, 0.6)]
    rows[0]["effect_accuracy"] = math.nan
    found = intervals(["a", "b"], rows)
    assert "output_pass_at_1" not in found
    assert found["effect_accuracy"] == [0.6, 0.6]  # a draw without b says nothing


def test_one_program_has_no_interval():
    assert intervals(["a", "a"], [headlines(0.5)] * 2) == {}


def test_a_share_has_the_interval_of_programs_drawn_again():
    low, high = ratio_interval(["p", "p", "q"], [1, 0, 1], [1, 1, 1])
    assert (low, high) == (0.5, 1.0)  # p alone, and q alone
    assert ratio_interval(["p", "p"], [1, 0], [1, 1]) is None


def test_figures_can_be_written_as_json():
    figures = finite(score([trace()]))
    assert figures["output_pass_at_1"] is None
    json.dumps(figures, allow_nan=False)
    assert finite({"a": {"b": math.inf, "c": 1.0}, "d": "x"}) == {
        "a": {"b": None, "c": 1.0},
        "d": "x",
    }


def test_effects_are_counted_by_how_far_along_they_are():
    frames = [{"n": str(step)} for step in range(40)]
    wrong = [frame if step < 20 else {"n": "x"} for step, frame in enumerate(frames)]
    found = score([trace(frames, wrong, "filter", statements=["n += 1"] * 40)])["by_place"]
    rights = {"1": (15, 1.0), "16": (16, 4 / 16), "32": (8, 0.0)}
    assert {place: (at["n"], at["accuracy"]) for place, at in found.items()} == rights


def test_effects_are_counted_by_what_their_statement_does():
    frames = [{"d": "{}"}, {"d": "{'a': 1}"}, {"d": "{'a': 2}"}, {"d": "{'a': 2}"}]
    wrong = [*frames[:2], {"d": "{'a': 1, 'a': 2}"}, frames[3]]
    statements = ["d['a'] = 1", "d['a'] = d.get('a', 0) + 1", "x + 1", "return d"]
    found = score([trace(frames, wrong, "filter", statements=statements)])["by_operation"]
    assert {name: (at["n"], at["accuracy"]) for name, at in found.items()} == {
        "[] =": (2, 0.5),
        "[] = of a new key": (1, 1.0),
        "[] = of a key that is there": (1, 0.0),
        ".get()": (1, 0.0),
        "Add": (1, 0.0),
    }
