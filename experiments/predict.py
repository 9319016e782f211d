"""What a trained model expects of real traces: frames, from arrays and back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from omegaconf import DictConfig

from experiments.checkpoint import Checkpointer, read_run
from experiments.command import user_errors
from experiments.control import Turn, choose, of_all, turns, weighed
from experiments.free import Run, Start, free_runs
from experiments.model import build_model, build_optimizer, by_device, count
from experiments.pretrained import fitted, pretrained_name, read_pretrained
from experiments.suited import check_actions, check_heads
from experiments.worth import Worth
from rssm.model import Belief
from rssm.spec import Spec
from rssm.step import Trainer
from tracer.detours import Detours
from tracer.encode import Trajectory, decode_row, encode_trajectory, pieces, slot_numbers
from tracer.flow import Ways, flow_table, route_table
from tracer.layout import check_schema
from tracer.lowering import Lowering
from tracer.schema import Event, Trace, body
from tracer.values import Value, render
from tracer.windows import Window, finish

MODES = ("filter", "open", "free")
BUCKETS = (12, 32, 128, 576)  # steps; a longer trajectory is cut
FARTHEST = 256  # steps of a free run, and no more than twice those of the truth and a few
FEW = 16
BATCH = 256, 8192  # steps of a batch, padding included: on a CPU in memory that is used again

Frame = dict[str, str]


class Case(NamedTuple):
    """One call of a trace, as the model sees it."""

    trace: Trace
    events: list[Event]
    trajectory: Trajectory
    at: list[int]  # the step of each event
    window: dict[str, np.ndarray]
    cut: bool  # there were more steps than the model was asked about
    ways: Mapping[int, Ways]  # of its source
    slots: Mapping[str, int]  # of variables, registers and counters


class Prediction(NamedTuple):
    """What was expected of a case: per step the frame, the event, and what the call returned."""

    case: Case
    frames: list[Frame]  # fewer where a run had ended
    log_probs: np.ndarray  # [T, V + 1] of the rows, of what they were made of being right
    worths: list[Worth]  # per step: how likely they are with that
    names: tuple[str, ...]  # of the slots
    turns: list[Turn]
    output: str | None
    raised: list[str | None]  # per step, the repr of what an event that is an exception raises
    extra: int = 0  # steps beyond the last true one
    raises: float | None = None  # in a free run, the chance that it comes to an exception


class Predictor:
    """A run's model with its latest weights, or with those that are given."""

    def __init__(
        self,
        run_dir: Path,
        cfg: DictConfig,
        schema: dict,
        weights: Mapping[str, np.ndarray] | None = None,
    ):
        self.run_dir, self.cfg = run_dir, cfg
        self.drawn: int | None = None  # a seed, if latents are drawn and not the likeliest ones
        check_heads(run_dir, cfg, schema)
        with user_errors(ValueError):
            self.layout = check_schema(schema, run_dir)
        model = build_model(cfg, Spec.from_schema(self.layout.schema()), cfg.seed)
        self.trainer = Trainer(model, build_optimizer(cfg))
        if weights is not None:
            self.params, self.step = fitted(self.trainer.params, weights, run_dir), 0
            return
        checkpointer = Checkpointer(run_dir)
        state, _ = checkpointer.restore(self.trainer.initial())
        checkpointer.close()
        self.params, self.step = state.params, int(state.step)

    @classmethod
    def of_run(cls, run_dir: Path) -> "Predictor":
        """Of a folder, or of `pretrained:NAME`."""
        name = pretrained_name(run_dir)
        if name is None:
            return cls(run_dir, *read_run(run_dir))
        card, weights = read_pretrained(name)
        cfg = DictConfig(card["config"])
        predictor = cls(run_dir, cfg, card["schema"], weights)
        predictor.step = card["step"]
        return predictor

    @classmethod
    def of_programs(cls, run_dir: Path) -> "Predictor":
        """Of a run that has learned what statements do."""
        check_actions(run_dir, "programs")
        return cls.of_run(run_dir)

    @classmethod
    def of_agents(cls, run_dir: Path) -> "Predictor":
        """Of a run that has learned what commands and edits do."""
        check_actions(run_dir, "agents")
        return cls.of_run(run_dir)

    @property
    def size(self) -> int:
        return count(self.params)

    def cases(self, traces: Iterable[Trace]) -> Iterator[Case]:
        """The calls under test that did anything."""
        for trace in traces:
            if len(events := body(trace)) > 1:
                yield self.case(trace, events)

    def case(self, trace: Trace, events: list[Event]) -> Case:
        ways, lowering = flow_table(trace.source), Lowering(trace.source, self.layout)
        there = events[: BUCKETS[-1]]
        trajectory = encode_trajectory(there, self.layout, ways, lowering, told=False)
        steps = next((b for b in BUCKETS if len(trajectory) <= b), BUCKETS[-1])
        layout = self.layout._replace(steps=steps, values=2 * steps + 16, statements=128)
        window = Window(layout)
        window.add(next(pieces(trajectory, layout)))
        at = [step for step in trajectory.at if step < window.steps]
        cut = len(at) < len(events)
        slots = slot_numbers(trajectory.names, self.layout)
        return Case(trace, events[: len(at)], trajectory, at, finish(window), cut, ways, slots)

    def predict(
        self, cases: Sequence[Case], mode: str, shuffled: bool = False
    ) -> Iterator[Prediction]:
        """In the order of their lengths; with `shuffled` each step gets a wrong statement. In
        `free` mode the model sees the first state and the source."""
        if mode == "free":
            yield from self._run(cases, shuffled)
            return
        ordered = sorted(cases, key=lambda case: (len(case.window["mask"]), len(case.events)))
        for steps, alike in groupby(ordered, key=lambda case: len(case.window["mask"])):
            same = list(alike)
            size = min(len(same), max(1, by_device(*BATCH) // steps))
            for start in range(0, len(same), size):
                group = same[start : start + size]
                yield from self._predict(group, size, mode, shuffled)

    def _run(self, cases: Sequence[Case], shuffled: bool) -> Iterator[Prediction]:
        cases = sorted(cases, key=lambda case: len(case.events))
        starts = [free_start(case.trace.source, case.events) for case in cases]
        runs = free_runs(self.trainer, self.params, starts, self.layout, shuffled)
        yield from map(from_run, cases, runs)

    def _predict(
        self, cases: Sequence[Case], size: int, mode: str, shuffled: bool
    ) -> Iterator[Prediction]:
        windows = [case.window for case in cases]
        if shuffled:
            windows = [with_wrong_statements(w, n) for n, w in enumerate(windows)]
        windows += [windows[0]] * (size - len(windows))  # one shape, one compilation
        batch = {name: np.stack([w[name] for w in windows]) for name in windows[0]}
        seen = self._seen(mode, batch["reset"], cases)
        key = None if self.drawn is None else jax.random.key(self.drawn)
        belief = jax.device_get(self.trainer.predict(self.params, batch, seen, key))
        yield from (read(case, belief, number, mode) for number, case in enumerate(cases))

    def _seen(self, mode: str, reset: np.ndarray, cases: Sequence[Case]) -> np.ndarray | None:
        """The steps that are observed, [B, T]: those of events, or the first alone; None is all."""
        if mode != "filter" or not self.layout.working:
            return reset if mode != "filter" else None
        seen = reset.copy()
        for row, case in zip(seen, cases, strict=False):
            row[case.at] = True
        return seen


def read(case: Case, belief: Belief, number: int, mode: str) -> Prediction:
    """Frames from one row of a batch; the first step is observed, not predicted."""
    rows, log_probs = np.asarray(belief.rows[number]), np.asarray(belief.log_prob[number])
    worths = worth_of(case, rows, log_probs, mode)
    rows, log_probs = rows[case.at], log_probs[case.at]
    names = case.trajectory.names
    expected = [held_frame(case, 0)]
    expected += [frame(names, state) for state in rows[1:].tolist()]
    labels = {name: np.asarray(label[number]) for name, label in belief.labels.items()}
    found = [Turn(case.events[0].kind, case.events[0].lineno, 0.0)]
    detours = Detours(route_table(case.trace.source))
    steps = zip(pairwise(case.events), pairwise(case.at), strict=True)
    for (event, after), (first, last) in steps:
        said = {name: label[last] for name, label in labels.items()}
        said["kind"] = of_all([*labels["kind"][first + 1 : last + 1]])
        here = detours.open(event.lineno)
        found.append(choose(weighed(turns(event.kind, event.lineno, event.statement, here, said))))
        detours = detours.on((event.kind, event.lineno), (after.kind, after.lineno))
    outcomes = [text(tuple(row)) for row in rows[:, -1].tolist()]
    output = outcomes[-1] if found[-1].kind == "return" else None
    return Prediction(case, expected, log_probs, worths, names, found, output, outcomes)


def worth_of(case: Case, rows: np.ndarray, odds: np.ndarray, mode: str) -> list[Worth]:
    """At each event. In `filter` mode it is seen thereafter."""
    trajectory, found = case.trajectory, list[Worth]()
    worth = Worth.seen(case.slots, np.array(trajectory.states[0]))
    events = {*case.at}
    for step in range(case.at[-1] + 1):
        if step:
            worth = worth.run(trajectory.texts[step - 1], rows[step], odds[step])
        if step in events:
            found.append(worth)
            if mode == "filter":
                worth = Worth.seen(case.slots, np.array(trajectory.states[step]))
    return found


def free_start(source: str, events: Sequence[Event]) -> Start:
    """From where a call began, for as many steps as it may well take."""
    return Start(source, events[0], min(FARTHEST, 2 * len(events) + FEW))


def from_run(case: Case, run: Run) -> Prediction:
    """As far as both of them go."""
    steps = len(case.events)
    there = run.steps[:steps]
    names = run.names
    frames = [held_frame(case, 0), *(frame(names, step.rows.tolist()) for step in there[1:])]
    outcomes = [text(tuple(step.rows[-1].tolist())) for step in run.steps]
    return Prediction(
        case,
        frames,
        np.stack([step.odds for step in there]),
        [step.worth for step in there],
        names,
        [Turn(step.kind, step.line, step.log_prob) for step in run.steps],
        outcomes[-1] if run.steps[-1].kind == "return" else None,
        outcomes,
        max(0, len(run.steps) - steps),
        run.raises,
    )


def frame(names: Sequence[str], state: Iterable[Iterable[int]]) -> Frame:
    """The repr of each variable, from the rows of all slots."""
    texts = (text(tuple(row)) for row in state)
    return {name: held for name, held in zip(names, texts, strict=False) if held is not None}


@lru_cache(maxsize=1 << 16)
def text(row: tuple[int, ...]) -> str | None:
    value = decode_row(row)
    return render(value) if isinstance(value, Value) else value


def program_of(case: Case) -> str:
    """What a bootstrap draws again: the function or task that the call is of."""
    return case.trace.origin if case.trace.origin != "file" else case.trace.id


def true_frame(event: Event) -> Frame:
    return {name: render(value) for name, value in event.locals.items()}


def held_frame(case: Case, step: int) -> Frame:
    """The true frame of an event as far as the encoding can hold it."""
    return frame(case.trajectory.names, case.trajectory.states[case.at[step]])


def with_wrong_statements(window: dict[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """Each step's statement replaced by another one of the same trajectory, where there is one."""
    draw = np.random.default_rng(seed)
    steps = np.flatnonzero(window["mask"])
    rows = window["statement"]
    source = np.arange(len(rows))
    for step in steps:
        others = steps[rows[steps] != rows[step]]
        if len(others):
            source[step] = draw.choice(others)
    return window | {name: window[name][source] for name in ("statement", "references")}


def misled(case: Case, seed: int) -> Case:
    """As the model sees it with each value replaced by another one of the same call, wherever it
    stands: what stays stays. Row 0, the unbound value, is left as it is."""
    window, steps = case.window, len(case.trajectory)
    used = np.unique(window["slots"][window["mask"]])
    order = np.random.default_rng(seed).permutation(used[used > 0])
    values = window["values"].copy()
    values[order] = window["values"][np.roll(order, 1)]
    shown = values[window["slots"][:steps]].tolist()
    states = [tuple(map(tuple, state)) for state in shown]
    fields: dict[str, Any] = case.trajectory._asdict() | {"states": states}
    return case._replace(window=window | {"values": values}, trajectory=Trajectory(**fields))


def not_held(case: Case) -> list[tuple[int, str, str]]:
    """Step, name and repr of each new value that the encoding cannot hold, at its first step."""
    found, last = [], {}
    for step, (event, at) in enumerate(zip(case.events, case.at, strict=True)):
        for name, whole in zip(case.trajectory.names, case.trajectory.exact[at], strict=False):
            value = event.locals.get(name)
            if not whole and value is not None and last.get(name) != value:
                found.append((step, name, render(value)))
            last[name] = value
    return found
