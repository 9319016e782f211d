"""Traced and untraced runs of benign programs print the same and end the same."""

import os
import subprocess
import sys
from collections.abc import Iterable
from itertools import islice

import pytest

from tracer.corpora import stdlib, synthetic
from tracer.sandbox import Limits, Sandbox
from tracer.schema import Program

# What the sandbox does to a program, but for the tracing; its answer goes to stderr.
PLAIN = """
import sys
from types import ModuleType
name, source, call = eval(sys.stdin.read())
sys.stdin.close()
module = sys.modules[name] = ModuleType(name)
module.__dict__["__builtins__"] = __builtins__
try:
    exec(compile(source, "<traced>", "exec", dont_inherit=True), module.__dict__)
    if call:
        exec(compile(call, "<call>", "exec", dont_inherit=True), module.__dict__)
except BaseException:
    sys.exit(1)
"""


def programs(count: int) -> Iterable[Program]:
    """So many, evenly of two corpora, each with something to print at its end."""
    real = [p for p in stdlib.programs(inputs=3) if p.call]
    made = list(synthetic.programs(count=count, difficulty=2))
    chosen = [*real[:: max(1, 2 * len(real) // count)], *made]
    for program in islice(chosen, count):
        yield shown(program)


def shown(program: Program) -> Program:
    """The same program, which prints what its last expression gives."""
    lines = (program.call or "").splitlines()
    try:
        compile(lines[-1] if lines else "", "<last>", "eval")
    except SyntaxError:
        return program
    return program._replace(call="\n".join([*lines[:-1], f"print({lines[-1]})"]))


def plain(program: Program) -> tuple[str, bool]:
    done = subprocess.run(
        [sys.executable, "-s", "-P", "-X", "utf8", "-c", PLAIN],
        input=repr((program.name, program.source, program.call)),
        capture_output=True,
        text=True,
        env={"PYTHONHASHSEED": "0", "LANG": "C.UTF-8", "PATH": os.environ.get("PATH", "")},
    )
    return done.stdout, done.returncode == 0


def test_tracing_changes_neither_output_nor_end(request):
    """`--benign N` runs N programs."""
    count = request.config.getoption("--benign")
    printed = ran = 0
    with Sandbox(Limits(wall_s=60, cpu_s=60, events=2000)) as box:
        for program in programs(count):
            outcome = box.run_program(program)
            stdout, ended = plain(program)
            assert outcome.kind in ("ok", "exception"), program.call
            assert (outcome.stdout, outcome.kind == "ok") == (stdout, ended), program.call
            ran += 1
            printed += bool(stdout)
    print(f"{ran} programs, {printed} of them print")
    assert ran == count and printed > count // 2


@pytest.mark.parametrize("source, ended", [("print(1)", True), ("print(1); 1 / 0", False)])
def test_an_untraced_run_tells_how_it_ended(source, ended):
    assert plain(Program(source)) == ("1\n", ended)
