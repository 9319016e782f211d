"""`python -m experiments.imagine run=DIR program=FILE.py call='f(3)'`: imagined beside true."""

import math
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table
from rich.text import Text

from experiments.command import UserError, command, user_errors
from experiments.nested import EVERY, predict
from experiments.predict import Case, Prediction, Predictor, not_held, true_frame
from experiments.score import change
from tracer.__main__ import read_source, remark
from tracer.sandbox import Limits, Outcome, Sandbox
from tracer.schema import Event, Program, frames
from tracer.script import read_script
from tracer.trace import entry_name
from tracer.values import render

SHORT = 60  # characters of a value in a warning


@command("imagine")
def main(cfg: DictConfig) -> None:
    if cfg.mode not in EVERY:
        raise UserError(f"unknown mode {cfg.mode!r}; this model has: {', '.join(EVERY)}")
    with user_errors(ValueError):
        source = read_source(cfg.program)
    predictor = Predictor.of_programs(Path(cfg.run))
    with Sandbox(Limits(**cfg.limits), **cfg.sandbox) as box:
        outcome = box.run(source, cfg.call, "program" if cfg.call else "__main__")
    case = only_case(predictor, cfg, outcome)
    if outcome.kind == "ok" and (said := remark(cfg.program, cfg.call, outcome)):
        print(said)
    if earlier := names(case)[:-1]:
        print(f"calls before it that are not imagined: {', '.join(earlier)}")
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


def only_case(predictor: Predictor, cfg: DictConfig, outcome: Outcome) -> Case:
    case = next(predictor.cases([outcome.trace]), None)
    if case is None:
        raise UserError(complaint(cfg, outcome))
    return case


def complaint(cfg: DictConfig, outcome: Outcome) -> str:
    return remark(cfg.program, cfg.call, outcome) or f"{cfg.call or cfg.program}: too little ran"


def names(case: Case) -> list[str]:
    """Of the functions that no other traced function called; the last one is what is imagined."""
    trace = case.trace
    outer = [events[0] for events in frames(trace).values() if events[0].depth == 0]
    program = Program(trace.source, trace.input)
    return [entry_name(program, event.statement) for event in outer]


def show(prediction: Prediction, mode: str) -> None:
    """Step by step: the statement, what it truly changed, and what was imagined."""
    case = prediction.case
    table = Table(title=f"{names(case)[-1]}, {mode} mode: true and imagined")
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
        what = told(prediction, step, event)
        table.add_row(str(step), str(event.lineno), Text(what), *map(Text, cells), mark)
    print_table(table)
    last = case.events[-1]
    if last.kind == "return" and last.arg:
        print(f"returned {render(last.arg)}, imagined {prediction.output}")
    print(f"{right} of {len(case.events) - 1} states are wholly right")


def told(prediction: Prediction, step: int, event: Event) -> str:
    """Its statement; or what else happened there, an exception beside the imagined one."""
    if event.kind == "line":
        return event.statement
    if event.kind != "exception" or not event.arg:
        return f"{event.kind}: {event.statement}"
    comes = prediction.turns[step].kind == "exception"
    imagined = prediction.raised[step] if comes else "no exception"
    return f"raises {render(event.arg)}, imagined {imagined}"


def show_run(prediction: Prediction, mode: str) -> None:
    """Step by step: where the program truly went, where it was imagined to go, and what changed.
    Both lines are those of one step, and need not agree."""
    case = prediction.case
    script = read_script(case.trace.source, case.events[0].lineno)
    table = Table(title=f"{names(case)[-1]}, {mode} mode: from the arguments and the source alone")
    for column in ("step", "true line", "imagined line", "statement", "imagined", "sure, %"):
        table.add_column(column, overflow="fold")
    frames = prediction.frames
    for step, turn in enumerate(prediction.turns):
        event = case.events[step] if step < len(case.events) else None
        after = step + 1
        known = after < min(len(frames), len(prediction.turns))
        guess = changes(change(frames[step], frames[after])) if known else ""
        text = script.statements.get(turn.line, "") if turn.kind == "line" else turn.kind
        if turn.kind == "exception":
            text = f"raises {prediction.raised[step]}"
        true = f"{event.kind if event.kind != 'line' else ''} {event.lineno}" if event else ""
        sure = f"{100 * math.exp(turn.log_prob):.0f}" if step else ""
        table.add_row(str(step), true, str(turn.line), Text(text), Text(guess), sure)
    print_table(table)
    print(
        f"truly {true_end(case.events)}; imagined: {imagined_end(prediction)}, "
        f"{len(prediction.turns)} events"
    )


def true_end(events: list[Event]) -> str:
    last = events[-1]
    if last.kind == "return" and last.arg:
        return f"returned {render(last.arg)}"
    raised = [event.arg for event in events if event.kind == "exception" and event.arg]
    if last.kind == "unwind" and raised:
        return f"raised {render(raised[-1])}"
    return f"at line {last.lineno}, without an end"


def imagined_end(prediction: Prediction) -> str:
    last = prediction.turns[-1]
    if last.kind == "return":
        return f"returned {prediction.output}"
    raised = [n for n, turn in enumerate(prediction.turns) if turn.kind == "exception"]
    if last.kind == "unwind" and raised:
        return f"raised {prediction.raised[raised[-1]]}"
    return f"at line {last.line}, without an end"


def print_table(table: Table) -> None:
    Console(width=None if Console().is_terminal else 110).print(table)


def changes(found: dict[str, str | None]) -> str:
    return ", ".join(f"{n} = {new}" if new else f"del {n}" for n, new in found.items())


if __name__ == "__main__":
    main()
