"""Joint-embedding prediction without reconstruction, after LeWM (arXiv:2603.19312).

    e_t = f(x_t)                                  encoder and projector
    g_t = predictor(e_1, a_2, ..., e_{t-1}, a_t)  causal: the embedding that is expected

    predict   |g_t - e_t|^2                       the gradient goes into both
    sigreg    what e has of a Gaussian            keeps it from collapsing to a point
    rollout   |g'_t - sg(e_t)|                    g' predicted after g in place of e: two steps

The last is the short rollout loss of V-JEPA 2-AC (arXiv:2506.09985). The heads are a probe: their
features are made of sg(e) and sg(g), so that nothing they learn reaches the embedding.

Unlike LeWM the projector has no batch normalisation, since rows of a batch must not reach one
another; the predictor takes an action beside an embedding, not through its normalisation; and
where an observation is withheld, g takes the place of e.
"""

from typing import NamedTuple

import einops
import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from rssm.causal import Cache, CausalTransformer
from rssm.dynamics.base import Action, CellLatents, Inputs, Rollout, Sizes
from rssm.losses import sg, sigreg, spread
from rssm.nets import (
    MLP,
    CellFeatures,
    Dense,
    flat_action,
    frozen,
    scan_time,
    shifted,
    widen,
    zero_where,
)
from rssm.types import Array, Bool, Float, PRNGKeyArray


class Carry(NamedTuple):
    cache: Cache
    e: Float[Array, "B E"]


class Aux(NamedTuple):
    e: Float[Array, "B T E"]
    predicted: Float[Array, "B T E"]
    rolled: Float[Array, "B T E"]
    reset: Bool[Array, "B T"]


class JEPA(CellLatents):
    def __init__(
        self,
        sizes: Sizes,
        *,
        embedding: int,
        width: int,
        hidden: int,
        heads: int,
        layers: int,
        context: int,
        directions: int,
        sigreg: float,
        rollout: float,
        feat_dim: int,
        rngs: nnx.Rngs,
        dtype: DTypeLike = jnp.float32,
    ):
        slots, cells, x_dim, a_dim, refs = sizes[:5]
        self.slots, self.embedding, self.directions = slots, embedding, directions
        self.scales = {"predict": 1.0, "sigreg": sigreg, "rollout": rollout}
        self.feat_dim, self.summary_dim, self.dtype = feat_dim, cells * feat_dim, dtype
        on = {"rngs": rngs, "dtype": dtype}

        self.encoder = MLP(slots * cells * x_dim, hidden, 2, **on)
        self.projector = Dense(hidden, embedding, **on)
        self.token_e = Dense(embedding, width, **on)
        self.token_a = Dense(a_dim + refs * (slots + 1), width, bias=False, **on)
        self.body = CausalTransformer(width, heads, layers, context, **on)
        self.out = Dense(width, embedding, **on)
        self.probe = MLP(embedding, hidden, 1, **on)
        self.feat = CellFeatures(hidden, slots, cells, feat_dim, **on)

    def initial(self, batch_size: int) -> Carry:
        e = jnp.zeros((batch_size, self.embedding), self.dtype)
        return Carry(self.body.initial(batch_size), e)

    def observe(
        self, carry: Carry, inputs: Inputs, key: PRNGKeyArray | None
    ) -> tuple[Carry, Rollout]:
        reset, seen = inputs.reset, inputs.seen
        seen = jnp.ones_like(reset) if seen is None else seen
        x = einops.rearrange(inputs.x.spread(), "b t v l d -> b t (v l d)")
        e = self.projector(self.encoder(x))
        a = self._action(inputs.a, reset)
        end, belief, guess = frozen(self)._follow(*sg((carry, e, a)), reset, seen)

        observed = seen[..., None]
        believed = jnp.where(observed, e, belief)
        predicted = self._predict(carry, believed, a, reset)
        # Twice: after what was predicted, not after what was seen.
        given = jnp.where((reset | ~seen)[..., None], believed, predicted)
        rolled = self._predict(carry, given, a, reset)
        aux = Aux(e, predicted, rolled, reset)
        return end, Rollout(self._feature(belief), self._feature(guess), aux)

    def imagine(self, carry: Carry, a: Action, key: PRNGKeyArray | None) -> tuple[Carry, Rollout]:
        def step(carry, a):
            carry = self._step(carry, a)
            return carry, carry.e

        carry, e = scan_time(step, carry, self._action(a, jnp.zeros(a.refs.shape[:2], bool)))
        feat = self._feature(e)
        return carry, Rollout(feat, feat, None)

    def loss(
        self,
        rollout: Rollout,
        mask: Bool[Array, "B T"] | None = None,
        key: PRNGKeyArray | None = None,
    ) -> dict[str, Float[Array, "B T"]]:
        e, predicted, rolled, reset = rollout.aux
        e, predicted, rolled = widen(e), widen(predicted), widen(rolled)
        mask = jnp.ones_like(reset) if mask is None else mask
        key = jax.random.key(0) if key is None else key
        directions = jax.random.normal(key, (self.embedding, self.directions))
        terms = {
            "predict": jnp.square(predicted - e).mean(-1),
            "rollout": jnp.abs(rolled - sg(e)).mean(-1),
        }
        # What a trajectory begins with cannot be predicted.
        terms = {name: jnp.where(reset, 0, term) for name, term in terms.items()}
        terms["sigreg"] = sigreg(e, directions, mask)
        return {name: self.scales[name] * term for name, term in terms.items()}

    def monitor(self, rollout: Rollout, mask: Bool[Array, "B T"]) -> dict[str, Float[Array, ""]]:
        """Has the embedding collapsed? Its deviation should be near 1, its rank not near 1."""
        deviation, rank = spread(sg(widen(rollout.aux.e)), mask)
        return {"embedding_deviation": deviation, "embedding_rank": rank}

    def _follow(
        self,
        carry: Carry,
        e: Float[Array, "B T E"],
        a: Float[Array, "B T D"],
        reset: Bool[Array, "B T"],
        seen: Bool[Array, "B T"],
    ) -> tuple[Carry, Float[Array, "B T E"], Float[Array, "B T E"]]:
        """The belief at every step, and what was expected there."""

        def step(carry, step_inputs):
            e, a, reset, seen = step_inputs
            carry = Carry(carry.cache.restarted(reset), zero_where(reset, carry.e))
            carry = self._step(carry, a)
            belief = jnp.where(seen[:, None], e, carry.e)
            return carry._replace(e=belief), (belief, carry.e)

        carry, (belief, guess) = scan_time(step, carry, (e, a, reset, seen))
        return carry, belief, guess

    def _step(self, carry: Carry, a: Float[Array, "B D"]) -> Carry:
        cache, h = self.body.step(carry.cache, self.token_e(carry.e) + a)
        return Carry(cache, self.out(h))

    def _predict(
        self,
        carry: Carry,
        e: Float[Array, "B T E"],
        a: Float[Array, "B T D"],
        reset: Bool[Array, "B T"],
    ) -> Float[Array, "B T E"]:
        token = self.token_e(shifted(carry.e, e, reset)) + a
        return self.out(self.body.along(carry.cache, token, reset))

    def _action(self, a: Action, reset: Bool[Array, "B T"]) -> Float[Array, "B T D"]:
        return self.token_a(zero_where(reset, flat_action(a.embedding, a.refs, self.slots)))

    def _feature(self, e: Float[Array, "B T E"]) -> Float[Array, "B T V L F"]:
        return self.feat(self.probe(sg(e)))
