"""What every route to a world model has in common.

A world model remembers a `carry`, takes an action and an observation per step, and offers
features from which the heads decode what each slot holds. A slot is a row of cells, and so are
the embedding that goes in and the feature that comes out.
"""

from typing import Any, NamedTuple, Protocol, runtime_checkable

from rssm.types import Array, Bool, Float, Int, PRNGKeyArray

Carry = Any  # private to each model: callers hand it back and never look inside


class Action(NamedTuple):
    """What was executed: its embedding, and the slots that it names.

    `refs` holds slot numbers 0..V-1 in the order in which the action names them, padded with V.
    """

    embedding: Float[Array, "B T A"]
    refs: Int[Array, "B T R"]


class Inputs(NamedTuple):
    """One batch of embedded trajectories.

    `a[:, t]` is the action that led to `x[:, t]`; at a reset it does not count.
    Where `seen` is False the observation is withheld and the prior takes the posterior's place;
    None means that everything is seen.
    """

    x: Float[Array, "B T V L D"]
    a: Action
    reset: Bool[Array, "B T"]
    seen: Bool[Array, "B T"] | None = None


class Rollout(NamedTuple):
    """What a model believes at each step.

    `feat` is the belief after the step's observation (where there was one), `guess` the belief
    just before it; when imagining they are the same. `aux` is for the model's own `loss`.
    """

    feat: Float[Array, "B T V L F"]
    guess: Float[Array, "B T V L F"]
    aux: Any


@runtime_checkable
class Dynamics(Protocol):
    """The interface of `rssm/dynamics/*.py`; one yaml in `configs/dynamics/` builds each.

    With `key=None` a stochastic model takes the mode of its distributions in place of a sample:
    program execution is deterministic, and one corrupted latent spoils the rest of a rollout.
    """

    feat_dim: int  # F

    def initial(self, batch_size: int) -> Carry:
        """The carry before anything has happened."""
        ...

    def observe(
        self, carry: Carry, inputs: Inputs, key: PRNGKeyArray | None
    ) -> tuple[Carry, Rollout]:
        """Follow a trajectory whose observations are given."""
        ...

    def imagine(self, carry: Carry, a: Action, key: PRNGKeyArray | None) -> tuple[Carry, Rollout]:
        """Continue from `carry` with actions alone."""
        ...

    def loss(self, rollout: Rollout) -> dict[str, Float[Array, "B T"]]:
        """The model's own terms for a rollout of `observe`: named, one number per step, unmasked
        and unweighted."""
        ...
