"""`python -m experiments.counterfactual run=DIR suite=NAME`: does what comes change as it would?

At a drawn step of a call the model sees the true state, with one variable set to another value of
its type, and imagines the rest freely. The truth is another program, with the assignment in front
of that statement, which is taken where it is run exactly once. The baseline is what the model
imagines from there when nothing is set.
"""

import ast
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from omegaconf import DictConfig

from experiments.atomic import make_room, write_whole
from experiments.command import UserError, at_least, command
from experiments.evaluate import spread, suite_traces
from experiments.free import Run, Start, free_runs
from experiments.predict import Predictor, text
from experiments.score import same_value
from tracer.cells import encode
from tracer.sandbox import Limits, Sandbox
from tracer.schema import Event, Trace, body
from tracer.values import Value, capture, render

TRIES = 8  # places of a call that are drawn, for one that is run once


class Change(NamedTuple):
    """A variable set before a statement of a call, and how the call ends without and with it."""

    source: str  # without it
    event: Event  # the statement
    name: str
    value: Value
    before: str
    after: str


@command("counterfactual")
def main(cfg: DictConfig) -> None:
    at_least(1, steps=cfg.steps, limit=cfg.limit)
    at_least(0, seed=cfg.seed)
    make_room(cfg.out)
    predictor = Predictor.of_programs(Path(cfg.run))
    traces = spread(suite_traces(cfg, cfg.dataset or predictor.cfg.dataset), cfg.limit)
    with Sandbox(Limits(**cfg.limits), **cfg.sandbox) as box:
        changes = [*changed(traces, box, random.Random(cfg.seed))]
    if not changes:
        raise UserError(f"no call of {cfg.suite.name!r} has a statement that is run once")
    result = {"suite": cfg.suite.name, **figures(predictor, changes, cfg.steps)}
    if cfg.out:
        write_whole(Path(cfg.out), json.dumps(result, indent=1) + "\n")
    for name, value in result.items():
        print(f"{name:28} {f'{100 * value:.1f} %' if isinstance(value, float) else value}")


def changed(traces: Sequence[Trace], box: Sandbox, draw: random.Random) -> Iterator[Change]:
    """One of each call, where it has one."""
    for trace in traces:
        events = body(trace)
        places = [n for n, e in enumerate(events) if n and e.kind == "line" and e.locals]
        for place in draw.sample(places, min(TRIES, len(places))):
            event = events[place]
            name = draw.choice([*event.locals])
            other = another(event.locals[name], draw)
            edited = other and inserted(trace.source, event.lineno, f"{name} = {render(other)}")
            if not edited or not other:
                continue
            found = body(box.run(edited.encode(), trace.input).trace)
            runs = [n for n, e in enumerate(found) if (e.kind, e.lineno) == ("line", event.lineno)]
            ends = ending(events), ending(found)
            if runs == [place] and ends[0] and ends[1]:
                yield Change(trace.source, event, name, other, ends[0], ends[1])
                break


def another(value: Value, draw: random.Random) -> Value | None:
    """Of the same type; None where we have none."""
    match value.kind, value.data:
        case "bool", bool(held):
            return capture(not held)
        case "int", int(held):
            return capture(held + draw.choice([-3, -2, -1, 1, 2, 3]))
        case "str", str(held) if held:
            return capture(held[1:] if draw.random() < 0.5 else held + draw.choice("abc"))
        case "list" | "tuple", [*items] if len(items) > 1:
            return value._replace(data=tuple(items[::-1])) if items != items[::-1] else None
    return None


def inserted(source: str, line: int, statement: str) -> str | None:
    """The program with a statement in front of a line; None where none can stand there."""
    lines = source.split("\n")
    old = lines[line - 1]
    lines.insert(line - 1, old[: len(old) - len(old.lstrip())] + statement)
    try:
        ast.parse("\n".join(lines))
    except SyntaxError:
        return None
    return "\n".join(lines)


def ending(events: Sequence[Event]) -> str | None:
    """The repr of what is returned, or the class of what is raised; None where it was cut off."""
    held = [render(event.arg) if event.arg else "None" for event in events[-2:]]
    kinds = {"return": held[-1], "unwind": f"raises {held[0].partition('(')[0]}"} if held else {}
    return kinds.get(events[-1].kind) if held else None


def imagined_ending(run: Run) -> str | None:
    rows = [text(tuple(step.rows[-1].tolist())) or "?" for step in run.steps[-2:]]
    kinds = {"return": rows[-1], "unwind": f"raises {rows[0].partition('(')[0]}"}
    return kinds.get(run.steps[-1].kind)


def figures(predictor: Predictor, changes: Sequence[Change], steps: int) -> dict:
    layout = predictor.layout
    held = [c for c in changes if encode(c.value, layout.cells)[1]]
    seen = [Start(c.source, c.event, steps) for c in held]
    given = [
        Start(c.source, c.event._replace(locals=c.event.locals | {c.name: c.value}), steps)
        for c in held
    ]
    without, after = (
        [*map(imagined_ending, free_runs(predictor.trainer, predictor.params, starts, layout))]
        for starts in (seen, given)
    )
    right = [same_value(c.after, end) for c, end in zip(held, after, strict=True)]
    unset = [same_value(c.after, end) for c, end in zip(held, without, strict=True)]
    moved = [n for n, c in enumerate(held) if not same_value(c.before, c.after)]
    stays = [n for n in range(len(held)) if n not in moved]
    return {
        "calls": len(held),
        "right": share([right[n] for n in range(len(held))]),
        "right_unset": share(unset),
        "really_changed": len(moved),
        "right_of_changed": share([right[n] for n in moved]),
        "right_of_changed_unset": share([unset[n] for n in moved]),
        "right_of_unchanged": share([right[n] for n in stays]),
        "imagined_change_of_changed": share([after[n] != without[n] for n in moved]),
        "imagined_change_of_unchanged": share([after[n] != without[n] for n in stays]),
    }


def share(found: Sequence[bool]) -> float | None:
    return sum(found) / len(found) if found else None


if __name__ == "__main__":
    main()
