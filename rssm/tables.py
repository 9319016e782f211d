"""Rows that repeat: each distinct one once, in a table, and numbers that say where it stands."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from rssm.types import Array, Bool, Float, Int


class Rows(NamedTuple):
    """What every slot holds at every step: slot v at step t has row `numbers[:, t, v]`."""

    table: Float[Array, "B N L D"]
    numbers: Int[Array, "B T V"]

    def spread(self) -> Float[Array, "B T V L D"]:
        return take_rows(self.table, self.numbers)


def take_rows(table: Array, numbers: Int[Array, "B ..."]) -> Array:
    """Rows of each batch element's own table: [B, N, ...] and [B, ...] to [B, ..., ...]."""
    flat = numbers.reshape(numbers.shape[0], -1)
    taken = jax.vmap(look_up)(table.reshape(*table.shape[:2], -1), flat)
    return taken.reshape(*numbers.shape, *table.shape[2:])


def look_up(table: Array, numbers: Int[Array, "*n"]) -> Array:
    """Rows of one table: [N, D] and [...] to [..., D]."""
    numbers = numbers.astype(jnp.int32)
    return _look_up(table, numbers) if jnp.issubdtype(table.dtype, jnp.inexact) else table[numbers]


@jax.custom_vjp
def _look_up(table: Float[Array, "N D"], numbers: Int[Array, "*n"]) -> Float[Array, "*n D"]:
    return table[numbers]


def _looked_up(table: Array, numbers: Array) -> tuple[Array, tuple[Array, Array]]:
    return table[numbers], (table, numbers)


def _rows_gradient(kept: tuple[Array, Array], gradient: Array) -> tuple[Array, None]:
    """What is looked up often gets many gradients. A processor adds them one by one; where many do
    that at once they wait for one another, and a product with one-hot rows is faster."""
    table, numbers = kept
    rows, flat = gradient.reshape(-1, table.shape[-1]), numbers.reshape(-1)
    ways = {"cpu": added, "default": multiplied}
    return jax.lax.platform_dependent(table, rows, flat, **ways), None


def added(table: Array, rows: Float[Array, "M D"], numbers: Int[Array, " M"]) -> Array:
    """Sums of the rows that have a number, for each row of the table."""
    return jnp.zeros_like(table).at[numbers].add(rows)


def multiplied(table: Array, rows: Float[Array, "M D"], numbers: Int[Array, " M"]) -> Array:
    which = jax.nn.one_hot(numbers, len(table), dtype=rows.dtype)
    total = jnp.einsum("mn,md->nd", which, rows, preferred_element_type=jnp.float32)
    return total.astype(table.dtype)


_look_up.defvjp(_looked_up, _rows_gradient)


def pick_slots(x: Array, chosen: Int[Array, "B T J"]) -> Array:
    """[B, T, V, ...] and slot numbers to [B, T, J, ...]."""
    return jnp.take_along_axis(x, chosen.reshape(*chosen.shape, *[1] * (x.ndim - 3)), 2)


def in_use(rows: Int[Array, "*n L"]) -> Bool[Array, "*n L"]:
    """The cells of a row up to the first that is padding, which ends it."""
    ended = jnp.cumsum(rows == 0, -1) > 0
    return ~jnp.pad(ended[..., :-1], [(0, 0)] * (rows.ndim - 1) + [(1, 0)])
