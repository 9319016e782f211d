"""What every route to a world model has in common.

A world model remembers a `carry`, takes an action and an observation per step, and holds a belief
of what each slot contains. A slot is a row of cells, and so are the embedding that goes in and the
feature, from which the heads decode, that comes out.
"""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import einops
from flax import nnx

from rssm.tables import Rows, pick_slots
from rssm.types import Array, Bool, Float, Int, PRNGKeyArray

Carry = Any  # private to each model: callers hand it back and never look inside
Latents = Any  # the same for every step, [B, T, ...]; `summary` and `cells` read them


class Action(NamedTuple):
    """What was executed: its embedding, the slots that it names, and its text.

    `refs` holds slot numbers 0..V-1 in the order in which the action names them, padded with V;
    `tokens` symbols, of which those below `Sizes.symbols` stand in cells too, padded with 0.
    """

    embedding: Float[Array, "B T A"]
    refs: Int[Array, "B T R"]
    tokens: Int[Array, "B T M"]


class Inputs(NamedTuple):
    """One batch of embedded trajectories.

    `a[:, t]` is the action that led to `x[:, t]`; at a reset it does not count.
    Where `seen` is False the observation is withheld and the prior takes the posterior's place;
    None means that everything is seen.
    """

    x: Rows
    a: Action
    reset: Bool[Array, "B T"]
    seen: Bool[Array, "B T"] | None = None


class Rollout(NamedTuple):
    """What a model believes at each step.

    `after` is the belief with the step's observation (where there was one), `guess` the belief
    just before it; when imagining they are the same. `aux` is for the model's own `loss`.
    """

    after: Latents
    guess: Latents
    aux: Any


class Sizes(NamedTuple):
    """What a model must fit: the data's sizes, and the encoder's widths."""

    slots: int  # V
    cells: int  # L
    x_dim: int  # D
    a_dim: int  # A
    refs: int  # R
    tokens: int  # M
    symbols: int  # that a cell may hold
    words: int  # symbols and all other tokens
    labels: tuple[int, ...] = (1,)  # classes of each label; they stand in cells of the last slot
    working: range = range(0)  # slots seen where all is (`Inputs.seen` is None), else never
    telling: tuple[int, ...] = ()  # classes of the first label that say something in the last slot
    # of rows, where others are taken to say nothing; none where that is not known


@runtime_checkable
class Dynamics(Protocol):
    """The interface of `rssm/dynamics/*.py`; one yaml in `configs/dynamics/` builds each.

    With `key=None` a stochastic model takes the mode of its distributions in place of a sample:
    program execution is deterministic, and one corrupted latent spoils the rest of a rollout.
    """

    feat_dim: int  # F
    summary_dim: int  # E

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

    def loss(
        self,
        rollout: Rollout,
        mask: Bool[Array, "B T"] | None = None,
        key: PRNGKeyArray | None = None,
    ) -> dict[str, Float[Array, "B T"]]:
        """The model's own terms for a rollout of `observe`: named, one number per step, unmasked
        and unweighted.

        `mask` says which steps count, for a term that compares steps with one another; `key` is
        for a term that draws noise. Without them all steps count, and the noise is always the same.
        """
        ...

    def summary(self, latents: Latents) -> Float[Array, "B T V E"]:
        """What is believed of each slot as a whole."""
        ...

    def cells(self, latents: Latents, chosen: Int[Array, "B T J"]) -> Float[Array, "B T J L F"]:
        """What is believed of each cell of the chosen slots."""
        ...


class CellLatents(nnx.Module):
    """A model whose latents are a feature for each cell of every slot."""

    def summary(self, latents: Float[Array, "B T V L F"]) -> Float[Array, "B T V E"]:
        return einops.rearrange(latents, "b t v l f -> b t v (l f)")

    def cells(
        self, latents: Float[Array, "B T V L F"], chosen: Int[Array, "B T J"]
    ) -> Float[Array, "B T J L F"]:
        return pick_slots(latents, chosen)


@runtime_checkable
class Spelling(Protocol):
    """A model whose latents are symbols: what it believes is read off them, and no head decodes it.
    It is trained by its own loss alone, with every step seen: `dyn`, zero where a step was not
    drawn, `chance` of being drawn, and `critic` if one says it."""

    def spell(
        self, latents: Latents
    ) -> tuple[Int[Array, "B T V L"], Float[Array, "B T V"], list[Float[Array, "B T _"]]]:
        """The symbols of every cell, the log-probability that the model gave each slot's, and of
        each label that of its classes."""
        ...


@runtime_checkable
class Naming(Protocol):
    """A model that can say which statement it is, of those of a trajectory."""

    def named(self, inputs: Inputs, mask: Bool[Array, "B T"]) -> dict[str, Bool[Array, "B T"]]:
        """By what it is asked: whether the answer is right, at each step but the first."""
        ...


@runtime_checkable
class Monitored(Protocol):
    """A model that has something to watch beside its losses."""

    def monitor(self, rollout: Rollout, mask: Bool[Array, "B T"]) -> dict[str, Float[Array, ""]]:
        """Named numbers, over the steps that count; nothing is trained on them."""
        ...
