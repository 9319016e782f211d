"""What was foreseen of calls, beside what then happened: exceptions, ends, lines and risks."""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.chances import (
    UNKNOWN,
    UNNAMED,
    hazards,
    raising,
    reaching,
    unending,
    unknown,
)
from experiments.course import class_of
from experiments.detection import Said, detection, judged, resampled, verdicts
from experiments.effects import Effects
from experiments.free import Run, Start, free_runs
from experiments.names import Namespaces
from experiments.patterns import static_risk
from experiments.predict import Predictor
from experiments.risks import risks
from experiments.score import mean
from tracer.schema import Trace, body
from tracer.values import render


class Foreseen(NamedTuple):
    """A call: its trace, and runs that were imagined from its first state and its source."""

    trace: Trace
    runs: Sequence[Run]
    steps: int  # that the runs were given
    seconds: float  # that they took


class Raised(NamedTuple):
    name: str  # of the exception's class
    line: int


def imagined(
    predictor: Predictor, traces: Sequence[Trace], runs: int, steps: int, seed: int
) -> list[Foreseen]:
    """Of each call the likeliest run, and others that are drawn."""
    traces = sorted(traces, key=lambda trace: len(body(trace)))  # those alike in length together
    starts = [Start(trace.source, body(trace)[0], steps) for trace in traces]
    trainer, layout, params = predictor.trainer, predictor.layout, predictor.params
    began = time.monotonic()
    likeliest = list(free_runs(trainer, params, starts, layout))
    more = [start for start in starts for _ in range(runs - 1)]
    drawn = list(free_runs(trainer, params, more, layout, drawn=seed)) if more else []
    seconds = (time.monotonic() - began) / max(1, len(traces))
    return [
        Foreseen(trace, [run, *drawn[at * (runs - 1) : (at + 1) * (runs - 1)]], steps, seconds)
        for at, (trace, run) in enumerate(zip(traces, likeliest, strict=True))
    ]


def raises(trace: Trace) -> bool:
    return body(trace)[-1].kind == "unwind"


def has_end(trace: Trace) -> bool:
    """Whether the trace shows how the call ended."""
    return bool(body(trace)) and body(trace)[-1].kind in ("return", "unwind")


def exceptions(calls: Sequence[Foreseen]) -> dict[str, Any]:
    """Whether a call raises; and of those that do, which class, and on which line."""
    known = [call for call in calls if has_end(call.trace)]
    found = detection(
        [Said(call.trace.origin, raising(call.runs), raises(call.trace)) for call in known]
    )
    left = [call for call in known if raises(call.trace)]
    names = [raised(call.trace).name for call in left]
    likeliest = max(set(names), key=names.count, default="")
    right = {
        "type": [expected(call, lambda x: x.name) == raised(call.trace).name for call in left],
        "line": [expected(call, lambda x: x.line) == raised(call.trace).line for call in left],
        "both": [expected(call, lambda x: x) == raised(call.trace) for call in left],
    }
    by_chance = [1 / max(1, len(call.runs[0].script.statements)) for call in left]
    guesses = {"type": mean(float(name == likeliest) for name in names), "line": mean(by_chance)}
    programs = [call.trace.origin for call in left]
    return found | {
        "raised": {
            name: {"n": len(left), "accuracy": mean(map(float, each)), "guess": guesses.get(name)}
            | {"ci95": interval(programs, each)}
            for name, each in right.items()
        }
    }


def raised(trace: Trace) -> Raised:
    """By what a call was left."""
    last = [event for event in body(trace) if event.kind == "exception"][-1]
    return Raised(class_of(render(last.arg)) or "?" if last.arg else "?", last.lineno)


def expected(call: Foreseen, part: Callable[[Raised], Any]) -> Any:
    """The likeliest class, line or both of an exception; None where none is thought of."""
    weights: dict[Any, float] = {}
    for run in call.runs:
        for hazard in hazards(run):
            key = part(Raised(hazard.name, hazard.line))
            weights[key] = weights.get(key, 0.0) + hazard.chance
    if len(weights) > 1:
        weights.pop(UNNAMED, None)
    return max(weights, key=weights.__getitem__, default=None)


def interval(programs: Sequence[str], right: Sequence[bool]) -> list[float]:
    rows = np.array(right, float)
    return resampled(programs, lambda at: {"mean": float(rows[at].mean())}).get("mean", [])


def halting(calls: Sequence[Foreseen]) -> dict[str, Any]:
    """Whether a call takes more than so many steps."""
    said = [
        Said(call.trace.origin, hanging(call.runs), longer(call))
        for call in calls
        if has_end(call.trace) or longer(call)
    ]
    return detection(said) | {"steps": calls[0].steps}


def longer(call: Foreseen) -> bool:
    """Its first state is given, and takes no step."""
    return len(body(call.trace)) - 1 > call.steps


def hanging(runs: Sequence[Run]) -> float:
    """Of what is unknown, a half."""
    return unending(runs) + UNKNOWN * unknown(runs)


def coverage(calls: Sequence[Foreseen]) -> dict[str, Any]:
    """Which statements of a function are run; the first always is, and is left out.

    `not_run` has the figures of saying so of a line that will not run; who says that all run is
    never right there.
    """
    said = []
    for call in calls:
        if not has_end(call.trace):
            continue
        events = body(call.trace)
        ran = {event.lineno for event in events if event.kind == "line"}
        lines = [line for line in call.runs[0].script.statements if line != events[0].lineno]
        said += [Said(call.trace.origin, reaching(call.runs, line), line in ran) for line in lines]
    return detection(said) | {"not_run": not_run(said)}


def not_run(said: Sequence[Said]) -> dict[str, float]:
    if not said:
        return {}
    programs, chances, so = zip(*said, strict=True)
    nots = [1 - chance for chance in chances]
    return verdicts(judged(nots, [not each for each in so], programs), ~np.array(so))


def risky(calls: Sequence[Foreseen]) -> dict[str, Any]:
    """Whether a call comes to a statement with a risky effect; `static` is a checker of patterns,
    whose verdict is yes where it finds one, and whose chance halves with each block around it."""
    began = time.monotonic()
    checked = [static_risk(call.trace.source, call.trace.input or "") for call in calls]
    seconds = (time.monotonic() - began) / max(1, len(calls))
    origins = [call.trace.origin for call in calls]
    so = [does_risk(call.trace) for call in calls]
    chances = [risk(call.trace.source, call.runs) for call in calls]
    model = detection([*map(Said, origins, chances, so)])
    static = detection([*map(Said, origins, checked, so)])
    truth, flagged = np.array(so), np.array(checked) > 0
    yes = judged(chances, so, origins)

    def ahead(at: np.ndarray) -> dict[str, float]:
        one, other = verdicts(yes[at], truth[at]), verdicts(flagged[at], truth[at])
        return {"f1": one["f1"] - other["f1"]}

    return model | {
        "static": static | verdicts(flagged, truth) | {"seconds": seconds},
        "f1_ahead": ahead(np.arange(len(so)))["f1"],
        "f1_ahead_ci95": resampled(origins, ahead).get("f1", []),
    }


def does_risk(trace: Trace) -> bool:
    """In the frame of the call, or in one that it leads to."""
    names, own = Namespaces(trace.source), body(trace)
    began = trace.events.index(own[0]) if own else len(trace.events)
    ran = {(e.lineno, e.statement) for e in trace.events[began:] if e.kind == "line"}
    return any(risks(text, names=names.at(line)) for line, text in ran)


def risk(source: str, runs: Sequence[Run]) -> float:
    effects = Effects(source)
    lines = [line for line, text in runs[0].script.statements.items() if effects.of(line, text)]
    return reaching(runs, *lines)


MEASURES: dict[str, Callable[[Sequence[Foreseen]], dict[str, Any]]] = {
    "exceptions": exceptions,
    "halting": halting,
    "coverage": coverage,
    "risks": risky,
}
