"""`python -m experiments.agent run=DIR`: what a run foresees of an agent's next action.

Every state is seen, and the next one is asked for: the exit status, how many tests fail, whether
any does, and the class of the error. Beside the model stand what came most often of such an action
in training (`majority`), what is so already (`last`), what came of the last action of the kind
(`alike`), and the model itself with wrong actions (`shuffled`).
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from experiments.atomic import write_whole
from experiments.command import UserError, command
from experiments.data import open_dataset
from experiments.evaluate import percent
from experiments.predict import Frame, Prediction, Predictor, true_frame
from experiments.pretrained import pretrained_name
from experiments.score import RESAMPLES
from tracer.agent.episode import kind_of
from tracer.agent.play import is_episode
from tracer.schema import Trace
from tracer.store import Dataset

Answer = str | bool | None
GUESSES = ("model", "majority", "last", "alike", "shuffled")


class Question(NamedTuple):
    name: str
    answer: Callable[[Frame], Answer]  # what a state says
    kinds: tuple[str, ...]  # of the actions that it is asked of


ALL, TESTS = ("command", "edit", "tests"), ("tests",)
QUESTIONS = (
    Question("status", lambda state: state.get("status"), ALL),
    Question("status, tests", lambda state: state.get("status"), TESTS),
    Question("failing tests", lambda state: state.get("failed"), TESTS),
    Question("any failing", lambda state: state.get("failed") != "0", TESTS),
    Question("error", lambda state: state.get("error"), ALL),
    Question("error, tests", lambda state: state.get("error"), TESTS),
)


class Action(NamedTuple):
    """One action of an episode: what it was, and the states around it."""

    kind: str
    before: Frame
    after: Frame


class Right(NamedTuple):
    """Of one episode and one question: how many actions, and who was right how often."""

    origin: str
    count: int
    right: dict[str, int]  # by guess


@command("agent")
def main(cfg: DictConfig) -> None:
    if pretrained_name(cfg.run) and not cfg.out:
        raise UserError(f"{cfg.run} is no folder of yours: give one for the results, out=DIR")
    predictor = Predictor.of_agents(Path(cfg.run))
    dataset = open_dataset(cfg.dataset or predictor.cfg.dataset)
    usual = majority(episodes(dataset, "train"))
    figures = foreseen(predictor, episodes(dataset, cfg.split), usual)
    result = {"run": str(cfg.run), "step": predictor.step, "split": cfg.split} | figures
    out = Path(cfg.out or Path(cfg.run) / "eval") / "agent.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, json.dumps(result, indent=1) + "\n")
    show(result, out)


def episodes(dataset: Dataset, split: str) -> list[Trace]:
    found = [trace for trace in dataset.traces(split) if is_episode(trace)]
    if not found:
        raise UserError(f"{dataset.folder} has no episodes of agents in its {split} split")
    return found


def actions(trace: Trace) -> list[Action]:
    frames = [true_frame(event) for event in trace.events]
    kinds = [kind_of(event.statement) for event in trace.events[:-1]]
    return [Action(*each) for each in zip(kinds, frames[:-1], frames[1:], strict=True)]


def majority(traces: Iterable[Trace]) -> dict[tuple[str, str], Answer]:
    """By question and kind of action: the answer that came most often."""
    counts: dict[tuple[str, str], Counter] = defaultdict(Counter)
    for trace in traces:
        for action in actions(trace):
            for question in QUESTIONS:
                counts[question.name, action.kind][question.answer(action.after)] += 1
    return {key: count.most_common(1)[0][0] for key, count in counts.items()}


def foreseen(
    predictor: Predictor, traces: list[Trace], usual: dict[tuple[str, str], Answer]
) -> dict:
    """All figures: shares of right answers, with intervals by a bootstrap over episodes."""
    cases = list(predictor.cases(traces))
    wrong = {id(p.case): p for p in predictor.predict(cases, "filter", shuffled=True)}
    rights: dict[str, list[Right]] = {question.name: [] for question in QUESTIONS}
    for prediction in predictor.predict(cases, "filter"):
        for question in QUESTIONS:
            shuffled = wrong[id(prediction.case)]
            rights[question.name].append(judged(question, prediction, shuffled, usual))
    return {
        "n_episodes": len(cases),
        "n_actions": sum(right.count for right in rights["status"]),
        "projects": len({trace.origin for trace in traces}),
        "questions": {name: summary(found) for name, found in rights.items()},
    }


def judged(
    question: Question,
    prediction: Prediction,
    shuffled: Prediction,
    usual: dict[tuple[str, str], Answer],
) -> Right:
    trace = prediction.case.trace
    right: Counter[str] = Counter()
    count = 0
    alike: dict[str, Answer] = {}
    steps = zip(actions(trace), prediction.frames[1:], shuffled.frames[1:], strict=False)
    for action, guess, misled in steps:
        if action.kind not in question.kinds:
            continue
        truth = question.answer(action.after)
        common = usual.get((question.name, action.kind))
        guesses = {
            "model": question.answer(guess),
            "majority": common,
            "last": question.answer(action.before),
            "alike": alike.get(action.kind, common),
            "shuffled": question.answer(misled),
        }
        right.update([name for name, answer in guesses.items() if answer == truth])
        count += 1
        alike[action.kind] = truth
    return Right(trace.origin, count, {name: right[name] for name in GUESSES})


def summary(found: list[Right]) -> dict:
    """The shares of one question, and how far the model is ahead of each other guess."""
    counts = np.array([each.count for each in found])
    right = {name: np.array([each.right[name] for each in found]) for name in GUESSES}
    draws = np.random.default_rng(0).integers(len(found), size=(RESAMPLES, len(found)))
    totals = np.maximum(counts[draws].sum(1), 1)

    def interval(hits: np.ndarray) -> list[float]:
        low, high = np.percentile(hits[draws].sum(1) / totals, [2.5, 97.5])
        return [float(low), float(high)]

    others = [name for name in GUESSES if name != "model"]
    return {
        "n": int(counts.sum()),
        **{name: float(hits.sum() / max(1, counts.sum())) for name, hits in right.items()},
        "ci95": {name: interval(hits) for name, hits in right.items()},
        "ahead_ci95": {name: interval(right["model"] - right[name]) for name in others},
        "by_project": dict(by_project(found)),
    }


def by_project(found: list[Right]) -> Iterator[tuple[str, dict]]:
    for origin in sorted({each.origin for each in found}):
        own = [each for each in found if each.origin == origin]
        count = sum(each.count for each in own)
        shares = {name: sum(e.right[name] for e in own) / max(1, count) for name in GUESSES}
        yield origin, {"n": count} | shares


def show(result: dict, path: Path) -> None:
    about = f"{result['n_episodes']} episodes of {result['projects']} projects"
    table = Table(title=f"{result['split']}: {about}, right answers in %")
    table.add_column("what comes next")
    for column in ("actions", "model", "95 %", *GUESSES[1:]):
        table.add_column(column, justify="right")
    for name, found in result["questions"].items():
        low, high = found["ci95"]["model"]
        cells = [str(found["n"]), percent(found["model"]), f"{percent(low)} to {percent(high)}"]
        table.add_row(name, *cells, *(percent(found[guess]) for guess in GUESSES[1:]))
    Console().print(table)
    print(path)


if __name__ == "__main__":
    main()
