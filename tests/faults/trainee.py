"""Training runs to be killed: forks of one process that has imported everything, and run nothing.

Reads requests, one JSON object a line; answers each with two lines, the pid and the wait status.
"""

import hashlib
import json
import os
import sys
import time
import traceback
from pathlib import Path

import jax
import jax.numpy as jnp
from flax import nnx
from tiny import training

from experiments import data, snapshot, train
from experiments.command import guarded
from rssm.model import WorldModel

SHORT = ("steps=20", "save_every=3", "log_every=5", "valid_batches=1")


class Table(WorldModel):
    """The least that can be trained: a number for each symbol, some noise, and no time at all."""

    def __init__(self, *_):
        self.numbers = nnx.Param(jnp.ones((64, 8)))

    def loss(self, batch, key):
        found = self.numbers[jnp.asarray(batch["values"], jnp.int32) % 64]
        noise = jax.random.normal(key, found.shape)
        right = jnp.mean(batch["mask"], dtype=jnp.float32)
        loss = jnp.mean((found - noise) ** 2) * batch.get("poison", 1.0)
        return loss, {"changed_right": right}


class Logged(data.Batches):
    """Batches that leave a line about each: its number, its windows, a digest of its arrays."""

    log = Path()
    pause = 0.0  # so that a kill may come anywhere

    def __next__(self):
        at = self.get_state()
        batch = super().__next__()
        digest = hashlib.sha256(b"".join(batch[name].tobytes() for name in sorted(batch)))
        with self.log.open("a") as file:
            file.write(f"{at['next_index']} {self.windows(at)} {digest.hexdigest()}\n")
        time.sleep(self.pause)
        return batch


def hang_before_the_rename(run_dir: Path) -> None:
    """At the second checkpoint: all is written, and nothing has its name."""
    write = snapshot.write_whole

    def hang(path: Path, text: str) -> None:
        write(path, text)
        if path.parent.name == f"6{snapshot.PART}":
            (run_dir / "hangs").touch()
            time.sleep(600)

    snapshot.write_whole = hang


def fail_at_the_third_save(run_dir: Path) -> None:
    write = snapshot.write_whole

    def fail(path: Path, text: str) -> None:
        if path.parent.name == f"9{snapshot.PART}":
            raise OSError(28, "No space left on device")
        write(path, text)

    snapshot.write_whole = fail


FAULTS = {each.__name__: each for each in (hang_before_the_rename, fail_at_the_third_save)}


def run(request: dict) -> None:
    run_dir = Path(request["run_dir"])
    log = os.open(run_dir.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if request["fault"]:
        FAULTS[request["fault"]](run_dir)
    Logged.log = run_dir.with_suffix(".order")
    if request["small"]:
        Logged.pause, train.build_model = 0.01, Table
    train.train_batches = Logged
    cfg = training(Path(request["dataset"]), run_dir, *SHORT, *request["overrides"])
    guarded(lambda: train.train_run(cfg))


def code_of(request: dict) -> int:
    try:
        run(request)
    except SystemExit as end:
        print(end.code)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def serve() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = code_of(json.loads(line))
            sys.stdout.flush()
            os._exit(code)
        print(pid, flush=True)
        print(os.waitpid(pid, 0)[1], flush=True)


if __name__ == "__main__":
    print("ready", flush=True)
    serve()
