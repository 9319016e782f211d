"""Config to objects: the only place that instantiates."""

from typing import Any

from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf

from experiments.command import UserError

ROOMS = ("rssm", "tracer", "optax")


def build(cfg: DictConfig, *args: Any, **kwargs: Any) -> Any:
    """Call what a config names, after looking at what it really is."""
    for target in targets(OmegaConf.to_container(cfg, resolve=True)):
        found = get_object(target)
        room = getattr(found, "__module__", "").partition(".")[0]
        if room not in ROOMS:
            raise UserError(f"_target_ {target!r} is not under {', '.join(ROOMS)}")
    return instantiate(cfg, *args, **kwargs)


def targets(tree: Any) -> list[str]:
    """Every `_target_` in a config."""
    if isinstance(tree, dict):
        own = [tree["_target_"]] if "_target_" in tree else []
        return own + [name for value in tree.values() for name in targets(value)]
    if isinstance(tree, list):
        return [name for value in tree for name in targets(value)]
    return []
