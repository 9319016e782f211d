"""Training: compiled once, resumed as if never interrupted, stopped when it goes wrong."""

import json
import math
import time
from pathlib import Path

import jax
import numpy as np
import pytest
from tiny import training

from experiments import data, loop, train
from experiments.checkpoint import Checkpointer, read_run
from experiments.command import UserError, guarded
from experiments.train import train_run
from rssm.step import TrainState
from tracer.store import Dataset

ROW = {"step", "loss", "grad_norm", "changed_right", "steps_per_second"}


def rows(run_dir: Path) -> list[dict]:
    return [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]


def timeless(run_dir: Path) -> list[dict]:
    return [{k: v for k, v in row.items() if k != "steps_per_second"} for row in rows(run_dir)]


def stored(run, folder: Path) -> tuple[TrainState, dict]:
    checkpointer = Checkpointer(folder)
    found = checkpointer.restore(run.trainer.initial())
    checkpointer.close()
    return found


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def killed_after(count: int):
    """Batches that are followed by a Ctrl-C."""

    class Killed:
        def __init__(self, *args):
            self.batches, self.left = data.train_batches(*args), count
            self.get_state, self.set_state = self.batches.get_state, self.batches.set_state

        def __next__(self):
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            return next(self.batches)

    return Killed


@pytest.fixture(scope="module")
def resumed(dataset, tmp_path_factory) -> Path:
    """The same run as `run`: killed after step 7, and brought to its end by the same command."""
    folder = tmp_path_factory.mktemp("resumed") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "train_batches", killed_after(7))
        with pytest.raises(KeyboardInterrupt):
            train_run(training(dataset, folder))
    assert rows(folder)[-1]["step"] == 6  # what lies after the checkpoint is to be dropped
    train_run(training(dataset, folder))
    return folder


def test_the_step_is_compiled_once(run):
    assert run.trainer.train_step._cache_size() == 1
    assert run.trainer.eval_step._cache_size() == 1


def test_a_run_leaves_its_config_its_schema_and_its_metrics(run, dataset):
    cfg, schema = read_run(run.folder)
    assert (cfg.steps, cfg.dataset) == (12, str(dataset))
    assert schema == Dataset(dataset).schema
    logged = [row for row in rows(run.folder) if "loss" in row]
    assert [row["step"] for row in logged] == [2, 4, 6, 8, 10, 12]
    assert all(row.keys() >= ROW for row in logged)
    assert [row["step"] for row in rows(run.folder) if "valid/loss" in row] == [4, 8, 12]
    assert [path.suffix for path in (run.folder / "tensorboard").iterdir()]


def test_resumed_training_equals_uninterrupted_training(run, resumed):
    (one, position), (other, found) = stored(run, run.folder), stored(run, resumed)
    assert int(one.step) == int(other.step) == 12
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for leaf, same in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(leaf, same)
    assert position == found


def test_no_row_of_the_metrics_is_missing_or_twice_after_resuming(run, resumed):
    assert timeless(resumed) == timeless(run.folder)


def test_the_same_command_on_a_finished_run_changes_nothing(run, dataset, capsys):
    before = contents(run.folder)
    assert train_run(training(dataset, run.folder)) == run.folder
    assert contents(run.folder) == before
    assert f"{run.folder} has its 12 steps" in capsys.readouterr().out


def test_another_config_on_a_run_is_refused_and_changes_nothing(run, dataset):
    before = contents(run.folder)
    with pytest.raises(UserError) as error:
        train_run(training(dataset, run.folder, "optim.beta1=0.5"))
    said = f"{run.folder} was begun with optim.beta1=0.9, now it is 0.5; choose another run_dir"
    assert str(error.value) == said
    assert contents(run.folder) == before


def test_a_folder_without_a_dataset_is_named(tmp_path):
    with pytest.raises(UserError, match="no dataset at .*nowhere: manifest.json is missing; `pyth"):
        train_run(training(tmp_path / "nowhere", tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_the_same_seed_gives_the_same_batches_and_another_one_others(dataset):
    def first(seed: int) -> np.ndarray:
        return next(data.train_batches(Dataset(dataset), 2, seed))["values"]

    np.testing.assert_array_equal(first(0), first(0))
    assert not np.array_equal(first(0), first(1))


# What follows has a trainer that only counts: it is the loop that is looked at.


class Counting:
    """A trainer whose loss turns into something else at a step, and all that hangs on it."""

    def __init__(self, loss: float = 1.0, at: int = 10**9):
        self.loss, self.at = loss, at
        self.saved, self.written = [], []

    def train_step(self, state, batch, key, ahead):
        step = state.step + 1
        loss = self.loss if step >= self.at else 1.0
        return state._replace(step=step), {"loss": loss, "changed_right": 0.5}

    def save(self, state, position, scores):
        self.saved.append(state.step)

    def write(self, step, metrics, shown=()):
        self.written.append(step)

    def advance(self, step):
        pass

    def get_state(self):
        return {}

    def __next__(self):
        return {}

    def train(self, steps: int = 12, seconds: float = 60, validate=lambda state: {}, **every: int):
        every = {"log_every": 5, "save_every": 4} | every
        state = TrainState({}, (), 0)
        with_all = (self, state, self, self, self, validate)
        return loop.train(*with_all, steps=steps, seconds=seconds, seed=0, **every)


@pytest.mark.parametrize("loss", [math.nan, math.inf])
@pytest.mark.parametrize("at", [1, 3, 4, 5, 12])
def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_step(loss, at):
    run = Counting(loss, at)
    with pytest.raises(FloatingPointError, match=f"^the loss is {loss} at step {at}$"):
        run.train()
    assert all(step < at for step in run.saved + run.written)


def test_a_loss_that_is_not_finite_is_said_in_one_line():
    with pytest.raises(SystemExit, match="^error: the loss is nan at step 3$"):
        guarded(lambda: Counting(math.nan, 3).train())


def test_every_so_many_steps_are_logged_and_saved_and_the_last_is_saved():
    run = Counting()
    run.train(steps=11)
    assert (run.written, run.saved) == ([5, 10], [4, 8, 11])


def test_no_state_is_saved_twice():
    run = Counting()
    run.train(steps=12)
    assert run.saved == [4, 8, 12]
    late = Counting()
    late.train(seconds=0.05, save_every=1, validate=lambda state: time.sleep(0.1) or {})
    assert late.saved == [1]  # the time was over after a state had been saved


def test_a_run_that_is_out_of_time_saves_where_it_is():
    run = Counting()
    state = run.train(steps=10**9, seconds=0.02, save_every=10**9, log_every=10**9)
    assert run.saved == [state.step]
    assert state.step > 0
