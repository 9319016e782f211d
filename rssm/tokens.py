"""A decoder-only Transformer over text, symbol by symbol: CWM (arXiv:2510.02387) in small.

    p(y_t | y_1, ..., y_{t-1}) = softmax(W Transformer(y)_{t-1})

There is no latent of fixed size: the text itself is the state. An automaton says which symbol may
follow, so that whatever is written can be read; a script says what is given and what is not.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax.typing import DTypeLike

from rssm.causal import CausalTransformer
from rssm.losses import masked_mean
from rssm.nets import Dense, widen
from rssm.spec import Batch
from rssm.types import Array, Float, Int

CLOSE, END = -1, -2  # in a script: write until something is closed, or until the text ends


class Grammar(NamedTuple):
    """`table[state, symbol]` is the next state, negative where the symbol may not stand."""

    table: Int[Array, "Q K"]
    begin: int
    closed: tuple[int, ...]
    done: int


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
        self.embed = nnx.Embed(symbols, width, dtype=dtype, rngs=rngs)
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

        def step(carry, _):
            cache, before, state, at = carry
            cache, h = self.body.step(cache, self.embed(before))
            allowed = table[state] >= 0
            likeliest = jnp.where(allowed, widen(self.out(h)), -jnp.inf).argmax(-1)
            wanted = script[rows, jnp.minimum(at, last)]
            given = wanted >= 0
            ended = (at > last) | (state == grammar.done)
            symbol = jnp.where(ended, 0, jnp.where(given, wanted, likeliest)).astype(jnp.int32)
            then = table[state, symbol]
            then = jnp.where(ended | (then < 0), state, then)  # what is given is given
            over = (then[:, None] == closed).any(-1) & (wanted == CLOSE)
            at = at + (given | over | ((wanted == END) & (then == grammar.done)))
            return (cache, symbol, then, at), symbol

        zeros = jnp.zeros(len(script), jnp.int32)
        begin = jnp.full(len(script), grammar.begin, jnp.int32)
        carry = self.body.initial(len(script)), zeros, begin, zeros
        return jnp.swapaxes(jax.lax.scan(step, carry, None, length=length)[1], 0, 1)
