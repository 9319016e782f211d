"""`python -m experiments.trace corpus=NAME out=DIR`: a corpus to a dataset.

A run has three parts: which programs (the plan), their traces, and windows of these. What it has
committed when it is interrupted stays in DIR.part, and the same command goes on there. On a dataset
that has lost files it makes these again. `verify DIR` reads everything and says what is damaged.
"""

import platform
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table

from experiments.build import build_programs
from experiments.command import CONFIGS, UserError, command, user_errors
from experiments.progress import progress
from tracer.derive import Counts, derive
from tracer.layout import Layout
from tracer.leaks import Set, read_evaluation
from tracer.part import Part
from tracer.plan import make_plan
from tracer.pool import Launch, launcher
from tracer.sandbox import Limits, Sandbox
from tracer.schema import OUTCOMES, VERSION, Program
from tracer.shards import read_manifest
from tracer.store import SPLITS, Dataset, Writer
from tracer.tracing import Ledger, run_job, run_jobs

# Without another dataset coming out.
MAY_DIFFER = ("out", "processes", "launcher", "commit_every", "verify", "sandbox")


class Terminated(BaseException):
    """SIGTERM: what is done is committed, and the rest left for another run."""


def spelled(arguments: list[str]) -> list[str]:
    """`verify DIR` and `corpus.launcher=ray` in hydra's words."""
    if arguments[:1] == ["verify"]:
        if len(arguments) != 2:
            raise UserError(f"verify DIR: one dataset, and not {len(arguments) - 1}")
        return [f"verify={QuotedString(arguments[1], Quote.single).with_quotes()}"]
    return [each.replace("corpus.launcher=", "launcher=", 1) for each in arguments]


@command("trace", spelled)
def main(cfg: DictConfig) -> None:
    if cfg.verify is not None:
        verify(Path(cfg.verify))
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        trace_corpus(cfg)
    except (Terminated, KeyboardInterrupt) as end:
        part = Path(f"{cfg.out}.part")
        rest = f"goes on with what is in {part}" if part.exists() else "begins anew"
        print(f"interrupted; the same command {rest}")
        sys.exit(0 if isinstance(end, Terminated) else 130)


def suites() -> dict[str, Set]:
    """Those whose programs are made here, so that the name says which."""
    paths = sorted(Path(CONFIGS, "suite").glob("*.yaml"))
    known = {path.stem: DictConfig(OmegaConf.load(path)) for path in paths}
    return {
        name: partial(programs_of, suite)
        for name, suite in known.items()
        if suite.corpus is not None and not OmegaConf.is_missing(suite, "path")
    }


def programs_of(suite: DictConfig) -> tuple[Iterator[Program], dict[str, Any]]:
    return build_programs(suite.corpus), {"corpus": OmegaConf.to_container(suite.corpus)}


def trace_corpus(cfg: DictConfig) -> Path:
    folder = Path(cfg.out)
    settings = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(settings, dict)
    if is_made(folder, settings):
        print(f"{folder} is already made with this config")
        return folder
    with user_errors(TypeError, ValueError):
        layout, limits = Layout(**cfg.window), Limits(**cfg.limits)
        against = [read_evaluation(each, suites()) for each in cfg.leaks.against]
    with Sandbox(limits, **cfg.sandbox) as box:
        facts = box.facts()
    print(f"sandbox: tier {facts['tier']}, {facts['form']}")
    began = time.monotonic()
    fixed = {key: value for key, value in settings.items() if key not in MAY_DIFFER}
    about = {"version": VERSION, "python": platform.python_version()}
    part = Part(folder, {**about, "config": fixed}, mend=folder.exists())
    try:
        with user_errors(ValueError), launcher(cfg.launcher, cfg.processes) as launch:
            writer = Writer(folder, layout, part.path)
            programs = progress(build_programs(cfg.corpus), "planning")
            spool = part.path / "programs.tmp"
            plan = make_plan(programs, spool, launch, against, cfg.leaks.drop)
            ledger = Ledger(writer, plan, cfg.commit_every)
            trace_rest(ledger, partial(run_job, limits=limits, **cfg.sandbox), launch)
            outcomes, counts = derive(writer, cfg.seed, watched(launch))
        writer.complete(
            {
                "config": settings,
                "python": about["python"],
                "outcomes": outcomes,
                "counts": counts,
                "not_run": ledger.reasons(),
                "plan": plan.about | {"mutations_left_out": ledger.dropped()},
                "sandbox": facts,
            }
        )
        part.finish()
    except BaseException:
        if read_manifest(part.path):
            part.close()
        else:
            part.remove()
        raise
    show(Dataset(folder).manifest, folder, time.monotonic() - began)
    return folder


def trace_rest(ledger: Ledger, work: Callable[..., Any], launch: Launch) -> None:
    try:
        for _ in progress(run_jobs(ledger, work, launch), "tracing", ledger.left()):
            pass
    except (KeyboardInterrupt, Terminated):
        ledger.save()
        raise


def watched(launch: Launch) -> Launch:
    def shown(work: Any, items: Any) -> Iterator[Any]:
        return progress(launch(work, items), "encoding")

    return shown


def is_made(folder: Path, settings: dict) -> bool:
    """Whether a dataset is there, and these settings would give it again.

    False with a folder there means that it is this dataset, and files of it are gone.
    """
    if not folder.exists():
        return False
    if (folder / "manifest.json").is_file():
        with user_errors(ValueError):
            dataset = Dataset(folder)
        made = dataset.manifest["config"]
        if all(made.get(k) == v for k, v in settings.items() if k not in MAY_DIFFER):
            return dataset.is_complete()
    raise FileExistsError(f"{folder} already exists; choose another folder or remove it")


def verify(folder: Path) -> None:
    """Read everything, and compare it with the manifest."""
    began = time.monotonic()
    with user_errors(ValueError):
        dataset = Dataset(folder)
    faults = list(dataset.faults())
    for fault in faults:
        print(fault)
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise UserError(f"{faults[0]}{more}")
    records, files = dataset.manifest["records"], dataset.manifest["files"]
    seconds = time.monotonic() - began
    print(f"{folder}: all {sum(records.values())} records of {len(files)} shards, {seconds:.1f} s")


def show(manifest: dict[str, Any], folder: Path, seconds: float) -> None:
    outcomes: Counts = manifest["outcomes"]
    counts: Counts = manifest["counts"]
    table = Table(title=f"{folder}: programs by outcome")
    table.add_column("split")
    present = [kind for kind in OUTCOMES if any(outcomes[name].get(kind) for name in SPLITS)]
    columns = [*present, "could not be run", "trajectories", "steps", "values held exactly"]
    for column in columns:
        table.add_column(column, justify="right")
    for name in SPLITS:
        count = counts[name]
        share = count.get("values_exact", 0) / max(1, count.get("values", 0))
        cells = [outcomes[name].get(kind, 0) for kind in present]
        cells += [sum(manifest["not_run"].get(name, {}).values())]
        cells += [count.get("trajectories", 0), count.get("steps", 0)]
        table.add_row(name, *map(str, cells), f"{share:.1%}")
    Console().print(table)
    for text in remarks(manifest):
        print(text)
    programs = sum(sum(kinds.values()) for kinds in outcomes.values())
    steps = sum(count.get("steps", 0) for count in counts.values())
    print(f"{programs} programs, {steps} steps in {seconds:.0f} s")


def remarks(manifest: dict[str, Any]) -> Iterator[str]:
    """What else is to be known: what could not be run and why, and what was left out."""
    why: dict[str, int] = {}
    for reasons in manifest["not_run"].values():
        for reason, times in reasons.items():
            why[reason] = why.get(reason, 0) + times
    if why:
        ordered = sorted(why.items(), key=lambda each: (-each[1], each[0]))
        yield "could not be run: " + ", ".join(f"{times} {reason}" for reason, times in ordered)
    plan = manifest["plan"]
    yield f"origins: {plan['origins']:,} functions or tasks"
    if plan["repetitions_left_out"]:
        yield f"left out: {plan['repetitions_left_out']} that repeat another"
    if plan["mutations_left_out"]:
        yield f"left out: {plan['mutations_left_out']} mutated calls that took no new path"
    if plan["near_copies_moved"]:
        yield f"near copies: {plan['near_copies_moved']} codes are on the side of what they copy"
    leaks = plan["leaks"]
    for name, found in leaks["against"].items():
        exact, near = found["exact"]["programs"], found["near"]["programs"]
        if exact or near or "path" in found:
            yield f"leaks: {exact} exact and {near} near of the {found['programs']} of {name}"
    if leaks["programs_left_out"]:
        yield f"left out: {leaks['programs_left_out']} training programs that leak"


def _terminate(*_: object) -> None:
    raise Terminated


if __name__ == "__main__":
    main()
