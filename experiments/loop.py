"""The training loop."""

import time
from collections.abc import Callable, Mapping

import jax
import numpy as np

from experiments.checkpoint import Checkpointer
from experiments.writer import Writer
from rssm.step import Trainer, TrainState

SHOWN = ("loss", "changed_right", "steps_per_second")


def train(
    trainer: Trainer,
    state: TrainState,
    batches,
    checkpointer: Checkpointer,
    writer: Writer,
    validate: Callable[[TrainState], dict[str, float]],
    *,
    steps: int,
    seconds: float,
    log_every: int,
    save_every: int,
    seed: int,
) -> TrainState:
    """Train to `steps`, or for `seconds`; metrics are read one step late, so that the device
    always has the next step to work on."""
    key = jax.random.key(seed)
    started = since = time.monotonic()
    pending: tuple[int, Mapping] | None = None
    last, done = int(state.step), int(state.step)
    while done < steps and time.monotonic() - started < seconds:
        batch = next(batches)
        state, metrics = trainer.train_step(state, batch, key)
        done += 1
        if pending:
            report(writer, *pending, rate=(pending[0] - last) / (time.monotonic() - since))
            last, since, pending = pending[0], time.monotonic(), None
        if done % log_every == 0 or done == steps:
            pending = (done, metrics)
        if done % save_every == 0 and done < steps:
            save(checkpointer, state, batches, writer, validate)
        writer.advance(done)
    if pending:
        report(writer, *pending, rate=(pending[0] - last) / (time.monotonic() - since))
    save(checkpointer, state, batches, writer, validate)
    return state


def report(writer: Writer, step: int, metrics: Mapping, rate: float) -> None:
    values = {name: float(value) for name, value in metrics.items()}
    if not np.isfinite(values["loss"]):
        raise FloatingPointError(f"the loss is {values['loss']} at step {step}")
    writer.write(step, values | {"steps_per_second": rate}, SHOWN)


def save(checkpointer: Checkpointer, state: TrainState, batches, writer: Writer, validate) -> None:
    scores = validate(state)
    if scores:
        writer.write(int(state.step), {f"valid/{name}": x for name, x in scores.items()})
    checkpointer.save(state, batches.get_state(), {"score": scores.get("changed_right", 0.0)})
