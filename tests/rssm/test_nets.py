import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from rssm.nets import (
    MLP,
    BlockLinear,
    Dense,
    RMSNorm,
    TransformerBlock,
    scan_time,
    two_hot,
    zero_where,
)


def normal(*shape, seed=0):
    return jax.random.normal(jax.random.key(seed), shape)


def test_a_dense_layer_keeps_the_variance_of_its_input():
    y = Dense(400, 500, rngs=nnx.Rngs(0))(normal(300, 400))
    np.testing.assert_allclose(y.var(), 1.0, rtol=0.05)


def test_a_part_of_a_wider_layer_starts_as_small_as_the_whole():
    y = Dense(100, 500, fan_in=400, rngs=nnx.Rngs(0))(normal(300, 100))
    np.testing.assert_allclose(y.var(), 100 / 400, rtol=0.05)


def test_blocks_do_not_mix():
    layer, x = BlockLinear(12, 8, 4, rngs=nnx.Rngs(0)), normal(2, 12)
    changed = layer(x.at[:, 3:6].add(1.0)) != layer(x)
    np.testing.assert_array_equal(changed, [[False] * 2 + [True] * 2 + [False] * 4] * 2)


def test_a_block_linear_layer_is_a_dense_layer_with_zeros_between_its_blocks():
    layer, x = BlockLinear(6, 9, 3, rngs=nnx.Rngs(0)), normal(2, 6)
    dense = jax.scipy.linalg.block_diag(*layer.kernel[...])
    np.testing.assert_allclose(layer(x), x @ dense, rtol=1e-5, atol=1e-6)


def test_block_weights_are_as_small_as_those_of_the_dense_layer():
    kernel = BlockLinear(512, 512, 8, rngs=nnx.Rngs(0)).kernel[...]
    np.testing.assert_allclose(kernel.std(), 512**-0.5, rtol=0.05)


def test_blocks_that_do_not_fit_are_refused_by_name():
    with pytest.raises(ValueError, match="10 -> 8 does not divide into 4 blocks"):
        BlockLinear(10, 8, 4, rngs=nnx.Rngs(0))


def test_an_rms_norm_forgets_the_scale_of_its_input():
    norm, x = RMSNorm(16), normal(3, 16)
    np.testing.assert_allclose(norm(100 * x), norm(1000 * x), rtol=1e-5)
    np.testing.assert_allclose(jnp.mean(norm(100 * x) ** 2, -1), 1.0, rtol=1e-5)


def test_layers_compute_in_the_dtype_they_are_given_and_keep_float32_weights():
    block = TransformerBlock(8, 2, rngs=nnx.Rngs(0), dtype=jnp.bfloat16)
    x = normal(2, 3, 8).astype(jnp.bfloat16)
    assert jax.jit(block)(x, jnp.ones((2, 3), bool)).dtype == jnp.bfloat16
    assert MLP(8, 4, 2, rngs=nnx.Rngs(0), dtype=jnp.bfloat16)(x).dtype == jnp.bfloat16
    assert {leaf.dtype for leaf in jax.tree.leaves(nnx.state(block))} == {jnp.dtype("float32")}


@pytest.fixture(scope="module")
def block():
    return jax.jit(TransformerBlock(8, 2, rngs=nnx.Rngs(0)))


def test_attention_takes_any_leading_axes(block):
    x, mask = normal(2, 3, 5, 8), jnp.arange(5) < 3
    y = block(x, jnp.broadcast_to(mask, x.shape[:-1]))
    np.testing.assert_allclose(y[1, 2], block(x[1, 2], mask), rtol=1e-4, atol=1e-5)


def test_padding_does_not_reach_what_is_not_padding(block):
    x = normal(1, 5, 8)
    mask = jnp.arange(5)[None] < 3
    before, after = block(x, mask), block(x.at[:, 3:].add(1.0), mask)
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert jnp.any(before[:, :3] != block(x.at[:, 2].add(1.0), mask)[:, :3])


def test_nothing_but_padding_is_no_nan(block):
    assert jnp.isfinite(block(normal(1, 5, 8), jnp.zeros((1, 5), bool))).all()


def test_scan_time_equals_a_python_loop():
    def step(carry, inputs):
        x, flag = inputs
        carry = jnp.where(flag[:, None], 0.0, carry) + x
        return carry, {"sum": carry, "first": carry[:, 0]}

    x, flag = normal(2, 4, 3), jnp.array([[0, 0, 1, 0], [1, 0, 0, 1]], bool)
    last, ys = scan_time(step, jnp.zeros((2, 3)), (x, flag))
    carry, loop = jnp.zeros((2, 3)), []
    for t in range(4):
        carry, y = step(carry, (x[:, t], flag[:, t]))
        loop.append(y)
    np.testing.assert_array_equal(last, carry)
    for name in ys:
        np.testing.assert_array_equal(ys[name], jnp.stack([y[name] for y in loop], 1))


def test_zero_where_clears_whole_rows_of_every_array():
    tree = {"a": jnp.ones((2, 3)), "b": jnp.full((2, 1, 2), jnp.nan)}
    tree = zero_where(jnp.array([False, True]), tree)
    np.testing.assert_array_equal(tree["a"], [[1, 1, 1], [0, 0, 0]])
    np.testing.assert_array_equal(tree["b"][1], [[0, 0]])


def test_every_symbol_has_a_code_of_its_own_with_two_ones():
    codes = np.asarray(two_hot(jnp.arange(64), 16))
    assert len(np.unique(codes, axis=0)) == 64
    np.testing.assert_array_equal(codes.sum(-1), 2)
