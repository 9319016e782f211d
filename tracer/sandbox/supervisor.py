"""Our side of the sandbox: asks a worker for one program at a time, and says what became of it.

The program is never compiled here, and nothing that it wrote is taken for anything but bytes until
`verdict` has looked at them.
"""

import dataclasses
import os
import platform
import time
from threading import Lock
from typing import Any, NamedTuple

from tracer.sandbox.frames import BrokenFrame
from tracer.sandbox.limits import Limits
from tracer.sandbox.seen import Seen
from tracer.sandbox.start import Worker, start
from tracer.sandbox.verdict import Verdict, judge
from tracer.schema import Program, Trace, program_id, unfold
from tracer.trace import entry_name
from tracer.values import DEFAULT, Budget, Value

PATIENCE = 3.0  # seconds beyond its wall clock in which a worker has to answer for a program
PROGRAMS = 1000  # that a worker is given before a fresh one takes its place
SOURCE = 4 << 20  # bytes of a program's text
NAME = 255  # characters of its name


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

    It is of the strongest tier that this machine has (see tracer.sandbox.tiers), or of the one that
    is asked for. It starts with the first program, and raises SandboxError, an OSError, where only
    a weaker one than A or B can be had and neither `allow_weaker` nor `trusted_programs` is given.
    """

    def __init__(
        self,
        limits: Limits = Limits(),  # noqa: B008
        budget: Budget = DEFAULT,
        tier: str | None = None,
        allow_weaker: bool = False,
        trusted_programs: bool = False,
    ):
        self.limits, self.budget = limits, budget
        self.tier, self.allow_weaker, self.trusted_programs = tier, allow_weaker, trusted_programs
        self.worker: Worker | None = None
        self.turn = Lock()  # threads may share a sandbox; the programs run one after the other
        self._facts: dict[str, Any] = {}

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, source: bytes, call: str | None = None, name: str = "program") -> Outcome:
        """Run a module's text, or `call` in its namespace, and always come back."""
        try:
            text = source.decode("utf-8")
        except UnicodeDecodeError as error:
            program = Program(source.decode("latin-1"), call, name=name)
            return self._rejected(program, "UnicodeDecodeError", str(error))
        return self.run_program(Program(text, call, name=name))

    def run_program(self, program: Program) -> Outcome:
        if len(program.source) > SOURCE or len(program.call or "") > SOURCE:
            reason = f"a source of more than {SOURCE} characters"
            return self._rejected(program, "ValueError", reason)
        if len(program.name) > NAME:
            return self._rejected(program, "ValueError", f"a name of more than {NAME} characters")
        key = int.from_bytes(os.urandom(4))
        request = {
            "program": program._asdict(),
            "limits": dataclasses.asdict(self.limits),
            "budget": self.budget,
            "key": key,
        }
        with self.turn:
            answer = self._ask(request) or self._ask(request)  # once more, in a fresh worker
        if answer is None:
            verdict = Verdict("killed", ("trace_incomplete",), [], None, None)
            return self._outcome(program, verdict, "")
        seen, trace, output = answer
        lines = program.source.count("\n") + program.source.count("\r") + 1
        verdict = judge(seen, trace, key, self.limits, lines)
        return self._outcome(program, verdict, output.decode("utf-8", "backslashreplace"))

    def facts(self) -> dict[str, Any]:
        """The tier, what the kernel has, and what the self-test found: for a manifest."""
        self._start()
        return self._facts

    def close(self) -> None:
        if self.worker is not None:
            self.worker.close()
            self.worker = None

    def _start(self) -> Worker:
        if self.worker is not None and not self.worker.is_alive:
            self.close()
        if self.worker is None:
            weaker = self.allow_weaker, self.trusted_programs
            self.worker, self._facts = start(self.tier, *weaker, self.limits)
        return self.worker

    def _ask(self, request: dict) -> tuple[Seen, bytes, bytes] | None:
        """The worker's answer, or None where it died or did not give one."""
        worker = self._start()
        try:
            deadline = time.monotonic() + self.limits.wall_s + PATIENCE
            answer = worker.ask(request, deadline)
        except BrokenFrame:
            self.close()
            return None
        except BaseException:  # what it would still say belongs to no later program
            self.close()
            raise
        if worker.served >= PROGRAMS:
            self.close()
        return answer

    def _outcome(self, program: Program, verdict: Verdict, stdout: str) -> Outcome:
        settings = repr((self.limits, self.budget))
        first = next((row[4] for row in verdict.rows if row[4]), "")
        entry = verdict.entry or entry_name(program, first)
        trace = Trace(
            id=program_id(program.source, entry, program.call, settings),
            source=program.source,
            entry=entry,
            input=program.call,
            python=platform.python_version(),
            outcome=verdict.kind,
            flags=verdict.flags,
            stdout=stdout,
            events=list(unfold(verdict.rows)),
            origin=program.origin,
        )
        return Outcome(verdict.kind, verdict.flags, stdout, trace, verdict.error)

    def _rejected(self, program: Program, name: str, reason: str) -> Outcome:
        error = Value("exception", (name, (Value("str", reason),)))
        return self._outcome(program, Verdict("rejected", (), [], None, error), "")
