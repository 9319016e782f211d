"""Iterators that are behind in training, as a model's own may be.

What is left of an iterator no observation shows. Where a loop goes on, what it took last is read
beside it, and is seen: a model that has only met iterators that are right has no reason to look.
"""

import jax
import jax.numpy as jnp

from rssm.types import Array, Bool, Int, PRNGKeyArray

FARTHEST = 12  # steps: a few rounds of a short loop


def lagging(
    numbers: Int[Array, "B T V"],
    reset: Bool[Array, "B T"],
    iterators: range,
    share: float,
    key: PRNGKeyArray,
) -> Int[Array, "B T V"]:
    """The numbers of the rows that slots hold before each step, where row 0 is empty.

    numbers: those that they hold after it.
    share: of the steps at which something is taken out of an iterator, those before which it is
        what it was 1 to `FARTHEST` steps earlier: nothing, if its loop had not begun.
    """
    late, lag = jax.random.split(key)
    steps = jnp.arange(reset.shape[1])
    begun = jax.lax.cummax(jnp.where(reset, steps, 0), axis=1)
    before = jnp.pad(numbers, ((0, 0), (1, 0), (0, 0)))[:, :-1]
    at = steps - 1 - jax.random.randint(lag, reset.shape, 1, FARTHEST + 1)
    earlier = jnp.take_along_axis(numbers, jnp.maximum(at, 0)[..., None], 1)
    earlier = jnp.where((at >= begun)[..., None], earlier, 0)
    # Nothing else goes from one row to another: what opens one finds it empty, what ends it leaves
    # it so.
    taken = (before > 0) & (numbers > 0) & (before != numbers) & ~reset[..., None]
    taken &= jnp.isin(jnp.arange(numbers.shape[2]), jnp.asarray(iterators, jnp.int32))
    return jnp.where(taken & (jax.random.uniform(late, taken.shape) < share), earlier, before)
