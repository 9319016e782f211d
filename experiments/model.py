"""The model and the optimizer that a config describes."""

import json
from pathlib import Path
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from omegaconf import DictConfig

from experiments.build import build
from experiments.command import UserError
from experiments.compiled import keep_compiled
from rssm.dynamics.base import Spelling
from rssm.model import WorldModel
from rssm.spec import Spec

T = TypeVar("T")


def build_model(cfg: DictConfig, spec: Spec, seed: int) -> WorldModel:
    """Compiled as a whole: one by one, the initial weights take ten seconds."""
    keep_compiled()
    return nnx.jit(lambda: _build_model(cfg, spec, seed))()


def _build_model(cfg: DictConfig, spec: Spec, seed: int) -> WorldModel:
    rngs = nnx.Rngs(seed)
    dtype = compute_dtype(cfg.dtype)
    encoder = build(cfg.encoder)(spec, rngs=rngs, dtype=dtype)
    dynamics = build(cfg.dynamics)(encoder.sizes, rngs=rngs, dtype=dtype)
    widths = (dynamics.feat_dim, dynamics.summary_dim)
    spelled = isinstance(dynamics, Spelling)
    heads = None if spelled else build(cfg.heads)(spec, *widths, rngs=rngs, dtype=dtype)
    unseen = cfg.loss.get("unseen", 0.0)
    if not 0 <= unseen < 1 or unseen and heads is not None:
        raise UserError(f"loss.unseen={unseen} is a share below 1, and of dynamics=slots alone")
    return WorldModel(
        spec,
        encoder,
        dynamics,
        heads,
        weights=dict(cfg.loss.weights),
        decoded=cfg.loss.decoded,
        held=cfg.loss.held,
        sample=cfg.loss.sample,
        unseen=unseen,
    )


def build_optimizer(cfg: DictConfig) -> optax.GradientTransformation:
    return build(cfg.optim)


def compute_dtype(name: str) -> Any:
    """bfloat16 pays on accelerators alone."""
    return jnp.dtype(by_device("float32", "bfloat16") if name == "auto" else name)


def by_device(cpu: T, accelerator: T) -> T:
    """What is best on this machine."""
    return cpu if jax.default_backend() == "cpu" else accelerator


def read_spec(folder: Path | str) -> Spec:
    return Spec.from_schema(json.loads((Path(folder) / "schema.json").read_text()))


def count(tree: Any) -> int:
    """How many numbers a tree of arrays holds."""
    return sum(leaf.size for leaf in jax.tree.leaves(tree))
