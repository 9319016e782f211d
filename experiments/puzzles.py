"""`python -m experiments.puzzles run=DIR suite=NAME [limit=100] [candidates=8] [out=FILE.json]`

How well does a model plan? From each program of a suite one statement that was run is taken out,
and has to be found among candidates: the call is to end as it truly did. All candidates are run for
the truth: each that ends so is right. With `alone` more rivals are made, and those that end so left
out. Beside the model stands random choice, which is right by the share of right candidates r of n,
and has run (n + 1) / (r + 1) of them when it finds one.
"""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from experiments.atomic import make_room, write_whole
from experiments.command import UserError, command
from experiments.evaluate import asked_traces, percent
from experiments.free import Start, free_runs
from experiments.plan import RETURN, End, Guess, agreement, guess, true_end
from experiments.predict import Predictor, free_start
from experiments.rivals import Puzzle, puzzles
from experiments.score import intervals, mean
from tracer.pool import run_all
from tracer.sandbox import Limits, Outcome
from tracer.schema import Program, Trace

MORE = 2  # times as many candidates are made, where those that are right too are left out
WANTED = ("state", "return")  # the whole last state, or what is returned alone


class Solved(NamedTuple):
    """A puzzle, its candidates in the order in which the model would run them."""

    puzzle: Puzzle
    wanted: End
    order: list[Guess]
    right: list[bool]  # of each candidate, by its number

    def figures(self) -> dict[str, float]:
        """Of the first choice, and of the runs until a right one is found."""
        hits, count = [self.right[each.candidate] for each in self.order], len(self.right)
        return {
            "first": float(hits[0]),
            "first_random": sum(hits) / count,
            "runs": 1.0 + hits.index(True),
            "runs_random": (count + 1) / (sum(hits) + 1),
            "right": float(sum(hits)),
        }


@command("puzzles")
def main(cfg: DictConfig) -> None:
    make_room(cfg.out)
    if cfg.wanted not in WANTED:
        raise UserError(f"unknown wanted {cfg.wanted!r}; there are: {', '.join(WANTED)}")
    if cfg.candidates < 2:
        raise UserError(f"candidates={cfg.candidates} leaves no choice; 2 or more")
    predictor = Predictor.of_programs(Path(cfg.run))
    traces = list(asked_traces(cfg, cfg.dataset or predictor.cfg.dataset))
    asked, rights = posed(traces, cfg)
    if not asked:
        raise UserError(f"the suite {cfg.suite.name!r} gave no program to take a statement from")
    began = time.monotonic()
    orders = planned(predictor, asked, cfg.wanted)
    imagined = time.monotonic() - began
    solved = [
        Solved(puzzle, ends(puzzle, cfg.wanted), order, right)
        for puzzle, order, right in zip(asked, orders, rights, strict=True)
    ]
    result = {"suite": cfg.suite.name, "run": cfg.run, "candidates": cfg.candidates}
    result |= {"wanted": cfg.wanted, "alone": cfg.alone, "seconds": imagined}
    result |= summary(solved)
    if cfg.out:
        lines = [line(each) for each in solved]
        write_whole(Path(cfg.out), json.dumps(result | {"puzzles": lines}, indent=1) + "\n")
    show(result)


def posed(traces: Sequence[Trace], cfg: DictConfig) -> tuple[list[Puzzle], list[list[bool]]]:
    """The puzzles, and which of their candidates are right."""
    if not cfg.alone:
        asked = list(puzzles(traces, cfg.candidates, cfg.seed))
        return asked, truth(asked, cfg)
    made = list(puzzles(traces, MORE * cfg.candidates, cfg.seed))
    known = zip(made, truth(made, cfg), strict=True)
    each_alone = (alone(puzzle, right, cfg.candidates) for puzzle, right in known)
    asked = [puzzle for puzzle in each_alone if puzzle]
    return asked, [[n == puzzle.right for n in range(cfg.candidates)] for puzzle in asked]


def alone(puzzle: Puzzle, right: Sequence[bool], count: int) -> Puzzle | None:
    """With so many candidates of which one is right; None where there are too few."""
    kept = [n for n, reached in enumerate(right) if n == puzzle.right or not reached]
    others = [n for n in kept if n != puzzle.right][: count - 1]
    if len(others) < count - 1:
        return None
    order = sorted([puzzle.right, *others])
    candidates = [puzzle.candidates[n] for n in order]
    return puzzle._replace(candidates=candidates, right=order.index(puzzle.right))


def ends(puzzle: Puzzle, wanted: str) -> End:
    end = true_end(puzzle.trace)
    return end if wanted == "state" else {RETURN: end[RETURN]}


def truth(asked: Sequence[Puzzle], cfg: DictConfig) -> list[list[bool]]:
    """Which candidates of each puzzle end as wanted."""
    programs = [
        Program(puzzle.hole.filled(each), puzzle.trace.input, puzzle.trace.origin)
        for puzzle in asked
        for each in puzzle.candidates
    ]
    processes = cfg.processes or os.cpu_count() or 1
    found = run_all(programs, Limits(**cfg.limits), processes, keep_end, **cfg.sandbox)
    return [
        [agreement(ends(puzzle, cfg.wanted), next(found)) == 1 for _ in puzzle.candidates]
        for puzzle in asked
    ]


def keep_end(program: Program, outcome: Outcome) -> End:
    return true_end(outcome.trace)


def planned(predictor: Predictor, asked: Sequence[Puzzle], wanted: str) -> list[list[Guess]]:
    """The candidates of each puzzle, the likeliest first."""
    lengths = [len(puzzle.events) for puzzle in asked]
    ordered = sorted(range(len(asked)), key=lambda number: lengths[number])
    starts = [each for number in ordered for each in begun(asked[number])]
    runs = free_runs(predictor.trainer, predictor.params, starts, predictor.layout)
    found: dict[int, list[Guess]] = {}
    for number in ordered:
        end = ends(asked[number], wanted)
        guesses = [guess(n, next(runs), end) for n in range(len(asked[number].candidates))]
        found[number] = sorted(guesses, key=lambda each: each.rank)
    return [found[number] for number in range(len(asked))]


def begun(puzzle: Puzzle) -> list[Start]:
    """The first state of the call, and the source with each candidate."""
    body = [event for event in puzzle.events if event.kind != "call"]
    return [free_start(puzzle.hole.filled(each), body) for each in puzzle.candidates]


def summary(solved: Sequence[Solved]) -> dict[str, Any]:
    """Means over puzzles, one of each program, and their 95 % intervals by a bootstrap."""
    rows, names = [each.figures() for each in solved], list(solved[0].figures())
    means = {name: mean(row[name] for row in rows) for name in names}
    programs = [each.puzzle.trace.origin for each in solved]
    return {"n": len(rows), **means, "ci95": intervals(programs, rows, names)}


def line(solved: Solved) -> dict[str, Any]:
    puzzle = solved.puzzle
    return {
        "origin": puzzle.trace.origin,
        "source": puzzle.trace.source,
        "call": puzzle.trace.input,
        "line": puzzle.hole.line,
        "wanted": solved.wanted,
        "candidates": [
            {
                "statement": puzzle.candidates[each.candidate],
                "taken_out": each.candidate == puzzle.right,
                "right": solved.right[each.candidate],
                "agrees": each.agrees,
                "log_prob": each.log_prob,
                "imagined": each.end,
            }
            for each in solved.order
        ],
        "figures": solved.figures(),
    }


def show(result: dict[str, Any]) -> None:
    n = result["candidates"]
    title = f"{result['suite']}: {result['n']} programs, one statement of {n} to be found"
    table = Table(title=title)
    for name in ("figure", "model", "95 %", "random", "all run"):
        table.add_column(name, justify="left" if name == "figure" else "right")
    unknown = (float("nan"),) * 2  # of one program there is no interval
    low, high = result["ci95"].get("first", unknown)
    cells = percent(result["first"]), f"{percent(low)} to {percent(high)}"
    table.add_row("first choice right, %", *cells, percent(result["first_random"]), "")
    low, high = result["ci95"].get("runs", unknown)
    cells = f"{result['runs']:.2f}", f"{low:.2f} to {high:.2f}"
    table.add_row("runs until found", *cells, f"{result['runs_random']:.2f}", str(n))
    Console().print(table)
    print(f"{result['first'] / result['first_random']:.1f} times as often right as random")


if __name__ == "__main__":
    main()
