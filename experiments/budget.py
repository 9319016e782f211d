"""`python -m experiments.budget out=DIR minutes=N`: data, training, scores and weights in a fixed
time, on whatever device there is.

    OUT/dataset    traced with all processors, unless `dataset` names one that is there
    OUT/run        trained for what is left, less what `scoring` keeps
    OUT/run/eval   the scores of every suite, those of different suites side by side
    OUT/weights    the weights, with a card that tells all of this

Each part is the command of that name; the same call again goes on where it was.
"""

import atexit
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO

from omegaconf import DictConfig

from experiments.command import UserError, command

Process = subprocess.Popen
SHARED = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}  # processes share the memory of a device
COMPILED = "JAX_COMPILATION_CACHE_DIR"  # and what one has compiled, the next need not


@command("budget")
def main(cfg: DictConfig) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    budget(cfg)


def budget(cfg: DictConfig) -> None:
    out, end = Path(cfg.out), time.monotonic() + 60 * cfg.minutes
    out.mkdir(parents=True, exist_ok=True)
    begun = partial(begin, environment={COMPILED: str(out.absolute() / "compiled")})
    dataset = cfg.dataset or out / "dataset"
    if not cfg.dataset:
        finish("trace", begun("trace", [*cfg.trace, f"out={dataset}"]))
    minutes = (end - time.monotonic()) / 60 - cfg.scoring
    if minutes <= 0:
        raise UserError(
            f"of minutes={cfg.minutes:g} nothing is left to train in: scoring={cfg.scoring:g}, "
            f"and the data took the rest; the same command again has them already"
        )
    run = out / "run"
    given = [f"dataset={dataset}", f"run_dir={run}", f"minutes={minutes:.3f}"]
    finish("train", begun("train", [*cfg.train, *given]))
    score(cfg, run, end, begun)
    given = [f"run={run}", f"name={cfg.name}", f"out={out / 'weights'}", f"dtype={cfg.dtype}"]
    given.append("unscored=true")  # weights without a score are better than none
    finish("publish", begun("publish", given))


def score(cfg: DictConfig, run: Path, end: float, begun: Callable[..., Process]) -> None:
    """All suites at once; one that does not end in time is left out, and said to be."""
    going: dict[str, Process] = {}
    for name, overrides in cfg.suites.items():
        with open(run / f"eval-{name}.log", "wb") as log:
            given = [f"run={run}", f"suite={name}", *overrides]
            going[str(name)] = begun("evaluate", given, log)
    for name, process in going.items():
        log = run / f"eval-{name}.log"
        try:
            failed = process.wait(max(1.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            print(f"{name} is scored as far as it came: the time was up", flush=True)
            continue
        text = log.read_text(errors="replace").strip()
        why = text.rpartition("\n")[2]
        print(f"{name} is not scored: {why}" if failed else text, flush=True)


def begin(
    name: str,
    overrides: Sequence[object],
    log: IO[bytes] | None = None,
    *,
    environment: Mapping[str, str],
) -> Process:
    """One of the commands; it ends when we do."""
    arguments = [sys.executable, "-m", f"experiments.{name}", *map(str, overrides)]
    given = {**environment, **SHARED, **os.environ}
    process = subprocess.Popen(arguments, env=given, stdout=log, stderr=log)
    atexit.register(process.terminate)
    return process


def finish(name: str, process: Process) -> None:
    if status := process.wait():
        raise UserError(f"{name} ended with exit status {status}")


if __name__ == "__main__":
    main()
