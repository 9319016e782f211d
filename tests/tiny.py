"""Configs and data of the least size, for tests that cross rooms."""

from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from experiments.command import CONFIGS
from tracer.layout import Layout

DYNAMICS = sorted(path.stem for path in Path(CONFIGS, "dynamics").glob("*.yaml"))
BATCH = 2
WINDOW = {"steps": 32, "values": 48, "statements": 32, "registers": 3, "iterators": 2}
LAYOUT = Layout(**WINDOW)

# What is compiled: tests that agree in this compile it once, see conftest.py.
MODEL = ("size=debug", f"data.batch_size={BATCH}")
MODEL += ("optim.learning_rate=3e-3", "optim.warmup_steps=0", "optim.decay_steps=1000")


def config(name: str, *overrides: str) -> DictConfig:
    with initialize_config_dir(CONFIGS, version_base=None):
        return compose(name, list(overrides))


def tracing(out: Path, *overrides: str) -> DictConfig:
    corpus = ("corpus=synthetic", "corpus.count=60", "corpus.difficulty=1")
    window = [f"++window.{name}={size}" for name, size in WINDOW.items()]
    return config("trace", *corpus, *window, "processes=1", f"out={out}", *overrides)


def training(dataset: Path, run_dir: Path, *overrides: str) -> DictConfig:
    lengths = ("steps=12", "save_every=4", "log_every=2", "valid_batches=1")
    places = (f"dataset={dataset}", f"run_dir={run_dir}")
    return config("train", *MODEL, *lengths, *places, *overrides)
