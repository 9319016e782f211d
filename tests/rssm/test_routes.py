"""What holds of one route alone: jepa, diffusion, wam, and the variants of rssm."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from rssm.dynamics import diffusion, wam
from rssm.dynamics.base import Action, Inputs, Monitored, Sizes
from rssm.dynamics.diffusion import Denoiser, Diffusion
from rssm.dynamics.jepa import JEPA
from rssm.dynamics.rssm import RSSM
from rssm.dynamics.wam import WAM
from rssm.losses import sigreg, spread
from rssm.nets import two_hot
from rssm.tables import Rows

B, T, V, L, D, A, R, M = 2, 5, 3, 2, 8, 4, 2, 3
SIZES = Sizes(V, L, D, A, R, M, symbols=16, words=20)
BEFORE = dict(groups=2, classes=4, unimix=0.01, free_nats_dyn=0.0, free_nats_rep=0.0)
FLAT = dict(deter=16, hidden=8, blocks=2, feat_dim=3, **BEFORE)
EMBED = dict(embedding=6, width=8, hidden=8, layers=1, context=3, feat_dim=3)


def made(route, **settings):
    return nnx.jit(lambda: route(SIZES, **settings, rngs=nnx.Rngs(0)))()


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    """The first statement comes again at step 3."""
    rng = np.random.default_rng(0)
    embedding = jnp.asarray(rng.normal(size=(B, T, A)), jnp.float32)
    embedding = embedding.at[:, 3].set(embedding[:, 1])
    tokens = jnp.zeros((B, T, M), jnp.int32)
    a = Action(embedding, jnp.asarray(rng.integers(V + 1, size=(B, T, R)), jnp.int32), tokens)
    x = Rows(
        two_hot(jnp.asarray(rng.integers(16, size=(B, 9, L))), D),
        jnp.asarray(rng.integers(9, size=(B, T, V))),
    )
    return Inputs(x, a, jnp.zeros((B, T), bool).at[:, 0].set(True))


# jepa


@pytest.fixture(scope="module")
def jepa() -> JEPA:
    return made(JEPA, heads=2, directions=8, sigreg=1.0, rollout=1.0, **EMBED)


def test_a_probe_teaches_the_embedding_nothing(jepa, inputs):
    graph, weights = nnx.split(jepa)

    @jax.jit
    @jax.grad
    def probed(weights):
        _, rollout = nnx.merge(graph, weights).observe(jepa.initial(B), inputs, None)
        return jnp.square(rollout.after).sum() + jnp.square(rollout.guess).sum()

    for part, grads in nnx.to_pure_dict(probed(weights)).items():
        moved = any(jnp.any(grad) for grad in jax.tree.leaves(grads))
        assert moved == (part in ("probe", "feat")), part


def test_sigreg_is_least_for_a_gaussian():
    key = jax.random.key(0)
    normal = jax.random.normal(key, (4000, 3))
    directions, mask = jax.random.normal(key, (3, 5)), jnp.ones(4000, bool)
    others = 3 * normal, 0 * normal, normal + 1, jnp.sign(normal)
    near, *far = (sigreg(e, directions, mask).mean() for e in (normal, *others))
    assert 0 <= near < 1e-3 < min(far)


def test_sigreg_of_a_point_is_what_the_integral_is():
    # int over [-3, 3] of (1 - exp(-t^2 / 2))^2 exp(-t^2 / 2)
    t = np.linspace(-3, 3, 100001)
    values = (1 - np.exp(-(t**2) / 2)) ** 2 * np.exp(-(t**2) / 2)
    expected = np.trapezoid(values, t)
    found = sigreg(jnp.zeros((4, 3)), jnp.ones((3, 2)), jnp.ones(4, bool))
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_sigreg_is_a_mean_over_the_embeddings_that_count():
    rng = np.random.default_rng(0)
    e, directions = rng.normal(2.0, 1.0, (6, 3)), rng.normal(size=(3, 4))
    mask = np.array([1, 1, 0, 1, 0, 1], bool)
    found = sigreg(jnp.asarray(e), jnp.asarray(directions), jnp.asarray(mask))[mask].mean()
    t = np.linspace(-3, 3, 33)
    s = e[mask] @ (directions / np.linalg.norm(directions, axis=0))
    gap = np.abs(np.exp(1j * t[:, None, None] * s).mean(1) - np.exp(-(t**2) / 2)[:, None]) ** 2
    expected = np.trapezoid(gap * np.exp(-(t**2) / 2)[:, None], t, axis=0).mean()
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_collapse_is_seen():
    mask = jnp.ones(1000, bool).at[500:].set(False)
    e = jax.random.normal(jax.random.key(0), (1000, 4)).at[500:].set(1e6)
    deviation, rank = spread(e, mask)
    assert deviation == pytest.approx(1, abs=0.1) and rank == pytest.approx(4, abs=0.2)
    line = e[:, :1] * jnp.ones(4)
    assert spread(line, mask)[1] == pytest.approx(1, abs=1e-3)
    assert spread(jnp.ones((1000, 4)), mask)[0] == pytest.approx(0, abs=1e-3)


def test_an_embedding_is_watched(jepa, inputs):
    assert isinstance(jepa, Monitored)
    _, rollout = jax.jit(jepa.observe)(jepa.initial(B), inputs, None)
    watched = jepa.monitor(rollout, jnp.ones((B, T), bool))
    assert watched.keys() == {"embedding_deviation", "embedding_rank"}
    assert 1 <= watched["embedding_rank"] <= EMBED["embedding"]


# diffusion


class Perfect:
    """A denoiser that knows the latent: F of the preconditioning, or the latent itself."""

    def __init__(self, e, objective):
        self.e, self.objective = e, objective

    def __call__(self, y, level, condition):
        if self.objective == "shortcut":
            return jnp.broadcast_to(self.e, y.shape)
        s = jnp.exp(4 * level[..., :1])
        y = y * jnp.sqrt(s**2 + 0.25)
        return (self.e - 0.25 / (s**2 + 0.25) * y) / (s * 0.5 / jnp.sqrt(s**2 + 0.25))


@pytest.mark.parametrize("objective", diffusion.OBJECTIVES)
@pytest.mark.parametrize("steps", [1, 2, 4])
def test_a_path_of_any_length_ends_at_what_a_perfect_denoiser_knows(objective, steps):
    e, path = jnp.array([0.5, -0.5]), getattr(diffusion, f"{objective}_path")
    noise = jax.random.normal(jax.random.key(0), (3, 2))
    found = path(Perfect(e, objective), noise, jnp.zeros((3, 1)), steps)
    np.testing.assert_allclose(found, jnp.broadcast_to(e, (3, 2)), atol=1e-4)


def test_a_perfect_denoiser_has_no_error():
    e = jnp.broadcast_to(jnp.array([0.5, -0.5]), (7, 2))
    error = diffusion.edm_error(Perfect(e, "edm"), e, jnp.zeros((7, 1)), jax.random.key(0))
    np.testing.assert_allclose(error, 0, atol=1e-6)


def test_noise_falls_from_5_to_0_002_in_the_steps_of_karras():
    levels = diffusion.edm_levels(3)
    assert levels[0] == pytest.approx(5.0) and levels[-1] == pytest.approx(2e-3)
    middle = ((5.0 ** (1 / 7) + 2e-3 ** (1 / 7)) / 2) ** 7
    assert levels[1] == pytest.approx(middle)


def test_a_shortcut_learns_from_its_own_halves():
    denoiser = nnx.jit(lambda: Denoiser(2, 8, 1, 3, rngs=nnx.Rngs(0), dtype="float32"))()
    e, condition = jnp.ones((64, 2)) / 2, jnp.ones((64, 3))
    error = jax.jit(diffusion.shortcut_error)(denoiser, e, condition, jax.random.key(1))
    assert error.shape == (64,) and jnp.isfinite(error).all() and (error > 0).all()


def test_latents_have_the_deviation_that_the_noise_is_measured_by(inputs):
    model = made(Diffusion, objective="shortcut", steps=4, **EMBED)
    _, rollout = jax.jit(model.observe)(model.initial(B), inputs, jax.random.key(0))
    np.testing.assert_allclose(jnp.square(rollout.aux.e).mean(-1), 0.25, rtol=1e-3)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"objective": "flow", "steps": 2}, "unknown objective 'flow'"),
        ({"objective": "shortcut", "steps": 3}, "not 3"),
    ],
)
def test_what_diffusion_cannot_do_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Diffusion(SIZES, **settings, **EMBED, rngs=nnx.Rngs(0))


# wam


@pytest.fixture(scope="module")
def model() -> WAM:
    return made(WAM, **FLAT)


def test_a_statement_counts_once_among_those_of_its_trajectory(inputs):
    reset = inputs.reset.at[1, 4].set(True)
    mask = jnp.ones((B, T), bool).at[0, 4].set(False)
    first, once = wam.named_once(inputs.a.embedding, reset, mask)
    assert first[0, 3] == first[0, 1] == 1 and first[0, 2] == 2
    np.testing.assert_array_equal(once[0, 3], [False, True, True, False, False])
    np.testing.assert_array_equal(once[1, 3], [False, True, True, False, False])
    assert not once[1, 4].any()  # a trajectory that has only begun


def test_what_led_to_a_state_is_told_without_looking(model, inputs):
    @jax.jit
    def explain(inputs):
        begin = jax.tree.map(lambda x: x[:, :1], inputs._replace(x=None, reset=~inputs.reset))
        now = begin._replace(x=inputs.x._replace(numbers=inputs.x.numbers[:, :1]))
        return model.explain(model.initial(B), now, inputs.a.embedding)

    other = inputs._replace(a=inputs.a._replace(embedding=inputs.a.embedding + 1))
    other = other._replace(a=inputs.a._replace(refs=(inputs.a.refs + 1) % V))
    scores = explain(inputs)
    assert scores.shape == (B, T)
    np.testing.assert_array_equal(scores, explain(other))
    seen = inputs._replace(x=inputs.x._replace(numbers=(inputs.x.numbers + 1) % 9))
    assert (scores != explain(seen)).any()


def test_a_statement_is_named_from_the_states_around_it_alone(model, inputs):
    named, mask = jax.jit(model.named), jnp.ones((B, T), bool)
    found = named(inputs, mask)
    assert found.keys() == {"next", "inverse"}
    assert all(right.shape == (B, T) and right.dtype == bool for right in found.values())
    other = inputs._replace(a=inputs.a._replace(refs=(inputs.a.refs + 1) % V))
    np.testing.assert_array_equal(found["inverse"], named(other, mask)["inverse"])


def test_to_run_free_is_to_imagine_what_was_proposed(model, inputs):
    carry, _ = jax.jit(model.observe)(model.initial(B), inputs, None)
    end, rollout, taken = jax.jit(model.run_free, static_argnums=2)(carry, inputs.a, 4)
    assert taken.shape == (B, 4)
    np.testing.assert_array_equal(taken[:, 0], model.propose(carry, inputs.a.embedding).argmax(-1))
    rows = jnp.arange(B)[:, None]
    a = jax.tree.map(lambda x: x[rows, taken], inputs.a)
    again, expected = jax.jit(model.imagine)(carry, a, None)
    np.testing.assert_allclose(rollout.after, expected.after, rtol=1e-4, atol=1e-5)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-4), end, again)


def test_statements_learn_from_states_and_the_other_way_round(model, inputs):
    _, rollout = jax.jit(model.observe)(model.initial(B), inputs, None)
    losses = jax.jit(model.loss)(rollout, jnp.ones((B, T), bool), jax.random.key(1))
    assert losses.keys() == {"dyn", "rep", "next", "inverse", "marginal"}
    for name in ("next", "inverse", "marginal"):
        assert losses[name].any() and not losses[name][:, 0].any(), name


# variants of rssm


def test_a_linear_cell_is_linear_in_h(inputs):
    """What h it ends with is affine in the h that it began with, when z is always the same."""
    model = made(RSSM, cell="linear", decoupled=True, **FLAT)
    go_on = inputs._replace(reset=jnp.zeros((B, T), bool))

    @jax.jit
    def end(h):
        return model.observe((h, jnp.zeros((B, 2, 4))), go_on, None)[0][0]

    one, other = jax.random.normal(jax.random.key(0), (2, B, 16))
    between = end((one + other) / 2)
    np.testing.assert_allclose(between, (end(one) + end(other)) / 2, rtol=1e-4, atol=1e-5)


def test_a_decoupled_posterior_knows_the_observation_alone(inputs):
    model = made(RSSM, decoupled=True, **FLAT)
    other = inputs._replace(a=inputs.a._replace(embedding=inputs.a.embedding + 1))
    observe = jax.jit(model.observe)
    one, two = (observe(model.initial(B), x, None)[1].aux for x in (inputs, other))
    np.testing.assert_array_equal(one.post, two.post)
    assert (one.prior != two.prior).any()


def test_latents_are_sampled_where_the_mode_would_be_taken_only_if_asked(inputs):
    mode, sampled = (made(RSSM, imagination=name, **FLAT) for name in ("mode", "sample"))
    one, two, three = (
        jax.jit(model.imagine)(model.initial(B), inputs.a, None)[1].after
        for model in (mode, sampled, mode)
    )
    np.testing.assert_array_equal(one, three)
    assert (one != two).any()


def test_a_variant_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="unknown variant 'lstm'; there are: gru, linear"):
        RSSM(SIZES, cell="lstm", **FLAT, rngs=nnx.Rngs(0))
