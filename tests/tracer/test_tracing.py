"""Programs of a plan, run: what is kept of the mutated ones, and what is done again."""

import math
from collections import Counter
from functools import partial

import pytest

from tracer.corpora import mutate
from tracer.layout import Layout
from tracer.plan import Plan, Planned, make_plan
from tracer.pool import here
from tracer.sandbox import Limits
from tracer.schema import Program
from tracer.store import Writer
from tracer.tracing import JOB, Job, Ledger, run_job, run_jobs

LIMITS = Limits(wall_s=2, cpu_s=2)
WORK = partial(run_job, limits=LIMITS)
SIGN = """\
def sign(x):
    if x > 0:
        return 1
    if x < 0:
        return -1
    return 0
"""
LOOP = """\
def total(n):
    s = 0
    for i in range(n):
        s += i
    return s
"""


def job(source: str, *calls: str, mutated: int = 0) -> Job:
    """The calls from the one numbered `mutated` on are mutations."""
    programs = [
        Planned(n, Program(source, call, mutated=n >= mutated), "train")
        for n, call in enumerate(calls)
    ]
    return Job(programs, frozenset(range(len(calls))))


def kept(work: Job) -> list[int]:
    return [result.number for result in run_job(work, LIMITS) if not result.repeats]


def test_a_mutated_call_is_kept_where_it_takes_a_path_of_its_own():
    calls = [f"sign({x})" for x in (3, 5, 0, -1, -7, 0)]
    assert kept(job(SIGN, *calls, mutated=1)) == [0, 2, 3]


def test_calls_that_were_not_mutated_are_kept_whatever_they_do():
    calls = [f"sign({x})" for x in (3, 5, 7, 9)]
    assert kept(job(SIGN, *calls, mutated=3)) == [0, 1, 2]


def test_more_turns_of_a_loop_are_no_other_path_and_none_at_all_is():
    assert kept(job(LOOP, *(f"total({n})" for n in (2, 3, 9, 0, 0)), mutated=1)) == [0, 3]


def test_an_exception_is_a_path():
    assert kept(job(LOOP, "total(2)", "total('a')", "total('b')", mutated=1)) == [0, 1]


def test_functions_do_not_know_of_each_other():
    one, other = job(SIGN, "sign(3)", mutated=1), job(LOOP, "total(3)", "total(4)", mutated=1)
    both = [*one.programs, *(each._replace(number=each.number + 1) for each in other.programs)]
    assert kept(Job(both, frozenset(range(3)))) == [0, 1]


@pytest.fixture
def plan(tmp_path) -> Plan:
    programs = [Program(SIGN, "sign(3)", "a"), Program(LOOP, "total(4)", "b")]
    programs += [Program(f"def f(x):\n    return x + {n}\n", f"f({n})", f"{n}") for n in range(4)]
    return make_plan(mutate.programs(programs, 6), tmp_path / "plan", here, [], True)


def test_of_mutations_the_paths_are_kept_and_the_rest_counted(plan, tmp_path):
    writer = Writer(tmp_path / "data", Layout())
    ledger = Ledger(writer, plan)
    results = list(run_jobs(ledger, WORK, here))
    assert len(results) == plan.count() and ledger.left() == plan.count()
    sign = [r for r, p in zip(results, plan.programs(), strict=True) if p.program.source == SIGN]
    assert sum(not each.repeats for each in sign) in (2, 3)  # more, less, nothing
    mutated = sum(each.repeats for each in results)
    assert ledger.dropped() == mutated > 20
    assert sum(len(shard.ids) for shard in writer.shards.values()) == plan.count() - mutated


@pytest.mark.parametrize("stop", (1, 9, 30))
def test_what_an_interrupted_run_left_is_filled_in(plan, tmp_path, stop):
    """The same records in the same shards, wherever it stopped; nothing is run that was kept."""
    whole = Writer(tmp_path / "whole", Layout())
    list(run_jobs(Ledger(whole, plan), WORK, here))
    writer = Writer(tmp_path / "data", Layout())
    ledger = Ledger(writer, plan)
    for result in run_jobs(ledger, WORK, here):
        if result.number >= stop:
            ledger.save()
            break
    done = Counter(number for s in writer.shards.values() for number in s.about["programs"])
    assert done and set(done.values()) == {1}
    again = Writer(tmp_path / "data", Layout(), writer.part)
    ledger = Ledger(again, plan)
    rest = list(run_jobs(ledger, WORK, here))
    assert not set(done) & {result.number for result in rest}
    assert {name: s.sha256 for name, s in again.shards.items()} == {
        name: s.sha256 for name, s in whole.shards.items()
    }
    assert ledger.dropped() == sum(len(s.about["dropped"]) for s in whole.shards.values())


def test_calls_of_one_function_stay_in_one_message(plan, tmp_path):
    jobs = list(Ledger(Writer(tmp_path / "data", Layout()), plan).jobs())
    places: dict[str, set[int]] = {}
    for number, each in enumerate(jobs):
        assert len(each.wanted) == len(each.programs) >= min(JOB, len(jobs))
        for planned in each.programs:
            places.setdefault(planned.program.source, set()).add(number)
    assert all(len(place) == 1 for place in places.values())


def test_what_could_not_be_run_is_told_with_the_reason():
    calls = {
        "def f(x): return x": ("f(1)", None),
        "def f(x): return 1 / x": ("f(0)", None),  # it ran: that it raised is what it does
        "def f(x:": ("f(1)", "does not compile: SyntaxError"),
        "import nowhere\ndef f(x): pass": (
            "f(1)",
            "before its call: ModuleNotFoundError(\"No module named 'nowhere'\")",
        ),
        "def f(x):\n    while x: pass": ("f(1)", "timeout"),
        "def f(x): return bytearray(x)": ("f(10 ** 12)", "memory"),
        "import os\ndef f(x): os._exit(1)": ("f(1)", "killed"),
    }
    limits = Limits(wall_s=0.5, cpu_s=2, memory_mib=512)
    for source, (call, reason) in calls.items():
        [result] = run_job(job(source, call, mutated=1), limits)
        assert result.reason == reason, source


def test_a_ledger_commits_every_so_many_seconds(plan, tmp_path):
    for every, least in ((0.0, 6), (math.inf, 1)):
        writer = Writer(tmp_path / f"{every}", Layout())
        list(run_jobs(Ledger(writer, plan, every), WORK, here))
        lines = (writer.part / "shards.jsonl").read_text().splitlines()
        assert len(lines) >= least
        if every:
            assert len(lines) == len(writer.shards)
