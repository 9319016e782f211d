"""Which transitions a model learns from, and how much, where there is no time for all.

Left to chance, half of them are known already, and a twentieth, long values that are made anew and
that no small model gets right, has two thirds of the loss. So steps that change something are drawn
first. Two more ways can be asked for: a critic learns beside the model how much is to be learned of
a step, and those of which it expects much are drawn first (`judged`); and rows that cost more than
h nats, for which there is little hope, count for little more (`hopeless`):

    loss   = s                           of a row, up to h
             h (1 + log(s / h))          beyond it, where its gradient falls as h / s
    worth  = (s / 3) exp(1 - s / 3)      of a transition; at most 1, where s is 3
    chance ~ max(0.1, critic)            of being drawn, with critic -> worth

In minutes both help, most of all with numbers; after an hour and a half with them dictionaries and
exceptions, whose rows are long, are missing (results/attempts.md).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from rssm.interpreter import Operands, Room
from rssm.nets import MLP, Dense, Embed
from rssm.types import Array, Bool, Float, Int, PRNGKeyArray

BEST = 3.0  # nats of a transition of which most is to be learned
LEAST = 0.1  # of the chance of the best, that all others have
WORD, WIDTH = 32, 64  # of the critic
FACTS = 3  # that it is told of what a transition came to


class Facts(NamedTuple):
    """Of transitions: what they took, and what they came to."""

    read: Int[Array, " N"]  # symbols
    made: Int[Array, " N"]  # symbols of the longest new row
    changed: Bool[Array, " N"]
    lengths: Float[Array, "N I"]  # of the rows before, as shares of the longest

    def chance(self, changed: float, made: float) -> Float[Array, " N"]:
        """Where steps that move values, and those that make some, are so much likelier."""
        return jnp.where(self.changed, jnp.where(self.made > 0, made, changed), 1.0)

    def needs(self, rooms: Sequence[Room]) -> Int[Array, " N"]:
        """How many rooms are too small."""
        small = [(self.read > room.source) | (self.made >= room.results[0]) for room in rooms[:-1]]
        return sum(small, jnp.zeros_like(self.read))


def facts_of(operands: Operands, after: Int[Array, "N I L"], labels: int) -> Facts:
    """Where nothing is new that stands in another slot already."""
    before, touched = operands.cells[:, :-1], operands.touched[:, :-1]
    lengths = jnp.where(touched, (before > 0).sum(-1), 0)
    changed = ((before != after).any(-1) & touched).any(-1)
    moved = (before[:, None] == after[:, :, None]).all(-1).any(-1)
    made = jnp.where(moved, 0, (after > 0).sum(-1)).max(-1)
    read = (operands.tokens > 0).sum(-1) + lengths.sum(-1) + labels
    return Facts(read, made, changed, lengths / before.shape[-1])


class Critic(nnx.Module):
    """How much is to be learned of transitions; what it is told of them it does not change."""

    def __init__(
        self,
        *,
        words: int,
        touched: int,
        state_dim: int,
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        on = {"rngs": rngs, "dtype": dtype}
        facts = FACTS + touched * state_dim + touched - 1
        self.word = Embed(words, WORD, **on)
        self.layers = MLP(WORD + facts, WIDTH, 1, **on)
        self.out = Dense(WIDTH, 1, **on)

    def __call__(self, operands: Operands, facts: Facts) -> Float[Array, " N"]:
        tokens, state = operands.tokens, operands.state
        said = jnp.where(tokens[..., None] > 0, self.word(tokens), 0).sum(-2)
        told = jnp.stack([facts.made / 8, facts.made > 0, facts.changed], -1)
        state = jax.lax.stop_gradient(state.reshape(len(state), -1))
        x = jnp.concatenate([said, told, facts.lengths, state], -1)
        return jax.nn.softplus(self.out(self.layers(x))[..., 0]).astype(jnp.float32)


def worth(nats: Float[Array, "*n"]) -> Float[Array, "*n"]:
    return nats / BEST * jnp.exp(1 - nats / BEST)


def forgiven(nats: Float[Array, "*n"], hopeless: float) -> Float[Array, "*n"]:
    """The loss of rows that cost so many nats."""
    if math.isinf(hopeless):
        return nats
    beyond = hopeless * (1 + jnp.log(jnp.maximum(nats, hopeless) / hopeless))
    return jnp.where(nats > hopeless, beyond, nats)


def draw(chance: Float[Array, " N"], share: float, key: PRNGKeyArray) -> Int[Array, " n"]:
    """So many of all, each at most once."""
    scores = jnp.log(chance) + jax.random.gumbel(key, chance.shape)
    return jax.lax.top_k(scores, max(1, round(share * len(chance))))[1]
