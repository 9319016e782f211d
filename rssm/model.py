"""A world model: encoder, dynamics and heads, the total loss, and what it predicts.

Dynamics whose latents are symbols are trained by their own loss alone, with every state seen, or
with a share of them withheld. The loss of all others, with `guess` the belief before a step's
observation and `feat` after it:

    same    -log p(does the slot hold what was seen last | guess)
    value   -log p(cells of a slot | guess, what was seen last)     slots that changed come first
    label   -log p(labels | guess)
    hold    -log p(cells of a slot | feat)                          nothing to copy from
    dyn, rep                                                        the dynamics' own

Each trajectory is watched at a rate of its own, from every step (filter) to the first alone (open
loop), so that the prior learns what it will be used for.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from rssm.dynamics.base import (
    Action,
    Carry,
    Dynamics,
    Inputs,
    Latents,
    Monitored,
    Naming,
    Spelling,
)
from rssm.encoder import Encoder
from rssm.heads import Heads, Sources
from rssm.losses import masked_mean, weighted_mean
from rssm.nets import zero_where
from rssm.spec import Batch, Spec
from rssm.tables import Rows, in_use, pick_slots, take_rows
from rssm.types import Array, Bool, Float, Int, PRNGKeyArray

HALF = 0.693  # nats: what has less of a surprise has more than half of the probability
WATCH = (1.0, 1.0, 0.5, 0.0)  # rates at which a trajectory may be watched, equally likely


class Belief(NamedTuple):
    """What is predicted for each step before it is observed."""

    rows: Int[Array, "B T V L"]  # cells of the slots that hold rows
    log_prob: Float[Array, "B T V"]  # of each of these rows
    labels: dict[str, Float[Array, "B T _"]]  # log-probabilities of their classes


class Imagined(NamedTuple):
    """Where a rollout has come: a latent, and what every step of it can look back on."""

    carry: Carry
    actions: Action  # of all statements of the batch's table, [B, S, ...]
    memory: Int[Array, "B 1 V L"]  # the rows that were observed at the first step


class WorldModel(nnx.Module):
    def __init__(
        self,
        spec: Spec,
        encoder: Encoder,
        dynamics: Dynamics,
        heads: Heads | None,  # None where the dynamics spell
        *,
        weights: dict[str, float],
        decoded: int,
        held: int,
        sample: bool,
        unseen: float = 0.0,
    ):
        self.spec, self.encoder, self.dynamics, self.heads = spec, encoder, dynamics, heads
        self.weights = weights
        self.decoded = decoded  # slots per step whose cells count in `value`
        self.held = held  # and in `hold`
        self.sample = sample  # latents in training; False takes the mode there too
        self.unseen = unseen  # share of the steps that dynamics which spell are not shown

    def loss(
        self, batch: Batch, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        """The weighted sum of the terms, and every term and metric as a mean over steps."""
        if isinstance(self.dynamics, Spelling):
            return self._own_loss(batch, key)
        keys = jax.random.split(key, 5)
        seen = watch(batch[self.spec.reset.name], keys[0])
        inputs = self._inputs(batch, seen)
        carry = self.dynamics.initial(len(seen))
        _, rollout = self.dynamics.observe(carry, inputs, keys[1] if self.sample else None)
        memory = remembered(self._numbers(batch, seen), seen)
        mask = batch[self.spec.mask.name]
        predicted = mask & ~batch[self.spec.reset.name]
        terms = self.dynamics.loss(rollout, mask, keys[4])
        means = {name: masked_mean(term, mask) for name, term in terms.items()}
        guessed, metrics = self._guess_terms(batch, rollout.guess, memory, predicted, keys[2])
        means |= guessed
        means["hold"] = self._hold_term(batch, rollout.after, mask, keys[3])
        if isinstance(self.dynamics, Monitored):
            metrics |= self.dynamics.monitor(rollout, mask)
        total = sum(self.weights.get(name, 1.0) * mean for name, mean in means.items())
        return jnp.asarray(total), means | metrics

    def _own_loss(
        self, batch: Batch, key: PRNGKeyArray
    ) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        """Of dynamics that need no heads, over the steps that they drew. Behind a step that is not
        shown to them stands what they expected of it, and what they find in working slots."""
        keys = jax.random.split(key, 3)
        inputs = self._inputs(batch, None)
        if self.unseen:
            shown = jax.random.uniform(keys[2], inputs.reset.shape) >= self.unseen
            inputs = inputs._replace(seen=inputs.reset | shown)
        carry = self.dynamics.initial(len(inputs.reset))
        _, rollout = self.dynamics.observe(carry, inputs, keys[0] if self.sample else None)
        terms = self.dynamics.loss(rollout, batch[self.spec.mask.name], keys[1])
        dyn = terms["dyn"]
        rows, drawn = batch[self.spec.rows.name], dyn > 0
        changed = jnp.pad((rows[:, 1:] != rows[:, :-1]).any(-1), ((0, 0), (1, 0)))
        likeliest = (dyn < HALF).astype(jnp.float32)
        total = masked_mean(dyn, drawn)
        for_all = jnp.where(drawn, 1 / terms["chance"], 0)
        metrics = {
            "dyn": total,
            "changed_right": weighted_mean(likeliest, for_all * changed),
            "same_right": weighted_mean(likeliest, for_all * ~changed),
        }
        if "critic" in terms:
            metrics["critic"] = masked_mean(terms["critic"], drawn)
            total += metrics["critic"]
        return total, metrics

    def naming(self, batch: Batch) -> dict[str, Float[Array, ""]]:
        """How often dynamics that name statements name the right one, from what variables hold."""
        assert isinstance(self.dynamics, Naming)
        mask = batch[self.spec.mask.name]
        inputs = self._inputs(batch, jnp.ones_like(batch[self.spec.reset.name]))
        found = self.dynamics.named(inputs, mask)
        counted = mask & ~inputs.reset
        return {name: masked_mean(1.0 * right, counted) for name, right in found.items()}

    def predict(
        self, batch: Batch, seen: Bool[Array, "B T"] | None, key: PRNGKeyArray | None
    ) -> Belief:
        """What is expected at each step, from the steps seen before it; None sees all."""
        inputs = self._inputs(batch, seen)
        carry = self.dynamics.initial(len(inputs.reset))
        _, rollout = self.dynamics.observe(carry, inputs, key)
        seen = jnp.ones_like(inputs.reset) if seen is None else seen
        return self.read(rollout.guess, self._memory_rows(batch, seen), self._texts(batch))

    def begin(self, batch: Batch) -> Imagined:
        """After the first step of a batch whose actions are the statements of its table, one after
        the other: what a rollout may choose from."""
        x, actions = self.encoder(batch)
        first = jax.tree.map(lambda a: a[:, :1], actions)
        reset = jnp.ones_like(batch[self.spec.reset.name][:, :1])
        seen = Inputs(Rows(x.table, x.numbers[:, :1]), first, reset)
        carry, _ = self.dynamics.observe(self.dynamics.initial(len(reset)), seen, None)
        table = batch[self.spec.rows.table or ""].astype(jnp.int32)
        return Imagined(carry, actions, take_rows(table, batch[self.spec.rows.name][:, :1]))

    def advance(self, at: Imagined, chosen: Int[Array, " B"]) -> tuple[Imagined, Belief]:
        """One statement on, by its number in the table: the belief has one step."""
        action = jax.tree.map(lambda a: take_rows(a, chosen[:, None]), at.actions)
        carry, rollout = self.dynamics.imagine(at.carry, action, None)
        return at._replace(carry=carry), self.read(rollout.after, at.memory, action.tokens)

    def ground(self, at: Imagined, chosen: Int[Array, " B"], batch: Batch) -> Imagined:
        """One statement on, and the state after it seen: the first step of a batch. What no state
        shows, such as how far a loop has come, is kept."""
        x, _ = self.encoder(batch)
        action = jax.tree.map(lambda a: take_rows(a, chosen[:, None]), at.actions)
        on = jnp.zeros((len(chosen), 1), bool)
        seen = Inputs(Rows(x.table, x.numbers[:, :1]), action, on, ~on)
        carry, _ = self.dynamics.observe(at.carry, seen, None)
        table = batch[self.spec.rows.table or ""].astype(jnp.int32)
        memory = take_rows(table, batch[self.spec.rows.name][:, :1])
        return Imagined(carry, at.actions, memory)

    def read(
        self,
        latents: Latents,
        memory: Int[Array, "B T V1 L"],
        texts: Int[Array, "B T M"],
    ) -> Belief:
        """The likeliest row of each slot: the one seen last, or the one that the cells decode to.

        With p the chance that it is the same, the odds p / (1 - p) stand against the decoded row's.
        """
        if isinstance(self.dynamics, Spelling):
            return self._spelled(*self.dynamics.spell(latents))
        same = self._same_logit(latents)

        def decode(slot: Int[Array, "B T 1"]) -> tuple:
            feat = self.dynamics.cells(latents, slot)[:, :, 0]
            return self.decoder.rows.mode(feat, Sources(pick_slots(memory, slot)[:, :, 0], texts))

        def keep(slot: Int[Array, "B T 1"]) -> tuple:
            return pick_slots(memory, slot)[:, :, 0], jnp.zeros(same.shape[:2])

        def likeliest(slot: Int[Array, "B T 1"]) -> tuple:
            return jax.lax.cond((pick_slots(same, slot) < 0).any(), decode, keep, slot)

        # One slot of each step after the other, as decoding takes much memory; those likeliest to
        # have changed come first, as the others need none.
        order = jnp.argsort(same, -1)
        ranked = jax.lax.map(likeliest, jnp.moveaxis(order, 2, 0)[..., None])
        rank = jnp.argsort(order, -1)
        rows, log_prob = (pick_slots(jnp.moveaxis(x, 0, 2), rank) for x in ranked)
        kept = same > log_prob
        log_prob = jnp.where(kept, jax.nn.log_sigmoid(same), jax.nn.log_sigmoid(-same) + log_prob)
        logits = self._label_logits(latents)
        labels = {name: jax.nn.log_softmax(x) for name, x in logits.items()}
        return Belief(jnp.where(kept[..., None], memory, rows), log_prob, labels)

    @property
    def decoder(self) -> Heads:
        assert self.heads is not None
        return self.heads

    def _spelled(
        self,
        symbols: Int[Array, "B T V L"],
        log_prob: Float[Array, "B T V"],
        labels: list[Float[Array, "B T _"]],
    ) -> Belief:
        names = [field.name for field in self.spec.labels]
        found = dict(zip(names, labels, strict=True))
        return Belief(symbols[:, :, :-1], log_prob[:, :, :-1], found)

    def _same_logit(self, latents: Latents) -> Float[Array, "B T V1"]:
        return self.decoder.rows.same_logit(self.dynamics.summary(latents)[:, :, :-1])

    def _label_logits(self, latents: Latents) -> dict[str, Float[Array, "B T _"]]:
        shape = self.dynamics.summary(latents).shape[:2]
        last = jnp.full((*shape, 1), self.spec.slots - 1)
        return self.decoder.label_logits(self.dynamics.cells(latents, last)[:, :, 0])

    def _inputs(self, batch: Batch, seen: Bool[Array, "B T"] | None) -> Inputs:
        x, a = self.encoder(batch | {self.spec.rows.name: self._numbers(batch, seen)})
        return Inputs(x, delayed(a, self.spec.slots), batch[self.spec.reset.name], seen)

    def _numbers(self, batch: Batch, seen: Bool[Array, "B T"] | None) -> Int[Array, "B T V1"]:
        """Of the rows that the slots hold; working slots show theirs only where all is seen."""
        numbers = batch[self.spec.rows.name]
        if seen is None or not self.spec.working:
            return numbers
        return numbers.at[:, :, jnp.asarray(self.spec.working)].set(0)

    def _texts(self, batch: Batch) -> Int[Array, "B T M"]:
        """The tokens of the action that led to each step; none at a reset."""
        table = batch[self.spec.action.table or ""].astype(jnp.int32)
        tokens = take_rows(table, batch[self.spec.action.name])
        tokens = jnp.pad(tokens, ((0, 0), (1, 0), (0, 0)))[:, :-1]
        return zero_where(batch[self.spec.reset.name], tokens)

    def _memory_rows(self, batch: Batch, seen: Bool[Array, "B T"]) -> Int[Array, "B T V L"]:
        numbers = remembered(self._numbers(batch, seen), seen)
        return take_rows(batch[self.spec.rows.table or ""], numbers).astype(jnp.int32)

    def _guess_terms(
        self,
        batch: Batch,
        guess: Latents,
        memory: Int[Array, "B T V1"],
        mask: Bool[Array, "B T"],
        key: PRNGKeyArray,
    ) -> tuple[dict[str, Float[Array, ""]], dict[str, Float[Array, ""]]]:
        truth = batch[self.spec.rows.name]
        changed = truth != memory
        same_logit = self._same_logit(guess)
        same = optax.sigmoid_binary_cross_entropy(same_logit, ~changed).sum(-1)
        chance = jax.random.uniform(key, changed.shape)
        chosen = jax.lax.top_k(changed + 0.5 * chance, self.decoded)[1]
        table = batch[self.spec.rows.table or ""].astype(jnp.int32)
        target = take_rows(table, pick_slots(truth, chosen))
        old = take_rows(table, pick_slots(memory, chosen))
        texts = self._texts(batch)[:, :, None]
        tokens = jnp.broadcast_to(texts, (*chosen.shape, texts.shape[-1]))
        feat = self.dynamics.cells(guess, chosen)
        log_prob = self.decoder.rows.log_prob(feat, target, Sources(old, tokens))
        counts = pick_slots(changed, chosen) & mask[..., None]
        logits = self._label_logits(guess)
        label = sum(
            optax.softmax_cross_entropy_with_integer_labels(x, batch[name].astype(jnp.int32))
            for name, x in logits.items()
        )
        terms = {
            "same": masked_mean(same, mask),
            "value": masked_mean(-over_cells(log_prob, target), counts),
            "label": masked_mean(jnp.asarray(label), mask),
        }
        # A cell's target that has more than half is the likeliest symbol.
        likeliest = (log_prob > -HALF) | ~in_use(target)
        odds = jnp.where(in_use(target), log_prob, 0).sum(-1)
        right = likeliest.all(-1) & (pick_slots(same_logit, chosen) < odds)
        metrics = {
            "changed_right": masked_mean(right.astype(jnp.float32), counts),
            "same_right": masked_mean(
                ((same_logit > 0) == ~changed).astype(jnp.float32).mean(-1), mask
            ),
        }
        return terms, metrics

    def _hold_term(
        self,
        batch: Batch,
        after: Latents,
        mask: Bool[Array, "B T"],
        key: PRNGKeyArray,
    ) -> Float[Array, ""]:
        truth = batch[self.spec.rows.name]
        chance = jax.random.uniform(key, truth.shape)
        chosen = jax.lax.top_k((truth > 0) + 0.5 * chance, self.held)[1]
        numbers = pick_slots(truth, chosen)
        target = take_rows(batch[self.spec.rows.table or ""], numbers).astype(jnp.int32)
        log_prob = self.decoder.rows.log_prob(self.dynamics.cells(after, chosen), target, Sources())
        return masked_mean(-over_cells(log_prob, target), mask[..., None] & (numbers > 0))


def watch(reset: Bool[Array, "B T"], key: PRNGKeyArray) -> Bool[Array, "B T"]:
    """Which steps are seen: a trajectory's first always, the others at its rate."""
    keys = jax.random.split(key)
    rates = jnp.asarray(WATCH)[jax.random.randint(keys[0], reset.shape, 0, len(WATCH))]
    trajectory = jnp.cumsum(reset, 1) - 1  # 0, 1, ... along each window
    rate = jnp.take_along_axis(rates, trajectory, 1)
    return reset | (jax.random.uniform(keys[1], reset.shape) < rate)


def remembered(numbers: Int[Array, "B T V"], seen: Bool[Array, "B T"]) -> Int[Array, "B T V"]:
    """What each slot held when it was last seen before each step; row 0 before the first."""
    steps = jnp.arange(seen.shape[1])
    last = jax.lax.cummax(jnp.where(seen, steps, 0), axis=1)
    held = jnp.take_along_axis(numbers, last[..., None], 1)
    return jnp.pad(held, ((0, 0), (1, 0), (0, 0)))[:, :-1]


def delayed(a: Action, slots: int) -> Action:
    """From the action taken at each step to the one that led to it."""

    def shift(x: Array, fill: int = 0) -> Array:
        padding = ((0, 0), (1, 0)) + ((0, 0),) * (x.ndim - 2)
        return jnp.pad(x, padding, constant_values=fill)[:, :-1]

    return Action(shift(a.embedding), shift(a.refs, slots), shift(a.tokens))


def over_cells(x: Float[Array, "*n L"], target: Int[Array, "*n L"]) -> Float[Array, "*n"]:
    """Mean over the cells of a row that are in use."""
    used = in_use(target)
    return jnp.where(used, x, 0).sum(-1) / used.sum(-1)
