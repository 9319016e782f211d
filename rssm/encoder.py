"""Fields to embeddings: x for what is observed, a for what is executed.

The symbol of a cell has a fixed code, so that x is exact from the first step of training on. Each
distinct statement of the batch's tables is embedded once.
"""

import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from rssm.dynamics.base import Action, Sizes
from rssm.nets import Dense, Embed, RMSNorm, TransformerBlock, two_hot
from rssm.spec import Batch, Spec
from rssm.tables import Rows, take_rows
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
        self.embed = Embed(symbols, token_dim, dtype=dtype, rngs=rngs)
        self.position = nnx.Param(0.02 * nnx.initializers.normal(1.0)(rngs(), (tokens, token_dim)))
        blocks = [TransformerBlock(token_dim, 4, rngs=rngs, dtype=dtype) for _ in range(layers)]
        self.blocks = nnx.List(blocks)
        self.norm = RMSNorm(token_dim)
        self.out = Dense(2 * token_dim, width, rngs=rngs, dtype=dtype)
        self.out_norm = RMSNorm(width)

    def __call__(self, tokens: Int[Array, "*n M"]) -> Float[Array, "*n A"]:
        used = tokens > 0
        x = self.embed(tokens) + self.position[...].astype(self.embed.dtype)
        for block in self.blocks:
            x = block(x, used)
        x = self.norm(x)
        return self.out_norm(self.out(pool(x, used)))


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
        self.spec, self.dtype = spec, dtype
        self.sizes = Sizes(
            slots=spec.slots,
            cells=spec.cells,
            x_dim=cell_dim,
            a_dim=width,
            refs=spec.references,
            tokens=tokens.shape[1],
            symbols=rows.size,
            words=tokens.size,
            labels=tuple(field.size for field in spec.labels),
            working=spec.working,
            telling=spec.telling,
        )
        if cell_dim % 2 or (cell_dim // 2) ** 2 < rows.size:
            raise ValueError(f"no {rows.size} codes of two ones have a width of {cell_dim}")
        self.statements = StatementEncoder(
            tokens.shape[1], tokens.size, token_dim, token_layers, width, rngs=rngs, dtype=dtype
        )

    def __call__(self, batch: Batch) -> tuple[Rows, Action]:
        """x, and the action taken *at* each step."""
        return self._rows(batch), self._action(batch)

    def _rows(self, batch: Batch) -> Rows:
        """The labels of a step are one more row of the table."""
        spec = self.spec
        rows = self._cells(batch[spec.rows.table or ""])
        labels = self._cells(jnp.stack([batch[field.name] for field in spec.labels], 2))
        labels = jnp.pad(labels, ((0, 0), (0, 0), (0, spec.cells - len(spec.labels)), (0, 0)))
        numbers = batch[spec.rows.name].astype(jnp.int32)
        own = rows.shape[1] + jnp.arange(numbers.shape[1], dtype=jnp.int32)[None, :, None]
        own = jnp.broadcast_to(own, (*numbers.shape[:2], 1))
        return Rows(jnp.concatenate([rows, labels], 1), jnp.concatenate([numbers, own], 2))

    def _action(self, batch: Batch) -> Action:
        spec = self.spec
        table = batch[spec.action.table or ""].astype(jnp.int32)
        number = batch[spec.action.name]
        refs = batch[spec.address.name].astype(jnp.int32)
        refs = jnp.where(refs < spec.slots - 1, refs, spec.slots)  # the labels have no name
        return Action(take_rows(self.statements(table), number), refs, take_rows(table, number))

    def _cells(self, symbols: Int[Array, "*n"]) -> Float[Array, "*n D"]:
        return two_hot(symbols.astype(jnp.int32), self.sizes.x_dim).astype(self.dtype)
