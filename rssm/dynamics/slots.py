"""Recurrent state-space model with one latent per slot, laid out in cells.

A statement names the slots it works on, so addressing comes from its text, before the scan; inside
remain read, compute, write. With J touched slots, those that an action names and two that every
action touches (what a call returns, and the labels):

    s_j   = read(h[j], z[j])                     at t-1, for each slot touched
    u     = compute(a, s_1, ..., s_J)
    h[j]  = GRU(h[j], [s_j, u])                  the other slots keep h and z
    z[j]  ~ p(z | h[j], z[1..J] before)          cell by cell: take from one of them, or make
    z[v]  ~ q(z | x[v])                          when the state is seen; needs no h, so no scan

A cell has a few categoricals of its own, and one map from symbols to them serves all cells.
"""

from typing import NamedTuple

import einops
import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from rssm.dists import gumbel, sample, unimix
from rssm.dynamics.base import Action, Inputs, Rollout
from rssm.losses import kl_balance
from rssm.nets import MLP, Dense, RMSNorm, scan_time, widen, zero_where
from rssm.types import Array, Bool, Float, Int, PRNGKeyArray

Carry = tuple[Float[Array, "B V H"], Float[Array, "B V S C"]]  # h, z
ALWAYS = 2  # the last two slots are touched by every action


class Aux(NamedTuple):
    prior: Float[Array, "B T J S C"]  # of the slots touched
    post: Float[Array, "B T J S C"]


class Slots(nnx.Module):
    def __init__(
        self,
        slots: int,
        cells: int,
        x_dim: int,
        a_dim: int,
        refs: int,
        *,
        deter: int,
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
        self.slots, self.cells, self.touched = slots, cells, refs + ALWAYS
        self.deter, self.groups, self.classes = deter, groups, classes
        self.unimix, self.free_nats = unimix, (free_nats_dyn, free_nats_rep)
        cell, stoch = groups * classes, cells * groups * classes
        self.feat_dim, self.dtype = cell + feat_dim, dtype
        on = {"rngs": rngs, "dtype": dtype}

        self.read = Dense(deter + stoch, read, **on)
        self.place = nnx.Param(0.02 * nnx.initializers.normal(1.0)(rngs(), (slots, read)))
        self.read_norm = RMSNorm(read)
        self.action = Dense(a_dim, compute, **on)
        self.operands = Dense(self.touched * read, compute, bias=False, **on)
        self.norm = RMSNorm(compute)
        self.compute = MLP(compute, compute, layers, **on)
        self.message = Dense(compute, self.touched * read, **on)
        self.gates = Dense(deter + 2 * read, 3 * deter, **on)

        self.prior = MLP(deter, deter, 1, **on)
        self.prior_cells = Dense(deter, stoch, **on)
        self.prior_source = Dense(deter, cells * (1 + self.touched), **on)
        self.post = Dense(x_dim, cell, **on)

        self.feat = Dense(deter, cells * feat_dim, **on)
        self.feat_norm = RMSNorm(feat_dim)

    def initial(self, batch_size: int) -> Carry:
        h = jnp.zeros((batch_size, self.slots, self.deter), self.dtype)
        stoch = (self.cells * self.groups, self.classes)
        return h, jnp.zeros((batch_size, self.slots, *stoch), self.dtype)

    def observe(
        self, carry: Carry, inputs: Inputs, key: PRNGKeyArray | None
    ) -> tuple[Carry, Rollout]:
        x, a, reset, seen = inputs
        seen = jnp.ones_like(reset) if seen is None else seen
        # One noise for prior and posterior: where the two agree, so do their samples.
        noise = self._noise(key, reset.shape)
        post = self._post(x)
        z_post = sample(post, noise).astype(self.dtype)
        at = self._addresses(jnp.where(reset[..., None], self.slots, a.refs))
        a = self.action(zero_where(reset, a.embedding))

        def step(carry, step_inputs):
            z_post, a, at, reset, seen, noise = step_inputs
            h, z = zero_where(reset, carry)
            h, guess, prior = self._advance(h, z, a, at, noise)
            z = jnp.where(seen[:, None, None, None], z_post, guess)
            return (h, z), (h, z, guess, prior)

        steps = (z_post, a, at, reset, seen, noise)
        carry, (h, z, guess, prior) = scan_time(step, carry, steps)
        aux = Aux(prior, jnp.einsum("btjv,btvsc->btjsc", widen(at), post))
        return carry, Rollout(self._feature(h, z), self._feature(h, guess), aux)

    def imagine(self, carry: Carry, a: Action, key: PRNGKeyArray | None) -> tuple[Carry, Rollout]:
        def step(carry, step_inputs):
            (h, z), (a, at, noise) = carry, step_inputs
            h, z, _ = self._advance(h, z, a, at, noise)
            return (h, z), (h, z)

        noise = self._noise(key, a.refs.shape[:2])
        steps = (self.action(a.embedding), self._addresses(a.refs), noise)
        carry, (h, z) = scan_time(step, carry, steps)
        feat = self._feature(h, z)
        return carry, Rollout(feat, feat, None)

    def loss(self, rollout: Rollout) -> dict[str, Float[Array, "B T"]]:
        """Over the slots touched: the others keep what they had, and have nothing to explain."""
        prior, post = (einops.rearrange(x, "b t j s c -> b t (j s) c") for x in rollout.aux)
        dyn, rep = kl_balance(prior, post, *self.free_nats)
        return {"dyn": dyn, "rep": rep}

    def _advance(
        self,
        h: Float[Array, "B V H"],
        z: Float[Array, "B V S C"],
        a: Float[Array, "B U"],
        at: Float[Array, "B J V"],
        noise: Float[Array, "B V S C"] | None,
    ) -> tuple[Float[Array, "B V H"], Float[Array, "B V S C"], Float[Array, "B J S C"]]:
        """The next h and z, and the prior of the slots touched."""
        h_at = jnp.einsum("bjv,bvh->bjh", at, h)
        z_at = jnp.einsum("bjv,bvsc->bjsc", at, z)
        place = jnp.einsum("bjv,ve->bje", at, self.place[...].astype(self.dtype))
        flat = einops.rearrange(z_at, "b j s c -> b j (s c)")
        s = jax.nn.silu(self.read_norm(self.read(jnp.concatenate([h_at, flat], -1)) + place))
        u = self.operands(einops.rearrange(s, "b j e -> b (j e)"))
        u = self.compute(jax.nn.silu(self.norm(a + u)))
        m = einops.rearrange(self.message(u), "b (j e) -> b j e", j=self.touched)
        r, c, g = jnp.split(self.gates(jnp.concatenate([h_at, s, m], -1)), 3, -1)
        c, g = jnp.tanh(jax.nn.sigmoid(r) * c), jax.nn.sigmoid(g - 1)
        new = g * c + (1 - g) * h_at
        prior = self._prior(new, z_at, at.any(-1))
        if noise is not None:
            noise = jnp.einsum("bjv,bvsc->bjsc", widen(at), noise)
        change = sample(prior, noise).astype(self.dtype) - z_at
        h = h + jnp.einsum("bjv,bjh->bvh", at, new - h_at)
        z = z + jnp.einsum("bjv,bjsc->bvsc", at, change)
        return h, z, prior

    def _addresses(self, refs: Int[Array, "B T R"]) -> Float[Array, "B T J V"]:
        """One row per slot touched: those named, then those that every action touches."""
        named = jax.nn.one_hot(refs, self.slots, dtype=self.dtype)
        always = jnp.eye(self.slots, dtype=self.dtype)[-ALWAYS:]
        always = jnp.broadcast_to(always, (*refs.shape[:2], *always.shape))
        at = jnp.concatenate([named, always], 2)
        return at * (jnp.cumsum(at, 2) - at == 0)  # a slot is written once, whoever names it twice

    def _prior(
        self,
        h: Float[Array, "B J H"],
        z: Float[Array, "B J S C"],
        named: Bool[Array, "B J"],
    ) -> Float[Array, "B J S C"]:
        """Per cell a mixture: what any slot touched had in this cell, and something made from h.

        Assignments, swaps and returns then move exact codes. A place in the list of references
        that is not used says nothing: its prior is uniform.
        """
        hidden = self.prior(h)
        made = einops.rearrange(
            widen(self.prior_cells(hidden)), "b j (s c) -> b j s c", c=self.classes
        )
        source = einops.rearrange(
            widen(self.prior_source(hidden)), "b j (l k) -> b j l k", l=self.cells
        )
        there = jnp.pad(named, ((0, 0), (1, 0)), constant_values=True)[:, None, None]
        source = jax.nn.softmax(jnp.where(there, source, -1e30))
        source = einops.repeat(source, "b j l k -> b j (l g) k", g=self.groups)
        taken = jnp.einsum("bjsk,bksc->bjsc", source[..., 1:], widen(z))
        probs = taken + source[..., :1] * jax.nn.softmax(made)
        probs = jnp.where(named[..., None, None], probs, 1 / self.classes)
        mix = max(self.unimix, 1e-6)  # the logarithm must not meet zeros
        return jnp.log((1 - mix) * probs + mix / self.classes)

    def _post(self, x: Float[Array, "B T V L D"]) -> Float[Array, "B T V S C"]:
        logits = einops.rearrange(
            widen(self.post(x)), "b t v l (g c) -> b t v (l g) c", c=self.classes
        )
        return unimix(logits, self.unimix)

    def _feature(
        self, h: Float[Array, "B T V H"], z: Float[Array, "B T V S C"]
    ) -> Float[Array, "B T V L F"]:
        """Of each cell: its codes as they are, and what h has to say of it."""
        codes = einops.rearrange(z, "b t v (l g) c -> b t v l (g c)", l=self.cells)
        spread = einops.rearrange(self.feat(h), "b t v (l f) -> b t v l f", l=self.cells)
        return jnp.concatenate([codes.astype(h.dtype), self.feat_norm(spread)], -1)

    def _noise(self, key: PRNGKeyArray | None, shape: tuple[int, ...]) -> Array | None:
        return gumbel(key, *shape, self.slots, self.cells * self.groups, self.classes)
