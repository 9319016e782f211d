"""Checkpoints of a run: parameters, optimizer, step, data position, config and schema."""

import json
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from omegaconf import DictConfig, OmegaConf
from orbax.checkpoint import checkpoint_managers

from experiments.command import UserError
from rssm.step import TrainState

SCORE = "score"  # the metric by which a checkpoint is best: higher is better


class Checkpointer:
    """The latest and the best state of a run, under `run_dir/checkpoints`."""

    def __init__(self, run_dir: Path):
        policies = checkpoint_managers
        keep = policies.AnyPreservationPolicy(
            [
                policies.LatestN(1),
                policies.BestN(get_metric_fn=lambda m: m[SCORE], n=1, reverse=False),
            ]
        )
        options = ocp.CheckpointManagerOptions(preservation_policy=keep)
        self.manager = ocp.CheckpointManager(run_dir.resolve() / "checkpoints", options=options)

    def save(self, state: TrainState, data: Any, metrics: dict[str, float]) -> None:
        arguments = ocp.args.Composite(
            state=ocp.args.StandardSave(state._asdict()),
            data=ocp.args.JsonSave({"position": json.dumps(data)}),
        )
        self.manager.save(int(state.step), args=arguments, metrics=metrics)

    def latest(self) -> int | None:
        return self.manager.latest_step()

    def restore(self, state: TrainState, step: int | None = None) -> tuple[TrainState, Any]:
        """A state of the same shapes, and the data position that belongs to it."""
        step = step if step is not None else self.latest()
        if step is None:
            raise UserError(f"no checkpoint in {self.manager.directory}")
        like = jax.tree.map(ocp.utils.to_shape_dtype_struct, state._asdict())
        arguments = ocp.args.Composite(
            state=ocp.args.StandardRestore(like), data=ocp.args.JsonRestore()
        )
        found = self.manager.restore(step, args=arguments)
        return TrainState(**found["state"]), json.loads(found["data"]["position"])

    def wait(self) -> None:
        self.manager.wait_until_finished()

    def close(self) -> None:
        self.manager.wait_until_finished()
        self.manager.close()


def write_run(run_dir: Path, cfg: DictConfig, schema: dict) -> None:
    """What a run was made with, beside its checkpoints."""
    run_dir.mkdir(parents=True, exist_ok=True)
    (run_dir / "config.yaml").write_text(OmegaConf.to_yaml(cfg, resolve=True))
    (run_dir / "schema.json").write_text(json.dumps(schema, indent=1) + "\n")


def read_run(run_dir: Path) -> tuple[DictConfig, dict]:
    if not (run_dir / "config.yaml").is_file():
        raise UserError(f"no run at {run_dir}: config.yaml is missing")
    config = OmegaConf.create((run_dir / "config.yaml").read_text())
    assert isinstance(config, DictConfig)
    return config, json.loads((run_dir / "schema.json").read_text())
