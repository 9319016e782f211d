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


def weighted_mean(x: Float[Array, "*n"], weight: Float[Array, "*n"]) -> Float[Array, ""]:
    """Zero where nothing has a weight."""
    return jnp.sum(x * weight) / jnp.maximum(jnp.finfo(x.dtype).tiny, weight.sum())


def sigreg(
    e: Float[Array, "*n E"], directions: Float[Array, "E M"], mask: Bool[Array, "*n"]
) -> Float[Array, "*n"]:
    """How far the embeddings that count are from an isotropic Gaussian: SIGReg (arXiv:2511.08544).

    Along each direction, with s = e . direction, the statistic of Epps and Pulley

        int |mean_n exp(i t s_n) - exp(-t^2 / 2)|^2 exp(-t^2 / 2) dt

    by the trapezoid rule on [-3, 3]; the integrand is even. It is a mean over the embeddings of
    what each contributes, and these contributions are what comes out.
    """
    t, step = jnp.linspace(0, 3, KNOTS, retstep=True)
    weight = jnp.full(KNOTS, 2 * step).at[jnp.array([0, -1])].set(step)
    normal = jnp.exp(-(t**2) / 2)
    angle = t * (e @ (directions / jnp.linalg.norm(directions, axis=0)))[..., None]
    cos, sin = jnp.cos(angle) - normal, jnp.sin(angle)
    count = jnp.maximum(1, mask.sum())
    axes = tuple(range(mask.ndim))
    counts = mask[..., None, None]
    mean_cos, mean_sin = (jnp.where(counts, x, 0).sum(axes) / count for x in (cos, sin))
    return ((cos * mean_cos + sin * mean_sin) * weight * normal).sum(-1).mean(-1)


def spread(
    e: Float[Array, "*n E"], mask: Bool[Array, "*n"]
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Standard deviation of an embedding's coordinates, and how many directions it uses: the
    participation ratio (tr C)^2 / tr(C^2) of its covariance. Both fall when it collapses."""
    weight = mask[..., None] / jnp.maximum(1, mask.sum())
    axes = tuple(range(mask.ndim))
    centred = jnp.where(mask[..., None], e - (e * weight).sum(axes), 0)
    covariance = jnp.einsum("...e,...f->ef", centred * weight, centred)
    variance = jnp.diagonal(covariance)
    rank = variance.sum() ** 2 / jnp.maximum((covariance**2).sum(), 1e-20)
    return jnp.sqrt(variance).mean(), rank


KNOTS = 17  # of the integral
