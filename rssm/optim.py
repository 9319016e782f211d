"""The optimizers: LaProp with adaptive gradient clipping, as in DreamerV3, and Muon.

LaProp (arXiv:2002.04839), per tensor w, with AGC (arXiv:2102.06171); ^ is divided by 1 - beta^t:

    g <- g min(1, agc max(pmin, |w|) / |g|)
    v <- beta2 v + (1 - beta2) g^2
    m <- beta1 m + (1 - beta1) g / (sqrt(v^) + eps)
    w <- w - lr m^

Momentum is taken of the normalised gradient, where Adam normalises the momentum: each gradient is
measured against the size that gradients had at its own time.

Muon (Jordan et al. 2024; arXiv:2502.16982), for the kernel w [n, k] of a linear layer:

    m <- momentum m + (1 - momentum) g
    w <- w - lr rms sqrt(max(n, k)) U V^T,        the entries' root mean square being at most rms

with U S V^T the singular value decomposition of m (after Nesterov), by five steps of Newton and
Schulz. What is not such a kernel moves by LaProp.
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from rssm.types import Array

Extra = optax.GradientTransformationExtraArgs


def laprop(
    learning_rate: float, warmup_steps: int, decay_steps: int, final: float, **settings: float
) -> Extra:
    """The rate rises to `learning_rate`, then falls on a cosine to the share `final` of it, which
    it reaches at step `decay_steps`; with `final=1` it stays."""
    rate = schedule(learning_rate, warmup_steps, decay_steps, final)
    return optax.chain(scale_by_laprop(**settings), scale_by_rate(rate))


def muon(
    learning_rate: float,
    warmup_steps: int,
    decay_steps: int,
    final: float,
    rms: float,
    momentum: float,
    **settings: float,
) -> Extra:
    """The same rate for both; `settings` are LaProp's."""
    rate = schedule(learning_rate, warmup_steps, decay_steps, final)
    by_part = optax.partition(
        {"kernel": scale_by_muon(rms, momentum), "other": scale_by_laprop(**settings)}, parts_of
    )
    return optax.chain(by_part, scale_by_rate(rate))


def parts_of(params: Any) -> Any:
    """Which optimizer moves each tensor: linear layers keep theirs under the name `kernel`."""

    def part(path: tuple, w: Array) -> str:
        return "kernel" if w.ndim == 2 and "kernel" in jax.tree_util.keystr(path) else "other"

    return jax.tree_util.tree_map_with_path(part, params)


def schedule(
    learning_rate: float, warmup_steps: int, decay_steps: int, final: float
) -> optax.Schedule:
    begin = 0.0 if warmup_steps else learning_rate
    decay = max(decay_steps, warmup_steps + 1)
    return optax.warmup_cosine_decay_schedule(
        begin, learning_rate, warmup_steps, decay, final * learning_rate
    )


def scale_by_laprop(
    agc: float, pmin: float, beta1: float, beta2: float, eps: float
) -> optax.GradientTransformation:
    return optax.chain(
        clip_per_tensor(agc, pmin),
        optax.scale_by_rms(beta2, eps, eps_in_sqrt=False, bias_correction=True),
        optax.ema(beta1, debias=True),
    )


def scale_by_muon(rms: float, momentum: float) -> optax.GradientTransformation:
    def axes(kernels: Any) -> Any:
        return jax.tree.map(lambda _: optax.contrib.MuonDimensionNumbers(), kernels)

    def scale(kernels: Any, _: Any) -> Any:
        return jax.tree.map(lambda w: rms * max(w.shape) ** 0.5 * w, kernels)

    orthogonal = optax.contrib.scale_by_muon(beta=momentum, weight_dimension_numbers=axes)
    return optax.chain(orthogonal, optax.stateless(scale))


def scale_by_rate(rate: optax.Schedule) -> Extra:
    """Minus the rate of the schedule, at the step that it is, or so many steps `ahead` of it."""

    def init(params: Any) -> optax.OptState:
        return jnp.zeros((), jnp.int32)

    def update(updates: Any, state: Any, params: Any = None, **extra: Any) -> tuple[Any, Any]:
        scale = -jnp.asarray(rate(state + extra.get("ahead", 0)))
        return jax.tree.map(lambda update: scale * update, updates), state + 1

    return Extra(init, update)


def clip_per_tensor(agc: float, pmin: float) -> optax.GradientTransformation:
    """Adaptive gradient clipping over whole tensors; optax's is per row of a matrix."""

    def clip(g: Array, w: Array) -> Array:
        limit = agc * jnp.maximum(pmin, jnp.linalg.norm(w.ravel()))
        return g / jnp.maximum(1, jnp.linalg.norm(g.ravel()) / limit)

    return optax.stateless(lambda grads, params: jax.tree.map(clip, grads, params))
