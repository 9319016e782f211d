"""The latest and the best state of a run are kept, and come back as they were."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.checkpoint import SCORE, Checkpointer, read_run, write_run
from experiments.command import UserError
from rssm.guard import Guard
from rssm.step import TrainState


@pytest.fixture
def checkpointer(tmp_path):
    with_files = Checkpointer(tmp_path)
    yield with_files
    with_files.close()


def state_at(step: int) -> TrainState:
    params = {
        "w": jax.random.normal(jax.random.key(step), (3, 2)),
        "half": jnp.asarray([1 / 3, step], jnp.bfloat16),
    }
    opt_state = (), {"count": jnp.int32(7 * step), "empty": jnp.zeros((0, 2))}
    return TrainState(params, opt_state, jnp.int32(step), Guard.initial())


def save(checkpointer: Checkpointer, scores: dict[int, float | None]) -> None:
    for step, score in scores.items():
        checkpointer.save(state_at(step), {"at": [step]}, {} if score is None else {SCORE: score})
    checkpointer.wait()


@pytest.mark.parametrize(
    "scores, kept",
    [
        ({1: 0.9, 2: 0.1, 3: 0.2, 4: 0.3}, [1, 3, 4]),  # the best is old
        ({1: 0.1, 2: 0.2, 3: 0.3}, [2, 3]),  # the best is the latest
        ({1: 0.1, 2: 0.9, 3: 0.3, 4: 0.3}, [2, 3, 4]),
        ({5: 0.0}, [5]),
        ({1: None, 2: 0.1, 3: None, 4: None, 5: None}, [2, 4, 5]),  # some have no score
        ({1: 0.5, 2: 0.5, 3: 0.1, 4: 0.1}, [2, 3, 4]),  # of equals the later one
    ],
)
def test_the_latest_two_and_the_best_are_kept(checkpointer, scores, kept):
    save(checkpointer, scores)
    assert checkpointer.steps() == kept
    assert checkpointer.latest() == kept[-1]


@pytest.mark.parametrize("step", [None, 1])
def test_what_is_restored_is_what_was_saved(checkpointer, step):
    save(checkpointer, {1: 0.9, 2: 0.1})
    state, data = checkpointer.restore(state_at(0), step)
    expected = state_at(step or 2)
    assert data == {"at": [step or 2]}
    assert jax.tree.structure(state) == jax.tree.structure(expected)
    for found, saved in zip(jax.tree.leaves(state), jax.tree.leaves(expected), strict=True):
        assert found.dtype == saved.dtype
        np.testing.assert_array_equal(found, saved)


def test_another_process_finds_it_again(checkpointer, tmp_path):
    save(checkpointer, {3: 0.5})
    again = Checkpointer(tmp_path)
    assert again.latest() == 3
    np.testing.assert_array_equal(
        again.restore(state_at(0))[0].params["w"], state_at(3).params["w"]
    )
    again.close()


def test_a_run_without_a_checkpoint_is_named(checkpointer, tmp_path):
    with pytest.raises(UserError, match=f"^no checkpoint in {tmp_path}/checkpoints$"):
        checkpointer.restore(state_at(0))


def test_a_run_remembers_what_it_was_made_with(tmp_path, run):
    cfg, schema = read_run(run.folder)
    write_run(tmp_path / "copy", cfg, schema)
    assert read_run(tmp_path / "copy") == (cfg, schema)


def test_a_folder_that_is_no_run_is_named(tmp_path):
    with pytest.raises(UserError, match=f"^no run at {tmp_path}: config.yaml is missing$"):
        read_run(tmp_path)
