"""`python -m experiments.train experiment=NAME run_dir=DIR`: train; the same command resumes."""

import itertools
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from omegaconf import DictConfig, OmegaConf

from experiments import loop
from experiments.checkpoint import Checkpointer, named, read_run, write_run
from experiments.claim import Stop, claim, write_status
from experiments.command import UserError, command, first_line
from experiments.data import eval_batches, open_dataset, train_batches
from experiments.model import build_model, build_optimizer, count, read_spec
from experiments.predict import Predictor
from experiments.pretrained import fitted
from experiments.writer import Writer
from rssm.step import Trainer, TrainState
from tracer.store import Dataset

MAY_DIFFER = ("steps", "minutes", "log_every", "save_every", "valid_batches", "run_dir")
MAY_DIFFER += ("optim.decay_steps", "guard")


@command("train")
def main(cfg: DictConfig) -> None:
    train_run(cfg)


def train_run(cfg: DictConfig) -> Path:
    """SystemExit where it was told to end, when what it has is saved."""
    run_dir = Path(cfg.run_dir)
    dataset = open_dataset(cfg.dataset)
    if (run_dir / "config.yaml").exists():
        check_same(cfg, read_run(run_dir)[0], run_dir)
    spec = read_spec(cfg.dataset)
    model, optimizer = build_model(cfg, spec, cfg.seed), build_optimizer(cfg)
    trainer = Trainer(model, optimizer, cfg.guard.spike, cfg.guard.window)
    if cfg.init:
        trainer.params = begun_with(str(cfg.init), trainer.params, dataset)
    with claim(run_dir), Stop() as stop:
        write_run(run_dir, cfg, dataset.schema)
        settings = OmegaConf.to_container(cfg, resolve=True)
        checkpointer = Checkpointer(run_dir, {"config": settings, "schema": dataset.schema})
        with closing(checkpointer):
            try:
                step = go_on(cfg, trainer, dataset, checkpointer, stop)
            except BaseException as error:
                write_status(run_dir, "failed", checkpointer.latest() or 0, first_line(error))
                raise
        preempted = stop() and step < cfg.steps
        write_status(run_dir, "preempted" if preempted else "finished", step)
        if preempted:
            print(f"{run_dir} is saved at step {step}; the same command goes on")
    if stop():
        sys.exit(128 + signal.SIGINT if stop.signal == signal.SIGINT else 0)
    return run_dir


def begun_with(init: str, params: Any, dataset: Dataset) -> Any:
    """The parameters as a run has them, or weights, trained on windows of the same form; a critic,
    which is of the training alone, begins anew where they have none."""
    begun = Predictor.of_run(Path(init))
    if dataset.layout != begun.layout:
        sizes = [f"{key}={x}" for key, x in begun.layout._asdict().items()]
        raise UserError(f"{init} wants windows of another form: {', '.join(sizes)}")
    own, found = named(params), named(begun.params)
    critic = {name for name in own | found if "critic" in name}
    found = {name: x for name, x in found.items() if name in own or name not in critic}
    return fitted(params, {name: own[name] for name in critic & own.keys()} | found, init)


def go_on(
    cfg: DictConfig, trainer: Trainer, dataset: Dataset, checkpointer: Checkpointer, stop: Stop
) -> int:
    """Train from the newest checkpoint, or from the start; the step that was reached, and saved."""
    run_dir = Path(cfg.run_dir)
    given = {key: cfg.data[key] for key in ("share", "curriculum")}
    batches = train_batches(dataset, cfg.data.batch_size, cfg.seed, **given)
    state, key = trainer.initial(), jax.random.key(cfg.seed)
    path, seconds = run_dir / "clock.json", 60 * cfg.minutes
    clock = loop.Clock(seconds, path=path)
    if checkpointer.begun():
        clock = loop.Clock.of(path, seconds)
        state, progress = checkpointer.restore(state, quarantine=True)
        batches.set_state(progress["data"])
        key = jax.random.wrap_key_data(jnp.array(progress["key"], jnp.uint32))
        print(f"resumed {run_dir} at step {int(state.step)}")
    print(
        f"{count(state.params):,} parameters on {jax.devices()[0]}; "
        f"{cfg.data.batch_size * dataset.layout.steps} transitions a step"
    )
    if int(state.step) >= cfg.steps:
        print(f"{run_dir} has its {cfg.steps} steps")
        return int(state.step)
    if clock.over():
        print(f"{run_dir} has had its {cfg.minutes:g} minutes")
        return int(state.step)
    write_status(run_dir, "running", int(state.step))
    with closing(Writer(run_dir, int(state.step), cfg.steps)) as writer:
        state = loop.train(
            trainer,
            state,
            batches,
            checkpointer,
            writer,
            lambda state: validate(trainer, state, dataset, cfg),
            stop,
            key=key,
            steps=cfg.steps,
            clock=clock,
            log_every=cfg.log_every,
            save_every=cfg.save_every,
            patience=cfg.guard.patience,
            rollbacks=cfg.guard.rollbacks,
        )
        checkpointer.wait()
    return int(state.step)


def validate(
    trainer: Trainer, state: TrainState, dataset: Dataset, cfg: DictConfig
) -> dict[str, float]:
    """Means over the first batches of the validation split."""
    if not dataset.shards("valid", "windows"):
        return {}
    batches = eval_batches(dataset, "valid", cfg.data.batch_size)
    rows = [
        trainer.eval_step(state.params, batch, jax.random.key(number))
        for number, batch in enumerate(itertools.islice(batches, cfg.valid_batches))
    ]
    names = rows[0] if rows else ()
    return {name: float(np.mean([row[name] for row in rows])) for name in names}


def check_same(
    cfg: DictConfig, stored: DictConfig, run_dir: Path, may_differ: Sequence[str] = MAY_DIFFER
) -> None:
    """A run goes on with the config that it began with; how long and how chatty may change."""
    new, old = (flat(OmegaConf.to_container(c, resolve=True)) for c in (cfg, stored))
    for key in sorted(new.keys() | old.keys()):
        if new.get(key) != old.get(key) and not {key, key.partition(".")[0]} & set(may_differ):
            raise UserError(
                f"{run_dir} was begun with {key}={old.get(key)}, now it is {new.get(key)}; "
                "choose another run_dir"
            )


def flat(tree: object, prefix: str = "") -> dict[str, object]:
    if not isinstance(tree, dict):
        return {prefix.rstrip("."): tree}
    return {k: v for name, x in tree.items() for k, v in flat(x, f"{prefix}{name}.").items()}


if __name__ == "__main__":
    main()
