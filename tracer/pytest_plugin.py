"""`pytest -p tracer.pytest_plugin --trace-out DIR`: the functions under test of a project, traced.

DIR becomes a dataset: a trace for each call that the tests make of a function of the project, with
the project's own calls inside it as further frames. What is not the project's is not looked at.

A trace's `source` is the text of the functions that ran, and its `input` the call as one would
write it, `take(2, [1, 2, 3])`, with the arguments as they were. It cannot be run again where an
argument has no such text: an instance is shown as `<Name attribute=...>`, an iterator as its type.

Tests pass and fail as they do without it, but for what depends on time. Values are read without
running their code, and nothing of a call is held after it; a generator's frame, and with it its
variables, until it is used up, dropped while the test runs, or the test ends. Where another tool
has `sys.settrace`, such as coverage or a debugger, nothing is traced and one line says so. In the
threads that a test starts the calls are traced that end before the test does.

Records are written as calls end, in DIR.part-NUMBER, one file for each process of pytest-xdist. Of
a run that was killed `python -m tracer.gather DIR.part-NUMBER DIR` makes the dataset.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tracer.project import Project
from tracer.schema import Trace, dump_trace
from tracer.watch import Bounds, Watch

NUMBERS = {
    "depth": "levels of calls inside a call",
    "events": "events of one call; the rest is cut off, and marked",
    "calls": "calls of one function",
    "total": "events of all calls, in each process",
    "sample": "share of the calls that are traced, from 0 to 1",
    "seed": "of that sample",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    options = parser.getgroup("tracer", "traces of the functions under test")
    options.addoption("--trace-out", metavar="DIR", help="folder of the dataset; must not be there")
    options.addoption(
        "--trace-modules",
        metavar="PREFIX,...",
        default="",
        help="modules under test; without it, all below the root folder that are no tests",
    )
    for name, text in NUMBERS.items():
        default = getattr(Bounds, name)
        kind = type(default)
        text = f"{text} ({default})"
        options.addoption(f"--trace-{name}", metavar="N", type=kind, default=default, help=text)


def pytest_configure(config: pytest.Config) -> None:
    if config.option.trace_out is None:
        return
    numbers = {name: getattr(config.option, f"trace_{name}") for name in NUMBERS}
    worker: dict | None = getattr(config, "workerinput", None)  # of pytest-xdist
    part = Path(worker["tracer_part"]) if worker else prepare(config, numbers)
    modules = [each for each in config.option.trace_modules.split(",") if each]
    project = Project(config.rootpath, modules, config.getini("python_files"))
    name = worker["workerid"] if worker else ""
    out = config.invocation_params.dir / config.option.trace_out
    tracing = Tracing(project, Bounds(**numbers), part, out, name)
    config.pluginmanager.register(tracing, "tracing")


def prepare(config: pytest.Config, numbers: dict) -> Path:
    """The folder that the records are first written to."""
    if not 0 <= numbers["sample"] <= 1 or min(numbers.values()) < 0:
        raise pytest.UsageError(f"--trace-sample is a share, the others count: {numbers}")
    out = config.invocation_params.dir / config.option.trace_out
    if out.exists():
        raise pytest.UsageError(f"{out} already exists; choose another folder or remove it")
    part = out.with_name(f"{out.name}.part-{os.getpid()}")
    try:
        part.mkdir(parents=True)
    except OSError as error:
        raise pytest.UsageError(f"--trace-out: {error}") from error
    about = {"command": config.invocation_params.args, "modules": config.option.trace_modules}
    (part / "config.json").write_text(json.dumps({"pytest": about | numbers}))
    return part


class Tracing:
    """What happens while tests run."""

    def __init__(self, project: Project, bounds: Bounds, part: Path, out: Path, worker: str):
        self.watch = Watch(project, bounds, self.write)
        self.part, self.out, self.worker = part, out, worker
        self.file = (part / f"{worker or 'main'}.jsonl").open("ab")
        self.taken = 0  # tests that began under another tool's hook
        self.said = ""

    def write(self, trace: Trace) -> None:
        self.file.write(dump_trace(trace) + b"\n")

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        self.taken += sys.gettrace() is not None
        is_on = self.watch.start()
        try:
            return (yield)
        finally:
            if is_on:
                self.watch.stop()
                self.file.flush()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node) -> None:
        node.workerinput["tracer_part"] = str(self.part)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self) -> Iterator[None]:
        result = yield
        self.file.close()
        if not self.worker:
            self.said = gathered(self.part, self.out)
        return result

    def pytest_terminal_summary(self, terminalreporter) -> None:
        terminalreporter.section("traces")
        terminalreporter.line(f"{self.out}: {self.said}")
        if self.taken:
            terminalreporter.line(
                f"{self.taken} tests were not traced: another tool, such as coverage or "
                "a debugger, has sys.settrace"
            )
        if self.watch.lost:
            terminalreporter.line(f"{self.watch.lost} events could not be recorded")


def gathered(part: Path, out: Path) -> str:
    """What became of the records: arrays are made in another process than that of the tests."""
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "tracer.gather", str(part), str(out)]
    environment = os.environ | {"PYTHONPATH": path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    last = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()[-1:]
    said = "".join(last) or f"exit status {done.returncode}"
    return said if done.returncode == 0 else f"{said}; the records are in {part}"
