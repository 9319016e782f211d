"""The fault-injection list, 42 to 52: checkpoints that are damaged, or of another model."""

import json
import os
import random
import re
import shutil
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments import snapshot
from experiments.checkpoint import SCORE, Checkpointer
from experiments.command import UserError
from rssm.guard import Guard
from rssm.step import TrainState

pytestmark = pytest.mark.faults
OLD = Path(__file__).with_name("checkpoints")


def state_at(step: int, width: int = 2, dtype=jnp.float32) -> TrainState:
    draw = np.random.default_rng(step)
    params = {f"w{n}": jnp.asarray(draw.normal(size=(30, width)), dtype) for n in range(3)}
    return TrainState(params, ((), {"count": jnp.int32(step)}), jnp.int32(step), Guard.initial())


def saved(folder: Path, *steps: int) -> Path:
    checkpointer = Checkpointer(folder, {"config": {"seed": 0}, "schema": {"fields": []}})
    for step in steps:
        checkpointer.save(state_at(step), {"data": {"next_index": step}}, {SCORE: 0.5})
    checkpointer.close()
    return folder / "checkpoints"


def restored(folder: Path, **settings) -> tuple[TrainState, dict]:
    checkpointer = Checkpointer(folder)
    try:
        return checkpointer.restore(state_at(0), **settings)
    finally:
        checkpointer.close()


def assert_same(one: TrainState, other: TrainState):
    jax.tree.map(np.testing.assert_array_equal, one, other)


def harmed(path: Path, step: int, how: str, draw: random.Random) -> tuple[str, str]:
    """One bit of one file is turned, or a file is cut: which, and where."""
    files = sorted(p for p in (path / str(step)).rglob("*") if p.is_file() and p.stat().st_size)
    file = draw.choice(files)
    content = bytearray(file.read_bytes())
    at = draw.randrange(len(content))
    if how == "flip":
        content[at] ^= 1 << draw.randrange(8)
    else:
        del content[at:]
    file.write_bytes(content)
    return str(file.relative_to(path / str(step))), f"{file} at {at}"


@pytest.mark.parametrize("how", ["flip", "cut"])
def test_42_damage_is_found_and_told_and_moved_aside(tmp_path, capsys, thorough, how):
    kept, draw = saved(tmp_path / "kept", 4, 8), random.Random(1)
    harmless = 0
    for number in range(200 if thorough else 20):
        run = tmp_path / f"run{number}"
        shutil.copytree(kept, run / "checkpoints")
        file, where = harmed(run / "checkpoints", 8, how, draw)
        state, progress = restored(run, quarantine=True)
        said = capsys.readouterr().err
        if progress["data"] == {"next_index": 8}:
            assert_same(state, state_at(8))  # a blank in seal.json, say
            assert file == snapshot.SEAL and not said, where
            harmless += 1
        else:
            assert progress["data"] == {"next_index": 4}, where
            assert_same(state, state_at(4))
            there = {path.name for path in (run / "checkpoints").iterdir()}
            assert there == {"4", "corrupt-8"}, where
            assert said.startswith(f"checkpoint {run}/checkpoints/8 is damaged: {file} "), where
            assert file == snapshot.SEAL or " lea" in said, where
            assert said.endswith(f"; moved to {run}/checkpoints/corrupt-8\n")
        shutil.rmtree(run)
    print(f"{harmless} harmless")


def test_42_the_leaf_that_is_damaged_is_named(tmp_path, capsys):
    kept = saved(tmp_path, 4, 8)
    content = json.loads((kept / "8" / snapshot.SEAL).read_text())
    content.pop("sha256")
    content["leaves"]["params.w1"]["sha256"] = "0" * 64  # as if the memory had been bad at saving
    text = json.dumps(content | {"sha256": snapshot.text_digest(content)})
    (kept / "8" / snapshot.SEAL).write_text(text)
    assert restored(tmp_path)[1]["data"] == {"next_index": 4}
    said = capsys.readouterr().err
    assert said == f"checkpoint {kept}/8 is damaged: not as saved: leaf params.w1\n"
    assert (kept / "8").exists()  # whoever only reads moves nothing


@pytest.mark.parametrize(
    "harm, said",
    [
        (lambda path: (path / "state/_METADATA").unlink(), "state/_METADATA is missing, and with"),
        (lambda path: (path / "seal.json").unlink(), "seal.json is missing"),
        (lambda path: (shutil.rmtree(path), path.mkdir()), "seal.json is missing"),
        (lambda path: (path / "state/stray").write_text("?"), "state/stray does not belong to it"),
        (lambda path: shutil.rmtree(path / "progress"), "progress/.* is missing"),
        (lambda path: (path / "seal.json").write_text("[]"), "seal.json cannot be read"),
    ],
)
def test_43_what_is_missing_or_does_not_belong_is_damage(tmp_path, capsys, harm, said):
    harm(saved(tmp_path, 4, 8) / "8")
    state, _ = restored(tmp_path, quarantine=True)
    assert_same(state, state_at(4))
    assert re.search(f"^checkpoint .*/8 is damaged: {said}.*; moved to ", capsys.readouterr().err)
    assert (tmp_path / "checkpoints/corrupt-8").is_dir()


def test_43_when_nothing_good_is_left_a_run_does_not_begin_anew_by_itself(tmp_path, dataset):
    for path in saved(tmp_path, 4, 8).iterdir():
        (path / "seal.json").write_text("{}")
    with pytest.raises(UserError, match="no good checkpoint is left in .*; 8: seal.json cannot"):
        restored(tmp_path, quarantine=True)
    assert Checkpointer(tmp_path).begun()
    with pytest.raises(UserError, match="no good checkpoint is left in .*; remove it to begin"):
        restored(tmp_path, quarantine=True)


def test_45_after_a_save_that_failed_the_same_step_and_later_ones_are_saved(tmp_path, monkeypatch):
    saved(tmp_path, 1)
    checkpointer = Checkpointer(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "sync", lambda path: os.stat("nowhere"))
        checkpointer.save(state_at(2), {}, {})
        with pytest.raises(
            UserError, match="^checkpoint 2 was not saved, the newest checkpoint is 1"
        ):
            checkpointer.wait()
    assert checkpointer.latest() == 1
    for step in (2, 3):
        checkpointer.save(state_at(step), {}, {})
        checkpointer.wait()
        assert checkpointer.latest() == step
    assert {path.name for path in checkpointer.folder.iterdir()} == {"1", "2", "3"}
    checkpointer.close()


@pytest.mark.parametrize(
    "other, said",
    [
        (
            state_at(0, width=3),
            r"params.w0 is float32\[30, 2\], in the model float32\[30, 3\]",
        ),
        (
            state_at(0, dtype=jnp.bfloat16),
            r"params.w0 is float32\[30, 2\], in the model bfloat16\[30, 2\]",
        ),
        (state_at(0)._replace(opt_state=()), "opt_state.1.count is not in the model"),
        (state_at(0)._replace(params=state_at(0).params | {"v": 1.0}), "params.v is only in the"),
    ],
)
def test_51_another_model_is_refused_and_both_shapes_are_named(tmp_path, other, said):
    saved(tmp_path, 4)
    checkpointer = Checkpointer(tmp_path)
    with pytest.raises(UserError, match=f"checkpoints/4 does not fit: {said}"):
        checkpointer.restore(other, quarantine=True)
    assert checkpointer.steps() == [4]  # it is not damaged
    checkpointer.close()


def test_52_a_checkpoint_of_this_format_is_still_read(tmp_path):
    shutil.copytree(OLD / "1", tmp_path / "checkpoints" / "5")
    state, progress = restored(tmp_path)
    assert_same(state, state_at(5))
    assert progress == {"data": {"next_index": 5}}


def test_52_a_checkpoint_of_no_format_is_refused_and_kept(tmp_path):
    shutil.copytree(OLD / "0", tmp_path / "checkpoints" / "3")
    with pytest.raises(UserError, match="3: seal.json is missing; so it was before format 1$"):
        restored(tmp_path)
    assert (tmp_path / "checkpoints" / "3").is_dir()


def test_52_a_later_format_is_refused_and_named(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "FORMAT", 2)
        saved(tmp_path, 4)
    with pytest.raises(UserError, match="checkpoints/4 has format 2; this version reads 1$"):
        restored(tmp_path, quarantine=True)
    assert Checkpointer(tmp_path).steps() == [4]
