"""How likely a value is with all that it was made of: by hand, and in properties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.worth import Worth, read_names

SLOTS = {"a": 0, "b": 1, "c": 2, "τ1": 3}  # the fifth row is the outcome


def worth(*values: int) -> Worth:
    return Worth.seen(SLOTS, np.array([*values])[:, None])


def after(last: Worth, text: str, **new: tuple[int, float]) -> Worth:
    """With other rows in some slots, each with its probability."""
    rows, odds = last.rows.copy(), last.odds.copy()
    for name, (value, probability) in new.items():
        slot = SLOTS.get(name, 4)
        rows[slot], odds[slot] = value, math.log(probability)
    return last.run(text, rows, odds)


def test_a_value_is_worth_its_own_claim_and_those_of_what_was_read():
    at = after(worth(1, 2, 3, 0, 0), "a = b * 2", a=(4, 0.5))
    at = after(at, "τ1 = b - 1", τ1=(1, 0.9))
    at = after(at, "c = a + τ1", c=(5, 0.8), τ1=(0, 0.99))
    at = after(at, "return c", outcome=(5, 1.0))
    expected = [0.5, 1, 0.5 * 0.9 * 0.8, 0.99, 0.5 * 0.9 * 0.8]
    assert np.exp(at.log_probs) == pytest.approx(expected)


def test_a_claim_that_two_values_rest_on_counts_once():
    at = after(worth(1, 2, 3, 0, 0), "a = c * 2", a=(6, 0.5))
    at = after(at, "b = a + 1", b=(7, 0.9))
    at = after(at, "c = a + b", c=(13, 0.8))
    assert math.exp(at.log_probs[2]) == pytest.approx(0.5 * 0.9 * 0.8)
    assert math.exp(at.together([0, 1, 2])) == pytest.approx(0.5 * 0.9 * 0.8)


def test_what_is_seen_or_set_is_certain_and_what_is_kept_stays_as_it_was():
    at = after(worth(1, 2, 3, 0, 0), "a = b * 2", a=(4, 0.5))
    at = after(at, "b = 1", b=(1, 1.0))
    assert math.exp(at.log_probs[0]) == pytest.approx(0.5)
    assert at.log_probs[1] == 0.0
    assert at.given(0, np.array([9])).log_probs.tolist() == [0.0] * 5
    assert Worth.seen(SLOTS, at.rows).log_probs.tolist() == [0.0] * 5


TEXTS = ["a = b", "a = a + b", "b, c = c, a", "for a in b:", "c.append(a)", "return c", "?"]
STEPS = st.tuples(
    st.sampled_from(TEXTS),
    st.lists(st.integers(0, 2), min_size=5, max_size=5),
    st.lists(st.floats(0.01, 1), min_size=5, max_size=5),
)


@given(st.lists(STEPS, max_size=6))
def test_no_row_is_worth_more_than_its_last_claim_nor_a_state_more_than_its_rows(steps):
    at = worth(0, 1, 2, 0, 1)
    for text, rows, chances in steps:
        at = at.run(text, np.array(rows)[:, None], np.log(chances))
        assert (at.log_probs <= at.odds + 1e-5).all()
        assert at.together(range(5)) <= at.log_probs.min() + 1e-9
        assert at.together(range(5)) >= max(at.log_probs.sum(), at.whole) - 1e-9


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = y + z", {"y", "z"}),
        ("x += y", {"x", "y"}),
        ("xs[i] = y", {"xs", "i", "y"}),
        ("for ι1, x in enumerate(xs):", {"ι1", "x", "xs"}),
        ("elif x < y:", {"x", "y"}),
        ("x = y; del z", {"x", "y", "z"}),
        ("not a statement", {"a"}),
    ],
)
def test_the_names_that_a_statement_reads(text, expected):
    words = {*"for in enumerate del not statement".split()}
    assert expected <= {*read_names(text)} <= expected | words
