"""One small dataset and one small run, for all tests of the commands."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from tiny import tracing, training

from experiments import train
from experiments.predict import Predictor
from experiments.trace import trace_corpus
from rssm.step import Trainer
from tracer.store import Dataset


class Run(NamedTuple):
    folder: Path
    trainer: Trainer  # that made it


@pytest.fixture(scope="session")
def dataset(tmp_path_factory) -> Path:
    return trace_corpus(tracing(tmp_path_factory.mktemp("tiny") / "dataset"))


@pytest.fixture(scope="session")
def run(dataset, tmp_path_factory) -> Run:
    """Twelve steps, never interrupted."""
    trainers = []

    class Kept(Trainer):
        def __init__(self, *args):
            super().__init__(*args)
            trainers.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "Trainer", Kept)
        folder = train.train_run(training(dataset, tmp_path_factory.mktemp("tiny") / "run"))
    return Run(folder, trainers[0])


@pytest.fixture(scope="session")
def predictor(run) -> Predictor:
    return Predictor.of_run(run.folder)


@pytest.fixture(scope="session")
def traces(dataset) -> list:
    """A few traces, short ones: they fit the shortest bucket."""
    found = [t for split in ("test", "valid") for t in Dataset(dataset).traces(split)]
    return [trace for trace in found if 1 < len(trace.events) <= 32]


@pytest.fixture
def run_main(monkeypatch, capsys) -> Callable:
    """A command with its command line: exit code, what it printed, and its last word."""

    def call(main: Callable, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["command", *arguments])
        # Hydra would close absl's log, and that one the file that pytest captures with.
        monkeypatch.setattr("logging.shutdown", lambda *handlers: None)
        try:
            main()
            code, error = 0, ""
        except SystemExit as end:
            told = isinstance(end.code, str)
            code, error = (1, end.code) if told else (end.code or 0, "")
        printed = capsys.readouterr()
        return code, printed.out, error or printed.err

    return call
