"""A causal Transformer over steps, in two forms that give one answer.

    along    all steps of a trajectory at once                    for gradients
    step     one step, with the keys and values of those before   for imagination

A step attends to itself and to the `context` - 1 steps before it, never past a reset. Positions are
rotary (arXiv:2104.09864), counted from the last reset; what attention sees of them is a distance.
"""

import math
from typing import NamedTuple

import einops
import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from rssm.nets import Dense, RMSNorm, widen, zero_where
from rssm.types import Array, Bool, Float, Int


class Cache(NamedTuple):
    """A ring: the step at position p since the last reset stands at p modulo C."""

    pairs: Float[Array, "B C N E"]  # key and value of each of N layers
    count: Int[Array, " B"]  # steps since the last reset

    def restarted(self, reset: Bool[Array, " B"]) -> "Cache":
        """What no position points to any more need not be cleared."""
        return self._replace(count=zero_where(reset, self.count))


class Block(nnx.Module):
    """x + Attention(norm(x)), then x + MLP(norm(x))."""

    def __init__(self, width: int, heads: int, *, rngs: nnx.Rngs, dtype: DTypeLike):
        self.heads, self.norms = heads, nnx.List([RMSNorm(width), RMSNorm(width)])
        on = {"rngs": rngs, "dtype": dtype}
        self.qkv = Dense(width, 3 * width, **on)
        self.out = Dense(width, width, **on)
        self.up = Dense(width, 2 * width, **on)
        self.down = Dense(2 * width, width, **on)

    def project(
        self, x: Float[Array, "B T D"], position: Int[Array, "B T"]
    ) -> tuple[Float[Array, "B T D"], Float[Array, "B T E"]]:
        """Queries, and keys with their values."""
        q, k, v = jnp.split(self.qkv(self.norms[0](x)), 3, -1)
        q, k = (rotate(each, position, self.heads) for each in (q, k))
        return q, jnp.concatenate([k, v], -1)

    def attend(
        self,
        x: Float[Array, "B T D"],
        q: Float[Array, "B T D"],
        pairs: Float[Array, "B U E"],
        mask: Bool[Array, "B T U"],
    ) -> Float[Array, "B T D"]:
        k, v = einops.rearrange(pairs, "b u (c h d) -> c b h u d", c=2, h=self.heads)
        q = einops.rearrange(q, "b t (h d) -> b h t d", h=self.heads)
        scores = widen(jnp.einsum("bhtd,bhud->bhtu", q, k)) / math.sqrt(q.shape[-1])
        weights = jax.nn.softmax(jnp.where(mask[:, None], scores, -1e30)).astype(v.dtype)
        y = jnp.einsum("bhtu,bhud->bhtd", weights, v)
        x = x + self.out(einops.rearrange(y, "b h t d -> b t (h d)"))
        return x + self.down(jax.nn.silu(self.up(self.norms[1](x))))


class CausalTransformer(nnx.Module):
    def __init__(
        self,
        width: int,
        heads: int,
        layers: int,
        context: int,
        *,
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        if width % (2 * heads):
            raise ValueError(f"width {width} does not divide into {heads} heads of even width")
        self.width, self.context, self.dtype = width, context, dtype
        blocks = [Block(width, heads, rngs=rngs, dtype=dtype) for _ in range(layers)]
        self.blocks = nnx.List(blocks)
        self.norm = RMSNorm(width)

    def initial(self, batch_size: int, places: int | None = None) -> Cache:
        places = self.context if places is None else places
        shape = (batch_size, places, len(self.blocks), 2 * self.width)
        return Cache(jnp.zeros(shape, self.dtype), jnp.zeros(batch_size, jnp.int32))

    def step(self, cache: Cache, x: Float[Array, "B D"]) -> tuple[Cache, Float[Array, "B D"]]:
        position = cache.count[:, None]
        held = positions_held(cache, self.context)
        near = (held >= 0) & (position - held < self.context)
        mask = jnp.concatenate([near, jnp.ones_like(near[:, :1])], 1)[:, None]
        y, new = x[:, None], []
        for number, block in enumerate(self.blocks):
            q, pair = block.project(y, position)
            pairs = jnp.concatenate([cache.pairs[:, :, number], pair], 1)
            y = block.attend(y, q, pairs, mask)
            new.append(pair[:, 0])
        place = jnp.arange(len(x)), cache.count % self.context
        pairs = cache.pairs.at[place].set(jnp.stack(new, 1))
        return Cache(pairs, cache.count + 1), self.norm(y[:, 0])

    def along(
        self, cache: Cache, x: Float[Array, "B T D"], reset: Bool[Array, "B T"]
    ) -> Float[Array, "B T D"]:
        """After the steps of a cache, which may have no places: then nothing was before."""
        position = since_reset(reset, cache.count)
        trajectory = jnp.cumsum(reset, 1)
        held = positions_held(cache, cache.pairs.shape[1])[:, None]
        old = (held >= 0) & (position[..., None] - held < self.context)
        old &= trajectory[..., None] == 0
        distance = position[:, :, None] - position[:, None]
        new = (distance >= 0) & (distance < self.context)
        new &= trajectory[:, :, None] == trajectory[:, None]
        mask = jnp.concatenate([old, new], 2)
        for number, block in enumerate(self.blocks):
            q, pairs = block.project(x, position)
            x = block.attend(x, q, jnp.concatenate([cache.pairs[:, :, number], pairs], 1), mask)
        return self.norm(x)


def positions_held(cache: Cache, context: int) -> Int[Array, "B C"]:
    """The position of the step at each place of the ring; negative where there is none."""
    last = cache.count[:, None] - 1
    return last - (last - jnp.arange(context)) % max(1, context)


def since_reset(reset: Bool[Array, "B T"], before: Int[Array, " B"]) -> Int[Array, "B T"]:
    """Steps since the last reset, of which there were `before` when the trajectory begins."""
    steps = jnp.arange(reset.shape[1])
    last = jax.lax.cummax(jnp.where(reset, steps, -1), axis=1)
    return jnp.where(last < 0, before[:, None] + steps, steps - last)


def rotate(
    x: Float[Array, "B T D"], position: Int[Array, "B T"], heads: int
) -> Float[Array, "B T D"]:
    """Each pair of features turns with the position, at a speed of its own."""
    x, y = einops.rearrange(x, "b t (h c d) -> c b t h d", h=heads, c=2)
    speed = 10000.0 ** (-jnp.arange(x.shape[-1]) / x.shape[-1])
    angle = position[..., None, None] * speed
    cos, sin = jnp.cos(angle).astype(x.dtype), jnp.sin(angle).astype(x.dtype)
    turned = jnp.stack([x * cos - y * sin, x * sin + y * cos])
    return einops.rearrange(turned, "c b t h d -> b t (h c d)")
