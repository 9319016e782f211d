"""The process that becomes a program: bound, then compiled and traced, then gone."""

import gc
import os
import signal
import sys
from contextlib import suppress
from types import ModuleType
from typing import Any, NoReturn

from tracer.sandbox import command, frames, kernel, probes
from tracer.sandbox.confine import Confinement, close_files, confine
from tracer.sandbox.guard import Guard
from tracer.sandbox.limits import MIB, Limits
from tracer.schema import Program, Row, pack_row
from tracer.trace import Run, Settings, entry_name, run_program
from tracer.values import Budget, capture

_exit, _mask = os._exit, signal.pthread_sigmask  # a program may put something else there
_BLOCK, _SIGNALS = signal.SIG_BLOCK, signal.valid_signals()
SPARE = 4 * MIB  # of address space, given back at the end to say how a program without memory ended


class Writer:
    """Rows as frames, each in the pipe before the program goes on: a kill costs none of them."""

    def __init__(self, fd: int, key: int, room: int):
        self.fd, self.key, self.room = fd, key, room  # bytes; what does not fit is not written
        self.first = ""  # statement
        self.cut = self.ended = False

    def write(self, row: Row) -> None:
        if self.cut or self.ended:
            return
        self.first = self.first or row[4]
        body = frames.dump(pack_row(row))
        self.room -= len(body) + frames.HEAD.size
        self.cut = self.room < 0
        if not self.cut:
            self._send(body)

    def end(self, message: dict[str, Any]) -> None:
        self.ended = True  # threads may go on for a moment
        self._send(frames.dump(message))

    def _send(self, body: bytes) -> None:
        data = frames.pack(body, self.key)
        self.key += 1
        frames.write(self.fd, data)

    def leave(self) -> None:
        """In a process that the program forks, where it may: that one is not traced."""
        sys.settrace(None)
        self.ended = True
        os.close(self.fd)


def become(request: dict[str, Any], to: Confinement, folder: str, others: int) -> NoReturn:
    """Be what is asked for; the pipes are in the request, and the process ends here."""
    code = 1
    try:
        if kernel.IS_LINUX:
            kernel.die_with_parent()
        if to.seccomp and not to.commands:
            os.setpgid(0, 0)  # it cannot join another group; a session takes 2 ms
        else:
            os.setsid()
        os.chdir(folder)
        os.dup2(request["output"], 1)
        os.dup2(request["output"], 2)
        close_files((request["trace"],))
        limits = Limits(**request["limits"])
        limits.apply(others)
        confine(to, (folder, "/tmp") if to.commands else (folder,))
        code = act(request, to, limits)
    except OSError as error:
        if to.commands:  # its file or its shell
            os.write(2, f"{error}\n".encode())
    finally:
        _exit(code)


def act(request: dict[str, Any], to: Confinement, limits: Limits) -> int:
    """Do what is asked for, and say with which exit code to end."""
    if "command" in request:
        command.run(request, request["trace"])
    elif "write" in request:
        command.write(request)
    elif "read" in request:
        command.read(request, limits.output_kib << 10)
    else:
        writer = Writer(request["trace"], request["key"], limits.trace_mib * MIB)
        if "probe" in request:
            writer.end(probes.run(request["probe"], to.commands))
        else:
            run(request, limits, writer)
    return 0


def run(request: dict[str, Any], limits: Limits, writer: Writer) -> None:
    stdout = sys.stdout  # the program may put something else there
    spare = bytearray(SPARE)
    program = Program(**request["program"])
    settings = Settings(limits.events, Budget(*request["budget"]))
    request.clear()
    os.register_at_fork(after_in_child=writer.leave)
    sys.modules["__main__"] = ModuleType("__main__")  # not the worker
    guard = Guard()
    guard.install()
    gc.freeze()  # `gc.get_objects` does not show what is here already
    ended = raised = None
    for _ in range(100):  # until they are blocked, handlers of signals may raise at any moment
        try:
            if ended is None and raised is None:
                ended = run_program(program, settings, writer.write)
            _mask(_BLOCK, _SIGNALS)
            break
        except BaseException as error:
            raised = error
    if ended is None:  # by a handler, outside of all that guards the program
        ended = Run("exception", ("trace_incomplete",), capture(raised))
    del spare
    marks = {"trace_truncated": writer.cut, "tracer_removed": guard.noticed}
    flags = [*ended.flags, *(name for name, is_set in marks.items() if is_set)]
    entry = entry_name(program, writer.first)
    writer.end(ended._asdict() | {"flags": flags, "entry": entry})
    with suppress(BaseException):  # its descriptor may be closed, and what it prints to another
        stdout.flush()
