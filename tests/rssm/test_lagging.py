"""Iterators that are behind in training."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rssm.lagging import FARTHEST, lagging

VARIABLE, ITERATOR = 0, 2
ITERATORS = range(ITERATOR, 3)
# Two trajectories: a loop that goes round four times, and one that was going round already.
HELD = [0, 5, 5, 6, 6, 7, 7, 8, 0, 0, 3, 3, 4, 4]
TAKEN = [3, 5, 7, 12]  # the steps at which something is taken out
BEGUN = 9  # the second trajectory


@pytest.fixture(scope="module")
def numbers() -> jax.Array:
    held = jnp.asarray(HELD)
    return jnp.stack([held, jnp.zeros_like(held), held], 1)[None]


@pytest.fixture(scope="module")
def reset() -> jax.Array:
    return jnp.zeros((1, len(HELD)), bool).at[0, jnp.array([0, BEGUN])].set(True)


@pytest.fixture(scope="module")
def drawn(numbers, reset) -> np.ndarray:
    """What the slots hold before each step, 200 times: all of them late."""
    keys = jax.random.split(jax.random.key(0), 200)
    late = jax.vmap(lambda key: lagging(numbers, reset, ITERATORS, 1.0, key))(keys)
    return np.asarray(late)[:, 0]


def truth(numbers: jax.Array) -> np.ndarray:
    return np.pad(np.asarray(numbers[0, :-1]), ((1, 0), (0, 0)))


def test_only_what_is_taken_out_of_an_iterator_is_taken_out_of_an_earlier_one(drawn, numbers):
    differs = (drawn != truth(numbers)).any(0)
    assert not differs[:, VARIABLE].any()
    assert [step for step, late in enumerate(differs[:, ITERATOR]) if late] == TAKEN


def test_an_iterator_is_behind_by_rounds_or_its_loop_had_not_begun(drawn):
    for step in TAKEN:
        begun = 0 if step < BEGUN else BEGUN
        earlier = HELD[max(begun, step - 1 - FARTHEST) : step - 1]
        assert set(drawn[:, step, ITERATOR]) == {0, *earlier}, step


def test_no_share_is_late_or_about_as_many_as_it_says(numbers, reset):
    def late(share: float) -> float:
        keys = jax.random.split(jax.random.key(1), 2000)
        found = jax.vmap(lambda key: lagging(numbers, reset, ITERATORS, share, key))(keys)
        return float((found[:, 0, 7, ITERATOR] != HELD[6]).mean())

    assert late(0.0) == 0
    # Of the twelve lags at this step, one finds what is there now.
    assert late(0.3) == pytest.approx(0.3 * 11 / 12, abs=0.04)


def test_where_there_are_no_iterators_nothing_is_late(numbers, reset):
    found = lagging(numbers, reset, range(3, 3), 1.0, jax.random.key(0))
    assert (np.asarray(found[0]) == truth(numbers)).all()
