"""Our side of the sandbox: starts the worker, asks it for one program at a time."""

import dataclasses
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tracer.sandbox import frames
from tracer.sandbox.limits import Limits
from tracer.schema import Program, Trace, program_id, unfold, unpack_row
from tracer.values import DEFAULT, Budget, Value


class Outcome(NamedTuple):
    """What became of a program."""

    kind: str  # one of tracer.schema.OUTCOMES
    flags: tuple[str, ...]
    stdout: str
    trace: Trace
    error: Value | None = None  # the exception that ended it


class Sandbox:
    """A warm worker for many programs; use it as a context.

    with Sandbox(Limits(wall_s=2)) as box:
        outcome = box.run(b"def f(n): return n + 1", call="f(3)")
    """

    def __init__(self, limits: Limits = Limits(), budget: Budget = DEFAULT):  # noqa: B008
        self.limits, self.budget = limits, budget
        self.worker: subprocess.Popen | None = None
        self.folder = ""  # of the worker, which may be killed before it can clean up

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, source: bytes, call: str | None = None, name: str = "program") -> Outcome:
        """Run a module's text, or `call` in its namespace, and always come back."""
        try:
            text = source.decode("utf-8")
        except UnicodeDecodeError as error:
            return self._rejected(source.decode("latin-1"), call, str(error))
        return self.run_program(Program(text, call, name=name))

    def run_program(self, program: Program) -> Outcome:
        request = {
            "program": program._asdict(),
            "limits": dataclasses.asdict(self.limits),
            "budget": self.budget,
        }
        try:
            reply = self._ask(request)
        except (frames.BrokenFrame, BrokenPipeError):  # the worker died with the program
            self.close()
            empty = {"stdout": "", "entry": None, "error": None, "events": []}
            reply = {"kind": "killed", "flags": ["trace_incomplete"], **empty}
        return self._outcome(program, reply)

    def close(self) -> None:
        if self.worker is None:
            return
        self.worker.kill()
        self.worker.wait()
        for stream in (self.worker.stdin, self.worker.stdout):
            if stream:
                stream.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.worker = None

    def _ask(self, request: dict) -> dict:
        if self.worker is None or self.worker.poll() is not None:
            self.close()
            self.folder = tempfile.mkdtemp(prefix="sandbox-")
            self.worker = _start_worker()
        assert self.worker.stdin and self.worker.stdout
        frames.send(self.worker.stdin.fileno(), request | {"folder": self.folder})
        return frames.receive(self.worker.stdout.fileno())

    def _outcome(self, program: Program, reply: dict) -> Outcome:
        entry = reply["entry"] or "<module>"
        settings = repr((self.limits, self.budget))
        error = Value.from_json(reply["error"]) if reply["error"] else None
        flags = tuple(reply["flags"])
        trace = Trace(
            id=program_id(program.source, entry, program.call, settings),
            source=program.source,
            entry=entry,
            input=program.call,
            python=platform.python_version(),
            outcome=reply["kind"],
            flags=flags,
            stdout=reply["stdout"],
            events=list(unfold(map(unpack_row, reply["events"]))),
            origin=program.origin,
        )
        return Outcome(reply["kind"], flags, reply["stdout"], trace, error)

    def _rejected(self, text: str, call: str | None, reason: str) -> Outcome:
        error = Value("exception", ("UnicodeDecodeError", (Value("str", reason),)))
        reply = {"kind": "rejected", "flags": [], "stdout": "", "entry": None, "events": []}
        return self._outcome(Program(text, call), reply | {"error": error})


def _start_worker() -> subprocess.Popen:
    root = str(Path(__file__).parents[2])
    environment = {"PYTHONHASHSEED": "0", "PYTHONPATH": root, "LANG": "C.UTF-8"}
    if "PATH" in os.environ:
        environment["PATH"] = os.environ["PATH"]
    command = [sys.executable, "-s", "-P", "-X", "utf8", "-m", "tracer.sandbox.worker"]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, bufsize=0
    )
