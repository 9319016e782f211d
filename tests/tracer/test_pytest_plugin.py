"""Tests of a project run under the plugin: the same ends, and a trace of each call."""

import ast
import os
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

from tracer.corpora.split import group
from tracer.schema import Program, frames
from tracer.statements import statement_table
from tracer.store import SPLITS, Dataset
from tracer.values import render

ROOT = Path(__file__).parents[2]

STACK = '''
"""A stack."""
import other


class Stack(list):
    """Last in, first out."""

    limit = 9

    def add(self, x, *more, twice=False, **rest):
        text = """
    kept as it is
"""
        self.append(other.double(x) if twice else x)
        return len(self)

    @property
    def top(self):
        return self[-1]


def count(n):
    i = 0
    while i < n:
        yield i
        i += 1


def fail(x):
    try:
        return 1 / x
    finally:
        x = None


def hot():
    x = 1
    return x


def long(n):
    for i in range(n):
        hot()
    raise ValueError(n)


def deep(n):
    return deep(n - 1) + 1 if n else 0


class Thing:
    pass


def make():
    thing = Thing()
    return thing


def spread(n):
    found = [*count(n)]
    return found
'''
TESTS = """
import gc, sys, threading, weakref
import pytest
from stack import *

def test_stack():
    s = Stack()
    assert s.add(1) == 1
    assert s.add(2, 3, twice=True, z='q') == 2
    assert s.top == 4

def test_generator():
    assert list(count(2)) == [0, 1]
    assert next(count(5)) == 0
    kept = count(3)
    assert next(kept) == 0

def test_fail():
    with pytest.raises(ZeroDivisionError):
        fail(0)

def test_wrong():
    assert hot() == 2

@pytest.mark.skip
def test_skipped():
    pass

def test_hot():
    assert sum(hot() for _ in range(100)) == 100

def test_long():
    with pytest.raises(ValueError):
        long(3000)

def test_deep():
    assert deep(9) == 9

def test_recursion():
    with pytest.raises(RecursionError):
        deep(10 ** 6)

def test_what_a_call_made_can_go():
    thing = weakref.ref(make())
    assert thing() is None

def test_threads():
    found = []
    workers = [threading.Thread(target=lambda n=n: found.append(spread(n))) for n in (2, 3, 4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(map(len, found)) == [2, 3, 4]

def test_another_hook():
    before = sys.gettrace()
    sys.settrace(lambda *event: None)
    hot()
    sys.settrace(before)
    assert hot() == 1

class Odd:
    __class__ = property(lambda self: 1 / 0)
    def __getattr__(self, name): raise KeyboardInterrupt
    def __eq__(self, other): raise KeyboardInterrupt
    def __repr__(self): raise KeyboardInterrupt
    __hash__ = None

def test_hostile():
    assert Stack().add(Odd()) == 1
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "stack.py").write_text(STACK)
    (folder / "other.py").write_text("def double(x):\n    y = x * 2\n    return y\n")
    (folder / "test_stack.py").write_text(TESTS)
    return folder


def run(project: Path, *options: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)


def ends(project: Path, *options: str) -> dict[str, str]:
    run(project, "--junitxml=ends.xml", *options)
    cases = xml.parse(project / "ends.xml").getroot().iter("testcase")
    return {case.get("name", ""): next((part.tag for part in case), "passed") for case in cases}


PLUGIN = ("-p", "tracer.pytest_plugin")


@pytest.fixture(scope="module")
def traced(project) -> tuple[dict[str, str], Dataset]:
    found = ends(project, *PLUGIN, "--trace-out=data", "--trace-calls=20", "--trace-depth=2")
    return found, Dataset(project / "data")


@pytest.fixture(scope="module")
def traces(traced):
    return [trace for split in SPLITS for trace in traced[1].traces(split)]


def test_the_tests_end_as_they_do_without_it(project, traced):
    assert traced[0] == ends(project)
    assert set(traced[0].values()) == {"passed", "failure", "skipped"}


def test_a_call_of_a_function_under_test_is_a_trace(traces):
    found = {(trace.entry, trace.input): trace for trace in traces}
    add = found["Stack.add", "Stack.add(<Stack =[1]>, 2, 3, twice=True, z='q')"]
    assert add.outcome == "ok" and add.origin == "pytest/stack.Stack.add"
    assert [events[0].depth for events in frames(add).values()] == [0, 1]
    assert render(add.events[-1].arg) == "2"
    assert "def double(x):" in add.source and "limit" not in add.source
    assert not [trace for trace in traces if trace.entry in ("double", "<lambda>")]


def test_calls_in_threads_are_traces_with_frames_of_their_own(traces):
    found = {trace.input: trace for trace in traces if trace.entry == "spread"}
    assert sorted(found) == ["spread(2)", "spread(3)", "spread(4)"]
    assert render(found["spread(3)"].events[-1].arg) == "[0, 1, 2]"
    for trace in found.values():
        assert [events[0].depth for events in frames(trace).values()] == [0, 1]
        assert trace.outcome == "ok" and trace.flags == ()


def test_every_event_stands_at_its_line_of_the_source(traces):
    for trace in traces:
        ast.parse(trace.source)
        table = statement_table(trace.source)
        for event in trace.events:
            assert table[event.lineno].text == event.statement
            assert table[event.lineno].line == event.lineno


def test_a_generator_is_one_trace_from_its_call_to_its_end(traces):
    kinds = [
        [e.kind for e in trace.events if e.kind != "line"]
        for trace in traces
        if trace.entry == "count"
    ]
    whole, dropped, left = sorted(kinds, key=len, reverse=True)
    assert whole == ["call", "yield", "resume", "yield", "resume", "return"]
    assert dropped[:2] == left[:2] == ["call", "yield"]
    assert {t.outcome for t in traces if t.entry == "count"} == {"ok"}


def test_how_a_call_ends_is_its_outcome_also_where_its_events_are_cut_off(traces):
    (fail,) = [trace for trace in traces if trace.entry == "fail"]
    assert (fail.outcome, fail.events[-1].kind) == ("exception", "unwind")
    (long,) = [trace for trace in traces if trace.entry == "long"]
    assert (long.outcome, long.flags, len(long.events)) == ("exception", ("trace_truncated",), 2000)


def test_depth_calls_and_repetitions_are_bounded(traces):
    assert max(event.depth for trace in traces for event in trace.events) == 2
    assert len([trace for trace in traces if trace.entry == "hot"]) == 1  # the others are the same


def test_no_function_is_on_two_sides(traced):
    sides = [
        {group(Program(t.source, t.input, t.origin)) for t in traced[1].traces(split)}
        for split in SPLITS
    ]
    assert sum(map(len, sides)) == len(set().union(*sides)) == traced[1].manifest["functions"]


def test_the_manifest_says_how_much_is_whole(traced):
    manifest = traced[1].manifest
    assert manifest["config"]["pytest"]["depth"] == 2
    for split in SPLITS:
        counts = manifest["counts"][split]
        assert counts.get("traces", 0) == manifest["records"].get(f"{split}-traces", 0)
        assert counts.get("values_whole", 0) <= counts.get("values", 0)


def test_a_share_of_the_calls_is_drawn_with_a_seed(project):
    def chosen(seed: int) -> list[str | None]:
        out = f"--trace-out=sample-{seed}-{len(list(project.iterdir()))}"
        done = run(project, *PLUGIN, out, "--trace-sample=0.5", f"--trace-seed={seed}")
        assert "calls with" in done.stdout
        data = Dataset(project / out.partition("=")[2])
        return sorted(str(t.input) for split in SPLITS for t in data.traces(split))

    one = chosen(1)
    assert one == chosen(1) != chosen(2)


def test_modules_can_be_named(project):
    run(project, *PLUGIN, "--trace-out=other-data", "--trace-modules=other")
    data = Dataset(project / "other-data")
    assert {t.origin for split in SPLITS for t in data.traces(split)} == {"pytest/other.double"}


@pytest.mark.parametrize("option", ["--trace-out=.", "--trace-sample=2", "--trace-depth=-1"])
def test_a_wrong_option_is_one_line(project, option):
    done = run(project, *PLUGIN, "--trace-out=wrong", option)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert done.stderr.strip().startswith("ERROR: ") and "\n" not in done.stderr.strip()
    assert not list(project.glob("wrong*"))


def test_another_tool_keeps_its_hook_and_a_line_says_so(project):
    (project / "debugger.py").write_text(
        "import sys\ndef pytest_runtest_setup():\n    sys.settrace(print_nothing)\n"
        "def print_nothing(*event):\n    return None\n"
    )
    done = run(project, *PLUGIN, "-p", "debugger", "--trace-out=none", "-k", "stack or deep")
    assert "tests were not traced: another tool" in done.stdout
    assert Dataset(project / "none").manifest["functions"] == 0


def test_the_records_of_a_run_that_was_killed_can_be_gathered(project):
    (project / "test_killed.py").write_text(
        "import os\nfrom stack import *\ndef test_one():\n    hot()\n"
        "def test_two():\n    os._exit(9)\n"
    )
    run(project, *PLUGIN, "--trace-out=killed", "test_killed.py")
    (project / "test_killed.py").unlink()
    (part,) = project.glob("killed.part-*")
    with (part / "main.jsonl").open("a") as file:
        file.write('{"id": "half a')
    command = [sys.executable, "-m", "tracer.gather", str(part), str(project / "killed")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.startswith("1 calls with 1 frames and 4 events; 100.00% of")
    assert not part.exists() and Dataset(project / "killed").manifest["functions"] == 1


def test_each_process_of_xdist_writes_its_own_records(project):
    pytest.importorskip("xdist")
    found = ends(project, *PLUGIN, "--trace-out=two", "-n2")
    assert found == ends(project)
    data = Dataset(project / "two")
    assert {"Stack.add", "fail"} <= {t.entry for split in SPLITS for t in data.traces(split)}
