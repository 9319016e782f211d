"""Features to fields: what each slot holds, cell by cell, and the labels.

A value is most often what it was when it was last seen, or nearly so, or it stands in the statement
that made it; the decoder can say so:

    same  ~ Bernoulli(s(summary))                           the slot holds what was seen last
    cell  ~ w_0 Categorical(g(feat)) + w_1 [remembered cell] + w_2 sum_i p_i [token i]

with the weights w and the pointer p over the statement's tokens read from the cell's feature: a
pointer-generator (arXiv:1704.04368).
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from rssm.nets import Dense, Embed, RMSNorm, widen
from rssm.spec import Spec
from rssm.tables import in_use
from rssm.types import Array, Bool, Float, Int


class Sources(NamedTuple):
    """What a cell may be copied from; None where there is nothing."""

    memory: Int[Array, "*n L"] | None = None  # the row that was seen last
    tokens: Int[Array, "*n M"] | None = None  # of the statement that was executed


class Mixture(NamedTuple):
    """What is known of each cell before it is asked for a symbol."""

    made: Float[Array, "*n L K"]  # log-probabilities
    weights: Float[Array, "*n L 3"]  # of making, of the memory, of the statement; logarithms
    pointer: Float[Array, "*n L M"] | None  # over the statement's tokens


class RowHead(nnx.Module):
    """A slot's feature to its row of cells: one map for all cells, all at once."""

    def __init__(
        self,
        feat_dim: int,
        summary_dim: int,
        cells: int,
        symbols: int,
        tokens: int,
        token_symbols: int,
        width: int,
        *,
        rngs: nnx.Rngs,
        dtype: DTypeLike,
    ):
        small = nnx.initializers.normal(0.02)
        self.same = Dense(summary_dim, 1, rngs=rngs, dtype=dtype)
        self.hidden = Dense(feat_dim, width, rngs=rngs, dtype=dtype)
        self.position = nnx.Param(small(rngs(), (cells, width)))
        self.norm = RMSNorm(width)
        self.out = Dense(width, symbols + 3, rngs=rngs, dtype=dtype)
        self.query = Dense(width, width, rngs=rngs, dtype=dtype)
        self.key = Embed(token_symbols, width, dtype=dtype, rngs=rngs)
        self.key_position = nnx.Param(nnx.initializers.normal(1.0)(rngs(), (tokens, width)))
        self.symbols = symbols

    def same_logit(self, summary: Float[Array, "*n E"]) -> Float[Array, "*n"]:
        return widen(self.same(summary)[..., 0])

    def log_prob(
        self, feat: Float[Array, "*n L F"], target: Int[Array, "*n L"], sources: Sources
    ) -> Float[Array, "*n L"]:
        """Of each target cell."""
        mixture = self._mixture(feat, sources)
        made = jnp.take_along_axis(mixture.made, target[..., None], -1)[..., 0]
        total = mixture.weights[..., 0] + made
        if sources.memory is not None:
            kept = jnp.where(sources.memory == target, mixture.weights[..., 1], -jnp.inf)
            total = jnp.logaddexp(total, kept)
        if sources.tokens is not None and mixture.pointer is not None:
            same = sources.tokens[..., None, :] == target[..., None]
            share = jnp.where(same, mixture.pointer, 0).sum(-1)
            total = jnp.logaddexp(total, mixture.weights[..., 2] + jnp.log(share + TINY))
        return total

    def mode(
        self, feat: Float[Array, "*n L F"], sources: Sources
    ) -> tuple[Int[Array, "*n L"], Float[Array, "*n"]]:
        """The likeliest row, and its log-probability; a row ends with its first padding."""
        mixture = self._mixture(feat, sources)
        weights = jnp.exp(mixture.weights)[..., None]
        probs = weights[..., 0, :] * jnp.exp(mixture.made)
        if sources.memory is not None:
            probs += weights[..., 1, :] * jax.nn.one_hot(sources.memory, self.symbols)
        if sources.tokens is not None and mixture.pointer is not None:
            spelled = jax.nn.one_hot(sources.tokens, self.symbols)
            probs += weights[..., 2, :] * (mixture.pointer @ spelled)
        rows = probs.argmax(-1)
        used = in_use(rows)
        log_prob = jnp.log(probs.max(-1) + TINY)
        return jnp.where(used, rows, 0), jnp.where(used, log_prob, 0).sum(-1)

    def _mixture(self, feat: Float[Array, "*n L F"], sources: Sources) -> Mixture:
        hidden = self.hidden(feat) + self.position[...].astype(feat.dtype)
        hidden = jax.nn.silu(self.norm(hidden))
        out = widen(self.out(hidden))
        weights = [out[..., self.symbols + source] for source in range(3)]
        if sources.memory is None:
            weights[1] = jnp.full_like(weights[1], -1e30)
        there = (
            False if sources.tokens is None else self._spelled(sources.tokens).any(-1)[..., None]
        )
        weights[2] = jnp.where(there, weights[2], -1e30)
        weights = jax.nn.log_softmax(jnp.stack(weights, -1))
        pointer = None if sources.tokens is None else self._point(hidden, sources.tokens)
        return Mixture(jax.nn.log_softmax(out[..., : self.symbols]), weights, pointer)

    def _point(
        self, hidden: Float[Array, "*n L W"], tokens: Int[Array, "*n M"]
    ) -> Float[Array, "*n L M"]:
        keys = self.key(tokens) + self.key_position[...].astype(hidden.dtype)
        scores = widen(jnp.einsum("...lw,...mw->...lm", self.query(hidden), keys))
        spelled = self._spelled(tokens)[..., None, :]
        return jax.nn.softmax(jnp.where(spelled, scores / math.sqrt(keys.shape[-1]), -1e30))

    def _spelled(self, tokens: Int[Array, "*n M"]) -> Bool[Array, "*n M"]:
        """Which tokens are symbols that values have too."""
        return (tokens > 0) & (tokens < self.symbols)


TINY = 1e-12  # the logarithm must not meet zeros


class Heads(nnx.Module):
    """A head for the rows, shared by all slots, and one for each label."""

    def __init__(
        self,
        spec: Spec,
        feat_dim: int,
        summary_dim: int,
        *,
        width: int,
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        symbols, statements = spec[spec.rows.table].size, spec[spec.action.table]
        sizes = (spec.cells, symbols, statements.shape[1], statements.size)
        self.rows = RowHead(feat_dim, summary_dim, *sizes, width, rngs=rngs, dtype=dtype)
        self.names = [field.name for field in spec.labels]
        self.labels = nnx.List(
            [Dense(feat_dim, field.size, rngs=rngs, dtype=dtype) for field in spec.labels]
        )

    def label_logits(self, feat: Float[Array, "*n L F"]) -> dict[str, Float[Array, "*n C"]]:
        """From the slot that holds a label in each of its first cells."""
        pairs = enumerate(zip(self.names, self.labels, strict=True))
        return {name: widen(head(feat[..., cell, :])) for cell, (name, head) in pairs}
