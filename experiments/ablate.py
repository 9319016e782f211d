"""`python -m experiments.ablate experiment=NAME dataset=DIR out=DIR`: many routes on one table.

    sizes     a width for each route, at which all have equal parameters or operations
    trials    short runs of each route at every learning rate; the best goes on
    training  every route with every seed: the same data in the same order, the same steps
    scores    on held-out programs, with controls, and on further suites; what a statement costs
    scaling   one seed at other sizes, and on shares of the training data
    table     CSV, Markdown, HTML and plots

Routes under `text` write text; they have a training of their own, experiments.tokens. Files under
`predictions` hold what any other model wrote, and get a row each.

With `workers` as many processes share the runs, each on cores of its own. The same command again
goes on where it was: whatever is finished is in `out`.
"""

import json
import math
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import jax
from omegaconf import DictConfig, OmegaConf

from experiments.atomic import write_whole
from experiments.claim import exit_on_signals
from experiments.command import UserError, command
from experiments.compare import Interval, Result, interval, read_result
from experiments.crew import Crew, crew
from experiments.curves import Curve
from experiments.data import open_dataset
from experiments.evaluate import judge
from experiments.latent_routes import LatentRoute, latent_routes
from experiments.others import read_predictions
from experiments.sheets import write_sheets
from experiments.sizing import Variant
from experiments.suites import Suite, asked_suites
from experiments.text_routes import TextRoute, text_routes

MAY_DIFFER = ("seeds", "text_seeds", "out", "processes", "workers", "scaling")
MAY_GROW = ("routes", "text", "suites", "predictions")
TRIED = "valid/loss"  # what a trial is judged by, among those of its own route
TEXTS = (
    "A text has no locals at a return: routes that write are not scored there. `asked` is the "
    "share of the calls whose source and first state leave room to write, `valid_format` of those "
    "whose text can be read to its end; what is not there is wrong. In a step they learn from as "
    "many transitions as its rows have room for."
)

Trained = LatentRoute | TextRoute


@command("ablate")
def main(cfg: DictConfig) -> None:
    exit_on_signals()
    ablate(cfg)


def ablate(cfg: DictConfig) -> list[Result]:
    out = Path(cfg.out)
    check_same(cfg, out)
    suites = asked_suites(cfg)
    routes = [*latent_routes(cfg, out, suites), *text_routes(cfg, out, suites)]
    results, *further = found = [list[Result]() for _ in suites]
    others = {suite.name: rows for suite, rows in zip(suites[1:], further, strict=True)}
    curves: list[Curve] = []

    def add(name: str, costs: dict[str, float], evals: list[Path]) -> None:
        for suite, rows in zip(suites, found, strict=True):
            if all((path / f"{suite.name}.json").exists() for path in evals):
                rows.append(read_result(name, costs, evals, suite.name))
        show()
        print(f"{name}: {out / 'table.html'}", flush=True)

    def show() -> None:
        write_sheets(results, notes(cfg), out, others, curves)

    with crew(cfg.workers, out) as run:
        rates = best_rates(cfg, routes, out, run)
        made = run(
            partial(each.made, rates[each.name], seed) for each in routes for seed in each.seeds
        )
        again = run(
            partial(each.again, rates[each.name], v) for each in routes for v in variants(cfg, each)
        )
        for route in routes:
            evals = [*islice(made, len(route.seeds))]
            add(route.name, route.costs(rates[route.name]), evals)
        for name, path in cfg.predictions.items():
            add(str(name), {}, [judged_on(suites, Path(path), out / "predictions" / str(name))])
        for route, result in zip(routes, results, strict=False):
            curves += scaling(cfg, result, variants(cfg, route), again)
            show()
    return results


def check_same(cfg: DictConfig, out: Path) -> None:
    """Routes and suites may be added, and left out: those that are there stay as they are."""
    path, kept = out / "config.json", settings(OmegaConf.to_container(cfg, resolve=True))
    if path.exists():
        old = settings(json.loads(path.read_text()))
        for key in sorted(old.keys() | kept.keys()):
            may_lack = key.partition(".")[0] in MAY_GROW and not (key in old and key in kept)
            if old.get(key) != kept.get(key) and not may_lack:
                raise UserError(
                    f"{out} was begun with {key}={old.get(key)}, now it is {kept.get(key)}; "
                    "choose another out"
                )
        kept = old | kept
    out.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(kept, indent=1) + "\n")


def settings(found: Any) -> dict[str, Any]:
    """By key, those of what may grow one by one; without those that change nothing that is kept."""
    grown = {f"{key}.{name}": x for key in MAY_GROW for name, x in found.get(key, {}).items()}
    kept = {key: x for key, x in found.items() if key not in (*MAY_DIFFER, *MAY_GROW)}
    return kept | grown


def best_rates(
    cfg: DictConfig, routes: Sequence[Trained], out: Path, run: Crew
) -> dict[str, float]:
    """Of the learning rates tried, each for the same few steps, the one that validates best."""
    rates = [float(rate) for rate in cfg.trials.learning_rates]
    if len(rates) == 1:
        return {route.name: rates[0] for route in routes}
    path = out / "trials.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    asked = [
        (route, rate)
        for route in routes
        for rate in rates
        if f"{rate:g}" not in known.setdefault(route.name, {})
    ]
    runs = run(partial(route.tried, rate) for route, rate in asked)
    for (route, rate), run_dir in zip(asked, runs, strict=True):
        known[route.name][f"{rate:g}"] = validation(run_dir)
        write_whole(path, json.dumps(known, indent=1) + "\n")
    return {
        route.name: min(rates, key=lambda rate: known[route.name][f"{rate:g}"]) for route in routes
    }


def validation(run_dir: Path) -> float:
    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    found = [row[TRIED] for row in rows if TRIED in row]
    if not found:
        raise UserError(f"{run_dir} has no {TRIED}: is there a validation split?")
    return found[-1] if math.isfinite(found[-1]) else math.inf


def variants(cfg: DictConfig, route: Trained) -> list[Variant]:
    """At every other size, and on every share of the data; of text only if that is asked for."""
    if isinstance(route, TextRoute) and not cfg.scaling.get("text"):
        return []
    return [Variant(route.name, by, x) for by in ("params", "data") for x in cfg.scaling[by]]


def scaling(
    cfg: DictConfig, result: Result, asked: Sequence[Variant], scores: Iterator[Path]
) -> list[Curve]:
    """Of the first seed: as it is, and each of its variants. One point is no curve."""
    first = result._replace(figures=result.figures[:1], calls=result.calls[:1])
    windows = float(len(open_dataset(cfg.dataset).records("train", "windows")))
    here = {"params": result.costs["params"], "data": windows}
    points = {by: [(x, right_in_open_loop(first))] for by, x in here.items()}
    for (_, by, value), path in zip(asked, scores, strict=False):
        other = read_result(result.name, {}, [path], cfg.suite.name)
        x = float(other.figures[0]["open"]["params"]) if by == "params" else value * windows
        points[by].append((x, right_in_open_loop(other)))
    return [Curve(result.name, by, there) for by, there in points.items() if len(there) > 1]


def right_in_open_loop(result: Result) -> Interval:
    return interval(result, "open", lambda call: call["figures"]["effect_accuracy"])


def judged_on(suites: Sequence[Suite], path: Path, out: Path) -> Path:
    """What another model wrote, on the suites that it wrote about."""
    predictions = read_predictions(path)
    there = [suite for suite in suites if predictions.keys() & suite.names]
    if not there:
        raise UserError(f"{path} has no `id` of {', '.join(suite.name for suite in suites)}")
    for suite in there:
        judge(predictions, suite.traces, path, out, suite.name)
    return out


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
