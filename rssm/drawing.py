"""Which transitions a model learns from, where there is no time for all.

Left to chance, two in five are known already. So a critic learns beside the model how much of a
transition is not, and draws by that:

    worth  = 1 - exp(-s)                 of a transition that costs s nats
    chance ~ max(0.1, critic)            of being drawn, with critic -> worth

What is long is worth no more than what is not known, though it has most of the loss. Beside that,
or in its place, steps that change something can be drawn so many times as often as others.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from rssm.interpreter import Operands, Room
from rssm.nets import MLP, Dense, Embed
from rssm.types import Array, Bool, Float, Int, PRNGKeyArray

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
    return 1 - jnp.exp(-nats)


def draw(chance: Float[Array, " N"], share: float, key: PRNGKeyArray) -> Int[Array, " n"]:
    """So many of all, each at most once."""
    scores = jnp.log(chance) + jax.random.gumbel(key, chance.shape)
    return jax.lax.top_k(scores, max(1, round(share * len(chance))))[1]
