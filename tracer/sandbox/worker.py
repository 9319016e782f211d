"""The warm process that forks one child per program and waits for it.

It speaks frames on its standard input and output, imports the standard library alone, and never
compiles a program itself: that happens in the child, which is bound by limits and killed on time.
"""

import gc
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from typing import Any, NamedTuple

from tracer.sandbox import frames
from tracer.sandbox.limits import Limits
from tracer.schema import Event, Program, effect
from tracer.trace import Settings, entry_name, run_program
from tracer.values import Budget

BATCH = 64  # events per frame: what a kill may cost


class Ended(NamedTuple):
    """What was read from a child, and how it ended."""

    trace: bytes
    stdout: bytes
    status: int | None  # wait status; None when we killed it for its wall clock
    flags: list[str]


def serve() -> None:
    requests, replies = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    gc.freeze()
    while True:
        try:
            request = frames.receive(requests)
        except frames.BrokenFrame:
            return  # the supervisor is gone
        limits = Limits(**request["limits"])
        folder = tempfile.mkdtemp(prefix="program-")
        try:
            ended = run_child(request, limits, folder, close=(requests, replies))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        frames.send(replies, judge(ended))


def run_child(request: dict, limits: Limits, folder: str, close: tuple[int, ...]) -> Ended:
    trace_in, trace_out = os.pipe()
    output_in, output_out = os.pipe()
    child = os.fork()
    if child == 0:
        for fd in (*close, trace_in, output_in):
            os.close(fd)
        run_here(request, limits, folder, trace_out, output_out)
    os.close(trace_out)
    os.close(output_out)
    try:
        return follow(child, trace_in, output_in, limits)
    finally:
        os.close(trace_in)
        os.close(output_in)


def run_here(request: dict, limits: Limits, folder: str, trace: int, output: int) -> None:
    """Become the program: this process ends here."""
    try:
        os.setsid()
        os.chdir(folder)
        os.dup2(output, 1)
        os.dup2(output, 2)
        limits.apply()
        program = Program(**request["program"])
        settings = Settings(limits.events, Budget(*request["budget"]))
        writer = Writer(trace)
        run = run_program(program, settings, writer.write)
        entry = entry_name(program, writer.first)
        writer.end({"outcome": run.outcome, "flags": run.flags, "error": run.error, "entry": entry})
        sys.stdout.flush()
    finally:
        os._exit(0)


class Writer:
    """Events as frames, a batch at a time, each event's locals as a delta to its scope's last."""

    def __init__(self, fd: int):
        self.fd, self.batch, self.first, self.last = fd, [], [], {}

    def write(self, event: Event) -> None:
        if not self.first:
            self.first.append(event)
        changed = effect(self.last.get(event.scope, {}), event.locals)
        bound = {name: new for name, (_, new) in changed.items() if new is not None}
        deleted = [name for name, (_, new) in changed.items() if new is None]
        self.last[event.scope] = event.locals
        self.batch.append([*event[:5], bound, deleted, event.arg])
        if len(self.batch) >= BATCH:
            self.flush()

    def flush(self) -> None:
        frames.send(self.fd, {"events": self.batch})
        self.batch = []

    def end(self, message: dict) -> None:
        self.flush()
        frames.send(self.fd, {"end": message})


def follow(child: int, trace: int, output: int, limits: Limits) -> Ended:
    """Read what the child writes until it ends, or its wall clock does."""
    kept: dict[int, bytearray] = {trace: bytearray(), output: bytearray()}
    caps = {trace: limits.trace_mib << 20, output: limits.output_kib << 10}
    names = {trace: "trace_truncated", output: "output_truncated"}
    deadline, open_fds, flags = time.monotonic() + limits.wall_s, {trace, output}, set()
    status = None
    while open_fds:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        for fd in select.select(list(open_fds), [], [], min(left, 0.5))[0]:
            part = os.read(fd, 1 << 16)
            room = caps[fd] - len(kept[fd])
            kept[fd] += part[:room]
            if len(part) > room:
                flags.add(names[fd])
            if not part:
                open_fds.discard(fd)
        if trace not in open_fds and status is None:
            break  # the program is over; what it left running may still hold its output
    ended = wait(child, max(0.0, min(0.5, deadline - time.monotonic())))
    kill_group(child)
    if ended is None:
        wait(child, 5.0)
    return Ended(bytes(kept[trace]), bytes(kept[output]), ended, sorted(flags))


def wait(child: int, seconds: float) -> int | None:
    deadline = time.monotonic() + seconds
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.001)


def kill_group(child: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(child, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


def judge(ended: Ended) -> dict[str, Any]:
    """The outcome: the wall clock outranks a signal, and a signal the child's own word."""
    events, end, at = [], None, 0
    while end is None and at < len(ended.trace):
        try:
            message, at = frames.unpack(ended.trace, at)
        except frames.BrokenFrame:
            break
        events += message.get("events", [])
        end = message.get("end")
    flags = set(ended.flags)
    if end is None and "trace_truncated" not in flags:
        flags.add("trace_incomplete")
    if ended.status is None and end is None:
        kind = "timeout"
    elif ended.status is not None and os.WIFSIGNALED(ended.status):
        kind = "timeout" if os.WTERMSIG(ended.status) == signal.SIGXCPU else "killed"
    elif end is None:
        kind = "killed"
    else:
        kind = end["outcome"]
        flags |= set(end["flags"])
    return {
        "kind": kind,
        "flags": sorted(flags),
        "stdout": ended.stdout.decode("utf-8", "backslashreplace"),
        "entry": end["entry"] if end else None,
        "error": end["error"] if end else None,
        "events": events,
    }


if __name__ == "__main__":
    serve()
