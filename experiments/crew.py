"""Jobs for several processes, each with cores of its own; what the jobs make is in files.

Of two cores, two models that train on one each get more than one model that trains on both.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from experiments.command import UserError
from tracer.pool import follow_parent

T = TypeVar("T")
SHARED = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}  # processes share the memory of a device


class Crew(Protocol):
    def __call__(self, jobs: Iterable[Callable[[], T]]) -> Iterator[T]:
        """What each returns, in the order of the jobs. With one worker a job begins when what it
        returns is asked for; with more, all wait for their turn at once."""
        ...


@contextmanager
def crew(workers: int, logs: Path) -> Iterator[Crew]:
    """One worker is this process. More of them print into `logs`/worker-NUMBER.log, and a job that
    fails ends all: then, at Ctrl-C and at SIGTERM, what trains is saved first."""
    if workers < 1:
        raise UserError(f"workers={workers} is not at least 1")
    if workers == 1:
        yield lambda jobs: (job() for job in jobs)
        return
    context = multiprocessing.get_context("spawn")
    places = context.SimpleQueue()
    for number in range(workers):
        places.put((number, cores()[number::workers]))
    pool = ProcessPoolExecutor(workers, context, _start, (places, logs))

    def run(jobs: Iterable[Callable[[], T]]) -> Iterator[T]:
        futures = [pool.submit(_do, job) for job in jobs]
        return (future.result() for future in futures)

    try:
        yield run
    except BaseException as error:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
        if isinstance(error, KeyboardInterrupt):
            sys.exit(128 + signal.SIGINT)
        if isinstance(error, BrokenProcessPool):
            raise UserError("a worker was ended from outside; the same command goes on") from error
        raise
    finally:
        pool.shutdown()


def cores() -> list[int]:
    """That this process may use; none where that cannot be told."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def _start(places: Any, logs: Path) -> None:
    """A worker is not interrupted at the terminal, and ends when its parent does."""
    number, own = places.get()
    os.setpgid(0, 0)
    os.environ |= SHARED
    if own:
        os.sched_setaffinity(0, own)
    sys.stdout = (logs / f"worker-{number}.log").open("a", buffering=1)
    follow_parent(lambda: os.kill(os.getpid(), signal.SIGTERM))


def _do(job: Callable[[], T]) -> T:
    """Who is told to end does not begin what waits."""
    try:
        return job()
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else 1)
