"""Windows of a dataset as batches, through Grain: shuffled, endless, exactly resumable."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import grain
import numpy as np

from experiments.command import UserError, user_errors
from tracer.store import Dataset, unpack_window


def open_dataset(folder: Path | str) -> Dataset:
    try:
        with user_errors(ValueError):
            return Dataset(folder)
    except FileNotFoundError as error:
        raise UserError(f"{error}; `python -m experiments.trace` makes one") from error


def train_batches(dataset: Dataset, batch_size: int, seed: int) -> grain.DatasetIterator:
    """Batches for ever, each epoch in an order of its own."""
    source = _windows(dataset, "train").seed(seed).shuffle().repeat()
    return iter(_batches(source, dataset, batch_size, drop=True).to_iter_dataset())


def eval_batches(dataset: Dataset, split: str, batch_size: int) -> Iterator[dict[str, np.ndarray]]:
    """Every window once, in order; the last batch is filled up with masked windows."""
    for batch in _batches(_windows(dataset, split), dataset, batch_size, drop=False):
        short = batch_size - len(batch["mask"])
        padded = {n: np.concatenate([x, np.repeat(x[-1:], short, 0)]) for n, x in batch.items()}
        padded["mask"][batch_size - short :] = False
        yield padded


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
