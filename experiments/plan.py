"""`python -m experiments.plan run=DIR program=FILE.py call='f(3)' candidates=FILE wanted=DICT`

Which statement, in place of the `...` of the function that is called, makes the call end as wanted?
`wanted` holds variables at the end, and by the name of `return` what is returned. The model
imagines the call with each candidate (a line of the file) from the first state and the source, all
of them together; then the one is run that is likeliest to do it, and the next, until one does. The
exit status is 0 where one was found, else 3.
"""

import ast
import json
import sys
import tokenize
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple

from hydra.core.override_parser.types import Quote, QuotedString
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table
from rich.text import Text

from experiments.atomic import make_room, write_whole
from experiments.begin import begin
from experiments.chances import run_log_prob
from experiments.command import UserError, at_least, command, user_errors
from experiments.free import Run, Start, free_runs
from experiments.holes import find_hole
from experiments.predict import Predictor, frame, text, true_frame
from experiments.score import same_value
from tracer.sandbox import Limits, Sandbox
from tracer.schema import Trace, body
from tracer.values import capture, render

RETURN = "return"  # no variable has such a name
NONE_FOUND = 3  # exit status

End = dict[str, str]  # repr of each variable, and of what was returned under RETURN


class Guess(NamedTuple):
    """What the model expects of a candidate."""

    candidate: int  # its number
    agrees: float  # share of what is wanted that it expects
    likeness: float  # of what it expects to what is wanted, letter by letter, from 0 to 1
    log_prob: float  # of the whole run that it imagined
    end: End

    @property
    def rank(self) -> tuple[float, float]:
        """First what ends as wanted, the surest first; then what ends nearly so."""
        return -self.agrees, -self.log_prob if self.agrees == 1 else -self.likeness


class Try(NamedTuple):
    """A candidate, in the order of the plan."""

    statement: str
    imagined: End
    agrees: float
    log_prob: float
    true: End | None  # None where it was not run
    reached: bool


def spelled(arguments: list[str]) -> list[str]:
    """What is wanted is Python's text, and not hydra's dictionary."""
    key = "wanted="
    return [
        f"{key}{QuotedString(each.removeprefix(key), Quote.single).with_quotes()}"
        if each.startswith(f"{key}{{")
        else each
        for each in arguments
    ]


@command("plan", spelled)
def main(cfg: DictConfig) -> None:
    at_least(1, steps=cfg.steps)
    make_room(cfg.json)
    with user_errors(SyntaxError, UnicodeDecodeError):
        with tokenize.open(cfg.program) as file:
            source = file.read()
        lines = Path(cfg.candidates).read_text("utf-8").splitlines()
    candidates = [line.strip() for line in lines if line.strip()]
    wanted = read_wanted(cfg.wanted)
    filled = fill(source, cfg.call, candidates)  # before the weights are read
    predictor = Predictor.of_programs(Path(cfg.run))
    start = begin(source, cfg.call, dict(cfg.sandbox), cfg.steps)
    guesses = ranked(predictor, [start._replace(source=each) for each in filled], wanted)
    found = tried(guesses, candidates, filled, cfg, wanted)
    if cfg.json:
        report = {"wanted": wanted, "executions": executions(found)}
        report["tries"] = [each._asdict() for each in found]
        write_whole(Path(cfg.json), json.dumps(report, indent=1) + "\n")
    show(found, cfg.call)
    sys.exit(0 if any(each.reached for each in found) else NONE_FOUND)


def read_wanted(written: str) -> End:
    """{'x': 3, 'return': [1]} as reprs."""
    try:
        values = ast.literal_eval(written)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise UserError(f"wanted={written} is no dictionary of literals") from error
    if not isinstance(values, dict) or not values:
        raise UserError(f"wanted={written} is no dictionary with a value or more, as {{'x': 3}}")
    for name in values:
        if name != RETURN and not (isinstance(name, str) and name.isidentifier()):
            raise UserError(f"wanted: {name!r} is neither the name of a variable nor {RETURN!r}")
    return {name: render(capture(value)) for name, value in values.items()}


def fill(source: str, call: str, candidates: Sequence[str]) -> list[str]:
    if not candidates:
        raise UserError("no candidates: the file has no line with a statement")
    with user_errors(ValueError):
        hole = find_hole(source, called(call))
        return [hole.filled(each) for each in candidates]


def called(call: str) -> str:
    """The name of the function. Raises ValueError where it is no call of one."""
    try:
        asked = ast.parse(call, mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{call!r} is no call: {error}") from error
    if not isinstance(asked, ast.Call) or not isinstance(asked.func, ast.Name):
        raise ValueError(f"{call!r} is no call of a function by its name, as in f(3)")
    return asked.func.id


def ranked(predictor: Predictor, starts: Sequence[Start], wanted: End) -> list[Guess]:
    """The candidates, the likeliest to end as wanted first."""
    runs = free_runs(predictor.trainer, predictor.params, starts, predictor.layout)
    guesses = [guess(number, run, wanted) for number, run in enumerate(runs)]
    return sorted(guesses, key=lambda each: each.rank)


def guess(candidate: int, run: Run, wanted: End) -> Guess:
    end = imagined_end(run)
    return Guess(candidate, agreement(wanted, end), likeness(wanted, end), run_log_prob(run), end)


def imagined_end(run: Run) -> End:
    last = run.steps[-1]
    found = frame(run.names, last.rows.tolist())
    returned = text(tuple(last.rows[-1].tolist())) if last.kind == "return" else None
    return found if returned is None else found | {RETURN: returned}


def agreement(wanted: End, end: Mapping[str, str]) -> float:
    """The share of what is wanted that is so at the end."""
    return sum(same_value(value, end.get(name)) for name, value in wanted.items()) / len(wanted)


def likeness(wanted: End, end: Mapping[str, str]) -> float:
    pairs = ((value, end.get(name, "")) for name, value in wanted.items())
    return sum(SequenceMatcher(None, *pair).ratio() for pair in pairs) / len(wanted)


def true_end(trace: Trace) -> End:
    """Of the call under test; nothing where it did not return."""
    last = (body(trace) or [None])[-1]
    if last is None or last.kind != "return" or last.arg is None:
        return {}
    return true_frame(last) | {RETURN: render(last.arg)}


def tried(
    guesses: Sequence[Guess],
    candidates: Sequence[str],
    filled: Sequence[str],
    cfg: DictConfig,
    wanted: End,
) -> list[Try]:
    """In the order of the plan, run until one ends as wanted."""
    found: list[Try] = []
    with Sandbox(Limits(**cfg.limits), **cfg.sandbox) as box:
        for each in guesses:
            true = None
            if not any(earlier.reached for earlier in found):
                source = filled[each.candidate].encode()
                true = true_end(box.run(source, cfg.call).trace)
            reached = true is not None and agreement(wanted, true) == 1
            statement = candidates[each.candidate]
            found.append(Try(statement, each.end, each.agrees, each.log_prob, true, reached))
    return found


def executions(found: Sequence[Try]) -> int:
    return sum(each.true is not None for each in found)


def show(found: Sequence[Try], call: str) -> None:
    table = Table(title=f"{call}, as planned")
    for column in ("statement", "imagined at the end", "true"):
        table.add_column(column, overflow="fold")
    for each in found:
        true = "" if each.true is None else told(each.true)
        table.add_row(*map(Text, (each.statement, told(each.imagined), true)))
    Console(width=None if Console().is_terminal else 110).print(table)
    reached = [each.statement for each in found if each.reached]
    verdict = f"found: {reached[0]}" if reached else "none of the candidates ends as wanted"
    print(f"{verdict}; {executions(found)} of {len(found)} candidates were run")


def told(end: End) -> str:
    return ", ".join(f"{name} {value}" for name, value in end.items()) or "no return"


if __name__ == "__main__":
    main()
