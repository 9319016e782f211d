"""The fault-injection list, 1 to 37: the sandbox, the shards and the episodes.

What can be asked through `Sandbox` and `python -m experiments.trace` is asked here; what needs the
inside of these is tested where they are, and named in ELSEWHERE.
"""

import importlib.util
import os
import random
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from tiny import WINDOW, tracing

from experiments.command import UserError
from experiments.trace import trace_corpus
from tracer.corpora.synthetic import programs
from tracer.sandbox import Limits, Sandbox, frames
from tracer.schema import Program, dump_trace
from tracer.store import SPLITS, Dataset
from tracer.values import render

pytestmark = pytest.mark.faults
ROOT = Path(__file__).parents[2]
SHARDS, TRACE = "tests/tracer/test_shards.py", "tests/experiments/test_trace.py"
BOX, HOSTILE = "tests/tracer/test_sandbox.py", "tests/tracer/test_hostile.py"
EPISODES = "tests/tracer/test_agent.py"

ELSEWHERE = {
    2: ("a zygote that dies is replaced, and its program run once more", BOX),
    4: ("a kill before the rename leaves no shard", SHARDS),
    5: ("a kill before the manifest's line leaves no doubled program", SHARDS),
    9: ("a zygote that does not answer is replaced", BOX),
    10: ("eight workers and a hostile mix", HOSTILE),
    11: ("a full disk leaves no shard", SHARDS),
    13: ("a short write leaves no shard", SHARDS),
    14: ("every flipped bit of a shard is found", SHARDS),
    15: ("every truncation of a shard is found", SHARDS),
    16: ("two shards that changed names are found", SHARDS),
    17: ("a missing shard is named, and only it is made again", TRACE),
    18: ("a program that repeats is one record", TRACE),
    19: ("another list of programs for a folder is refused", TRACE),
    20: ("another config for a folder is refused", TRACE),
    21: ("without bubblewrap the tier is B, or refused", BOX),
    22: ("without Landlock the tier falls, and says so", BOX),
    23: ("without user namespaces the tier is B", BOX),
    24: ("the program has no root, no capabilities, and a filter", HOSTILE),
    25: ("an interpreter that cannot be read is found by the self-test", BOX),
    28: ("an orphan does not outlive its program", HOSTILE),
    29: ("forged frames end the program, and no other", HOSTILE),
    31: ("an error inside the trace function is a gap", "tests/tracer/test_monitor.py"),
    33: ("traced and untraced runs print the same", "tests/tracer/test_benign.py --benign=500"),
    34: ("a command that never ends ends its step", EPISODES),
    35: ("an agent that kills its shell ends its episode", EPISODES),
    36: ("what a step leaves running ends with the episode", EPISODES),
    37: ("an edit outside of the folder is rejected", EPISODES),
}


@pytest.mark.parametrize("number", ELSEWHERE)
def test_elsewhere(number):
    what, where = ELSEWHERE[number]
    pytest.skip(f"{number}, {what}: belongs to {where}")


@pytest.fixture(scope="module")
def box():
    with Sandbox(Limits(wall_s=5.0)) as box:
        yield box


COUNTING = """
import os
n = 0
for n in range(60):
    m = n * n
    if n == {at}: os.kill(os.getpid(), 9)
"""


def told(outcome) -> list[tuple]:
    return [
        (
            event.kind,
            event.lineno,
            sorted((k, render(v)) for k, v in event.locals.items() if k != "os"),
        )
        for event in outcome.trace.events
    ]


def test_1_a_program_that_is_killed_at_any_event_keeps_what_was_before(box, thorough):
    whole = told(box.run(COUNTING.format(at=-1).encode()))
    draw = random.Random(0)
    for _ in range(50 if thorough else 6):
        at = draw.randrange(60)
        outcome = box.run(COUNTING.format(at=at).encode())
        assert outcome.kind == "killed"
        assert "trace_incomplete" in outcome.flags
        kept = told(outcome)
        assert kept == whole[: len(kept)]
        assert box.run(b"x = 1").kind == "ok"


def traced(out: Path, *overrides: str, harm=lambda process: None) -> subprocess.CompletedProcess:
    """A tracing command in a group of processes of its own, and what came of it."""
    window = [f"+window.{name}={size}" for name, size in WINDOW.items()]
    corpus = ["corpus=synthetic", "corpus.count=150", "corpus.difficulty=1", "processes=2"]
    command = [
        sys.executable,
        "-m",
        "experiments.trace",
        *corpus,
        *window,
        f"out={out}",
        *overrides,
    ]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, **pipes)
    harm(process)
    said, _ = process.communicate(timeout=300)
    return subprocess.CompletedProcess(command, process.returncode, said)


def after(seconds: float, number: int):
    def harm(process: subprocess.Popen) -> None:
        time.sleep(seconds)
        if process.poll() is None:
            os.kill(process.pid, number)

    return harm


def contents(folder: Path) -> dict[str, bytes]:
    dataset = Dataset(folder)
    found = [trace for split in SPLITS for trace in dataset.traces(split)]
    kept = {trace.id: dump_trace(trace) for trace in found}
    assert len(kept) == len(found), "a program is there twice"
    return kept


shards = pytest.mark.skipif(
    importlib.util.find_spec("tracer.shards") is None,
    reason="there are no shards to go on with yet",
)


@shards
def test_3_and_6_a_job_that_is_killed_or_asked_to_end_goes_on(tmp_path, in_long_form):
    began = time.monotonic()
    assert traced(tmp_path / "whole").returncode == 0
    seconds = time.monotonic() - began
    draw, killed = random.Random(0), tmp_path / "killed"
    for _ in range(20):
        traced(killed, "commit_every=0.2", harm=after(draw.uniform(0, seconds), signal.SIGKILL))
    ended = traced(killed, "commit_every=0.2", harm=after(seconds / 2, signal.SIGTERM))
    assert ended.returncode == 0, ended.stdout
    ended = traced(killed, "commit_every=0.2")
    assert ended.returncode == 0, ended.stdout
    assert contents(killed) == contents(tmp_path / "whole")
    assert {path.name for path in tmp_path.iterdir()} == {"whole", "killed"}


@shards
def test_7_a_second_job_on_a_folder_is_refused(tmp_path, in_long_form):
    seen = []

    def second(process: subprocess.Popen) -> None:
        for _ in range(600):
            if list(tmp_path.iterdir()):
                break
            time.sleep(0.05)
        seen.append(traced(tmp_path / "out"))

    first = traced(tmp_path / "out", harm=second)
    assert first.returncode == 0, first.stdout
    if "already made" not in seen[0].stdout:  # the first was not done yet
        assert seen[0].returncode != 0, seen[0].stdout
    assert len(contents(tmp_path / "out")) > 100


@pytest.mark.parametrize("source", ["while True: pass", "import time; time.sleep(60)", "9**9**9"])
def test_8_a_program_that_takes_too_long_is_ended_in_time(source):
    limits = Limits(wall_s=0.8, cpu_s=20)
    with Sandbox(limits) as box:
        box.run(b"")
        began = time.monotonic()
        assert box.run(source.encode()).kind == "timeout"
        assert time.monotonic() - began < limits.wall_s + 1


def test_12_where_nothing_can_be_written_no_program_runs(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr("experiments.trace.build_programs", lambda corpus: ran.append(1) or [])
    (tmp_path / "file").write_text("")
    with pytest.raises((OSError, UserError)):
        trace_corpus(tracing(tmp_path / "file" / "out"))
    assert not ran
    assert {path.name for path in tmp_path.iterdir()} == {"file"}


def usage() -> tuple[int, float]:
    """Open files, and resident memory in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return len(os.listdir("/proc/self/fd")), pages * os.sysconf("SC_PAGESIZE") / 2**20


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="there is no /proc to look at")
def test_26_and_27_many_programs_leave_no_files_no_memory_and_no_children(thorough):
    few, many = (1000, 10_000) if thorough else (30, 90)
    with Sandbox() as box:
        for number in range(many):
            assert box.run(b"x = [n for n in range(5)]\n").kind == "ok"
            if number == few:
                files, memory = usage()
    later = usage()
    assert abs(later[0] - files) <= 5
    assert later[1] - memory < 32
    assert "Z" not in states_of_children()


def states_of_children() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        found += [state] if parent == str(os.getpid()) else []
    return found


def test_30_whatever_arrives_is_a_message_or_a_broken_one(thorough):
    draw = random.Random(0)
    body = b'{"events":[[1,2,"x"],{"a":null}]}'
    good = struct.pack("<II", len(body), zlib.crc32(body)) + body
    for _ in range(100_000 if thorough else 4000):
        data = bytearray(good if draw.random() < 0.7 else draw.randbytes(draw.randrange(64)))
        for _ in range(draw.randrange(4)):
            if data:
                data[draw.randrange(len(data))] = draw.randrange(256)
        cut = data[: draw.randrange(len(data) + 1)] if draw.random() < 0.3 else data
        try:
            frames.unpack(bytes(cut))
        except frames.BrokenFrame:
            pass


def test_32_a_program_has_one_trace_in_any_worker():
    chosen: list[Program] = list(programs(count=12, difficulty=2))
    found = []
    for order in (chosen, chosen[::-1]):
        with Sandbox() as box:
            found.append({p: dump_trace(box.run_program(p).trace) for p in order})
    assert found[0] == found[1]
