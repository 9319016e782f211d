"""`python -m experiments.publish run=DIR name=NAME`: a run's weights, and what it scored, to share.

They become rssm/pretrained/NAME.safetensors and NAME.json; `run=pretrained:NAME` uses them. Scores
are those of the suites that `experiments.evaluate` has written into the run.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig, OmegaConf

from experiments.checkpoint import named, read_run
from experiments.command import UserError, command
from experiments.data import open_dataset
from experiments.predict import MODES, Predictor
from experiments.pretrained import FOLDER, write_pretrained
from experiments.score import HEADLINES

PRIVATE = ("dataset", "run_dir")  # where things were on the machine that trained


@command("publish")
def main(cfg: DictConfig) -> None:
    path = publish(cfg)
    print(f"{path}: {path.stat().st_size:,} bytes; run=pretrained:{cfg.name}")


def publish(cfg: DictConfig) -> Path:
    run_dir = Path(cfg.run)
    predictor = Predictor.of_run(run_dir)
    config, schema = read_run(run_dir)
    settings: Any = OmegaConf.to_container(config, resolve=True)
    scores = {path.stem: scored(json.loads(path.read_text())) for path in results(run_dir)}
    if not scores:
        raise UserError(f"{run_dir} has no scores; `python -m experiments.evaluate run={run_dir}`")
    card = {
        "name": cfg.name,
        "params": predictor.size,
        "step": predictor.step,
        "commands": list(cfg.commands),
        "data": described(open_dataset(config.dataset).manifest),
        "scores": scores,
        "limits": list(cfg.limits),
        "config": settings | {key: f"{cfg.name}/{key}" for key in PRIVATE},
        "schema": schema,
    }
    weights = {name: np.asarray(x, cfg.dtype) for name, x in named(predictor.params).items()}
    return write_pretrained(cfg.name, card, weights, Path(cfg.out or FOLDER))


def results(run_dir: Path) -> list[Path]:
    return sorted((run_dir / "eval").glob("*.json"))


def scored(result: dict[str, Any]) -> dict[str, Any]:
    """Of every mode the headline figures, their intervals and controls, and the horizons."""
    found = {}
    for mode in (mode for mode in MODES if mode in result):
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
        found[mode] = {"calls": own["n_traces"], "figures": figures}
        found[mode] |= {"by_horizon": own["by_horizon"]} if mode == "open" else {}
    return found


def described(manifest: dict[str, Any]) -> dict[str, Any]:
    """What a dataset is made of, without where it was."""
    against = {
        name: {key: value for key, value in found.items() if key != "path"}
        for name, found in manifest["plan"]["leaks"]["against"].items()
    }
    leaks = manifest["plan"]["leaks"] | {"against": against}
    return {
        "origins": manifest["plan"]["origins"],
        "counts": manifest["counts"],
        "leaks": leaks,
        "digests": {name: file["sha256"] for name, file in manifest["files"].items()},
    }


if __name__ == "__main__":
    main()
