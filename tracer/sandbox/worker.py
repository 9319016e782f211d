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
from collections.abc import Callable
from typing import Any, NamedTuple

from tracer.sandbox import frames
from tracer.sandbox.limits import Limits
from tracer.schema import Program, Row, pack_row
from tracer.trace import Run, Settings, entry_name, run_program
from tracer.values import Budget

BATCH = 64  # events per frame at most: what a kill may cost
LAST = 4 << 20  # bytes that a child may write at its end, beyond the limit of its trace
PIPE = 1 << 16  # bytes that a pipe holds


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
        folder = tempfile.mkdtemp(prefix="program-", dir=request["folder"])
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
    stdout = sys.stdout  # the program may put something else there
    try:
        os.setsid()
        os.chdir(folder)
        os.dup2(output, 1)
        os.dup2(output, 2)
        limits.apply()
        program = Program(**request["program"])
        settings = Settings(limits.events, Budget(*request["budget"]))
        writer = Writer(trace, limits.trace_mib << 20)
        os.register_at_fork(after_in_child=writer.leave)
        run = run_program(program, settings, writer.write)
        writer.end(run, entry_name(program, writer.first))
        stdout.flush()
    finally:
        os._exit(0)


class Writer:
    """Rows as frames.

    The batches grow from a single event, so that of a short run a kill costs no more than half.
    """

    def __init__(self, fd: int, room: int):
        self.fd, self.room = fd, room  # bytes; what does not fit is not written
        self.batch, self.size = [], 1
        self.first = ""  # statement

    def write(self, row: Row) -> None:
        if self.room < 0:
            return
        self.first = self.first or row[4]
        self.batch.append(pack_row(row))
        if len(self.batch) >= self.size:
            self.size = min(2 * self.size, BATCH)
            self.flush()

    def flush(self) -> None:
        data, self.batch = frames.pack({"events": self.batch}), []
        self.room -= len(data)
        if self.room >= 0:
            frames.write(self.fd, data)

    def end(self, run: Run, entry: str) -> None:
        self.flush()
        flags = [*run.flags, *(["trace_truncated"] if self.room < 0 else [])]
        frames.send(self.fd, {"end": run._asdict() | {"flags": flags, "entry": entry}})

    def leave(self) -> None:
        """In a process that the program forks: that one is not traced."""
        sys.settrace(None)
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.fd)


class Stream:
    """What a child writes to one pipe, up to a number of bytes; the rest is read and dropped."""

    def __init__(self, fd: int, room: int):
        self.fd, self.room = fd, room
        self.kept, self.cut, self.open = bytearray(), False, True

    def fileno(self) -> int:
        return self.fd

    def read(self) -> None:
        part = os.read(self.fd, PIPE)
        room = self.room - len(self.kept)
        self.kept += part[:room]
        self.cut = self.cut or len(part) > room
        self.open = bool(part)


def follow(child: int, trace_fd: int, output_fd: int, limits: Limits) -> Ended:
    """Read what the child writes until it ends, or its wall clock does."""
    trace = Stream(trace_fd, (limits.trace_mib << 20) + LAST)
    output = Stream(output_fd, limits.output_kib << 10)
    deadline = time.monotonic() + limits.wall_s
    # When the trace is closed the program is over; what it left running may hold its output.
    while trace.open and (left := deadline - time.monotonic()) > 0:
        streams = [stream for stream in (trace, output) if stream.open]
        for stream in select.select(streams, [], [], left)[0]:
            stream.read()
    ended = wait(child, max(0.0, min(0.5, deadline - time.monotonic())))
    kill(os.killpg, child)
    if ended is None:
        kill(os.kill, child)  # it may not have its group yet
        wait(child, 5.0)
    if select.select([output], [], [], 0)[0]:
        output.read()  # what the pipe still holds
    cut = {"trace_truncated": trace.cut, "output_truncated": output.cut}
    flags = [name for name, is_set in cut.items() if is_set]
    return Ended(bytes(trace.kept), bytes(output.kept), ended, flags)


def wait(child: int, seconds: float) -> int | None:
    deadline = time.monotonic() + seconds
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.001)


def kill(how: Callable[[int, int], None], child: int) -> None:
    try:
        how(child, signal.SIGKILL)
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
