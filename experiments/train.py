"""`python -m experiments.train experiment=NAME run_dir=DIR`: train; the same command resumes."""

import itertools
from pathlib import Path

import jax
import numpy as np
from omegaconf import DictConfig, OmegaConf

from experiments import loop
from experiments.checkpoint import Checkpointer, read_run, write_run
from experiments.command import UserError, command
from experiments.data import eval_batches, open_dataset, train_batches
from experiments.model import build_model, build_optimizer, count, read_spec
from experiments.writer import Writer
from rssm.step import Trainer, TrainState
from tracer.store import Dataset

MAY_DIFFER = ("steps", "minutes", "log_every", "save_every", "valid_batches", "run_dir")
MAY_DIFFER += ("optim.decay_steps",)


@command("train")
def main(cfg: DictConfig) -> None:
    train_run(cfg)


def train_run(cfg: DictConfig) -> Path:
    run_dir = Path(cfg.run_dir)
    dataset = open_dataset(cfg.dataset)
    if (run_dir / "config.yaml").exists():
        check_same(cfg, read_run(run_dir)[0], run_dir)
    trainer = Trainer(build_model(cfg, read_spec(cfg.dataset), cfg.seed), build_optimizer(cfg))
    write_run(run_dir, cfg, dataset.schema)
    checkpointer = Checkpointer(run_dir)
    batches = train_batches(dataset, cfg.data.batch_size, cfg.seed)
    state = trainer.initial()
    if checkpointer.latest() is not None:
        state, position = checkpointer.restore(state)
        batches.set_state(position)
        print(f"resumed {run_dir} at step {int(state.step)}")
    print(
        f"{count(state.params):,} parameters on {jax.devices()[0]}; "
        f"{cfg.data.batch_size * dataset.layout.steps} transitions a step"
    )
    if int(state.step) >= cfg.steps:
        checkpointer.close()
        print(f"{run_dir} has its {cfg.steps} steps")
        return run_dir
    writer = Writer(run_dir, int(state.step), cfg.steps)
    try:
        loop.train(
            trainer,
            state,
            batches,
            checkpointer,
            writer,
            lambda state: validate(trainer, state, dataset, cfg),
            steps=cfg.steps,
            seconds=60 * cfg.minutes,
            log_every=cfg.log_every,
            save_every=cfg.save_every,
            seed=cfg.seed,
        )
    finally:
        writer.close()
        checkpointer.close()
    return run_dir


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


def check_same(cfg: DictConfig, stored: DictConfig, run_dir: Path) -> None:
    """A run goes on with the config that it began with; how long and how chatty may change."""
    new, old = (flat(OmegaConf.to_container(c, resolve=True)) for c in (cfg, stored))
    for key in sorted(new.keys() | old.keys()):
        if new.get(key) != old.get(key) and not {key, key.partition(".")[0]} & set(MAY_DIFFER):
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
