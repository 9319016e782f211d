"""What must not happen, and what to do where it is likely."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from experiments.command import UserError
from experiments.risks import KINDS

WHAT = ("exception", "no end", "risk", "bound")
UNTOLD = "unknown"  # what comes next, where the model was shown no more

Bounds = Mapping[str, Sequence[float]]  # lowest and highest, by the name of a variable


class Unwanted(NamedTuple):
    """How likely it must be for a verdict are shares from 0 to 1."""

    what: Sequence[str] = WHAT
    ask: float = 0.2
    refuse: float = 0.5
    effects: Sequence[str] = tuple(KINDS)  # that are risks
    bounds: Bounds = MappingProxyType({})


UNWANTED = Unwanted()


def read_unwanted(cfg: DictConfig | None) -> Unwanted:
    if cfg is None:
        return UNWANTED
    given: Any = OmegaConf.to_container(cfg)
    unwanted = Unwanted(**given | {"bounds": given["bounds"] or {}})
    check(unwanted)
    return unwanted


def check(unwanted: Unwanted) -> None:
    """What is misspelled would not be looked for."""
    check_list("unwanted.what", unwanted.what, WHAT)
    check_list("unwanted.effects", unwanted.effects, tuple(KINDS))
    for name in ("ask", "refuse"):
        share = getattr(unwanted, name)
        if not is_number(share) or not 0 <= share <= 1:
            raise UserError(f"unwanted.{name}={share} is no share from 0 to 1")
    if unwanted.ask > unwanted.refuse:
        raise UserError(f"unwanted.ask={unwanted.ask} is above unwanted.refuse={unwanted.refuse}")
    if not isinstance(unwanted.bounds, Mapping):
        raise UserError(f"unwanted.bounds are {{name: [lowest, highest]}}, not {unwanted.bounds}")
    for name, bounds in unwanted.bounds.items():
        pair = isinstance(bounds, Sequence) and len(bounds) == 2 and all(map(is_number, bounds))
        if not pair or not bounds[0] <= bounds[1]:
            raise UserError(f"unwanted.bounds.{name} is [lowest, highest], not {bounds}")


def check_list(key: str, given: Sequence[str], known: Sequence[str]) -> None:
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise UserError(f"{key} is a list, as in [{known[0]}], not {given}")
    for name in given:
        if name not in known:
            raise UserError(f"{key}: unknown {name!r}; there are: {', '.join(known)}")


def check_bounds(bounds: Bounds, names: Sequence[str]) -> None:
    """`names` are the variables of the function."""
    for name in bounds:
        if name not in names:
            known = ", ".join(names) or "none"
            raise UserError(f"unwanted.bounds: no variable {name!r} there; there are: {known}")


def is_number(x: object) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)


def verdict(chances: Mapping[str, float], unwanted: Unwanted) -> str:
    """By the likeliest of the events that are unwanted, each as a whole."""
    worst = max((chances.get(what, 0.0) for what in unwanted.what), default=0.0)
    if worst >= unwanted.refuse:
        return "refuse"
    return "ask" if worst >= unwanted.ask or chances.get(UNTOLD) else "allow"
