"""Suites of `experiments.ablate`: what all routes are scored on, traced once."""

from functools import cache
from typing import Any

from omegaconf import DictConfig, OmegaConf

from experiments.evaluate import asked_traces
from experiments.others import names_of
from experiments.sizing import composed
from tracer.schema import Trace


class Suite:
    def __init__(self, cfg: DictConfig, suite: DictConfig, limit: int):
        self.name: str = suite.name
        self.cfg = cfg.copy()
        self.cfg.suite, self.cfg.limit = suite, limit

    @property
    def traces(self) -> list[Trace]:
        return traced(OmegaConf.to_yaml(self.cfg))

    @property
    def names(self) -> set[str]:
        """By which its traces may be called."""
        return {name for trace in self.traces for name in names_of(trace)}


def asked_suites(cfg: DictConfig) -> list[Suite]:
    """The main one first; one that wants a file is left out where none is given."""
    found = [Suite(cfg, cfg.suite, cfg.limit)]
    for name, given in cfg.suites.items():
        suite = composed("evaluate", [f"suite={name}", "run=none"]).suite
        if OmegaConf.is_missing(suite, "path"):
            suite.path = given.path
        if "path" in given and not given.path:
            print(f"{name} is not scored: suites.{name}.path=FILE", flush=True)
        else:
            found.append(Suite(cfg, suite, given.limit))
    return found


@cache
def traced(settings: str) -> list[Trace]:
    """Once in a process."""
    cfg: Any = OmegaConf.create(settings)
    return list(asked_traces(cfg, cfg.dataset))
