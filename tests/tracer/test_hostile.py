"""Every hostile program: no escape, the outcome it is to have, and the next program is fine.

In the strongest tier here; `python -m pytest -m hostile` does it in the others too.
"""

import dataclasses
import os
import re
import time

import pytest
from hostile_corpus import PROGRAMS, SECRET, Canary, processes_below

from tracer.sandbox import Limits, Sandbox, SandboxError
from tracer.schema import dump_trace

LIMITS = Limits(wall_s=15, cpu_s=10, memory_mib=160, file_mib=4)
SHORT = dataclasses.replace(LIMITS, wall_s=0.4, cpu_s=0.3, events=2000)
GRACE = 0.5  # seconds that a limit may be passed by
OTHERS = ("A, user namespace", "B")
TIERS = ["strongest", *(pytest.param(tier, marks=pytest.mark.hostile) for tier in OTHERS)]


@pytest.fixture(scope="module")
def canary():
    canary = Canary()
    yield canary
    canary.close()


@pytest.fixture(scope="module", params=TIERS)
def box(request, canary):
    name, _, form = request.param.partition(", ")
    before = set(processes_below(os.getpid()))
    with pytest.MonkeyPatch.context() as patch:
        if form:
            patch.setattr("tracer.sandbox.tiers.forms", lambda: (form,))
        with Sandbox(LIMITS, tier=None if name == "strongest" else name) as box:
            try:
                box.facts()
            except SandboxError as error:
                pytest.skip(str(error))
            yield box
    deadline = time.monotonic() + 5
    while (left := set(processes_below(os.getpid())) - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left, "something is still running"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_hostile_program_is_held(box, canary, program):
    box.run(b"")  # there is a worker
    worker = box.worker
    box.limits = SHORT if program.outcomes == ("timeout",) else LIMITS
    source = canary.fill(program.source)
    start = time.monotonic()
    outcome = box.run(source)
    seconds = time.monotonic() - start
    shown = (outcome.flags, outcome.error, outcome.stdout[-2000:])
    assert outcome.kind in program.outcomes, shown
    assert program.flags <= set(outcome.flags), shown
    assert "ESCAPED" not in outcome.stdout, shown
    assert SECRET.encode() not in dump_trace(outcome.trace)
    assert canary.is_untouched()
    if box.limits is SHORT and seconds >= SHORT.wall_s + GRACE:  # the machine may have stood still
        start = time.monotonic()
        box.run(source)
        assert time.monotonic() - start < SHORT.wall_s + GRACE
    after = box.run(b"x = 1\ny = [x]")
    assert (after.kind, after.flags, len(after.trace.events)) == ("ok", (), 4)
    assert box.worker is worker, "it took its worker with it"


def test_every_row_of_the_threat_table_that_a_program_can_be_has_some():
    rows = {program.row for program in PROGRAMS}
    assert rows == {f"T{number}" for number in range(1, 18)}
    assert len(PROGRAMS) > 100
    assert len({program.source for program in PROGRAMS}) == len(PROGRAMS)


def test_a_name_is_no_path(box, canary):
    for name in (f"{canary.file}", "../../x", "-rf", "a\nb", "a\0b", ""):
        outcome = box.run(b"x = __name__", name=name)
        assert outcome.kind == "ok"
        assert re.fullmatch(r"[0-9a-f]{32}", outcome.trace.id)
    assert box.run(b"x = 1", name="x" * 300).kind == "rejected"
    assert canary.is_untouched()
