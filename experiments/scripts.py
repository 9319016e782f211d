"""Traces as texts that a model learns from, and is asked about: CWM's, of the call under test."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from omegaconf import DictConfig

from experiments.command import UserError
from experiments.data import open_dataset
from rssm.tokens import CLOSE, END
from tracer import cwm
from tracer.cwm.symbols import decode, encode
from tracer.schema import Trace

FORMS = {"full": "none", "delta": "boundary"}  # how locals are written: cwm.Options.diff
Example = tuple[list[int], int]  # a text, and where its frames begin
Batch = dict[str, Any]  # of arrays


class Scripted(NamedTuple):
    """A trace as the model is asked about it."""

    trace: Trace
    prompt: list[int]  # up to the first frame
    first: list[int]  # the frames that are given: up to the call under test
    rest: list[list[int]]  # its other frames


def batches(cfg: DictConfig) -> Iterator[Batch]:
    """Of the train split, for ever, each epoch in an order of its own."""
    texts = examples(cfg, "train")
    if not texts:
        raise UserError(f"{cfg.dataset} has no text in its train split")
    texts = texts[: math.ceil(cfg.share * len(texts))]
    draw = np.random.default_rng(cfg.seed)
    endless = (texts[n] for _ in count() for n in draw.permutation(len(texts)))
    yield from batched(rows(endless, cfg.length), cfg.batch_size)


def eval_batches(cfg: DictConfig, split: str) -> Iterator[Batch]:
    """Every text once, in order; what is too little for a batch is filled up with masked rows."""
    found = [*rows(iter(examples(cfg, split)), cfg.length, whole=True)]
    found += [packed([], cfg.length)] * (-len(found) % cfg.batch_size)
    yield from batched(iter(found), cfg.batch_size)


def examples(cfg: DictConfig, split: str) -> list[Example]:
    traces = open_dataset(cfg.dataset).traces(split)
    return [text for trace in traces if (text := example(trace, cfg))]


def rows(texts: Iterable[Example], length: int, whole: bool = False) -> Iterator[Batch]:
    """Texts behind one another, as many as there is room for; `whole` has the last row too."""
    row: list[Example] = []
    for text in texts:
        if sum(len(numbers) for numbers, _ in row) + len(text[0]) > length:
            yield packed(row, length)
            row = []
        row.append(text)
    if whole and row:
        yield packed(row, length)


def batched(rows: Iterable[Batch], size: int) -> Iterator[Batch]:
    found: list[Batch] = []
    for row in rows:
        found.append(row)
        if len(found) == size:
            yield {name: np.stack([each[name] for each in found]) for name in row}
            found = []


def example(trace: Trace, cfg: DictConfig) -> Example | None:
    """None where it cannot be asked about."""
    found = scripted(trace, cfg.form)
    if found is None:
        return None
    head = [*found.prompt, *found.first]
    numbers = [*head, *(symbol for frame in found.rest for symbol in frame)][: cfg.length]
    return (numbers, len(head)) if len(numbers) > len(head) else None


def packed(row: Sequence[Example], length: int) -> Batch:
    text, reset, mask = np.zeros(length, np.int32), np.zeros(length, bool), np.zeros(length, bool)
    at = 0
    for numbers, head in row:
        text[at : at + len(numbers)] = numbers
        reset[at], mask[at + head : at + len(numbers)] = True, True
        at += len(numbers)
    if at < length:
        reset[at] = True
    return {"text": text, "reset": reset, "mask": mask}


def scripted(trace: Trace, form: str) -> Scripted | None:
    """The call under test, as `main` makes it: the prompt, the frames up to its first state, and
    those after it."""
    try:
        whole = cwm.write(cwm.as_main(trace), cwm.Options(diff=FORMS[form]))
    except ValueError:
        return None
    head, *frames = whole.split(cwm.FRAME)
    *frames, tail = frames
    if len(frames) < 3:
        return None
    ends = [encode(frame + cwm.FRAME) for frame in frames]
    first = [symbol for frame in ends[:3] for symbol in frame]  # main, its line, the call
    rest = [*ends[3:], *([encode(tail)] if tail else [])]
    return Scripted(trace, encode(head + cwm.FRAME), first, rest)


def script(found: Scripted, mode: str) -> list[int]:
    given = [*found.prompt, *found.first]
    if mode == "free":
        return [*given, END]
    return given + [symbol for frame in found.rest for symbol in blanked(frame)]


def blanked(frame: list[int]) -> list[int]:
    """A frame with its locals or its value left to write."""
    text = decode(frame)
    begin, opened = text.partition(cwm.ARG)[::2]
    if opened:
        return [*encode(begin + cwm.ARG), CLOSE, *encode(cwm.FRAME)]
    before, action, after = text.partition(cwm.ACTION)
    kind = next((token for token in cwm.KINDS.values() if before.startswith(token)), None)
    return [*encode(kind), CLOSE, *encode(action + after)] if kind else frame
