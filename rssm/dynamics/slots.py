"""Recurrent state-space model with one latent per slot, and a learned interpreter as its prior.

A statement names the slots it works on, so addressing comes from its text. With J touched slots,
those that an action names and two that every action touches (what a call returns, and the labels):

    s_j   = read(h[j], z[j])                           at t-1, for each slot touched
    u     = compute(a, s_1, ..., s_J)
    h[j]  = GRU(h[j], [s_j, u])                        the other slots keep h and z
    z[j]  ~ p(z | h[1..J], z[1..J] before, text)       rssm/interpreter.py
    z[j]  = x[j]                                       when the state is seen

z is a symbol for each cell of a slot, spelled in the fixed code that x is. The posterior
therefore is x itself, and KL(q || p) is minus the logarithm of what p gives it. What no observation
shows, such as how far a loop has come, is in h.

Where every state is seen, z does not depend on the prior: the scan holds the GRU alone, all priors
are computed at once, and in training a share of them: see rssm/drawing.py.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import einops
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.typing import DTypeLike

from rssm.drawing import LEAST, Critic, draw, facts_of, worth
from rssm.dynamics.base import Action, Inputs, Rollout, Sizes
from rssm.interpreter import Interpreter, Operands, Room, label_log_prob, likeliest, log_prob
from rssm.nets import (
    MLP,
    Dense,
    Embed,
    RMSNorm,
    flip_time,
    read_two_hot,
    scan_time,
    shifted,
    two_hot,
    zero_where,
)
from rssm.tables import Rows, look_up, pick_slots, take_rows
from rssm.types import Array, Bool, Float, Int, PRNGKeyArray, Shaped

# Of every slot h and z, and then how likely z was made: the logarithm of its probability, and of
# that of each class of each label.
Latents = Float[Array, "B T V E"]
ALWAYS = 2  # the last two slots are touched by every action
CHUNK = 32  # steps whose priors are computed together, where all are asked for


class Touch(NamedTuple):
    """What a step needs of its action."""

    compute: Float[Array, "B T U"]
    tokens: Int[Array, "B T M"]
    slots: Int[Array, "B T J"]  # that it touches
    touched: Bool[Array, "B T J"]  # a place in the list may be empty
    lasting: Bool[Array, "B T J"]  # variables, beside working slots


class Aux(NamedTuple):
    """The transition into each step: statement, operands, and what came of them."""

    operands: Operands  # [B, T, ...]
    after: Int[Array, "B T J L"]
    counts: Bool[Array, "B T"]  # it is a transition, not the first step


class Slots(nnx.Module):
    def __init__(
        self,
        sizes: Sizes,
        *,
        deter: int,
        read: int,
        compute: int,
        width: int,
        heads: int,
        layers: int,
        trained: float,
        changed: float = 3.0,
        made: float = 3.0,
        judged: bool = False,
        rooms: Sequence[Mapping[str, Any]],
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        self.slots, self.n_cells, self.touched = sizes.slots, sizes.cells, sizes.refs + ALWAYS
        self.deter, self.x_dim = deter, sizes.x_dim
        self.labels, self.telling = sizes.labels, sizes.telling
        self.shown = tuple(slot not in sizes.working for slot in range(sizes.slots))
        self.variables = sizes.working.start if sizes.working else 0  # slots before this one
        self.dtype = dtype
        self.stoch, self.odds = sizes.cells * sizes.x_dim, 1 + sum(sizes.labels)
        self.feat_dim, self.summary_dim = sizes.x_dim, deter + 1
        self.trained, self.judged = trained, judged
        self.changed, self.made = changed, made
        self.shares = [room["share"] for room in rooms]
        self.rooms = [Room.of(sizes.cells, room["source"], room["results"]) for room in rooms]
        if not math.isclose(sum(self.shares), 1):
            raise ValueError(f"the shares of the rooms, {self.shares}, do not add up to 1")
        on = {"rngs": rngs, "dtype": dtype}

        self.symbol = Embed(sizes.symbols, read, **on)
        self.cell = nnx.Param(nnx.initializers.normal(1.0)(rngs(), (sizes.cells, read)))
        self.held = RMSNorm(read)
        self.read = Dense(deter + read, read, **on)
        self.read_norm = RMSNorm(read)
        self.action = Dense(sizes.a_dim, compute, **on)
        self.operands = Dense(self.touched * read, compute, bias=False, **on)
        self.norm = RMSNorm(compute)
        self.compute = MLP(compute, compute, 1, **on)
        self.message = Dense(compute, self.touched * read, **on)
        self.gates = Dense(deter + 2 * read, 3 * deter, **on)
        self.interpreter = Interpreter(
            touched=self.touched,
            cells=sizes.cells,
            tokens=sizes.tokens,
            symbols=sizes.symbols,
            words=sizes.words,
            labels=sizes.labels,
            state_dim=deter,
            width=width,
            heads=heads,
            layers=layers,
            results=len(self.rooms[-1].results),
            **on,
        )
        if judged:
            self.critic = Critic(words=sizes.words, touched=self.touched, state_dim=deter, **on)

    def initial(self, batch_size: int) -> Float[Array, "B V E"]:
        return jnp.zeros((batch_size, self.slots, self.deter + self.stoch + self.odds), self.dtype)

    def observe(
        self, carry: Float[Array, "B V E"], inputs: Inputs, key: PRNGKeyArray | None
    ) -> tuple[Float[Array, "B V E"], Rollout]:
        touch = self._touch(inputs.a, inputs.reset)
        if inputs.seen is None:
            return self._follow(carry, inputs.x, touch, inputs.reset, key)
        x, shown = self._spread(inputs.x), jnp.asarray(self.shown)[:, None]
        keys = self._keys(key, x.shape[1])

        def step(latents, step_inputs):
            x, touch, reset, seen, key = step_inputs
            guess, aux = self._advance(zero_where(reset, latents), touch, key)
            observed = self._observed(guess[..., : self.deter], x)
            latents = jnp.where(seen[:, None, None] & shown, observed, guess)
            return latents, (latents, guess, aux)

        steps = (x, touch, inputs.reset, inputs.seen, keys)
        carry, (after, guess, operands) = scan_time(step, carry, steps)
        rows = self._symbols(jnp.take_along_axis(x, touch.slots[..., None], 2))
        return carry, Rollout(after, guess, Aux(operands, rows, ~inputs.reset))

    def imagine(
        self, carry: Float[Array, "B V E"], a: Action, key: PRNGKeyArray | None
    ) -> tuple[Float[Array, "B V E"], Rollout]:
        def step(latents, step_inputs):
            latents, _ = self._advance(latents, *step_inputs)
            return latents, latents

        none = jnp.zeros(a.refs.shape[:2], bool)
        steps = (self._touch(a, none), self._keys(key, none.shape[1]))
        carry, latents = scan_time(step, carry, steps)
        return carry, Rollout(latents, latents, None)

    def loss(
        self,
        rollout: Rollout,
        mask: Bool[Array, "B T"] | None = None,
        key: PRNGKeyArray | None = None,
    ) -> dict[str, Float[Array, "B T"]]:
        """`dyn`: minus the log-probability of what a transition came to; of the steps that were not
        drawn, and of them alone, it is zero. `chance`: of being drawn, in proportion to others.
        `critic`: how wrong it was, squared."""
        counts = rollout.aux.counts if mask is None else rollout.aux.counts & mask
        aux = rollout.aux._replace(counts=counts)
        flat = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), aux)
        facts = facts_of(flat.operands, flat.after[:, :-1], len(self.labels))
        chance = facts.chance(self.changed, self.made)
        if self.judged:
            judged = self.critic(flat.operands, facts)
            chance *= jnp.clip(jax.lax.stop_gradient(judged), LEAST, 1)
        chance = jnp.where(flat.counts, chance, 1e-6)
        drawn = draw(chance, self.trained, jax.random.key(0) if key is None else key)
        needs = jnp.where(flat.counts, facts.needs(self.rooms), 0)
        drawn = drawn[jnp.argsort(needs[drawn])]
        dyn, start = jnp.zeros(counts.size), 0
        for number, (share, room) in enumerate(zip(self.shares, self.rooms, strict=True)):
            last = number == len(self.rooms) - 1
            stop = len(drawn) if last else start + round(share * len(drawn))
            part, start = drawn[start:stop], stop
            if not len(part):
                continue
            some = jax.tree.map(lambda x, part=part: x[part], flat)
            fits = some.counts & (last | (needs[part] <= number))
            surprise = jnp.maximum(self._surprise(some, room), jnp.finfo(dyn.dtype).tiny)
            dyn = dyn.at[part].set(jnp.where(fits, surprise, 0))
        terms = {"dyn": dyn, "chance": chance}
        if self.judged:
            error = judged - jax.lax.stop_gradient(worth(dyn))
            terms["critic"] = jnp.where(dyn > 0, jnp.square(error), 0)
        return {name: term.reshape(counts.shape) for name, term in terms.items()}

    def spell(
        self, latents: Latents
    ) -> tuple[Int[Array, "B T V L"], Float[Array, "B T V"], list[Float[Array, "B T _"]]]:
        z, odds = jnp.split(latents[..., self.deter :], [self.stoch], -1)
        labels = jnp.split(odds[:, :, -1, 1:], np.cumsum(self.labels)[:-1], -1)
        return self._symbols(z), odds[..., 0], labels

    def summary(self, latents: Latents) -> Float[Array, "B T V _"]:
        """h, and how sure the model is of the row."""
        row = self.deter + self.stoch
        return jnp.concatenate([latents[..., : self.deter], latents[..., row : row + 1]], -1)

    def cells(self, latents: Latents, chosen: Int[Array, "B T J"]) -> Float[Array, "B T J L D"]:
        """The code of each cell."""
        codes = self._z(pick_slots(latents, chosen))
        return einops.rearrange(codes, "b t j (l d) -> b t j l d", l=self.n_cells)

    def _follow(
        self,
        carry: Float[Array, "B V E"],
        x: Rows,
        touch: Touch,
        reset: Bool[Array, "B T"],
        key: PRNGKeyArray | None,
    ) -> tuple[Float[Array, "B V E"], Rollout]:
        """Where every state is seen: what is not recurrent happens outside the scan, and what is
        made of a row once for all slots and steps that hold it."""
        seen, remembered = read_two_hot(x.table), self._symbols(self._z(carry))
        table = jnp.concatenate([seen, remembered, jnp.zeros_like(seen[:, :1])], 1)
        first = seen.shape[1] + jnp.arange(self.slots)
        first = jnp.broadcast_to(first, x.numbers[:, 0].shape)
        previous = jnp.concatenate([first[:, None], x.numbers[:, :-1]], 1)
        previous = jnp.where(reset[..., None], table.shape[1] - 1, previous)
        previous = jnp.take_along_axis(previous, touch.slots, 2)
        before, held = take_rows(table, previous), take_rows(self._held(table), previous)

        def step(h, step_inputs):
            held, touch, reset = step_inputs
            new = self._recur(jax.vmap(look_up)(zero_where(reset, h), touch.slots), held, touch)
            h = write(zero_where(reset, h), touch, new)
            return h, (h, new)

        _, (h, state) = scan_time(step, carry[..., : self.deter], (held, touch, reset))
        operands = operands_of(touch, before, state)
        after = self._observed(h, self._spread(x))
        rows = take_rows(table, jnp.take_along_axis(x.numbers, touch.slots, 2))
        keys = self._keys(key, reset.shape[1])
        guess = self._guess(shifted(carry, after, reset), h, touch, operands, keys)
        return after[:, -1], Rollout(after, guess, Aux(operands, rows, ~reset))

    def _guess(
        self,
        previous: Latents,
        h: Float[Array, "B T V H"],
        touch: Touch,
        operands: Operands,
        keys: Shaped[Array, "1 T"] | None,
    ) -> Latents:
        """What is expected at every step, some steps at a time; one where each has a key. As these
        are a larger batch, and not mapped over, steps at which nothing is said cost nothing."""
        batch, length = h.shape[:2]
        most = CHUNK // batch if keys is None else 1
        together = max(k for k in (1, *range(2, most + 1)) if length % k == 0)
        steps = flip_time((previous, h, touch, operands))
        merged = jax.tree.map(lambda x: x.reshape(-1, together * batch, *x.shape[2:]), steps)

        def guess(each):
            (previous, h, touch, operands), key = each
            return self._write(previous, h, touch, operands, key)

        found = jax.lax.map(guess, (merged, None if keys is None else flip_time(keys)))
        return flip_time(found.reshape(length, batch, *found.shape[2:]))

    def _advance(
        self, latents: Float[Array, "B V E"], touch: Touch, key: Shaped[Array, "1"] | None
    ) -> tuple[Float[Array, "B V E"], Operands]:
        old = jnp.take_along_axis(latents, touch.slots[..., None], 1)
        before = self._symbols(self._z(old))
        state = self._recur(old[..., : self.deter], self._held(before), touch)
        operands = operands_of(touch, before, state)
        h = write(latents[..., : self.deter], touch, state)
        return self._write(latents, h, touch, operands, key), operands

    def _recur(
        self, h: Float[Array, "B J H"], held: Float[Array, "B J R"], touch: Touch
    ) -> Float[Array, "B J H"]:
        """The recurrent state of the slots touched."""
        s = jax.nn.silu(self.read_norm(self.read(jnp.concatenate([h, held], -1))))
        s = jnp.where(touch.touched[..., None], s, 0)
        u = self.operands(einops.rearrange(s, "b j r -> b (j r)"))
        u = self.compute(jax.nn.silu(self.norm(touch.compute + u)))
        m = einops.rearrange(self.message(u), "b (j r) -> b j r", j=self.touched)
        r, c, g = jnp.split(self.gates(jnp.concatenate([h, s, m], -1)), 3, -1)
        c, g = jnp.tanh(jax.nn.sigmoid(r) * c), jax.nn.sigmoid(g - 1)
        return g * c + (1 - g) * h

    def _write(
        self,
        latents: Float[Array, "B V E"],
        h: Float[Array, "B V H"],
        touch: Touch,
        operands: Operands,
        key: Shaped[Array, "1"] | None,
    ) -> Float[Array, "B V E"]:
        """The likeliest symbols, or drawn ones, in the slots touched."""
        z, said = latents[..., self.deter :], (touch.tokens > 0).any(-1)

        def written() -> Float[Array, "B V _"]:
            room = self.rooms[-1]
            outcome = self.interpreter(operands, room)
            before, drawn = operands.cells[:, :-1], None if key is None else key[0]
            rows, odds, labels = likeliest(outcome, room, before, drawn, self.telling)
            spare = self.n_cells - len(self.labels)
            rows = jnp.concatenate([rows, jnp.pad(labels, ((0, 0), (0, spare)))[:, None]], 1)
            odds = self._odds(odds, outcome.labels)
            codes = einops.rearrange(two_hot(rows, self.x_dim), "b j l d -> b j (l d)")
            new = jax.lax.stop_gradient(jnp.concatenate([codes, odds], -1)).astype(self.dtype)
            return write(z, touch._replace(touched=touch.touched & said[:, None]), new)

        # Where no statement is, as behind a trajectory's end, nothing is expected to change.
        z = jax.lax.cond(said.any(), written, lambda: z)
        return jnp.concatenate([h, z], -1)

    def _surprise(self, aux: Aux, room: Room) -> Float[Array, " n"]:
        outcome = self.interpreter(aux.operands, room)
        rows = log_prob(outcome, room, aux.operands.cells[:, :-1], aux.after[:, :-1])
        rows = jnp.where(aux.operands.touched[:, :-1], rows, 0)
        labels = label_log_prob(outcome, aux.after[:, -1, : len(self.labels)])
        return -rows.sum(-1) - labels.sum(-1)

    def _touch(self, a: Action, reset: Bool[Array, "B T"]) -> Touch:
        """An action that a reset cuts off says nothing."""
        embedding, tokens = zero_where(reset, (a.embedding, a.tokens))
        refs = jnp.where(reset[..., None], self.slots, a.refs)
        always = jnp.broadcast_to(jnp.arange(self.slots)[-ALWAYS:], (*reset.shape, ALWAYS))
        slots = jnp.concatenate([refs, always], -1)
        earlier = jnp.tril(jnp.ones((self.touched, self.touched), bool), -1)
        # A slot is written once, whoever names it twice.
        again = ((slots[..., None] == slots[..., None, :]) & earlier).any(-1)
        there, lasting = (slots < self.slots) & ~again, slots < self.variables
        return Touch(self.action(embedding), tokens, jnp.where(there, slots, 0), there, lasting)

    def _spread(self, x: Rows) -> Float[Array, "B T V Z"]:
        return einops.rearrange(x.spread(), "b t v l d -> b t v (l d)").astype(self.dtype)

    def _symbols(self, codes: Float[Array, "*n Z"]) -> Int[Array, "*n L"]:
        return read_two_hot(einops.rearrange(codes, "... (l d) -> ... l d", l=self.n_cells))

    def _held(self, symbols: Int[Array, "*n L"]) -> Float[Array, "*n R"]:
        """A row as one vector."""
        embedded = self.symbol(symbols) * self.cell[...].astype(self.dtype)
        return self.held(jnp.where(symbols[..., None] > 0, embedded, 0).sum(-2))

    def _z(self, latents: Float[Array, "*n E"]) -> Float[Array, "*n Z"]:
        return latents[..., self.deter : self.deter + self.stoch]

    def _observed(self, h: Float[Array, "*n H"], x: Float[Array, "*n Z"]) -> Float[Array, "*n E"]:
        """What is seen is certain."""
        return jnp.concatenate([h, x, jnp.zeros((*h.shape[:-1], self.odds), h.dtype)], -1)

    def _odds(
        self, rows: Float[Array, "B I"], labels: Float[Array, "B G K"]
    ) -> Float[Array, "B J O"]:
        """Those of the rows, and in the last slot those of the labels."""
        classes = [labels[:, label, :size] for label, size in enumerate(self.labels)]
        ends = ((0, 0), (0, 0), (0, self.odds - 1))
        last = jnp.concatenate([jnp.zeros_like(rows[:, :1]), *classes], -1)
        return jnp.concatenate([jnp.pad(rows[..., None], ends), last[:, None]], 1)

    def _keys(self, key: PRNGKeyArray | None, steps: int) -> Shaped[Array, "1 T"] | None:
        """One for each step, behind a batch axis that it does not need."""
        return None if key is None else jax.random.split(key, steps)[None]


def operands_of(
    touch: Touch, cells: Int[Array, "*n J L"], state: Float[Array, "*n J H"]
) -> Operands:
    return Operands(touch.tokens, cells, state, touch.touched, touch.lasting)


def write(
    x: Float[Array, "B V E"], touch: Touch, new: Float[Array, "B J E"]
) -> Float[Array, "B V E"]:
    """The slots touched hold something else; the others what they held."""
    at = touch.touched[..., None] & (touch.slots[..., None] == jnp.arange(x.shape[1]))
    spread = jnp.einsum("bjv,bje->bve", at.astype(new.dtype), new)
    return jnp.where(at.any(1)[..., None], spread, x)
