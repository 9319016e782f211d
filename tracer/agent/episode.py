"""An episode: commands and edits in a sandboxed workspace, recorded as a trace.

An action is a statement that sets what it lets an agent see:

    status, changed, error = !grep -n "def merge" toolz/dicttoolz.py
    status, changed, error = edit toolz/dicttoolz.py:41
    -     return rv
    +     return None
    status, passed, failed, error = !python -m pytest toolz/tests/test_dicttoolz.py

So an episode is a program. Each step is an event of kind "line", with the state before the action
as its variables, and as its `arg` the last line that the terminal showed. All of that is `stdout`.
"""

import platform
from collections.abc import Sequence
from typing import NamedTuple

from tracer.agent.state import SET, SET_BY_TESTS, State, after_command, last_line, set_by, steady
from tracer.agent.workspace import Files
from tracer.sandbox.shell import Reply, Shell
from tracer.sandbox.tiers import SHELL_FOLDER, packages
from tracer.schema import Event, Trace, program_id
from tracer.values import Value

_PYTEST = "-q --tb=line -o addopts= -p no:cacheprovider"
ENVIRONMENT = {
    "PYTHONPATH": ":".join([f"{SHELL_FOLDER}/src", SHELL_FOLDER, *packages()]),
    "PYTHONHASHSEED": "0",
    "PYTEST_ADDOPTS": f"'{_PYTEST}'",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "COLUMNS": "200",  # or messages are cut in the middle
}
EXPORT = f"export {' '.join(f'{name}={value}' for name, value in ENVIRONMENT.items())}\n"


def kind_of(action: str) -> str:
    """Whether an action is an "edit", a run of "tests", or another "command"."""
    left, _, right = action.partition(" = ")
    if not right.startswith("!"):
        return "edit"
    return "tests" if left == ", ".join(SET_BY_TESTS) else "command"


class Step(NamedTuple):
    action: str
    before: State
    shown: Value | None  # the last line of the terminal before it


class Episode:
    """What has happened, and what the agent can do next.

    with Shell(limits, folder) as shell:
        episode = Episode(shell)
        episode.run("python -m pytest tests/test_stack.py")
        episode.edit("stack.py", 12, "        return self.items.pop()")
        trace = episode.trace("by_hand", "example/stack")

    Raises SandboxError when the shell is gone.
    """

    def __init__(self, shell: Shell):
        self.shell, self.files = shell, Files(shell.workspace)
        self.state = State()
        self.steps: list[Step] = []
        self.response = ""  # to the last action
        self.terminal: list[str] = []
        self.truncated = False

    def given(self, path: str, text: str) -> None:
        """A file as it is when the episode begins."""
        self.shell.write(path, text)
        self.files = Files(self.shell.workspace)

    def run(self, command: str) -> State:
        """Run a command in the shell."""
        reply = self.shell.run(EXPORT + command)
        return self._add(f"{', '.join(set_by(command))} = !{command}", reply, command)

    def edit(self, path: str, line: int, *new: str, old: int = 1) -> State:
        """Put new lines in the place of `old` lines, from number `line` on; without old ones, a
        file that is not there is made."""
        before, reply = self._replace(path, line, new, old)
        hunk = [*(f"- {text}" for text in before), *(f"+ {text}" for text in new)]
        action = "\n".join([f"edit {path}:{line}", *hunk])
        return self._add(f"{', '.join(SET)} = {action}", reply)

    def trace(self, entry: str, origin: str, call: str | None = None) -> Trace:
        """The record, as far as the episode has come."""
        events, line = [], 1
        end = Step("", self.state, self._shown())
        for action, state, shown in [*self.steps, end]:
            events.append(Event("line", 0, 0, line, action, state.values(), shown))
            line += action.count("\n") + 1
        source = "".join(f"{step.action}\n" for step in self.steps)
        return Trace(
            id=program_id(source, entry, call, origin),
            source=source,
            entry=entry,
            input=call,
            python=platform.python_version(),
            outcome="killed" if self.state.status is None else "ok",
            flags=("output_truncated",) if self.truncated else (),
            stdout="".join(self.terminal),
            events=events,
            origin=origin,
        )

    def _replace(
        self, path: str, line: int, new: Sequence[str], old: int
    ) -> tuple[Sequence[str], Reply]:
        """The lines that were there, and what came of it."""
        reply = self.shell.read(path)
        if reply.status and old or reply.status is None:
            return [], reply
        lines = reply.output.split("\n") if reply.status == 0 else [""]
        before = lines[line - 1 : line - 1 + old]
        if reply.truncated or not 1 <= line <= len(lines) or len(before) < old:
            return before, Reply(f"{path}: no line {line} that can be read\n", 1, False, False)
        lines[line - 1 : line - 1 + old] = new
        return before, self.shell.write(path, "\n".join(lines))

    def _add(self, action: str, reply: Reply, command: str = "") -> State:
        self.steps.append(Step(action, self.state, self._shown()))
        changed = self.files.changed()
        self.state = after_command(self.state, command, reply, changed)
        shown = reply.output if command or reply.status else f"{changed} changed\n"
        self.response = steady(shown)
        end = "" if self.response.endswith("\n") or not self.response else "\n"
        typed = action.partition(" = ")[2].removeprefix("!")
        self.terminal.append(f"$ {typed}\n{self.response}{end}")
        self.truncated |= reply.truncated
        return self.state

    def _shown(self) -> Value | None:
        return last_line(self.response) if self.steps else None
