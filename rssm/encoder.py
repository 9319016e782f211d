"""Fields to embeddings: x for what is observed, a for what is executed.

A slot is embedded cell by cell, a statement as a whole; both once per distinct row of the batch's
tables, then gathered.
"""

import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from rssm.dynamics.base import Action
from rssm.nets import Dense, RMSNorm, TransformerBlock
from rssm.spec import Batch, Spec
from rssm.types import Array, Bool, Float, Int


class StatementEncoder(nnx.Module):
    """Tokens to a vector: a small Transformer, and what its tokens have in common."""

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
    """Walks over the observation fields: one slot per row of cells, and one with a label a cell."""

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
        self.x_dim, self.a_dim = cell_dim, width
        self.cells = nnx.Embed(rows.size, cell_dim, dtype=dtype, rngs=rngs)
        self.labels = nnx.List(
            [nnx.Embed(f.size, cell_dim, dtype=dtype, rngs=rngs) for f in spec.labels]
        )
        self.statements = StatementEncoder(
            tokens.shape[1], tokens.size, token_dim, token_layers, width, rngs=rngs, dtype=dtype
        )

    def __call__(self, batch: Batch) -> tuple[Float[Array, "B T V L D"], Action]:
        """x, and the action taken *at* each step."""
        spec = self.spec
        rows = self.cells(batch[spec.rows.table or ""].astype(jnp.int32))
        x = take_rows(rows, batch[spec.rows.name])
        pairs = zip(self.labels, spec.labels, strict=True)
        labels = jnp.stack([e(batch[f.name].astype(jnp.int32)) for e, f in pairs], 2)
        rest = jnp.zeros((*labels.shape[:2], spec.cells - len(spec.labels), self.x_dim), x.dtype)
        last = jnp.concatenate([labels, rest], 2)
        x = jnp.concatenate([x, last[:, :, None]], 2)
        statements = self.statements(batch[spec.action.table or ""].astype(jnp.int32))
        embedding = take_rows(statements, batch[spec.action.name])
        return x, Action(embedding, batch[spec.address.name].astype(jnp.int32))


def take_rows(table: Array, numbers: Int[Array, "B ..."]) -> Array:
    """Rows of each batch element's own table: [B, N, ...] and [B, ...] to [B, ..., ...]."""
    flat = numbers.reshape(numbers.shape[0], -1).astype(jnp.int32)
    flat = flat.reshape(*flat.shape, *[1] * (table.ndim - 2))
    taken = jnp.take_along_axis(table, flat, axis=1)
    return taken.reshape(*numbers.shape, *table.shape[2:])
