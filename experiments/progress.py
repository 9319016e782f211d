"""How far a long work is, how fast it goes and when it will be done: a bar, or a line a minute."""

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

LINE = 60.0  # seconds between two lines, where there is no terminal

T = TypeVar("T")


class Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f}/s")


def progress(found: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """The same items, of which there are `total`, if that is known."""
    console = Console()
    if not console.is_terminal:
        yield from _told(found, what, total)
        return
    count = "{task.completed:,}" + ("" if total is None else " of {task.total:,}")
    columns = [TextColumn("{task.description}"), BarColumn(), TextColumn(count), Rate()]
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        for each in found:
            bar.advance(task)
            yield each


def _told(found: Iterable[T], what: str, total: int | None) -> Iterator[T]:
    began = said = time.monotonic()
    for number, each in enumerate(found, 1):
        if (now := time.monotonic()) - said >= LINE:
            said = now
            print(line(what, number, total, now - began), flush=True)
        yield each


def line(what: str, done: int, total: int | None, seconds: float) -> str:
    rate = done / seconds
    if total is None:
        return f"{what}: {done:,}, {rate:,.0f}/s"
    left = (total - done) / rate
    return f"{what}: {done:,} of {total:,}, {rate:,.0f}/s, about {left:,.0f} s left"
