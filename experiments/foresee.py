"""`python -m experiments.foresee run=DIR program=FILE.py call='f(3)'`: what would a call do?

Nothing of the function runs: its arguments are evaluated, and the rest is imagined, once along
what is likeliest and some times along what is drawn with its probability. The chance of an event is
the mean over these runs (see `experiments.chances`); with `scales=FILE`, scaled by what
`experiments.foresight` found such chances to be worth. `verdict` is `refuse` where something
unwanted is as likely as `refuse`, `ask` where it is as likely as `ask`, else `allow`; the exit
status is 0, 3 for `ask`, 4 for `refuse`.
"""

import json
import sys
import tokenize
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table

from experiments.atomic import write_whole
from experiments.chances import hazards, raising, reaching, unending
from experiments.command import UserError, command, user_errors
from experiments.free import Run, Start, free_runs
from experiments.predict import Predictor, frame, text
from experiments.risks import risks
from experiments.scales import Scale
from tracer.entry import stub
from tracer.sandbox import Limits, Sandbox
from tracer.schema import Event

RUNS = 16  # that are imagined
STATUS = {"allow": 0, "ask": 3, "refuse": 4}
WHAT = ("exception", "no end", "risk", "bound")
LEAST = 0.005  # what is less likely is not shown


class Unwanted(NamedTuple):
    """What must not happen, and how likely it must be for a verdict; shares from 0 to 1."""

    what: Sequence[str] = WHAT
    ask: float = 0.2
    refuse: float = 0.5
    bounds: Mapping[str, Sequence[float]] = MappingProxyType({})  # lowest and highest, by name


UNWANTED = Unwanted()
Scales = Mapping[str, Scale]  # by measure of experiments.foresight
UNSCALED: Scales = MappingProxyType({})


class Expected(NamedTuple):
    """Something that may happen."""

    what: str  # one of WHAT
    name: str  # which: ValueError, deletion, x
    line: int | None
    chance: float
    steps: list[str]  # the imagined steps that lead there


class Foresight(NamedTuple):
    result: str | None  # repr of what is returned, likeliest
    chance: float  # of that the call returns
    expected: list[Expected]
    lines: dict[int, float]  # the chance of every line to be run
    verdict: str


@command("foresee")
def main(cfg: DictConfig) -> None:
    predictor = Predictor.of_run(Path(cfg.run))
    with user_errors(SyntaxError, UnicodeDecodeError), tokenize.open(cfg.program) as file:
        source = file.read()
    given: Any = OmegaConf.to_container(cfg.unwanted)
    unwanted = Unwanted(**given)
    scales = read_scales(cfg.scales)
    asked = (cfg.call, cfg.steps, cfg.seed, unwanted, cfg.sandbox, scales)
    found = foresee(predictor, source, *asked)
    if cfg.json:
        write_whole(Path(cfg.json), json.dumps(as_json(found), indent=1) + "\n")
    show(found, cfg.call)
    sys.exit(STATUS[found.verdict])


def foresee(
    predictor: Predictor,
    source: str,
    call: str,
    steps: int = 128,
    seed: int = 0,
    unwanted: Unwanted = UNWANTED,
    sandbox: Mapping[str, Any] | None = None,
    scales: Scales = UNSCALED,
) -> Foresight:
    """What a call of a program's function is expected to do, in so many steps."""
    check(unwanted)
    start = begin(source, call, dict(sandbox or {}), steps)
    trainer, layout = predictor.trainer, predictor.layout
    starts = [start] * RUNS
    runs = list(free_runs(trainer, predictor.params, starts, layout, drawn=seed))
    ends, chance = endings(runs, steps, scales)
    expected = [*ends, *effects(runs, scales), *beyond(runs, unwanted.bounds)]
    expected = sorted(expected, key=lambda each: -each.chance)
    worst = max((each.chance for each in expected if each.what in unwanted.what), default=0.0)
    verdict = "refuse" if worst >= unwanted.refuse else "ask" if worst >= unwanted.ask else "allow"
    last = runs[0].steps[-1]
    result = text(tuple(last.rows[-1].tolist())) if last.kind == "return" else None
    return Foresight(result, chance, expected, coverage(runs, scales), verdict)


def check(unwanted: Unwanted) -> None:
    """What is misspelled would not be looked for."""
    for what in unwanted.what:
        if what not in WHAT:
            raise UserError(f"unknown unwanted {what!r}; there are: {', '.join(WHAT)}")
    for name, bounds in unwanted.bounds.items():
        numbers = [x for x in bounds if isinstance(x, int | float)]
        if len(bounds) != 2 or len(numbers) != 2 or numbers[0] > numbers[1]:
            raise UserError(f"bounds of {name} are [lowest, highest], not {list(bounds)}")


def begin(source: str, call: str, sandbox: dict[str, Any], steps: int) -> Start:
    """The call's first state, by a run of the program in which the function does nothing."""
    with user_errors(ValueError):
        empty = stub(source, call)
    with Sandbox(Limits(), **sandbox) as box:
        outcome = box.run(empty.source.encode(), call)
    for event in outcome.trace.events:
        if (event.kind, event.lineno) == ("line", empty.line):
            return Start(source, Event("line", 0, 0, empty.line, "", event.locals), steps)
    raise UserError(f"{call}: {outcome.error or outcome.kind} before the first statement")


def endings(
    runs: Sequence[Run], steps: int, scales: Scales = UNSCALED
) -> tuple[list[Expected], float]:
    """Exceptions, each by its class and line, and that there is no end; and the chance of neither,
    that the call returns."""
    chances: dict[tuple[str, int], float] = {}
    likeliest: dict[tuple[str, int], tuple[float, list[str]]] = {}
    for run in runs:
        for hazard in hazards(run):
            key = (hazard.name, hazard.line)
            chances[key] = chances.get(key, 0.0) + hazard.chance / len(runs)
            way = (hazard.chance, told(run, hazard.at + 1))
            likeliest[key] = max(likeliest.get(key, way), way, key=lambda each: each[0])
    total = raising(runs)
    raised = scaled(scales, "exceptions", total)
    share = raised / total if total else 0.0
    found = [
        Expected("exception", name, line, share * chance, likeliest[name, line][1])
        for (name, line), chance in chances.items()
    ]
    going_on = [run for run in runs if not run.ended]
    endless = min(1 - raised, scaled(scales, "halting", unending(runs)))
    way = told(going_on[0], len(going_on[0].steps)) if going_on else []
    found.append(Expected("no end", f"in {steps} steps", None, endless, way))
    return [each for each in found if each.chance], 1 - raised - endless


def effects(runs: Sequence[Run], scales: Scales = UNSCALED) -> list[Expected]:
    """Statements that are risky and might be run."""
    found = []
    for line, statement in runs[0].script.statements.items():
        chance = scaled(scales, "risks", reaching(runs, line))
        for kind in risks(statement) if chance else ():
            found.append(Expected("risk", kind, line, chance, way_to(runs, line)))
    return found


def way_to(runs: Sequence[Run], line: int) -> list[str]:
    """The first of the runs that comes there; none where none does."""
    for run in runs:
        for at, step in enumerate(run.steps):
            if (step.kind, step.line) == ("line", line):
                return told(run, at + 1)
    return []


def beyond(runs: Sequence[Run], bounds: Mapping[str, Sequence[float]]) -> list[Expected]:
    """Numbers that leave the bounds given for their names."""
    found: dict[str, list[tuple[int, list[str]]]] = {}
    for run in runs:
        for name, (low, high) in bounds.items():
            for at, step in enumerate(run.steps):
                value = number(frame(run.names, step.rows.tolist()).get(name))
                if value is not None and not low <= value <= high:
                    found.setdefault(name, []).append((step.line, told(run, at + 1)))
                    break
    return [
        Expected("bound", name, ways[0][0], len(ways) / len(runs), ways[0][1])
        for name, ways in found.items()
    ]


def number(value: str | None) -> float | None:
    try:
        return float(value) if value is not None else None
    except ValueError:
        return None


def coverage(runs: Sequence[Run], scales: Scales = UNSCALED) -> dict[int, float]:
    """The chance of every line; the first is run whatever happens."""
    first = runs[0].steps[0].line
    return {
        line: 1.0 if line == first else scaled(scales, "coverage", reaching(runs, line))
        for line in runs[0].script.statements
    }


def scaled(scales: Scales, measure: str, chance: float) -> float:
    scale = scales.get(measure)
    return chance if scale is None else float(scale([chance])[0])


def read_scales(file: str | None) -> dict[str, Scale]:
    """Of a file that `experiments.foresight` wrote. They hold for calls like those it measured, of
    which as many raise, hang or do harm: where far fewer do, scaled chances are too large."""
    if file is None:
        return {}
    with user_errors(ValueError):
        found = json.loads(Path(file).read_text()).get("scales")
    if not found:
        raise UserError(f"{file} has no scales: give one that experiments.foresight wrote")
    return {measure: Scale(**scale) for measure, scale in found.items()}


def told(run: Run, steps: int) -> list[str]:
    """The statements of a run's first steps."""
    lines = run.script.statements
    return [
        f"{step.line}: {lines.get(step.line, '') if step.kind == 'line' else step.kind}"
        for step in run.steps[:steps]
    ]


def as_json(found: Foresight) -> dict[str, Any]:
    return found._asdict() | {"expected": [each._asdict() for each in found.expected]}


def show(found: Foresight, call: str) -> None:
    returns = f"returns {found.result}" if found.result is not None else "does not return"
    print(f"{call} {returns}; it returns at all with {100 * found.chance:.0f} %")
    table = Table(title="what may happen")
    for column in ("what", "which", "line", "chance, %", "after"):
        table.add_column(column, overflow="fold")
    likely = [each for each in found.expected if each.chance >= LEAST]
    for each in likely:
        after = " > ".join(each.steps[-4:-1])
        line = "" if each.line is None else str(each.line)
        table.add_row(each.what, each.name, line, f"{100 * each.chance:.0f}", after)
    if likely:
        Console(width=None if Console().is_terminal else 110).print(table)
    never = {line: 1 - chance for line, chance in found.lines.items() if chance < 0.5}
    if never:
        lines = ", ".join(f"{line} ({100 * chance:.0f} %)" for line, chance in never.items())
        print(f"lines that will not run: {lines}")
    print(f"verdict: {found.verdict}")


if __name__ == "__main__":
    main()
