"""Rows that repeat: each distinct one once, in a table, and numbers that say where it stands."""

from typing import NamedTuple

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
    flat = numbers.reshape(numbers.shape[0], -1).astype(jnp.int32)
    flat = flat.reshape(*flat.shape, *[1] * (table.ndim - 2))
    taken = jnp.take_along_axis(table, flat, axis=1)
    return taken.reshape(*numbers.shape, *table.shape[2:])


def pick_slots(x: Array, chosen: Int[Array, "B T J"]) -> Array:
    """[B, T, V, ...] and slot numbers to [B, T, J, ...]."""
    return jnp.take_along_axis(x, chosen.reshape(*chosen.shape, *[1] * (x.ndim - 3)), 2)


def in_use(rows: Int[Array, "*n L"]) -> Bool[Array, "*n L"]:
    """The cells of a row up to the first that is padding, which ends it."""
    ended = jnp.cumsum(rows == 0, -1) > 0
    return ~jnp.pad(ended[..., :-1], [(0, 0)] * (rows.ndim - 1) + [(1, 0)])
