"""`python -m experiments.ablate experiment=NAME dataset=DIR out=DIR`: many routes on one table.

    sizes     a width for each route, at which all have equal parameters or operations
    trials    short runs of each route at every learning rate; the best goes on
    training  every route with every seed: the same data in the same order, the same steps
    scores    on held-out programs, with controls, and on further suites; what a statement costs
    scaling   one seed at other sizes, and on shares of the training data
    table     CSV, Markdown, HTML and plots

Routes under `text` write text; they have a training of their own, experiments.tokens. Files under
`predictions` hold what any other model wrote, and get a row each.

The same command again goes on where it was: whatever is finished is in `out`.
"""

import json
import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import jax
from flax import nnx
from omegaconf import DictConfig, OmegaConf

from experiments.atomic import write_whole
from experiments.bench_model import random_actions
from experiments.claim import is_finished
from experiments.command import UserError, command
from experiments.compare import Interval, Result, interval, read_result
from experiments.curves import Curve
from experiments.data import eval_batches, open_dataset
from experiments.evaluate import evaluate, judge
from experiments.measure import measure
from experiments.model import read_spec
from experiments.others import read_predictions
from experiments.predict import Predictor
from experiments.score import mean
from experiments.sheets import write_sheets
from experiments.sizing import (
    Route,
    Size,
    Variant,
    known_sizes,
    matched,
    size_of,
    training_config,
)
from experiments.suites import Suite, asked_suites
from experiments.text_routes import sized_text, text_costs, tried_text, written, written_again
from experiments.train import train_run
from rssm.dynamics.base import Naming

MAY_DIFFER = ("seeds", "text_seeds", "out", "processes", "scaling")
IMAGINED = 32  # statements of the run whose cost is measured
RUNS = 5
NAMED = 16  # batches in which statements are named
WATCHED = ("embedding_rank",)  # metrics of training that tell whether there is anything to score
GIVEN = ("filter", "open")  # modes that are scored: statements are given
TRIED = "valid/loss"  # what a trial is judged by, among those of its own route
TEXTS = (
    "A text has no locals at a return: routes that write are not scored there. `asked` is the "
    "share of the calls whose source and first state leave room to write, `valid_format` of those "
    "whose text can be read to its end; what is not there is wrong. In a step they learn from as "
    "many transitions as its rows have room for."
)

Again = Callable[[Variant], Path]  # trains one and scores it; the folder of its scores


@command("ablate")
def main(cfg: DictConfig) -> None:
    ablate(cfg)


def ablate(cfg: DictConfig) -> list[Result]:
    out = Path(cfg.out)
    check_same(cfg, out)
    sizes = sized_routes(cfg, out)
    suites = asked_suites(cfg)
    results, *further = found = [list[Result]() for _ in suites]
    others = {suite.name: rows for suite, rows in zip(suites[1:], further, strict=True)}

    def add(name: str, costs: dict[str, float], evals: list[Path]) -> None:
        for suite, rows in zip(suites, found, strict=True):
            if all((path / f"{suite.name}.json").exists() for path in evals):
                rows.append(read_result(name, costs, evals, suite.name))
        write_sheets(results, notes(cfg), out, others)
        print(f"{name}: {out / 'table.html'}", flush=True)

    again: dict[str, Again] = {}
    for route, size in sizes:
        rate = best_rate(cfg, route.name, out, partial(train, cfg, route))
        runs = [trained(cfg, route, rate, seed, out) for seed in cfg.seeds]
        evals = [scored(run, suites) for run in runs]
        add(route.name, {"learning_rate": rate} | size._asdict() | speed(runs[0]), evals)
        again[route.name] = partial(trained_again, cfg, route, rate, out, suites[0])
    seeds = cfg.text_seeds or cfg.seeds
    for name, given in cfg.text.items():
        overrides = sized_text(cfg, str(name), given, out)
        rate = best_rate(cfg, str(name), out, partial(tried_text, cfg, overrides))
        overrides = [*overrides, f"optim.learning_rate={rate}"]
        runs = {seed: out / "runs" / f"{name}-{seed}" for seed in seeds}
        evals = [written(cfg, overrides, seed, run, suites) for seed, run in runs.items()]
        add(str(name), {"learning_rate": rate} | text_costs(evals[0], suites[0].name), evals)
        again[str(name)] = partial(written_again, cfg, overrides, out, suites[0])
    for name, path in cfg.predictions.items():
        add(str(name), {}, [judged_on(suites, Path(path), out / "predictions" / str(name))])
    curves: list[Curve] = []
    for result in (each for each in results if each.name in again):
        curves += scaling(cfg, result, again[result.name])
        write_sheets(results, notes(cfg), out, others, curves)
    return results


def check_same(cfg: DictConfig, out: Path) -> None:
    path = out / "config.json"
    found: Any = OmegaConf.to_container(cfg, resolve=True)
    kept = {key: value for key, value in found.items() if key not in MAY_DIFFER}
    if path.exists():
        old = json.loads(path.read_text())
        for key in sorted(old.keys() | kept.keys()):
            if old.get(key) != kept.get(key):
                raise UserError(
                    f"{out} was begun with {key}={old.get(key)}, now it is {kept.get(key)}; "
                    "choose another out"
                )
    out.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(kept, indent=1) + "\n")


def sized_routes(cfg: DictConfig, out: Path) -> list[tuple[Route, Size]]:
    """Each route at its width. Where there is no target, the widths are those of the config."""
    for name, given in cfg.routes.items():
        if not isinstance(given, DictConfig) or "overrides" not in given:
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
        found.append((route, size))
        print(
            f"{name}: {size.params:,} parameters at {route.dial}={size.width}, "
            f"{size.train_flops / 1e6:,.1f} Mflop per transition, "
            f"{size.imagine_flops / 1e3:,.0f} kflop per imagined statement",
            flush=True,
        )
    return found


def best_rate(
    cfg: DictConfig, name: str, out: Path, attempt: Callable[[float, int, Path, int], object]
) -> float:
    """Of the learning rates tried, each for the same few steps, the one that validates best.
    `attempt` trains with a rate and a seed in a folder, for so many steps."""
    rates = [float(rate) for rate in cfg.trials.learning_rates]
    if len(rates) == 1:
        return rates[0]
    path = out / "trials.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    tried = known.setdefault(name, {})
    for rate in rates:
        if f"{rate:g}" not in tried:
            run_dir = out / "trials" / f"{name}-{rate:g}"
            attempt(rate, cfg.seeds[0], run_dir, cfg.trials.steps)
            tried[f"{rate:g}"] = validation(run_dir)
            write_whole(path, json.dumps(known, indent=1) + "\n")
    return min(rates, key=lambda rate: tried[f"{rate:g}"])


def trained(cfg: DictConfig, route: Route, rate: float, seed: int, out: Path) -> Path:
    run_dir = out / "runs" / f"{route.name}-{seed}"
    train(cfg, route, rate, seed, run_dir, cfg.steps)
    return run_dir


def train(cfg: DictConfig, route: Route, rate: float, seed: int, run_dir: Path, steps: int) -> None:
    if is_finished(run_dir, steps):
        return
    own = (f"run_dir={run_dir}", f"steps={steps}", f"seed={seed}")
    train_run(training_config((*route.overrides, *own, f"optim.learning_rate={rate}")))


def validation(run_dir: Path) -> float:
    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    found = [row[TRIED] for row in rows if TRIED in row]
    if not found:
        raise UserError(f"{run_dir} has no {TRIED}: is there a validation split?")
    return found[-1] if math.isfinite(found[-1]) else math.inf


def scaling(cfg: DictConfig, result: Result, again: Again) -> list[Curve]:
    """Of the first seed: as it is, and made again at every other size and on every share of the
    data."""
    first = result._replace(figures=result.figures[:1], calls=result.calls[:1])
    windows = len(open_dataset(cfg.dataset).records("train", "windows"))
    found = []
    for by, here in (("params", result.costs["params"]), ("data", float(windows))):
        if not cfg.scaling[by]:  # one point is no curve
            continue
        points = [(here, right_in_open_loop(first))]
        for value in cfg.scaling[by]:
            variant = Variant(result.name, by, value)
            other = read_result(variant.name, {}, [again(variant)], cfg.suite.name)
            x = float(other.figures[0]["open"]["params"]) if by == "params" else value * here
            points.append((x, right_in_open_loop(other)))
        found.append(Curve(result.name, by, points))
    return found


def trained_again(
    cfg: DictConfig, route: Route, rate: float, out: Path, suite: Suite, variant: Variant
) -> Path:
    """Its scores in open loop; a size of its own has the same shape as the route has."""
    by, value, run_dir = variant.by, variant.value, out / "scaling" / variant.name
    other = resized(cfg, route, variant.name, value, out) if by == "params" else route
    share = f"data.share={value if by == 'data' else 1.0}"
    other = other._replace(overrides=(*other.overrides, share))
    train(cfg, other, rate, cfg.seeds[0], run_dir, cfg.steps)
    return scored(run_dir, [suite], ["open"])


def resized(cfg: DictConfig, route: Route, name: str, target: float, out: Path) -> Route:
    """The route at another number of parameters; a dial that is given twice has the last value."""
    known = known_sizes(out)
    if name not in known:
        spec = read_spec(dataset_of(route))
        other = matched(route, target, "params", cfg.match.within, spec)
        size = size_of(other, spec)
        known[name] = {"overrides": list(other.overrides), "size": size._asdict()}
        write_whole(out / "sizes.json", json.dumps(known, indent=1) + "\n")
    return route._replace(overrides=tuple(known[name]["overrides"]))


def dataset_of(route: Route) -> str:
    """Its own, or the one that all have: the same programs, held by a latent of another form."""
    return training_config(route.overrides).dataset


def right_in_open_loop(result: Result) -> Interval:
    return interval(result, "open", lambda call: call["figures"]["effect_accuracy"])


def scored(run_dir: Path, suites: Sequence[Suite], modes: Sequence[str] = GIVEN) -> Path:
    """With every control, if it is for all modes."""
    out = run_dir / "eval"
    for suite in suites:
        if not has_modes(out / f"{suite.name}.json", modes):
            predictor = Predictor.of_run(run_dir)
            control = list(modes) == list(GIVEN)
            evaluate(predictor, suite.traces, list(modes), out, suite.name, control)
    return out


def judged_on(suites: Sequence[Suite], path: Path, out: Path) -> Path:
    """What another model wrote, on the suites that it wrote about."""
    predictions = read_predictions(path)
    there = [suite for suite in suites if predictions.keys() & suite.names]
    if not there:
        raise UserError(f"{path} has no `id` of {', '.join(suite.name for suite in suites)}")
    for suite in there:
        judge(predictions, suite.traces, path, out, suite.name)
    return out


def has_modes(path: Path, modes: Sequence[str]) -> bool:
    return path.exists() and set(modes) <= json.loads(path.read_text()).keys()


def speed(run_dir: Path) -> dict[str, float]:
    """Of training as it was, and of imagining the latents of one run alone; kept once measured."""
    path = run_dir / "speed.json"
    if not path.exists():
        rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
        rates = sorted(row["steps_per_second"] for row in rows if "steps_per_second" in row)
        predictor = Predictor.of_run(run_dir)
        found = {"imagine_us": 1e6 * imagined_seconds(predictor) / IMAGINED} | named(predictor)
        if rates:
            found["steps_per_second"] = rates[len(rates) // 2]
        found |= {name: row[name] for row in rows for name in WATCHED if name in row}
        write_whole(path, json.dumps(found) + "\n")
    return json.loads(path.read_text())


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


def notes(cfg: DictConfig) -> list[str]:
    target = f"{cfg.match.target:,.0f} {cfg.match.by}" if cfg.match.target else "widths as given"
    tried = ", ".join(f"{float(rate):g}" for rate in cfg.trials.learning_rates)
    steps = f", of text {cfg.text_steps}" if cfg.text and cfg.text_steps else ""
    seeds = ", ".join(map(str, cfg.seeds))
    if cfg.text and cfg.text_seeds:
        seeds += f", of text {', '.join(map(str, cfg.text_seeds))}"
    return [
        f"{cfg.steps} gradient steps each{steps}; seeds {seeds}; {target}; "
        f"learning rates {tried} tried for {cfg.trials.steps} steps each; "
        f"suite {cfg.suite.name} on {jax.default_backend()}.",
        "Intervals are the middle 95 % of a bootstrap over seeds and programs. `copy` expects the "
        "last observed state again; with actions shuffled each step has a wrong statement, with "
        "states shuffled each observed value is another one of the same call.",
        *([TEXTS] if cfg.text else []),
    ]


if __name__ == "__main__":
    main()
