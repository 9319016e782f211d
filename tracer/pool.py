"""Much work over several processes or machines, with the results in the order of the items."""

import atexit
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from multiprocessing.connection import wait
from typing import Any, Protocol, TypeVar

from tracer.sandbox import Limits, Outcome, Sandbox
from tracer.schema import Program

BATCH = 8  # programs of a message
AHEAD = 32  # items per process that are worked on or wait for their turn
LAUNCHERS = ("local", "ray")

T = TypeVar("T")
R = TypeVar("R")


class Launch(Protocol):
    """What does `work` for every item: a picklable function, in this process or in others."""

    def __call__(self, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]: ...


@contextmanager
def launcher(name: str, processes: int) -> Iterator[Launch]:
    """0 processes: as many as there are processors, of this machine or of the whole cluster."""
    if name not in LAUNCHERS:
        raise ValueError(f"unknown launcher {name!r}; there are: {', '.join(LAUNCHERS)}")
    if name == "ray":
        with _ray(processes) as launch:
            yield launch
    elif (count := processes or os.cpu_count() or 1) == 1:
        yield here
    else:
        with _local(count) as launch:
            yield launch


def run_all(
    programs: Iterable[Program],
    limits: Limits,
    processes: int,
    then: Callable[[Program, Outcome], R],
    **asked: Any,
) -> Iterator[R]:
    """`then(program, outcome)` of every program, computed where the program ran.

    `asked` is what a Sandbox is asked for beside its limits.
    """
    work = partial(_run, limits=limits, then=then, asked=asked)
    with launcher("local", processes) as launch:
        batches = iter(programs)
        messages = iter(lambda: tuple(islice(batches, BATCH)), ())
        for found in launch(work, messages):
            yield from found


def _run(
    programs: tuple[Program, ...], limits: Limits, then: Callable[..., R], asked: dict[str, Any]
) -> list[R]:
    box = sandbox(limits, **asked)
    return [then(program, box.run_program(program)) for program in programs]


@cache
def sandbox(limits: Limits, **asked: Any) -> Sandbox:
    """The warm sandbox of this process."""
    box = Sandbox(limits, **asked)
    atexit.register(box.close)
    return box


def here(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """In this process, one after the other."""
    return map(work, items)


def in_order(
    submit: Callable[[T], Any], result: Callable[[Any], R], items: Iterable[T], ahead: int
) -> Iterator[R]:
    rest = iter(items)
    waiting = deque(map(submit, islice(rest, ahead)))
    while waiting:
        yield result(waiting.popleft())
        waiting += map(submit, islice(rest, 1))


@contextmanager
def _local(processes: int) -> Iterator[Launch]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, _start)

    def launch(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        def submit(item: T) -> Any:
            return pool.submit(work, item)

        return in_order(submit, lambda future: future.result(), items, AHEAD * processes)

    try:
        yield launch
    finally:
        pool.shutdown(cancel_futures=True)


def _start() -> None:
    """A worker is not interrupted at the terminal, and ends when its parent does."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    follow_parent(lambda: os._exit(1))


def follow_parent(end: Callable[[], None]) -> None:
    """Calls `end` in a thread of its own when the process that began this one is gone."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        wait([parent.sentinel])
        end()

    threading.Thread(target=follow, daemon=True).start()


@contextmanager
def _ray(processes: int) -> Iterator[Launch]:
    """Ray's cluster where RAY_ADDRESS names one; else one of this machine's processes."""
    if not find_spec("ray"):
        raise ValueError("launcher 'ray' needs the extra of that name: pip install ray")
    ray = import_module("ray")
    began = not ray.is_initialized()
    if began:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        own: dict[str, Any] = {"num_cpus": processes or os.cpu_count(), "include_dashboard": False}
        settings = {} if "RAY_ADDRESS" in os.environ else own
        ray.init(log_to_driver=False, logging_level="error", **settings)
    count = processes or int(ray.cluster_resources().get("CPU", 1))

    def launch(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        task = ray.remote(num_cpus=1)(lambda item: work(item))
        return in_order(task.remote, ray.get, items, AHEAD * count)

    try:
        yield launch
    finally:
        if began:
            ray.shutdown()
