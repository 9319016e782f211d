"""Layers, and the two helpers that recurrent models share.

    Dense        y = W x + b
    BlockLinear  y_g = W_g x_g + b_g           blocks do not see each other
    RMSNorm      y = s x / sqrt(mean(x^2) + eps)          arXiv:1910.07467
    MLP          (Dense, RMSNorm, SiLU) x layers

Weights are float32; a layer computes in its `dtype`, and norms and softmax never in less than
float32.
"""

import math
from collections.abc import Callable
from typing import Any

import einops
import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from rssm.tables import look_up
from rssm.types import Array, Bool, Float, Int, PRNGKeyArray, Shaped


def truncated_normal(key: PRNGKeyArray, shape: tuple[int, ...], fan_in: int) -> Array:
    """Variance 1 / fan_in; 1.1368 gives back what cutting at two deviations takes away."""
    deviation = 1.1368 / math.sqrt(fan_in)
    return deviation * jax.random.truncated_normal(key, -2, 2, shape, jnp.float32)


def two_hot(symbols: Int[Array, "*n"], width: int) -> Float[Array, "*n D"]:
    """A code of two ones for each symbol below (width / 2) ** 2: its digits in that base."""
    base = width // 2
    digits = jax.nn.one_hot(symbols // base, base), jax.nn.one_hot(symbols % base, base)
    return jnp.concatenate(digits, -1)


def read_two_hot(code: Float[Array, "*n D"]) -> Int[Array, "*n"]:
    """The symbol of a code; 0 of zeros."""
    base = code.shape[-1] // 2
    return base * code[..., :base].argmax(-1) + code[..., base:].argmax(-1)


def widen(x: Array) -> Array:
    """At least float32."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


class Dense(nnx.Module):
    """A linear layer. One that is a part of a wider layer names the `fan_in` of the whole."""

    def __init__(
        self,
        in_dim: int,
        out_dim: int,
        *,
        bias: bool = True,
        fan_in: int | None = None,
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        self.kernel = nnx.Param(truncated_normal(rngs(), (in_dim, out_dim), fan_in or in_dim))
        self.bias = nnx.Param(jnp.zeros(out_dim)) if bias else None
        self.dtype = dtype

    def __call__(self, x: Float[Array, "*n I"]) -> Float[Array, "*n O"]:
        y = x.astype(self.dtype) @ self.kernel[...].astype(self.dtype)
        return y if self.bias is None else y + self.bias[...].astype(self.dtype)


class Embed(nnx.Module):
    """A vector of expected length 1 for each symbol."""

    def __init__(self, symbols: int, width: int, *, rngs: nnx.Rngs, dtype: DTypeLike = jnp.float32):
        normal = nnx.initializers.normal(1 / math.sqrt(width))
        self.embedding = nnx.Param(normal(rngs(), (symbols, width)))
        self.dtype = dtype

    def __call__(self, symbols: Int[Array, "*n"]) -> Float[Array, "*n D"]:
        return look_up(self.embedding[...].astype(self.dtype), symbols)


class BlockLinear(nnx.Module):
    """A linear layer whose weight matrix is block-diagonal."""

    def __init__(
        self,
        in_dim: int,
        out_dim: int,
        blocks: int,
        *,
        fan_in: int | None = None,
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        if in_dim % blocks or out_dim % blocks:
            raise ValueError(f"{in_dim} -> {out_dim} does not divide into {blocks} blocks")
        shape = (blocks, in_dim // blocks, out_dim // blocks)
        # As in DreamerV3 the fan-in counts the inputs of all blocks, not of one. The weights come
        # out sqrt(blocks) smaller, so the gates of a block GRU begin near their biases.
        self.kernel = nnx.Param(truncated_normal(rngs(), shape, fan_in or in_dim))
        self.bias = nnx.Param(jnp.zeros(out_dim))
        self.blocks = blocks
        self.dtype = dtype

    def __call__(self, x: Float[Array, "*n I"]) -> Float[Array, "*n O"]:
        x = einops.rearrange(x.astype(self.dtype), "... (g i) -> ... g i", g=self.blocks)
        y = jnp.einsum("...gi,gio->...go", x, self.kernel[...].astype(self.dtype))
        return einops.rearrange(y, "... g o -> ... (g o)") + self.bias[...].astype(self.dtype)


class RMSNorm(nnx.Module):
    def __init__(self, dim: int, *, eps: float = 1e-4):
        self.scale = nnx.Param(jnp.ones(dim))
        self.eps = eps

    def __call__(self, x: Float[Array, "*n D"]) -> Float[Array, "*n D"]:
        wide = widen(x)
        mean_square = jnp.mean(wide * wide, -1, keepdims=True)
        y = wide * jax.lax.rsqrt(mean_square + self.eps) * self.scale[...]
        return y.astype(x.dtype)


class MLP(nnx.Module):
    def __init__(
        self,
        in_dim: int,
        width: int,
        layers: int,
        *,
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        dims = [in_dim] + [width] * (layers - 1)
        self.layers = nnx.List([Dense(dim, width, rngs=rngs, dtype=dtype) for dim in dims])
        self.norms = nnx.List([RMSNorm(width) for _ in dims])

    def __call__(self, x: Float[Array, "*n I"]) -> Float[Array, "*n O"]:
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = jax.nn.silu(norm(layer(x)))
        return x


class Attention(nnx.Module):
    """Every element attends to every element that the mask admits, or of these to the ones that
    `visible` shows it, a row for each."""

    def __init__(self, width: int, heads: int, *, rngs: nnx.Rngs, dtype: DTypeLike = jnp.float32):
        if width % heads:
            raise ValueError(f"width {width} does not divide into {heads} heads")
        self.qkv = Dense(width, 3 * width, rngs=rngs, dtype=dtype)
        self.out = Dense(width, width, rngs=rngs, dtype=dtype)
        self.heads = heads

    def __call__(
        self,
        x: Float[Array, "*n L D"],
        mask: Bool[Array, "*n L"],
        visible: Bool[Array, "L L"] | None = None,
    ) -> Float[Array, "*n L D"]:
        parts = jnp.split(self.qkv(x), 3, -1)
        q, k, v = (einops.rearrange(x, "... l (h d) -> ... h l d", h=self.heads) for x in parts)
        scores = widen(jnp.einsum("...qd,...kd->...qk", q, k)) / math.sqrt(q.shape[-1])
        # Not -inf: a row that admits nothing would come out as NaN.
        admitted = mask[..., None, None, :]
        admitted = admitted if visible is None else admitted & visible
        scores = jnp.where(admitted, scores, -1e30)
        y = jnp.einsum("...qk,...kd->...qd", jax.nn.softmax(scores).astype(v.dtype), v)
        return self.out(einops.rearrange(y, "... h l d -> ... l (h d)"))


class TransformerBlock(nnx.Module):
    """x + Attention(norm(x)), then x + MLP(norm(x))."""

    def __init__(self, width: int, heads: int, *, rngs: nnx.Rngs, dtype: DTypeLike = jnp.float32):
        self.attention = Attention(width, heads, rngs=rngs, dtype=dtype)
        self.up = Dense(width, 4 * width, rngs=rngs, dtype=dtype)
        self.down = Dense(4 * width, width, rngs=rngs, dtype=dtype)
        self.norms = nnx.List([RMSNorm(width), RMSNorm(width)])

    def __call__(
        self,
        x: Float[Array, "*n L D"],
        mask: Bool[Array, "*n L"],
        visible: Bool[Array, "L L"] | None = None,
    ) -> Float[Array, "*n L D"]:
        x = x + self.attention(self.norms[0](x), mask, visible)
        return x + self.down(jax.nn.silu(self.up(self.norms[1](x))))


class CellFeatures(nnx.Module):
    """One vector for all slots to a feature for each of their cells."""

    def __init__(
        self,
        in_dim: int,
        slots: int,
        cells: int,
        feat_dim: int,
        *,
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        self.slots, self.cells = slots, cells
        self.out = Dense(in_dim, slots * cells * feat_dim, rngs=rngs, dtype=dtype)
        self.norm = RMSNorm(feat_dim)

    def __call__(self, x: Float[Array, "B T I"]) -> Float[Array, "B T V L F"]:
        layout = {"v": self.slots, "l": self.cells}
        return self.norm(einops.rearrange(self.out(x), "b t (v l f) -> b t v l f", **layout))


def flat_action(
    embedding: Float[Array, "B T A"], refs: Int[Array, "B T R"], slots: int
) -> Float[Array, "B T I"]:
    """The embedding and the one-hot references, cut to [-1, 1] as in a / sg(max(1, |a|))."""
    one_hot = jax.nn.one_hot(refs, slots + 1, dtype=embedding.dtype)
    action = jnp.concatenate([embedding, einops.rearrange(one_hot, "b t r v -> b t (r v)")], -1)
    return action / jax.lax.stop_gradient(jnp.maximum(1, jnp.abs(action)))


def shifted(
    first: Shaped[Array, "B ..."], x: Shaped[Array, "B T ..."], reset: Bool[Array, "B T"]
) -> Shaped[Array, "B T ..."]:
    """What was before each step: `first` before the first, and zeros before a reset."""
    return zero_where(reset, jnp.concatenate([first[:, None], x[:, :-1]], 1))


def frozen(module: Any) -> Any:
    """The same module, through which no gradient goes to its weights."""
    graph, weights = nnx.split(module)
    return nnx.merge(graph, jax.lax.stop_gradient(weights))


def scan_time(step: Callable[[Any, Any], tuple[Any, Any]], carry: Any, xs: Any) -> tuple[Any, Any]:
    """`lax.scan` over the second axis of every array in `xs`: [B, T, ...] in, [B, T, ...] out.

    `step` sees and returns single steps, [B, ...].
    """
    carry, ys = jax.lax.scan(step, carry, flip_time(xs))
    return carry, flip_time(ys)


def flip_time(tree: Any) -> Any:
    return jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1), tree)


def zero_where(condition: Bool[Array, "*n"], tree: Any) -> Any:
    """Zeros where `condition` holds; it aligns with the leading axes of every array."""

    def zero(x: Array) -> Array:
        expanded = condition.reshape(condition.shape + (1,) * (x.ndim - condition.ndim))
        return jnp.where(expanded, jnp.zeros_like(x), x)

    return jax.tree.map(zero, tree)
