"""A run's folder while a process trains in it: nobody else may, and it is told how that ended.

    status.json    {"status": "running", "preempted", "finished" or "failed", "step", "error"}

A process that was killed leaves `running` behind, and a lock that is free.
"""

import fcntl
import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from experiments.atomic import write_whole
from experiments.command import UserError

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def claim(run_dir: Path) -> Iterator[None]:
    """The folder is ours, or another process trains in it."""
    run_dir.mkdir(parents=True, exist_ok=True)
    with (run_dir / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                f"another process trains in {run_dir}; choose another run_dir"
            ) from error
        yield


class Stop:
    """Whether SIGTERM or Ctrl-C asked us to end, as a context. The second one of a kind ends at
    once; of two kinds both may come, of a terminal and of who began us."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.before: dict = {}

    def __call__(self) -> bool:
        return self.signal is not None

    def __enter__(self) -> "Stop":
        if threading.current_thread() is threading.main_thread():
            self.before = {number: signal.signal(number, self._asked) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
        self.before = {}

    def _asked(self, number: int, frame: FrameType | None) -> None:
        self.signal = self.signal or number
        signal.signal(number, self.before.pop(number))


def exit_on_signals() -> None:
    """SIGTERM and Ctrl-C end a process with the shell's status for them, without a traceback."""

    def end(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    for number in SIGNALS:
        signal.signal(number, end)


def write_status(run_dir: Path, status: str, step: int, error: str | None = None) -> None:
    content = {"status": status, "step": step, "error": error}
    write_whole(run_dir / "status.json", json.dumps(content) + "\n")


def is_finished(run_dir: Path, step: int) -> bool:
    """Whether a run has come to its end there, as far as its folder says so."""
    try:
        found = json.loads((run_dir / "status.json").read_text())
        return (found["status"], found["step"]) == ("finished", step)
    except (OSError, ValueError, LookupError, TypeError):
        return False
