"""The speed of the sandbox: what it takes to start one, and what a program costs in a warm one."""

from typing import Any

from omegaconf import DictConfig

from experiments.measure import Cases, cost, measure
from tracer.sandbox import Limits, Sandbox, SandboxError
from tracer.schema import Program

SMALL = Program("def f(a, b):\n    c = a * b\n    d = [a, b, c]\n    return sum(d)\n", "f(3, 4)")
PROGRAMS = 20  # in a measurement


def sandbox(cfg: DictConfig, sizes: dict[str, Any]) -> Cases:
    """In every tier that this machine has; D, bounds without isolation, to compare with."""
    cases: Cases = {}
    for tier in "ABD":
        try:
            with Sandbox(Limits(), tier=tier, trusted_programs=True) as box:
                sizes[f"tier {tier}"] = box.facts()["form"]
                small = measure(lambda box=box: [run(box) for _ in range(PROGRAMS)], cfg.runs)
                start = measure(lambda box=box: restart(box), cfg.runs)
        except SandboxError as error:
            sizes[f"tier {tier}"] = str(error)
            continue
        cases[f"tier {tier}, a small program"] = cost(small, PROGRAMS, "ms/program")
        cases[f"tier {tier}, a fresh worker"] = cost(start, 1, "ms")
    return cases


def run(box: Sandbox) -> None:
    assert box.run_program(SMALL).kind == "ok"


def restart(box: Sandbox) -> None:
    box.close()
    box.facts()
