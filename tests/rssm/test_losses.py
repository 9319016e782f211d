import jax
import jax.numpy as jnp
import numpy as np

from rssm.dists import kl
from rssm.losses import kl_balance, masked_mean

PRIOR, POST = jax.random.normal(jax.random.key(0), (2, 2, 3, 4, 5))  # each [B, T, S, C]


def test_both_halves_are_the_kl_where_it_exceeds_the_free_nats():
    dyn, rep = kl_balance(PRIOR, POST, 0.0, 0.0)
    np.testing.assert_allclose(dyn, kl(POST, PRIOR), rtol=1e-6)
    np.testing.assert_allclose(rep, kl(POST, PRIOR), rtol=1e-6)


def test_dyn_trains_the_prior_and_rep_the_posterior():
    dyn = jax.grad(lambda *a: kl_balance(*a, 0.0, 0.0)[0].sum(), (0, 1))(PRIOR, POST)
    rep = jax.grad(lambda *a: kl_balance(*a, 0.0, 0.0)[1].sum(), (0, 1))(PRIOR, POST)
    assert jnp.any(dyn[0]) and not jnp.any(dyn[1])
    assert jnp.any(rep[1]) and not jnp.any(rep[0])


def test_below_the_free_nats_there_is_no_gradient_and_no_less_loss():
    free = float(jnp.median(kl(POST, PRIOR)))
    below = kl(POST, PRIOR) < free
    assert below.any() and not below.all()
    dyn, rep = kl_balance(PRIOR, POST, free, 0.0)
    np.testing.assert_allclose(dyn[below], free, rtol=1e-6)
    assert (rep[below] < free).all()  # each term has its own
    grad = jax.grad(lambda prior: kl_balance(prior, POST, free, 0.0)[0].sum())(PRIOR)
    assert not jnp.any(grad[below]) and jnp.any(grad[~below])


def test_free_nats_bound_the_sum_of_the_groups_and_not_each_group():
    free = float(kl(POST, PRIOR).min()) / 2  # more than a group of the four has on average
    np.testing.assert_allclose(kl_balance(PRIOR, POST, free, free)[0], kl(POST, PRIOR), rtol=1e-6)


def test_what_is_masked_does_not_count_even_if_it_is_nan():
    x, mask = jnp.array([1.0, 2.0, jnp.nan]), jnp.array([True, True, False])
    mean, grad = jax.value_and_grad(masked_mean)(x, mask)
    assert mean == 1.5
    np.testing.assert_array_equal(grad, [0.5, 0.5, 0.0])


def test_the_mean_of_nothing_is_zero():
    assert masked_mean(jnp.ones(3), jnp.zeros(3, bool)) == 0.0
