"""One step of training: pure, compiled once, the state donated, and not taken if it would harm."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from rssm.guard import Guard, judge
from rssm.model import Belief, Imagined, WorldModel
from rssm.spec import Batch
from rssm.types import Array, Bool, Int, PRNGKeyArray

Metrics = dict[str, Array]


class TrainState(NamedTuple):
    params: Any
    opt_state: optax.OptState
    step: Int[Array, ""]
    guard: Guard


class Trainer:
    """The compiled functions of one model; it holds no parameters. `spike` and `window` are the
    guard's."""

    def __init__(
        self,
        model: WorldModel,
        optimizer: optax.GradientTransformation,
        spike: float | None = None,
        window: int = 128,
    ):
        self.graph, self.params = nnx.split(model, nnx.Param)
        self.optimizer = optax.with_extra_args_support(optimizer)
        self.spike, self.window = spike, window
        self.train_step = jax.jit(self._train_step, donate_argnums=0)
        self.eval_step = jax.jit(self._eval_step)
        self.predict = jax.jit(self._predict)
        self.begin = jax.jit(self._begin)
        self.advance = jax.jit(self._advance)
        self.ground = jax.jit(self._ground)

    def initial(self) -> TrainState:
        params = jax.tree.map(jnp.copy, self.params)  # the first step takes them away
        step = jnp.zeros((), jnp.int32)
        return TrainState(params, self.optimizer.init(params), step, Guard.initial())

    def _train_step(
        self, state: TrainState, batch: Batch, key: PRNGKeyArray, ahead: int | Int[Array, ""] = 0
    ) -> tuple[TrainState, Metrics]:
        """`ahead`: by how many steps the optimizer's schedule runs ahead of the steps taken.

        A step that is skipped counts as a step, and leaves parameters and optimizer as they were.
        """
        key = jax.random.fold_in(key, state.step)

        def total_loss(params: Any) -> tuple[Array, Metrics]:
            return nnx.merge(self.graph, params).loss(batch, key)

        (loss, metrics), grads = jax.value_and_grad(total_loss, has_aux=True)(state.params)
        updates, opt_state = self.optimizer.update(
            grads, state.opt_state, state.params, ahead=ahead
        )
        params = optax.apply_updates(state.params, updates)
        norm = optax.tree.norm(grads)
        taken, guard = judge(state.guard, loss, norm, self.spike, self.window)
        params, opt_state = jax.tree.map(
            lambda new, old: jnp.where(taken, new, old),
            (params, opt_state),
            (state.params, state.opt_state),
        )
        metrics |= {
            "loss": loss,
            "grad_norm": norm,
            "skipped": guard.skipped,
            "in_a_row": guard.row,
        }
        return TrainState(params, opt_state, state.step + 1, guard), metrics

    def _eval_step(self, params: Any, batch: Batch, key: PRNGKeyArray) -> Metrics:
        loss, metrics = nnx.merge(self.graph, params).loss(batch, key)
        return metrics | {"loss": loss}

    def _begin(self, params: Any, batch: Batch) -> Imagined:
        return nnx.merge(self.graph, params).begin(batch)

    def _advance(
        self, params: Any, at: Imagined, chosen: Int[Array, " B"]
    ) -> tuple[Imagined, Belief]:
        return nnx.merge(self.graph, params).advance(at, chosen)

    def _ground(
        self, params: Any, at: Imagined, chosen: Int[Array, " B"], batch: Batch
    ) -> Imagined:
        return nnx.merge(self.graph, params).ground(at, chosen, batch)

    def _predict(
        self,
        params: Any,
        batch: Batch,
        seen: Bool[Array, "B T"] | None,
        key: PRNGKeyArray | None = None,
    ) -> Belief:
        return nnx.merge(self.graph, params).predict(batch, seen, key)
