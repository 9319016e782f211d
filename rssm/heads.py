"""Features to fields: what each slot holds, cell by cell, and the labels.

A value is most often what it was when it was last seen, or nearly so, and the decoder can say so:

    same  ~ Bernoulli(s(feat))                         the slot holds what was seen last
    cell  ~ c(feat) [remembered cell] + (1 - c(feat)) Categorical(g(feat))
"""

import einops
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
        cells: int,
        symbols: int,
        width: int,
        *,
        rngs: nnx.Rngs,
        dtype: DTypeLike,
    ):
        self.same = Dense(cells * feat_dim, 1, rngs=rngs, dtype=dtype)
        self.hidden = Dense(feat_dim, width, rngs=rngs, dtype=dtype)
        self.position = nnx.Param(0.02 * nnx.initializers.normal(1.0)(rngs(), (cells, width)))
        self.norm = RMSNorm(width)
        self.out = Dense(width, symbols + 1, rngs=rngs, dtype=dtype)

    def same_logit(self, feat: Float[Array, "*n L F"]) -> Float[Array, "*n"]:
        return widen(self.same(einops.rearrange(feat, "... l f -> ... (l f)"))[..., 0])

    def logits(
        self, feat: Float[Array, "*n L F"]
    ) -> tuple[Float[Array, "*n L K"], Float[Array, "*n L"]]:
        """Logits of what a cell holds, and of copying it from memory."""
        hidden = self.hidden(feat) + self.position[...].astype(feat.dtype)
        out = widen(self.out(jax.nn.silu(self.norm(hidden))))
        return out[..., :-1], out[..., -1]

    def log_prob(
        self,
        feat: Float[Array, "*n L F"],
        target: Int[Array, "*n L"],
        memory: Int[Array, "*n L"] | None,
    ) -> Float[Array, "*n L"]:
        """Of each target cell; without a memory nothing can be copied."""
        logits, copy = self.logits(feat)
        made = jnp.take_along_axis(jax.nn.log_softmax(logits), target[..., None], -1)[..., 0]
        if memory is None:
            return made
        copied = jnp.where(memory == target, jax.nn.log_sigmoid(copy), -jnp.inf)
        return jnp.logaddexp(jax.nn.log_sigmoid(-copy) + made, copied)

    def mode(
        self, feat: Float[Array, "*n L F"], memory: Int[Array, "*n L"]
    ) -> tuple[Int[Array, "*n L"], Float[Array, "*n"]]:
        """The likeliest row, and its log-probability; a row ends with its first padding."""
        logits, copy = self.logits(feat)
        made = jax.nn.log_softmax(logits) + jax.nn.log_sigmoid(-copy)[..., None]
        kept = jnp.take_along_axis(made, memory[..., None], -1)[..., 0]
        kept = jnp.logaddexp(kept, jax.nn.log_sigmoid(copy))
        best = made.max(-1)
        rows = jnp.where(kept > best, memory, made.argmax(-1))
        used = in_use(rows)
        return jnp.where(used, rows, 0), jnp.where(used, jnp.maximum(kept, best), 0).sum(-1)


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
        *,
        width: int,
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        symbols = spec[spec.rows.table].size
        self.rows = RowHead(feat_dim, spec.cells, symbols, width, rngs=rngs, dtype=dtype)
        self.names = [field.name for field in spec.labels]
        self.labels = nnx.List(
            [Dense(feat_dim, field.size, rngs=rngs, dtype=dtype) for field in spec.labels]
        )

    def label_logits(self, feat: Float[Array, "*n V L F"]) -> dict[str, Float[Array, "*n C"]]:
        """The last slot holds a label in each of its first cells."""
        pairs = enumerate(zip(self.names, self.labels, strict=True))
        return {name: widen(head(feat[..., -1, cell, :])) for cell, (name, head) in pairs}
