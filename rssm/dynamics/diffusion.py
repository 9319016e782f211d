"""Diffusion of the next latent: EDM as in DIAMOND (arXiv:2405.12399), or the shortcut models of
Dreamer 4 (arXiv:2509.24527).

    e_t = normalised(W x_t)                      a latent, trained to be decoded, by nothing else
    c_t = the last K pairs (e_{s-1}, a_s)        condition
    e_t ~ the end of a path from noise to data   prior, in `steps` calls of one network F

`edm`, with s the deviation of the noise and d that of the data (arXiv:2206.00364):

    D(y; s) = c_skip y + c_out F(c_in y; ln(s) / 4, c)
    c_in = 1 / sqrt(s^2 + d^2),  c_skip = d^2 / (s^2 + d^2),  c_out = s sqrt(c_skip)
    loss    |F - (e - c_skip y) / c_out|^2,  ln s ~ Normal(-0.4, 1.2)
    path    Euler steps of dy = (y - D) ds / s from s = 5 to 0, spaced as in Karras et al.

`shortcut`, with y = (1 - u) noise + u e and a step of size d (arXiv:2410.12557):

    F(y; u, d, c) expects e;  v = (F - y) / (1 - u) is the way there
    loss    w |F - e|^2 at the least d, and w (1 - u)^2 |v - sg(v' + v'') / 2|^2 at the others, v'
            and v'' being the two halves of the step;  w = 0.9 u + 0.1
    path    Euler steps of dy = v du

The mode is the path that begins at the mean of the noise. The network is not trained through its
own samples; it learns from true latents behind believed ones. In Dreamer 4 the condition is noised
too, and a Transformer reads all of it.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import einops
import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from rssm.dynamics.base import Action, CellLatents, Inputs, Rollout, Sizes
from rssm.losses import sg
from rssm.nets import (
    CellFeatures,
    Dense,
    RMSNorm,
    flat_action,
    frozen,
    scan_time,
    shifted,
    widen,
    zero_where,
)
from rssm.types import Array, Bool, Float, PRNGKeyArray

OBJECTIVES = ("edm", "shortcut")
DATA = 0.5  # deviation of the latents
NOISIEST, CLEANEST, RHO = 5.0, 2e-3, 7.0
LOG_MEAN, LOG_DEVIATION = -0.4, 1.2
FINEST = 8  # the least step of a shortcut is 1 / 8
LEARNT = (1, 2, 4, 8)
WHOLE = 0.75  # share of the steps that learn the least one
FREQUENCIES = 8


Network = Callable[[Array, Array, Array], Array]  # F, of y, the level of noise and the condition


class Carry(NamedTuple):
    pairs: Float[Array, "B K I"]  # the pairs before, the newest last
    e: Float[Array, "B E"]


class Aux(NamedTuple):
    e: Float[Array, "B T E"]
    condition: Float[Array, "B T H"]
    reset: Bool[Array, "B T"]


class Denoiser(nnx.Module):
    """F: residual layers, each normalised as the condition and the noise say."""

    def __init__(
        self,
        embedding: int,
        width: int,
        layers: int,
        condition: int,
        *,
        rngs: nnx.Rngs,
        dtype: DTypeLike,
    ):
        on = {"rngs": rngs, "dtype": dtype}
        self.inward = Dense(embedding, width, **on)
        self.level = Dense(4 * FREQUENCIES, condition, **on)
        self.scales = nnx.List([Dense(condition, 3 * width, **on) for _ in range(layers)])
        self.up = nnx.List([Dense(width, 2 * width, **on) for _ in range(layers)])
        self.down = nnx.List([Dense(2 * width, width, **on) for _ in range(layers)])
        self.norms = nnx.List([RMSNorm(width) for _ in range(layers)])
        self.norm = RMSNorm(width)
        self.outward = Dense(width, embedding, **on)

    def __call__(
        self,
        y: Float[Array, "*n E"],
        level: Float[Array, "*n 2"],
        condition: Float[Array, "*n H"],
    ) -> Float[Array, "*n E"]:
        angle = level[..., None] * 2.0 ** jnp.arange(FREQUENCIES)
        waves = jnp.concatenate([jnp.sin(angle), jnp.cos(angle)], -1)
        waves = einops.rearrange(waves, "... two f -> ... (two f)")
        condition = jax.nn.silu(condition + self.level(waves))
        hidden = self.inward(y)
        parts = zip(self.scales, self.up, self.down, self.norms, strict=True)
        for scales, up, down, norm in parts:
            scale, move, gate = jnp.split(scales(condition), 3, -1)
            z = norm(hidden) * (1 + scale) + move
            hidden = hidden + gate * down(jax.nn.silu(up(z)))
        return widen(self.outward(self.norm(hidden)))


class Diffusion(CellLatents):
    def __init__(
        self,
        sizes: Sizes,
        *,
        objective: str,
        steps: int,
        embedding: int,
        width: int,
        hidden: int,
        layers: int,
        context: int,
        feat_dim: int,
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        slots, cells, x_dim, a_dim, refs = sizes[:5]
        if objective not in OBJECTIVES:
            raise ValueError(f"unknown objective {objective!r}; there are: {', '.join(OBJECTIVES)}")
        if objective == "shortcut" and steps not in LEARNT:
            raise ValueError(f"a shortcut takes {LEARNT} steps, not {steps}")
        self.path = {"edm": edm_path, "shortcut": shortcut_path}[objective]
        self.error = {"edm": edm_error, "shortcut": shortcut_error}[objective]
        self.slots, self.embedding, self.steps, self.context = slots, embedding, steps, context
        self.pair = embedding + a_dim + refs * (slots + 1)
        self.feat_dim, self.summary_dim, self.dtype = feat_dim, cells * feat_dim, dtype
        on = {"rngs": rngs, "dtype": dtype}

        self.encoder = Dense(slots * cells * x_dim, embedding, **on)
        self.condition = Dense(context * self.pair, hidden, **on)
        self.condition_norm = RMSNorm(hidden)
        self.denoiser = Denoiser(embedding, width, layers, hidden, **on)
        self.feat = CellFeatures(embedding, slots, cells, feat_dim, **on)

    def initial(self, batch_size: int) -> Carry:
        pairs = jnp.zeros((batch_size, self.context - 1, self.pair), self.dtype)
        return Carry(pairs, jnp.zeros((batch_size, self.embedding), self.dtype))

    def observe(
        self, carry: Carry, inputs: Inputs, key: PRNGKeyArray | None
    ) -> tuple[Carry, Rollout]:
        reset, seen = inputs.reset, inputs.seen
        seen = jnp.ones_like(reset) if seen is None else seen
        x = einops.rearrange(inputs.x.spread(), "b t v l d -> b t (v l d)")
        e = normalised(self.encoder(x))
        a = self._action(inputs.a, reset)
        noise = self._noise(key, reset.shape)
        end, belief, guess = frozen(self)._follow(*sg((carry, e, a)), reset, seen, noise)

        pairs = jnp.concatenate([sg(shifted(carry.e, belief, reset)), a], -1)
        condition = self._condition(recent(carry.pairs, pairs, reset))
        after = jnp.where(seen[..., None], e, belief)
        aux = Aux(sg(e), condition, reset)
        return end, Rollout(self.feat(after), self.feat(guess), aux)

    def imagine(self, carry: Carry, a: Action, key: PRNGKeyArray | None) -> tuple[Carry, Rollout]:
        def step(carry, step_inputs):
            carry = self._step(carry, *step_inputs)
            return carry, carry.e

        none = jnp.zeros(a.refs.shape[:2], bool)
        steps = (self._action(a, none), self._noise(key, none.shape))
        carry, e = scan_time(step, carry, steps)
        feat = self.feat(e)
        return carry, Rollout(feat, feat, None)

    def loss(
        self,
        rollout: Rollout,
        mask: Bool[Array, "B T"] | None = None,
        key: PRNGKeyArray | None = None,
    ) -> dict[str, Float[Array, "B T"]]:
        e, condition, reset = rollout.aux
        key = jax.random.key(0) if key is None else key
        error = self.error(self.denoiser, widen(e), condition, key)
        # What a trajectory begins with cannot be predicted.
        return {"denoise": jnp.where(reset, 0, error)}

    def _follow(
        self,
        carry: Carry,
        e: Float[Array, "B T E"],
        a: Float[Array, "B T A"],
        reset: Bool[Array, "B T"],
        seen: Bool[Array, "B T"],
        noise: Float[Array, "B T E"] | None,
    ) -> tuple[Carry, Float[Array, "B T E"], Float[Array, "B T E"]]:
        """The belief at every step, and what was expected there."""

        def step(carry, step_inputs):
            e, a, reset, seen, noise = step_inputs
            carry = self._step(zero_where(reset, carry), a, noise)
            belief = jnp.where(seen[:, None], e, carry.e)
            return carry._replace(e=belief), (belief, carry.e)

        carry, (belief, guess) = scan_time(step, carry, (e, a, reset, seen, noise))
        return carry, belief, guess

    def _step(
        self, carry: Carry, a: Float[Array, "B A"], noise: Float[Array, "B E"] | None
    ) -> Carry:
        pair = jnp.concatenate([carry.e, a], -1)
        pairs = jnp.concatenate([carry.pairs, pair[:, None]], 1)
        condition = self._condition(einops.rearrange(pairs, "b k i -> b (k i)"))
        start = jnp.zeros_like(carry.e, jnp.float32) if noise is None else noise
        e = self.path(self.denoiser, start, condition, self.steps)
        return Carry(pairs[:, 1:], e.astype(self.dtype))

    def _condition(self, pairs: Float[Array, "*n I"]) -> Float[Array, "*n H"]:
        return self.condition_norm(self.condition(pairs))

    def _action(self, a: Action, reset: Bool[Array, "B T"]) -> Float[Array, "B T A"]:
        return zero_where(reset, flat_action(a.embedding, a.refs, self.slots))

    def _noise(self, key: PRNGKeyArray | None, shape: tuple[int, ...]) -> Array | None:
        return None if key is None else jax.random.normal(key, (*shape, self.embedding))


def normalised(e: Float[Array, "*n E"]) -> Float[Array, "*n E"]:
    wide = widen(e)
    scale = DATA * jax.lax.rsqrt(jnp.square(wide).mean(-1, keepdims=True) + 1e-6)
    return (wide * scale).astype(e.dtype)


def recent(
    before: Float[Array, "B K I"], pairs: Float[Array, "B T I"], reset: Bool[Array, "B T"]
) -> Float[Array, "B T J"]:
    """The last pairs at every step, the newest last, zeros from before a reset."""
    context, steps = before.shape[1] + 1, pairs.shape[1]
    whole = jnp.concatenate([before, pairs], 1)
    number = jnp.pad(jnp.cumsum(reset, 1), ((0, 0), (context - 1, 0)))
    found = []
    for start in range(context):
        other = number[:, start : start + steps] != number[:, context - 1 :]
        found.append(zero_where(other, whole[:, start : start + steps]))
    return einops.rearrange(jnp.stack(found, 2), "b t k i -> b t (k i)")


def edm_denoised(
    denoiser: Network,
    y: Float[Array, "*n E"],
    deviation: Float[Array, "*n"],
    condition: Float[Array, "*n H"],
) -> tuple[Float[Array, "*n E"], Float[Array, "*n E"], Float[Array, "*n 1"], Float[Array, "*n 1"]]:
    """D and F, and with them c_skip and c_out."""
    s = deviation[..., None]
    c_skip = DATA**2 / (s**2 + DATA**2)
    c_in, c_out = 1 / jnp.sqrt(s**2 + DATA**2), s * jnp.sqrt(c_skip)
    level = jnp.concatenate([jnp.log(s) / 4, jnp.zeros_like(s)], -1)
    f = denoiser(c_in * y, level, condition)
    return c_skip * y + c_out * f, f, c_skip, c_out


def edm_error(
    denoiser: Network, e: Float[Array, "*n E"], condition: Float[Array, "*n H"], key: PRNGKeyArray
) -> Float[Array, "*n"]:
    keys = jax.random.split(key)
    log = LOG_MEAN + LOG_DEVIATION * jax.random.normal(keys[0], e.shape[:-1])
    deviation = jnp.clip(jnp.exp(log), CLEANEST, 20.0)
    y = e + deviation[..., None] * jax.random.normal(keys[1], e.shape)
    _, f, c_skip, c_out = edm_denoised(denoiser, y, deviation, condition)
    return jnp.square(f - (e - c_skip * y) / c_out).mean(-1)


def edm_path(
    denoiser: Network, noise: Float[Array, "*n E"], condition: Float[Array, "*n H"], steps: int
) -> Float[Array, "*n E"]:
    y = NOISIEST * noise
    for s, after in zip(levels := edm_levels(steps), [*levels[1:], 0.0], strict=True):
        clean = edm_denoised(denoiser, y, jnp.full(y.shape[:-1], s), condition)[0]
        y = y + (y - clean) * (after - s) / s
    return y


def edm_levels(steps: int) -> list[float]:
    """Deviations from the noisiest to the cleanest."""
    ends = NOISIEST ** (1 / RHO), CLEANEST ** (1 / RHO)
    shares = [number / max(1, steps - 1) for number in range(steps)]
    return [(ends[0] + share * (ends[1] - ends[0])) ** RHO for share in shares]


def shortcut_way(
    denoiser: Network,
    y: Float[Array, "*n E"],
    u: Float[Array, "*n 1"],
    d: Float[Array, "*n 1"],
    condition: Float[Array, "*n H"],
) -> tuple[Float[Array, "*n E"], Float[Array, "*n E"]]:
    """F and v."""
    f = denoiser(y, jnp.concatenate([u, jnp.log2(d) / 4], -1), condition)
    return f, (f - y) / (1 - u)


def shortcut_error(
    denoiser: Denoiser, e: Float[Array, "*n E"], condition: Float[Array, "*n H"], key: PRNGKeyArray
) -> Float[Array, "*n"]:
    keys, shape = jax.random.split(key, 4), (*e.shape[:-1], 1)
    halvings = int(math.log2(FINEST))
    finest = jax.random.uniform(keys[0], shape) < WHOLE
    d = 2.0 ** -jax.random.randint(keys[1], shape, 0, halvings)  # twice the least, or more
    d = jnp.where(finest, 1 / FINEST, d)
    u = jnp.floor(jax.random.uniform(keys[2], shape) / d) * d
    y = (1 - u) * DATA * jax.random.normal(keys[3], e.shape) + u * e

    f, v = shortcut_way(denoiser, y, u, d, condition)
    fixed, given = frozen(denoiser), sg(condition)
    half = jnp.maximum(d / 2, 1 / FINEST)  # where d is the least, the halves are not used
    first = shortcut_way(fixed, y, u, half, given)[1]
    later = jnp.minimum(u + half, 1 - 1 / FINEST)
    second = shortcut_way(fixed, y + half * first, later, half, given)[1]
    flow = jnp.square(f - e)
    consistent = jnp.square((1 - u) * (v - sg(first + second) / 2))
    return ((0.9 * u + 0.1) * jnp.where(finest, flow, consistent)).mean(-1) / DATA**2


def shortcut_path(
    denoiser: Network, noise: Float[Array, "*n E"], condition: Float[Array, "*n H"], steps: int
) -> Float[Array, "*n E"]:
    y, shape = DATA * noise, (*noise.shape[:-1], 1)
    d = jnp.full(shape, 1 / steps)
    for number in range(steps):
        y = y + d * shortcut_way(denoiser, y, jnp.full(shape, number / steps), d, condition)[1]
    return y
