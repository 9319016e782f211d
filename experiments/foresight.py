"""`python -m experiments.foresight run=DIR [measures=[NAME, ...]] [out=FILE.json]`: is it right?

What `experiments.foresee` tells of a call, measured on calls whose traces tell what happens:

    exceptions   whether it raises, which class, on which line
    halting      whether it ends within so many steps
    coverage     which statements are run
    risks        whether it comes to a statement with a risky effect, beside a static checker
    faults       which line of a mutant is the mutated one, by the model's surprise

Chances are judged as they are, and scaled by what was fitted on other programs of the same suite.
A suite of a file (`humaneval=FILE`, `mbpp=FILE`) is left out where the file is not given. With
`tokens=DIR`, a run of `experiments.tokens`, the traces that its model writes are measured as well.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from experiments.atomic import make_room, write_whole
from experiments.build import build_programs
from experiments.command import UserError, command
from experiments.evaluate import keep_trace, percent, spread
from experiments.faults import by_difference, first_fault, located, mutants, suspects
from experiments.foreseen import MEASURES, Foreseen, has_end, imagined, raises
from experiments.predict import Predictor
from experiments.scaled import Fitted
from experiments.scales import fit
from experiments.score import finite, mean
from experiments.text_runs import Texts
from tracer.pool import run_all
from tracer.sandbox import Limits
from tracer.schema import Program, Trace, body

FAULTS = "faults"
KNOWN = (*MEASURES, FAULTS)


@command("foresight")
def main(cfg: DictConfig) -> None:
    asked = [str(name) for name in cfg.measures]
    check(asked, cfg)
    predictor = Predictor.of_programs(Path(cfg.run))
    make_room(cfg.out)
    traces: dict[str, list[Trace]] = {}
    calls: dict[str, list[Foreseen]] = {}
    texts = Texts(Path(cfg.tokens)) if cfg.tokens else None
    written: dict[str, list[Foreseen]] = {}
    result: dict[str, Any] = {"run": cfg.run}
    for name in asked:
        result[name] = {}
        for suite in given(cfg, name):
            if suite not in traces:
                traces[suite] = traced(suite, cfg)
            if name == FAULTS:
                result[name][suite] = localisation(predictor, traces[suite], cfg)
                continue
            if suite not in calls:
                own = cfg.suites[suite]
                calls[suite] = imagined(predictor, traces[suite], own.runs, own.steps, cfg.seed)
                if texts:
                    written[suite] = texts.foreseen(traces[suite], own.steps)
            result[name][suite] = measured(name, calls[suite])
            if texts:
                result[name][suite]["tokens"] = measured(name, written[suite])
        result["scales"] = scales(result, cfg)
        if cfg.out:
            write_whole(Path(cfg.out), json.dumps(finite(result), indent=1) + "\n")
    show(result)


def measured(name: str, calls: Sequence[Foreseen]) -> dict[str, Any]:
    return MEASURES[name](calls) | {"seconds": mean(call.seconds for call in calls)}


def scales(result: Mapping[str, Any], cfg: DictConfig) -> dict[str, dict[str, Any]]:
    """What `experiments.foresee` scales its chances by: fitted on all suites of a measure, each
    with its own number of runs and steps."""
    found = {}
    for measure in MEASURES:
        suites = result.get(measure, {})
        said = [each for suite in suites.values() for each in suite["said"]]
        if said:
            _, chances, so = zip(*said, strict=True)
            asked = [cfg.suites[suite] for suite in suites]
            runs, steps = (sorted({own[name] for own in asked}) for name in ("runs", "steps"))
            found[measure] = Fitted(*fit(chances, so), runs, steps)._asdict()
    return found


def check(asked: Sequence[str], cfg: DictConfig) -> None:
    for name in asked:
        if name not in KNOWN:
            raise UserError(f"unknown measure {name!r}; there are: {', '.join(KNOWN)}")
        for suite in cfg.over[name]:
            if suite not in cfg.suites:
                raise UserError(f"unknown suite {suite!r}; there are: {', '.join(cfg.suites)}")
        if not given(cfg, name):
            raise UserError(f"{name}: no suite is given: {', '.join(cfg.over[name])}")
    if not asked:
        raise UserError(f"no measures; there are: {', '.join(KNOWN)}")
    for suite, own in cfg.suites.items():
        if own.calls < 2 or own.runs < 1 or own.steps < 1:
            raise UserError(f"suites.{suite}: 2 calls, 1 run and 1 step are the least")


def given(cfg: DictConfig, measure: str) -> list[str]:
    """The suites of a measure, without those of files that are not there."""
    return [suite for suite in cfg.over[measure] if cfg.get(suite, "") is not None]


def traced(suite: str, cfg: DictConfig) -> list[Trace]:
    own = cfg.suites[suite]
    programs = spread(build_programs(own.corpus), own.programs)
    found = [trace for trace in run(programs, cfg) if body(trace)]
    chosen = balanced(found, own.calls) if own.balanced else spread(found, own.calls)
    if len(chosen) < 2:
        raise UserError(f"suites.{suite}: of {len(programs)} programs, {len(chosen)} gave a call")
    return chosen


def run(programs: Iterable[Program], cfg: DictConfig) -> Iterable[Trace]:
    processes = cfg.processes or os.cpu_count() or 1
    return run_all(programs, Limits(**cfg.limits), processes, keep_trace, **cfg.sandbox)


def balanced(traces: Sequence[Trace], calls: int) -> list[Trace]:
    """As many that raise as that do not, and of each of these as few as can be of one program."""
    ended = [trace for trace in traces if has_end(trace)]
    sides = [[trace for trace in ended if raises(trace) == so] for so in (True, False)]
    most = min(calls // 2, *map(len, sides))
    return [trace for side in sides for trace in apart(side, most)] if most else []


def apart(traces: Iterable[Trace], count: int) -> list[Trace]:
    """One of each program, and others where there are too few programs."""
    first, rest = dict[str, Trace](), list[Trace]()
    for trace in traces:
        if first.setdefault(trace.origin, trace) is not trace:
            rest.append(trace)
    ones = spread(first.values(), count)
    return [*ones, *(spread(rest, count - len(ones)) if len(ones) < count else [])]


def localisation(predictor: Predictor, traces: Sequence[Trace], cfg: DictConfig) -> dict[str, Any]:
    """Mutants of whole traces, one of each program, that do something else."""
    whole = list({t.origin: t for t in traces if has_end(t) and not t.flags}.values())
    tried = [mutants(trace, cfg.seed) for trace in whole]
    ran = iter(run([program for each in tried for _, program in each], cfg))
    found = [
        first_fault(trace, [(mutation, next(ran)) for mutation, _ in each])
        for trace, each in zip(whole, tried, strict=True)
    ]
    faults = [fault for fault in found if fault]
    if not faults:
        return {"n": 0}
    return located(
        faults,
        {
            "model": suspects(predictor, faults),
            "not told": suspects(predictor, faults, told=False),
            "both run": [by_difference(fault) for fault in faults],
        },
    )


def show(result: Mapping[str, Any]) -> None:
    figures = Table(title="what is foreseen, and what is so")
    columns = ("on", "n", "so, %", "AUROC, %", "95 %", "F1", "majority", "accuracy", "majority")
    for name in (*columns, "ECE", "scaled", "least", "ms a call"):
        figures.add_column(name, justify="left" if name == "on" else "right")
    for measure in MEASURES:
        for suite, found in result.get(measure, {}).items():
            figures.add_row(f"{measure}, {suite}", *cells(found))
            if "static" in found:
                figures.add_row("  static checker", *cells(found["static"]))
            if "tokens" in found:
                figures.add_row("  text model", *cells(found["tokens"]))
    if figures.row_count:
        Console(width=None if Console().is_terminal else 130).print(figures)
    for suite, found in result.get("exceptions", {}).items():
        for name, at in found.get("raised", {}).items():
            guess = "" if at["guess"] is None else f"; a guess is in {percent(at['guess'])} %"
            right = percent(at["accuracy"])
            print(f"exceptions, {suite}: {name} right in {right} % of {at['n']} raised{guess}")
    for suite, found in result.get("coverage", {}).items():
        if at := found.get("not_run"):
            told = ", ".join(
                f"{name} {percent(at[name])}" for name in ("precision", "recall", "f1")
            )
            print(f"coverage, {suite}: of lines that will not run, {told}")
    for found in result.get("risks", {}).values():
        low, high = found["f1_ahead_ci95"] or (float("nan"),) * 2
        print(
            f"risks: F1 {percent(found['f1_ahead'])} ahead of the static checker "
            f"(95 %: {percent(low)} to {percent(high)})"
        )
    show_faults(result.get(FAULTS, {}))


def cells(found: Mapping[str, Any]) -> list[str]:
    if not found["n"]:
        return ["0"]
    low, high = found["ci95"].get("auroc", (float("nan"),) * 2)
    names = ("f1", "f1_always", "accuracy", "majority", "ece", "ece_scaled", "ece_least")
    return [
        str(found["n"]),
        percent(found["positives"] / found["n"]),
        percent(found["auroc"]),
        f"{percent(low)} to {percent(high)}",
        *(percent(found[name]) for name in names),
        f"{1000 * found['seconds']:.1f}",
    ]


def show_faults(found: Mapping[str, Any]) -> None:
    for suite, at in found.items():
        table = Table(title=f"faults, {suite}: {at['n']} mutants")
        for name in ("ranked by", "first", "95 %", "of three", "mean reciprocal rank", "95 %"):
            table.add_column(name, justify="left" if name == "ranked by" else "right")
        for way, each in at.get("ways", {}).items():
            low, high = each["ci95"].get("first", (float("nan"),) * 2)
            below, above = each["ci95"].get("reciprocal", (float("nan"),) * 2)
            table.add_row(
                way,
                *(percent(each["first"]), f"{percent(low)} to {percent(high)}"),
                percent(each["of_three"]),
                *(f"{each['reciprocal']:.3f}", f"{below:.3f} to {above:.3f}"),
            )
        Console(width=None if Console().is_terminal else 110).print(table)


if __name__ == "__main__":
    main()
