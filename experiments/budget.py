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
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO

from omegaconf import DictConfig, ListConfig

from experiments.claim import exit_on_signals
from experiments.command import UserError, command
from experiments.crew import SHARED

Process = subprocess.Popen
COMPILED = "JAX_COMPILATION_CACHE_DIR"  # and what one has compiled, the next need not


@command("budget")
def main(cfg: DictConfig) -> None:
    exit_on_signals()
    budget(cfg)


def budget(cfg: DictConfig) -> None:
    check(cfg)
    out, deadline = Path(cfg.out), time.monotonic() + 60 * cfg.minutes
    out.mkdir(parents=True, exist_ok=True)
    begun = partial(begin, environment={COMPILED: str(out.absolute() / "compiled")})
    dataset = cfg.dataset or out / "dataset"
    if not cfg.dataset:
        finish("trace", begun("trace", [*cfg.trace, f"out={dataset}"]))
    minutes = (deadline - time.monotonic()) / 60 - cfg.scoring
    if minutes <= 0:
        raise UserError(
            f"of minutes={cfg.minutes:g} nothing is left to train in: scoring={cfg.scoring:g}, "
            f"and the data took the rest; the same command again has them already"
        )
    run = out / "run"
    given = [f"dataset={dataset}", f"run_dir={run}", f"minutes={minutes:.3f}"]
    finish("train", begun("train", [*cfg.train, *given]))
    score(cfg, run, deadline, begun)
    given = [f"run={run}", f"name={cfg.name}", f"out={out / 'weights'}", f"dtype={cfg.dtype}"]
    given.append("unscored=true")  # weights without a score are better than none
    finish("publish", begun("publish", given))


def check(cfg: DictConfig) -> None:
    given = {"trace": cfg.trace, "train": cfg.train}
    given |= {f"suites.{name}": overrides for name, overrides in cfg.suites.items()}
    for key, overrides in given.items():
        if not isinstance(overrides, ListConfig):
            raise UserError(f'{key}={overrides} is no list of texts, as ["seed=1"] is')


def score(cfg: DictConfig, run: Path, deadline: float, begun: Callable[..., Process]) -> None:
    """All suites at once; one that does not end in time is left out, and said to be."""
    going: dict[str, Process] = {}
    for name, overrides in cfg.suites.items():
        with open(run / f"eval-{name}.log", "wb") as log:
            given = [f"run={run}", f"suite={name}", *overrides]
            going[str(name)] = begun("evaluate", given, log)
    for name, process in going.items():
        log = run / f"eval-{name}.log"
        try:
            failed = process.wait(max(1.0, deadline - time.monotonic()))
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
    """One of the commands; we end when it has, told to end if it must."""
    arguments = [sys.executable, "-m", f"experiments.{name}", *map(str, overrides)]
    given = {**environment, **SHARED, **os.environ}
    process = subprocess.Popen(arguments, env=given, stdout=log, stderr=log)
    atexit.register(end, process)
    return process


def end(process: Process) -> None:
    """What trains saves what it has."""
    if process.poll() is None:
        process.terminate()
        process.wait()


def finish(name: str, process: Process) -> None:
    if status := process.wait():
        raise UserError(f"{name} ended with exit status {status}")


if __name__ == "__main__":
    main()
