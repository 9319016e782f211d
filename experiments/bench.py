"""`python -m experiments.bench [group=NAME] [out=FILE.json]`: how fast tracer and models are.

Each figure is the median of some runs after one that does not count, with the least and the
greatest beside it. A busy machine shows in the spread, and in the load that is reported with it.
"""

import json
import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from experiments.atomic import make_room, write_whole
from experiments.bench_model import imagine, train
from experiments.bench_sandbox import sandbox
from experiments.bench_tracer import pipeline, tracer
from experiments.command import UserError, command
from experiments.measure import Cases

GROUPS: dict[str, Callable[[DictConfig, dict[str, Any]], Cases]] = {
    "tracer": tracer,
    "sandbox": sandbox,
    "pipeline": pipeline,
    "train": train,
    "imagine": imagine,
}


@command("bench")
def main(cfg: DictConfig) -> None:
    make_room(cfg.out)
    figures = bench(cfg)
    show(figures)
    if cfg.out:
        write_whole(Path(cfg.out), json.dumps(figures, indent=1) + "\n")
        print(cfg.out)


def bench(cfg: DictConfig) -> dict[str, dict]:
    """{group: {case: {median, low, high, unit, runs}}}, and what it was measured on."""
    if cfg.group not in (*GROUPS, "all"):
        raise UserError(f"unknown group {cfg.group!r}; there are: {', '.join(GROUPS)}, all")
    if cfg.runs < 1:
        raise UserError(f"runs={cfg.runs}: at least one is needed")
    chosen = list(GROUPS) if cfg.group == "all" else [cfg.group]
    load = list(os.getloadavg())
    sizes: dict[str, Any] = {}
    found = {name: GROUPS[name](cfg, sizes) for name in chosen}
    figures: dict[str, dict] = {
        name: {case: figure._asdict() for case, figure in cases.items()}
        for name, cases in found.items()
    }
    return figures | {"machine": machine(load) | sizes}


def machine(load_before: list[float]) -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "jax": version("jax"),
        "backend": jax.default_backend(),
        "device": jax.devices()[0].device_kind,
        "cpu": platform.machine(),
        "cpus": os.cpu_count(),
        "load_before": load_before,
        "load_after": list(os.getloadavg()),
    }


def show(figures: dict[str, dict]) -> None:
    table = Table()
    for column in ("group", "case"):
        table.add_column(column)
    for column in ("median", "low", "high", "unit", "runs"):
        table.add_column(column, justify="left" if column == "unit" else "right")
    for group in (name for name in figures if name != "machine"):
        for name, at in figures[group].items():
            values = [short(at[key]) for key in ("median", "low", "high")]
            table.add_row(group, name, *values, at["unit"], str(at["runs"]))
        table.add_section()
    Console(width=None if sys.stdout.isatty() else 110).print(table)
    print(", ".join(f"{name} {value}" for name, value in figures["machine"].items()))


def short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
