"""As much room as a step needs: no less than in the largest room is said."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from rssm.interpreter import Interpreter, Operands, Room
from rssm.rooms import symbols_read, too_small, written

N, J, L, K, M, H = 24, 3, 4, 5, 4, 6
ROOMS = [Room(6, (2, 1)), Room(9, (3, 2)), Room(M + J * L, (L, 2))]


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    sizes = dict(touched=J, cells=L, tokens=M, symbols=K, words=K, labels=(3,), state_dim=H)
    widths = dict(width=8, heads=2, layers=1, results=2)
    return nnx.jit(lambda: Interpreter(**sizes, **widths, rngs=nnx.Rngs(0)))()


@pytest.fixture(scope="module")
def operands() -> Operands:
    rng = np.random.default_rng(0)

    def rows(*shape: int) -> np.ndarray:
        """Symbols, and behind them nothing."""
        there = np.arange(shape[-1]) < rng.integers(shape[-1] + 1, size=(*shape[:-1], 1))
        return np.where(there, rng.integers(1, K, size=shape), 0)

    arrays = rows(N, M), rows(N, J, L), rng.normal(size=(N, J, H)), rng.random((N, J)) < 0.8
    kinds = jnp.int32, jnp.int32, jnp.float32, bool
    return Operands(*(jnp.asarray(x, kind) for x, kind in zip(arrays, kinds, strict=True)))


@pytest.fixture(scope="module")
def write(interpreter):
    return jax.jit(
        lambda rooms, *given: written(interpreter, *given[:1], rooms, *given[1:]), static_argnums=0
    )


def one(operands: Operands, number: int) -> Operands:
    return jax.tree.map(lambda x: x[number : number + 1], operands)


def test_what_is_written_is_what_the_largest_room_says(write, operands):
    for number in range(N):
        step = one(operands, number)
        found, wanted = write(tuple(ROOMS), step), write((ROOMS[-1],), step)
        touched = np.asarray(step.touched[:, :-1])
        np.testing.assert_array_equal(found.rows[touched], wanted.rows[touched])
        np.testing.assert_array_equal(found.labels, wanted.labels)
        np.testing.assert_allclose(found.log_prob[touched], wanted.log_prob[touched], atol=1e-4)
        np.testing.assert_allclose(found.classes, wanted.classes, atol=1e-5)


def test_steps_together_get_the_room_of_the_one_that_reads_most(write, operands):
    found, wanted = write(tuple(ROOMS), operands), write((ROOMS[-1],), operands)
    touched = np.asarray(operands.touched[:, :-1])
    np.testing.assert_array_equal(found.rows[touched], wanted.rows[touched])


def test_what_is_drawn_fits_the_longest_results(write, operands):
    keys = jax.random.split(jax.random.key(0), 8)
    lengths = [
        (np.asarray(write(tuple(ROOMS), operands, key).rows) > 0).sum(-1).max() for key in keys
    ]
    assert max(lengths) > ROOMS[0].results[0]


def test_a_room_is_too_small_for_what_is_read_or_made(operands):
    after = operands.cells[:, :-1] * 0
    needs = np.asarray(too_small(ROOMS, operands, after, 1))
    read = np.asarray(symbols_read(operands, 1))
    np.testing.assert_array_equal(needs, (read > 6).astype(int) + (read > 9))
    longer = jnp.full_like(after, K - 1)  # rows that no slot held
    assert (np.asarray(too_small(ROOMS, operands, longer, 1)) == len(ROOMS) - 1).all()
