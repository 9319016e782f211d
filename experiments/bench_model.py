"""The speed of a gradient step, and of an imagined one."""

import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf

from experiments.command import CONFIGS, UserError, options
from experiments.measure import Cases, cost, measure, rate
from experiments.model import build_model, build_optimizer, count
from rssm.dynamics.base import Action, Latents
from rssm.model import Belief, WorldModel
from rssm.spec import Batch, Spec
from rssm.step import Trainer
from rssm.tables import take_rows
from rssm.types import Array
from tracer.layout import Layout


def train(cfg: DictConfig, sizes: dict[str, Any]) -> Cases:
    return {
        f"{name}, {what}": figure
        for name in cfg.models
        for what, figure in train_one(cfg, name, sizes).items()
    }


def train_one(cfg: DictConfig, name: str, sizes: dict[str, Any]) -> Cases:
    config, model = built(cfg, name, sizes)
    batch = random_batch(model.spec, cfg.batch_size)
    transitions = batch[model.spec.mask.name].shape
    sizes["batch"] = list(transitions)
    trainer = Trainer(model, build_optimizer(config))
    state, key = trainer.initial(), jax.random.key(0)
    began = time.perf_counter()
    step = trainer.train_step.lower(state, batch, key).compile()
    compiled = [time.perf_counter() - began]

    def advance() -> None:
        nonlocal state
        state, metrics = step(state, batch, key)
        jax.block_until_ready((state, metrics))

    found = measure(advance, cfg.runs)
    return {
        "compile": cost(compiled, 1, "ms"),
        "gradient step": cost(found, 1, "ms"),
        "transitions": rate(found, math.prod(transitions), "transitions/s"),
    }


def imagine(cfg: DictConfig, sizes: dict[str, Any]) -> Cases:
    sizes["imagined_steps"] = cfg.steps
    return {
        f"{name}, {what}": figure
        for name in cfg.models
        for what, figure in imagine_one(cfg, name, sizes).items()
    }


def imagine_one(cfg: DictConfig, name: str, sizes: dict[str, Any]) -> Cases:
    """Microseconds per statement of each imagined run: latents alone, and read as values."""
    _, model = built(cfg, name, sizes)
    graph, params = nnx.split(model, nnx.Param)

    @jax.jit
    def latent(params: Any, a: Action, memory: Array, texts: Array) -> Latents:
        dynamics = nnx.merge(graph, params).dynamics
        return dynamics.imagine(dynamics.initial(len(a.refs)), a, None)[1].after

    @jax.jit
    def decoded(params: Any, a: Action, memory: Array, texts: Array) -> Belief:
        latents = latent(params, a, memory, texts)
        return nnx.merge(graph, params).read(latents, memory, texts)

    cases: Cases = {}
    for batch_size in cfg.imagined:
        inputs = random_actions(model, batch_size, cfg.steps)
        for what, call in {"latent": latent, "decoded": decoded}.items():
            found = measure(partial(synchronised, call, params, *inputs), cfg.runs)
            cases[f"batch {batch_size}, {what}"] = cost(found, batch_size * cfg.steps, "µs/step")
    return cases


def synchronised(call: Callable, *args: Any) -> None:
    jax.block_until_ready(call(*args))


def built(cfg: DictConfig, name: str, sizes: dict[str, Any]) -> tuple[DictConfig, WorldModel]:
    """The model that `python -m experiments.train size=... dynamics=...` trains."""
    known = options(Path(CONFIGS) / "dynamics")
    if name not in known:
        raise UserError(f"unknown dynamics {name!r}; there are: {', '.join(known)}")
    GlobalHydra.instance().clear()  # this command's own config is composed already
    with initialize_config_dir(CONFIGS, version_base=None):
        config = compose("train", [f"dynamics={name}", "run_dir=none", "dataset=none"])
    config.size = cfg.size
    model = build_model(config, Spec.from_schema(Layout().schema()), config.seed)
    sizes["size"] = OmegaConf.to_container(cfg.size)
    sizes.setdefault("params", {})[name] = count(nnx.state(model, nnx.Param))
    return config, model


def random_batch(spec: Spec, batch_size: int) -> Batch:
    """A batch of the right form: what is computed does not depend on what is in it."""
    rng = np.random.default_rng(0)
    batch = {
        field.name: rng.integers(field.size, size=(batch_size, *field.shape)).astype(field.dtype)
        for field in spec.fields.values()
    }
    batch[spec.reset.name] = rng.random(batch[spec.reset.name].shape) < 0.05
    batch[spec.mask.name][:] = True
    return jax.device_put(batch)


def random_actions(model: WorldModel, batch_size: int, length: int) -> tuple[Action, Array, Array]:
    """Encoded statements, the rows that the slots held last, and the statements' tokens."""
    spec, shape = model.spec, (batch_size, length)
    batch = random_batch(spec, batch_size)
    keys = jax.random.split(jax.random.key(0), 2)
    for name in (spec.action.name, spec.address.name):
        steps = (*shape, *batch[name].shape[2:])
        batch[name] = jax.random.randint(keys[0], steps, 0, spec[name].size)
    _, action = jax.jit(lambda model, batch: model.encoder(batch))(model, batch)
    rows = spec[spec.rows.table]
    cells = (*shape, spec.rows.shape[1], rows.shape[1])
    table = jnp.asarray(batch[spec.action.table or ""], jnp.int32)
    texts = take_rows(table, batch[spec.action.name])
    return action, jax.random.randint(keys[1], cells, 0, rows.size), texts
