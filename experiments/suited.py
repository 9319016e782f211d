"""Whether a run's model can be asked at all: one line on what it lacks, before weights are read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from experiments.checkpoint import read_run
from experiments.command import UserError

HEADS = ("slots", "kind", "branch")  # values, events, and the way that a header takes
TEXT = "rssm.tokens.TextModel"
AGENT = "tracer.corpora.agent.programs"
KNOWN = {"programs": "statements of programs", "agents": "commands and edits of agents"}


def check_heads(run_dir: Path, cfg: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """It must be a world model, and say what its predictions are read from."""
    wanted = f"this command needs a world model with heads for {', '.join(HEADS)}"
    model = cfg.get("model")
    if isinstance(model, Mapping | DictConfig) and model.get("_target_") == TEXT:
        raise UserError(f"{run_dir} is a text model, of experiments.tokens; {wanted}")
    if not schema:
        raise UserError(f"{run_dir} has a schema without fields; {wanted}")
    fields = schema.get("fields", [])
    there = [field.get("name") for field in fields if isinstance(field, Mapping)]
    if missing := [name for name in HEADS if name not in there]:
        raise UserError(f"{run_dir} has no head for {', '.join(missing)}; {wanted}")


def check_actions(run_dir: Path, wanted: str) -> None:
    """That it was trained on one of KNOWN, as far as its dataset is still there to tell."""
    if not (run_dir / "config.yaml").is_file():
        return  # it is told elsewhere that there is no run
    found = actions(read_run(run_dir)[0].get("dataset"))
    if found not in (wanted, None):
        raise UserError(
            f"{run_dir} was trained on {KNOWN[str(found)]}; this command needs a model of "
            f"{KNOWN[wanted]}"
        )


def actions(dataset: object) -> str | None:
    """What the actions of a dataset are: a key of KNOWN; None where it does not tell."""
    try:
        manifest = json.loads((Path(str(dataset)) / "manifest.json").read_text())
        corpus = manifest["config"]["corpus"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return "agents" if isinstance(corpus, dict) and corpus.get("_target_") == AGENT else "programs"
