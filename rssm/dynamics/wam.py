"""World-action model: state and action predicted together.

An RSSM with what World-Action Models (Han et al. 2026) add to it, and the independent masks of
Unified World Models (arXiv:2504.02792), for actions that are statements of a program:

    next       p(a_{t+1} | s_t)              the statement that comes next
    inverse    p(a_t | s_{t-1}, s_t)         the statement that led from one state to the other
    marginal   KL(q(z_t) || p(z_t | h_t))    the state that comes next, whatever the statement

with s = [h; z]. The last two are of a second pass, in which states and actions are withheld, each
at rates of their own, and an action that is withheld is replaced by a learned one: what is to be
named must not be known. A statement is named among those of its trajectory, each counted once:

    p(a | .)  ~  exp(k(a) . g(.))

UWM noises states and actions by degrees; here each is there or not.
"""

import math
from typing import NamedTuple

import einops
import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from rssm.dists import kl
from rssm.dynamics.base import Action, Inputs, Rollout, Sizes
from rssm.dynamics.rssm import RSSM, Carry
from rssm.dynamics.rssm import Aux as Latent
from rssm.losses import sg
from rssm.nets import MLP, Dense, widen
from rssm.types import Array, Bool, Float, Int, PRNGKeyArray


class Aux(NamedTuple):
    latent: Latent
    carry: Carry  # where the trajectory began
    inputs: Inputs


class WAM(nnx.Module):
    def __init__(
        self,
        sizes: Sizes,
        *,
        hidden: int,
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
        **rssm: int | float | str | bool,
    ):
        widths: dict = {"hidden": hidden, **rssm}
        self.rssm = RSSM(sizes, **widths, rngs=rngs, dtype=dtype)
        self.feat_dim, self.summary_dim = self.rssm.feat_dim, self.rssm.summary_dim
        state = self.rssm.deter + self.rssm.groups * self.rssm.classes
        on = {"rngs": rngs, "dtype": dtype}
        self.unknown = nnx.Param(nnx.initializers.normal(0.02)(rngs(), (sizes.a_dim,)))
        self.key = Dense(sizes.a_dim, hidden, **on)
        self.next = MLP(state, hidden, 1, **on)
        self.next_query = Dense(hidden, hidden, **on)
        self.inverse = MLP(2 * state, hidden, 2, **on)
        self.inverse_query = Dense(hidden, hidden, **on)

    def initial(self, batch_size: int) -> Carry:
        return self.rssm.initial(batch_size)

    def observe(
        self, carry: Carry, inputs: Inputs, key: PRNGKeyArray | None
    ) -> tuple[Carry, Rollout]:
        end, rollout = self.rssm.observe(carry, inputs, key)
        return end, rollout._replace(aux=Aux(rollout.aux, carry, inputs))

    def imagine(self, carry: Carry, a: Action, key: PRNGKeyArray | None) -> tuple[Carry, Rollout]:
        return self.rssm.imagine(carry, a, key)

    def loss(
        self,
        rollout: Rollout,
        mask: Bool[Array, "B T"] | None = None,
        key: PRNGKeyArray | None = None,
    ) -> dict[str, Float[Array, "B T"]]:
        latent, carry, inputs = rollout.aux
        a, reset = inputs.a, inputs.reset
        mask = jnp.ones_like(reset) if mask is None else mask
        keys = jax.random.split(jax.random.key(0) if key is None else key, 4)
        statement, once = named_once(a.embedding, reset, mask)

        def error(query: Float[Array, "B T W"]) -> Float[Array, "B T"]:
            """Of naming the action that led to each step."""
            scores = self._scores(query, self.key(a.embedding))
            scores = jax.nn.log_softmax(jnp.where(once, scores, -1e30))
            return -jnp.take_along_axis(scores, statement[..., None], -1)[..., 0]

        state = flat_state(latent.h, latent.z)
        before = jnp.pad(state, ((0, 0), (1, 0), (0, 0)))[:, :-1]
        hidden = randomly(keys[0], reset, keys[1]) & ~reset
        shown = inputs._replace(
            a=self._withheld(a, hidden), seen=reset | ~randomly(keys[2], reset, keys[3])
        )
        other = self.rssm.observe(carry, shown, None)[1].aux
        others = flat_state(other.h, other.z)
        others_before = jnp.pad(others, ((0, 0), (1, 0), (0, 0)))[:, :-1]
        pair = jnp.concatenate([others_before, others], -1)

        told = hidden & shown.seen  # the state after it is there, and the statement is not
        return self.rssm.loss(rollout._replace(aux=latent)) | {
            "next": jnp.where(reset, 0, error(self.next_query(self.next(before)))),
            "inverse": jnp.where(told, error(self.inverse_query(self.inverse(pair))), 0),
            "marginal": jnp.where(hidden, kl(sg(other.post), other.prior), 0),
        }

    def summary(self, latents: Float[Array, "B T V L F"]) -> Float[Array, "B T V E"]:
        return self.rssm.summary(latents)

    def cells(
        self, latents: Float[Array, "B T V L F"], chosen: Int[Array, "B T J"]
    ) -> Float[Array, "B T J L F"]:
        return self.rssm.cells(latents, chosen)

    def named(self, inputs: Inputs, mask: Bool[Array, "B T"]) -> dict[str, Bool[Array, "B T"]]:
        """Whether the right statement of its trajectory is named at each step: as the one to come
        `next`, and from the states before and after it (`inverse`)."""
        a, reset = inputs.a, inputs.reset
        statement, once = named_once(a.embedding, reset, mask)
        unknown = inputs._replace(a=self._withheld(a, ~reset))
        (before, _), pair = (self._around(each) for each in (inputs, unknown))
        queries = {
            "next": self.next_query(self.next(before)),
            "inverse": self.inverse_query(self.inverse(jnp.concatenate(pair, -1))),
        }
        keys = self.key(a.embedding)
        scores = {name: self._scores(query, keys) for name, query in queries.items()}
        return {
            name: jnp.where(once, each, -1e30).argmax(-1) == statement
            for name, each in scores.items()
        }

    def _around(self, inputs: Inputs) -> tuple[Float[Array, "B T I"], Float[Array, "B T I"]]:
        """The states before and after each step."""
        latent = self.rssm.observe(self.initial(len(inputs.reset)), inputs, None)[1].aux
        state = flat_state(latent.h, latent.z)
        return jnp.pad(state, ((0, 0), (1, 0), (0, 0)))[:, :-1], state

    def propose(self, carry: Carry, statements: Float[Array, "B N A"]) -> Float[Array, "B N"]:
        """Scores of the statements that may come next."""
        query = self.next_query(self.next(flat_state(*carry)))
        return self._scores(query[:, None], self.key(statements))[:, 0]

    def explain(
        self, carry: Carry, x: Inputs, statements: Float[Array, "B N A"]
    ) -> Float[Array, "B N"]:
        """Scores of the statements that may have led to one observation more: what is executed
        backwards. The action in `x` is not looked at."""
        shown = x._replace(a=self._withheld(x.a, jnp.ones_like(x.reset)))
        after, _ = self.rssm.observe(carry, shown, None)
        pair = jnp.concatenate([flat_state(*carry), flat_state(*after)], -1)
        query = self.inverse_query(self.inverse(pair))
        return self._scores(query[:, None], self.key(statements))[:, 0]

    def run_free(
        self, carry: Carry, statements: Action, steps: int
    ) -> tuple[Carry, Rollout, Int[Array, "B T"]]:
        """Continue with the statements that the model itself would take, of those given: they lie
        along the time axis. Which it took is told beside the rollout."""

        def step(carry, _):
            taken = self.propose(carry, statements.embedding).argmax(-1)
            rows = jnp.arange(len(taken))
            a = jax.tree.map(lambda each: each[rows, taken][:, None], statements)
            carry, rollout = self.rssm.imagine(carry, a, None)
            return carry, (jax.tree.map(lambda each: each[:, 0], rollout.after), taken)

        carry, (latents, taken) = jax.lax.scan(step, carry, None, length=steps)
        latents, taken = jnp.moveaxis(latents, 0, 1), jnp.moveaxis(taken, 0, 1)
        return carry, Rollout(latents, latents, None), taken

    def _scores(
        self, query: Float[Array, "B T W"], keys: Float[Array, "B N W"]
    ) -> Float[Array, "B T N"]:
        scores = jnp.einsum("btw,bnw->btn", query, keys)
        return widen(scores) / math.sqrt(query.shape[-1])

    def _withheld(self, a: Action, hidden: Bool[Array, "B T"]) -> Action:
        unknown = self.unknown[...].astype(a.embedding.dtype)
        embedding = jnp.where(hidden[..., None], unknown, a.embedding)
        return a._replace(
            embedding=embedding, refs=jnp.where(hidden[..., None], self.rssm.slots, a.refs)
        )


def flat_state(h: Float[Array, "*n H"], z: Float[Array, "*n S C"]) -> Float[Array, "*n I"]:
    return jnp.concatenate([h, einops.rearrange(z, "... s c -> ... (s c)")], -1)


def randomly(
    key: PRNGKeyArray, like: Bool[Array, "B T"], rate_key: PRNGKeyArray
) -> Bool[Array, "B T"]:
    """True at a rate that each row draws for itself."""
    rate = jax.random.uniform(rate_key, (len(like), 1))
    return jax.random.uniform(key, like.shape) < rate


def named_once(
    embedding: Float[Array, "B T A"], reset: Bool[Array, "B T"], mask: Bool[Array, "B T"]
) -> tuple[Int[Array, "B T"], Bool[Array, "B T T"]]:
    """The step at which each step's statement came first in its trajectory, and the steps of the
    same trajectory at which a statement did."""
    trajectory = jnp.cumsum(reset, 1)
    together = trajectory[:, :, None] == trajectory[:, None]
    counted = mask & ~reset  # the action of a reset does not count
    same = (embedding[:, :, None] == embedding[:, None]).all(-1)
    same &= together & counted[:, None]
    first = same.argmax(-1)
    leads = counted & (first == jnp.arange(reset.shape[1]))
    return first, together & leads[:, None]
