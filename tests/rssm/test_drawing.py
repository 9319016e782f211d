"""Which transitions are learned from: first those of which a critic expects most."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from rssm.drawing import Critic, Facts, draw, facts_of, worth
from rssm.interpreter import Operands, Room

N, M, J, L, H = 6, 4, 3, 5, 8


def operands(cells: np.ndarray, state: jax.Array | None = None) -> Operands:
    tokens = jnp.ones((len(cells), M), jnp.int32)
    state = jnp.zeros((len(cells), J, H)) if state is None else state
    there = jnp.ones((len(cells), J), bool)
    return Operands(tokens, jnp.asarray(cells), state, there, there)


def test_what_is_known_is_worth_nothing_and_what_is_long_no_more_than_what_is_not_known():
    assert worth(jnp.array(0.0)) == 0
    assert (jnp.diff(worth(jnp.linspace(0, 4, 9))) > 0).all()
    np.testing.assert_allclose(worth(jnp.array([8.0, 80.0])), 1, atol=1e-3)


def test_what_is_drawn_is_drawn_once_and_what_has_no_chance_last():
    chance = jnp.array([1.0, 1e-6, 1.0, 1.0, 1e-6, 1.0])
    for seed in range(20):
        drawn = draw(chance, 4 / 6, jax.random.key(seed))
        assert sorted(drawn.tolist()) == [0, 2, 3, 5]


def test_a_step_is_drawn_as_often_as_its_chance_says():
    chance = jnp.array([1.0, 0.25, 0.5, 0.25])
    keys = jax.random.split(jax.random.key(0), 4000)
    drawn = jax.vmap(lambda key: draw(chance, 0.25, key))(keys).ravel()
    np.testing.assert_allclose(np.bincount(drawn) / 4000, chance / chance.sum(), atol=0.03)


def test_facts_tell_what_was_made_from_what_was_moved():
    cells = np.zeros((4, J, L), int)
    cells[:, 0, :2], cells[:, 1, :3] = 7, 8
    after = cells[:, :-1].copy()
    after[1, 0] = cells[1, 1]  # moved
    after[2, 0, :4] = 9  # made
    after[3, 0] = 0  # gone
    facts = facts_of(operands(cells), jnp.asarray(after), labels=1)
    assert facts.changed.tolist() == [False, True, True, True]
    assert facts.made.tolist() == [0, 0, 4, 0]
    assert facts.read.tolist() == [M + 2 + 3 + 1] * 4
    np.testing.assert_allclose(facts.chance(2.0, 3.0), [1, 2, 3, 2])


def test_a_room_is_too_small_that_cannot_hold_what_is_read_or_made_and_its_end():
    facts = Facts(
        jnp.array([4, 5, 4, 9]), jnp.array([2, 2, 3, 9]), jnp.ones(4, bool), jnp.ones((4, 2))
    )
    rooms = [Room(4, (3, 1)), Room(8, (5, 1)), Room(20, (20, 5))]
    assert facts.needs(rooms).tolist() == [0, 1, 1, 2]


def test_the_critic_does_not_move_what_it_is_told():
    critic = Critic(words=20, touched=J, state_dim=H, rngs=nnx.Rngs(0))
    cells = np.ones((N, J, L), int)

    def total(state: jax.Array) -> jax.Array:
        told = operands(cells, state)
        return critic(told, facts_of(told, told.cells[:, :-1], labels=1)).sum()

    state = jax.random.normal(jax.random.key(0), (N, J, H))
    assert total(state) != total(2 * state)
    np.testing.assert_array_equal(jax.grad(total)(state), 0)
