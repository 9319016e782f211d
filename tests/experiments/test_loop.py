"""The loop, with a trainer that only counts: what is logged, what is saved, when it stops."""

import math
import time

import jax
import numpy as np
import pytest

from experiments import loop
from experiments.command import guarded
from rssm.guard import Guard
from rssm.step import TrainState


class Counting:
    """A trainer, whose step is bad with the batches of these numbers, and all that hangs on it."""

    def __init__(self, *bad: int, loss: float = math.nan, guarded: bool = True):
        self.bad, self.loss, self.guarded = bad, loss, guarded
        self.saved, self.written, self.notes, self.trained = [], [], [], []
        self.batch = self.row = 0
        self.ahead, self.compiling = [], 0.0

    def train_step(self, state, batch, key, ahead):
        bad = batch in self.bad
        self.row = self.row + 1 if bad else 0
        self.trained.append((state.step + 1, batch))
        self.ahead.append(ahead)
        time.sleep(self.compiling if len(self.trained) == 1 else 0)
        metrics = {"loss": self.loss if bad else 1.0, "changed_right": 0.5}
        metrics |= {"in_a_row": self.row, "grad_norm": 2.0} if self.guarded else {}
        return state._replace(step=state.step + 1), metrics

    def save(self, state, progress, scores):
        self.saved.append(state.step)

    def restore(self, state, quarantine):
        assert quarantine
        self.row = 0
        return state._replace(step=self.saved[-1]), {}

    def latest(self):
        return self.saved[-1] if self.saved else None

    def wait(self):
        pass

    def write(self, step, metrics, shown=()):
        self.written.append(step)

    def note(self, text):
        self.notes.append(text)

    def rewind(self, step):
        self.written = [each for each in self.written if each <= step]

    def advance(self, step):
        pass

    def get_state(self):
        return {"next_index": self.batch}

    def windows(self, state):
        return [10 * state["next_index"], 10 * state["next_index"] + 1]

    def __next__(self):
        self.batch += 1
        return self.batch

    def train(self, steps: int = 12, seconds: float = 60, validate=lambda state: {}, **settings):
        stopped = settings.pop("stopped", lambda: False)
        settings = {"log_every": 5, "save_every": 4} | settings
        state = TrainState({}, (), 0, Guard(*np.zeros(5)))
        with_all = (self, state, self, self, self, validate, stopped)
        lengths = {"steps": steps, "clock": settings.pop("clock", None) or loop.Clock(seconds)}
        return loop.train(*with_all, key=jax.random.key(0), **lengths, **settings)


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


def test_what_the_first_step_takes_to_compile_is_not_taken_from_the_schedule():
    run = Counting()
    run.compiling = 0.3
    run.train(steps=10**6, seconds=0.6, save_every=10**9, log_every=10**9)
    assert run.ahead[1] < 10**5  # and not half of the steps


def test_a_run_that_goes_on_is_where_it_was_in_its_schedule():
    run = Counting()
    run.train(
        steps=10**6,
        clock=loop.Clock(100.0, spent=60.0, compiled=20.0),
        stopped=lambda: run.batch == 1,
    )
    assert run.ahead == [pytest.approx(10**6 / 2, rel=0.01)]  # 40 s of 80 that are not to compile


def test_a_run_has_its_time_once(tmp_path):
    path = tmp_path / "clock.json"
    Counting().train(clock=loop.Clock(100.0, spent=60.0, compiled=20.0, path=path))
    again = loop.Clock.of(path, 100.0)
    assert 60 < again.spent < 61 and 20 <= again.compiled < 21
    run = Counting()
    run.train(clock=loop.Clock.of(path, 60.0))
    assert not run.saved


def test_a_run_that_is_asked_to_stop_saves_where_it_is_and_loses_no_time_with_validation():
    run = Counting()
    run.train(stopped=lambda: run.batch == 6, validate=lambda state: run.notes.append("validated"))
    assert run.saved == [4, 6]
    assert run.notes == ["validated"]


def test_a_run_that_is_asked_to_stop_at_its_last_step_has_its_validation():
    """It counts as finished, and nobody would come back for it."""
    run = Counting()
    more = {"stopped": lambda: run.batch == 3, "save_every": 100}
    run.train(steps=3, validate=lambda state: run.notes.append("validated"), **more)
    assert run.saved == [3] and run.notes == ["validated"]


@pytest.mark.parametrize("loss", [math.nan, math.inf, 900.0])
@pytest.mark.parametrize("at", [1, 3, 4, 5, 12])
def test_a_bad_step_stops_the_run_and_names_step_and_windows_if_that_is_asked_for(loss, at):
    run = Counting(at, loss=loss)
    said = f"too many steps were skipped, 1 in a row: the loss is {loss:.6g} at step {at}, "
    said += f"the gradient norm 2, on train windows {10 * at - 10}, {10 * at - 9}"
    with pytest.raises(FloatingPointError, match=f"^{said}$"):
        run.train(patience=1)
    assert all(step < at for step in run.saved)


@pytest.mark.parametrize("at", [1, 3, 4, 12])
def test_a_loss_that_is_not_finite_and_was_not_skipped_stops_the_run(at):
    run = Counting(at, guarded=False)
    with pytest.raises(FloatingPointError, match=f"^the loss is nan at step {at}, .* windows "):
        run.train(patience=8)
    assert all(step < at for step in run.saved + run.written)


def test_it_is_said_in_one_line():
    with pytest.raises(SystemExit, match="^error: too many steps .* nan at step 3.* 20, 21$"):
        guarded(lambda: Counting(3).train(patience=1))


def test_a_skipped_step_is_told_and_the_run_goes_on():
    run = Counting(3, 7, 8)
    assert run.train(patience=3).step == 12
    assert [note.partition(", ")[0] for note in run.notes] == [
        f"skipped: the loss is nan at step {step}" for step in (3, 7, 8)
    ]
    assert run.saved == [4, 12]  # not within a row of bad ones, which may be what began it


def test_a_row_of_bad_steps_goes_back_and_on_with_other_data():
    run = Counting(6, 7, 8)
    assert run.train(patience=3, rollbacks=1).step == 12
    assert run.trained[:8] == [(n, n) for n in range(1, 9)]
    assert run.trained[8:] == [(step, step + 4) for step in range(5, 13)]
    assert run.saved == [4, 8, 12]
    assert run.written == [5, 10]
    assert run.notes[-1].startswith(
        "back to step 4: too many steps were skipped, 3 in a row: the loss is "
    )


def test_it_goes_back_so_many_times_and_then_stops():
    run = Counting(*range(6, 99))
    with pytest.raises(FloatingPointError, match="skipped, 3 in a row: .* at step 7, "):
        run.train(patience=3, rollbacks=2)
    assert sum(note.startswith("back") for note in run.notes) == 2
    assert run.saved == [4]


def test_without_a_checkpoint_there_is_nothing_to_go_back_to():
    run = Counting(1, 2)
    with pytest.raises(FloatingPointError, match="skipped, 2 in a row"):
        run.train(patience=2, rollbacks=3)


def test_bad_last_steps_are_not_saved_as_if_they_were_good():
    run = Counting(11, 12)
    assert run.train(patience=2, rollbacks=1).step == 12
    assert run.saved == [4, 8, 12]
    assert run.trained[-4:] == [(9, 13), (10, 14), (11, 15), (12, 16)]


def test_a_long_list_of_windows_is_cut():
    assert loop.listed([1, 2]) == "1, 2"
    assert loop.listed(list(range(40))).endswith("14, 15 and 24 more")
