"""Training runs that come to harm, each a process of its own: forks of a warm one."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest


class Ended(NamedTuple):
    code: int  # minus the signal that killed it
    seconds: float
    said: str


class Nursery:
    """Training runs, each a process of its own that may come to harm."""

    def __init__(self, dataset: Path):
        self.dataset = dataset
        script = Path(__file__).with_name("trainee.py")
        paths = os.pathsep.join(str(script.parents[n]) for n in (1, 2))
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        pipes["env"] = os.environ | {"PYTHONPATH": paths}
        self.server = subprocess.Popen([sys.executable, str(script)], **pipes)
        assert self._line() == "ready"

    def train(
        self,
        run_dir: Path,
        *overrides: str,
        fault: str | None = None,
        harm: Callable[[int], None] = lambda pid: None,
        small: bool = True,
    ) -> Ended:
        """A run, and what `harm` does to its process meanwhile."""
        log = run_dir.with_suffix(".log")
        log.write_text("")
        request = {"dataset": str(self.dataset), "run_dir": str(run_dir)}
        request |= {"overrides": overrides, "fault": fault, "small": small}
        assert self.server.stdin
        self.server.stdin.write(json.dumps(request) + "\n")
        self.server.stdin.flush()
        pid, began = int(self._line()), time.monotonic()
        harm(pid)
        code = os.waitstatus_to_exitcode(int(self._line()))
        return Ended(code, time.monotonic() - began, log.read_text())

    def close(self) -> None:
        assert self.server.stdin
        self.server.stdin.close()
        try:
            self.server.wait(10)
        except subprocess.TimeoutExpired:  # a test was interrupted, and its run goes on
            self.server.kill()

    def _line(self) -> str:
        assert self.server.stdout
        return self.server.stdout.readline().strip()


def kill_after(seconds: float) -> Callable[[int], None]:
    def harm(pid: int) -> None:
        time.sleep(seconds)
        kill(pid, signal.SIGKILL)

    return harm


def in_training(run_dir: Path, then: Callable[[int], None]) -> Callable[[int], None]:
    """As soon as the first step is about to be taken."""
    log = run_dir.with_suffix(".log")

    def harm(pid: int) -> None:
        for _ in range(6000):
            if "transitions a step" in log.read_text() or not Path(f"/proc/{pid}").exists():
                break
            time.sleep(0.01)
        then(pid)

    return harm


def kill_when(there: Path, number: int) -> Callable[[int], None]:
    def harm(pid: int) -> None:
        for _ in range(6000):
            if there.exists():
                return kill(pid, number)
            time.sleep(0.01)
        kill(pid, signal.SIGKILL)
        pytest.fail(f"{there} did not appear")

    return harm


def kill(pid: int, number: int) -> None:
    """The server has not waited for it yet, or is gone with it."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
