"""`python -m experiments.evaluate run=DIR suite=NAME [suite.path=FILE] [out=DIR2]`: score a run.

With predictions=FILE.jsonl in place of run=DIR: score what any other model wrote. Either way
NAME.json gets the figures, and NAME.predictions.jsonl every true and predicted frame.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table

from experiments.atomic import write_whole
from experiments.build import build_programs
from experiments.calibration import calibration
from experiments.command import UserError, command, user_errors
from experiments.course import course
from experiments.data import open_dataset
from experiments.nested import EVERY, predict
from experiments.others import Written, judged, read_predictions
from experiments.predict import (
    Case,
    Prediction,
    Predictor,
    held_frame,
    misled,
    program_of,
    true_frame,
)
from experiments.pretrained import pretrained_name
from experiments.score import (
    HEADLINES,
    Frame,
    Scored,
    by_statement,
    by_type,
    finite,
    score,
    score_trace,
    shares,
)
from tracer.pool import run_all
from tracer.sandbox import Limits, Outcome
from tracer.schema import Program, Trace
from tracer.values import render

T = TypeVar("T")
DRAWN = ("filter", "open")  # modes in which latents may be drawn


@command("evaluate")
def main(cfg: DictConfig) -> None:
    if cfg.predictions:
        return evaluate_others(cfg)
    predictor = Predictor.of_run(Path(cfg.run))
    unknown = [mode for mode in cfg.modes if mode not in EVERY]
    if unknown:
        raise UserError(f"unknown mode {unknown[0]!r}; this model has: {', '.join(EVERY)}")
    if pretrained_name(cfg.run) and not cfg.out:
        raise UserError(f"{cfg.run} is no folder of yours: give one for the results, out=DIR")
    predictor.drawn = asked_seed(cfg)
    out = Path(cfg.out or Path(cfg.run) / "eval")
    traces = asked_traces(cfg, cfg.dataset or predictor.cfg.dataset)
    result = evaluate(predictor, traces, list(cfg.modes), out, cfg.suite.name)
    show(result, out / f"{cfg.suite.name}.json")


def asked_seed(cfg: DictConfig) -> int | None:
    """Of latents that are drawn. What comes of them is no score of the run: it has a folder."""
    if cfg.drawn is None:
        return None
    if type(cfg.drawn) is not int:
        raise UserError(f"drawn={cfg.drawn} is no seed: a whole number, or null")
    if other := [mode for mode in cfg.modes if mode not in DRAWN]:
        raise UserError(f"drawn={cfg.drawn} is for {' and '.join(DRAWN)}, not for {other[0]}")
    if not cfg.out:
        raise UserError(f"drawn={cfg.drawn} gives no scores of the run: out=DIR is for them")
    return cfg.drawn


def evaluate_others(cfg: DictConfig) -> None:
    path = Path(cfg.predictions)
    out = Path(cfg.out or path.with_suffix(".eval"))
    written = read_predictions(path)
    if cfg.suite.corpus is None and not cfg.dataset:
        raise UserError(f"the suite {cfg.suite.name!r} is of a dataset: dataset=DIR")
    result = judge(written, asked_traces(cfg, cfg.dataset), path, out, cfg.suite.name)
    show_others(result, out / f"{cfg.suite.name}.json")


def judge(written: Written, traces: Iterable[Trace], path: Path, out: Path, name: str) -> dict:
    """Score what was read from a file; what is known is written."""
    with user_errors(ValueError):
        found = judged(written, traces)
    result = {"suite": name, "predictions": str(path)} | found.figures
    out.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{json.dumps(line)}\n" for line in found.lines)
    write_whole(out / f"{name}.predictions.jsonl", lines)
    write_whole(out / f"{name}.json", json.dumps(finite(result), indent=1) + "\n")
    return result


def asked_traces(cfg: DictConfig, dataset: str) -> Iterable[Trace]:
    """Those of the suite, `limit` of them if there is one."""
    if cfg.limit is None:
        return suite_traces(cfg, dataset)
    if type(cfg.limit) is not int or cfg.limit < 1:
        raise UserError(f"limit={cfg.limit} is no number of traces: 1 or more, or null for all")
    return spread(suite_traces(cfg, dataset), cfg.limit)


def suite_traces(cfg: DictConfig, dataset: str) -> Iterator[Trace]:
    """The held-out split of a dataset, or a corpus that is traced now."""
    if cfg.suite.corpus is None:
        yield from open_dataset(dataset).traces(cfg.suite.split)
        return
    path = {} if cfg.suite.path is None else {"path": cfg.suite.path}
    corpus = OmegaConf.create({**cfg.suite.corpus, **path})
    processes = cfg.processes or os.cpu_count() or 1
    programs, limits = build_programs(corpus), Limits(**cfg.limits)
    yield from run_all(programs, limits, processes, keep_trace, **cfg.sandbox)


def spread(traces: Iterable[T], limit: int) -> list[T]:
    """So many at most, as far from one another as can be: corpora come one after the other."""
    found = list(traces)
    count = min(limit, len(found))
    return [found[place * len(found) // count] for place in range(count)]


def keep_trace(program: Program, outcome: Outcome) -> Trace:
    return outcome.trace


def evaluate(
    predictor: Predictor,
    traces: Iterable[Trace],
    modes: list[str],
    out: Path,
    name: str,
    control: bool = False,
) -> dict:
    """Score every mode, with the copy baseline and the action-shuffle control beside it; with
    `control` the state-shuffle control too. What is known after each mode is written."""
    outcomes: dict[str, int] = {}
    cases = list(predictor.cases(counted(traces, outcomes)))
    if not cases:
        raise UserError(f"the suite {name!r} gave no traced call")
    result: dict = {"suite": name, "run": str(predictor.run_dir), "step": predictor.step}
    result |= {"drawn": predictor.drawn, "programs": outcomes}
    lines: list[str] = []
    for mode in modes:
        began = time.monotonic()
        predictions = list(predict(predictor, cases, mode))
        seconds = time.monotonic() - began
        lines += (json.dumps(line(prediction, mode)) for prediction in predictions)
        figures = score([scored(prediction, mode) for prediction in predictions])
        given = "free" if mode == "nested" else mode
        wrong = list(predictor.predict(cases, given, shuffled=True))
        result[mode] = figures | {
            "copy": score([copied(case, mode) for case in cases]),
            "shuffled": score([scored(prediction, mode) for prediction in wrong])
            | {"course": course(wrong)},
            **({"misled": mislead(predictor, cases, mode)} if control else {}),
            "course": course(predictions),
            "calibration": calibration(predictions, mode),
            "coverage": coverage(cases),
            "n_cut": sum(case.cut for case in cases),
            "params": predictor.size,
            "seconds": seconds,
            "states_per_second": figures["n_steps"] / seconds,
        }
        out.mkdir(parents=True, exist_ok=True)
        write_whole(out / f"{name}.predictions.jsonl", "".join(f"{text}\n" for text in lines))
        write_whole(out / f"{name}.json", json.dumps(finite(result), indent=1) + "\n")
    return result


def mislead(predictor: Predictor, cases: list[Case], mode: str) -> dict:
    """What the model expects where it sees wrong values, against what is true: an effect that is
    right nevertheless owes nothing to them."""
    wrong = predictor.predict([misled(case, n) for n, case in enumerate(cases)], mode)
    return score([scored(prediction, mode) for prediction in wrong])


def counted(traces: Iterable[Trace], outcomes: dict[str, int]) -> Iterator[Trace]:
    for trace in traces:
        outcomes[trace.outcome] = outcomes.get(trace.outcome, 0) + 1
        yield trace


def scored(prediction: Prediction, mode: str) -> Scored:
    case, frames = prediction.case, with_missing(prediction, None)
    own = [frames[0], *frames[:-1]]
    seen = held_before(case) if mode == "filter" else own
    return compared(case, frames, seen, prediction.output, prediction.extra)


def with_missing(prediction: Prediction, missing: T) -> list[Frame | T]:
    """A frame for each event, though the run may have ended before."""
    return [*prediction.frames, *[missing] * (len(prediction.case.events) - len(prediction.frames))]


def copied(case: Case, mode: str) -> Scored:
    """The baseline that expects the last observed state again, by the same encoding."""
    before = held_before(case)
    frames = before if mode == "filter" else [before[0]] * len(before)
    return compared(case, frames, before if mode == "filter" else frames, None)


def held_before(case: Case) -> list[dict[str, str]]:
    held = [held_frame(case, step) for step in range(len(case.events))]
    return [held[0], *held[:-1]]


def compared(
    case: Case,
    frames: Sequence[Frame | None],
    before: Sequence[Frame | None],
    output: str | None,
    extra: int = 0,
) -> Scored:
    last = case.events[-1]
    returned = last.kind == "return" and last.arg is not None
    return Scored(
        program=program_of(case),
        true=[true_frame(event) for event in case.events],
        predicted=frames,
        before=before,
        types=[{name: v.kind for name, v in event.locals.items()} for event in case.events],
        statements=[event.statement for event in case.events],
        output=render(last.arg) if returned and last.arg else None,
        predicted_output=output,
        extra=extra,
    )


def coverage(cases: list[Case]) -> float:
    """The share of the values of all frames that the encoding holds exactly."""
    held = total = 0
    for case in cases:
        names = case.trajectory.names
        for event, at in zip(case.events, case.at, strict=True):
            exact = zip(names, case.trajectory.exact[at], strict=False)
            total += len(event.locals)
            held += sum(whole for name, whole in exact if name in event.locals)
    return held / max(1, total)


def line(prediction: Prediction, mode: str) -> dict:
    """A line of NAME.predictions.jsonl."""
    case, found = prediction.case, scored(prediction, mode)
    last = case.events[-1]
    return {
        "id": case.trace.id,
        "origin": case.trace.origin,
        "entry": case.trace.entry,
        "input": case.trace.input,
        "scope": case.events[0].scope,
        "mode": mode,
        "kinds": [event.kind for event in case.events],
        "lines": [event.lineno for event in case.events],
        "statements": [event.statement for event in case.events],
        "true": [true_frame(event) for event in case.events],
        "predicted": with_missing(prediction, None),
        "true_output": render(last.arg) if last.arg else None,
        "predicted_output": prediction.output,
        "predicted_kinds": [turn.kind for turn in prediction.turns],
        "predicted_lines": [turn.line for turn in prediction.turns],
        "program": found.program,
        "figures": finite(score_trace(found)),
        "by_type": shares(by_type(found)),
        "by_statement": shares(by_statement(found)),
    }


def show(result: dict, path: Path) -> None:
    modes = [mode for mode in EVERY if mode in result]
    for mode in modes:
        figures = result[mode]
        table = Table(title=f"{result['suite']}, {mode}: {figures['n_traces']} calls")
        table.add_column("figure")
        for column in ("model", "95 %", "copy", "actions shuffled"):
            table.add_column(column, justify="right")
        for name in HEADLINES:
            others = [figures[kind][name] for kind in ("copy", "shuffled")]
            cells = [percent(figures[name]), ends(figures["ci95"].get(name))]
            table.add_row(name, *cells, *map(percent, others))
        for horizon, at in figures["by_horizon"].items() if mode == "open" else ():
            other = [figures[kind]["by_horizon"][horizon] for kind in ("copy", "shuffled")]
            for name in ("state_exact_match", "key_value_match"):
                cells = [percent(at[name]), ends(at["ci95"].get(name), at["n"])]
                title = f"{name}, {horizon} steps on"
                table.add_row(title, *cells, *(percent(each[name]) for each in other))
        for name, at in figures["course"].items():
            if at["n"]:
                shuffled = figures["shuffled"]["course"][name]
                right, wrong = (percent(x.get("accuracy", x.get("auroc"))) for x in (at, shuffled))
                table.add_row(f"course: {name}", right, ends(at.get("ci95"), at["n"]), "", wrong)
        for name, at in figures["calibration"].items():
            error = percent(at["ece"]) if at["n"] else "-"
            table.add_row(f"calibration error: {name}", error, f"of {at['n']}")
        Console().print(table)
    print(
        f"coverage {percent(result[modes[0]]['coverage'])}; programs {result['programs']}; {path}"
    )


def show_others(result: dict, path: Path) -> None:
    table = Table(title=f"{result['suite']}, {result['predictions']}")
    table.add_column("figure")
    parts: dict[str, dict] = {}
    for mode in (name for name in EVERY if name in result):
        readings = result[mode].get("cwm", {})
        parts[mode] = result[mode]
        parts |= {f"{mode}, CWM {name.replace('_', ' ')}": x for name, x in readings.items()}
    for name in parts:
        table.add_column(name, justify="right")
    for name in (*HEADLINES, "action_exact_match", "valid_format"):
        cells = [percent(part[name]) if name in part else "" for part in parts.values()]
        table.add_row(name, *cells)
    Console().print(table)
    missing = ", ".join(
        f"{part['n_missing']} in {mode}" for mode, part in parts.items() if "n_missing" in part
    )
    print(f"calls without a prediction: {missing}; ids of no call: {result['n_unknown']}; {path}")


def ends(interval: Sequence[float] | None, count: int | None = None) -> str:
    """Of an interval, and of how many it is."""
    shown = "" if interval is None else " to ".join(map(percent, interval))
    return shown if count is None else f"{shown} (of {count})".strip()


def percent(share: float) -> str:
    return "-" if share != share else f"{100 * share:.1f}"


if __name__ == "__main__":
    main()
