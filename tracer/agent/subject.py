"""A project as agents meet it: a copy of its code and tests, and what the tests call of the code.

Each file of tests is run once in the sandbox, as the project is: those that pass in a short time
are kept. That leaves the bytecode of all behind, which is half of the time of a later run.
"""

import ast
import re
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

from tracer.agent.episode import EXPORT
from tracer.agent.mutations import Mutation, mutations
from tracer.agent.state import State, after_command
from tracer.project import Project
from tracer.sandbox import Limits
from tracer.sandbox.shell import Shell
from tracer.sandbox.tiers import SHELL_FOLDER

SLOW = 3  # seconds of one file of tests, watched
TOGETHER = 2  # files of tests that are run for a module
LARGEST = 200_000  # characters of a module
_LEFT = ("docs", "doc", "examples", "benchmarks", "bench", "build", "dist", ".*", "__pycache__")
_TESTS = ("test_*.py", "*_test.py")
_WATCHER, _CALLS = ".watch/watcher.py", ".watch/calls"

# What pytest is given as a plug-in: the functions below the working folder that are called.
_PLUGIN = f"""\
import os
import sys

calls = set()


def note(frame, event, arg):
    if event == "call":
        calls.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))


def pytest_unconfigure():
    sys.setprofile(None)
    with open("{_CALLS}", "w") as file:
        for path, line in sorted(calls):
            if path.startswith(os.getcwd()):
                print(line, os.path.relpath(path), file=file)


sys.setprofile(note)
"""
_WATCHED = (
    f"{EXPORT}export PYTHONDONTWRITEBYTECODE= PYTHONPATH={SHELL_FOLDER}/.watch:$PYTHONPATH\n"
    f"timeout {2 * SLOW} python -m pytest -p watcher"
)

Calls = dict[str, set[int]]  # by file: the first lines of the functions called


class Module(NamedTuple):
    path: str
    source: str
    tests: tuple[str, ...]  # that call most of its functions
    mutations: list[Mutation]  # of what they call, and of what runs when it is imported


class Subject(NamedTuple):
    name: str
    folder: Path
    modules: list[Module]
    tests: list[str]


def prepare(project: Path, folder: Path, limits: Limits, **asked: Any) -> Subject:
    """The project, copied into `folder`. Raises ValueError where nothing can be broken and tested.

    `asked` is what a Shell is asked for beside its limits.
    """
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns(*_LEFT), symlinks=True)
    files = {path for pattern in _TESTS for path in folder.rglob(pattern) if path.is_file()}
    found: dict[str, Calls] = {}
    with Shell(limits, folder, **asked) as shell:
        shell.write(_WATCHER, _PLUGIN)
        for path in sorted(files):
            test = path.relative_to(folder).as_posix()
            if calls := watch(shell, test):
                found[test] = calls
    code = Project(folder)
    paths = {path for calls in found.values() for path in calls if code.owns(folder / path, "")}
    modules = [made for path in sorted(paths) if (made := module(folder, path, found))]
    if not modules:
        raise ValueError(
            f"{project}: none of its {len(files)} files of tests passes in the sandbox and calls "
            "its code"
        )
    return Subject(name_of(project), folder, modules, list(found))


def name_of(project: Path) -> str:
    """As the package index knows it: `more-itertools` of more_itertools-11.2.1."""
    return re.sub(r"-\d[^-]*$", "", project.name).replace("_", "-").lower()


def watch(shell: Shell, test: str) -> Calls:
    """What a file of tests calls; nothing where it does not pass, or takes long."""
    began = time.monotonic()
    reply = shell.run(f"{_WATCHED} {test}")
    state = after_command(State(), f"pytest {test}", reply, 0)
    if state.status != 0 or not state.passed or time.monotonic() - began > SLOW:
        return {}
    calls: Calls = {}
    for text in shell.read(_CALLS).output.splitlines():
        line, _, path = text.partition(" ")
        calls.setdefault(path, set()).add(int(line))
    return calls


def module(folder: Path, path: str, found: dict[str, Calls]) -> Module | None:
    """A file of code with its tests, if they call functions of it that can be broken."""
    try:
        source = (folder / path).read_text()
        innermost = functions(source) if len(source) <= LARGEST else {}
    except (OSError, ValueError, SyntaxError):
        return None
    starts = set(innermost.values())
    called = {test: calls.get(path, set()) & starts for test, calls in found.items()}
    tests = sorted((t for t in called if called[t]), key=lambda test: -len(called[test]))[:TOGETHER]
    run = {None}.union(*(called[test] for test in tests))
    broken = [each for each in mutations(source) if innermost.get(each.line) in run]
    return Module(path, source, tuple(tests), broken) if tests and broken else None


def functions(source: str) -> dict[int, int]:
    """By line: where the innermost function around it begins, with its decorators."""
    found: dict[int, int] = {}
    for node in ast.walk(ast.parse(source)):  # outer ones come first
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            start = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            found |= dict.fromkeys(range(node.lineno, (node.end_lineno or start) + 1), start)
    return found
