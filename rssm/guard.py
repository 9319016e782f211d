"""Steps that would do harm are told from the others: gradients that are not finite, loss spikes.

    spike:  l > m + spike max(d, |m| / 20)
    m <- m + r (l - m)              running mean of the loss l, over the steps that were taken
    d <- d + r (|l - m| - d)        its mean deviation, which one outlier moves little
    r  = 1 / min(n, window)         at the n-th of them: at first the plain mean

A spike is looked for after `window` steps. What is skipped moves neither m nor d: a loss that goes
up and stays there is skipped every time, until someone looks at it.
"""

from typing import NamedTuple

import jax.numpy as jnp

from rssm.types import Array, Bool, Float, Int

LEAST = 0.05  # deviation, as a share of the mean: nearly constant losses have next to none


class Guard(NamedTuple):
    mean: Float[Array, ""]
    deviation: Float[Array, ""]
    taken: Int[Array, ""]  # steps
    skipped: Int[Array, ""]  # steps
    row: Int[Array, ""]  # of skipped steps, up to now

    @classmethod
    def initial(cls) -> "Guard":
        dtypes = (jnp.float32, jnp.float32, jnp.int32, jnp.int32, jnp.int32)
        return cls(*(jnp.zeros((), dtype) for dtype in dtypes))


def judge(
    guard: Guard,
    loss: Float[Array, ""],
    norm: Float[Array, ""],
    spike: float | None,
    window: int,
) -> tuple[Bool[Array, ""], Guard]:
    """Whether to take a step of this loss and gradient norm; `spike` None looks for none."""
    loss = loss.astype(jnp.float32)
    good = jnp.isfinite(loss) & jnp.isfinite(norm)
    if spike is not None:
        usual = jnp.maximum(guard.deviation, LEAST * jnp.abs(guard.mean))
        good &= (guard.taken < window) | (loss <= guard.mean + spike * usual)
    rate = jnp.float32(1) / jnp.minimum(guard.taken + 1, window)
    off = loss - guard.mean
    taken = Guard(
        guard.mean + rate * off,
        guard.deviation + rate * (jnp.abs(off) - guard.deviation),
        guard.taken + 1,
        guard.skipped,
        jnp.zeros_like(guard.row),
    )
    passed = guard._replace(skipped=guard.skipped + 1, row=guard.row + 1)
    return good, Guard(*(jnp.where(good, new, old) for new, old in zip(taken, passed, strict=True)))
