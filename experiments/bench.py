"""`python -m experiments.bench [group=NAME] [out=FILE.json]`: how fast tracer and models are.

Each figure is the median of some runs after one that does not count, with the least and the
greatest beside it. A busy machine shows in the spread, and in the load that is reported with it.
"""

import io
import itertools
import json
import math
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from flax import nnx
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table

from experiments.command import CONFIGS, UserError, command, options
from experiments.data import train_batches
from experiments.model import build_model, build_optimizer, count
from rssm.dynamics.base import Action
from rssm.model import Belief, WorldModel
from rssm.spec import Batch, Spec
from rssm.step import Trainer
from rssm.types import Array
from tracer.corpora.synthetic import programs
from tracer.encode import encode_trajectory, pieces
from tracer.layout import Layout
from tracer.sandbox import Sandbox
from tracer.schema import Event, Program, frames
from tracer.store import Dataset, Writer
from tracer.trace import Settings, run_program, steps
from tracer.windows import pack

PROGRAM = """
def work(rounds):
    total = 0
    items = []
    for i in range(rounds):
        text = f'item {i % 7}'
        items = items[-3:] + [i % 5]
        total = total + len(text) * i
    return total
"""
EVENTS_PER_ROUND = 4
SMALL = Program("def f(a, b):\n    c = a * b\n    d = [a, b, c]\n    return sum(d)\n", "f(3, 4)")
PROGRAMS = 10  # small ones in a measurement


class Case(NamedTuple):
    """A figure: what was measured so many times."""

    median: float
    low: float
    high: float
    unit: str
    runs: int


Cases = dict[str, Case]


@command("bench")
def main(cfg: DictConfig) -> None:
    figures = bench(cfg)
    show(figures)
    if cfg.out:
        path = Path(cfg.out)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures, indent=1) + "\n")
        print(path)


def bench(cfg: DictConfig) -> dict[str, dict]:
    """{group: {case: {median, low, high, unit, runs}}}, and what it was measured on."""
    if cfg.group not in (*GROUPS, "all"):
        raise UserError(f"unknown group {cfg.group!r}; there are: {', '.join(GROUPS)}, all")
    if cfg.runs < 1:
        raise UserError(f"runs={cfg.runs}: at least one is needed")
    chosen = list(GROUPS) if cfg.group == "all" else [cfg.group]
    load = list(os.getloadavg())
    sizes: dict[str, Any] = {}
    found = {name: GROUPS[name](cfg, sizes) for name in chosen}
    figures: dict[str, dict] = {
        name: {case: figure._asdict() for case, figure in cases.items()}
        for name, cases in found.items()
    }
    return figures | {"machine": machine(load) | sizes}


def machine(load_before: list[float]) -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "jax": version("jax"),
        "backend": jax.default_backend(),
        "device": jax.devices()[0].device_kind,
        "cpu": platform.machine(),
        "cpus": os.cpu_count(),
        "load_before": load_before,
        "load_after": list(os.getloadavg()),
    }


def measure(call: Callable[[], object], runs: int) -> list[float]:
    """Seconds of each run, after one that warms up."""
    return [seconds(call) for _ in range(runs + 1)][1:]


def seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def cost(found: list[float], per: float, unit: str) -> Case:
    """Seconds as a time of each of `per` things."""
    return case([1e6 * t / per if unit.startswith("µs") else 1e3 * t / per for t in found], unit)


def rate(found: list[float], things: float, unit: str) -> Case:
    return case([things / t for t in found], unit)


def case(values: list[float], unit: str) -> Case:
    return Case(statistics.median(values), min(values), max(values), unit, len(values))


# tracer


def tracer(cfg: DictConfig, sizes: dict[str, Any]) -> Cases:
    rounds = max(1, cfg.events // EVENTS_PER_ROUND)
    program = Program(PROGRAM, f"work({rounds})")
    events = len(traced(program))
    sizes["traced"] = {"events": events, "locals": 5}
    with tempfile.TemporaryDirectory() as folder:
        work = load(Path(folder) / "traced.py")
        calls: dict[str, Callable[[], object]] = {
            "no tracing": lambda: work(rounds),
            "empty settrace function": lambda: with_empty_trace(lambda: work(rounds)),
            "tracer, values and effects": lambda: list(steps(traced(program))),
        }
        for name, wrapped in others(work):
            calls[name] = lambda wrapped=wrapped: wrapped(rounds)
        cases = {
            name: cost(measure(call, cfg.runs), events, "µs/event") for name, call in calls.items()
        }
    with Sandbox() as box:
        long = measure(lambda: box.run_program(program), cfg.runs)
        small = measure(lambda: [box.run_program(SMALL) for _ in range(PROGRAMS)], cfg.runs)
    cases["sandbox, the same program"] = cost(long, events, "µs/event")
    return cases | {"sandbox, a small program": cost(small, PROGRAMS, "ms/program")}


def traced(program: Program) -> list[Event]:
    events: list[Event] = []
    run_program(program, Settings(events=1_000_000), events.append)
    return events


def load(path: Path) -> Callable[[int], int]:
    """The function in a file of its own: some tracers read the source."""
    path.write_text(PROGRAM)
    names: dict[str, Any] = {"__name__": "traced", "__file__": str(path)}
    exec(compile(PROGRAM, str(path), "exec"), names)
    return names["work"]


def with_empty_trace(call: Callable[[], object]) -> None:
    def nothing(frame: Any, event: str, arg: Any) -> Any:
        return nothing

    before = sys.gettrace()
    sys.settrace(nothing)
    try:
        call()
    finally:
        sys.settrace(before)


def others(work: Callable) -> Iterator[tuple[str, Callable]]:
    """What is installed of the tracers that people use; they print, into nowhere."""
    if find_spec("pysnooper"):
        snoop = import_module("pysnooper").snoop
        yield "PySnooper", snoop(io.StringIO(), color=False)(work)
    if find_spec("snoop"):
        config = import_module("snoop").Config(out=io.StringIO(), color=False)
        yield "snoop", config.snoop(work)
    if find_spec("hunter"):
        hunter, filename = import_module("hunter"), work.__code__.co_filename

        def hunted(rounds: int) -> None:
            printer = hunter.VarsSnooper(stream=io.StringIO())
            with hunter.trace(filename=filename, action=printer):
                work(rounds)

        yield "hunter, VarsSnooper", hunted


# pipeline


def pipeline(cfg: DictConfig, sizes: dict[str, Any]) -> Cases:
    layout = Layout()
    with Sandbox() as box:
        traces = [box.run_program(program).trace for program in programs(cfg.programs)]
    calls = [events for trace in traces for events in frames(trace).values()]
    trajectories = [encode_trajectory(events, layout) for events in calls]
    cut = [piece for trajectory in trajectories for piece in pieces(trajectory, layout)]
    windows = list(pack(cut, layout))
    length = sum(len(events) for events in calls)
    sizes["pipeline"] = {"trajectories": len(calls), "steps": length, "windows": len(windows)}

    def encode() -> None:
        for events in calls:
            list(pieces(encode_trajectory(events, layout), layout))

    cases = {
        "encode": cost(measure(encode, cfg.runs), length, "µs/step"),
        "pack": cost(measure(lambda: list(pack(cut, layout)), cfg.runs), length, "µs/step"),
    }
    with tempfile.TemporaryDirectory() as folder:
        writer = Writer(Path(folder) / "dataset", layout)
        for window in windows:
            writer.write_window("train", window)
        writer.finish({})
        batches = train_batches(Dataset(Path(folder) / "dataset"), cfg.batch_size, seed=0)
        epoch = max(4, len(windows) // cfg.batch_size)
        read = measure(lambda: list(itertools.islice(batches, epoch)), cfg.runs)
    fill = np.mean([window["mask"].mean() for window in windows])
    used = float(fill) * epoch * cfg.batch_size * layout.steps
    return cases | {"read shuffled batches": rate(read, used, "steps/s")}


# train and imagine


def train(cfg: DictConfig, sizes: dict[str, Any]) -> Cases:
    return {
        f"{name}, {what}": figure
        for name in cfg.models
        for what, figure in train_one(cfg, name, sizes).items()
    }


def train_one(cfg: DictConfig, name: str, sizes: dict[str, Any]) -> Cases:
    config, model = built(cfg, name, sizes)
    batch = random_batch(model.spec, cfg.batch_size)
    transitions = batch[model.spec.mask.name].shape
    sizes["batch"] = list(transitions)
    trainer = Trainer(model, build_optimizer(config))
    state, key = trainer.initial(), jax.random.key(0)
    began = time.perf_counter()
    step = trainer.train_step.lower(state, batch, key).compile()
    compiled = [time.perf_counter() - began]

    def advance() -> None:
        nonlocal state
        state, metrics = step(state, batch, key)
        jax.block_until_ready((state, metrics))

    found = measure(advance, cfg.runs)
    return {
        "compile": cost(compiled, 1, "ms"),
        "gradient step": cost(found, 1, "ms"),
        "transitions": rate(found, math.prod(transitions), "transitions/s"),
    }


def imagine(cfg: DictConfig, sizes: dict[str, Any]) -> Cases:
    sizes["imagined_steps"] = cfg.steps
    return {
        f"{name}, {what}": figure
        for name in cfg.models
        for what, figure in imagine_one(cfg, name, sizes).items()
    }


def imagine_one(cfg: DictConfig, name: str, sizes: dict[str, Any]) -> Cases:
    """Microseconds per statement of each imagined run: latents alone, and read as values."""
    _, model = built(cfg, name, sizes)
    graph, params = nnx.split(model, nnx.Param)

    @jax.jit
    def latent(params: Any, a: Action, memory: Array) -> Array:
        dynamics = nnx.merge(graph, params).dynamics
        return dynamics.imagine(dynamics.initial(len(a.refs)), a, None)[1].feat

    @jax.jit
    def decoded(params: Any, a: Action, memory: Array) -> Belief:
        return nnx.merge(graph, params).read(latent(params, a, memory), memory)

    cases: Cases = {}
    for batch_size in cfg.imagined:
        inputs = random_actions(model, batch_size, cfg.steps)
        for what, call in {"latent": latent, "decoded": decoded}.items():
            found = measure(partial(synchronised, call, params, *inputs), cfg.runs)
            cases[f"batch {batch_size}, {what}"] = cost(found, batch_size * cfg.steps, "µs/step")
    return cases


def synchronised(call: Callable, *args: Any) -> None:
    jax.block_until_ready(call(*args))


def built(cfg: DictConfig, name: str, sizes: dict[str, Any]) -> tuple[DictConfig, WorldModel]:
    """The model that `python -m experiments.train size=... dynamics=...` trains."""
    known = options(Path(CONFIGS) / "dynamics")
    if name not in known:
        raise UserError(f"unknown dynamics {name!r}; there are: {', '.join(known)}")
    GlobalHydra.instance().clear()  # this command's own config is composed already
    with initialize_config_dir(CONFIGS, version_base=None):
        config = compose("train", [f"dynamics={name}", "run_dir=none", "dataset=none"])
    config.size = cfg.size
    model = build_model(config, Spec.from_schema(Layout().schema()), config.seed)
    sizes["size"] = OmegaConf.to_container(cfg.size)
    sizes.setdefault("params", {})[name] = count(nnx.state(model, nnx.Param))
    return config, model


def random_batch(spec: Spec, batch_size: int) -> Batch:
    """A batch of the right form: what is computed does not depend on what is in it."""
    rng = np.random.default_rng(0)
    batch = {
        field.name: rng.integers(field.size, size=(batch_size, *field.shape)).astype(field.dtype)
        for field in spec.fields.values()
    }
    batch[spec.reset.name] = rng.random(batch[spec.reset.name].shape) < 0.05
    batch[spec.mask.name][:] = True
    return jax.device_put(batch)


def random_actions(model: WorldModel, batch_size: int, length: int) -> tuple[Action, Array]:
    """Embedded statements, and the rows that the slots held last."""
    spec, shape = model.spec, (batch_size, length)
    keys = jax.random.split(jax.random.key(0), 3)
    embedding = jax.random.normal(keys[0], (*shape, model.encoder.a_dim))
    refs = jax.random.randint(keys[1], (*shape, spec.references), 0, spec.slots + 1)
    rows = spec[spec.rows.table]
    cells = (*shape, spec.rows.shape[1], rows.shape[1])
    return Action(embedding, refs), jax.random.randint(keys[2], cells, 0, rows.size)


GROUPS: dict[str, Callable[[DictConfig, dict[str, Any]], Cases]] = {
    "tracer": tracer,
    "pipeline": pipeline,
    "train": train,
    "imagine": imagine,
}


def show(figures: dict[str, dict]) -> None:
    table = Table()
    for column in ("group", "case"):
        table.add_column(column)
    for column in ("median", "low", "high", "unit", "runs"):
        table.add_column(column, justify="left" if column == "unit" else "right")
    for group in (name for name in figures if name != "machine"):
        for name, at in figures[group].items():
            values = [short(at[key]) for key in ("median", "low", "high")]
            table.add_row(group, name, *values, at["unit"], str(at["runs"]))
        table.add_section()
    Console(width=None if sys.stdout.isatty() else 110).print(table)
    print(", ".join(f"{name} {value}" for name, value in figures["machine"].items()))


def short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
