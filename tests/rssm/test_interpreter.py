"""The learned interpreter: distributions over rows, and the likeliest of them."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from rssm.interpreter import (
    LAST,
    MOST,
    NEVER,
    Interpreter,
    Operands,
    Outcome,
    Room,
    bounded,
    label_log_prob,
    likeliest,
    log_prob,
)

N, J, L, K, M, H = 3, 3, 2, 4, 2, 6
WORDS, CLASSES = 7, (3,)
ROOM = Room(source=6, results=(2, 1))
ROWS = np.array([row for row in product(range(K), repeat=L) if row[0] or not row[1]])


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    sizes = dict(touched=J, cells=L, tokens=M, symbols=K, words=WORDS, labels=CLASSES, state_dim=H)
    widths = dict(width=8, heads=2, layers=1, results=2)
    return nnx.jit(lambda: Interpreter(**sizes, **widths, rngs=nnx.Rngs(0)))()


@pytest.fixture(scope="module")
def operands() -> Operands:
    rng = np.random.default_rng(0)
    cells = ROWS[rng.integers(len(ROWS), size=(N, J))]
    used = np.array([[True, True], [True, False], [False, False]])
    touched = np.array([[True, True, True], [True, False, True], [True, True, True]])
    tokens = np.where(used, rng.integers(1, WORDS, size=(N, M)), 0)
    arrays = tokens, cells, rng.normal(size=(N, J, H)), touched, np.zeros((N, J))
    kinds = jnp.int32, jnp.int32, jnp.float32, bool, bool
    return Operands(*(jnp.asarray(x, kind) for x, kind in zip(arrays, kinds, strict=True)))


@pytest.fixture(scope="module")
def outcome(interpreter, operands) -> Outcome:
    return nnx.jit(lambda model: model(operands, ROOM))(interpreter)


def before(operands: Operands) -> jax.Array:
    return operands.cells[:, :-1]


def all_rows(outcome: Outcome, operands: Operands) -> np.ndarray:
    """The log-probability of every row there is, [rows, N, J - 1]."""
    held = before(operands)
    each = [jnp.broadcast_to(jnp.asarray(row, jnp.int32), held.shape) for row in ROWS]
    return np.stack([log_prob(outcome, ROOM, held, rows) for rows in each])


def test_the_rows_of_a_slot_share_a_probability_of_one(outcome, operands):
    np.testing.assert_allclose(np.exp(all_rows(outcome, operands)).sum(0), 1, rtol=1e-4)


def test_the_classes_of_a_label_share_a_probability_of_one(outcome):
    each = [label_log_prob(outcome, jnp.full((N, 1), label)) for label in range(CLASSES[0])]
    np.testing.assert_allclose(np.exp(np.stack(each)).sum(0), 1, rtol=1e-4)


def test_the_likeliest_way_to_a_row_is_one_of_those_that_its_probability_sums(outcome, operands):
    rows, odds, labels = likeliest(outcome, ROOM, before(operands))
    assert rows.shape == (N, J - 1, L) and labels.shape == (N, 1)
    assert (labels < CLASSES[0]).all()
    total = log_prob(outcome, ROOM, before(operands), rows)
    assert (odds <= total + 1e-4).all()
    # No row is reached by a way of more than its own probability.
    ways = outcome.gates.shape[-1]
    best = all_rows(outcome, operands).max(0)
    assert (np.asarray(odds) >= best - np.log(ways) - 1e-4).all()


def test_nothing_is_taken_from_a_slot_that_is_not_touched(outcome):
    taken = np.exp(outcome.gates)[..., -(J - 1) :]
    assert taken[1, :, 1].max() == 0
    assert (taken[0] > 0).all()


def test_a_slot_that_is_not_touched_says_nothing(interpreter, operands):
    there = operands.touched[..., None]
    cells = jnp.where(there, operands.cells, (operands.cells + 1) % K)
    state = jnp.where(there, operands.state, operands.state + 1)
    poked = operands._replace(cells=cells, state=state)
    run = nnx.jit(lambda model, operands: model(operands, ROOM))
    one, other = run(interpreter, operands), run(interpreter, poked)
    slots = np.asarray(operands.touched[:, :-1])
    np.testing.assert_allclose(one.gates[slots], other.gates[slots], atol=1e-5)
    np.testing.assert_allclose(one.made, other.made, atol=1e-5)
    np.testing.assert_allclose(one.labels, other.labels, atol=1e-5)


def test_a_larger_room_says_the_same_of_what_fits_the_smaller(interpreter, operands):
    small, large = Room(source=7, results=(2, 1)), Room(source=8, results=(2, 1))
    run = nnx.jit(lambda model, room: model(operands, room), static_argnums=1)
    one, other = run(interpreter, small), run(interpreter, large)
    np.testing.assert_allclose(one.gates, other.gates, atol=1e-5)
    np.testing.assert_allclose(one.made, other.made, atol=1e-5)


def test_a_room_with_longer_results_says_the_same_of_those_that_fit(interpreter, operands):
    small, large = Room(source=8, results=(1, 1)), Room(source=8, results=(2, 2))
    run = nnx.jit(lambda model, room: model(operands, room), static_argnums=1)
    one, other = run(interpreter, small), run(interpreter, large)
    for name in ("gates", "labels"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-5)
    for name in ("made", "copied", "pointer"):
        found = getattr(other, name)[:, ::2]  # the first cell of either result
        np.testing.assert_allclose(getattr(one, name), found, atol=1e-5)


def test_drawn_rows_come_as_often_as_their_probability_says(outcome, operands):
    draws = 4000
    keys = jax.random.split(jax.random.key(0), draws)
    held, telling = before(operands), (1,)  # which asks nothing of what is drawn
    draw = jax.jit(jax.vmap(lambda key: likeliest(outcome, ROOM, held, key, telling)[0]))
    drawn = np.asarray(draw(keys))
    shares = np.stack([(drawn == row).all(-1).mean(0) for row in ROWS])
    np.testing.assert_allclose(shares, np.exp(all_rows(outcome, operands)), atol=0.04)


def test_a_variable_ends_only_where_that_is_clear(interpreter, operands, outcome):
    lasting = jnp.zeros_like(operands.lasting).at[1].set(True)
    found = interpreter(operands._replace(lasting=lasting), ROOM).gates
    kept, ended = (found - outcome.gates)[..., 0], (found - outcome.gates)[..., 1]
    np.testing.assert_allclose((ended - kept)[1], -LAST, rtol=1e-5)
    np.testing.assert_allclose(found[0], outcome.gates[0], rtol=1e-5)


def test_a_long_row_is_learned_however_unlikely_and_an_impossible_one_is_not():
    value_and_slope = jax.value_and_grad(bounded)
    assert value_and_slope(jnp.float32(-400)) == (-400, 1)
    assert value_and_slope(jnp.float32(NEVER - 5)) == (MOST, 0)


def test_the_last_row_and_the_first_label_tell_of_the_same(outcome, operands):
    apart = likeliest(outcome, ROOM, before(operands))
    disagreed = 0
    for telling in ((0,), (1,), (2,), (0, 2)):
        rows, _, labels = likeliest(outcome, ROOM, before(operands), None, telling)
        np.testing.assert_array_equal(rows[:, -1].any(-1), np.isin(labels[:, 0], telling))
        disagreed += (apart[0][:, -1].any(-1) != np.isin(apart[2][:, 0], telling)).sum()
    assert disagreed, "apart they would agree, and this tests nothing"


def test_of_a_row_and_a_label_that_disagree_the_surer_counts(outcome, operands):
    # Of results, which are made; nothing is kept or taken.
    gates = jnp.full_like(outcome.gates, NEVER).at[..., 1].set(-0.1).at[..., 2].set(-2.4)
    made = jnp.full_like(outcome.made, -9.0).at[..., 1].set(-0.01)
    copied = jnp.zeros_like(outcome.copied).at[..., 1].set(NEVER)
    labels = jnp.full_like(outcome.labels, NEVER).at[..., 0].set(-0.01).at[..., 1].set(-4.6)
    said = outcome._replace(gates=gates, made=made, copied=copied, labels=labels)
    unsure = said._replace(labels=labels.at[..., 0].set(-0.7).at[..., 1].set(-0.7))
    surely = said._replace(labels=labels.at[..., 0].set(-4.6).at[..., 1].set(-0.01))
    for found, there in ((said, False), (unsure, False), (surely, True)):
        rows, _, labels = likeliest(found, ROOM, before(operands), None, (1,))
        assert (rows[:, -1].any(-1) == there).all() and (labels[:, 0] == there).all()
        assert not rows[:, 0].any(), "the other rows are as they were"
