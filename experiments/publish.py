"""`python -m experiments.publish run=DIR name=NAME`: a run's weights, and what it scored, to share.

They become rssm/pretrained/NAME.safetensors and NAME.json; `run=pretrained:NAME` uses them. Scores
are those of the suites that `experiments.evaluate` has written into the run, or to `scores`; with
run=pretrained:NAME these come beside the ones that the card has.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig, OmegaConf

from experiments.checkpoint import Checkpointer, named, read_run
from experiments.command import UserError, command
from experiments.data import open_dataset
from experiments.nested import EVERY
from experiments.predict import Predictor
from experiments.pretrained import FOLDER, pretrained_name, read_pretrained, write_pretrained
from experiments.score import HEADLINES

KEPT = ("float32", "float16")
BEFORE = ("commands", "step", "data")  # of weights that training began with
PRIVATE = ("dataset", "run_dir")  # where things were on the machine that trained


@command("publish")
def main(cfg: DictConfig) -> None:
    path = publish(cfg)
    use = "to be put into rssm/pretrained" if cfg.out else f"run=pretrained:{cfg.name}"
    print(f"{path}: {path.stat().st_size:,} bytes; {use}")


def publish(cfg: DictConfig) -> Path:
    if cfg.dtype not in KEPT:
        raise UserError(f"unknown dtype {cfg.dtype!r}; there are: {', '.join(KEPT)}")
    run_dir = Path(cfg.run)
    predictor = Predictor.of_run(run_dir)
    known = card_of(run_dir)
    found = results(Path(cfg.scores or run_dir / "eval"), predictor.step)
    scores = known["scores"] | {name: scored(result) for name, result in found.items()}
    if not scores and not cfg.unscored:
        raise UserError(f"{run_dir} has no scores; `python -m experiments.evaluate run={run_dir}`")
    card = {
        "name": cfg.name,
        "params": predictor.size,
        "step": predictor.step,
        "commands": list(cfg.commands) or known["commands"],
        "data": known["data"],
        "before": known["before"],
        "scores": scores,
        "limits": list(cfg.limits) or known["limits"],
        "config": known["config"] | {key: f"{cfg.name}/{key}" for key in PRIVATE},
        "schema": known["schema"],
    }
    weights = {name: np.asarray(x, cfg.dtype) for name, x in named(predictor.params).items()}
    return write_pretrained(cfg.name, card, weights, Path(cfg.out or FOLDER))


def card_of(run_dir: Path) -> dict[str, Any]:
    """What is known before it is scored."""
    if name := pretrained_name(run_dir):
        return {"before": None} | read_pretrained(name)[0]
    config, schema = read_run(run_dir)
    begun = card_of(Path(config.init)) if config.get("init") else None
    return {
        "commands": [],
        "step": Checkpointer(run_dir).latest(),
        "data": described(open_dataset(config.dataset).manifest),
        "before": begun and {key: begun[key] for key in BEFORE},
        "scores": {},
        "limits": [],
        "config": OmegaConf.to_container(config, resolve=True),
        "schema": schema,
    }


def results(folder: Path, step: int) -> dict[str, dict[str, Any]]:
    """By suite; a run that was trained further has others than it had then."""
    found = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    for name, result in found.items():
        if result["step"] != step:
            print(f"{name} is left out: it was scored at step {result['step']}, and this is {step}")
    return {name: result for name, result in found.items() if result["step"] == step}


def scored(result: dict[str, Any]) -> dict[str, Any]:
    """Of every mode the headline figures with their intervals and controls, and what else can be
    told of it: horizons, the course of programs, calibration."""
    found = {}
    for mode in (mode for mode in EVERY if mode in result):
        own = result[mode]
        figures = {
            name: {
                "value": own[name],
                "ci95": own["ci95"].get(name),
                "copy": own["copy"][name],
                "shuffled": own["shuffled"][name],
            }
            for name in HEADLINES
        }
        found[mode] = {"calls": own["n_traces"], "figures": figures} | {
            "coverage": own["coverage"],
            "cut": own["n_cut"],
            "course": course_of(own),
            "calibration": {
                name: {key: at[key] for key in ("n", "ece") if key in at}
                for name, at in own["calibration"].items()
            },
        }
        found[mode] |= {"by_horizon": horizons_of(own)} if mode == "open" else {}
    return found


def course_of(own: dict[str, Any]) -> dict[str, Any]:
    """What there was any of, with what comes of wrong statements beside it."""
    wrong = own["shuffled"].get("course", {})
    return {
        name: at | {"shuffled": wrong.get(name, {}).get("accuracy")}
        for name, at in own["course"].items()
        if at["n"]
    }


def horizons_of(own: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for steps, at in own["by_horizon"].items():
        others = {kind: own[kind]["by_horizon"].get(steps, {}) for kind in ("copy", "shuffled")}
        exact = {kind: each.get("state_exact_match") for kind, each in others.items()}
        found[steps] = at | {"state_exact_match_of": exact}
    return found


def described(manifest: dict[str, Any]) -> dict[str, Any]:
    """What a dataset is made of, without where it was."""
    plan = manifest.get("plan", {})  # a dataset that was imported has none
    leaks = plan.get("leaks", {"against": {}})
    against = {
        name: {key: value for key, value in found.items() if key != "path"}
        for name, found in leaks["against"].items()
    }
    return {
        "origins": plan.get("origins", {}),
        "counts": manifest["counts"],
        "leaks": leaks | {"against": against},
        "digests": {name: file["sha256"] for name, file in manifest["files"].items()},
    }


if __name__ == "__main__":
    main()
