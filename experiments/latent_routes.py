"""Routes with latents, as `experiments.ablate` has them trained and scored."""

import json
import signal
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import jax
from flax import nnx
from omegaconf import DictConfig, ListConfig

from experiments.atomic import write_whole
from experiments.bench_model import random_actions
from experiments.claim import is_finished
from experiments.command import UserError
from experiments.data import eval_batches, open_dataset
from experiments.evaluate import evaluate
from experiments.measure import measure
from experiments.model import read_spec
from experiments.predict import Predictor
from experiments.score import mean
from experiments.sizing import (
    Route,
    Size,
    Variant,
    known_sizes,
    matched,
    size_of,
    training_config,
)
from experiments.suites import Suite
from experiments.train import train_run
from rssm.dynamics.base import Naming

MODES = ("filter", "open")  # that are scored: statements are given
IMAGINED = 32  # statements of the run whose cost is measured
RUNS = 5
NAMED = 16  # batches in which statements are named
WATCHED = ("embedding_rank",)  # metrics of training that tell whether there is anything to score


class LatentRoute:
    def __init__(self, cfg: DictConfig, route: Route, size: Size, out: Path, suites: list[Suite]):
        self.name, self.seeds = route.name, tuple(cfg.seeds)
        self.cfg, self.route, self.size, self.out, self.suites = cfg, route, size, out, suites

    def tried(self, rate: float) -> Path:
        """A short run, for its loss."""
        run_dir = self.out / "trials" / f"{self.name}-{rate:g}"
        self._train(self.route, rate, self.seeds[0], run_dir, self.cfg.trials.steps)
        return run_dir

    def made(self, rate: float, seed: int) -> Path:
        """A run, with its scores in every suite and with every control; the folder of these."""
        run_dir = self._run_dir(seed)
        self._train(self.route, rate, seed, run_dir, self.cfg.steps)
        if seed == self.seeds[0]:
            keep_speed(run_dir)
        return scored(run_dir, self.suites, MODES)

    def again(self, rate: float, variant: Variant) -> Path:
        """The first seed at another size, in the same shape, or on a share of the data: its scores
        in open loop."""
        run_dir, suites = self.out / "scaling" / variant.name, self.suites[:1]
        if not has_modes(run_dir / "eval", suites[0], ["open"]):
            steps = self.cfg.steps
            self._train(self._varied(variant), rate, self.seeds[0], run_dir, steps)
        return scored(run_dir, suites, ["open"])

    def costs(self, rate: float) -> dict[str, float]:
        speed = json.loads((self._run_dir(self.seeds[0]) / "speed.json").read_text())
        return {"learning_rate": rate} | self.size._asdict() | speed

    def _run_dir(self, seed: int) -> Path:
        return self.out / "runs" / f"{self.name}-{seed}"

    def _varied(self, variant: Variant) -> Route:
        """A dial that is given twice has the last value."""
        if variant.by == "params":
            spec = read_spec(dataset_of(self.route))
            return matched(self.route, variant.value, "params", self.cfg.match.within, spec)
        overrides = (*self.route.overrides, f"data.share={variant.value}")
        return self.route._replace(overrides=overrides)

    def _train(self, route: Route, rate: float, seed: int, run_dir: Path, steps: int) -> None:
        if is_finished(run_dir, steps):
            return
        own = (f"run_dir={run_dir}", f"steps={steps}", f"seed={seed}")
        try:
            train_run(training_config((*route.overrides, *own, f"optim.learning_rate={rate}")))
        except SystemExit as end:  # a run may be told to end, and that is well; this command is not
            sys.exit(end.code or 128 + signal.SIGTERM)


def latent_routes(cfg: DictConfig, out: Path, suites: list[Suite]) -> list[LatentRoute]:
    """Each at its width. Where there is no target, the widths are those of the config."""
    for name, given in cfg.routes.items():
        overrides = given.get("overrides") if isinstance(given, DictConfig) else None
        if not isinstance(overrides, ListConfig):
            raise UserError(f"routes.{name}={given} is not of the form {{overrides: [KEY=VALUE]}}")
    known = known_sizes(out)
    found = []
    for name, given in cfg.routes.items():
        more = {key: given[key] for key in ("dial", "multiple") if key in given}
        route = Route(str(name), (f"dataset={cfg.dataset}", *cfg.train, *given.overrides), **more)
        if name not in known:
            spec = read_spec(dataset_of(route))
            if cfg.match.target:
                route = matched(route, cfg.match.target, cfg.match.by, cfg.match.within, spec)
            size = size_of(route, spec)
            known[name] = {"overrides": list(route.overrides), "size": size._asdict()}
            write_whole(out / "sizes.json", json.dumps(known, indent=1) + "\n")
        route = route._replace(overrides=tuple(known[name]["overrides"]))
        size = Size(**known[name]["size"])
        found.append(LatentRoute(cfg, route, size, out, suites))
        print(
            f"{name}: {size.params:,} parameters at {route.dial}={size.width}, "
            f"{size.train_flops / 1e6:,.1f} Mflop per transition, "
            f"{size.imagine_flops / 1e3:,.0f} kflop per imagined statement",
            flush=True,
        )
    return found


def dataset_of(route: Route) -> str:
    """Its own, or the one that all have: the same programs, held by a latent of another form."""
    return training_config(route.overrides).dataset


def scored(run_dir: Path, suites: Sequence[Suite], modes: Sequence[str]) -> Path:
    """With every control, if it is for all modes."""
    out = run_dir / "eval"
    for suite in suites:
        if not has_modes(out, suite, modes):
            predictor = Predictor.of_run(run_dir)
            control = list(modes) == list(MODES)
            evaluate(predictor, suite.traces, list(modes), out, suite.name, control)
    return out


def has_modes(out: Path, suite: Suite, modes: Sequence[str]) -> bool:
    path = out / f"{suite.name}.json"
    return path.exists() and set(modes) <= json.loads(path.read_text()).keys()


def keep_speed(run_dir: Path) -> None:
    """Of training as it was, and of imagining the latents of one run alone; measured once."""
    path = run_dir / "speed.json"
    if path.exists():
        return
    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    rates = sorted(row["steps_per_second"] for row in rows if "steps_per_second" in row)
    predictor = Predictor.of_run(run_dir)
    found = {"imagine_us": 1e6 * imagined_seconds(predictor) / IMAGINED} | named(predictor)
    if rates:
        found["steps_per_second"] = rates[len(rates) // 2]
    found |= {name: row[name] for row in rows for name in WATCHED if name in row}
    write_whole(path, json.dumps(found) + "\n")


def named(predictor: Predictor) -> dict[str, float]:
    """Of held-out windows: how often dynamics that can name statements name the right one."""
    graph, batches = predictor.trainer.graph, predictor.cfg.data.batch_size
    if not isinstance(nnx.merge(graph, predictor.params).dynamics, Naming):
        return {}
    name = jax.jit(lambda params, batch: nnx.merge(graph, params).naming(batch))
    some = islice(eval_batches(open_dataset(predictor.cfg.dataset), "test", batches), NAMED)
    rows = [name(predictor.params, batch) for batch in some]
    return {f"{key}_named": mean(float(row[key]) for row in rows) for key in rows[0]}


def imagined_seconds(predictor: Predictor) -> float:
    graph = predictor.trainer.graph
    a, *_ = random_actions(nnx.merge(graph, predictor.params), 1, IMAGINED)

    @jax.jit
    def imagine(params: Any, a: Any) -> Any:
        dynamics = nnx.merge(graph, params).dynamics
        return dynamics.imagine(dynamics.initial(1), a, None)[0]

    found = measure(lambda: jax.block_until_ready(imagine(predictor.params, a)), RUNS)
    return sorted(found)[len(found) // 2]
