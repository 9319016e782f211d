"""The fault-injection list, 1 to 33, as far as it is about one program and `Sandbox`."""

import os
import random
import struct
import time
import zlib
from pathlib import Path

import pytest

from tracer.corpora.synthetic import programs
from tracer.sandbox import Limits, Sandbox, frames
from tracer.schema import Program, dump_trace
from tracer.values import render

pytestmark = pytest.mark.faults


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


@pytest.mark.parametrize("source", ["while True: pass", "import time; time.sleep(60)", "9**9**9"])
def test_8_a_program_that_takes_too_long_is_ended_in_time(source):
    limits = Limits(wall_s=0.8, cpu_s=20)
    with Sandbox(limits) as box:
        box.run(b"")
        began = time.monotonic()
        assert box.run(source.encode()).kind == "timeout"
        assert time.monotonic() - began < limits.wall_s + 1


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
