"""The checkpoints of a run: the newest two and the best, under `run_dir/checkpoints`.

STEP             a finished checkpoint
STEP.writing     what a crash left of one; swept up by the next save
corrupt-STEP     moved aside because it was damaged; never removed
"""

import json
import math
import shutil
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from experiments.atomic import write_whole
from experiments.command import UserError, first_line
from experiments.snapshot import PART, Damaged, read_seal, read_snapshot, write_snapshot
from rssm.step import TrainState

SCORE = "score"  # the metric by which a checkpoint is best: higher is better
NEWEST = 2  # that are kept: if the last one is damaged, there is one to go back to
T = TypeVar("T")
GOING = ".removing"  # ends the name of a folder that is being removed


class Checkpointer:
    """Saves in a thread of its own; what goes wrong there is raised by the next call."""

    def __init__(self, run_dir: Path, run: Mapping | None = None):
        self.folder = run_dir / "checkpoints"
        self.run = dict(run or {})
        self.thread = ThreadPoolExecutor(1)
        self.saving: tuple[int, Future] | None = None

    def save(self, state: TrainState, progress: dict, metrics: Mapping[str, float]) -> None:
        """`progress`: what else is needed to go on, as JSON; `metrics` may hold the score."""
        self.wait()
        leaves = {name: np.array(x) for name, x in named(jax.device_get(state)).items()}
        step = int(state.step)
        job = self.thread.submit(self._write, step, leaves, progress, metrics.get(SCORE))
        self.saving = step, job

    def steps(self) -> list[int]:
        """Of the finished checkpoints, as the folder has them now."""
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted(int(path.name) for path in found if path.name.isdecimal() and path.is_dir())

    def latest(self) -> int | None:
        return max(self.steps(), default=None)

    def begun(self) -> bool:
        """Whether something was ever saved, though it may all be damaged."""
        return bool(self.steps()) or any(self.folder.glob("corrupt-*"))

    def restore(
        self, state: TrainState, step: int | None = None, quarantine: bool = False
    ) -> tuple[TrainState, dict]:
        """A state of the same shapes, and the progress that belongs to it: of this step, or of the
        newest that is as it was saved. With `quarantine` the damaged ones are moved aside."""
        self.wait()
        damaged: dict[int, str] = {}
        while left := [s for s in self.steps() if s not in damaged and step in (None, s)]:
            try:
                leaves, progress, _ = read_snapshot(self.folder / str(left[-1]), named(state))
            except Damaged as error:
                damaged[left[-1]] = str(error)
                where = self.folder / str(left[-1])
                moved = f"; moved to {self._move_aside(left[-1])}" if quarantine else ""
                print(f"checkpoint {where} is damaged: {error}{moved}", file=sys.stderr)
            else:
                return filled(state, leaves), progress
        raise UserError(self._nothing(step, damaged))

    def wait(self) -> None:
        if self.saving is None:
            return
        (step, job), self.saving = self.saving, None
        try:
            job.result()
        except Exception as error:
            left = f"the newest checkpoint is {self.latest()}" if self.steps() else "there is none"
            reason = f"checkpoint {step} was not saved, {left}: {first_line(error)}"
            raise UserError(reason) from error

    def close(self) -> None:
        try:
            self.wait()
        finally:
            self.thread.shutdown()

    def _write(self, step: int, leaves: dict, progress: dict, score: float | None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        self._remove(step)
        write_snapshot(self.folder / str(step), leaves, progress, self.run, score)
        steps = self.steps()
        for old in set(steps) - {*steps[-NEWEST:], self._best(steps)}:
            self._remove(old)

    def _best(self, steps: list[int]) -> int | None:
        scores: dict[int, float] = {}
        for step in steps:
            try:
                score = read_seal(self.folder / str(step))["score"]
            except (Damaged, UserError):
                continue
            if score is not None and math.isfinite(score):
                scores[step] = score
        return max(scores, key=lambda step: (scores[step], step), default=None)

    def _remove(self, step: int) -> None:
        """By way of another name: half a checkpoint would look damaged."""
        folder = self.folder / str(step)
        if folder.exists():
            shutil.rmtree(folder.rename(folder.with_name(folder.name + GOING)))

    def _sweep(self) -> None:
        for end in (PART, GOING):
            for path in self.folder.glob(f"*{end}*"):
                shutil.rmtree(path)

    def _move_aside(self, step: int) -> Path:
        count = len(list(self.folder.glob(f"corrupt-{step}*")))
        name = f"corrupt-{step}" + (f"-{count}" if count else "")
        return (self.folder / str(step)).rename(self.folder / name)

    def _nothing(self, step: int | None, damaged: Mapping[int, str]) -> str:
        if damaged:
            newest = max(damaged)
            return f"no good checkpoint is left in {self.folder}; {newest}: {damaged[newest]}"
        if step is not None:
            there = ", ".join(map(str, self.steps())) or "none"
            return f"no checkpoint {step} in {self.folder}; there are: {there}"
        if self.begun():
            return f"no good checkpoint is left in {self.folder}; remove it to begin anew"
        return f"no checkpoint in {self.folder}"


def named(state: Any) -> dict[str, Any]:
    """The leaves of a state, or of a part of one, by their names in it."""
    leaves = jax.tree_util.tree_leaves_with_path(state)
    found = {jax.tree_util.keystr(path, simple=True, separator="."): x for path, x in leaves}
    assert len(found) == len(leaves)
    return found


def filled(state: T, leaves: Mapping[str, np.ndarray]) -> T:
    """With these leaves in place of its own; they are copied, for a step takes its state away."""
    structure = jax.tree.structure(state)
    return jax.tree.unflatten(structure, [jnp.array(leaves[name]) for name in named(state)])


def write_run(run_dir: Path, cfg: DictConfig, schema: dict) -> None:
    """What a run was made with, beside its checkpoints."""
    run_dir.mkdir(parents=True, exist_ok=True)
    write_whole(run_dir / "config.yaml", OmegaConf.to_yaml(cfg, resolve=True))
    write_whole(run_dir / "schema.json", json.dumps(schema, indent=1) + "\n")


def read_run(run_dir: Path) -> tuple[DictConfig, dict]:
    """Nothing of it is run or looked up: a run may come from anywhere."""
    path = run_dir / "config.yaml"
    if not path.is_file():
        raise UserError(f"no run at {run_dir}: config.yaml is missing")
    try:
        config = OmegaConf.create(path.read_text())
        schema = json.loads((run_dir / "schema.json").read_text())
    except (YAMLError, OmegaConfBaseException, ValueError) as error:
        raise UserError(f"the run at {run_dir} cannot be read: {first_line(error)}") from error
    if not isinstance(config, DictConfig):
        raise UserError(f"the run at {run_dir} cannot be read: config.yaml holds no mapping")
    if asked := interpolation(OmegaConf.to_container(config)):
        raise UserError(f"the run at {run_dir} is refused: its config.yaml asks for {asked}")
    return config, schema


def interpolation(tree: Any) -> str | None:
    """The first text that omegaconf would look up elsewhere: we write none."""
    if isinstance(tree, dict | list):
        inner = [*tree.keys(), *tree.values()] if isinstance(tree, dict) else tree
        return next((found for x in inner if (found := interpolation(x))), None)
    return tree if isinstance(tree, str) and "${" in tree else None
