"""Recurrent state-space model, the world model of DreamerV3 (arXiv:2301.04104).

    h_t = f(h_{t-1}, z_{t-1}, a_t)        deterministic: a GRU in blocks
    z_t ~ q(z_t | h_t, x_t)               posterior, with the observation
    z_t ~ p(z_t | h_t)                    prior, without it

f, with inputs shared by all blocks and n = SiLU(RMSNorm(.)):

    i       = n(W [h_g; n(W h); n(W z); n(W a)])      per block g, the norm over all blocks
    r, c, u = W_g i_g                                 per block g
    h'      = u c + (1 - u) h,   u = sigmoid(u - 1),  c = tanh(sigmoid(r) c)

A matrix applied to a concatenation is kept as one matrix per part: what does not depend on h is
then computed for all steps at once, and the scan keeps only what it must.
"""

from typing import NamedTuple

import einops
import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from rssm.dists import gumbel, sample, unimix
from rssm.dynamics.base import Action, Inputs, Rollout, Sizes
from rssm.losses import kl_balance
from rssm.nets import MLP, BlockLinear, Dense, RMSNorm, scan_time, widen, zero_where
from rssm.tables import pick_slots
from rssm.types import Array, Float, Int, PRNGKeyArray

Carry = tuple[Float[Array, "B H"], Float[Array, "B S C"]]  # h, z


class Aux(NamedTuple):
    prior: Float[Array, "B T S C"]
    post: Float[Array, "B T S C"]


class RSSM(nnx.Module):
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
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        slots, cells, x_dim, a_dim, refs = sizes[:5]
        self.slots, self.n_cells, self.blocks = slots, cells, blocks
        self.groups, self.classes = groups, classes
        self.deter, self.feat_dim, self.dtype = deter, feat_dim, dtype
        self.summary_dim = cells * feat_dim
        self.unimix = unimix
        self.free_nats = (free_nats_dyn, free_nats_rep)
        stoch = groups * classes
        on = {"rngs": rngs, "dtype": dtype}

        self.in_h = MLP(deter, hidden, 1, **on)
        self.in_z = MLP(stoch, hidden, 1, **on)
        self.in_a = MLP(a_dim + refs * (slots + 1), hidden, 1, **on)

        fan_in = deter + blocks * 3 * hidden  # of the block layer that these three make up
        self.mix_h = BlockLinear(deter, deter, blocks, fan_in=fan_in, **on)
        self.mix_hz = Dense(2 * hidden, deter, bias=False, fan_in=fan_in, **on)
        self.mix_a = Dense(hidden, deter, bias=False, fan_in=fan_in, **on)
        self.mix_norm = RMSNorm(deter)
        self.gates = BlockLinear(deter, 3 * deter, blocks, **on)

        self.prior = MLP(deter, hidden, 2, **on)
        self.prior_logits = Dense(hidden, stoch, **on)

        fan_in = deter + slots * cells * x_dim
        self.post_h = Dense(deter, hidden, fan_in=fan_in, **on)
        self.post_x = Dense(slots * cells * x_dim, hidden, bias=False, fan_in=fan_in, **on)
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
        noise = gumbel(key, *inputs.reset.shape, self.groups, self.classes)
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
        return carry, Rollout(self._feature(h, z), guess, Aux(prior, post))

    def imagine(self, carry: Carry, a: Action, key: PRNGKeyArray | None) -> tuple[Carry, Rollout]:
        noise = gumbel(key, *a.embedding.shape[:2], self.groups, self.classes)

        def step(carry, step_inputs):
            (h, z), (a, noise) = carry, step_inputs
            h = self._advance(h, z, a)
            z = self._sample(self._prior(h), noise)
            return (h, z), (h, z)

        steps = (self._mix_action(self._action(a)), noise)
        carry, (h, z) = scan_time(step, carry, steps)
        feat = self._feature(h, z)
        return carry, Rollout(feat, feat, None)

    def loss(self, rollout: Rollout) -> dict[str, Float[Array, "B T"]]:
        dyn, rep = kl_balance(rollout.aux.prior, rollout.aux.post, *self.free_nats)
        return {"dyn": dyn, "rep": rep}

    def summary(self, latents: Float[Array, "B T V L F"]) -> Float[Array, "B T V E"]:
        return einops.rearrange(latents, "b t v l f -> b t v (l f)")

    def cells(
        self, latents: Float[Array, "B T V L F"], chosen: Int[Array, "B T J"]
    ) -> Float[Array, "B T J L F"]:
        return pick_slots(latents, chosen)

    def _action(self, a: Action) -> Float[Array, "B T I"]:
        """The embedding and the one-hot references, cut to [-1, 1] as in a / sg(max(1, |a|))."""
        refs = jax.nn.one_hot(a.refs, self.slots + 1, dtype=a.embedding.dtype)
        refs = einops.rearrange(refs, "b t r v -> b t (r v)")
        action = jnp.concatenate([a.embedding, refs], -1)
        return action / jax.lax.stop_gradient(jnp.maximum(1, jnp.abs(action)))

    def _mix_action(self, action: Float[Array, "B T I"]) -> Float[Array, "B T H"]:
        """What the actions add inside `_advance`."""
        return self.mix_a(self.in_a(action))

    def _advance(
        self, h: Float[Array, "B H"], z: Float[Array, "B S C"], a: Float[Array, "B H"]
    ) -> Float[Array, "B H"]:
        hz = [self.in_h(h), self.in_z(einops.rearrange(z, "b s c -> b (s c)"))]
        i = self.mix_h(h) + self.mix_hz(jnp.concatenate(hz, -1)) + a
        i = self.gates(jax.nn.silu(self.mix_norm(i)))
        r, c, u = einops.rearrange(i, "b (g k h) -> k b (g h)", g=self.blocks, k=3)
        c = jnp.tanh(jax.nn.sigmoid(r) * c)
        u = jax.nn.sigmoid(u - 1)  # begins as a model that keeps what it knows
        return u * c + (1 - u) * h

    def _prior(self, h: Float[Array, "*n H"]) -> Float[Array, "*n S C"]:
        return self._log_probs(self.prior_logits(self.prior(h)))

    def _post(self, h: Float[Array, "B H"], x: Float[Array, "B I"]) -> Float[Array, "B S C"]:
        hidden = jax.nn.silu(self.post_norm(self.post_h(h) + x))
        return self._log_probs(self.post_logits(hidden))

    def _log_probs(self, logits: Float[Array, "*n I"]) -> Float[Array, "*n S C"]:
        logits = einops.rearrange(widen(logits), "... (s c) -> ... s c", c=self.classes)
        return unimix(logits, self.unimix)

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
