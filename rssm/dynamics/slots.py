"""Recurrent state-space model with one latent per slot, laid out in cells.

A statement names the slots it works on, so addressing comes from its text, before the scan; inside
remain read, compute, write. With J touched slots, those that an action names and two that every
action touches (what a call returns, and the labels):

    s_j   = read(h[j], z[j])                     at t-1, for each slot touched
    u     = compute(a, s_1, ..., s_J)
    h[j]  = GRU(h[j], [s_j, u])                  the other slots keep h and z
    z[j]  ~ p(z | h[j], z[1..J] before, text)    cell by cell: taken from one of them, or made
    z[v]  ~ q(z | x[v])                          when the state is seen; needs no h, so no scan

A cell has a few categoricals of its own, the digits of its symbol's code, which x is. The latents
of a slot are one vector: h, z, and a mark that is set when an action touches the slot and cleared
when the state is seen.
"""

import math
from typing import NamedTuple

import einops
import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from rssm.dists import gumbel, sample, straight_through
from rssm.dynamics.base import Action, Inputs, Rollout, Sizes
from rssm.losses import kl_balance
from rssm.nets import MLP, Dense, RMSNorm, scan_time, widen, zero_where
from rssm.tables import pick_slots, take_rows
from rssm.types import Array, Bool, Float, Int, PRNGKeyArray

Carry = Float[Array, "B V E"]  # h, z and the mark of every slot
ALWAYS = 2  # the last two slots are touched by every action
KEEP = 4.0  # nats in favour of what is there already, at first
FRESH = 32.0  # weight of the mark in a summary: what was not touched is the same


class Aux(NamedTuple):
    prior: Float[Array, "B T J S C"]  # of the slots touched
    post: Float[Array, "B T J S C"]
    touched: Bool[Array, "B T J"]  # a place in the list of references may be empty


class Step(NamedTuple):
    """What a step needs of its action."""

    compute: Float[Array, "B U"]
    at: Float[Array, "B J V"]  # one row per slot touched
    keys: Float[Array, "B M P"]  # of the statement's tokens
    codes: Float[Array, "B M D"]  # the latents that they are in a cell
    spelled: Bool[Array, "B M"]


class Slots(nnx.Module):
    def __init__(
        self,
        sizes: Sizes,
        *,
        deter: int,
        groups: int,
        classes: int,
        read: int,
        compute: int,
        layers: int,
        pointer: int,
        unimix: float,
        free_nats_dyn: float,
        free_nats_rep: float,
        feat_dim: int,
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        self.slots, self.n_cells, self.touched = sizes.slots, sizes.cells, sizes.refs + ALWAYS
        self.deter, self.groups, self.classes, self.pointer = deter, groups, classes, pointer
        self.unimix = max(unimix, 1e-6)  # the logarithm must not meet zeros
        self.free_nats = (free_nats_dyn, free_nats_rep)
        self.code = groups * classes
        if self.code != sizes.x_dim:
            raise ValueError(f"{groups} x {classes} classes do not hold codes of {sizes.x_dim}")
        stoch = sizes.cells * self.code
        self.feat_dim, self.summary_dim, self.dtype = self.code + feat_dim, deter + 1, dtype
        on = {"rngs": rngs, "dtype": dtype}
        small = nnx.initializers.normal(0.02)

        self.read = Dense(deter + stoch + 1, read, **on)
        self.place = nnx.Param(small(rngs(), (sizes.slots, read)))
        self.read_norm = RMSNorm(read)
        self.action = Dense(sizes.a_dim, compute, **on)
        self.operands = Dense(self.touched * read, compute, bias=False, **on)
        self.norm = RMSNorm(compute)
        self.compute = MLP(compute, compute, layers, **on)
        self.message = Dense(compute, self.touched * read, **on)
        self.gates = Dense(deter + 2 * read, 3 * deter, **on)

        self.prior = MLP(deter, deter, 1, **on)
        self.prior_made = Dense(deter, stoch, **on)
        self.prior_source = Dense(deter, sizes.cells * (3 + self.touched), **on)
        self.prior_keep = nnx.Param(jnp.full(sizes.cells, KEEP, jnp.float32))
        self.query = Dense(deter, sizes.cells * pointer, **on)
        self.key = Dense(sizes.token_dim, pointer, **on)

        self.feat = Dense(deter, sizes.cells * feat_dim, **on)
        self.feat_norm = RMSNorm(feat_dim)

    def initial(self, batch_size: int) -> Carry:
        width = self.deter + self.n_cells * self.code + 1
        return jnp.zeros((batch_size, self.slots, width), self.dtype)

    def observe(
        self, carry: Carry, inputs: Inputs, key: PRNGKeyArray | None
    ) -> tuple[Carry, Rollout]:
        x, a, reset, seen = inputs
        seen = jnp.ones_like(reset) if seen is None else seen
        # One noise for prior and posterior: where the two agree, so do their samples.
        noise = self._noise(key, reset.shape)
        post = self._post(x.table)
        if noise is None:
            z_post = einops.rearrange(x.spread(), "b t v l d -> b t v (l d)")
        else:
            z_post = self._flat(sample(take_rows(post, x.numbers), noise))
        actions = self._steps(a, reset)

        def step(latents, step_inputs):
            z_post, action, reset, seen, noise = step_inputs
            guess, prior = self._advance(zero_where(reset, latents), action, noise)
            cleared = jnp.zeros_like(z_post[..., :1])
            observed = jnp.concatenate([guess[..., : self.deter], z_post, cleared], -1)
            latents = jnp.where(seen[:, None, None], observed, guess)
            return latents, (latents, guess, prior)

        carry, (after, guess, prior) = scan_time(step, carry, (z_post, actions, reset, seen, noise))
        touched = actions.at.any(-1)
        numbers = jnp.einsum("btjv,btv->btj", actions.at.astype(jnp.int32), x.numbers)
        aux = Aux(jnp.log(prior), take_rows(post, numbers), touched)
        return carry, Rollout(after, guess, aux)

    def imagine(self, carry: Carry, a: Action, key: PRNGKeyArray | None) -> tuple[Carry, Rollout]:
        def step(latents, step_inputs):
            latents, _ = self._advance(latents, *step_inputs)
            return latents, latents

        noise = self._noise(key, a.refs.shape[:2])
        none = jnp.zeros(a.refs.shape[:2], bool)
        carry, latents = scan_time(step, carry, (self._steps(a, none), noise))
        return carry, Rollout(latents, latents, None)

    def loss(
        self,
        rollout: Rollout,
        mask: Bool[Array, "B T"] | None = None,
        key: PRNGKeyArray | None = None,
    ) -> dict[str, Float[Array, "B T"]]:
        """Over the slots touched: the others keep what they had, and have nothing to explain."""
        prior, post, touched = rollout.aux
        prior = jnp.where(touched[..., None, None], prior, post)
        prior, post = (einops.rearrange(x, "b t j s c -> b t (j s) c") for x in (prior, post))
        dyn, rep = kl_balance(prior, post, *self.free_nats)
        return {"dyn": dyn, "rep": rep}

    def summary(self, latents: Float[Array, "B T V E"]) -> Float[Array, "B T V _"]:
        """What h says of a slot that was touched since it was seen; the others are as they were."""
        mark = latents[..., -1:]
        return jnp.concatenate([mark * latents[..., : self.deter], FRESH * (1 - mark)], -1)

    def cells(
        self, latents: Float[Array, "B T V E"], chosen: Int[Array, "B T J"]
    ) -> Float[Array, "B T J L F"]:
        """Of each cell: its codes as they are, and what h has to say of it."""
        picked = pick_slots(latents, chosen)
        h, codes = picked[..., : self.deter], picked[..., self.deter : -1]
        codes = einops.rearrange(codes, "b t j (l d) -> b t j l d", l=self.n_cells)
        spread = einops.rearrange(self.feat(h), "b t j (l f) -> b t j l f", l=self.n_cells)
        return jnp.concatenate([codes, self.feat_norm(spread)], -1)

    def _advance(
        self,
        latents: Float[Array, "B V E"],
        action: Step,
        noise: Float[Array, "B V S C"] | None,
    ) -> tuple[Float[Array, "B V E"], Float[Array, "B J S C"]]:
        """The next latents, and the prior of the slots touched."""
        old = jnp.einsum("bjv,bve->bje", action.at, latents)
        place = jnp.einsum("bjv,ve->bje", action.at, self.place[...].astype(self.dtype))
        s = jax.nn.silu(self.read_norm(self.read(old) + place))
        u = self.operands(einops.rearrange(s, "b j e -> b (j e)"))
        u = self.compute(jax.nn.silu(self.norm(action.compute + u)))
        m = einops.rearrange(self.message(u), "b (j e) -> b j e", j=self.touched)
        h, z = old[..., : self.deter], old[..., self.deter : -1]
        r, c, g = jnp.split(self.gates(jnp.concatenate([h, s, m], -1)), 3, -1)
        c, g = jnp.tanh(jax.nn.sigmoid(r) * c), jax.nn.sigmoid(g - 1)
        h = g * c + (1 - g) * h
        # Computed again for its gradient: to keep what it computes costs more than to compute it.
        prior = jax.checkpoint(self._prior)(h, z, action)
        scores = prior
        if noise is not None:
            scores = jnp.log(prior) + jnp.einsum("bjv,bvsc->bjsc", widen(action.at), noise)
        z = self._flat(straight_through(scores, prior))
        new = jnp.concatenate([h, z, jnp.ones_like(h[..., :1])], -1)
        return latents + jnp.einsum("bjv,bje->bve", action.at, new - old), prior

    def _prior(
        self, h: Float[Array, "B J H"], z: Float[Array, "B J Z"], action: Step
    ) -> Float[Array, "B J S C"]:
        """Per cell a mixture: kept, made from h, taken from a token of the statement or from this
        cell of any slot touched.

        Assignments, swaps, returns and literals then move exact codes.
        """
        hidden = self.prior(h)
        cells = {"l": self.n_cells}
        made = einops.rearrange(self.prior_made(hidden), "b j (s c) -> b j s c", c=self.classes)
        made = einops.rearrange(jax.nn.softmax(widen(made)), "b j (l g) c -> b j l (g c)", **cells)
        source = einops.rearrange(self.prior_source(hidden), "b j (l k) -> b j l k", **cells)
        source = widen(source).at[..., 0].add(self.prior_keep[...])
        always = jnp.ones_like(action.spelled[:, :2])
        there = [always, action.spelled.any(-1, keepdims=True), action.at.any(-1)]
        there = jnp.concatenate(there, -1)[:, None, None]
        source = jax.nn.softmax(jnp.where(there, source, -1e30))[..., None]

        query = einops.rearrange(self.query(hidden), "b j (l p) -> b (j l) p", **cells)
        scores = widen(jnp.einsum("bqp,bmp->bqm", query, action.keys)) / math.sqrt(self.pointer)
        pointer = jax.nn.softmax(jnp.where(action.spelled[:, None], scores, -1e30))
        spelled = jnp.einsum("bqm,bmd->bqd", pointer, widen(action.codes))
        spelled = einops.rearrange(spelled, "b (j l) d -> b j l d", **cells)

        z = widen(einops.rearrange(z, "b j (l d) -> b j l d", **cells))
        taken = einops.rearrange(z, "b k l d -> b 1 l k d")
        taken = (source[..., 3:, :] * taken).sum(-2)
        keep, make, point = (source[..., number, :] for number in range(3))
        probs = keep * z + make * made + point * spelled + taken
        probs = einops.rearrange(probs, "b j l (g c) -> b j (l g) c", c=self.classes)
        return (1 - self.unimix) * probs + self.unimix / self.classes

    def _steps(self, a: Action, reset: Bool[Array, "B T"]) -> Step:
        """An action that a reset cuts off says nothing."""
        embedding, text = zero_where(reset, (a.embedding, a.text))
        refs = jnp.where(reset[..., None], self.slots, a.refs)
        keys = self.key(text.tokens)
        return Step(self.action(embedding), self._addresses(refs), keys, text.cells, text.spelled)

    def _addresses(self, refs: Int[Array, "B T R"]) -> Float[Array, "B T J V"]:
        """One row per slot touched: those named, then those that every action touches."""
        named = jax.nn.one_hot(refs, self.slots, dtype=self.dtype)
        always = jnp.eye(self.slots, dtype=self.dtype)[-ALWAYS:]
        always = jnp.broadcast_to(always, (*refs.shape[:2], *always.shape))
        at = jnp.concatenate([named, always], 2)
        return at * (jnp.cumsum(at, 2) - at == 0)  # a slot is written once, whoever names it twice

    def _post(self, x: Float[Array, "*n L D"]) -> Float[Array, "*n S C"]:
        """The code that x is; what the uniform distribution is mixed with needs no learning."""
        codes = einops.rearrange(widen(x), "... l (g c) -> ... (l g) c", c=self.classes)
        return jnp.log((1 - self.unimix) * codes + self.unimix / self.classes)

    def _flat(self, z: Float[Array, "*n S C"]) -> Float[Array, "*n Z"]:
        return einops.rearrange(z, "... s c -> ... (s c)").astype(self.dtype)

    def _noise(self, key: PRNGKeyArray | None, shape: tuple[int, ...]) -> Array | None:
        return gumbel(key, *shape, self.slots, self.n_cells * self.groups, self.classes)
