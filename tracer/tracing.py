"""The programs of a plan, run: their traces as shards, none of them lost and none made twice.

A shard remembers the numbers of its programs. What an interrupted run has committed is not run
again; of a full shard that is missing or damaged just its programs are, and it gets its place back.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from tracer.agent.play import is_episode, play
from tracer.corpora.split import of_one_source
from tracer.plan import Plan, Planned
from tracer.pool import Launch, sandbox
from tracer.sandbox import Limits, Outcome
from tracer.schema import Program, Trace, dump_trace, frames
from tracer.shards import Records, Shard, is_whole
from tracer.store import Open, Writer
from tracer.values import render

JOB = 8  # programs of a message, and the rest of the last one's function


class Job(NamedTuple):
    programs: list[Planned]
    wanted: frozenset[int]  # numbers; the others ran before, and only their paths are asked for


class Result(NamedTuple):
    """What became of a program."""

    number: int
    split: str
    id: str
    record: bytes
    repeats: bool  # a mutated call on a path that a call before it took
    reason: str | None  # why it could not be run


class Ledger:
    """Which programs of a plan have been run, and in which shards their traces are."""

    def __init__(self, writer: Writer, plan: Plan, every: float = math.inf):
        """`every` so many seconds shards are committed that are not full."""
        self.writer, self.plan, self.every = writer, plan, every
        self.done = bytearray(len(plan.sides))
        self.lost: dict[int, Open] = {}  # by number of a program: the shard to be made again
        self.saved = time.monotonic()
        for shard in [s for s in writer.shards.values() if "programs" in s.about]:
            self._recall(shard)

    def left(self) -> int:
        return self.plan.count() - sum(self.done)

    def jobs(self) -> Iterator[Job]:
        """What is left to do; calls of one function stay together."""
        programs: list[Planned] = []
        wanted: list[int] = []
        for calls in of_one_source(self.plan.programs(), source_of):
            missing = [each for each in calls if not self.done[each.number]]
            is_mutated = any(each.program.mutated for each in calls)
            programs += calls if missing and is_mutated else missing
            wanted += [each.number for each in missing]
            if len(wanted) >= JOB:
                yield Job(programs, frozenset(wanted))
                programs, wanted = [], []
        if wanted:
            yield Job(programs, frozenset(wanted))

    def add(self, result: Result) -> None:
        shard = self.lost.get(result.number)
        kind = f"{result.split}-traces"
        is_new = shard is None
        if shard is None:
            shard = self.writer.opened(kind)
            shard.about = shard.about or {"programs": [], "dropped": [], "reasons": {}}
        if result.repeats and is_new:
            shard.about["dropped"].append(result.number)
            return
        shard.add(result.record, result.id)
        shard.about["programs"].append(result.number)
        if result.reason:
            reasons = shard.about["reasons"]
            reasons[result.reason] = reasons.get(result.reason, 0) + 1
        if is_new and shard.is_full:
            self._seal(shard, is_full=True)
            del self.writer.open[kind]
        elif not is_new and len(shard.records) == shard.about["expected"]:
            del shard.about["expected"]
            self._seal(shard, is_full=True)
        elif is_new and time.monotonic() - self.saved > self.every:
            self.save()

    def save(self, is_full: bool = False) -> None:
        """Commit what there is; `is_full` when no more will come."""
        for shard in self.writer.open.values():
            if shard.records:
                self._seal(shard, is_full)
        if is_full:
            self.writer.open.clear()
        self.saved = time.monotonic()

    def reasons(self) -> dict[str, dict[str, int]]:
        """Why programs could not be run, by split, and how often."""
        found: dict[str, Counter] = {}
        for shard in self.writer.shards.values():
            counts = found.setdefault(shard.name.partition("-")[0], Counter())
            counts.update(shard.about.get("reasons", {}))
        return {split: dict(counts) for split, counts in found.items()}

    def dropped(self) -> int:
        return sum(len(shard.about.get("dropped", ())) for shard in self.writer.shards.values())

    def _seal(self, shard: Open, is_full: bool) -> None:
        digest = self.plan.digest([*shard.about["programs"], *shard.about["dropped"]])
        shard.about |= {"full": is_full, "digest": digest}
        self.writer.commit(shard)

    def _recall(self, shard: Shard) -> None:
        about = shard.about
        numbers = [*about["programs"], *about["dropped"]]
        if max(numbers) >= len(self.done) or self.plan.digest(numbers) != about["digest"]:
            raise ValueError(
                f"the corpus has other programs now than those of {shard.name}; give it as it "
                f"was, or remove {self.writer.part}"
            )
        kind = shard.name.partition(".")[0].rpartition("-")[0]
        kept = Open(shard.name)
        if not is_whole(self.writer.part, shard):
            if not about["full"]:  # the last of its kind, as if it had never been
                del self.writer.shards[shard.name]
                self.writer.next[kind] -= 1
                return
            kept.about = {**about, "programs": [], "reasons": {}, "expected": len(shard.ids)}
            self.lost |= dict.fromkeys(about["programs"], kept)
            numbers = about["dropped"]
        elif not about["full"]:
            for record, id in zip(Records(self.writer.part, [shard]), shard.ids, strict=True):
                kept.add(record, id)
            kept.about = about | {key: list(about[key]) for key in ("programs", "dropped")}
            self.writer.open[kind] = kept
        for number in numbers:
            self.done[number] = True


def run_jobs(
    ledger: Ledger, work: Callable[[Job], list[Result]], launch: Launch
) -> Iterator[Result]:
    """Do what is left with `work`, a `run_job`; each result has been entered when it is seen."""
    for results in launch(work, ledger.jobs()):
        for result in results:
            ledger.add(result)
            yield result
    ledger.save(is_full=True)


def run_job(job: Job, limits: Limits, **asked: Any) -> list[Result]:
    """In whatever process this is, which keeps its sandbox for the next."""
    results = []
    for calls in of_one_source(job.programs, source_of):
        is_mutated = any(each.program.mutated for each in calls)
        taken: set[int] = set()
        for number, program, split in calls:
            outcome = run(program, limits, **asked)
            path = path_of(outcome.trace) if is_mutated else 0
            repeats = program.mutated and path in taken
            taken.add(path)
            if number in job.wanted:
                record, reason = dump_trace(outcome.trace), reason_of(program.call, outcome)
                results.append(Result(number, split, outcome.trace.id, record, repeats, reason))
    return results


def run(program: Program, limits: Limits, **asked: Any) -> Outcome:
    """An episode has a sandbox of its own, all other programs share one."""
    if is_episode(program):
        return play(program, limits, **asked)
    return sandbox(limits, **asked).run_program(program)


def path_of(trace: Trace) -> int:
    """The ways from a line to the next that a run took, as a number.

    Which ways, and not how often: otherwise every number of turns of a loop were a path of its own.
    """
    taken = {
        (before.statement, before.lineno, after.kind, after.lineno)
        for events in frames(trace).values()
        for before, after in pairwise(events)
    }
    return hash(frozenset(hash(each) for each in taken))


def reason_of(call: str | None, outcome: Outcome) -> str | None:
    """Why a program could not be run to an end of its own, if so."""
    if outcome.kind in ("timeout", "memory", "killed"):
        return outcome.kind
    if outcome.error is None:
        return outcome.kind if outcome.kind == "rejected" else None
    name = str(outcome.error.data[0])
    if outcome.kind == "rejected":
        return f"does not compile: {name}"
    if outcome.kind == "exception" and call is not None and not outcome.trace.events:
        said = render(outcome.error) if name == "ModuleNotFoundError" else name
        return f"before its call: {said}"
    return None


def source_of(planned: Planned) -> str:
    return planned.program.source
