"""Jobs for several processes, each with cores of its own; what the jobs make is in files.

A small model does not fill several cores: the smoke form of the six routes takes 80 s on two with a
worker each, and 103 with one worker.
"""

import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple, Protocol, TypeVar

from experiments.claim import exit_on_signals
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
    """One worker is this process. More of them print into `logs`/worker-NUMBER.log; a job that
    fails ends all. Each is told once to end, so that what trains is saved."""
    if workers < 1:
        raise UserError(f"workers={workers} is not at least 1")
    if workers == 1:
        yield lambda jobs: (job() for job in jobs)
        return
    there = cores()
    team = Team([begin(logs / f"worker-{n}.log", there[n::workers]) for n in range(workers)])
    try:
        yield team.run
    finally:
        team.end()


def cores() -> list[int]:
    """That this process may use; none where that cannot be told."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


class Worker(NamedTuple):
    process: SpawnProcess
    pipe: Connection  # jobs go in, and (what it returned, what it failed with) comes out

    def do(self, job: Callable[[], T]) -> T:
        try:
            self.pipe.send(job)
            found, error = self.pipe.recv()
        except (EOFError, OSError) as ended:
            message = "a worker was ended from outside; the same command goes on"
            raise UserError(message) from ended
        if error is not None:
            raise error
        return found


def begin(log: Path, own: Sequence[int]) -> Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, log, own))
    process.start()
    theirs.close()
    return Worker(process, ours)


class Team:
    """A thread waits for each worker."""

    def __init__(self, workers: Sequence[Worker]):
        self.workers, self.threads = workers, ThreadPoolExecutor(len(workers))
        self.idle = SimpleQueue[Worker]()
        for worker in workers:
            self.idle.put(worker)
        self.failed = Future[None]()  # of the first job that did

    def run(self, jobs: Iterable[Callable[[], T]]) -> Iterator[T]:
        futures: list[Future[Any]] = [self.threads.submit(self._do, job) for job in jobs]

        def results() -> Iterator[T]:
            for future in futures:
                wait([future, self.failed], return_when=FIRST_COMPLETED)
                if self.failed.done():
                    self.failed.result()
                yield future.result()

        return results()

    def end(self) -> None:
        self.threads.shutdown(wait=False, cancel_futures=True)
        for worker in self.workers:
            worker.process.terminate()
        for worker in self.workers:
            worker.process.join()

    def _do(self, job: Callable[[], T]) -> T:
        worker = self.idle.get()
        try:
            return worker.do(job)
        except BaseException as error:
            if not self.failed.done():
                self.failed.set_exception(error)
            raise
        finally:
            self.idle.put(worker)


def _work(pipe: Connection, log: Path, own: Sequence[int]) -> None:
    """Not interrupted at the terminal; ends when its parent does, or tells it to."""
    os.setpgid(0, 0)
    os.environ |= SHARED
    if own:
        os.sched_setaffinity(0, own)
    sys.stdout = log.open("a", buffering=1)
    exit_on_signals()
    follow_parent(lambda: os.kill(os.getpid(), signal.SIGTERM))
    while True:
        pipe.send(_done(pipe.recv()))


def _done(job: Callable[[], Any]) -> tuple[Any, Exception | None]:
    try:
        return job(), None
    except Exception as error:
        error.add_note(traceback.format_exc())
        return None, error
