"""The warm process that forks one child per program, reads what it writes, and ends it on time.

It never compiles a program and judges nothing: the supervisor is told how the child ended, and
given the bytes of its trace and of its output as they came.
"""

import gc
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from tracer.sandbox import folder, kernel, view
from tracer.sandbox.child import become
from tracer.sandbox.confine import Confinement
from tracer.sandbox.frames import BrokenFrame, Channel
from tracer.sandbox.limits import ENTRIES, FILES, MIB, Limits
from tracer.sandbox.seen import Seen
from tracer.sandbox.streams import Stream, Terminal, Wide

LAST = 4 * MIB  # bytes that a child may write at its end, beyond the limit of its trace
TICK = 0.005  # seconds between looks at the trace: to be woken by every event is slow
WATCH = 0.05  # seconds between looks at the folder
COMMANDS = 16  # times as much may be in the folder of commands, looked at as rarely


def serve() -> None:
    """Frames on standard input and output: first the confinement, then programs one at a time."""
    channel = Channel(os.dup(0), os.dup(1))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    try:
        to, others = settle(channel.receive())
    except OSError as error:
        channel.send({"error": str(error)})
        return
    gc.freeze()
    channel.send({"uid": os.getuid()})
    while True:
        try:
            request = channel.receive()
        except BrokenFrame:
            return  # the supervisor is gone
        seen, trace, output = run_child(request, to, others)
        channel.send(seen)
        channel.send_bytes(trace)
        channel.send_bytes(output)


def settle(request: list[Any]) -> tuple[Confinement, int]:
    """Take the worker's own place: its user and what it sees, before any program is here."""
    to = Confinement._make(tuple(part) if type(part) is list else part for part in request)
    if to.uid is not None:
        if not to.namespace:
            view.open_to_all([sys.base_prefix, sys.base_exec_prefix, *to.packages])
        kernel.drop_to(to.uid)
    if kernel.IS_LINUX:
        kernel.die_with_parent()
        kernel.hide_memory()
    sys.path += to.packages
    counted_alone = to.namespace or to.uid is not None
    return to, 0 if counted_alone else processes_of(os.getuid())


def processes_of(uid: int) -> int:
    """Threads that a user has, and some more that he may start meanwhile."""
    found = 0
    for entry in os.scandir("/proc") if os.path.isdir("/proc/self") else ():
        try:
            if entry.name.isdecimal() and entry.stat().st_uid == uid:
                found += len(os.listdir(f"{entry.path}/task"))
        except OSError:
            continue
    return 2 * found + 256


def run_child(request: dict, to: Confinement, others: int) -> tuple[Seen, bytes, bytes]:
    """How a child ended, and what it wrote."""
    limits = Limits(**request["limits"])
    # The folder of commands is there before and after them, and so is what they leave running.
    lasts = to.commands and "probe" not in request
    base = "/tmp" if to.commands else request["folder"]
    place = request["folder"] if lasts else tempfile.mkdtemp(prefix="program-", dir=base)
    trace = Wide(limits.trace_mib * MIB + LAST)
    output = (Terminal if to.commands else Stream)(limits.output_kib << 10)
    try:
        child = fork()
        if child == 0:
            become(request | {"trace": trace.writer, "output": output.writer}, to, place, others)
        os.close(trace.writer)
        os.close(output.writer)
        watch = Watch(place, COMMANDS if lasts else 1, limits)
        seen = follow(child, trace, output, limits, watch)
    finally:
        os.close(trace.reader)
        os.close(output.reader)
    if not to.seccomp:
        kill(os.killpg, child)
    if to.namespace and not (lasts and seen.reason is None):
        kill(os.kill, -1)  # all but this process and the first one of the namespace
    if not lasts:
        folder.remove(place)
    return seen, bytes(trace.kept), bytes(output.kept)


def fork() -> int:
    try:
        return os.fork()
    except BlockingIOError:  # what commands left running is all that their user may have
        kill(os.kill, -1)
        time.sleep(0.1)
        return os.fork()


class Watch:
    """Looks at a folder now and then, for whether it holds too much."""

    def __init__(self, place: str, scale: int, limits: Limits):
        self.place, self.pause = place, WATCH * scale
        self.most = FILES * limits.file_mib * MIB * scale, ENTRIES * scale
        self.next = time.monotonic() + self.pause

    def sees_too_much(self, now: float) -> bool:
        if now < self.next:
            return False
        self.next = now + self.pause
        return folder.is_over(self.place, *self.most)


def follow(child: int, trace: Stream, output: Stream, limits: Limits, watch: Watch) -> Seen:
    """Read what the child writes until it ends, or has to be ended."""
    began = time.monotonic()
    handle = handle_of(child)
    reason = None
    try:
        while True:
            waited = [output] * output.open + ([] if handle is None else [handle])
            select.select(waited, [], [], TICK)
            output.drain()
            trace.drain()
            ended = wait(child)
            now = time.monotonic()
            if ended or (reason and now - began > limits.wall_s + 9):
                break
            if reason is None:
                reason = reason_to_end(child, now - began, limits)
                if reason is None and watch.sees_too_much(now):
                    reason = "folder"
                if reason is not None:
                    kill(os.kill, child)
    finally:
        if handle is not None:
            os.close(handle)
    trace.drain()
    output.drain()
    status, seconds = ended or (signal.SIGKILL, 0.0)
    by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return Seen(reason, by, os.waitstatus_to_exitcode(status), seconds, output.cut)


def handle_of(child: int) -> int | None:
    """What becomes readable when the child ends, where there is such a thing: pidfd_open(2)."""
    try:
        return os.pidfd_open(child)
    except (OSError, AttributeError):
        return None


def reason_to_end(child: int, elapsed: float, limits: Limits) -> str | None:
    if elapsed > limits.wall_s:
        return "wall"
    return "cpu" if cpu_time(child) > limits.cpu_s else None


def cpu_time(pid: int) -> float:
    """Seconds of processor time of a process, by its clock: clock_getcpuclockid(3)."""
    try:
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return 0.0


def wait(child: int) -> tuple[int, float] | None:
    """Its wait status and its processor time, if it has ended."""
    pid, status, used = os.wait4(child, os.WNOHANG)
    return (status, used.ru_utime + used.ru_stime) if pid else None


def kill(how: Callable[[int, int], None], child: int) -> None:
    try:
        how(child, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
