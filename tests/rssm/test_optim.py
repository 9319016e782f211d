from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from rssm.optim import clip_per_tensor, laprop, muon

CONFIGS = Path(__file__).parents[2] / "configs"
SETTINGS = dict(learning_rate=0.1, warmup_steps=2, decay_steps=0, final=1.0)
SETTINGS |= dict(agc=0.3, pmin=1e-3, beta1=0.9, beta2=0.99)


def test_three_steps_equal_the_equations():
    rng = np.random.default_rng(0)
    w = {"large": rng.normal(size=(3, 4)), "zero": np.zeros(4)}
    grads = [jax.tree.map(lambda w: rng.normal(size=w.shape), w) for _ in range(3)]
    optimizer = laprop(**SETTINGS, eps=1e-20)
    params = jax.tree.map(lambda w: jnp.asarray(w, jnp.float32), w)
    state = optimizer.init(params)
    m, v = {k: 0.0 for k in w}, {k: 0.0 for k in w}
    for t, g in enumerate(grads, 1):
        updates, state = optimizer.update(jax.tree.map(jnp.float32, g), state, params)
        params = optax.apply_updates(params, updates)
        for k in w:
            limit = 0.3 * max(1e-3, np.sqrt((w[k] ** 2).sum()))
            clipped = g[k] * min(1.0, limit / np.sqrt((g[k] ** 2).sum()))
            v[k] = 0.99 * v[k] + 0.01 * clipped**2
            m[k] = 0.9 * m[k] + 0.1 * clipped / (np.sqrt(v[k] / (1 - 0.99**t)) + 1e-20)
            w[k] = w[k] - 0.1 * min(1.0, (t - 1) / 2) * m[k] / (1 - 0.9**t)
    for k in w:
        np.testing.assert_allclose(params[k], w[k], rtol=1e-5, atol=1e-6)


def test_clipping_looks_at_a_tensor_as_a_whole():
    clip, params = clip_per_tensor(0.5, 1e-3), {"w": jnp.ones((4, 4))}  # norm 4, limit 2
    small, large = ({"w": jnp.zeros((4, 4)).at[0, 0].set(g)} for g in (1.9, 8.0))
    assert clip.update(small, clip.init(params), params)[0]["w"][0, 0] == 1.9
    np.testing.assert_allclose(clip.update(large, clip.init(params), params)[0]["w"][0, 0], 2.0)


def test_a_gradient_of_zero_moves_nothing_and_is_no_nan():
    optimizer, params = laprop(**SETTINGS, eps=1e-20), {"w": jnp.ones(3)}
    updates, _ = optimizer.update({"w": jnp.zeros(3)}, optimizer.init(params), params)
    np.testing.assert_array_equal(updates["w"], 0.0)


def test_without_warmup_the_first_step_has_the_full_rate():
    optimizer, params = laprop(**SETTINGS | {"warmup_steps": 0}, eps=1e-20), {"w": jnp.ones(3)}
    updates, _ = optimizer.update({"w": jnp.ones(3)}, optimizer.init(params), params)
    np.testing.assert_allclose(updates["w"], -0.1, rtol=1e-5)


def test_the_rate_ends_at_its_final_share():
    settings = SETTINGS | {"warmup_steps": 1, "decay_steps": 5, "final": 0.2}
    optimizer, params = laprop(**settings, eps=1e-20), {"w": jnp.ones(3)}
    state = optimizer.init(params)
    for _ in range(8):
        updates, state = optimizer.update({"w": jnp.ones(3)}, state, params)
    np.testing.assert_allclose(updates["w"], -0.02, rtol=1e-4)


def test_a_schedule_can_run_ahead():
    settings = SETTINGS | {"warmup_steps": 1, "decay_steps": 5, "final": 0.2}
    optimizer, params = laprop(**settings, eps=1e-20), {"w": jnp.ones(3)}
    updates, _ = optimizer.update({"w": jnp.ones(3)}, optimizer.init(params), params, ahead=5)
    np.testing.assert_allclose(updates["w"], -0.02, rtol=1e-4)


@pytest.mark.parametrize("name", ["laprop", "muon"])
def test_the_yaml_is_the_constructor_call(name):
    yaml = OmegaConf.load(CONFIGS / f"optim/{name}.yaml")
    cfg = OmegaConf.merge({"steps": 10}, {"optim": yaml})
    assert isinstance(instantiate(cfg.optim), optax.GradientTransformation)


def test_muon_steps_along_the_nearest_orthogonal_matrix_and_moves_the_rest_by_laprop():
    rng = np.random.default_rng(0)
    params = {"kernel": jnp.zeros((8, 32)), "bias": jnp.ones(8), "kernels": jnp.ones((2, 3, 4))}
    grads = jax.tree.map(lambda w: jnp.asarray(rng.normal(size=w.shape), jnp.float32), params)
    settings = SETTINGS | {"warmup_steps": 0, "eps": 1e-20}
    optimizer = muon(**settings, rms=0.5, momentum=0.95)
    updates, _ = optimizer.update(grads, optimizer.init(params), params)
    u, _, vt = np.linalg.svd(np.asarray(grads["kernel"]), full_matrices=False)
    expected = -0.1 * 0.5 * np.sqrt(32) * u @ vt
    # Five steps of Newton and Schulz leave the singular values between 0.7 and 1.2.
    found = np.linalg.svd(np.asarray(updates["kernel"]), compute_uv=False) / (0.05 * np.sqrt(32))
    assert found.min() > 0.6 and found.max() < 1.3
    assert np.sum(updates["kernel"] * expected) / np.sum(expected**2) > 0.7
    alone = laprop(**settings)
    others = {name: params[name] for name in ("bias", "kernels")}
    own = {name: grads[name] for name in others}
    same, _ = alone.update(own, alone.init(others), others)
    for name in others:
        np.testing.assert_allclose(updates[name], same[name], rtol=1e-6)
