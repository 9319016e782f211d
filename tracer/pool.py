"""Many programs over several processes, each with a warm sandbox, in the order given."""

import atexit
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from typing import Any, TypeVar

from tracer.sandbox import Limits, Outcome, Sandbox
from tracer.schema import Program

BATCH = 32  # programs per message
AHEAD = 4  # messages per process that wait for their turn

T = TypeVar("T")
Then = Callable[[Program, Outcome], T]

_box: Sandbox | None = None  # of a worker process


def run_all(
    programs: Iterable[Program], limits: Limits, processes: int, then: Then[T], **sandbox: Any
) -> Iterator[T]:
    """`then(program, outcome)` of every program, computed where the program ran."""
    if processes <= 1:
        with Sandbox(limits, **sandbox) as box:
            for program in programs:
                yield then(program, box.run_program(program))
        return
    context = multiprocessing.get_context("spawn")
    rest = iter(programs)
    batches = iter(lambda: tuple(islice(rest, BATCH)), ())
    with ProcessPoolExecutor(processes, context, _start, (limits, sandbox)) as pool:
        waiting: deque[Future] = deque()
        waiting += [pool.submit(_run, b, then) for b in islice(batches, AHEAD * processes)]
        while waiting:
            yield from waiting.popleft().result()
            waiting += [pool.submit(_run, batch, then) for batch in islice(batches, 1)]


def _start(limits: Limits, sandbox: dict[str, Any]) -> None:
    global _box
    _box = Sandbox(limits, **sandbox)
    atexit.register(_box.close)


def _run(programs: tuple[Program, ...], then: Then[T]) -> list[T]:
    assert _box is not None
    return [then(program, _box.run_program(program)) for program in programs]
