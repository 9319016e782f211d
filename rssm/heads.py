"""Features to fields: what each slot holds, cell by cell, and the labels.

A value is most often what it was when it was last seen, or nearly so; the decoder can say so:

    same  ~ Bernoulli(s(summary))                           the slot holds what was seen last
    cell  ~ (1 - w) Categorical(g(feat)) + w [remembered cell]

with the weight w read from the cell's feature.
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from rssm.nets import Dense, RMSNorm, widen
from rssm.spec import Spec
from rssm.types import Array, Bool, Float, Int


class RowHead(nnx.Module):
    """A slot's feature to its row of cells: one map for all cells, all at once."""

    def __init__(
        self,
        feat_dim: int,
        summary_dim: int,
        cells: int,
        symbols: int,
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
        self.out = Dense(width, symbols + 1, rngs=rngs, dtype=dtype)

    def same_logit(self, summary: Float[Array, "*n E"]) -> Float[Array, "*n"]:
        return widen(self.same(summary)[..., 0])

    def log_prob(
        self,
        feat: Float[Array, "*n L F"],
        target: Int[Array, "*n L"],
        memory: Int[Array, "*n L"] | None,
    ) -> Float[Array, "*n L"]:
        """Of each target cell; `memory` is the row seen last, and None where there is none."""
        made, keep = self._mixture(feat, memory is not None)
        return log_prob_of(target, made, keep, memory)

    def mode(
        self, feat: Float[Array, "*n L F"], memory: Int[Array, "*n L"]
    ) -> tuple[Int[Array, "*n L"], Float[Array, "*n"]]:
        """The likeliest row, and its log-probability; a row ends with its first padding."""
        made, keep = self._mixture(feat, True)
        best = jnp.stack([made.argmax(-1), memory])  # no other symbol can be likelier
        log_probs = jnp.stack([log_prob_of(symbol, made, keep, memory) for symbol in best])
        rows = jnp.take_along_axis(best, log_probs.argmax(0)[None], 0)[0]
        used = in_use(rows)
        return jnp.where(used, rows, 0), jnp.where(used, log_probs.max(0), 0).sum(-1)

    def _mixture(
        self, feat: Float[Array, "*n L F"], remembers: bool
    ) -> tuple[Float[Array, "*n L K"], Float[Array, "*n L"]]:
        """Log-probabilities of making each symbol, and the logit of keeping the remembered one."""
        hidden = self.hidden(feat) + self.position[...].astype(feat.dtype)
        out = widen(self.out(jax.nn.silu(self.norm(hidden))))
        keep = out[..., -1] if remembers else jnp.full(out.shape[:-1], -jnp.inf)
        return jax.nn.log_softmax(out[..., :-1]), keep


def log_prob_of(
    target: Int[Array, "*n L"],
    made: Float[Array, "*n L K"],
    keep: Float[Array, "*n L"],
    memory: Int[Array, "*n L"] | None,
) -> Float[Array, "*n L"]:
    log_prob = jnp.take_along_axis(made, target[..., None], -1)[..., 0]
    if memory is None:
        return log_prob
    kept = jnp.where(memory == target, jax.nn.log_sigmoid(keep), -jnp.inf)
    return jnp.logaddexp(jax.nn.log_sigmoid(-keep) + log_prob, kept)


def in_use(rows: Int[Array, "*n L"]) -> Bool[Array, "*n L"]:
    """The cells of a row up to the first that is padding, which ends it."""
    ended = jnp.cumsum(rows == 0, -1) > 0
    return ~jnp.pad(ended[..., :-1], [(0, 0)] * (rows.ndim - 1) + [(1, 0)])


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
        symbols = spec[spec.rows.table].size
        self.rows = RowHead(
            feat_dim, summary_dim, spec.cells, symbols, width, rngs=rngs, dtype=dtype
        )
        self.names = [field.name for field in spec.labels]
        self.labels = nnx.List(
            [Dense(feat_dim, field.size, rngs=rngs, dtype=dtype) for field in spec.labels]
        )

    def label_logits(self, feat: Float[Array, "*n L F"]) -> dict[str, Float[Array, "*n C"]]:
        """From the slot that holds a label in each of its first cells."""
        pairs = enumerate(zip(self.names, self.labels, strict=True))
        return {name: widen(head(feat[..., cell, :])) for cell, (name, head) in pairs}
