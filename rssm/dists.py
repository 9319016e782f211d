"""Categorical latents: S independent groups of C classes, one-hot.

p      = (1 - mix) softmax(l) + mix / C              no class is ever ruled out
z      = onehot(argmax(log p + g)),  g ~ Gumbel      z ~ p; without g the mode
dz/dp  = 1                                           straight-through
KL     = sum_S sum_C p (log p - log q)
"""

import einops
import jax
import jax.numpy as jnp

from rssm.types import Array, Float, PRNGKeyArray


def unimix(logits: Float[Array, "*n C"], mix: float) -> Float[Array, "*n C"]:
    """Log-probabilities of the softmax mixed with the uniform distribution."""
    if mix == 0:  # the logarithm below would meet zeros
        return jax.nn.log_softmax(logits)
    return jnp.log((1 - mix) * jax.nn.softmax(logits) + mix / logits.shape[-1])


def grouped(logits: Float[Array, "*n I"], classes: int, mix: float) -> Float[Array, "*n S C"]:
    """The logits of all groups in one vector to the log-probabilities of each."""
    wide = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
    return unimix(einops.rearrange(wide, "... (s c) -> ... s c", c=classes), mix)


def gumbel(key: PRNGKeyArray | None, *shape: int) -> Array | None:
    """Noise for `sample`; no key, no noise."""
    return None if key is None else jax.random.gumbel(key, shape)


def sample(
    log_probs: Float[Array, "*n C"], noise: Float[Array, "*n C"] | None
) -> Float[Array, "*n C"]:
    """A one-hot sample with the gradient of the probabilities; the mode where `noise` is None."""
    scores = log_probs if noise is None else log_probs + noise
    return straight_through(scores, jnp.exp(log_probs))


def straight_through(
    scores: Float[Array, "*n C"], probs: Float[Array, "*n C"]
) -> Float[Array, "*n C"]:
    """One-hot where the scores are highest, with the gradient of the probabilities."""
    onehot = jax.nn.one_hot(scores.argmax(-1), scores.shape[-1], dtype=probs.dtype)
    return onehot + (probs - jax.lax.stop_gradient(probs))  # the bracket is exactly zero


def with_gradient(z: Float[Array, "*n C"], log_probs: Float[Array, "*n C"]) -> Array:
    """A sample that was drawn elsewhere, with the gradient of the probabilities."""
    probs = jnp.exp(log_probs)
    return jax.lax.stop_gradient(z) + (probs - jax.lax.stop_gradient(probs)).astype(z.dtype)


def kl(p: Float[Array, "*n S C"], q: Float[Array, "*n S C"]) -> Float[Array, "*n"]:
    """KL(p || q) in nats, from logits, summed over the groups."""
    log_p, log_q = jax.nn.log_softmax(p), jax.nn.log_softmax(q)
    return jnp.sum(jnp.exp(log_p) * (log_p - log_q), (-2, -1))
