"""What holds of `dynamics=slots` alone: each slot has latents of its own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from rssm.dynamics.base import Action, Inputs, Rollout, Sizes, Text
from rssm.dynamics.slots import Slots
from rssm.nets import two_hot
from rssm.tables import Rows

B, T, V, L, D, M = 2, 5, 5, 3, 8, 4
SIZES = Sizes(slots=V, cells=L, x_dim=D, a_dim=4, refs=2, tokens=M, token_dim=6)
WIDTHS = dict(deter=16, groups=2, classes=4, read=12, compute=12, layers=1, pointer=4, feat_dim=3)
OTHER = dict(unimix=0.01, free_nats_dyn=0.0, free_nats_rep=0.0)
NAMED, SPARED = 1, 0  # a slot that every action names, and one that none does


@pytest.fixture(scope="module")
def model() -> Slots:
    return nnx.jit(lambda: Slots(SIZES, **WIDTHS, **OTHER, rngs=nnx.Rngs(0)))()


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    rng = np.random.default_rng(0)

    def symbols(*shape: int) -> jax.Array:
        return two_hot(jnp.asarray(rng.integers(16, size=shape)), D)

    def normal(*shape: int) -> jax.Array:
        return jnp.asarray(rng.normal(size=shape), jnp.float32)

    text = Text(normal(B, T, M, 6), symbols(B, T, M), jnp.ones((B, T, M), bool))
    a = Action(normal(B, T, 4), jnp.full((B, T, 2), V).at[..., 0].set(NAMED), text)
    x = Rows(symbols(B, 9, L), jnp.asarray(rng.integers(9, size=(B, T, V))))
    return Inputs(x, a, jnp.zeros((B, T), bool).at[:, 0].set(True))


def observe(model: Slots, inputs: Inputs) -> Rollout:
    return jax.jit(model.observe)(model.initial(B), inputs, None)[1]


def test_what_is_seen_is_known_exactly(model, inputs):
    every = jnp.broadcast_to(jnp.arange(V), (B, T, V))
    cells = model.cells(observe(model, inputs).after, every)
    np.testing.assert_array_equal(cells[..., :D], inputs.x.spread())


def test_a_slot_that_no_action_touches_stays_as_it_was_seen(model, inputs):
    first = jnp.zeros((B, T), bool).at[:, 0].set(True)
    after = observe(model, inputs._replace(seen=first)).after
    for step in range(1, T):
        np.testing.assert_array_equal(after[:, step, SPARED], after[:, 0, SPARED])
        assert (after[:, step, NAMED] != after[:, step - 1, NAMED]).any()


def test_a_summary_says_something_only_of_slots_touched_since_they_were_seen(model, inputs):
    rollout = observe(model, inputs)
    guess, after = model.summary(rollout.guess), model.summary(rollout.after)
    untouched = np.broadcast_to(after[0, 0, 0], after.shape)
    np.testing.assert_array_equal(after, untouched)
    np.testing.assert_array_equal(guess[:, 1:, SPARED], untouched[:, 1:, SPARED])
    assert (guess[:, 1:, NAMED] != untouched[:, 1:, NAMED]).any(-1).all()


def test_a_prior_is_a_distribution_over_the_classes_of_each_group(model, inputs):
    prior = jnp.exp(observe(model, inputs).aux.prior)
    touched = np.asarray(observe(model, inputs).aux.touched)
    np.testing.assert_allclose(prior.sum(-1)[:, 1:][touched[:, 1:]], 1, rtol=1e-5)


def test_codes_that_do_not_fit_the_latents_are_refused():
    with pytest.raises(ValueError, match="3 x 4 classes"):
        Slots(SIZES, **WIDTHS | {"groups": 3}, **OTHER, rngs=nnx.Rngs(0))
