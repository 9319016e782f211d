"""`python -m experiments.trace corpus=NAME out=DIR`: a corpus to a dataset."""

import os
import platform
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from experiments.build import build_programs
from experiments.command import command, user_errors
from tracer.corpora.split import group, split, unique
from tracer.encode import encode_trajectory, pieces
from tracer.layout import Layout
from tracer.pool import run_all
from tracer.sandbox import Limits, Outcome, Sandbox
from tracer.schema import OUTCOMES, Program, Trace, frames
from tracer.store import SPLITS, Dataset, Writer
from tracer.windows import pack

SHUFFLED = 100_000  # pieces that are shuffled together before they are packed
MAY_DIFFER = ("out", "processes", "sandbox")  # without another dataset coming out


class Traced(NamedTuple):
    """What one program gives."""

    split: str
    trace: Trace
    pieces: list[dict[str, np.ndarray]]
    counts: Counter  # trajectories, steps, values and those held exactly


@command("trace")
def main(cfg: DictConfig) -> None:
    trace_corpus(cfg)


def trace_corpus(cfg: DictConfig) -> Path:
    folder = Path(cfg.out)
    settings = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(settings, dict)
    if is_made(folder, settings):
        print(f"{folder} is already made with this config")
        return folder
    with user_errors(TypeError):
        layout, limits = Layout(**cfg.window), Limits(**cfg.limits)
    with Sandbox(limits, **cfg.sandbox) as box:
        facts = box.facts()
    print(f"sandbox: tier {facts['tier']}, {facts['form']}")
    writer = Writer(folder, layout)
    began = time.monotonic()
    try:
        programs = unique(build_programs(cfg.corpus))
        processes = cfg.processes or os.cpu_count() or 1
        found = run_all(programs, limits, processes, partial(digest, layout=layout), **cfg.sandbox)
        outcomes, counts = write(found, writer, layout, cfg.seed)
        manifest = {
            "config": settings,
            "python": platform.python_version(),
            "outcomes": outcomes,
            "counts": counts,
            "sandbox": facts,
        }
        writer.finish(manifest)
    except BaseException:
        writer.abandon()
        raise
    show(outcomes, counts, folder, time.monotonic() - began)
    return folder


def is_made(folder: Path, settings: dict) -> bool:
    """Whether a dataset is there, and these settings would give it again."""
    if not (folder / "manifest.json").is_file():
        return False
    with user_errors(ValueError):
        made = Dataset(folder).manifest["config"]
    return all(made.get(k) == v for k, v in settings.items() if k not in MAY_DIFFER)


def digest(program: Program, outcome: Outcome, layout: Layout) -> Traced:
    """Arrays of every call of a program."""
    found, counts = [], Counter()
    for events in frames(outcome.trace).values():
        trajectory = encode_trajectory(events, layout)
        found += pieces(trajectory, layout)
        bound = [
            whole
            for rows, row in zip(trajectory.states, trajectory.exact, strict=True)
            for cells, whole in zip(rows, row, strict=True)
            if cells[0]
        ]
        counts["trajectories"] += 1
        counts["steps"] += len(trajectory)
        counts["values"] += len(bound)
        counts["values_exact"] += sum(bound)
        counts["names_lost"] += trajectory.lost
    return Traced(split(group(program)), outcome.trace, found, counts)


def write(
    found: Iterable[Traced], writer: Writer, layout: Layout, seed: int
) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, int]]]:
    """Traces as they come, windows from shuffled pieces; counts by split."""
    outcomes = {name: Counter() for name in SPLITS}
    counts = {name: Counter() for name in SPLITS}
    held: dict[str, list[dict]] = {name: [] for name in SPLITS}
    order = random.Random(seed)
    for one in progress(found):
        writer.write_trace(one.split, one.trace)
        outcomes[one.split][one.trace.outcome] += 1
        counts[one.split] += one.counts
        held[one.split] += one.pieces
        if len(held[one.split]) >= SHUFFLED:
            order.shuffle(held[one.split])
            flush(writer, one.split, held[one.split], layout)
    for name in SPLITS:
        order.shuffle(held[name])
        flush(writer, name, held[name], layout)
    return {k: dict(v) for k, v in outcomes.items()}, {k: dict(v) for k, v in counts.items()}


def flush(writer: Writer, name: str, held: list[dict], layout: Layout) -> None:
    for window in pack(held, layout):
        writer.write_window(name, window)
    held.clear()


def progress(found: Iterable[Traced]) -> Iterator[Traced]:
    console = Console()
    columns = (TextColumn("tracing: {task.completed} programs"), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        for one in found:
            bar.advance(task)
            yield one


def show(outcomes: dict, counts: dict, folder: Path, seconds: float) -> None:
    table = Table(title=f"{folder}: programs by outcome")
    table.add_column("split")
    present = [kind for kind in OUTCOMES if any(outcomes[name].get(kind) for name in SPLITS)]
    for column in [*present, "trajectories", "steps", "values held exactly"]:
        table.add_column(column, justify="right")
    for name in SPLITS:
        count = counts[name]
        share = count.get("values_exact", 0) / max(1, count.get("values", 0))
        cells = [outcomes[name].get(kind, 0) for kind in present]
        cells += [count.get("trajectories", 0), count.get("steps", 0)]
        table.add_row(name, *map(str, cells), f"{share:.1%}")
    Console().print(table)
    programs = sum(sum(kinds.values()) for kinds in outcomes.values())
    steps = sum(count.get("steps", 0) for count in counts.values())
    print(f"{programs} programs, {steps} steps in {seconds:.0f} s")


if __name__ == "__main__":
    main()
