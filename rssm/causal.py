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
    """A ring: the step at position p since the last reset stands at p modulo C.

    Heads come before places, as attention reads them; a step is written where it stands.
    """

    keys: tuple[Float[Array, "B H C D"], ...]  # of each layer
    values: tuple[Float[Array, "B H C D"], ...]
    count: Int[Array, " B"]  # steps since the last reset

    @property
    def places(self) -> int:
        return self.keys[0].shape[2]

    def widened(self, places: int) -> "Cache":
        """With further places: only for a ring that has not come round."""
        more = ((0, 0), (0, 0), (0, places - self.places), (0, 0))
        keys, values = (tuple(jnp.pad(a, more) for a in each) for each in self[:2])
        return Cache(keys, values, self.count)

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
        self, x: Float[Array, "B T W"], position: Int[Array, "B T"]
    ) -> tuple[Float[Array, "B H T D"], Float[Array, "B H T D"], Float[Array, "B H T D"]]:
        """Queries, keys and values."""
        split = einops.rearrange(
            self.qkv(self.norms[0](x)), "b t (c h d) -> c b h t d", c=3, h=self.heads
        )
        return rotate(split[0], position), rotate(split[1], position), split[2]

    def attend(
        self,
        x: Float[Array, "B T W"],
        q: Float[Array, "B H T D"],
        k: Float[Array, "B H U D"],
        v: Float[Array, "B H U D"],
        mask: Bool[Array, "B T U"],
    ) -> Float[Array, "B T W"]:
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
        self.heads, self.size, self.context = heads, width // heads, context
        self.dtype = dtype
        blocks = [Block(width, heads, rngs=rngs, dtype=dtype) for _ in range(layers)]
        self.blocks = nnx.List(blocks)
        self.norm = RMSNorm(width)

    def initial(self, batch_size: int, places: int | None = None) -> Cache:
        places = self.context if places is None else places
        none = jnp.zeros((batch_size, self.heads, places, self.size), self.dtype)
        each = (none,) * len(self.blocks)
        return Cache(each, each, jnp.zeros(batch_size, jnp.int32))

    def step(self, cache: Cache, x: Float[Array, "B W"]) -> tuple[Cache, Float[Array, "B W"]]:
        position = cache.count[:, None]
        count = cache.count + 1
        held = positions_held(count, cache.places)
        mask = (held >= 0)[:, None]
        place = jnp.arange(len(x)), slice(None), cache.count % cache.places
        y, keys, values = x[:, None], [], []
        for block, k, v in zip(self.blocks, cache.keys, cache.values, strict=True):
            q, own_k, own_v = block.project(y, position)
            keys.append(k.at[place].set(own_k[:, :, 0]))
            values.append(v.at[place].set(own_v[:, :, 0]))
            y = block.attend(y, q, keys[-1], values[-1], mask)
        return Cache(tuple(keys), tuple(values), count), self.norm(y[:, 0])

    def along(
        self, cache: Cache, x: Float[Array, "B T W"], reset: Bool[Array, "B T"]
    ) -> Float[Array, "B T W"]:
        """After the steps of a cache, which may have no places: then nothing was before."""
        position = since_reset(reset, cache.count)
        trajectory = jnp.cumsum(reset, 1)
        held = positions_held(cache.count, cache.places)[:, None]
        old = (held >= 0) & (position[..., None] - held < self.context)
        old &= trajectory[..., None] == 0
        distance = position[:, :, None] - position[:, None]
        new = (distance >= 0) & (distance < self.context)
        new &= trajectory[:, :, None] == trajectory[:, None]
        mask = jnp.concatenate([old, new], 2)
        for block, k, v in zip(self.blocks, cache.keys, cache.values, strict=True):
            q, own_k, own_v = block.project(x, position)
            k, v = jnp.concatenate([k, own_k], 2), jnp.concatenate([v, own_v], 2)
            x = block.attend(x, q, k, v, mask)
        return self.norm(x)


def positions_held(count: Int[Array, " B"], places: int) -> Int[Array, "B C"]:
    """The position of the step at each place of the ring; negative where there is none."""
    last = count[:, None] - 1
    return last - (last - jnp.arange(places)) % max(1, places)


def since_reset(reset: Bool[Array, "B T"], before: Int[Array, " B"]) -> Int[Array, "B T"]:
    """Steps since the last reset, of which there were `before` when the trajectory begins."""
    steps = jnp.arange(reset.shape[1])
    last = jax.lax.cummax(jnp.where(reset, steps, -1), axis=1)
    return jnp.where(last < 0, before[:, None] + steps, steps - last)


def rotate(x: Float[Array, "B H T D"], position: Int[Array, "B T"]) -> Float[Array, "B H T D"]:
    """Each pair of features turns with the position, at a speed of its own."""
    x, y = jnp.split(x, 2, -1)
    speed = 10000.0 ** (-jnp.arange(x.shape[-1]) / x.shape[-1])
    angle = position[:, None, :, None] * speed
    cos, sin = jnp.cos(angle).astype(x.dtype), jnp.sin(angle).astype(x.dtype)
    return jnp.concatenate([x * cos - y * sin, x * sin + y * cos], -1)
