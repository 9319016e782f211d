"""`python -m experiments.imagine run=DIR program=FILE.py call='f(3)'`: imagined beside true."""

import math
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table
from rich.text import Text

from experiments.command import UserError, command
from experiments.nested import EVERY, predict
from experiments.predict import Case, Prediction, Predictor, not_held, true_frame
from experiments.score import change
from tracer.__main__ import remarks
from tracer.sandbox import Limits, Outcome, Sandbox
from tracer.script import read_script
from tracer.values import render

SHORT = 60  # characters of a value in a warning


@command("imagine")
def main(cfg: DictConfig) -> None:
    if cfg.mode not in EVERY:
        raise UserError(f"unknown mode {cfg.mode!r}; this model has: {', '.join(EVERY)}")
    source = Path(cfg.program).read_bytes()
    predictor = Predictor.of_programs(Path(cfg.run))
    with Sandbox(Limits(**cfg.limits), **cfg.sandbox) as box:
        outcome = box.run(source, cfg.call, "program" if cfg.call else "__main__")
    case = first_case(predictor, cfg, outcome)
    for step, name, value in not_held(case):
        short = value if len(value) <= SHORT else f"{value[:SHORT]}..."
        print(f"step {step}: the encoding cannot hold {name} = {short}")
    if case.trajectory.lost:
        print(f"{case.trajectory.lost} variables have no slot and are left out")
    if case.cut:
        print(f"only the first {len(case.events)} events are imagined")
    [prediction] = predict(predictor, [case], cfg.mode)
    if cfg.mode in ("free", "nested"):
        show_run(prediction, cfg.mode)
    else:
        show(prediction, cfg.mode)
    if outcome.kind != "ok":
        raise UserError(complaint(cfg, outcome))


def first_case(predictor: Predictor, cfg: DictConfig, outcome: Outcome) -> Case:
    case = next(predictor.cases([outcome.trace]), None)
    if case is None:
        raise UserError(complaint(cfg, outcome))
    return case


def complaint(cfg: DictConfig, outcome: Outcome) -> str:
    found = "; ".join(remarks(cfg.program, outcome)) or "nothing was traced"
    return f"{cfg.call or cfg.program}: {found}"


def show(prediction: Prediction, mode: str) -> None:
    """Step by step: the statement, what it truly changed, and what was imagined."""
    case = prediction.case
    table = Table(title=f"{case.trace.entry}, {mode} mode: true and imagined")
    for column in ("step", "line", "statement", "true", "imagined", ""):
        table.add_column(column, overflow="fold")
    true = [true_frame(event) for event in case.events]
    right = 0
    for step, event in enumerate(case.events[:-1]):
        before = true[step] if mode == "filter" else prediction.frames[step]
        imagined, guess = prediction.frames[step + 1], change(before, prediction.frames[step + 1])
        exact = imagined == true[step + 1]
        right += exact
        cells = (changes(change(true[step], true[step + 1])), changes(guess))
        mark = Text("=", style="green") if exact else Text("x", style="red")
        table.add_row(str(step), str(event.lineno), Text(event.statement), *map(Text, cells), mark)
    print_table(table)
    last = case.events[-1]
    if last.kind == "return" and last.arg:
        print(f"returned {render(last.arg)}, imagined {prediction.output}")
    print(f"{right} of {len(case.events) - 1} states are wholly right")


def show_run(prediction: Prediction, mode: str) -> None:
    """Step by step: where the program truly went, where it was imagined to go, and what changed.
    Both lines are those of one step, and need not agree."""
    case = prediction.case
    script = read_script(case.trace.source, case.events[0].lineno)
    table = Table(title=f"{case.trace.entry}, {mode} mode: from the arguments and the source alone")
    for column in ("step", "true line", "imagined line", "statement", "imagined", "sure, %"):
        table.add_column(column, overflow="fold")
    frames = prediction.frames
    for step, turn in enumerate(prediction.turns):
        event = case.events[step] if step < len(case.events) else None
        after = step + 1
        known = after < min(len(frames), len(prediction.turns))
        guess = changes(change(frames[step], frames[after])) if known else ""
        text = script.statements.get(turn.line, "") if turn.kind == "line" else turn.kind
        true = f"{event.kind if event.kind != 'line' else ''} {event.lineno}" if event else ""
        sure = f"{100 * math.exp(turn.log_prob):.0f}" if step else ""
        table.add_row(str(step), true, str(turn.line), Text(text), Text(guess), sure)
    print_table(table)
    last, end = case.events[-1], prediction.turns[-1].kind
    true = f"returned {render(last.arg)}" if last.kind == "return" and last.arg else last.kind
    imagined = f"returned {prediction.output}" if end == "return" else end
    print(f"truly {true}; imagined: {imagined}, {len(prediction.turns)} events")


def print_table(table: Table) -> None:
    Console(width=None if Console().is_terminal else 110).print(table)


def changes(found: dict[str, str | None]) -> str:
    return ", ".join(f"{n} = {new}" if new else f"del {n}" for n, new in found.items())


if __name__ == "__main__":
    main()
