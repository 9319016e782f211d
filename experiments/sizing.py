"""Routes of one size: widths at which models have equal parameters, or cost equal operations.

Operations are counted by XLA, of the program before it is optimised. XLA counts the body of a loop
once; here it counts as often as it runs.
"""

import json
import math
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from jax.extend.core import ClosedJaxpr, Jaxpr, jaxpr_as_fun
from jax.interpreters.partial_eval import dce_jaxpr
from omegaconf import DictConfig

from experiments.bench_model import random_batch
from experiments.command import CONFIGS, UserError, first_line
from experiments.model import build_model, build_optimizer, count
from rssm.guard import Guard
from rssm.model import WorldModel
from rssm.spec import Spec
from rssm.step import Trainer, TrainState
from rssm.types import Array

WIDEST = 4096


class Route(NamedTuple):
    """Overrides of train.yaml that make a model, and what makes it wider."""

    name: str
    overrides: tuple[str, ...]
    dial: str = "size.latent"  # a key of the config ...
    multiple: int = 8  # ... and what its value is a multiple of

    def at(self, width: int) -> "Route":
        return self._replace(overrides=(*self.overrides, f"{self.dial}={width}"))


class Size(NamedTuple):
    width: int  # at the dial
    params: int
    train_flops: float  # per transition of a gradient step
    imagine_flops: float  # per imagined statement, at a batch of one


def training_config(overrides: Sequence[str]) -> DictConfig:
    """What `python -m experiments.train` would run with."""
    return composed("train", overrides)


class Variant(NamedTuple):
    """A route at another size, or trained on a share of the data."""

    route: str
    by: str  # a key of cfg.scaling
    value: float

    @property
    def name(self) -> str:
        return f"{self.route}-{self.by}-{self.value:g}"


def composed(command: str, overrides: Sequence[str]) -> DictConfig:
    GlobalHydra.instance().clear()  # this command's own config is composed already
    with initialize_config_dir(CONFIGS, version_base=None):
        try:
            return compose(command, list(overrides))
        except HydraException as error:
            raise UserError(first_line(error)) from error


def size_of(route: Route, spec: Spec) -> Size:
    cfg, model = shapes(route, spec)
    trainer = Trainer(model, build_optimizer(cfg))
    width = cfg
    for part in route.dial.split("."):
        width = width[part]
    return Size(
        int(str(width)),
        count(trainer.params),
        train_flops(trainer, spec, cfg.data.batch_size),
        imagine_flops(trainer, spec),
    )


def matched(route: Route, target: float, by: str, within: float, spec: Spec) -> Route:
    """The route at the width whose parameters or operations come nearest to the target."""
    measure = {"params": parameters, "flops": operations}[by]

    def at(width: int) -> float:
        return measure(route.at(width), spec)

    what = f"{route.name}: {by} at {route.dial}"
    return route.at(nearest(at, route.multiple, target, within, what))


def nearest(
    measure: Callable[[int], float], multiple: int, target: float, within: float, what: str
) -> int:
    """The multiple, up to the widest, at which what grows with it comes nearest to the target.

    UserError where that is not near enough, which names `what` is measured, and the width.
    """
    at = cache(measure)
    low, high = multiple, WIDEST // multiple * multiple
    while high - low > multiple and at(low) < target:
        middle = (low + high) // 2 // multiple * multiple
        low, high = (middle, high) if at(middle) <= target else (low, middle)
    best = min((low, high), key=lambda width: abs(at(width) - target))
    if abs(at(best) - target) > within * target:
        raise UserError(
            f"{what}={best} are {at(best):,.0f}, not within {100 * within:g} % of {target:,.0f}"
        )
    return best


def parameters(route: Route, spec: Spec) -> int:
    return count(nnx.state(shapes(route, spec)[1], nnx.Param))


def shapes(route: Route, spec: Spec) -> tuple[DictConfig, WorldModel]:
    """The model without its numbers: to fill it with some takes longer."""
    cfg = training_config((*route.overrides, "run_dir=none", "dataset=none"))
    return cfg, nnx.eval_shape(lambda: build_model(cfg, spec, 0))


def operations(route: Route, spec: Spec) -> float:
    return size_of(route, spec).train_flops


def train_flops(trainer: Trainer, spec: Spec, batch_size: int) -> float:
    batch = random_batch(spec, batch_size)
    transitions = math.prod(batch[spec.mask.name].shape)
    opt_state = jax.eval_shape(trainer.optimizer.init, trainer.params)
    state = TrainState(trainer.params, opt_state, jnp.zeros((), jnp.int32), Guard.initial())
    return flops(trainer.train_step, state, batch, jax.random.key(0)) / transitions


def imagine_flops(trainer: Trainer, spec: Spec, steps: int = 16) -> float:
    """Of the latents; to read them as values costs every route the same."""
    batch = random_batch(spec, 1)

    def imagine(params: Any, length: int) -> Array:
        model: WorldModel = nnx.merge(trainer.graph, params)
        _, a = model.encoder(batch)
        a = jax.tree.map(lambda x: x[:, :length], a)
        return model.dynamics.imagine(model.dynamics.initial(1), a, None)[0]

    one, many = (flops(lambda p, n=n: imagine(p, n), trainer.params) for n in (1, steps))
    return (many - one) / (steps - 1)  # without the encoding of the statements


def flops(function: Callable, *args: Any) -> float:
    """Operations of one call, without those whose results nobody asks for."""
    closed = jax.make_jaxpr(function)(*args)
    needed, _ = dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars), instantiate=True)
    return looped_flops(closed.replace(jaxpr=needed))


def looped_flops(closed: ClosedJaxpr) -> float:
    found = jax.jit(jaxpr_as_fun(closed)).lower(*closed.in_avals).cost_analysis()
    return float((found or {}).get("flops", 0.0)) + repeated_flops(closed.jaxpr)


def repeated_flops(jaxpr: Jaxpr) -> float:
    """What the loops of a program do beyond one turn each."""
    total = 0.0
    for equation in jaxpr.eqns:
        turns = equation.params.get("length", 1) if equation.primitive.name == "scan" else 1
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=is_program):
            if isinstance(inner, ClosedJaxpr):
                total += repeated_flops(inner.jaxpr)
                total += (turns - 1) * looped_flops(inner) if turns > 1 else 0.0
            elif isinstance(inner, Jaxpr):
                total += repeated_flops(inner)
    return total


def is_program(x: Any) -> bool:
    return isinstance(x, ClosedJaxpr | Jaxpr)


def known_sizes(out: Path) -> dict[str, Any]:
    path = out / "sizes.json"
    return json.loads(path.read_text()) if path.exists() else {}
