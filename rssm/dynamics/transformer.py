"""A Transformer over steps with categorical latents, the world model of STORM (arXiv:2310.09615).

    z_t ~ q(z_t | x_t)                            posterior, of the observation alone
    h_t = Transformer(e_1, ..., e_t)              causal, one token per step
    e_t = f(z_{t-1}, a_t)
    z_t ~ p(z_t | h_t)                            prior

First the beliefs are found step by step, without gradients: where an observation is withheld, the
prior's z goes into the next token. Then all steps are computed again at once, each after the
beliefs before it: that is STORM's training on given tokens, and gives the same h.

Unlike STORM the heads read [h; z], as those of an RSSM do, positions are rotary, and there is no
dropout.
"""

from typing import NamedTuple

import einops
import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from rssm.causal import Cache, CausalTransformer
from rssm.dists import grouped, gumbel, sample, with_gradient
from rssm.dynamics.base import Action, CellLatents, Inputs, Rollout, Sizes
from rssm.losses import kl_balance, sg
from rssm.nets import (
    MLP,
    CellFeatures,
    Dense,
    RMSNorm,
    flat_action,
    frozen,
    scan_time,
    shifted,
    zero_where,
)
from rssm.types import Array, Bool, Float, PRNGKeyArray


class Carry(NamedTuple):
    cache: Cache
    z: Float[Array, "B S C"]


class Aux(NamedTuple):
    prior: Float[Array, "B T S C"]
    post: Float[Array, "B T S C"]


class Transformer(CellLatents):
    def __init__(
        self,
        sizes: Sizes,
        *,
        width: int,
        hidden: int,
        heads: int,
        layers: int,
        context: int,
        groups: int,
        classes: int,
        unimix: float,
        free_nats_dyn: float,
        free_nats_rep: float,
        feat_dim: int,
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        slots, cells, x_dim, a_dim, refs = sizes[:5]
        self.slots, self.groups, self.classes = slots, groups, classes
        self.unimix, self.free_nats = unimix, (free_nats_dyn, free_nats_rep)
        self.feat_dim, self.summary_dim, self.dtype = feat_dim, cells * feat_dim, dtype
        stoch = groups * classes
        on = {"rngs": rngs, "dtype": dtype}

        self.post = MLP(slots * cells * x_dim, hidden, 1, **on)
        self.post_logits = Dense(hidden, stoch, **on)
        self.token_z = Dense(stoch, width, **on)
        self.token_a = Dense(a_dim + refs * (slots + 1), width, bias=False, **on)
        self.token_norm = RMSNorm(width)
        self.token = Dense(width, width, **on)
        self.body = CausalTransformer(width, heads, layers, context, **on)
        self.prior = MLP(width, hidden, 1, **on)
        self.prior_logits = Dense(hidden, stoch, **on)
        self.feat = CellFeatures(width + stoch, slots, cells, feat_dim, **on)

    def initial(self, batch_size: int) -> Carry:
        z = jnp.zeros((batch_size, self.groups, self.classes), self.dtype)
        return Carry(self.body.initial(batch_size), z)

    def observe(
        self, carry: Carry, inputs: Inputs, key: PRNGKeyArray | None
    ) -> tuple[Carry, Rollout]:
        reset, seen = inputs.reset, inputs.seen
        seen = jnp.ones_like(reset) if seen is None else seen
        # One noise for prior and posterior: where the two agree, so do their samples.
        noise = gumbel(key, *reset.shape, self.groups, self.classes)
        x = einops.rearrange(inputs.x.spread(), "b t v l d -> b t (v l d)")
        post = grouped(self.post_logits(self.post(x)), self.classes, self.unimix)
        z_post = sample(post, noise).astype(self.dtype)
        a = self._action(inputs.a, reset)
        end, z = frozen(self)._follow(*sg((carry, z_post, a)), reset, seen, noise)

        observed = seen[..., None, None]
        before = shifted(carry.z, jnp.where(observed, z_post, z), reset)
        h = self.body.along(carry.cache, self._token(before, a), reset)
        prior = self._prior(h)
        expected = with_gradient(z, prior)
        guess = jnp.where(observed, sample(prior, noise).astype(self.dtype), expected)
        after = jnp.where(observed, z_post, expected)
        features = self._feature(h, after), self._feature(h, guess)
        return end, Rollout(*features, Aux(prior, post))

    def imagine(self, carry: Carry, a: Action, key: PRNGKeyArray | None) -> tuple[Carry, Rollout]:
        def step(carry, step_inputs):
            carry, h = self._step(carry, *step_inputs)
            return carry, (h, carry.z)

        none = jnp.zeros(a.refs.shape[:2], bool)
        noise = gumbel(key, *none.shape, self.groups, self.classes)
        carry, (h, z) = scan_time(step, carry, (self._action(a, none), noise))
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

    def _follow(
        self,
        carry: Carry,
        z_post: Float[Array, "B T S C"],
        a: Float[Array, "B T D"],
        reset: Bool[Array, "B T"],
        seen: Bool[Array, "B T"],
        noise: Float[Array, "B T S C"] | None,
    ) -> tuple[Carry, Float[Array, "B T S C"]]:
        """The belief at every step: what was seen, or else what is expected."""

        def step(carry, step_inputs):
            z_post, a, reset, seen, noise = step_inputs
            carry = Carry(carry.cache.restarted(reset), zero_where(reset, carry.z))
            carry, _ = self._step(carry, a, noise)
            carry = carry._replace(z=jnp.where(seen[:, None, None], z_post, carry.z))
            return carry, carry.z

        return scan_time(step, carry, (z_post, a, reset, seen, noise))

    def _step(
        self, carry: Carry, a: Float[Array, "B D"], noise: Float[Array, "B S C"] | None
    ) -> tuple[Carry, Float[Array, "B D"]]:
        cache, h = self.body.step(carry.cache, self._token(carry.z, a))
        return Carry(cache, sample(self._prior(h), noise).astype(self.dtype)), h

    def _action(self, a: Action, reset: Bool[Array, "B T"]) -> Float[Array, "B T D"]:
        return self.token_a(zero_where(reset, flat_action(a.embedding, a.refs, self.slots)))

    def _token(self, z: Float[Array, "*n S C"], a: Float[Array, "*n D"]) -> Float[Array, "*n D"]:
        mixed = self.token_z(einops.rearrange(z, "... s c -> ... (s c)")) + a
        return self.token(jax.nn.silu(self.token_norm(mixed)))

    def _prior(self, h: Float[Array, "*n D"]) -> Float[Array, "*n S C"]:
        return grouped(self.prior_logits(self.prior(h)), self.classes, self.unimix)

    def _feature(
        self, h: Float[Array, "B T D"], z: Float[Array, "B T S C"]
    ) -> Float[Array, "B T V L F"]:
        return self.feat(jnp.concatenate([h, einops.rearrange(z, "b t s c -> b t (s c)")], -1))
