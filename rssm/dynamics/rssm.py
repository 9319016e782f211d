"""Recurrent state-space model, the world model of DreamerV3 (arXiv:2301.04104).

    h_t = f(h_{t-1}, z_{t-1}, a_t)        deterministic: a GRU in blocks
    z_t ~ q(z_t | h_t, x_t)               posterior, with the observation
    z_t ~ p(z_t | h_t)                    prior, without it

f, with inputs shared by all blocks and n = SiLU(RMSNorm(.)):

    i       = n(W [h_g; n(W h); n(W z); n(W a)])      per block g, the norm over all blocks
    r, c, u = W_g i_g                                 per block g
    h'      = u c + (1 - u) h,   u = sigmoid(u - 1),  c = tanh(sigmoid(r) c)

Three choices make variants of it. With `cell=linear` h stands in no gate and in no input of f,
which is then the linear recurrence of minGRU (arXiv:2410.01201):

    i       = n(W [n(W z); n(W a)])
    c, u    = W_g i_g,    h' = sigmoid(u - 1) c + (1 - sigmoid(u - 1)) h

With `decoupled` the posterior is q(z_t | x_t). With `imagination=sample` a prediction draws its
latents, as DreamerV3 does, where no key is given and the mode would be taken.

A matrix applied to a concatenation is kept as one matrix per part: what does not depend on h is
then computed for all steps at once, and the scan keeps only what it must.
"""

from typing import NamedTuple

import einops
import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from rssm.dists import grouped, gumbel, sample
from rssm.dynamics.base import Action, CellLatents, Inputs, Rollout, Sizes
from rssm.losses import kl_balance
from rssm.nets import MLP, BlockLinear, Dense, RMSNorm, flat_action, scan_time, zero_where
from rssm.types import Array, Bool, Float, PRNGKeyArray

Carry = tuple[Float[Array, "B H"], Float[Array, "B S C"]]  # h, z


CELLS = ("gru", "linear")
IMAGINATIONS = ("mode", "sample")


class Aux(NamedTuple):
    prior: Float[Array, "B T S C"]
    post: Float[Array, "B T S C"]
    h: Float[Array, "B T H"]
    z: Float[Array, "B T S C"]  # after the observation


class RSSM(CellLatents):
    def __init__(
        self,
        sizes: Sizes,
        *,
        deter: int,
        hidden: int,
        groups: int,
        classes: int,
        blocks: int,
        unimix: float,
        free_nats_dyn: float,
        free_nats_rep: float,
        feat_dim: int,
        cell: str = "gru",
        decoupled: bool = False,
        imagination: str = "mode",
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        for found, known in ((cell, CELLS), (imagination, IMAGINATIONS)):
            if found not in known:
                raise ValueError(f"unknown variant {found!r}; there are: {', '.join(known)}")
        gru, self.sampled = cell == "gru", imagination == "sample"
        slots, cells, x_dim, a_dim, refs = sizes[:5]
        self.slots, self.n_cells, self.blocks = slots, cells, blocks
        self.groups, self.classes = groups, classes
        self.deter, self.feat_dim, self.dtype = deter, feat_dim, dtype
        self.summary_dim = cells * feat_dim
        self.unimix = unimix
        self.free_nats = (free_nats_dyn, free_nats_rep)
        stoch = groups * classes
        on = {"rngs": rngs, "dtype": dtype}

        self.in_h = MLP(deter, hidden, 1, **on) if gru else None
        self.in_z = MLP(stoch, hidden, 1, **on)
        self.in_a = MLP(a_dim + refs * (slots + 1), hidden, 1, **on)

        # Of the block layer that these three make up.
        fan_in = deter + blocks * 3 * hidden if gru else blocks * 2 * hidden
        self.mix_h = BlockLinear(deter, deter, blocks, fan_in=fan_in, **on) if gru else None
        self.mix_hz = Dense((1 + gru) * hidden, deter, bias=False, fan_in=fan_in, **on)
        self.mix_a = Dense(hidden, deter, bias=False, fan_in=fan_in, **on)
        self.mix_norm = RMSNorm(deter)
        self.gates = BlockLinear(deter, (2 + gru) * deter, blocks, **on)

        self.prior = MLP(deter, hidden, 2, **on)
        self.prior_logits = Dense(hidden, stoch, **on)

        fan_in = slots * cells * x_dim + (0 if decoupled else deter)
        self.post_h = None if decoupled else Dense(deter, hidden, fan_in=fan_in, **on)
        self.post_x = Dense(slots * cells * x_dim, hidden, bias=decoupled, fan_in=fan_in, **on)
        self.post_norm = RMSNorm(hidden)
        self.post_logits = Dense(hidden, stoch, **on)

        self.feat = Dense(deter + stoch, slots * cells * feat_dim, **on)
        self.feat_norm = RMSNorm(feat_dim)

    def initial(self, batch_size: int) -> Carry:
        h = jnp.zeros((batch_size, self.deter), self.dtype)
        return h, jnp.zeros((batch_size, self.groups, self.classes), self.dtype)

    def observe(
        self, carry: Carry, inputs: Inputs, key: PRNGKeyArray | None
    ) -> tuple[Carry, Rollout]:
        # One noise for prior and posterior: where the two agree, so do their samples.
        noise = self._noise(key, inputs.reset.shape)
        a = self._mix_action(zero_where(inputs.reset, self._action(inputs.a)))
        x = self.post_x(einops.rearrange(inputs.x.spread(), "b t v l d -> b t (v l d)"))

        def step(carry, step_inputs):
            x, a, reset, seen, noise = step_inputs
            h, z = zero_where(reset, carry)
            h = self._advance(h, z, a)
            prior, post = None, self._post(h, x)
            belief = post
            if seen is not None:
                prior = self._prior(h)
                belief = jnp.where(seen[:, None, None], post, prior)
            z = self._sample(belief, noise)
            return (h, z), (h, z, prior, post)

        steps = (x, a, inputs.reset, inputs.seen, noise)
        carry, (h, z, prior, post) = scan_time(step, carry, steps)
        if prior is None:
            prior = self._prior(h)
        guess = self._feature(h, self._sample(prior, noise))
        return carry, Rollout(self._feature(h, z), guess, Aux(prior, post, h, z))

    def imagine(self, carry: Carry, a: Action, key: PRNGKeyArray | None) -> tuple[Carry, Rollout]:
        noise = self._noise(key, a.refs.shape[:2])

        def step(carry, step_inputs):
            (h, z), (a, noise) = carry, step_inputs
            h = self._advance(h, z, a)
            z = self._sample(self._prior(h), noise)
            return (h, z), (h, z)

        steps = (self._mix_action(self._action(a)), noise)
        carry, (h, z) = scan_time(step, carry, steps)
        feat = self._feature(h, z)
        return carry, Rollout(feat, feat, None)

    def loss(
        self,
        rollout: Rollout,
        mask: Bool[Array, "B T"] | None = None,
        key: PRNGKeyArray | None = None,
    ) -> dict[str, Float[Array, "B T"]]:
        dyn, rep = kl_balance(rollout.aux.prior, rollout.aux.post, *self.free_nats)
        return {"dyn": dyn, "rep": rep}

    def _action(self, a: Action) -> Float[Array, "B T I"]:
        return flat_action(a.embedding, a.refs, self.slots)

    def _mix_action(self, action: Float[Array, "B T I"]) -> Float[Array, "B T H"]:
        """What the actions add inside `_advance`."""
        return self.mix_a(self.in_a(action))

    def _advance(
        self, h: Float[Array, "B H"], z: Float[Array, "B S C"], a: Float[Array, "B H"]
    ) -> Float[Array, "B H"]:
        i = self.in_z(einops.rearrange(z, "b s c -> b (s c)"))
        if self.in_h is None or self.mix_h is None:
            i = self.mix_hz(i) + a
        else:
            i = self.mix_h(h) + self.mix_hz(jnp.concatenate([self.in_h(h), i], -1)) + a
        i = self.gates(jax.nn.silu(self.mix_norm(i)))
        *r, c, u = einops.rearrange(
            i, "b (g k h) -> k b (g h)", g=self.blocks, h=h.shape[-1] // self.blocks
        )
        if r:
            c = jnp.tanh(jax.nn.sigmoid(r[0]) * c)
        u = jax.nn.sigmoid(u - 1)  # begins as a model that keeps what it knows
        return u * c + (1 - u) * h

    def _prior(self, h: Float[Array, "*n H"]) -> Float[Array, "*n S C"]:
        return self._log_probs(self.prior_logits(self.prior(h)))

    def _post(self, h: Float[Array, "B H"], x: Float[Array, "B I"]) -> Float[Array, "B S C"]:
        x = x if self.post_h is None else self.post_h(h) + x
        hidden = jax.nn.silu(self.post_norm(x))
        return self._log_probs(self.post_logits(hidden))

    def _log_probs(self, logits: Float[Array, "*n I"]) -> Float[Array, "*n S C"]:
        return grouped(logits, self.classes, self.unimix)

    def _noise(self, key: PRNGKeyArray | None, shape: tuple[int, ...]) -> Array | None:
        if key is None and self.sampled:
            key = jax.random.key(0)
        return gumbel(key, *shape, self.groups, self.classes)

    def _sample(
        self, log_probs: Float[Array, "*n S C"], noise: Float[Array, "*n S C"] | None
    ) -> Float[Array, "*n S C"]:
        return sample(log_probs, noise).astype(self.dtype)

    def _feature(
        self, h: Float[Array, "B T H"], z: Float[Array, "B T S C"]
    ) -> Float[Array, "B T V L F"]:
        hz = jnp.concatenate([h, einops.rearrange(z, "b t s c -> b t (s c)")], -1)
        layout = {"v": self.slots, "l": self.n_cells}
        return self.feat_norm(einops.rearrange(self.feat(hz), "b t (v l f) -> b t v l f", **layout))
