"""A learned interpreter: what one statement makes of the slots that it touches.

A small Transformer has three kinds of elements side by side: one for each slot touched, the symbols
in use (the statement's tokens and the cells of these slots), and the cells of a few result rows
that it writes. All attend to the first two kinds, and a cell to those before it in its row. Then

    row_j   ~ gate_j: kept | nothing | result 1..P | the row of slot 1..J        for each slot
    cell    ~ w_0 Categorical(g) + w_1 sum_i p_i [symbol i]                      of a result

with the pointer p over the symbols that were read: a pointer-generator (arXiv:1704.04368).
Assignments, swaps and returns move whole rows, methods copy symbols, arithmetic makes them. Labels
are cells of one more row, which is always made.

Most statements touch few symbols, so those in use stand together in a source of fixed length.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.typing import DTypeLike

from rssm.nets import Dense, RMSNorm, TransformerBlock, widen
from rssm.tables import in_use, look_up
from rssm.types import Array, Bool, Float, Int, PRNGKeyArray

KEEP = 2.0  # nats in favour of what is there already, at first
LAST = 8.0  # nats against it that a variable ends; what only works within a statement does so
NEVER = -1e9  # not -inf, whose gradients are not numbers
MOST = -60.0  # what counts of it


class Operands(NamedTuple):
    """A statement, and the slots that it touches; the last of these holds the labels."""

    tokens: Int[Array, "N M"]  # those below `symbols` stand in cells too; 0 is none
    cells: Int[Array, "N J L"]  # symbols; 0 is none
    state: Float[Array, "N J H"]
    touched: Bool[Array, "N J"]
    lasting: Bool[Array, "N J"]  # variables, where other slots end with a statement


class Room(NamedTuple):
    """How much is read and written at a time."""

    source: int  # symbols read; those beyond are not seen
    results: tuple[int, ...]  # cells of each result row

    @classmethod
    def of(cls, cells: int, source: int, results: Sequence[int]) -> "Room":
        """Where a row has so many cells at most."""
        return cls(source, tuple(min(size, cells) for size in results))


class Outcome(NamedTuple):
    """Distributions over what each slot holds next, as logarithms."""

    gates: Float[Array, "N I O"]  # of the I = J - 1 slots that hold rows
    made: Float[Array, "N P K"]  # of the cells of all results, one after the other
    copied: Float[Array, "N P 2"]  # made, or copied
    pointer: Float[Array, "N P S"]  # over the source; probabilities
    source: Int[Array, "N S"]  # symbols
    labels: Float[Array, "N G K"]


class Interpreter(nnx.Module):
    def __init__(
        self,
        *,
        touched: int,
        cells: int,
        tokens: int,
        symbols: int,
        words: int,
        labels: Sequence[int],
        state_dim: int,
        width: int,
        heads: int,
        layers: int,
        results: int,
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        on = {"rngs": rngs, "dtype": dtype}
        self.rows, self.symbols, self.width = touched - 1, symbols, width
        self.labels, self.classes = len(labels), tuple(labels)

        def embedding(*shape: int) -> nnx.Param:
            return nnx.Param(0.3 * nnx.initializers.normal(1.0)(rngs(), (*shape, width)))

        self.embed, self.place = embedding(words), embedding(tokens)
        self.state = Dense(state_dim, width, **on)
        self.role, self.cell = embedding(touched + 1), embedding(cells)
        self.result, self.label = embedding(results), embedding(len(labels))
        self.blocks = nnx.List([TransformerBlock(width, heads, **on) for _ in range(layers)])
        self.norm = RMSNorm(width)
        self.gate = Dense(width, 2 + results + self.rows, **on)
        self.made = Dense(width, symbols, **on)
        self.copied = Dense(width, 2, **on)
        self.query, self.key = Dense(width, width, **on), Dense(width, width, **on)

    def __call__(self, operands: Operands, room: Room) -> Outcome:
        source, symbols, used = self._source(operands, room.source)
        slots = self.state(operands.state) + self.role[:-1].astype(source.dtype)
        cells = [self.cell[:size] + self.result[row] for row, size in enumerate(room.results)]
        written = jnp.concatenate([*cells, self.label[...]]).astype(source.dtype)
        written = jnp.broadcast_to(written, (len(source), *written.shape))
        admitted = [operands.touched, used, jnp.ones(written.shape[:2], bool)]
        x, mask = jnp.concatenate([slots, source, written], 1), jnp.concatenate(admitted, 1)
        visible = self._visible(slots.shape[1] + source.shape[1], room)
        for block in self.blocks:
            x = block(x, mask, visible)
        x = self.norm(x)
        ends = (slots.shape[1], slots.shape[1] + source.shape[1], x.shape[1] - self.labels)
        slots, source, written, labels = jnp.split(x, ends, 1)
        copyable = used & (symbols > 0)
        return Outcome(
            self._gates(slots[:, :-1], operands.touched[:, :-1], operands.lasting[:, :-1]),
            jax.nn.log_softmax(widen(self.made(written))),
            self._copied(written, copyable),
            self._pointer(written, source, copyable),
            symbols,
            self._labels(labels),
        )

    def _visible(self, read: int, room: Room) -> Bool[Array, "S S"]:
        """All see what is read; a cell sees those before it in its row, a label itself: so that
        what a smaller room has is the same in a larger one."""
        rows = np.repeat(np.arange(len(room.results) + 1), (*room.results, self.labels))
        place = np.concatenate([*map(np.arange, room.results), np.zeros(self.labels, int)])
        before = (rows[:, None] == rows) & (place[:, None] > place) | np.eye(len(rows), dtype=bool)
        return jnp.asarray(
            np.pad(before, ((read, 0), (read, 0))) | (np.arange(read + len(rows)) < read)
        )

    def _source(
        self, operands: Operands, size: int
    ) -> tuple[Float[Array, "N S D"], Int[Array, "N S"], Bool[Array, "N S"]]:
        """The elements in use, one behind the other: embeddings, symbols, and which are there."""

        def of(table: nnx.Param | Array, numbers: Int[Array, "N S"]) -> Float[Array, "N S D"]:
            return look_up(table[...].astype(self.made.dtype), numbers)

        n, rows, cells = operands.cells.shape
        tokens = operands.tokens.shape[1]
        labels = jnp.arange(cells) < self.labels  # these cells are in use whatever they hold
        held = (operands.cells > 0).at[:, -1].set(labels) & operands.touched[..., None]
        used = jnp.concatenate([operands.tokens > 0, held.reshape(n, -1)], 1)
        order = jnp.argsort(~used, axis=1, stable=True)[:, :size]
        used = jnp.take_along_axis(used, order, 1)
        words = jnp.concatenate([operands.tokens, operands.cells.reshape(n, -1)], 1)
        words = jnp.take_along_axis(words, order, 1)

        cell = jnp.maximum(order - tokens, 0)
        role = jnp.where(order < tokens, rows, cell // cells)
        places = jnp.concatenate([self.place[...], self.cell[...]])
        place = jnp.where(order < tokens, order, tokens + cell % cells)
        x = of(self.embed, words) + of(places, place) + of(self.role, role)
        # Some tokens are no symbols, and the labels are none: nothing is copied from them.
        symbols = jnp.where((words < self.symbols) & (role != rows - 1), words, 0)
        return x, symbols, used

    def _labels(self, written: Float[Array, "N G D"]) -> Float[Array, "N G K"]:
        classes = jnp.arange(self.symbols) < jnp.array(self.classes)[:, None]
        return jax.nn.log_softmax(jnp.where(classes, widen(self.made(written)), NEVER))

    def _gates(
        self, slots: Float[Array, "N I D"], touched: Bool[Array, "N I"], lasting: Bool[Array, "N I"]
    ) -> Float[Array, "N I O"]:
        scores = widen(self.gate(slots)).at[..., 0].add(KEEP)
        scores = scores.at[..., 1].add(jnp.where(lasting, -LAST, 0))
        rows = jnp.broadcast_to(touched[:, None], (*touched.shape, touched.shape[1]))
        admitted = jnp.pad(
            rows, ((0, 0), (0, 0), (scores.shape[-1] - self.rows, 0)), constant_values=True
        )
        return jax.nn.log_softmax(jnp.where(admitted, scores, NEVER))

    def _copied(
        self, written: Float[Array, "N P D"], copyable: Bool[Array, "N S"]
    ) -> Float[Array, "N P 2"]:
        scores = widen(self.copied(written))
        there = copyable.any(-1)[:, None]
        return jax.nn.log_softmax(scores.at[..., 1].set(jnp.where(there, scores[..., 1], NEVER)))

    def _pointer(
        self,
        written: Float[Array, "N P D"],
        source: Float[Array, "N S D"],
        copyable: Bool[Array, "N S"],
    ) -> Float[Array, "N P S"]:
        scores = widen(jnp.einsum("npd,nsd->nps", self.query(written), self.key(source)))
        scores = scores / math.sqrt(self.width)
        return jax.nn.softmax(jnp.where(copyable[:, None], scores, NEVER))


def log_prob(
    outcome: Outcome, room: Room, before: Int[Array, "N I L"], after: Int[Array, "N I L"]
) -> Float[Array, "N I"]:
    """Of the rows that the slots hold afterwards, a row being its cells up to the first padding."""
    kept = (before == after).all(-1)
    emptied = ~after.any(-1)
    taken = (before[:, None] == after[:, :, None]).all(-1)
    results = jnp.stack(
        [_result_log_prob(outcome, room, row, after) for row in range(len(room.results))], -1
    )
    ways = [_certain(kept)[..., None], _certain(emptied)[..., None], results, _certain(taken)]
    return bounded(jax.nn.logsumexp(outcome.gates + jnp.concatenate(ways, -1), -1))


def bounded(log_prob: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """What there is no way to shall not be all that is learned; what is unlikely, as a long row is
    at first, is learned nevertheless."""
    return jnp.where(log_prob > NEVER / 2, log_prob, MOST)


def label_log_prob(outcome: Outcome, labels: Int[Array, "N G"]) -> Float[Array, "N G"]:
    return jnp.take_along_axis(outcome.labels, labels[..., None], -1)[..., 0]


def likeliest(
    outcome: Outcome,
    room: Room,
    before: Int[Array, "N I L"],
    key: PRNGKeyArray | None = None,
    telling: Sequence[int] = (),
) -> tuple[Int[Array, "N I L"], Float[Array, "N I"], Int[Array, "N G"]]:
    """The likeliest way to a row for each slot, the row, and its log-probability; and the labels.
    If `telling` is given, the last row and the first label agree: there is a row where the label is
    one of these, and nowhere else. With a key all are drawn, each as its own distribution says."""
    n, rows, cells = before.shape
    noise = _noises(key, outcome)
    probs = jnp.exp(outcome.made + outcome.copied[..., :1])
    spelled = jax.nn.one_hot(outcome.source, probs.shape[-1])
    probs += jnp.exp(outcome.copied[..., 1:]) * (outcome.pointer @ spelled)
    scores = jnp.log(probs + TINY)
    symbols = (scores + noise[0]).argmax(-1)
    scores = jnp.take_along_axis(scores, symbols[..., None], -1)[..., 0]
    results, odds = [], []
    for row in range(len(room.results)):
        part = _part(room, row)
        written = jnp.pad(symbols[:, part], ((0, 0), (0, cells - room.results[row])))
        used = in_use(written)
        results.append(jnp.where(used, written, 0))
        odds.append(jnp.where(used[:, : room.results[row]], scores[:, part], 0).sum(-1))
    each = jnp.broadcast_to(jnp.stack(results, 1)[:, None], (n, rows, len(results), cells))
    every = jnp.broadcast_to(before[:, None], (n, rows, rows, cells))
    one = before[:, :, None]
    candidates = jnp.concatenate([one, jnp.zeros_like(one), each, every], 2)
    odds = jnp.stack(odds, -1)[:, None]
    odds = jnp.pad(odds, ((0, 0), (0, 0), (2, rows)))  # what is not made is certain
    # A drawn result is what it is: its odds count for the mode alone.
    ranked = outcome.gates + (odds if key is None else noise[1])
    labels = outcome.labels + noise[2]
    if telling and key is None:
        ranked, labels = agreeing(ranked, labels, candidates[:, -1].any(-1), telling)
    best = ranked.argmax(-1)[..., None]
    total = jnp.take_along_axis(outcome.gates + odds, best, -1)[..., 0]
    chosen = jnp.take_along_axis(candidates, best[..., None], 2)[:, :, 0]
    return chosen, total, labels.argmax(-1)


def agreeing(
    ways: Float[Array, "N I O"],
    labels: Float[Array, "N G K"],
    holds: Bool[Array, "N O"],
    telling: Sequence[int],
) -> tuple[Float[Array, "N I O"], Float[Array, "N G K"]]:
    """The scores without those that contradict the better of two accounts: the way to the last row
    holds something and the first label tells of it, or neither does."""
    tells = jnp.isin(jnp.arange(labels.shape[-1]), jnp.array(telling))

    def best(something: bool) -> Float[Array, " N"]:
        way = jnp.where(holds == something, ways[:, -1], NEVER).max(-1)
        return way + jnp.where(tells == something, labels[:, 0], NEVER).max(-1)

    something = (best(True) > best(False))[:, None]
    ways = ways.at[:, -1].add(_certain(holds == something))
    return ways, labels.at[:, 0].add(_certain(tells == something))


TINY = 1e-12  # the logarithm must not meet zeros


def _result_log_prob(
    outcome: Outcome, room: Room, row: int, after: Int[Array, "N I L"]
) -> Float[Array, "N I"]:
    size, part = room.results[row], _part(room, row)
    target = after[..., :size]
    made, copied = outcome.made[:, part], outcome.copied[:, None, part]
    made = jnp.take_along_axis(made[:, None], target[..., None], -1)[..., 0]
    same = outcome.source[:, None, None] == target[..., None]
    share = jnp.where(same, outcome.pointer[:, None, part], 0).sum(-1)
    cells = jnp.logaddexp(copied[..., 0] + made, copied[..., 1] + jnp.log(share + TINY))
    total = jnp.where(in_use(after)[..., :size], cells, 0).sum(-1)
    longer = (after[..., size:] > 0).any(-1)
    return jnp.where(longer, NEVER, total)


def _part(room: Room, row: int) -> slice:
    start = sum(room.results[:row])
    return slice(start, start + room.results[row])


def _certain(event: Bool[Array, "*n"]) -> Float[Array, "*n"]:
    return jnp.where(event, 0.0, NEVER)


def _noises(key: PRNGKeyArray | None, outcome: Outcome) -> tuple[Array | float, ...]:
    if key is None:
        return 0.0, 0.0, 0.0
    shapes = (outcome.made.shape, outcome.gates.shape, outcome.labels.shape)
    keys = jax.random.split(key, len(shapes))
    return tuple(jax.random.gumbel(k, shape) for k, shape in zip(keys, shapes, strict=True))
