"""A decoder-only Transformer over text, symbol by symbol: CWM (arXiv:2510.02387) in small.

    p(y_t | y_1, ..., y_{t-1}) = softmax(W Transformer(y)_{t-1})

There is no latent of fixed size: the text itself is the state. An automaton says which symbol may
follow, so that whatever is written can be read; a script says what is given and what is not.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax.typing import DTypeLike

from rssm.causal import Cache, CausalTransformer
from rssm.losses import masked_mean
from rssm.nets import Dense, Embed, widen
from rssm.spec import Batch
from rssm.types import Array, Bool, Float, Int

CLOSE, END = -1, -2  # in a script: write until something is closed, or until the text ends
STAGE = 128  # symbols that are written before attention gets further places to look at


class Grammar(NamedTuple):
    """`table[state, symbol]` is the next state, negative where the symbol may not stand."""

    table: Int[Array, "Q K"]
    begin: int
    closed: tuple[int, ...]
    done: int


class Pen(NamedTuple):
    """Where the writing of some texts has come to."""

    cache: Cache
    symbol: Int[Array, " B"]  # the last one written
    state: Int[Array, " B"]  # of the grammar
    at: Int[Array, " B"]  # in the script
    text: Int[Array, "B T"]
    count: Int[Array, ""]  # of symbols written


class TextModel(nnx.Module):
    def __init__(
        self,
        symbols: int,
        *,
        width: int,
        heads: int,
        layers: int,
        context: int,
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        on = {"rngs": rngs, "dtype": dtype}
        self.embed = Embed(symbols, width, dtype=dtype, rngs=rngs)
        self.body = CausalTransformer(width, heads, layers, context, **on)
        self.out = Dense(width, symbols, **on)

    def loss(self, batch: Batch) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        """Nats per symbol, over those that count; `reset` holds where a text begins."""
        text, reset, mask = (batch[name] for name in ("text", "reset", "mask"))
        before = jnp.pad(text, ((0, 0), (1, 0)))[:, :-1]
        before = jnp.where(reset, 0, before)
        h = self.body.along(self.body.initial(len(text), 0), self.embed(before), reset)
        logits = widen(self.out(h))
        error = optax.softmax_cross_entropy_with_integer_labels(logits, text)
        right = (logits.argmax(-1) == text).astype(jnp.float32)
        loss = masked_mean(error, mask)
        return loss, {"loss": loss, "symbols_right": masked_mean(right, mask)}

    def write(self, script: Int[Array, "B P"], grammar: Grammar, length: int) -> Int[Array, "B T"]:
        """The likeliest text that follows a script and is valid; zeros after its end.

        A script's symbols are taken as they are; at a CLOSE the model writes until a state of
        `closed`, at an END until `done`.
        """
        table, closed = jnp.asarray(grammar.table), jnp.asarray(grammar.closed)
        rows, last = jnp.arange(len(script)), script.shape[1] - 1

        def ended(pen: Pen) -> Bool[Array, " B"]:
            return (pen.at > last) | (pen.state == grammar.done)

        def step(pen: Pen) -> Pen:
            cache, h = self.body.step(pen.cache, self.embed(pen.symbol))
            allowed = table[pen.state] >= 0
            likeliest = jnp.where(allowed, widen(self.out(h)), -jnp.inf).argmax(-1)
            wanted = script[rows, jnp.minimum(pen.at, last)]
            given = wanted >= 0
            symbol = jnp.where(ended(pen), 0, jnp.where(given, wanted, likeliest))
            then = table[pen.state, symbol]
            then = jnp.where(ended(pen) | (then < 0), pen.state, then)  # what is given is given
            over = (then[:, None] == closed).any(-1) & (wanted == CLOSE)
            at = pen.at + (given | over | ((wanted == END) & (then == grammar.done)))
            text = pen.text.at[:, pen.count].set(symbol)
            return Pen(cache, symbol, then, at, text, pen.count + 1)

        zeros = jnp.zeros(len(script), jnp.int32)
        text, count = jnp.zeros((len(script), length), jnp.int32), jnp.zeros((), jnp.int32)
        begin = jnp.full(len(script), grammar.begin, jnp.int32)
        pen = Pen(self.body.initial(len(script), 0), zeros, begin, zeros, text, count)
        # A short text needs to look over few places: they are added as it grows.
        for start in range(0, length, STAGE):
            end = min(start + STAGE, length)
            pen = pen._replace(cache=pen.cache.widened(min(end, self.body.context)))
            goes_on = partial(lambda end, pen: (pen.count < end) & ~ended(pen).all(), end)
            pen = jax.lax.while_loop(goes_on, step, pen)
        return pen.text
