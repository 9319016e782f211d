"""Config to objects: the only place that instantiates."""

from collections.abc import Iterator
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf

from experiments.command import UserError, user_errors
from tracer.schema import Program

ROOMS = ("rssm", "tracer", "optax")


def build(cfg: DictConfig, *args: Any, **kwargs: Any) -> Any:
    """Call what a config names, after looking at what it really is."""
    for target in targets(OmegaConf.to_container(cfg, resolve=True)):
        if room_of(target) not in ROOMS:
            raise UserError(f"_target_ {target!r} is not under {', '.join(ROOMS)}")
    try:
        return instantiate(cfg, *args, **kwargs)
    except InstantiationException as error:
        raise UserError(" ".join(str(error).split())) from error


def build_programs(corpus: DictConfig) -> Iterator[Program]:
    """The programs of a corpus, which may find only when it is read that its file is wrong."""
    with user_errors(ValueError):
        yield from build(corpus)


def room_of(target: str) -> str:
    """Where an object was made, by whatever name it is reached."""
    try:
        found = get_object(target)
    except ImportError as error:
        raise UserError(f"_target_ {target!r} is not there") from error
    return str(getattr(found, "__module__", None)).partition(".")[0]


def targets(tree: Any) -> list[str]:
    """Every `_target_` in a config."""
    if isinstance(tree, dict):
        own = [tree["_target_"]] if "_target_" in tree else []
        return own + [name for value in tree.values() for name in targets(value)]
    if isinstance(tree, list):
        return [name for value in tree for name in targets(value)]
    return []
