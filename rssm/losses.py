"""Loss terms that models share; cross entropy is optax's."""

import jax
import jax.numpy as jnp

from rssm.dists import kl
from rssm.types import Array, Bool, Float

sg = jax.lax.stop_gradient


def kl_balance(
    prior: Float[Array, "*n S C"],
    post: Float[Array, "*n S C"],
    free_nats_dyn: float,
    free_nats_rep: float,
) -> tuple[Float[Array, "*n"], Float[Array, "*n"]]:
    """The KL in two halves, one to train the prior and one to train the posterior.

    dyn = max(free_dyn, KL(sg(post) || prior)),  rep = max(free_rep, KL(post || sg(prior)))

    The free nats bound the sum over all groups (DreamerV3, arXiv:2301.04104): below them a step
    has no gradient at all.
    """
    dyn = jnp.maximum(free_nats_dyn, kl(sg(post), prior))
    rep = jnp.maximum(free_nats_rep, kl(post, sg(prior)))
    return dyn, rep


def masked_mean(x: Float[Array, "*n"], mask: Bool[Array, "*n"]) -> Float[Array, ""]:
    """Mean where `mask` holds, and zero where it holds nowhere."""
    # Not x * mask: a NaN at a step that does not count must not count.
    return jnp.sum(jnp.where(mask, x, 0)) / jnp.maximum(1, mask.sum())
