import pytest
from programs import GOLDEN, STDLIB, golden_program, stdlib_program

from tracer.sandbox import Limits, Sandbox
from tracer.schema import Trace


@pytest.fixture(scope="session")
def real_traces() -> list[Trace]:
    """Traces of real programs, made once for all tests that look at arrays."""
    programs = [*map(golden_program, GOLDEN), *(stdlib_program(*row) for row in STDLIB)]
    with Sandbox(Limits(wall_s=30, cpu_s=30, events=1500)) as box:
        outcomes = [box.run_program(program) for program in programs]
    for program, outcome in zip(programs, outcomes, strict=True):
        assert outcome.trace.events, f"{program.origin}: {outcome.kind} {outcome.error}"
    return [outcome.trace for outcome in outcomes]
