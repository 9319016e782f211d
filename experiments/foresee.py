"""`python -m experiments.foresee run=DIR program=FILE.py call='f(3)'`: what would a call do?

Nothing of the call runs: its arguments are evaluated, and the rest is imagined, once along what is
likeliest and some times along what is drawn with its probability. The chance of an event is the
mean over these runs (see `experiments.chances`); with `scales=FILE`, scaled by what
`experiments.foresight` found such chances to be worth. `verdict` is `refuse` where something
unwanted is as likely as `refuse`, `ask` where it is as likely as `ask` or where the model was shown
too little of the program, else `allow`; the exit status is 0, 3 for `ask`, 4 for `refuse`.
"""

import json
import sys
import tokenize
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table
from rich.text import Text

from experiments.atomic import make_room, write_whole
from experiments.begin import begin
from experiments.command import UserError, command, user_errors
from experiments.effects import Effects
from experiments.episodes import visible
from experiments.expected import (
    Expected,
    Returned,
    beyond,
    coverage,
    endings,
    ends,
    returned,
    risked,
    totals,
)
from experiments.free import Run, Start, free_runs
from experiments.predict import Predictor
from experiments.risks import KINDS
from experiments.scaled import UNSCALED, Scales, fitted_otherwise, read_scales
from experiments.unwanted import (
    UNTOLD,
    UNWANTED,
    WHAT,
    Unwanted,
    check,
    check_bounds,
    read_unwanted,
    verdict,
)
from tracer.script import read_script

RUNS = 16  # that are imagined
STATUS = {"allow": 0, "ask": 3, "refuse": 4}
LEAST = 0.005  # what is less likely is not shown


class Foresight(NamedTuple):
    result: Returned
    chance: float  # of that the call returns
    chances: dict[str, float]  # of each event as a whole, and of each kind of risk
    expected: list[Expected]  # how they may come
    lines: dict[int, float]  # the chance of every line to be run
    verdict: str


def spelled(arguments: list[str]) -> list[str]:
    """Bounds are of names that no config has."""
    return [f"++{each}" if each.startswith("unwanted.bounds") else each for each in arguments]


@command("foresee", spelled)
def main(cfg: DictConfig) -> None:
    with user_errors(SyntaxError, UnicodeDecodeError), tokenize.open(cfg.program) as file:
        source = file.read()
    unwanted, scales = read_unwanted(cfg.unwanted), read_scales(cfg.scales)
    if warning := fitted_otherwise(scales, cfg.runs, cfg.steps):
        print(f"warning: {warning}", file=sys.stderr)
    make_room(cfg.json)
    sandbox: Any = OmegaConf.to_container(cfg.sandbox)
    start = ready(source, cfg.call, cfg.steps, cfg.runs, cfg.seed, unwanted, sandbox)
    predictor = Predictor.of_programs(Path(cfg.run))  # last: it takes the longest
    found = foreseen(predictor, start, cfg.runs, cfg.seed, unwanted, scales)
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
    runs: int = RUNS,
) -> Foresight:
    """What a call of a program's function is expected to do, in so many steps."""
    start = ready(source, call, steps, runs, seed, unwanted, sandbox or {})
    return foreseen(predictor, start, runs, seed, unwanted, scales)


def ready(
    source: str,
    call: str,
    steps: int,
    runs: int,
    seed: int,
    unwanted: Unwanted,
    sandbox: Mapping[str, Any],
) -> Start:
    """Where the call begins, if what is asked of it can be told."""
    check(unwanted)
    for name, asked, least in (("steps", steps, 1), ("runs", runs, 1), ("seed", seed, 0)):
        if not isinstance(asked, int) or asked < least:
            raise UserError(f"{name}={asked} is no whole number from {least} on")
    start = begin(source, call, dict(sandbox), steps)
    with user_errors(ValueError):
        names = read_script(source, start.event.lineno).names
    check_bounds(unwanted.bounds, tuple(dict.fromkeys((*start.event.locals, *names))))
    return start


def foreseen(
    predictor: Predictor, start: Start, runs: int, seed: int, unwanted: Unwanted, scales: Scales
) -> Foresight:
    trainer, layout = predictor.trainer, predictor.layout
    starts = [start] * runs
    found = list(free_runs(trainer, predictor.params, starts, layout, drawn=seed))
    check_bounds(unwanted.bounds, found[0].names)  # of which the model keeps the first
    return told(found, start, unwanted, scales)


def told(
    runs: list[Run], start: Start, unwanted: Unwanted = UNWANTED, scales: Scales = UNSCALED
) -> Foresight:
    """What runs tell of the call that they are of."""
    effects = Effects(start.source, {kind: KINDS[kind] for kind in unwanted.effects})
    expected = [
        *endings(runs, start.limit, scales),
        *risked(runs, effects, scales),
        *beyond(runs, unwanted.bounds),
    ]
    chances = totals(runs, effects, unwanted.bounds, scales)
    return Foresight(
        returned(runs),
        ends(runs, scales).returned,
        chances,
        sorted(expected, key=lambda each: -each.chance),
        coverage(runs, scales),
        verdict(chances, unwanted),
    )


def as_json(found: Foresight) -> dict[str, Any]:
    expected = [
        each._asdict() | {"within": [inner._asdict() for inner in each.within]}
        for each in found.expected
    ]
    return found._asdict() | {"result": found.result._asdict(), "expected": expected}


def show(found: Foresight, call: str) -> None:
    """Statements and values are another program's: none is taken for markup."""
    print(visible(f"{call} {ending(found)}"))
    table = Table(title="what may happen")
    for column in ("what", "which", "line", "chance, %", "with", "after"):
        table.add_column(column, overflow="fold")
    likely = [each for each in found.expected if each.chance >= LEAST]
    for each in likely:
        held = ", ".join(f"{name} = {value}" for name, value in each.values.items())
        cells = (each.what, each.name, where(each), percent(each.chance), held, after(each))
        table.add_row(*(Text(visible(cell)) for cell in cells))
    if likely:
        Console(width=None if Console().is_terminal else 110).print(table)
        print("in all:", ", ".join(f"{w} {percent(found.chances[w])} %" for w in (*WHAT, UNTOLD)))
    never = {line: 1 - chance for line, chance in found.lines.items() if chance < 0.5}
    if never:
        lines = ", ".join(f"{line} ({percent(chance)} %)" for line, chance in never.items())
        print(f"lines that will not run: {lines}")
    print(f"verdict: {found.verdict}")


def ending(found: Foresight) -> str:
    result, at_all = found.result, f"returns at all with {percent(found.chance)} %"
    if result.value is None:
        return f"does not return in any run; it {at_all}"
    return (
        f"returns {result.value} in {percent(result.chance)} % of the runs, there with "
        f"{percent(result.sure)} %; it {at_all}"
    )


def where(each: Expected) -> str:
    """Its line, and of what it calls the risky ones."""
    inner = ", ".join(str(effect.line) for effect in each.within)
    line = "" if each.line is None else str(each.line)
    return f"{line} > {inner}" if inner else line


def after(each: Expected) -> str:
    """The steps before; of the likeliest run, where none comes there."""
    if not each.came:
        return f"no run comes there; the likeliest: {' > '.join(each.steps[-3:])}"
    return " > ".join(each.steps[-4:-1])


def percent(chance: float) -> str:
    return f"{100 * chance:.0f}"


if __name__ == "__main__":
    main()
