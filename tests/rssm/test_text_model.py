"""The text model: what it learns, and what it writes."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from rssm.tokens import CLOSE, END, Grammar, TextModel

K, LENGTH = 6, 12
# 1 opens, 2 closes, 3 and 4 stand within; 5 ends the text.
TABLE = -np.ones((4, K), np.int32)
TABLE[0, [1, 5]] = 1, 3
TABLE[1, [2, 3, 4]] = 2, 1, 1
TABLE[2, [1, 5]] = 1, 3
TABLE[3, 0] = 3
GRAMMAR = Grammar(jnp.asarray(TABLE), 0, (2,), 3)
TEXTS = np.array([[1, 3, 4, 2, 1, 4, 4, 3, 2, 5, 0, 0], [1, 4, 2, 1, 3, 2, 1, 2, 5, 0, 0, 0]])


def batch(text: np.ndarray = TEXTS) -> dict[str, jax.Array]:
    reset = np.zeros(text.shape, bool)
    reset[:, 0] = True
    return {k: jnp.asarray(x) for k, x in (("text", text), ("reset", reset), ("mask", text > 0))}


@pytest.fixture(scope="module")
def fresh() -> TextModel:
    sizes = dict(width=16, heads=2, layers=2, context=LENGTH)
    return nnx.jit(lambda: TextModel(K, **sizes, rngs=nnx.Rngs(0)))()


@pytest.fixture(scope="module")
def model(fresh) -> TextModel:
    """Knows both texts by heart."""
    graph, params = nnx.split(fresh, nnx.Param)
    optimizer = optax.adam(1e-2)

    @jax.jit
    def step(params, state):
        grads = jax.grad(lambda p: nnx.merge(graph, p).loss(batch())[0])(params)
        updates, state = optimizer.update(grads, state)
        return optax.apply_updates(params, updates), state

    state = optimizer.init(params)
    for _ in range(150):
        params, state = step(params, state)
    return nnx.merge(graph, params)


@partial(jax.jit, static_argnums=2)
def written(model, script, length=LENGTH):
    return model.write(script, GRAMMAR, length)


def test_a_text_that_is_known_is_written(model):
    scripts = jnp.asarray([[*text[:2], END] for text in TEXTS.tolist()])
    np.testing.assert_array_equal(written(model, scripts), TEXTS)


def test_only_what_a_script_leaves_open_is_written(model):
    found = written(model, jnp.asarray([[1, 3, CLOSE, 5], [1, 4, CLOSE, 5]]))
    np.testing.assert_array_equal(found[:, :5], [[1, 3, 4, 2, 5], [1, 4, 2, 5, 0]])
    assert not found[:, 5:].any()


def test_whatever_a_model_knows_its_text_is_valid(fresh):
    found = np.asarray(written(fresh, jnp.asarray([[1, END], [END, END]])))
    for row in found:
        state = 0
        for symbol in row:
            state = TABLE[state, symbol]
            assert state >= 0


def test_writing_step_by_step_takes_what_is_likeliest_all_at_once(fresh):
    found = np.asarray(written(fresh, jnp.asarray([[1, 3, END]])))
    before = jnp.asarray(np.pad(found, ((0, 0), (1, 0)))[:, :-1])
    h = fresh.body.along(fresh.body.initial(1, 0), fresh.embed(before), batch(found)["reset"])
    logits, state = np.asarray(fresh.out(h))[0], 0
    for at, symbol in enumerate(found[0]):
        if at >= 2:
            assert symbol == np.where(TABLE[state] >= 0, logits[at], -np.inf).argmax()
        state = TABLE[state, symbol]


def test_only_symbols_that_count_are_learnt(fresh):
    loss = jax.jit(lambda b: fresh.loss(b)[0])
    other = TEXTS.copy()
    other[:, -1] = 3
    mask = batch()["mask"]
    np.testing.assert_array_equal(loss(batch()), loss(batch(other) | {"mask": mask}))


def test_a_text_does_not_see_the_one_before_it(fresh):
    loss = jax.jit(lambda b: fresh.loss(b)[0])
    reset = batch()["reset"].at[:, 6].set(True)
    mask = jnp.zeros(TEXTS.shape, bool).at[:, 6:].set(True)
    other = TEXTS.copy()
    other[:, :6] = 4
    begun = {"reset": reset, "mask": mask}
    np.testing.assert_array_equal(loss(batch() | begun), loss(batch(other) | begun))
