"""What other models predicted, scored by the same figures as ours.

A line of the file holds `id` (of a trace, or its origin: `cruxeval/sample_0`, `sample_0`), perhaps
`mode`, and one of

    frames       [{name: repr}], one for each event of the call after the one that called it; the
                 first is given, and not scored
    generation   CWM trace text, after a prompt that ends with the call frame of a function `main`
                 whose body is `return` with the call (tracer.cwm.as_main)

Text that breaks off or goes wrong counts up to there; steps that are missing are wrong, and so are
steps too many. CWM text has no locals at a return, so that there only lines are compared.

Table 9 of CWM (arXiv:2510.02387) is given too, over the calls and lines of all functions after the
prompt: with locals as they are written, ".." where a value is the same, which is how it was
published; and with each ".." resolved.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from experiments.command import UserError
from experiments.score import (
    Frame,
    Scored,
    by_statement,
    by_type,
    finite,
    jaccard,
    mean,
    score,
    score_trace,
    shares,
)
from tracer import cwm
from tracer.schema import Event, Trace, body
from tracer.values import render

MODES = ("filter", "open", "free")
Line = dict[str, Any]
Written = dict[str, list[Line]]  # by id


class Judged(NamedTuple):
    figures: dict[str, Any]
    lines: list[dict[str, Any]]  # as experiments.evaluate writes them


class Text(NamedTuple):
    """A generation, as far as it can be read."""

    frames: list[cwm.Frame]
    valid: bool  # all of it could be read


def read_predictions(path: Path) -> Written:
    if not path.is_file():
        raise UserError(f"no file {path}")
    found: Written = {}
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no text in UTF-8: {error}") from error
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            line = checked(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}, line {number}: {error}") from error
        same = found.setdefault(line["id"], [])
        if any(each["mode"] == line["mode"] for each in same):
            raise UserError(f"{path}, line {number}: id {line['id']!r} was there before")
        same.append(line)
    return found


def checked(line: Any) -> dict[str, Any]:
    if not isinstance(line, dict) or not isinstance(line.get("id"), str):
        raise ValueError("no object with an `id`")
    line.setdefault("mode", MODES[-1])
    if line["mode"] not in MODES:
        raise ValueError(f"unknown mode {line['mode']!r}; there are: {', '.join(MODES)}")
    if isinstance(line.get("frames"), list) == isinstance(line.get("generation"), str):
        raise ValueError("neither `frames`, a list, nor `generation`, a text, or both of them")
    return line


def judged(written: Written, traces: Iterable[Trace]) -> Judged:
    """In every mode that there is a line of, all calls: nothing predicted is all wrong."""
    calls = [(trace, events) for trace in traces if len(events := body(trace)) > 1]
    found = [lines_of(trace, written) for trace, _ in calls]
    known = {line["id"] for lines in found for line in lines.values()}
    modes = [mode for mode in MODES if any(mode in lines for lines in found)]
    if not modes:
        raise ValueError("no `id` of the predictions is in the suite")
    figures: dict[str, Any] = {"n_unknown": len(written.keys() - known)}
    records: list[dict[str, Any]] = []
    for mode in modes:
        texts = any("generation" in lines.get(mode, {}) for lines in found)
        nothing: Line = {"mode": mode} | ({"generation": ""} if texts else {"frames": []})
        ones, copies = list[Scored](), list[Scored]()
        for (trace, events), lines in zip(calls, found, strict=True):
            one, copy = scored_line(trace, events, lines.get(mode, nothing))
            ones.append(one)
            copies.append(copy)
            records.append(record(trace, events, one, mode))
        figures[mode] = score(ones) | {"copy": score(copies), "coverage": 1.0}
        figures[mode]["n_missing"] = sum(mode not in lines for lines in found)
        if texts:
            readings = [
                table9(trace, lines.get(mode, nothing).get("generation", ""))
                for (trace, _), lines in zip(calls, found, strict=True)
            ]
            figures[mode]["cwm"] = {
                name: {key: mean(each[name][key] for each in readings) for key in part}
                for name, part in readings[0].items()
            }
    return Judged(figures, records)


def lines_of(trace: Trace, written: Written) -> dict[str, Line]:
    """By mode; of a call that goes by several names there is still one line of each."""
    found: dict[str, Line] = {}
    for name in names_of(trace):
        for line in written.get(name, []):
            same = found.setdefault(line["mode"], line)
            if same is not line:
                raise ValueError(f"id {line['id']!r} and id {same['id']!r} are the same call")
    return found


def names_of(trace: Trace) -> list[str]:
    return list(dict.fromkeys([trace.id, trace.origin, trace.origin.rpartition("/")[2]]))


def scored_line(trace: Trace, events: Sequence[Event], line: Line) -> tuple[Scored, Scored]:
    """What a line earns, and what expecting the first state again would."""
    output, last = line.get("output"), events[-1]
    if "generation" in line:
        events = [event for event in events if event.kind == "line"]
        predicted, output = entry_frames(read_text(line["generation"]))
    else:
        predicted = [clean(frame) for frame in line["frames"]]
    true = [shown(event) for event in events]
    given = [true[0], *predicted[1 : len(events)]]
    given += [None] * (len(events) - len(given))
    held = [true[0], *true[:-1]] if line["mode"] == "filter" else None
    one = Scored(
        program=trace.origin if trace.origin != "file" else trace.id,
        true=true,
        predicted=given,
        before=held or [true[0], *given[:-1]],
        types=[{name: value.kind for name, value in event.locals.items()} for event in events],
        statements=[event.statement for event in events],
        output=render(last.arg) if last.kind == "return" and last.arg else None,
        predicted_output=output if isinstance(output, str) else None,
        extra=max(0, len(predicted) - len(events)),
    )
    same = held or [true[0]] * len(events)
    return one, one._replace(predicted=same, before=same, predicted_output=None, extra=0)


def shown(event: Event) -> Frame:
    return {name: render(value) for name, value in event.locals.items()}


def clean(frame: Any) -> Frame | None:
    """What is not {name: repr} is no frame."""
    whole = isinstance(frame, dict) and all(isinstance(x, str) for x in frame.values())
    return frame if whole else None


def read_text(generation: str) -> Text:
    try:
        found = cwm.parse(generation)
        read, valid = found.frames, found.ended and found.context is None
    except cwm.BadText as error:
        read, valid = error.frames, False
    # A model may repeat the last frame of its prompt.
    again = read and read[0].kind == "call" and read[0].source.startswith("def main(")
    return Text(read[1:] if again else read, valid)


def entry_frames(text: Text) -> tuple[list[Frame], str | None]:
    """Locals of each line of the first function that `main` calls, and what it returned."""
    states = list(cwm.resolve(text.frames, strict=False))
    lines, output = [], None
    for scope, frame, state in zip(cwm.scopes(text.frames), text.frames, states, strict=True):
        if scope != 1:
            continue
        if frame.kind == "line" and state is not None:
            lines.append(state)
        elif frame.kind == "return":
            output = frame.arg
    return lines, output


def entry_events(generation: str) -> list[cwm.Frame]:
    """All that happens in the first function that `main` calls, after it was called."""
    found = read_text(generation).frames
    return [at for at, scope in zip(found, cwm.scopes(found), strict=True) if scope == 1][1:]


def table9(trace: Trace, generation: str) -> dict[str, dict[str, float]]:
    """The figures of one trace in both readings."""
    try:
        whole = cwm.as_main(trace)
    except ValueError:
        whole = trace
    true = cwm.parse(cwm.write(whole)).frames[1:]
    text = read_text(generation)
    actions = [
        float(one.source.strip() == other.source.strip() and one.kind == other.kind)
        for one, other in zip(true, text.frames, strict=False)
    ]
    steps = max(len(true), len(text.frames))
    more = {"action_exact_match": sum(actions) / steps, "valid_format": float(text.valid)}
    written = [[frame.locals for frame in part] for part in (true, text.frames)]
    resolved = [list(cwm.resolve(part, strict=False)) for part in (true, text.frames)]
    return {
        "as_written": matches(*written) | more,
        "resolved": matches(*resolved) | more,
    }


def matches(true: Sequence[Frame | None], predicted: Sequence[Frame | None]) -> dict[str, float]:
    """Means over the frames with locals, in order; those too many, and missing ones, are wrong."""
    one = [frame for frame in true if frame is not None]
    other = [frame for frame in predicted if frame is not None]
    pairs = list(zip(one, other, strict=False))
    steps = max(len(one), len(other), 1)
    return {
        "state_exact_match": sum(a == b for a, b in pairs) / steps,
        "key_match": sum(jaccard(a.keys(), b.keys()) for a, b in pairs) / steps,
        "key_value_match": sum(jaccard(a.items(), b.items()) for a, b in pairs) / steps,
    }


def record(trace: Trace, events: Sequence[Event], one: Scored, mode: str) -> dict[str, Any]:
    lines = [event for event in events if len(one.true) == len(events) or event.kind == "line"]
    return {
        "id": trace.id,
        "origin": trace.origin,
        "entry": trace.entry,
        "input": trace.input,
        "scope": events[0].scope,
        "mode": mode,
        "kinds": [event.kind for event in lines],
        "lines": [event.lineno for event in lines],
        "statements": list(one.statements),
        "true": list(one.true),
        "predicted": list(one.predicted),  # null where there was none
        "true_output": one.output,
        "predicted_output": one.predicted_output,
        "program": one.program,
        "figures": finite(score_trace(one)),
        "by_type": shares(by_type(one)),
        "by_statement": shares(by_statement(one)),
    }
