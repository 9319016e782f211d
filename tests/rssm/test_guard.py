"""Bad steps are skipped inside the compiled step, and change nothing but their count."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from rssm.guard import Guard, judge
from rssm.model import WorldModel
from rssm.step import Trainer, TrainState

KEY = jax.random.key(0)
WINDOW = 16


class Line(WorldModel):
    """y = w x, with some noise from the key."""

    def __init__(self):
        self.w = nnx.Param(jnp.ones(3))

    def loss(self, batch, key):
        noise = 0.01 * jax.random.normal(key, (3,))
        return jnp.mean((batch["x"] @ (self.w + noise) - batch["y"]) ** 2), {}


def batch(seed: int) -> dict[str, np.ndarray]:
    x = np.random.default_rng(seed).normal(size=(32, 3)).astype(np.float32)
    return {"x": x, "y": x @ np.array([1, 2, 3], np.float32) + x[:, 0] ** 2}


def scaled(seed: int, by: float) -> dict[str, np.ndarray]:
    return {name: np.float32(by) * x for name, x in batch(seed).items()}


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    return Trainer(Line(), optax.adam(1e-2), spike=20.0, window=WINDOW)


def trained(trainer: Trainer, state: TrainState, batches) -> tuple[TrainState, list[dict]]:
    found = []
    for each in batches:
        state, metrics = trainer.train_step(state, each, KEY)
        found.append(jax.device_get(metrics))
    return state, found


def assert_same(one, other):
    jax.tree.map(np.testing.assert_array_equal, one, other)


@pytest.mark.parametrize("by", [np.nan, np.inf, 1e30])
@pytest.mark.parametrize("at", [0, 1, 5])
def test_a_step_that_is_not_finite_is_as_if_it_had_not_been(trainer, by, at):
    batches = [batch(n) for n in range(8)]
    state, found = trained(trainer, trainer.initial(), [*batches[:at], scaled(99, by)])
    assert (found[-1]["skipped"], found[-1]["in_a_row"], int(state.step)) == (1, 1, at + 1)
    before, _ = trained(trainer, trainer.initial(), batches[:at])
    assert_same((state.params, state.opt_state), (before.params, before.opt_state))
    # From here on it goes as in a run that never saw this batch, and took its number for another.
    jumped = before._replace(step=before.step + 1)
    one, found = trained(trainer, state, batches[at:])
    other, _ = trained(trainer, jumped, batches[at:])
    assert_same(one._replace(guard=None), other._replace(guard=None))
    assert (found[-1]["skipped"], found[-1]["in_a_row"]) == (1, 0)


def test_bad_steps_in_a_row_are_never_taken(trainer):
    state, _ = trained(trainer, trainer.initial(), [batch(0)])
    before = jax.device_get(state)
    state, found = trained(trainer, state, [scaled(n, np.nan) for n in range(1, 20)])
    assert_same((state.params, state.opt_state), (before.params, before.opt_state))
    assert [row["in_a_row"] for row in found] == list(range(1, 20))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state))


def test_a_spike_is_skipped_and_a_thousand_usual_steps_are_not(trainer):
    state, found = trained(trainer, trainer.initial(), [batch(n) for n in range(1000)])
    assert found[-1]["skipped"] == 0
    before = jax.device_get(state)
    state, found = trained(trainer, state, [scaled(0, 10.0)])  # a hundred times the loss
    assert found[-1]["skipped"] == 1
    assert_same((state.params, state.opt_state), (before.params, before.opt_state))


def test_the_step_is_compiled_once_whatever_becomes_of_it(trainer):
    trained(trainer, trainer.initial(), [batch(0), scaled(1, np.nan), batch(2)])
    assert trainer.train_step._cache_size() == 1


def ask(losses, spike: float | None = 20.0) -> list[bool]:
    """Whether each of these losses is taken."""
    function = jax.jit(judge, static_argnums=(3, 4))
    guard, found = Guard.initial(), []
    for loss in losses:
        good, guard = function(guard, jnp.float32(loss), jnp.float32(1), spike, WINDOW)
        found.append(bool(good))
    return found


@pytest.mark.parametrize(
    "usual",
    [
        lambda rng, n: 3 + 0.1 * rng.normal(),
        lambda rng, n: np.exp(rng.normal()),  # heavy to the right, as losses of batches are
        lambda rng, n: 100 * 0.99**n + rng.random(),
        lambda rng, n: -5 + rng.normal(),  # a density may make a loss negative
        lambda rng, n: 2.0,
    ],
)
def test_usual_losses_are_taken_and_a_hundred_times_the_largest_is_not(usual):
    rng = np.random.default_rng(0)
    losses = [usual(rng, n) for n in range(1000)]
    assert all(ask(losses))
    assert ask([*losses, 100 * max(map(abs, losses)), losses[-1]])[-2:] == [False, True]


def test_before_the_window_is_full_nothing_is_a_spike():
    assert all(ask([1.0] * (WINDOW - 1) + [1e6]))
    assert not ask([1.0] * WINDOW + [1e6])[-1]


def test_spikes_are_not_looked_for_unless_they_are_asked_for():
    assert all(ask([1.0] * 100 + [1e6], spike=None))
    assert not ask([1.0] * 100 + [np.nan], spike=None)[-1]


def test_what_is_skipped_does_not_move_what_is_usual():
    losses = [1.0] * WINDOW + [1e6] * 50
    assert not any(ask(losses)[WINDOW:])
    assert ask([*losses, 1.0])[-1]
