"""Windows of a dataset as batches, through Grain: shuffled, endless, exactly resumable."""

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import grain
import numpy as np

from experiments.command import UserError, user_errors
from tracer.store import Dataset, unpack_window

THREADS = 16  # that read ahead
FIRST = 0.1  # of the windows, that a curriculum begins with


def open_dataset(folder: Path | str) -> Dataset:
    try:
        with user_errors(ValueError):
            return Dataset(folder)
    except FileNotFoundError as error:
        raise UserError(f"{error}; `python -m experiments.trace` makes one") from error


class Batches(Iterator[dict[str, np.ndarray]]):
    """Batches of the train split for ever, each epoch in an order of its own: the same for the
    same seed, whatever was read before, and by however many threads.

    share: of the split that is read, its first windows.
    curriculum: windows that are drawn before all are; the first of them from the easiest tenth.
    """

    def __init__(
        self,
        dataset: Dataset,
        batch_size: int,
        seed: int,
        threads: int = THREADS,
        share: float = 1.0,
        curriculum: int = 0,
    ):
        windows = _windows(dataset, "train")
        check_share(share, "data.share")
        self.batch_size, self.count = batch_size, math.ceil(share * len(windows))
        if curriculum < 0:
            raise UserError(f"data.curriculum={curriculum} is no number of windows, 0 or more")
        self.order = grain.MapDataset.range(self.count).seed(seed).shuffle().repeat()
        if curriculum:
            pace = partial(_paced, ranked=_ranked(dataset, self.count), curriculum=curriculum)
            self.order = self.order.map_with_index(pace)
        batches = _batches(self.order.map(windows.__getitem__), dataset, batch_size, drop=True)
        self.batches = iter(batches.to_iter_dataset(grain.ReadOptions(num_threads=threads)))

    def __next__(self) -> dict[str, np.ndarray]:
        return next(self.batches)

    def get_state(self) -> dict[str, int]:
        """The number of the batch that comes next."""
        return self.batches.get_state()

    def set_state(self, state: dict[str, int]) -> None:
        self.batches.set_state(state)

    def windows(self, state: dict[str, int]) -> list[int]:
        """Which windows of the split are in the batch that came next then."""
        first = state["next_index"] * self.batch_size
        return [self.order[at] or 0 for at in range(first, first + self.batch_size)]


def train_batches(dataset: Dataset, batch_size: int, seed: int, **given: Any) -> Batches:
    return Batches(dataset, batch_size, seed, **given)


def eval_batches(dataset: Dataset, split: str, batch_size: int) -> Iterator[dict[str, np.ndarray]]:
    """Every window once, in order; the last batch is filled up with masked windows."""
    for batch in _batches(_windows(dataset, split), dataset, batch_size, drop=False):
        short = batch_size - len(batch["mask"])
        padded = {n: np.concatenate([x, np.repeat(x[-1:], short, 0)]) for n, x in batch.items()}
        padded["mask"][batch_size - short :] = False
        yield padded


def check_share(share: float, option: str) -> None:
    if not 0 < share <= 1:
        raise UserError(f"{option}={share} is no share of the training split, above 0 to 1")


def _ranked(dataset: Dataset, count: int) -> np.ndarray:
    """The first windows of the training split, the easiest of them first."""
    records, fields = dataset.records("train", "windows"), dataset.layout.fields()
    windows = (unpack_window(records[number], fields) for number in range(count))
    return np.argsort([_difficulty(window) for window in windows], kind="stable")


def _difficulty(window: dict[str, np.ndarray]) -> float:
    """Symbols of a value of this window, in the mean."""
    lengths = (window["values"] > 0).sum(-1)
    return float(lengths.sum() / max(1, (lengths > 0).sum()))


def _paced(number: int, drawn: int, ranked: np.ndarray, curriculum: int) -> int:
    """In place of any window one of those whose turn has come."""
    come = min(1.0, FIRST + (1 - FIRST) * number / curriculum)
    return int(ranked[int(drawn * come)])


def _windows(dataset: Dataset, split: str) -> grain.MapDataset:
    source: Any = dataset.records(split, "windows")  # names its argument otherwise than Grain
    if not source:
        raise UserError(f"{dataset.folder} has no windows in its {split} split")
    return grain.MapDataset.source(source)


def _batches(
    source: grain.MapDataset, dataset: Dataset, batch_size: int, drop: bool
) -> grain.MapDataset:
    unpack = partial(unpack_window, fields=dataset.layout.fields())
    return source.map(unpack).batch(batch_size, drop_remainder=drop)
