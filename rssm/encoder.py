"""Fields to embeddings: x for what is observed, a for what is executed.

Values and statements are encoded once per distinct row of the batch's tables, then gathered.
"""

import einops
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from rssm.dynamics.base import Action
from rssm.nets import MLP, Dense, RMSNorm, TransformerBlock
from rssm.spec import Batch, Spec
from rssm.types import Array, Bool, Float, Int


class RowEncoder(nnx.Module):
    """A row of cells to a vector: positions matter, so the cells are laid side by side."""

    def __init__(
        self,
        cells: int,
        symbols: int,
        cell_dim: int,
        width: int,
        *,
        rngs: nnx.Rngs,
        dtype: DTypeLike,
    ):
        self.embed = nnx.Embed(symbols, cell_dim, dtype=dtype, rngs=rngs)
        self.mlp = MLP(cells * cell_dim, width, 2, rngs=rngs, dtype=dtype)

    def __call__(self, rows: Int[Array, "*n L"]) -> Float[Array, "*n D"]:
        return self.mlp(einops.rearrange(self.embed(rows), "... l e -> ... (l e)"))


class StatementEncoder(nnx.Module):
    """Tokens to a vector: a small Transformer, read at a token put in front."""

    def __init__(
        self,
        tokens: int,
        symbols: int,
        token_dim: int,
        layers: int,
        width: int,
        *,
        rngs: nnx.Rngs,
        dtype: DTypeLike,
    ):
        self.embed = nnx.Embed(symbols, token_dim, dtype=dtype, rngs=rngs)
        self.position = nnx.Param(0.02 * nnx.initializers.normal(1.0)(rngs(), (tokens, token_dim)))
        blocks = [TransformerBlock(token_dim, 4, rngs=rngs, dtype=dtype) for _ in range(layers)]
        self.blocks = nnx.List(blocks)
        self.norm = RMSNorm(token_dim)
        self.out = Dense(2 * token_dim, width, rngs=rngs, dtype=dtype)
        self.out_norm = RMSNorm(width)

    def __call__(self, tokens: Int[Array, "*n L"]) -> Float[Array, "*n A"]:
        used = tokens > 0
        x = self.embed(tokens) + self.position[...].astype(self.embed.dtype)
        for block in self.blocks:
            x = block(x, used)
        return self.out_norm(self.out(pool(self.norm(x), used)))


def pool(x: Float[Array, "*n L D"], used: Bool[Array, "*n L"]) -> Float[Array, "*n E"]:
    """Mean and maximum over the elements in use."""
    weight = used[..., None].astype(x.dtype)
    mean = (x * weight).sum(-2) / jnp.maximum(weight.sum(-2), 1)
    return jnp.concatenate([mean, jnp.where(weight > 0, x, 0).max(-2)], -1)


class Encoder(nnx.Module):
    """Walks over the observation fields: one slot per row of cells, one for the labels."""

    def __init__(
        self,
        spec: Spec,
        *,
        width: int,
        cell_dim: int,
        token_dim: int,
        token_layers: int,
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        rows, tokens = spec[spec.rows.table], spec[spec.action.table]
        self.spec = spec
        self.x_dim = self.a_dim = width
        self.rows = RowEncoder(rows.shape[1], rows.size, cell_dim, width, rngs=rngs, dtype=dtype)
        self.labels = nnx.List(
            [nnx.Embed(f.size, width, dtype=dtype, rngs=rngs) for f in spec.labels]
        )
        self.statements = StatementEncoder(
            tokens.shape[1], tokens.size, token_dim, token_layers, width, rngs=rngs, dtype=dtype
        )

    def __call__(self, batch: Batch) -> tuple[Float[Array, "B T V D"], Action]:
        """x, and the action taken *at* each step."""
        spec = self.spec
        rows = self.rows(batch[spec.rows.table or ""])
        x = take_rows(rows, batch[spec.rows.name])
        pairs = zip(self.labels, spec.labels, strict=True)
        label = sum(embed(batch[field.name]) for embed, field in pairs)
        x = jnp.concatenate([x, jnp.asarray(label)[:, :, None]], 2)
        statements = self.statements(batch[spec.action.table or ""])
        embedding = take_rows(statements, batch[spec.action.name])
        return x, Action(embedding, batch[spec.address.name].astype(jnp.int32))


def take_rows(table: Array, numbers: Int[Array, "B ..."]) -> Array:
    """Rows of each batch element's own table: [B, N, ...] and [B, ...] to [B, ..., ...]."""
    flat = numbers.reshape(numbers.shape[0], -1).astype(jnp.int32)
    flat = flat.reshape(*flat.shape, *[1] * (table.ndim - 2))
    taken = jnp.take_along_axis(table, flat, axis=1)
    return taken.reshape(*numbers.shape, *table.shape[2:])
