"""LaProp with adaptive gradient clipping, the optimizer of DreamerV3 (arXiv:2301.04104).

    g <- g min(1, agc max(pmin, |w|) / |g|)       per tensor w           AGC, arXiv:2102.06171
    v <- beta2 v + (1 - beta2) g^2
    m <- beta1 m + (1 - beta1) g / (sqrt(v^) + eps)                      LaProp, arXiv:2002.04839
    w <- w - lr m^                                ^: divided by 1 - beta^t

Momentum is taken of the normalised gradient, where Adam normalises the momentum: each gradient is
measured against the size that gradients had at its own time.
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from rssm.types import Array


def laprop(
    learning_rate: float,
    warmup_steps: int,
    decay_steps: int,
    final: float,
    agc: float,
    pmin: float,
    beta1: float,
    beta2: float,
    eps: float,
) -> optax.GradientTransformationExtraArgs:
    """The rate rises to `learning_rate`, then falls on a cosine to the share `final` of it, which
    it reaches at step `decay_steps`; with `final=1` it stays."""
    begin = 0.0 if warmup_steps else learning_rate
    decay = max(decay_steps, warmup_steps + 1)
    rate = optax.warmup_cosine_decay_schedule(
        begin, learning_rate, warmup_steps, decay, final * learning_rate
    )
    return optax.chain(
        clip_per_tensor(agc, pmin),
        optax.scale_by_rms(beta2, eps, eps_in_sqrt=False, bias_correction=True),
        optax.ema(beta1, debias=True),
        scale_by_rate(rate),
    )


def scale_by_rate(rate: optax.Schedule) -> optax.GradientTransformationExtraArgs:
    """Minus the rate of the schedule, at the step that it is, or so many steps `ahead` of it."""

    def init(params: Any) -> optax.OptState:
        return jnp.zeros((), jnp.int32)

    def update(updates: Any, state: Any, params: Any = None, **extra: Any) -> tuple[Any, Any]:
        scale = -jnp.asarray(rate(state + extra.get("ahead", 0)))
        return jax.tree.map(lambda update: scale * update, updates), state + 1

    return optax.GradientTransformationExtraArgs(init, update)


def clip_per_tensor(agc: float, pmin: float) -> optax.GradientTransformation:
    """Adaptive gradient clipping over whole tensors; optax's is per row of a matrix."""

    def clip(g: Array, w: Array) -> Array:
        limit = agc * jnp.maximum(pmin, jnp.linalg.norm(w.ravel()))
        return g / jnp.maximum(1, jnp.linalg.norm(g.ravel()) / limit)

    return optax.stateless(lambda grads, params: jax.tree.map(clip, grads, params))
