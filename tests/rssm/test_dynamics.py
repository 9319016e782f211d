"""The contract of `rssm/dynamics/base.py`, over every yaml in `configs/dynamics/`."""

from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hydra.utils import instantiate
from omegaconf import OmegaConf

from rssm.dynamics.base import Action, Inputs, Rollout, Sizes
from rssm.nets import two_hot
from rssm.tables import Rows

CONFIGS = Path(__file__).parents[2] / "configs"
YAMLS = sorted(CONFIGS.glob("dynamics/*.yaml"))
DEBUG = OmegaConf.load(CONFIGS / "size/debug.yaml")
SMALL = dict(deter=64, hidden=32, width=32, read=32, compute=32, feat_dim=8)
SMALL |= dict(groups=2, classes=4, heads=2, layers=1, pointer=4, context=4)

B, T, V, L, D, A, R, M = 2, 6, 3, 4, 8, 4, 2, 3
SIZES = Sizes(V, L, D, A, R, M, symbols=16, words=20, labels=(16,))
CUT = 3
KEYS = [None, jax.random.key(1)]


@pytest.fixture(scope="module", params=YAMLS, ids=lambda path: path.stem)
def model(request):
    cfg = OmegaConf.create({"size": DEBUG, "dynamics": OmegaConf.load(request.param)}).dynamics
    cfg.update({name: value for name, value in SMALL.items() if name in cfg})
    return nnx.jit(lambda: instantiate(cfg)(SIZES, rngs=nnx.Rngs(0)))()


class Seen(NamedTuple):
    """What the heads see of a rollout, of all slots, and what the model keeps for its loss."""

    after: jax.Array
    guess: jax.Array
    rollout: Rollout


@pytest.fixture(scope="module")
def dynamics(model):
    """The model, compiled: a test may run it many times."""

    def features(result):
        carry, rollout = result
        return carry, Seen(*(features_of(model, x) for x in rollout[:2]), rollout)

    return SimpleNamespace(
        initial=model.initial,
        observe=jax.jit(lambda *given: features(model.observe(*given))),
        imagine=jax.jit(lambda *given: features(model.imagine(*given))),
        loss=jax.jit(lambda seen: model.loss(seen.rollout)),
    )


def features_of(model, latents):
    """Cells, and the summary of each slot behind them."""
    summary = model.summary(latents)
    every = jnp.broadcast_to(jnp.arange(V), summary.shape[:3])
    cells = model.cells(latents, every)
    return jnp.concatenate([cells.reshape(*summary.shape[:3], -1), summary], -1)


@pytest.fixture(scope="module")
def inputs():
    """Random trajectories that begin with a reset, as every trajectory does."""
    rng = np.random.default_rng(0)

    def normal(*shape):
        return jnp.asarray(rng.normal(size=shape), jnp.float32)

    def codes(*shape):
        return two_hot(jnp.asarray(rng.integers(16, size=shape)), D)

    tokens = jnp.asarray(rng.integers(1, 20, size=(B, T, M)))
    refs = jnp.asarray(rng.integers(V + 1, size=(B, T, R)), jnp.int32)
    numbers = jnp.asarray(rng.permuted(np.tile(np.arange(T * V), (B, 1)), axis=1), jnp.int32)
    x = Rows(codes(B, T * V, L), numbers.reshape(B, T, V))
    reset = jnp.zeros((B, T), bool).at[:, 0].set(True)
    # To say that all is seen, and not to imply it, lets most tests share what is compiled.
    return Inputs(x, Action(normal(B, T, A), refs, tokens), reset, jnp.ones((B, T), bool))


def at(inputs, steps):
    """The table of x has no time; all else has."""
    x = inputs.x._replace(numbers=inputs.x.numbers[:, steps])
    cut = jax.tree.map(lambda array: array[:, steps], inputs._replace(x=None))
    return cut._replace(x=x)


def poke(inputs, steps):
    """Other observations and other actions at these steps."""
    embedding = inputs.a.embedding.at[:, steps].add(1.0)
    refs = inputs.a.refs.at[:, steps].set((inputs.a.refs[:, steps] + 1) % (V + 1))
    tokens = inputs.a.tokens.at[:, steps].set(inputs.a.tokens[:, steps] % 19 + 1)
    return poke_x(inputs, (slice(None), steps))._replace(a=Action(embedding, refs, tokens))


def poke_x(inputs, where):
    """Other observations at these rows and steps."""
    numbers = inputs.x.numbers
    other = numbers.at[where].set((numbers[where] + 1) % (T * V))
    return inputs._replace(x=inputs.x._replace(numbers=other))


def observe(dynamics, inputs, key):
    return dynamics.observe(dynamics.initial(B), inputs, key)[1]


def assert_close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def test_a_feature_per_slot_is_what_comes_out(model, dynamics, inputs):
    rollout = observe(dynamics, inputs, KEYS[1])
    width = L * model.feat_dim + model.summary_dim
    assert rollout.after.shape == rollout.guess.shape == (B, T, V, width)


def test_the_future_does_not_reach_the_past(dynamics, inputs):
    before = observe(dynamics, inputs, KEYS[1])
    after = observe(dynamics, poke(inputs, slice(CUT, None)), KEYS[1])
    np.testing.assert_array_equal(before.after[:, :CUT], after.after[:, :CUT])
    assert (before.after[:, CUT:] != after.after[:, CUT:]).any((0, 2, 3)).all()


def test_a_guess_has_not_seen_what_it_guesses(dynamics, inputs):
    poked = poke_x(inputs, (slice(None), slice(CUT, None)))
    before, after = observe(dynamics, inputs, KEYS[1]), observe(dynamics, poked, KEYS[1])
    np.testing.assert_array_equal(before.guess[:, : CUT + 1], after.guess[:, : CUT + 1])


def test_a_guess_knows_the_action_that_leads_to_it(dynamics, inputs):
    embedding = inputs.a.embedding.at[:, CUT].add(1.0)
    poked = inputs._replace(a=inputs.a._replace(embedding=embedding))
    before, after = observe(dynamics, inputs, KEYS[1]), observe(dynamics, poked, KEYS[1])
    assert (before.guess[:, CUT] != after.guess[:, CUT]).any((1, 2)).all()


def test_nothing_from_before_a_reset_has_an_influence_after_it(dynamics, inputs):
    inputs = inputs._replace(reset=inputs.reset.at[:, CUT].set(True))
    poked = poke(inputs, slice(0, CUT))
    before, after = observe(dynamics, inputs, KEYS[1]), observe(dynamics, poked, KEYS[1])
    np.testing.assert_array_equal(before.after[:, CUT:], after.after[:, CUT:])
    np.testing.assert_array_equal(before.guess[:, CUT:], after.guess[:, CUT:])


def test_the_action_of_a_reset_does_not_count(dynamics, inputs):
    poked = inputs._replace(a=poke(inputs, 0).a)
    before, after = observe(dynamics, inputs, KEYS[1]), observe(dynamics, poked, KEYS[1])
    np.testing.assert_array_equal(before.after, after.after)


def test_a_reset_makes_every_carry_the_initial_one(dynamics, inputs):
    used, fresh = dynamics.observe(dynamics.initial(B), inputs, KEYS[1])
    _, again = dynamics.observe(used, inputs, KEYS[1])
    np.testing.assert_array_equal(fresh.after, again.after)


def test_a_row_does_not_reach_another_row(dynamics, inputs):
    poked = poke_x(inputs, 0)
    before, after = observe(dynamics, inputs, KEYS[1]), observe(dynamics, poked, KEYS[1])
    np.testing.assert_array_equal(before.after[1], after.after[1])


def test_a_withheld_observation_has_no_influence(dynamics, inputs):
    inputs = inputs._replace(seen=jnp.ones((B, T), bool).at[:, CUT].set(False))
    poked = poke_x(inputs, (slice(None), CUT))
    before, after = observe(dynamics, inputs, KEYS[1]), observe(dynamics, poked, KEYS[1])
    np.testing.assert_array_equal(before.after, after.after)
    np.testing.assert_array_equal(before.guess, after.guess)


def test_without_an_observation_the_belief_is_the_guess(dynamics, inputs):
    seen = jnp.ones((B, T), bool).at[:, CUT].set(False)
    rollout = observe(dynamics, inputs._replace(seen=seen), KEYS[1])
    same = (rollout.after == rollout.guess).all((2, 3))
    np.testing.assert_array_equal(same[:, CUT], True)
    assert not same.all()


def test_to_see_everything_is_to_withhold_nothing(dynamics, inputs):
    nothing_said = inputs._replace(seen=None)
    implied, said = observe(dynamics, nothing_said, KEYS[1]), observe(dynamics, inputs, KEYS[1])
    assert_close(implied.after, said.after)
    assert_close(implied.guess, said.guess)


def test_the_loss_is_named_and_has_one_finite_number_per_step(dynamics, inputs):
    for seen in (inputs.seen, jnp.zeros((B, T), bool)):
        losses = dynamics.loss(observe(dynamics, inputs._replace(seen=seen), KEYS[1]))
        for name, loss in losses.items():
            assert loss.shape == (B, T), name
            assert jnp.isfinite(loss).all(), name


def test_gradients_are_finite_and_reach_the_inputs(model, inputs):
    def total(table, embedding):
        x, a = inputs.x._replace(table=table), inputs.a._replace(embedding=embedding)
        _, rollout = model.observe(model.initial(B), inputs._replace(x=x, a=a), KEYS[1])
        features = [features_of(model, latents) ** 2 for latents in rollout[:2]]
        terms = [*model.loss(rollout).values(), *features]
        return sum(jnp.sum(term * jnp.arange(term.size).reshape(term.shape)) for term in terms)

    for grad in jax.jit(jax.grad(total, (0, 1)))(inputs.x.table, inputs.a.embedding):
        assert jnp.isfinite(grad).all()
        assert jnp.any(grad)


@pytest.mark.parametrize("key", KEYS, ids=["mode", "sample"])
def test_imagining_twice_with_one_key_agrees(dynamics, inputs, key):
    carry, _ = dynamics.observe(dynamics.initial(B), inputs, key)
    _, once = dynamics.imagine(carry, at(inputs, slice(CUT, None)).a, key)
    _, twice = dynamics.imagine(carry, at(inputs, slice(CUT, None)).a, key)
    np.testing.assert_array_equal(once.after, twice.after)
    np.testing.assert_array_equal(once.after, once.guess)


def test_to_see_no_more_is_to_imagine(dynamics, inputs):
    seen = jnp.zeros((B, T), bool).at[:, :CUT].set(True)
    watched = observe(dynamics, inputs._replace(seen=seen), None)
    carry, first = dynamics.observe(dynamics.initial(B), at(inputs, slice(0, CUT)), None)
    _, rest = dynamics.imagine(carry, at(inputs, slice(CUT, None)).a, None)
    assert_close(watched.after, jnp.concatenate([first.after, rest.after], 1))


def test_a_carry_that_is_handed_on_continues(dynamics, inputs):
    whole = observe(dynamics, inputs, None)
    carry, first = dynamics.observe(dynamics.initial(B), at(inputs, slice(0, CUT)), None)
    _, second = dynamics.observe(carry, at(inputs, slice(CUT, None)), None)
    assert_close(whole.after, jnp.concatenate([first.after, second.after], 1))
    assert_close(whole.guess, jnp.concatenate([first.guess, second.guess], 1))
