import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rssm.dists import gumbel, kl, sample, unimix

LOGITS = 3 * jax.random.normal(jax.random.key(0), (5, 4, 6))


@pytest.mark.parametrize("mix", [0.0, 0.01, 1.0])
def test_unimix_mixes_the_softmax_with_the_uniform_distribution(mix):
    probs = jnp.exp(unimix(LOGITS, mix))
    np.testing.assert_allclose(probs, (1 - mix) * jax.nn.softmax(LOGITS) + mix / 6, rtol=1e-5)


@pytest.mark.parametrize("mix", [0.0, 0.01])
def test_unimix_stays_finite_with_a_finite_gradient_at_extreme_logits(mix):
    logits = jnp.array([1e4, 0.0, -1e4])
    assert jnp.isfinite(unimix(logits, mix)).all()
    assert jnp.isfinite(jax.jacobian(unimix)(logits, mix)).all()


@pytest.mark.parametrize("key", [None, jax.random.key(1)])
def test_a_sample_is_exactly_one_hot(key):
    z = np.asarray(sample(unimix(LOGITS, 0.01), gumbel(key, *LOGITS.shape)))
    np.testing.assert_array_equal(np.sort(z, -1)[..., -1], 1.0)
    np.testing.assert_array_equal(np.count_nonzero(z, axis=-1), 1)


@pytest.mark.parametrize("key", [None, jax.random.key(1)])
def test_a_sample_has_the_gradient_of_its_probabilities(key):
    weights = jax.random.normal(jax.random.key(2), LOGITS.shape)
    noise = gumbel(key, *LOGITS.shape)
    sampled = jax.grad(lambda l: jnp.sum(weights * sample(unimix(l, 0.01), noise)))(LOGITS)
    expected = jax.grad(lambda l: jnp.sum(weights * jnp.exp(unimix(l, 0.01))))(LOGITS)
    np.testing.assert_allclose(sampled, expected, rtol=1e-5, atol=1e-7)


def test_without_noise_the_sample_is_the_mode():
    np.testing.assert_array_equal(sample(LOGITS, None).argmax(-1), LOGITS.argmax(-1))


def test_samples_are_as_frequent_as_their_probabilities_say():
    log_probs = jnp.log(jnp.array([0.6, 0.3, 0.1]))
    noise = gumbel(jax.random.key(3), 20_000, 3)
    z = sample(jnp.broadcast_to(log_probs, noise.shape), noise)
    np.testing.assert_allclose(z.mean(0), jnp.exp(log_probs), atol=0.02)


def test_the_kl_is_zero_between_equals_and_positive_otherwise():
    np.testing.assert_allclose(kl(LOGITS, LOGITS + 1.0), 0.0, atol=1e-5)  # a shift changes nothing
    assert (kl(LOGITS, LOGITS[::-1])[jnp.array([0, 1, 3, 4])] > 0).all()


def test_the_kl_adds_up_over_groups():
    other = LOGITS[::-1]
    single = sum(kl(LOGITS[:, s : s + 1], other[:, s : s + 1]) for s in range(LOGITS.shape[1]))
    np.testing.assert_allclose(kl(LOGITS, other), single, rtol=1e-5)
