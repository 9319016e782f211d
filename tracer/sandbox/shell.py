"""A sandbox for the commands and edits of an agent: one for every episode."""

import dataclasses
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

from tracer.sandbox.frames import BrokenFrame
from tracer.sandbox.limits import Limits
from tracer.sandbox.start import Worker, start
from tracer.sandbox.supervisor import PATIENCE
from tracer.sandbox.tiers import SHELL_FOLDER, SandboxError


class Reply(NamedTuple):
    """What a step gave."""

    output: str  # of standard output and error, in their order
    status: int | None  # exit code; less than 0: the signal that ended it; None: the shell is gone
    timed_out: bool
    truncated: bool  # there was more output


class Shell:
    """Commands with processes and files of their own, and no network; use it as a context.

    with Shell(Limits(wall_s=10), folder) as shell:
        reply = shell.run("ls -l")

    Only `workspace` is written to, and stays; where we are root, it is given to the user that the
    commands run as. A command begins in the folder where the last one ended. What it leaves running
    goes on until the episode ends, or a command runs out of time. Raises SandboxError where there
    are no process namespaces (see tracer.sandbox.tiers), and when the commands have ended it.
    """

    def __init__(
        self,
        limits: Limits,
        workspace: str | os.PathLike[str],
        tier: str | None = None,
        allow_weaker: bool = False,
        trusted_programs: bool = False,
    ):
        self.limits, self.workspace = limits, Path(workspace).resolve(strict=True)
        self.cwd = SHELL_FOLDER
        weaker = allow_weaker, trusted_programs
        self.worker: Worker | None
        self.worker, self.facts = start(tier, *weaker, limits, shell=str(self.workspace))

    def __enter__(self) -> "Shell":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, command: str) -> Reply:
        """Run a command as `sh -c` would."""
        reply, where = self._ask({"command": command, "cwd": self.cwd})
        self.cwd = where.decode("utf-8", "surrogateescape").rpartition("\n")[0] or self.cwd
        return reply

    def write(self, path: str, text: str) -> Reply:
        """Make a file, or put this in the place of what is in it. Status 1: it may not be there."""
        return self._ask({"write": path, "text": text})[0]

    def read(self, path: str) -> Reply:
        """What is in a file, as far as the limit of output."""
        return self._ask({"read": path})[0]

    def close(self) -> None:
        """End all that runs."""
        if self.worker is not None:
            self.worker.close()
            self.worker = None

    def _ask(self, request: dict[str, Any]) -> tuple[Reply, bytes]:
        if self.worker is None:
            raise SandboxError("the shell is gone: its episode has ended")
        request |= {"limits": dataclasses.asdict(self.limits), "key": 0}
        try:
            deadline = time.monotonic() + self.limits.wall_s + PATIENCE
            seen, where, output = self.worker.ask(request, deadline)
        except BrokenFrame:
            self.close()
            return Reply("", None, False, False), b""
        text = output.decode("utf-8", "backslashreplace")
        return Reply(text, seen.code, seen.reason is not None, seen.output_cut), where
