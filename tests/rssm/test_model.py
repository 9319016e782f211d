"""The whole model, over the routes of `--routes`: what its loss counts, what it sees."""

from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from tiny import BATCH, LAYOUT, MODEL, config

from experiments.model import build_model, build_optimizer
from rssm.dynamics.base import Action, Inputs
from rssm.heads import Sources
from rssm.model import WATCH, delayed, remembered, watch
from rssm.spec import Spec
from rssm.step import Trainer, TrainState
from rssm.tables import in_use
from tracer.corpora.synthetic import programs
from tracer.encode import encode_trajectory, pieces
from tracer.sandbox import Sandbox
from tracer.schema import frames
from tracer.windows import pack

CUT = 5
KEY = jax.random.key(7)


class Model(NamedTuple):
    spec: Spec
    trainer: Trainer
    trained: TrainState
    losses: list[float]

    @property
    def has_heads(self) -> bool:
        return "heads" in self.trained.params


@pytest.fixture(scope="module")
def batch() -> dict[str, np.ndarray]:
    """Windows of real trajectories, each with some masked steps at its end."""
    with Sandbox() as box:
        traces = [box.run_program(program).trace for program in programs(9, difficulty=1)]
    events = [events for trace in traces for events in frames(trace).values()]
    cut = [piece for each in events for piece in pieces(encode_trajectory(each, LAYOUT), LAYOUT)]
    windows = [w for w in pack(cut, LAYOUT) if CUT < w["mask"].sum() < LAYOUT.steps - CUT]
    chosen = list(islice(windows, BATCH)) * BATCH
    return {name: np.stack([w[name] for w in chosen[:BATCH]]) for name in chosen[0]}


@pytest.fixture(scope="module")
def model(route, batch) -> Model:
    """Compiled, and trained on one batch."""
    cfg = config("train", *MODEL, f"dynamics={route}")
    spec = Spec.from_schema(LAYOUT.schema())
    trainer = Trainer(nnx.jit(lambda: build_model(cfg, spec, 0))(), build_optimizer(cfg))
    state, losses = trainer.initial(), []
    for _ in range(40):
        state, metrics = trainer.train_step(state, batch, KEY)
        losses.append(metrics["loss"])
    return Model(spec, trainer, state, [float(loss) for loss in losses])


@pytest.fixture(scope="module")
def decoding(model) -> Model:
    """A model whose heads decode what another one's latents spell."""
    if not model.has_heads:
        pytest.skip("its latents are symbols: no head decodes them")
    return model


def predict(model: Model, batch: dict, seen: np.ndarray):
    return model.trainer.predict(model.trained.params, batch, jnp.asarray(seen))


def poke(batch: dict, where: np.ndarray, names: tuple[str, ...], seed: int = 0) -> dict:
    """Other numbers in these fields, at the steps where `where` holds."""
    rng, poked = np.random.default_rng(seed), dict(batch)
    sizes = {field.name: field.size for field in LAYOUT.fields()}
    for name in names:
        other = (batch[name] + rng.integers(1, sizes[name], batch[name].shape)) % sizes[name]
        spread = where.reshape(*where.shape, *[1] * (other.ndim - 2))
        poked[name] = np.where(spread, other, batch[name]).astype(batch[name].dtype)
    return poked


def from_step(cut: int) -> np.ndarray:
    return np.broadcast_to(np.arange(LAYOUT.steps) >= cut, (BATCH, LAYOUT.steps))


def assert_same(one, other):
    jax.tree.map(np.testing.assert_array_equal, one, other)


OBSERVED = ("slots", "kind", "depth", "branch")
DONE = ("statement", "references")


def test_masked_steps_do_not_count(model, batch):
    poked = poke(batch, ~batch["mask"], (*OBSERVED, *DONE, "reset"))
    assert any((poked[name] != batch[name]).any() for name in poked)
    before, metrics = model.trainer.train_step(model.trainer.initial(), batch, KEY)
    after, others = model.trainer.train_step(model.trainer.initial(), poked, KEY)
    assert_same(metrics, others)
    assert_same(before.params, after.params)  # and so the gradients were


def test_steps_that_are_not_masked_count(model, batch):
    poked = poke(batch, batch["mask"], OBSERVED)
    _, metrics = model.trainer.train_step(model.trainer.initial(), batch, KEY)
    _, others = model.trainer.train_step(model.trainer.initial(), poked, KEY)
    depend = {"same", "label", "hold"} if model.has_heads else {"dyn"}
    assert depend <= {name for name in metrics if metrics[name] != others[name]}


def test_one_batch_can_be_overfitted(model):
    assert np.isfinite(model.losses).all()
    assert np.mean(model.losses[-5:]) < 0.5 * np.mean(model.losses[:3])


def test_a_step_is_compiled_once(model):
    assert model.trainer.train_step._cache_size() == 1


def test_a_step_needs_nothing_that_it_did_not_get(model, batch):
    once, _ = model.trainer.train_step(model.trainer.initial(), batch, KEY)
    again, _ = model.trainer.train_step(model.trainer.initial(), batch, KEY)
    assert_same(once, again)


def test_a_prediction_has_seen_neither_its_own_step_nor_the_future(model, batch):
    everything = np.ones_like(batch["reset"])
    poked = poke(batch, from_step(CUT), (*OBSERVED, *DONE))
    before, after = predict(model, batch, everything), predict(model, poked, everything)
    until = jax.tree.map(lambda x: x[:, : CUT + 1], (before, after))
    assert_same(*until)
    later = jax.tree.map(lambda x: x[:, CUT + 1 :], (before, after))
    assert not np.array_equal(later[0].log_prob, later[1].log_prob)


def test_a_prediction_knows_the_statement_that_leads_to_it(model, batch):
    everything = np.ones_like(batch["reset"])
    here = from_step(CUT - 1) & ~from_step(CUT) & ~np.roll(batch["reset"], -1, 1)
    assert here.any()
    poked = poke(batch, here, DONE)
    before, after = predict(model, batch, everything), predict(model, poked, everything)
    row = int(np.flatnonzero(here.any(1))[0])
    assert not np.array_equal(before.log_prob[row, CUT], after.log_prob[row, CUT])


def test_in_the_open_only_the_first_steps_are_seen(model, batch):
    poked = poke(batch, ~batch["reset"], OBSERVED)
    assert_same(predict(model, batch, batch["reset"]), predict(model, poked, batch["reset"]))


def test_to_predict_in_the_open_is_to_observe_once_and_to_imagine_the_rest(model, batch):
    first = np.zeros_like(batch["reset"])
    first[:, 0] = True
    batch = batch | {"reset": first}
    spec, trainer = model.spec, model.trainer
    states = {f.name: batch[f.name][:, :1] for f in (spec.rows, *spec.labels, spec.reset)}
    every = np.broadcast_to(np.arange(LAYOUT.statements), (BATCH, LAYOUT.statements))
    references = np.full((*every.shape, LAYOUT.references), spec.slots)
    there = batch["mask"]
    for row in range(BATCH):
        references[row, batch["statement"][row, there[row]]] = batch["references"][row, there[row]]
    actions = {"statement": every, "references": references}
    at = trainer.begin(model.trained.params, batch | states | actions)
    beliefs = []
    for step in range(LAYOUT.steps - 1):
        at, belief = trainer.advance(model.trained.params, at, batch["statement"][:, step])
        beliefs.append(belief)
    stepped = jax.tree.map(lambda *steps: np.concatenate(steps, 1)[there[:, 1:]], *beliefs)
    whole = predict(model, batch, first)
    whole = jax.tree.map(lambda array: np.asarray(array)[:, 1:][there[:, 1:]], whole)
    np.testing.assert_allclose(whole.log_prob, stepped.log_prob, rtol=1e-3, atol=1e-3)
    assert np.mean(np.asarray(whole.rows == stepped.rows)) > 0.999  # ties may fall otherwise
    assert whole.labels.keys() == stepped.labels.keys() == {"kind", "depth", "branch"}
    for name, odds in whole.labels.items():
        np.testing.assert_allclose(np.exp(odds).sum(-1), 1, rtol=1e-3)
        np.testing.assert_allclose(odds, stepped.labels[name], rtol=1e-3, atol=1e-3)


def test_what_is_predicted_of_a_slot_is_the_likelier_of_its_last_row_and_the_decoded_one(
    decoding, batch
):
    model, everything = decoding, np.ones_like(batch["reset"])

    @jax.jit
    def all_at_once(params, batch):
        whole = nnx.merge(model.trainer.graph, params)
        inputs = whole._inputs(batch, jnp.asarray(everything))
        _, rollout = whole.dynamics.observe(whole.dynamics.initial(BATCH), inputs, None)
        memory = whole._memory_rows(batch, jnp.asarray(everything))
        chosen = jnp.broadcast_to(jnp.arange(memory.shape[2]), memory.shape[:3])
        texts = whole._texts(batch)[:, :, None]
        tokens = jnp.broadcast_to(texts, (*chosen.shape, texts.shape[-1]))
        feat = whole.dynamics.cells(rollout.guess, chosen)
        decoded, log_prob = whole.heads.rows.mode(feat, Sources(memory, tokens))
        return whole._same_logit(rollout.guess), memory, decoded, log_prob

    params = jax.tree.map(jnp.copy, model.trained.params)
    same, _, _, log_prob = all_at_once(params, batch)
    bias = params["heads"]["rows"]["same"]["bias"]
    bias[...] -= jnp.median(same - log_prob)  # so that both happen
    belief = jax.device_get(model.trainer.predict(params, batch, jnp.asarray(everything)))
    same, memory, decoded, log_prob = all_at_once(params, batch)
    p = jax.nn.sigmoid(same)
    kept, changed = np.asarray(p), np.asarray((1 - p) * jnp.exp(log_prob))
    assert (kept > changed).any() and (kept < changed).any()
    sure = np.abs(np.log(kept) - np.log(changed)) > 1e-3
    expected = np.where((kept > changed)[..., None], memory, decoded)
    assert np.mean((expected == belief.rows)[sure]) > 0.999  # ties within a cell
    np.testing.assert_allclose(belief.log_prob, np.log(np.maximum(kept, changed)), atol=1e-3)


@pytest.fixture(scope="module")
def head(decoding, batch) -> tuple[np.ndarray, ...]:
    """Of some predicted slots: p(symbol) of each cell by asking for every symbol, the mode that
    the head names and its log-probability, and what could be copied."""
    symbols, model = LAYOUT.fields()[0].size, decoding

    @jax.jit
    def ask(params, batch, memory):
        whole = nnx.merge(model.trainer.graph, params)
        x, a = whole.encoder(batch)
        inputs = Inputs(x, delayed(a, model.spec.slots), batch["reset"])
        _, rollout = whole.dynamics.observe(whole.dynamics.initial(BATCH), inputs, None)
        chosen = jnp.broadcast_to(jnp.arange(shape[2]), shape[:3])
        guess = jax.tree.map(lambda array: array[:, :4], rollout.guess)
        feat = whole.dynamics.cells(guess, chosen)
        texts = whole._texts(batch)[:, :4, None]
        tokens = jnp.broadcast_to(texts, (*shape[:3], texts.shape[-1]))

        def ask_for(sources: Sources) -> Callable:
            return lambda s: whole.heads.rows.log_prob(feat, jnp.full(shape, s), sources)

        every = jnp.arange(symbols)
        sources = Sources(memory, tokens)
        with_copy, without = (jax.lax.map(ask_for(s), every) for s in (sources, Sources()))
        return with_copy, without, *whole.heads.rows.mode(feat, sources)

    shape = (BATCH, 4, LAYOUT.slots + 1, LAYOUT.cells)
    memory = jax.random.randint(jax.random.key(1), shape, 0, symbols)
    return *map(np.asarray, ask(model.trained.params, batch, memory)), np.asarray(memory)


def test_the_symbols_of_a_cell_share_a_probability_of_one(head):
    for log_probs in head[:2]:
        np.testing.assert_allclose(np.exp(log_probs).sum(0), 1, rtol=1e-4)


def test_the_mode_is_the_likeliest_row_and_ends_with_its_first_padding(head):
    log_probs, _, rows, log_prob, _ = head
    for index in np.ndindex(rows.shape[:-1]):
        total, ended = 0.0, False
        for cell, symbol in enumerate(rows[index]):
            assert not ended or symbol == 0
            if not ended:
                best = log_probs[(slice(None), *index, cell)].max()
                assert log_probs[(symbol, *index, cell)] == pytest.approx(best, abs=1e-4)
                total += best
            ended = ended or symbol == 0
        assert log_prob[index] == pytest.approx(total, rel=1e-3, abs=1e-3)


def test_a_row_is_in_use_up_to_its_first_padding():
    rows = np.array([[3, 0, 5, 0], [0, 0, 0, 0], [1, 2, 3, 4], [1, 2, 3, 0], [0, 1, 0, 1]])
    expected = []
    for row in rows:
        end = next((at for at, symbol in enumerate(row) if symbol == 0), len(row))
        expected.append([at <= end for at in range(len(row))])
    np.testing.assert_array_equal(in_use(jnp.asarray(rows)), expected)


@pytest.fixture
def steps():
    """Random steps of trajectories that begin anywhere, and always at the first step."""
    rng = np.random.default_rng(3)
    reset = rng.random((6, 20)) < 0.2
    reset[:, 0] = True
    return reset, reset | (rng.random((6, 20)) < 0.4), rng.integers(1, 50, (6, 20, 3))


def test_what_is_remembered_was_seen_last_before_the_step(steps):
    _, seen, numbers = steps
    expected = np.zeros_like(numbers)
    for b in range(len(seen)):
        held = np.zeros(3)
        for t in range(seen.shape[1]):
            expected[b, t] = held
            if seen[b, t]:
                held = numbers[b, t]
    np.testing.assert_array_equal(remembered(jnp.asarray(numbers), jnp.asarray(seen)), expected)


def test_a_trajectory_is_watched_at_one_rate(steps):
    reset = jnp.asarray(steps[0])
    keys = jax.random.split(KEY)
    choices = np.asarray(jax.random.randint(keys[0], reset.shape, 0, len(WATCH)))
    chances = np.asarray(jax.random.uniform(keys[1], reset.shape))
    expected = np.zeros(reset.shape, bool)
    for b in range(len(reset)):
        trajectory = -1
        for t in range(reset.shape[1]):
            trajectory += int(reset[b, t])
            rate = WATCH[choices[b, trajectory]]
            expected[b, t] = reset[b, t] or chances[b, t] < rate
    np.testing.assert_array_equal(watch(reset, KEY), expected)


def test_a_first_step_is_always_seen_and_others_sometimes():
    reset = jnp.zeros((200, 10), bool).at[:, 0].set(True)
    seen = np.asarray(watch(reset, KEY))
    assert seen[:, 0].all()
    shares = seen[:, 1:].mean(1)
    assert (shares == 0).mean() == pytest.approx(WATCH.count(0.0) / len(WATCH), abs=0.1)
    assert (shares == 1).mean() == pytest.approx(WATCH.count(1.0) / len(WATCH), abs=0.1)


def test_an_action_is_delayed_to_the_step_that_it_leads_to():
    rng = np.random.default_rng(4)
    tokens = jnp.asarray(rng.integers(1, 9, size=(2, 5, 4)))
    embedding = jnp.asarray(rng.normal(size=(2, 5, 3)), jnp.float32)
    a = Action(embedding, jnp.asarray(rng.integers(9, size=(2, 5, 2)), jnp.int32), tokens)
    moved = delayed(a, slots=9)
    assert_same(jax.tree.map(lambda x: x[:, 1:], moved), jax.tree.map(lambda x: x[:, :-1], a))
    np.testing.assert_array_equal(moved.refs[:, 0], 9)
    for first in (moved.embedding, moved.tokens):
        assert not first[:, 0].any()
