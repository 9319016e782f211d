"""Routes that write text, as `experiments.ablate` has them trained and scored."""

import json
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from experiments.atomic import write_whole
from experiments.sizing import Variant, composed, known_sizes
from experiments.suites import Suite
from experiments.tokens import run_tokens, trained_text, width_of


def sized_text(cfg: DictConfig, name: str, given: Sequence[str], out: Path) -> list[str]:
    """At the width that is wanted of all routes."""
    known = known_sizes(out)
    if name not in known:
        overrides = [*map(str, given)]
        if cfg.match.target:
            text = text_config(cfg, overrides, 0, out, 0)
            width = width_of(text, cfg.match.target, cfg.match.by, cfg.match.within)
            overrides.append(f"model.width={width}")
        known[name] = {"overrides": overrides}
        write_whole(out / "sizes.json", json.dumps(known, indent=1) + "\n")
    return known[name]["overrides"]


def tried_text(
    cfg: DictConfig, overrides: Sequence[str], rate: float, seed: int, run_dir: Path, steps: int
) -> None:
    trained_text(
        text_config(cfg, [*overrides, f"optim.learning_rate={rate}"], seed, run_dir, steps)
    )


def written(
    cfg: DictConfig, overrides: Sequence[str], seed: int, run_dir: Path, suites: Sequence[Suite]
) -> Path:
    text = text_config(cfg, overrides, seed, run_dir, steps_of(cfg))
    for suite in suites:
        if not (run_dir / "eval" / f"{suite.name}.json").exists():
            text.suite, text.limit = suite.cfg.suite, suite.cfg.limit
            run_tokens(text)
    return run_dir / "eval"


def written_again(
    cfg: DictConfig, overrides: Sequence[str], out: Path, suite: Suite, variant: Variant
) -> Path:
    seed, run_dir = cfg.seeds[0], out / "scaling" / variant.name
    if variant.by == "params":
        text = text_config(cfg, overrides, seed, run_dir, steps_of(cfg))
        other = f"model.width={width_of(text, variant.value, 'params', cfg.match.within)}"
    else:
        other = f"share={variant.value}"
    return written(cfg, [*overrides, other, "modes=[open]"], seed, run_dir, [suite])


def steps_of(cfg: DictConfig) -> int:
    """A step of text may cost several of the others."""
    return cfg.text_steps or cfg.steps


def text_config(
    cfg: DictConfig, overrides: Sequence[str], seed: int, run_dir: Path, steps: int
) -> DictConfig:
    own = [f"dataset={cfg.dataset}", f"run_dir={run_dir}", f"seed={seed}", f"steps={steps}"]
    return composed("tokens", [*own, *overrides])


def text_costs(eval_dir: Path, suite: str) -> dict[str, float]:
    """In place of an imagined statement stands a state that is written."""
    figures = json.loads((eval_dir / f"{suite}.json").read_text())["open"]
    return {
        "params": figures["params"],
        "train_flops": figures["train_flops"],
        "imagine_flops": figures["flops_per_state"],
        "imagine_us": 1e6 * figures["seconds_per_state"],
        "symbols_per_state": figures["symbols_per_state"],
        "asked": 1 - figures["n_missing"] / figures["n_traces"],
        "valid_format": figures["cwm"]["resolved"]["valid_format"],
    }
