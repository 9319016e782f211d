"""Weights that come with the package: rssm/pretrained/NAME.safetensors, and its card NAME.json.

`run=pretrained:NAME` takes them wherever a command takes a run. The card holds the config and the
schema that make the model, what it was trained on, by which command, and what it scored.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from experiments.atomic import write_whole
from experiments.checkpoint import filled, named
from experiments.command import UserError, first_line

FOLDER = Path(__file__).resolve().parents[1] / "rssm" / "pretrained"
PREFIX = "pretrained:"
LARGEST = 16 << 20  # bytes of a file


def pretrained_name(run: Path | str) -> str | None:
    """NAME of `pretrained:NAME`; None of a folder."""
    text = str(run)
    return text.removeprefix(PREFIX) if text.startswith(PREFIX) else None


def read_pretrained(name: str, folder: Path = FOLDER) -> tuple[dict[str, Any], dict]:
    """The card, and the weights by their names."""
    known = sorted(path.stem for path in folder.glob("*.safetensors"))
    if name not in known:
        raise UserError(f"no weights {name!r}; there are: {', '.join(known) or 'none'}")
    try:
        card = json.loads((folder / f"{name}.json").read_text())
        weights = load_file(folder / f"{name}.safetensors")
        return card, {name: x.astype(np.float32) for name, x in weights.items()}
    except (ValueError, SafetensorError) as error:
        raise UserError(f"the weights {name!r} cannot be read: {first_line(error)}") from error


def fitted(params: Any, weights: Mapping[str, np.ndarray], what: object) -> Any:
    """The parameters with these weights in place of their own."""
    wanted = {name: x.shape for name, x in named(params).items()}
    found = {name: x.shape for name, x in weights.items()}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            raise UserError(
                f"the weights of {what} do not fit its config: {name} has the shape "
                f"{found.get(name)}, and not {wanted.get(name)}"
            )
    return filled(params, weights)


def write_pretrained(
    name: str, card: dict[str, Any], weights: dict[str, np.ndarray], folder: Path = FOLDER
) -> Path:
    """Both files, or none: the card, which comes last, is what makes them weights."""
    size = sum(x.nbytes for x in weights.values())
    if size > LARGEST:
        raise UserError(f"{name} has {size:,} bytes; a file may have {LARGEST:,}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    part = path.with_name(f"{path.name}.part")
    save_file(weights, part)
    part.replace(path)
    write_whole(folder / f"{name}.json", json.dumps(card, indent=1) + "\n")
    return path
