"""What holds of `dynamics=slots` alone: each slot has latents of its own, which are symbols."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from rssm.dynamics.base import Action, Inputs, Rollout, Sizes
from rssm.dynamics.slots import Slots
from rssm.nets import two_hot
from rssm.tables import Rows

B, T, V, L, D, M = 2, 5, 5, 3, 8, 4
SIZES = Sizes(V, L, D, a_dim=4, refs=2, tokens=M, symbols=16, words=20, labels=(16,))
WIDTHS = dict(deter=16, read=12, compute=12, width=16, heads=2, layers=1)
ROOMS = [dict(share=0.5, source=6, results=[2, 1]), dict(share=0.5, source=20, results=[3, 3])]
NAMED, SPARED = 1, 0  # a slot that every action names, and one that none does


@pytest.fixture(scope="module")
def model() -> Slots:
    return nnx.jit(lambda: Slots(SIZES, **WIDTHS, trained=1.0, rooms=ROOMS, rngs=nnx.Rngs(0)))()


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    rng = np.random.default_rng(0)

    def symbols(*shape: int) -> jax.Array:
        return two_hot(jnp.asarray(rng.integers(16, size=shape)), D)

    def normal(*shape: int) -> jax.Array:
        return jnp.asarray(rng.normal(size=shape), jnp.float32)

    tokens = jnp.asarray(rng.integers(1, 20, size=(B, T, M)))
    a = Action(normal(B, T, 4), jnp.full((B, T, 2), V).at[..., 0].set(NAMED), tokens)
    x = Rows(symbols(B, 9, L), jnp.asarray(rng.integers(9, size=(B, T, V))))
    return Inputs(x, a, jnp.zeros((B, T), bool).at[:, 0].set(True))


def observe(model: Slots, inputs: Inputs, key: jax.Array | None = None) -> Rollout:
    return jax.jit(model.observe)(model.initial(B), inputs, key)[1]


def loss(model: Slots, inputs: Inputs, mask: jax.Array | None = None) -> jax.Array:
    return jax.jit(model.loss)(observe(model, inputs), mask)["dyn"]


def test_what_is_seen_is_known_exactly(model, inputs):
    after = observe(model, inputs).after
    every = jnp.broadcast_to(jnp.arange(V), (B, T, V))
    np.testing.assert_array_equal(model.cells(after, every), inputs.x.spread())
    symbols, log_prob, labels = model.spell(after)
    np.testing.assert_array_equal(two_hot(symbols, D), inputs.x.spread())
    for odds in (log_prob, *labels):
        np.testing.assert_array_equal(odds, 0)


def test_a_slot_that_no_action_touches_stays_as_it_was_seen(model, inputs):
    first = jnp.zeros((B, T), bool).at[:, 0].set(True)
    after = observe(model, inputs._replace(seen=first)).after
    for step in range(1, T):
        np.testing.assert_array_equal(after[:, step, SPARED], after[:, 0, SPARED])
        assert (after[:, step, NAMED] != after[:, step - 1, NAMED]).any()


def test_behind_a_step_that_is_not_seen_the_operands_are_what_was_expected_of_it(model, inputs):
    first = jnp.zeros((B, T), bool).at[:, 0].set(True)
    found = observe(model, inputs._replace(seen=first))
    expected, seen = model.spell(found.after)[0], inputs.x.spread()
    operands = found.aux.operands.cells[:, :, 0]  # of NAMED
    np.testing.assert_array_equal(operands[:, 2:], expected[:, 1:-1, NAMED])
    assert (two_hot(operands, D)[:, 2:] != seen[:, 1:-1, NAMED]).any()
    targets = found.aux.after[:, 1:, 0]
    np.testing.assert_array_equal(two_hot(targets, D), seen[:, 1:, NAMED])


def test_a_working_slot_is_seen_only_where_all_is(inputs):
    sizes = SIZES._replace(working=range(NAMED, NAMED + 1))
    model = nnx.jit(lambda: Slots(sizes, **WIDTHS, trained=1.0, rooms=ROOMS, rngs=nnx.Rngs(0)))()
    each = jnp.ones((B, T), bool)
    others = jnp.arange(V) != NAMED
    told = observe(model, inputs)
    itself = observe(model, inputs._replace(seen=each))
    np.testing.assert_array_equal(itself.after[:, :, NAMED], itself.guess[:, :, NAMED])
    x = inputs.x.spread()
    for rollout, shown in ((told, jnp.ones(V, bool)), (itself, others)):
        symbols, _, _ = model.spell(rollout.after)
        right = (two_hot(symbols, D) == x).all((-2, -1))
        assert right[..., shown].all()


def test_the_slots_before_the_working_ones_are_variables_which_last(model, inputs):
    sizes = SIZES._replace(working=range(NAMED + 1, NAMED + 2))
    beside = nnx.jit(lambda: Slots(sizes, **WIDTHS, trained=1.0, rooms=ROOMS, rngs=nnx.Rngs(0)))()
    lasting = observe(beside, inputs).aux.operands.lasting
    np.testing.assert_array_equal(lasting[:, 1:, 0], True)  # NAMED
    np.testing.assert_array_equal(lasting[..., -2:], False)  # what was returned, and the labels
    assert not observe(model, inputs).aux.operands.lasting.any()


def test_an_imagined_slot_holds_one_symbol_in_each_cell(model, inputs):
    first = jnp.zeros((B, T), bool).at[:, 0].set(True)
    for key in (None, jax.random.key(2)):
        after = observe(model, inputs._replace(seen=first), key).after[:, 1:, :-1]
        codes = model._z(after).reshape(B, T - 1, V - 1, L, 2, D // 2)
        np.testing.assert_array_equal(codes.max(-1), 1)
        np.testing.assert_array_equal(codes.sum(-1), 1)


@pytest.mark.parametrize("told", [True, False])
def test_without_a_statement_nothing_is_expected_to_change_whatever_its_neighbours_do(
    model, inputs, told
):
    tokens = inputs.a.tokens.at[0, 2].set(0)
    tokens = tokens if told else jnp.zeros_like(tokens).at[0, 1].set(tokens[0, 1])
    found = observe(model, inputs._replace(a=inputs.a._replace(tokens=tokens)))
    guess, before = found.guess[0, 2], found.after[0, 1]
    np.testing.assert_array_equal(guess[:, model.deter :], before[:, model.deter :])
    assert (found.guess[0, 1, :, model.deter :] != found.after[0, 0, :, model.deter :]).any()


def test_every_transition_costs_something_and_a_first_step_nothing(model, inputs):
    dyn = loss(model, inputs)
    assert (dyn[:, 0] == 0).all()  # a first step is no transition
    assert (dyn[:, 1:] > 0).any() and jnp.isfinite(dyn).all()


def test_steps_that_do_not_count_do_not_move_others_between_rooms(model, inputs):
    mask = jnp.ones((B, T), bool).at[:, 3:].set(False)
    other = inputs.x.numbers.at[:, 3:].set((inputs.x.numbers[:, 3:] + 1) % 9)
    poked = inputs._replace(x=inputs.x._replace(numbers=other))
    before, after = (loss(model, x, mask) for x in (inputs, poked))
    np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(before[:, 3:], 0)


def test_a_critic_says_how_likely_steps_are_to_be_drawn_and_learns_from_those_that_are(inputs):
    given = dict(trained=0.5, changed=1.0, made=1.0, judged=True)
    model = nnx.jit(lambda: Slots(SIZES, **WIDTHS, **given, rooms=ROOMS, rngs=nnx.Rngs(0)))()
    terms = jax.jit(model.loss)(observe(model, inputs))
    counts, drawn = ~inputs.reset, terms["dyn"] > 0
    assert 0 < drawn.sum() <= B * T / 2 + 1
    assert (terms["chance"][counts] >= 0.1).all() and (terms["chance"][counts] <= 1).all()
    np.testing.assert_array_equal(terms["critic"] > 0, drawn)


def test_rooms_that_do_not_share_all_steps_are_refused():
    with pytest.raises(ValueError, match=r"\[0.5\], do not add up to 1"):
        Slots(SIZES, **WIDTHS, trained=1.0, rooms=ROOMS[:1], rngs=nnx.Rngs(0))
