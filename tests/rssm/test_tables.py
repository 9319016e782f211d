"""Rows of tables: looked up by number, and their gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rssm.tables import added, look_up, multiplied, take_rows


@pytest.fixture
def table():
    return jax.random.normal(jax.random.key(0), (7, 3))


@pytest.fixture
def numbers():
    return jnp.array([[0, 0, 5], [2, 0, 5]], jnp.uint8)


def test_rows_are_looked_up_by_their_numbers(table, numbers):
    np.testing.assert_array_equal(look_up(table, numbers), np.asarray(table)[np.asarray(numbers)])


def test_each_table_of_a_batch_has_its_own_numbers(table):
    tables, numbers = jnp.stack([table, -table]), jnp.array([[1, 2], [6, 1]])
    found = take_rows(tables, numbers)
    np.testing.assert_array_equal(found[0], table[jnp.array([1, 2])])
    np.testing.assert_array_equal(found[1], -table[jnp.array([6, 1])])


@pytest.mark.parametrize("sums", [added, multiplied])
def test_a_row_has_the_gradients_of_all_that_looked_it_up(table, numbers, sums):
    weights = jax.random.normal(jax.random.key(1), (2, 3, 3))
    wanted = jax.grad(lambda table: (table[numbers] * weights).sum())(table)
    np.testing.assert_allclose(
        sums(table, weights.reshape(-1, 3), numbers.ravel()), wanted, rtol=1e-6
    )
    found = jax.grad(lambda table: (look_up(table, numbers) * weights).sum())(table)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_many_small_gradients_of_a_row_are_not_lost_in_half_precision(table):
    rows = jnp.ones((4096, 3), jnp.bfloat16)
    numbers = jnp.zeros(4096, jnp.int32)
    found = multiplied(table.astype(jnp.bfloat16), rows, numbers)
    np.testing.assert_array_equal(found[0], 4096)
