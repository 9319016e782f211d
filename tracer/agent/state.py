"""What an agent sees after an action: a small typed state, read from what the terminal shows."""

import errno
import os
import re
from typing import NamedTuple

from tracer.sandbox.shell import Reply
from tracer.values import Budget, Value, capture

SHORT = Budget(string=31)  # characters: with its tag, a row of 32 cells; a longer text is cut

SET = ("status", "changed", "error")  # by an action, and
SET_BY_TESTS = ("status", "passed", "failed", "error")  # as a statement refers to four at most

_TIME = re.compile(r" in \d+\.\d+s\b")
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
_SUMMARY = re.compile(r"^(?:=+ )?(no tests ran|\d+ \w+.*) in \d+\.\d+s\b", re.MULTILINE)
_COUNT = re.compile(r"(\d+) (passed|failed|error)")
# A line of pytest --tb=line, where an AssertionError is not always called so.
_AT = re.compile(r"^\S+:\d+: (?:\w+\.)*([A-Z]\w*|assert)\b", re.MULTILINE)
_FAILED = re.compile(r"^(?:FAILED|ERROR) \S+::(\w+)", re.MULTILINE)
_RAISED = re.compile(
    r"^(?:E +|Sorry: )?(?:\w+\.)*"
    r"([A-Z]\w*(?:Error|Exception|Warning|Exit|Interrupt|Iteration))(?::|$)",
    re.MULTILINE,
)
_SAID = {os.strerror(code): type(OSError(code, "")).__name__ for code in errno.errorcode} | {
    "command not found": "FileNotFoundError",
    "file or directory not found": "FileNotFoundError",
    "No module named": "ModuleNotFoundError",
    "syntax error": "SyntaxError",
    "unexpected EOF": "SyntaxError",
}


class State(NamedTuple):
    """The observation; what is said of tests is of their last run, and None before the first."""

    status: int | None = 0  # exit status; below 0: a signal; None: the shell is gone
    changed: int = 0  # files that are not as they were when the episode began
    passed: int | None = None
    failed: int | None = None  # with those that could not be run
    error: str | None = None  # class of the error that the last response shows; of tests, the first

    def values(self) -> dict[str, Value]:
        """As variables; an error is an exception without arguments."""
        held = {name: capture(value) for name, value in self._asdict().items()}
        if self.error is not None:
            held["error"] = Value("exception", (self.error, ()))
        return held


def runs_tests(command: str) -> bool:
    return "pytest" in command.split()


def set_by(command: str) -> tuple[str, ...]:
    """The variables that a command sets."""
    return SET_BY_TESTS if runs_tests(command) else SET


def after_command(state: State, command: str, reply: Reply, changed: int) -> State:
    error = "TimeoutError" if reply.timed_out else error_of(reply.output) if reply.status else None
    state = state._replace(status=reply.status, changed=changed, error=error)
    return _after_tests(state, reply.output) if runs_tests(command) else state


def _after_tests(state: State, text: str) -> State:
    summary = _SUMMARY.findall(text)
    if not summary:
        return state._replace(passed=None, failed=None)
    counts = {"passed": 0, "failed": 0, "error": 0}
    counts |= {name: int(number) for number, name in _COUNT.findall(summary[-1])}
    first = (_AT.search(text) or _RAISED.search(text)) if state.status else None
    return state._replace(
        passed=counts["passed"],
        failed=counts["failed"] + counts["error"],
        error=first[1].replace("assert", "AssertionError") if first else state.error,
    )


def last_line(text: str) -> Value:
    """Of what is not blank; cut, and marked, where a row of 32 cells does not hold it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return capture(lines[-1] if lines else "", SHORT)


def failure(text: str) -> str | None:
    """The name of the first test that failed."""
    found = _FAILED.search(text)
    return found[1] if found else None


def steady(text: str) -> str:
    """A response without what is another at every run: times and addresses."""
    return _ADDRESS.sub("0x...", _TIME.sub("", text))


def error_of(text: str) -> str | None:
    """The class of the last error that a response shows, as Python would call it."""
    raised = _RAISED.findall(text)
    if raised:
        return raised[-1]
    places = ((text.rfind(said), name) for said, name in _SAID.items())
    at, name = max(places)
    return name if at >= 0 else None
