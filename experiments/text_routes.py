"""Routes that write text, as `experiments.ablate` has them trained and scored."""

import json
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from experiments.atomic import write_whole
from experiments.sizing import Variant, composed, known_sizes
from experiments.suites import Suite
from experiments.tokens import run_tokens, trained_text, width_of

SCORED_WITH = ("suite", "limit", "limits", "sandbox", "processes")  # the same as other routes


class TextRoute:
    def __init__(
        self, cfg: DictConfig, name: str, overrides: list[str], out: Path, suites: list[Suite]
    ):
        self.name, self.seeds = name, tuple(cfg.text_seeds or cfg.seeds)
        self.cfg, self.overrides, self.out, self.suites = cfg, overrides, out, suites

    def tried(self, rate: float) -> Path:
        """A short run, for its loss."""
        run_dir = self.out / "trials" / f"{self.name}-{rate:g}"
        trained_text(self._text(rate, self.seeds[0], run_dir, steps=self.cfg.trials.steps))
        return run_dir

    def made(self, rate: float, seed: int) -> Path:
        """A run, with its scores in every suite; the folder of these."""
        run_dir = self._run_dir(seed)
        return written(self._text(rate, seed, run_dir), run_dir, self.suites)

    def again(self, rate: float, variant: Variant) -> Path:
        """The first seed at another size or on a share of the data: its scores in open loop."""
        run_dir = self.out / "scaling" / variant.name
        text = self._text(rate, self.seeds[0], run_dir, "modes=[open]")
        if variant.by == "params":
            text.model.width = width_of(text, variant.value, "params", self.cfg.match.within)
        else:
            text.share = variant.value
        return written(text, run_dir, self.suites[:1])

    def costs(self, rate: float) -> dict[str, float]:
        """In place of an imagined statement stands a state that is written."""
        path = self._run_dir(self.seeds[0]) / "eval" / f"{self.suites[0].name}.json"
        figures = json.loads(path.read_text())["open"]
        return {
            "learning_rate": rate,
            "params": figures["params"],
            "train_flops": figures["train_flops"],
            "imagine_flops": figures["flops_per_state"],
            "imagine_us": 1e6 * figures["seconds_per_state"],
            "symbols_per_state": figures["symbols_per_state"],
            "asked": 1 - figures["n_missing"] / figures["n_traces"],
            "valid_format": figures["cwm"]["resolved"]["valid_format"],
        }

    def _run_dir(self, seed: int) -> Path:
        return self.out / "runs" / f"{self.name}-{seed}"

    def _text(
        self, rate: float, seed: int, run_dir: Path, *more: str, steps: int = 0
    ) -> DictConfig:
        """What experiments.tokens runs with. A step of text may cost several of the others."""
        steps = steps or self.cfg.text_steps or self.cfg.steps
        own = [f"run_dir={run_dir}", f"seed={seed}", f"steps={steps}"]
        given = [f"optim.learning_rate={rate}", *more]
        return composed("tokens", [f"dataset={self.cfg.dataset}", *own, *self.overrides, *given])


def text_routes(cfg: DictConfig, out: Path, suites: list[Suite]) -> list[TextRoute]:
    """Each at the width that is wanted of all routes."""
    known = known_sizes(out)
    found = []
    for name, given in cfg.text.items():
        if name not in known:
            overrides = [*map(str, given)]
            if cfg.match.target:
                text = composed("tokens", [f"dataset={cfg.dataset}", "run_dir=none", *overrides])
                width = width_of(text, cfg.match.target, cfg.match.by, cfg.match.within)
                overrides.append(f"model.width={width}")
            known[name] = {"overrides": overrides}
            write_whole(out / "sizes.json", json.dumps(known, indent=1) + "\n")
        found.append(TextRoute(cfg, str(name), known[name]["overrides"], out, suites))
    return found


def written(text: DictConfig, run_dir: Path, suites: Sequence[Suite]) -> Path:
    for suite in suites:
        if not (run_dir / "eval" / f"{suite.name}.json").exists():
            for key in SCORED_WITH:
                text[key] = suite.cfg[key]
            run_tokens(text)
    return run_dir / "eval"
