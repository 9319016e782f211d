"""The causal Transformer: all at once and step by step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from rssm.causal import CausalTransformer, since_reset

B, T, D, CONTEXT = 3, 11, 8, 4


@pytest.fixture(scope="module")
def model() -> CausalTransformer:
    return nnx.jit(lambda: CausalTransformer(D, 2, 2, CONTEXT, rngs=nnx.Rngs(0)))()


@pytest.fixture(scope="module")
def x() -> jax.Array:
    return jax.random.normal(jax.random.key(0), (B, T, D))


@pytest.fixture(scope="module")
def reset() -> jax.Array:
    """At the first step in one row, later too in another, nowhere in the last."""
    return jnp.zeros((B, T), bool).at[0, 0].set(True).at[1, jnp.array([0, 3, 4])].set(True)


@jax.jit
def step(model, cache, x, reset):
    return model.step(cache.restarted(reset), x)


@jax.jit
def along(model, cache, x, reset):
    return model.along(cache, x, reset)


def stepwise(model, x, reset, cache=None):
    cache = cache or model.initial(B)
    found = []
    for t in range(x.shape[1]):
        cache, y = step(model, cache, x[:, t], reset[:, t])
        found.append(y)
    return cache, jnp.stack(found, 1)


def test_all_at_once_and_step_by_step_agree(model, x, reset):
    _, expected = stepwise(model, x, reset)
    found = along(model, model.initial(B), x, reset)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cut", [1, 6])
def test_a_cache_stands_for_the_steps_before(model, x, reset, cut):
    whole = along(model, model.initial(B), x, reset)
    cache, _ = stepwise(model, x[:, :cut], reset[:, :cut])
    rest = along(model, cache, x[:, cut:], reset[:, cut:])
    np.testing.assert_allclose(rest, whole[:, cut:], rtol=1e-4, atol=1e-5)


def test_each_layer_looks_back_on_so_many_steps(model, x):
    none = jnp.zeros((B, T), bool)
    reach = 2 * (CONTEXT - 1)  # by two layers
    whole = along(model, model.initial(B), x, none)
    poked = along(model, model.initial(B), x.at[:, 0].add(1.0), none)
    differs = np.asarray(whole != poked).any((0, 2))
    assert differs[: reach + 1].all()
    assert not differs[reach + 1 :].any()


def test_order_matters(model, x):
    none = jnp.zeros((B, T), bool)
    swapped = x.at[:, 0].set(x[:, 1]).at[:, 1].set(x[:, 0])
    one = along(model, model.initial(B), x, none)[:, 2]
    assert (one != along(model, model.initial(B), swapped, none)[:, 2]).any()


def test_positions_count_from_the_last_reset(reset):
    found = since_reset(reset, jnp.array([5, 5, 5]))
    np.testing.assert_array_equal(found[0], range(T))
    np.testing.assert_array_equal(found[1], [0, 1, 2, 0, 0, 1, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(found[2], range(5, 5 + T))


def test_a_width_that_heads_do_not_divide_is_refused():
    with pytest.raises(ValueError, match="width 10 does not divide into 2 heads"):
        CausalTransformer(10, 2, 1, CONTEXT, rngs=nnx.Rngs(0))
