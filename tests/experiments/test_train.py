"""Training: compiled once, resumed as if never interrupted, one process at a time."""

import json
import signal
from pathlib import Path

import jax
import numpy as np
import pytest
from omegaconf import OmegaConf
from tiny import training

from experiments import data, train
from experiments.checkpoint import Checkpointer, named, read_run
from experiments.claim import Stop, claim, is_finished
from experiments.command import UserError
from experiments.snapshot import read_snapshot
from experiments.train import train_run
from rssm.step import TrainState
from tracer.store import Dataset, unpack_window

ROW = {"step", "loss", "grad_norm", "changed_right", "steps_per_second"}


def rows(run_dir: Path) -> list[dict]:
    return [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]


def status(run_dir: Path) -> dict:
    return json.loads((run_dir / "status.json").read_text())


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
        def __init__(self, *args, **given):
            self.batches, self.left = data.train_batches(*args, **given), count
            self.get_state, self.set_state = self.batches.get_state, self.batches.set_state
            self.windows = self.batches.windows

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


def test_a_run_tells_how_it_ended(run, tmp_path):
    assert status(run.folder) == {"status": "finished", "step": 12, "error": None}
    assert is_finished(run.folder, 12) and not is_finished(run.folder, 13)
    assert not is_finished(tmp_path, 12)


def test_a_checkpoint_holds_all_that_is_needed_to_go_on(run, dataset):
    names = named(run.trainer.initial())
    _, progress, made_with = read_snapshot(run.folder / "checkpoints" / "12", names)
    assert {name.partition(".")[0] for name in names} == set(TrainState._fields)
    assert progress == {"data": {"next_index": 12}, "key": [0, 0]}
    assert made_with["config"] == OmegaConf.to_container(read_run(run.folder)[0])
    assert made_with["schema"] == Dataset(dataset).schema


def test_a_second_trainer_on_a_folder_is_refused_and_changes_nothing(run, dataset):
    before = contents(run.folder)
    with claim(run.folder):
        with pytest.raises(UserError, match=f"^another process trains in {run.folder}; choose"):
            train_run(training(dataset, run.folder))
    assert contents(run.folder) == before
    with claim(run.folder):
        pass  # it is free again


def test_a_run_that_fails_says_why_in_its_status(dataset, tmp_path, monkeypatch):
    def fail(*args, **settings):
        raise FloatingPointError("the loss is nan at step 3")

    monkeypatch.setattr(train.loop, "train", fail)
    with pytest.raises(FloatingPointError):
        train_run(training(dataset, tmp_path))
    assert status(tmp_path) == {
        "status": "failed",
        "step": 0,
        "error": "the loss is nan at step 3",
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_a_flag_and_the_second_one_is_as_it_was_before(number):
    heard, before = [], signal.signal(number, lambda *_: heard.append("before"))
    try:
        with Stop() as stop:
            assert not stop()
            signal.raise_signal(number)
            assert stop() and not heard
            signal.raise_signal(number)
            assert heard == ["before"]
        signal.raise_signal(number)
        assert len(heard) == 2
    finally:
        signal.signal(number, before)


def test_a_batch_says_which_windows_are_in_it(dataset):
    batches = data.train_batches(Dataset(dataset), 2, 7)
    windows = data._windows(Dataset(dataset), "train")
    fields = Dataset(dataset).layout.fields()
    for _ in range(2 * len(windows)):  # epochs end within a batch
        at = batches.get_state()
        batch, which = next(batches), batches.windows(at)
        for row, number in enumerate(which):
            expected = unpack_window(windows[number], fields)
            assert all((batch[name][row] == expected[name]).all() for name in expected)


def test_a_folder_without_a_dataset_is_named(tmp_path):
    with pytest.raises(UserError, match="no dataset at .*nowhere: manifest.json is missing; `pyth"):
        train_run(training(tmp_path / "nowhere", tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_the_same_seed_gives_the_same_batches_and_another_one_others(dataset):
    def first(seed: int) -> np.ndarray:
        return next(data.train_batches(Dataset(dataset), 2, seed))["values"]

    np.testing.assert_array_equal(first(0), first(0))
    assert not np.array_equal(first(0), first(1))


def test_a_share_of_the_data_is_the_first_windows_of_its_split(dataset):
    opened = Dataset(dataset)
    whole, part = (data.Batches(opened, 1, seed=0, share=share) for share in (1.0, 0.3))
    assert part.count == -(-3 * whole.count // 10)
    read = {part.windows({"next_index": at})[0] for at in range(3 * part.count)}
    assert read == set(range(part.count))
    with pytest.raises(UserError, match="data.share=0.0 is no share"):
        data.Batches(opened, 1, seed=0, share=0.0)


def test_a_curriculum_begins_with_short_values_and_ends_with_all_windows(dataset):
    opened = Dataset(dataset)
    plain, eased = (data.Batches(opened, 1, seed=0, curriculum=n) for n in (0, 400))
    lengths = [symbols_of(opened, number) for number in range(plain.count)]

    def drawn(batches: data.Batches, start: int, count: int) -> list[int]:
        return [
            n for at in range(start, start + count) for n in batches.windows({"next_index": at})
        ]

    with pytest.raises(UserError, match="data.curriculum=-1 is no number of windows, 0 or more"):
        data.Batches(opened, 1, seed=0, curriculum=-1)
    tenth = sorted(lengths)[max(1, plain.count // 10)]
    assert all(lengths[number] <= tenth for number in drawn(eased, 0, 10))
    means = [np.mean([lengths[n] for n in drawn(eased, at, 100)]) for at in (0, 150, 300)]
    assert means == sorted(means)
    first = -(-400 // plain.count) * plain.count  # an epoch that begins after it
    assert sorted(drawn(eased, first, plain.count)) == list(range(plain.count))


def symbols_of(dataset: Dataset, number: int) -> float:
    """Of a value, in the mean over a window's."""
    record = dataset.records("train", "windows")[number]
    lengths = (unpack_window(record, dataset.layout.fields())["values"] > 0).sum(-1)
    return lengths.sum() / max(1, (lengths > 0).sum())


def test_training_on_what_the_model_expects_is_another_training(run, dataset, tmp_path):
    short = ("steps=2", "valid_batches=0", "loss.unseen=0.5")
    some = train_run(training(dataset, tmp_path / "some", *short))
    losses = [rows(folder)[0]["loss"] for folder in (run.folder, some)]
    assert np.isfinite(losses).all() and losses[0] != losses[1]


@pytest.mark.parametrize("asked", [("loss.unseen=1.0",), ("loss.unseen=0.5", "dynamics=rssm")])
def test_a_share_of_states_that_cannot_be_withheld_is_refused(dataset, tmp_path, asked):
    with pytest.raises(UserError, match="is a share below 1, and of dynamics=slots alone"):
        train_run(training(dataset, tmp_path / "run", *asked))
    assert not (tmp_path / "run").exists()
