"""Recurrent state-space model with one latent per slot.

A statement names the slots it works on, so addressing comes from its text, before the scan; inside
remain read, compute, write. With V slots, r the slots an action names, and two that every action
touches (what a call returns, and the frame itself):

    u_t     = compute(a_{t-1}, [h, z]_{t-1} of the slots touched)
    h_t[v]  = GRU(h_{t-1}[v], z_{t-1}[v], u_t)         for the slots touched; kept for the others
    z_t[v]  ~ p(z | h_t[v])                            for the slots touched; kept for the others
    z_t[v]  ~ q(z | h_t[v], x_t[v])                    for all, when the state is seen
"""

import einops
import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from rssm.dists import gumbel, sample, unimix
from rssm.dynamics.base import Action, Carry, Inputs, Rollout
from rssm.losses import kl_balance
from rssm.nets import MLP, Dense, RMSNorm, scan_time, zero_where
from rssm.types import Array, Bool, Float, Int, PRNGKeyArray

ALWAYS = 2  # the last two slots are touched by every action


class Slots(nnx.Module):
    def __init__(
        self,
        slots: int,
        x_dim: int,
        a_dim: int,
        refs: int,
        *,
        deter: int,
        hidden: int,
        groups: int,
        classes: int,
        read: int,
        compute: int,
        layers: int,
        unimix: float,
        free_nats_dyn: float,
        free_nats_rep: float,
        feat_dim: int,
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        stoch, touched = groups * classes, refs + ALWAYS
        self.slots, self.refs, self.touched = slots, refs, touched
        self.deter, self.groups, self.classes = deter, groups, classes
        self.unimix, self.free_nats = unimix, (free_nats_dyn, free_nats_rep)
        self.feat_dim, self.dtype = feat_dim, dtype
        kw = {"rngs": rngs, "dtype": dtype}
        self.read = Dense(deter + stoch, read, **kw)
        self.action = Dense(a_dim, compute, **kw)
        self.gather = Dense(touched * read, compute, bias=False, **kw)
        self.norm = RMSNorm(compute)
        self.compute = MLP(compute, compute, layers, **kw)
        self.message = Dense(compute, touched * hidden, **kw)
        self.enter = Dense(stoch, hidden, **kw)
        self.enter_norm = RMSNorm(hidden)
        self.gates = Dense(deter + hidden, 3 * deter, **kw)
        self.prior = MLP(deter, hidden, 1, **kw)
        self.prior_out = Dense(hidden, stoch, **kw)
        self.post_h = Dense(deter, hidden, **kw)
        self.post_x = Dense(x_dim, hidden, bias=False, **kw)
        self.post_norm = RMSNorm(hidden)
        self.post_out = Dense(hidden, stoch, **kw)
        self.place = nnx.Param(0.02 * nnx.initializers.normal(1.0)(rngs(), (slots, hidden)))
        self.feature = Dense(deter + stoch, feat_dim, **kw)
        self.feature_norm = RMSNorm(feat_dim)

    def initial(self, batch_size: int) -> Carry:
        h = jnp.zeros((batch_size, self.slots, self.deter), self.dtype)
        z = jnp.zeros((batch_size, self.slots, self.groups, self.classes), self.dtype)
        return h, z

    def observe(
        self, carry: Carry, inputs: Inputs, key: PRNGKeyArray | None
    ) -> tuple[Carry, Rollout]:
        x, a, reset, seen = inputs
        seen = jnp.ones_like(reset) if seen is None else seen
        # One noise for prior and posterior: where the two agree, so do their samples.
        noise = self._noise(key, reset.shape)

        def step(carry, now):
            x, a, refs, reset, seen, noise = now
            h, z, touched = self._advance(zero_where(reset, carry), a, refs, reset)
            prior, post = self._prior(h), self._post(h, x)
            guess = jnp.where(touched, sample(prior, noise), z)
            z = jnp.where(seen[:, None, None, None], sample(post, noise), guess)
            return (h, z.astype(h.dtype)), (h, z, guess, prior, post, touched[..., 0, 0])

        embedding = self.action(zero_where(reset, a.embedding))
        refs = jnp.where(reset[..., None], self.slots, a.refs)
        x = self.post_x(x) + self.place[...].astype(self.dtype)
        steps = (x, embedding, refs, reset, seen, noise)
        carry, (h, z, guess, prior, post, touched) = scan_time(step, carry, steps)
        return carry, Rollout(self._feat(h, z), self._feat(h, guess), (prior, post, touched))

    def imagine(self, carry: Carry, a: Action, key: PRNGKeyArray | None) -> tuple[Carry, Rollout]:
        noise = self._noise(key, a.refs.shape[:2])

        def step(carry, now):
            a, refs, noise = now
            h, z, touched = self._advance(carry, a, refs, jnp.zeros(len(a), bool))
            z = jnp.where(touched, sample(self._prior(h), noise), z)
            return (h, z.astype(h.dtype)), (h, z)

        carry, (h, z) = scan_time(step, carry, (self.action(a.embedding), a.refs, noise))
        feat = self._feat(h, z)
        return carry, Rollout(feat, feat, None)

    def loss(self, rollout: Rollout) -> dict[str, Float[Array, "B T"]]:
        prior, post, touched = rollout.aux
        kept = jnp.where(touched[..., None, None], prior, jax.lax.stop_gradient(post))
        post = jnp.where(touched[..., None, None], post, jax.lax.stop_gradient(post))
        merge = "b t v s c -> b t (v s) c"
        dyn, rep = kl_balance(
            einops.rearrange(kept, merge), einops.rearrange(post, merge), *self.free_nats
        )
        return {"dyn": dyn, "rep": rep}

    def _advance(
        self,
        carry: tuple[Float[Array, "B V H"], Float[Array, "B V S C"]],
        a: Float[Array, "B U"],
        refs: Int[Array, "B R"],
        reset: Bool[Array, " B"],
    ) -> tuple[Float[Array, "B V H"], Float[Array, "B V S C"], Bool[Array, "B V 1 1"]]:
        """The deterministic step, and which slots it touched: all of them at a reset."""
        h, z = carry
        at = self._addresses(refs)
        flat = einops.rearrange(z, "b v s c -> b v (s c)")
        h_at, z_at = (jnp.einsum("bjv,bve->bje", at, x) for x in (h, flat))
        u = self._compute(jnp.concatenate([h_at, z_at], -1), a)
        m = einops.rearrange(self.message(u), "b (j m) -> b j m", j=self.touched)
        place = jnp.einsum("bjv,vm->bjm", at, self.place[...].astype(h.dtype))
        m = jax.nn.silu(self.enter_norm(self.enter(z_at) + place + m))
        r, c, g = jnp.split(self.gates(jnp.concatenate([h_at, m], -1)), 3, -1)
        c, g = jnp.tanh(jax.nn.sigmoid(r) * c), jax.nn.sigmoid(g - 1)
        h = h + jnp.einsum("bjv,bje->bve", at, g * (c - h_at))
        touched = at.any(1) | reset[:, None]
        return h, z, touched[..., None, None]

    def _addresses(self, refs: Int[Array, "B R"]) -> Float[Array, "B J V"]:
        """One row per slot touched: those named, then those that every action touches."""
        named = jax.nn.one_hot(refs, self.slots, dtype=self.dtype)
        always = jnp.eye(self.slots, dtype=self.dtype)[-ALWAYS:]
        always = jnp.broadcast_to(always, (len(refs), *always.shape))
        return jnp.concatenate([named, always], 1)

    def _compute(self, state: Float[Array, "B J E"], a: Float[Array, "B U"]) -> Float[Array, "B U"]:
        operands = einops.rearrange(self.read(state), "b j e -> b (j e)")
        return self.compute(jax.nn.silu(self.norm(a + self.gather(operands))))

    def _prior(self, h: Float[Array, "*n H"]) -> Float[Array, "*n S C"]:
        return self._logits(self.prior_out(self.prior(h)))

    def _post(self, h: Float[Array, "*n H"], x: Float[Array, "*n E"]) -> Float[Array, "*n S C"]:
        hidden = jax.nn.silu(self.post_norm(self.post_h(h) + x))
        return self._logits(self.post_out(hidden))

    def _logits(self, flat: Float[Array, "*n Z"]) -> Float[Array, "*n S C"]:
        logits = einops.rearrange(flat, "... (s c) -> ... s c", s=self.groups)
        return unimix(logits.astype(jnp.promote_types(logits.dtype, jnp.float32)), self.unimix)

    def _feat(
        self, h: Float[Array, "*n V H"], z: Float[Array, "*n V S C"]
    ) -> Float[Array, "*n V F"]:
        flat = einops.rearrange(z.astype(h.dtype), "... s c -> ... (s c)")
        return self.feature_norm(self.feature(jnp.concatenate([h, flat], -1)))

    def _noise(self, key: PRNGKeyArray | None, shape: tuple[int, ...]) -> Array | None:
        return gumbel(key, *shape, self.slots, self.groups, self.classes)
