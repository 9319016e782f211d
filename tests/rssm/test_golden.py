"""One step of the RSSM against the equations of DreamerV3, written again in numpy.

The reference concatenates where `rssm.dynamics.rssm` adds up parts: the two share no code, and
their weights only by name.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from rssm.dists import gumbel
from rssm.dynamics.base import Action, Inputs, Sizes
from rssm.dynamics.rssm import RSSM
from rssm.tables import Rows

SLOTS, CELLS, X, A, REFS = 3, 2, 5, 6, 2
DETER, HIDDEN, GROUPS, CLASSES, BLOCKS, FEAT = 16, 7, 4, 5, 4, 6
B = 6
MIX = 0.01


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


SIZES = dict(deter=DETER, hidden=HIDDEN, groups=GROUPS, classes=CLASSES, blocks=BLOCKS)
SETTINGS = dict(unimix=MIX, free_nats_dyn=0.0, free_nats_rep=1.0, feat_dim=FEAT, dtype="float64")


def make_model(rng):
    data = Sizes(SLOTS, CELLS, X, A, REFS, tokens=0, symbols=16, words=16)
    model = nnx.eval_shape(lambda: RSSM(data, **SIZES, **SETTINGS, rngs=nnx.Rngs(0)))
    # Everywhere, biases and scales too, away from the values at which a mistake could hide.
    weights = jax.tree.map(lambda w: rng.normal(0.3, 0.5, w.shape), nnx.state(model))
    nnx.update(model, weights)
    return model, nnx.to_pure_dict(weights)


def make_step(rng):
    h = rng.normal(size=(B, DETER))
    z = np.eye(CLASSES)[rng.integers(CLASSES, size=(B, GROUPS))]
    x = rng.normal(size=(B, SLOTS, CELLS, X))
    a = 2 * rng.normal(size=(B, A))  # beyond 1, where it is cut
    refs = rng.integers(SLOTS + 1, size=(B, REFS))
    return h, z, x, a, refs


def action_of(a, refs):
    return Action(a[:, None], refs[:, None], None)  # this model does not read the text


def dense(w, x):
    return x @ w["kernel"] + w.get("bias", 0.0)


def norm_silu(w, x):
    x = x / np.sqrt(np.mean(x**2, -1, keepdims=True) + 1e-4) * w["scale"]
    return x / (1 + np.exp(-x))


def mlp(w, x):
    for i in w["layers"]:
        x = norm_silu(w["norms"][i], dense(w["layers"][i], x))
    return x


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def core(w, h, z, a, refs):
    a = np.concatenate([a, np.eye(SLOTS + 1)[refs].reshape(B, -1)], -1)
    return gru(w, h, z, a / np.maximum(1, np.abs(a)))


def gru(w, h, z, a):
    inputs = [mlp(w["in_h"], h), mlp(w["in_z"], z.reshape(B, -1)), mlp(w["in_a"], a)]
    width = DETER // BLOCKS
    mixed, gates = [], []
    for g in range(BLOCKS):
        own = slice(g * width, (g + 1) * width)
        kernel = np.concatenate(
            [w["mix_h"]["kernel"][g], w["mix_hz"]["kernel"][:, own], w["mix_a"]["kernel"][:, own]]
        )
        mixed.append(np.concatenate([h[:, own], *inputs], -1) @ kernel)
    mixed = norm_silu(w["mix_norm"], np.concatenate(mixed, -1) + w["mix_h"]["bias"])
    for g in range(BLOCKS):
        own = slice(g * width, (g + 1) * width)
        bias = w["gates"]["bias"][g * 3 * width : (g + 1) * 3 * width]
        gates.append(mixed[:, own] @ w["gates"]["kernel"][g] + bias)
    r, c, u = (np.concatenate([np.split(gate, 3, -1)[k] for gate in gates], -1) for k in range(3))
    u = sigmoid(u - 1)
    return u * np.tanh(sigmoid(r) * c) + (1 - u) * h


def probabilities(logits):
    e = np.exp(logits.reshape(B, GROUPS, CLASSES))
    return (1 - MIX) * e / e.sum(-1, keepdims=True) + MIX / CLASSES


def prior(w, h):
    return probabilities(dense(w["prior_logits"], mlp(w["prior"], h)))


def posterior(w, h, x):
    kernel = np.concatenate([w["post_h"]["kernel"], w["post_x"]["kernel"]])
    hidden = np.concatenate([h, x.reshape(B, -1)], -1) @ kernel + w["post_h"]["bias"]
    return probabilities(dense(w["post_logits"], norm_silu(w["post_norm"], hidden)))


def draw(probs, noise):
    return np.eye(CLASSES)[np.argmax(np.log(probs) + noise, -1)]


def feature(w, h, z):
    y = dense(w["feat"], np.concatenate([h, z.reshape(B, -1)], -1)).reshape(B, SLOTS, CELLS, FEAT)
    return y / np.sqrt(np.mean(y**2, -1, keepdims=True) + 1e-4) * w["feat_norm"]["scale"]


def noise_of(key):
    return 0.0 if key is None else np.asarray(gumbel(key, B, 1, GROUPS, CLASSES))[:, 0]


def assert_close(actual, expected):
    np.testing.assert_allclose(np.asarray(actual, np.float64), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("seed", [None, 7])
def test_an_observed_step_and_its_two_kl_terms_equal_the_equations(seed):
    rng = np.random.default_rng(0)
    model, w = make_model(rng)
    h, z, x, a, refs = make_step(rng)
    reset = np.arange(B) % 3 == 0
    key = None if seed is None else jax.random.key(seed)

    numbers = np.broadcast_to(np.arange(SLOTS), (B, 1, SLOTS))
    inputs = Inputs(Rows(x, numbers), action_of(a, refs), reset[:, None])
    carry, rollout = jax.jit(model.observe)(*jax.tree.map(jnp.asarray, ((h, z), inputs)), key)

    started = core(w, h, z, a, refs)
    fresh = gru(w, 0 * h, 0 * z, np.zeros((B, A + REFS * (SLOTS + 1))))
    h = np.where(reset[:, None], fresh, started)
    p, q = prior(w, h), posterior(w, h, x)
    z, guess = draw(q, noise_of(key)), draw(p, noise_of(key))
    kl = np.sum(q * np.log(q / p), (-2, -1))
    assert (kl < 1.0).any() and (kl > 1.0).any(), kl  # both sides of the free nats

    assert carry[0].dtype == np.float64
    assert_close(carry[0], h)
    assert_close(carry[1], z)
    assert_close(rollout.after[:, 0], feature(w, h, z))
    assert_close(rollout.guess[:, 0], feature(w, h, guess))
    assert_close(model.loss(rollout)["dyn"][:, 0], kl)
    assert_close(model.loss(rollout)["rep"][:, 0], np.maximum(1.0, kl))


@pytest.mark.parametrize("seed", [None, 7])
def test_an_imagined_step_equals_the_equations(seed):
    rng = np.random.default_rng(0)
    model, w = make_model(rng)
    h, z, _, a, refs = make_step(rng)
    key = None if seed is None else jax.random.key(seed)

    action = action_of(a, refs)
    carry, rollout = jax.jit(model.imagine)(*jax.tree.map(jnp.asarray, ((h, z), action)), key)

    h = core(w, h, z, a, refs)
    z = draw(prior(w, h), noise_of(key))
    assert_close(carry[0], h)
    assert_close(carry[1], z)
    assert_close(rollout.after[:, 0], feature(w, h, z))
