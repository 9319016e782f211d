"""`python -m experiments.stats dataset=DIR [out=FILE.json]`: what a dataset looks like."""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from experiments.command import UserError, command, user_errors
from tracer.records import read_traces
from tracer.schema import Event, Trace, effect, frames
from tracer.values import Value, render

QUANTILES = (0.5, 0.9, 0.99)
NODES = 16  # of a value's tree that the encoding is made for
TYPES = 6  # that the table names


class Tally:
    """What is counted of traces; a trajectory is one call."""

    def __init__(self):
        self.programs = self.trajectories = self.small = 0
        self.events, self.names, self.lengths = Counter(), Counter(), Counter()
        self.changes, self.types, self.outcomes = Counter(), Counter(), Counter()

    def add(self, trace: Trace) -> None:
        self.programs += 1
        self.outcomes[trace.outcome] += 1
        for events in frames(trace).values():
            self.trajectories += 1
            self.events[len(events)] += 1
            self.names.update(len(event.locals) for event in events)
            for before, after in pairwise(events):
                self.step(before, after)

    def step(self, before: Event, after: Event) -> None:
        changed = effect(before.locals, after.locals)
        self.changes[min(2, len(changed))] += 1
        for _, value in changed.values():
            if value is not None:
                self.types[value.kind] += 1
                self.lengths[len(render(value))] += 1
                self.small += nodes(value) <= NODES

    def figures(self) -> dict[str, Any]:
        return {
            "programs": self.programs,
            "outcomes": dict(self.outcomes),
            "trajectories": self.trajectories,
            "events": quantiles(self.events),
            "locals_per_frame": quantiles(self.names),
            "steps": self.changes.total(),
            "steps_changing": {k: share(self.changes, n) for n, k in enumerate(("0", "1", "2+"))},
            "changed_values": self.types.total(),
            "types": {kind: share(self.types, kind) for kind, _ in self.types.most_common()},
            "repr_length": quantiles(self.lengths),
            f"at_most_{NODES}_nodes": self.small / max(1, self.types.total()),
        }


@command("stats")
def main(cfg: DictConfig) -> None:
    figures = stats(cfg)
    show(figures, cfg.dataset)
    if cfg.out:
        path = Path(cfg.out)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        part.write_text(json.dumps(figures, indent=1) + "\n")
        part.replace(path)
        print(path)


def stats(cfg: DictConfig) -> dict[str, dict[str, Any]]:
    """The figures of all traces, and those of each split."""
    with user_errors(ValueError):
        found = tally(read_traces(Path(cfg.dataset)))
    if not found["all"].programs:
        raise UserError(f"{cfg.dataset} has no traces")
    return {name: each.figures() for name, each in found.items() if name}


def tally(traces: Iterable[tuple[str, Trace]]) -> dict[str, Tally]:
    found = {"all": Tally()}
    for name, trace in traces:
        found["all"].add(trace)
        found.setdefault(name, Tally()).add(trace)
    return found


def quantiles(counts: Counter[int]) -> dict[str, int]:
    """The least numbers that are not exceeded by these shares of what was counted."""
    found, seen = {}, 0
    for number, times in sorted(counts.items()):
        seen += times
        for q in QUANTILES:
            if seen >= q * counts.total():
                found.setdefault(f"p{round(100 * q)}", number)
    return found


def share(counts: Counter, key: object) -> float:
    return counts[key] / max(1, counts.total())


def nodes(value: Value) -> int:
    return 1 + sum(map(nodes, value.children()))


def show(figures: dict[str, dict[str, Any]], title: str) -> None:
    table = Table(title=str(title))
    table.add_column("", no_wrap=True)
    for name in figures:
        table.add_column(name, justify="right")
    columns = [dict(lines(at)) for at in figures.values()]
    for label in columns[0]:
        table.add_row(label, *(column[label] for column in columns))
    Console(width=None if sys.stdout.isatty() else 130).print(table)


def lines(at: dict[str, Any]) -> list[tuple[str, str]]:
    """A column of the table."""
    changing = "/".join(percent(part) for part in at["steps_changing"].values())
    kinds = [f"{kind} {percent(part, 2)}" for kind, part in list(at["types"].items())[:TYPES]]
    return [
        ("programs", f"{at['programs']:,}"),
        ("trajectories", f"{at['trajectories']:,}"),
        ("events p50/p90/p99", spread(at["events"])),
        ("locals per frame p50/p90/p99", spread(at["locals_per_frame"])),
        ("steps", f"{at['steps']:,}"),
        ("steps that change 0/1/2+ variables, %", changing),
        ("types of changed values, %", ", ".join(kinds)),
        ("repr length of changed values p50/p90/p99", spread(at["repr_length"])),
        (f"changed values with at most {NODES} nodes, %", percent(at[f"at_most_{NODES}_nodes"])),
    ]


def spread(found: dict[str, int]) -> str:
    return "/".join(f"{number:,}" for number in found.values()) or "-"


def percent(part: float, digits: int = 3) -> str:
    return f"{100 * part:.{digits}g}"


if __name__ == "__main__":
    main()
