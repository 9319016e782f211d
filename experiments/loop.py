"""The training loop."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from experiments.atomic import write_whole
from experiments.checkpoint import SCORE, Checkpointer
from experiments.data import Batches
from experiments.writer import Writer
from rssm.step import Trainer, TrainState

SHOWN = ("loss", "changed_right", "steps_per_second")


class Clock:
    """The seconds that a run is given, in all the calls that it takes. To compile is no part of its
    schedule: what is left is. A checkpoint does not depend on it, so that it has a file of its own.
    """

    def __init__(
        self, seconds: float, spent: float = 0.0, compiled: float = 0.0, path: Path | None = None
    ):
        self.seconds, self.began, self.compiled = seconds, time.monotonic() - spent, compiled
        self.path = path

    @classmethod
    def of(cls, path: Path, seconds: float) -> "Clock":
        """As it was kept, if it was."""
        known = json.loads(path.read_text()) if path.exists() else {}
        return cls(seconds, **known, path=path)

    def keep(self) -> None:
        if self.path:
            known = {"spent": self.spent, "compiled": self.compiled}
            write_whole(self.path, json.dumps(known) + "\n")

    @property
    def spent(self) -> float:
        return time.monotonic() - self.began

    def over(self) -> bool:
        return self.spent >= self.seconds

    def share(self) -> float:
        """Of the schedule, that is behind it."""
        return (self.spent - self.compiled) / (self.seconds - self.compiled)


def train(
    trainer: Trainer,
    state: TrainState,
    batches: Batches,
    checkpointer: Checkpointer,
    writer: Writer,
    validate: Callable[[TrainState], dict[str, float]],
    stopped: Callable[[], bool] = lambda: False,
    *,
    key: jax.Array,
    steps: int,
    clock: Clock,
    log_every: int,
    save_every: int,
    patience: int = 1,
    rollbacks: int = 0,
) -> TrainState:
    """Train to `steps`, or until the clock is over, and through the whole schedule in either case;
    metrics are read one step late, so that the device always has the next step to work on.

    After `patience` skipped steps in a row the last checkpoint goes on with the data that come
    next, at most `rollbacks` times; then the run ends.
    """
    first = done = saved = int(state.step)
    report = Report(writer, done, log_every, patience, batches)
    while done < steps and not clock.over() and not stopped():
        ahead, began = max(0, int(steps * clock.share()) - done), time.monotonic()
        position = batches.get_state()
        state, metrics = trainer.train_step(state, next(batches), key, ahead)
        if done == first:
            clock.compiled += time.monotonic() - began
        done += 1
        report.flush()
        report.hold(done, metrics, position)
        if done % save_every == 0 or done == steps:
            report.flush()  # what is saved is finite, and its metrics are written
        if report.stuck:
            state = go_back(state, checkpointer, report, rollbacks)
            done = saved = int(state.step)
            rollbacks -= 1
        elif done % save_every == 0 and not report.in_a_row:
            save(checkpointer, state, key, batches, clock, writer, validate(state))
            saved = done
        writer.advance(done)
    report.flush()
    if saved < done:
        scores = validate(state) if done == steps or not stopped() else {}
        save(checkpointer, state, key, batches, clock, writer, scores)
    return state


class Report:
    """Metrics wait here for one step: to read them is to wait for the device."""

    def __init__(self, writer: Writer, step: int, log_every: int, patience: int, batches: Batches):
        self.writer, self.step, self.time = writer, step, time.monotonic()
        self.log_every, self.patience, self.batches = log_every, patience, batches
        self.held: tuple[int, Mapping, Any] | None = None
        self.in_a_row = 0  # steps that were skipped, up to the last that was read
        self.stuck = ""  # why to go back: there were too many of them

    def hold(self, step: int, metrics: Mapping, position: Any) -> None:
        self.held = step, metrics, position

    def flush(self) -> None:
        if self.held is None:
            return
        (step, metrics, position), self.held = self.held, None
        self.in_a_row = int(metrics.get("in_a_row", 0))
        if self.in_a_row or not np.isfinite(metrics["loss"]):
            loss, norm = (float(metrics.get(name, np.nan)) for name in ("loss", "grad_norm"))
            trouble = f"the loss is {loss:.6g} at step {step}, the gradient norm {norm:.6g}, "
            trouble += f"on train windows {listed(self.batches.windows(position))}"
            if not self.in_a_row:
                raise FloatingPointError(trouble)
            self.writer.note(f"skipped: {trouble}")
            if self.in_a_row >= self.patience and not self.stuck:
                self.stuck = f"too many steps were skipped, {self.in_a_row} in a row: {trouble}"
        if step % self.log_every:
            return
        values = {name: float(value) for name, value in metrics.items()}
        now = time.monotonic()
        rate = (step - self.step) / (now - self.time)
        self.step, self.time = step, now
        self.writer.write(step, values | {"steps_per_second": rate}, SHOWN)

    def rewind(self, step: int) -> None:
        self.step, self.time, self.held = step, time.monotonic(), None
        self.in_a_row, self.stuck = 0, ""
        self.writer.rewind(step)


def save(
    checkpointer: Checkpointer,
    state: TrainState,
    key: jax.Array,
    batches: Batches,
    clock: Clock,
    writer: Writer,
    scores: dict[str, float],
) -> None:
    if scores:
        writer.write(int(state.step), {f"valid/{name}": x for name, x in scores.items()})
    progress = {"data": batches.get_state(), "key": jax.random.key_data(key).tolist()}
    score = {SCORE: scores["changed_right"]} if scores else {}
    checkpointer.save(state, progress, score)
    clock.keep()


def go_back(
    state: TrainState, checkpointer: Checkpointer, report: Report, rollbacks: int
) -> TrainState:
    """The last good checkpoint, to go on with other data."""
    checkpointer.wait()
    if rollbacks <= 0 or checkpointer.latest() is None:
        raise FloatingPointError(report.stuck)
    state, _ = checkpointer.restore(state, quarantine=True)
    report.writer.note(f"back to step {int(state.step)}: {report.stuck}")
    report.rewind(int(state.step))
    return state


def listed(numbers: list[int], most: int = 16) -> str:
    more = f" and {len(numbers) - most} more" if len(numbers) > most else ""
    return ", ".join(map(str, numbers[:most])) + more
