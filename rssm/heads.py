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

from rssm.nets import MLP, Dense, RMSNorm, widen
from rssm.spec import Spec
from rssm.types import Array, Bool, Float, Int


class RowHead(nnx.Module):
    """A feature to a row of cells: each cell a categorical, all at once."""

    def __init__(
        self,
        feat_dim: int,
        cells: int,
        symbols: int,
        width: int,
        cell_dim: int,
        *,
        rngs: nnx.Rngs,
        dtype: DTypeLike,
    ):
        self.same = Dense(feat_dim, 1, rngs=rngs, dtype=dtype)
        self.mlp = MLP(feat_dim, width, 1, rngs=rngs, dtype=dtype)
        self.cells = Dense(width, cells * cell_dim, rngs=rngs, dtype=dtype)
        self.position = nnx.Param(0.02 * nnx.initializers.normal(1.0)(rngs(), (cells, cell_dim)))
        self.norm = RMSNorm(cell_dim)
        self.out = Dense(cell_dim, symbols + 1, rngs=rngs, dtype=dtype)
        self.count = cells

    def same_logit(self, feat: Float[Array, "*n F"]) -> Float[Array, "*n"]:
        return widen(self.same(feat)[..., 0])

    def logits(
        self, feat: Float[Array, "*n F"]
    ) -> tuple[Float[Array, "*n L K"], Float[Array, "*n L"]]:
        """Logits of what a cell holds, and of copying it from memory."""
        cells = einops.rearrange(self.cells(self.mlp(feat)), "... (l e) -> ... l e", l=self.count)
        cells = jax.nn.silu(self.norm(cells + self.position[...].astype(cells.dtype)))
        out = widen(self.out(cells))
        return out[..., :-1], out[..., -1]

    def log_prob(
        self,
        feat: Float[Array, "*n F"],
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
        self, feat: Float[Array, "*n F"], memory: Int[Array, "*n L"]
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
        cell_dim: int,
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        rows = spec[spec.rows.table]
        self.rows = RowHead(
            feat_dim, rows.shape[1], rows.size, width, cell_dim, rngs=rngs, dtype=dtype
        )
        self.names = [field.name for field in spec.labels]
        self.labels = nnx.List(
            [Dense(feat_dim, field.size, rngs=rngs, dtype=dtype) for field in spec.labels]
        )

    def label_logits(self, feat: Float[Array, "*n V F"]) -> dict[str, Float[Array, "*n C"]]:
        last = feat[..., -1, :]
        return {
            name: widen(label(last)) for name, label in zip(self.names, self.labels, strict=True)
        }
