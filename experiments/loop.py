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
    """Train to `steps`, or for `seconds`, and through the whole schedule in either case; metrics
    are read one step late, so that the device always has the next step to work on."""
    key = jax.random.key(seed)
    began = time.monotonic()
    done = saved = int(state.step)
    report = Report(writer, done, log_every)
    while done < steps and (spent := time.monotonic() - began) < seconds:
        ahead = max(0, int(steps * spent / seconds) - done)
        state, metrics = trainer.train_step(state, next(batches), key, ahead)
        done += 1
        report.flush()
        report.hold(done, metrics)
        if done % save_every == 0:
            report.flush()  # what is saved is finite, and its metrics are written
            save(checkpointer, state, batches, writer, validate)
            saved = done
        writer.advance(done)
    report.flush()
    if saved < done:
        save(checkpointer, state, batches, writer, validate)
    return state


class Report:
    """Metrics wait here for one step: to read them is to wait for the device."""

    def __init__(self, writer: Writer, step: int, log_every: int):
        self.writer, self.step, self.time = writer, step, time.monotonic()
        self.log_every = log_every
        self.held: tuple[int, Mapping] | None = None

    def hold(self, step: int, metrics: Mapping) -> None:
        self.held = step, metrics

    def flush(self) -> None:
        if self.held is None:
            return
        (step, metrics), self.held = self.held, None
        if not np.isfinite(metrics["loss"]):
            raise FloatingPointError(f"the loss is {float(metrics['loss'])} at step {step}")
        if step % self.log_every:
            return
        values = {name: float(value) for name, value in metrics.items()}
        now = time.monotonic()
        rate = (step - self.step) / (now - self.time)
        self.step, self.time = step, now
        self.writer.write(step, values | {"steps_per_second": rate}, SHOWN)


def save(checkpointer: Checkpointer, state: TrainState, batches, writer: Writer, validate) -> None:
    scores = validate(state)
    if scores:
        writer.write(int(state.step), {f"valid/{name}": x for name, x in scores.items()})
    checkpointer.save(state, batches.get_state(), {"score": scores.get("changed_right", 0.0)})
