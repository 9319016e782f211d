"""How right predicted frames are, whoever predicted them.

A frame is the locals before a statement, as {name: repr}. Step 0 is observed; what is scored are
the steps after it. Means are macro means: over the steps of a trace, then over traces.
"""

import ast
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.operations import operations, statement_kind, written_keys

Frame = dict[str, str]
Change = dict[str, str | None]  # new repr by name; None is unbound

HORIZONS = tuple(2**n for n in range(10))
HEADLINES = (
    "state_exact_match",
    "key_match",
    "key_value_match",
    "effect_accuracy",
    "effect_free_accuracy",
    "output_pass_at_1",
)
PLACES = (1, 16, 32, 64, 128)  # first steps of the ranges in which effects are counted
RESAMPLES = 1000  # of the bootstrap


class Scored(NamedTuple):
    """One trace: what was true, and what was predicted for each of its steps."""

    program: str  # what the bootstrap resamples
    true: Sequence[Frame]
    predicted: Sequence[Frame | None]  # None where nothing was: wrong, whatever is asked
    before: Sequence[Frame | None]  # per step, the frame that the predicted one changes
    types: Sequence[dict[str, str]]  # per step, the types of the true values
    statements: Sequence[str]
    output: str | None  # repr of what was returned; None when nothing was
    predicted_output: str | None
    extra: int = 0  # steps that were predicted beyond the end: all wrong


def score(traces: Sequence[Scored]) -> dict[str, Any]:
    """All figures of a set of traces."""
    rows = [score_trace(trace) for trace in traces]
    return {
        "n_traces": len(traces),
        "n_steps": sum(len(trace.true) - 1 for trace in traces),
        **{name: mean(row[name] for row in rows) for name in HEADLINES},
        "by_horizon": by_horizon(traces),
        "first_divergence": median_divergence(traces),
        "by_type": shares(typed for trace in traces for typed in by_type(trace)),
        "by_statement": shares(kind for trace in traces for kind in by_statement(trace)),
        "by_operation": shares(named for trace in traces for named in by_operation(trace)),
        "by_place": shares(placed for trace in traces for placed in by_place(trace)),
        "ci95": intervals([trace.program for trace in traces], rows),
    }


def score_trace(trace: Scored) -> dict[str, float]:
    """Means over the steps of one trace; nan where it has no such step."""
    steps = range(1, len(trace.true))
    exact = [trace.predicted[i] == trace.true[i] for i in steps]
    changes = [(true_change(trace, i), predicted_change(trace, i)) for i in steps]
    keys = [key_match(trace, i) for i in steps]
    beyond = [0.0] * trace.extra
    return {
        "state_exact_match": mean([*exact, *beyond]),
        "key_match": mean([*keys, *beyond]),
        "key_value_match": mean([*(key_value(trace, i) for i in steps), *beyond]),
        "effect_accuracy": mean(true == guess for true, guess in changes if true),
        "effect_free_accuracy": mean(guess == {} for true, guess in changes if not true),
        "output_pass_at_1": output_right(trace),
    }


def true_change(trace: Scored, step: int) -> Change:
    return change(trace.true[step - 1], trace.true[step])


def predicted_change(trace: Scored, step: int) -> Change | None:
    before, after = trace.before[step], trace.predicted[step]
    return None if before is None or after is None else change(before, after)


def change(before: Frame, after: Frame) -> Change:
    names = before.keys() | after.keys()
    return {name: after.get(name) for name in names if before.get(name) != after.get(name)}


def key_match(trace: Scored, step: int) -> float:
    predicted = trace.predicted[step]
    return 0.0 if predicted is None else jaccard(trace.true[step].keys(), predicted.keys())


def key_value(trace: Scored, step: int) -> float:
    predicted = trace.predicted[step]
    return 0.0 if predicted is None else jaccard(trace.true[step].items(), predicted.items())


def jaccard(one: Iterable, other: Iterable) -> float:
    one, other = set(one), set(other)
    return len(one & other) / len(one | other) if one or other else 1.0


def output_right(trace: Scored) -> float:
    """Equal by Python's == and of one type, as CRUXEval asks; nan when nothing was returned."""
    if trace.output is None:
        return math.nan
    return float(same_value(trace.output, trace.predicted_output))


def same_value(true: str, predicted: str | None) -> bool:
    if predicted is None or true == predicted:
        return true == predicted
    try:
        one, other = ast.literal_eval(true), ast.literal_eval(predicted)
        return type(one) is type(other) and bool(one == other)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False


def by_horizon(traces: Sequence[Scored]) -> dict[str, dict[str, Any]]:
    """At so many steps after the first, the traces that are so long."""
    found = {}
    for horizon in HORIZONS:
        long = [trace for trace in traces if len(trace.true) > horizon]
        if long:
            exact = [float(t.predicted[horizon] == t.true[horizon]) for t in long]
            figures = {
                "state_exact_match": exact,
                "key_value_match": [key_value(t, horizon) for t in long],
            }
            rows = [
                dict(zip(figures, each, strict=True))
                for each in zip(*figures.values(), strict=True)
            ]
            found[str(horizon)] = {
                "n": len(long),
                **{name: mean(values) for name, values in figures.items()},
                "ci95": intervals([trace.program for trace in long], rows, tuple(figures)),
            }
    return found


def median_divergence(traces: Sequence[Scored]) -> float | None:
    """The step at which half of the traces have gone wrong; None when half never do."""
    steps = [divergence(trace) for trace in traces]
    middle = float(np.median(steps)) if steps else math.inf
    return middle if math.isfinite(middle) else None


def divergence(trace: Scored) -> float:
    pairs = enumerate(zip(trace.true, trace.predicted, strict=True))
    return next((step for step, (true, guess) in pairs if step and true != guess), math.inf)


def by_type(trace: Scored) -> Iterable[tuple[str, bool]]:
    """Per changed variable: the type of its new value, and whether it was predicted."""
    for step in range(1, len(trace.true)):
        for name, new in true_change(trace, step).items():
            kind = trace.types[step].get(name, "unbound")
            predicted = trace.predicted[step]
            yield kind, predicted is not None and predicted.get(name) == new


def by_statement(trace: Scored) -> Iterable[tuple[str, bool]]:
    """Per step: the kind of the statement that led to it, and whether its effect was right."""
    for step in range(1, len(trace.true)):
        right = true_change(trace, step) == predicted_change(trace, step)
        yield statement_kind(trace.statements[step - 1]), right


def by_place(trace: Scored) -> Iterable[tuple[str, bool]]:
    """Per effect: the range of steps that it is in, by its first, and whether it was right."""
    for step in range(1, len(trace.true)):
        if true := true_change(trace, step):
            place = max(first for first in PLACES if first <= step)
            yield str(place), true == predicted_change(trace, step)


def by_operation(trace: Scored) -> Iterable[tuple[str, bool]]:
    """Per effect, for each operation of the statement that led to it: whether it was right."""
    for step in range(1, len(trace.true)):
        if true := true_change(trace, step):
            text, right = trace.statements[step - 1], true == predicted_change(trace, step)
            keys = written_keys(text, trace.true[step - 1], trace.true[step])
            yield from ((name, right) for name in (*operations(text), *keys))


def shares(pairs: Iterable[tuple[str, bool]]) -> dict[str, dict[str, float]]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, right in pairs:
        counts[name][0] += 1
        counts[name][1] += right
    ordered = sorted(counts.items(), key=lambda item: -item[1][0])
    return {name: {"n": n, "accuracy": right / n} for name, (n, right) in ordered}


def intervals(
    programs: Sequence[str], rows: Sequence[dict], names: Sequence[str] = HEADLINES
) -> dict[str, list[float]]:
    """95 % intervals of figures by a bootstrap over programs, not over traces."""
    members: dict[str, list[int]] = defaultdict(list)
    for number, program in enumerate(programs):
        members[program].append(number)
    groups = list(members.values())
    if len(groups) < 2:
        return {}
    draws = np.random.default_rng(0).integers(len(groups), size=(RESAMPLES, len(groups)))
    found = {}
    for name in names:
        values = np.array([row[name] for row in rows], float)
        sums = np.array([np.nansum(values[group]) for group in groups])
        sizes = np.array([np.isfinite(values[group]).sum() for group in groups])
        total, size = sums[draws].sum(1), sizes[draws].sum(1)
        means = total[size > 0] / size[size > 0]  # a draw may have no such step
        if len(means):
            found[name] = [float(x) for x in np.percentile(means, [2.5, 97.5])]
    return found


def ratio_interval(
    programs: Sequence[str], right: Sequence[float], sizes: Sequence[float]
) -> list[float] | None:
    """95 % interval of what is right of what there is, both summed over programs drawn again."""
    number = {program: at for at, program in enumerate(dict.fromkeys(programs))}
    if len(number) < 2:
        return None
    groups = [number[program] for program in programs]
    total, size = (np.bincount(groups, x, len(number)) for x in (right, sizes))
    draws = np.random.default_rng(0).integers(len(number), size=(RESAMPLES, len(number)))
    total, size = total[draws].sum(1), size[draws].sum(1)
    shares = total[size > 0] / size[size > 0]
    return [float(x) for x in np.percentile(shares, [2.5, 97.5])] if len(shares) else None


def mean(values: Iterable[float]) -> float:
    """Over what is not nan; nan over nothing."""
    kept = [value for value in values if not math.isnan(value)]
    return float(np.mean(kept)) if kept else math.nan


def finite(tree: Any) -> Any:
    """For JSON, which has no nan."""
    if isinstance(tree, dict):
        return {name: finite(value) for name, value in tree.items()}
    return None if isinstance(tree, float) and not math.isfinite(tree) else tree
