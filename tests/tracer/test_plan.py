"""Which programs a dataset has, and on which sides."""

import json
from pathlib import Path

import pytest

from tracer.corpora import synthetic
from tracer.corpora.split import group, split
from tracer.leaks import Evaluation, read_evaluation
from tracer.plan import Plan, make_plan
from tracer.pool import here, launcher
from tracer.schema import Program

NAMES = {"a": "left", "b": "right"}


def planned(programs, tmp_path: Path, *against: Evaluation, drop: bool = True) -> Plan:
    return make_plan(programs, tmp_path / "plan", here, list(against), drop)


def sides(plan: Plan) -> dict[str, str]:
    return {each.program.origin: each.split for each in plan.programs()}


def on(side: str, count: int) -> list[Program]:
    """Programs of one function each that their digests put on a side."""
    drawn = synthetic.programs(50 * count, families=["arithmetic"])
    return [p for p in drawn if split(group(p)) == side][:count]


def renamed(program: Program, origin: str) -> Program:
    """A copy with another name of the function, which has a digest of its own."""
    name = program.source.partition("(")[0].removeprefix("def ")
    for number in range(99):
        source = program.source.replace(f"def {name}(", f"def other_{number}(")
        if split(group(Program(source))) != split(group(program)):
            return Program(source, f"other_{number}(1)", origin)
    raise AssertionError


def evaluation(tmp_path: Path, *programs: Program) -> Evaluation:
    path = tmp_path / "cruxeval.jsonl"
    records = [{"code": p.source, "input": "1", "id": p.origin} for p in programs]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return read_evaluation(f"cruxeval:{path}")


def test_a_plan_has_every_program_once_in_order_with_its_number(tmp_path):
    programs = list(synthetic.programs(40))
    plan = planned([*programs, *programs[:5]], tmp_path)
    found = list(plan.programs())
    assert [each.number for each in found] == list(range(40))
    assert [each.program for each in found] == programs
    assert plan.about["repetitions_left_out"] == 5
    assert plan.about["programs"] == plan.about["origins"] == plan.count() == 40
    assert all(each.split == split(group(each.program)) for each in found)


def test_a_plan_is_the_same_in_many_processes(tmp_path):
    programs = list(synthetic.programs(100))
    plan = planned(programs, tmp_path)
    with launcher("local", 2) as launch:
        other = make_plan(programs, tmp_path / "other", launch, [], True)
    assert plan[1:] == other[1:]
    assert plan.path.read_bytes() == other.path.read_bytes()


def test_a_near_copy_goes_where_the_first_of_them_is(tmp_path):
    [one] = on("test", 1)
    copy = renamed(one, "copy")
    assert split(group(copy)) != "test"
    plan = planned([one, *on("train", 3), copy], tmp_path)
    assert sides(plan)["copy"] == "test"
    assert plan.about["near_copies_moved"] == 1
    for name in ("valid", "test"):
        found = plan.about["leaks"]["against"][name]
        assert found["exact"]["ids"] == found["near"]["ids"] == []


def test_copies_of_copies_are_on_one_side(tmp_path):
    [one] = on("valid", 1)
    copies = [
        one._replace(source=one.source.replace("def ", f"def x{n}"), origin=str(n))
        for n in range(30)
    ]
    assert set(sides(planned([one, *copies], tmp_path)).values()) == {"valid"}


@pytest.mark.parametrize("drop", [True, False])
def test_training_programs_that_copy_an_evaluation_set_are_left_out(tmp_path, drop):
    first, second, *rest = on("train", 6)
    kept = on("test", 1)
    near = next(
        each
        for n in range(99)
        if split(group(each := Program(second.source.replace("def ", f"def x{n}"), None, "near")))
        == "train"
    )
    tests = evaluation(tmp_path, first, second, *kept)
    plan = planned([first, near, *rest, *kept], tmp_path, tests, drop=drop)
    gone = {first.origin, "near"} if drop else set()
    left = [each.origin for each in (first, near, *rest, *kept) if each.origin not in gone]
    assert list(sides(plan)) == left
    leaks = plan.about["leaks"]
    assert leaks["programs_left_out"] == len(gone)
    found = leaks["against"]["cruxeval"]
    exact = [[f"cruxeval/{first.origin}", first.origin, 1.0]]
    assert found["exact"] == {"programs": 1, "ids": exact}
    assert found["near"]["programs"] == 1
    [[of, copy, share]] = found["near"]["ids"]
    assert (of, copy) == (f"cruxeval/{second.origin}", "near") and share >= found["threshold"]
    assert found["programs"] == 3 and len(found["sha256"]) == 64


def test_what_is_not_for_training_may_be_like_an_evaluation_set(tmp_path):
    programs = on("test", 3)
    plan = planned(programs, tmp_path, evaluation(tmp_path, *programs))
    assert plan.count() == 3


def test_a_function_of_an_evaluation_set_is_found_among_others(tmp_path):
    one, other = on("train", 2)
    module = next(
        each
        for n in range(99)
        if split(group(each := Program(f"x = {n}\n{one.source}\n{other.source}", None, "module")))
        == "train"
    )
    plan = planned([module], tmp_path, evaluation(tmp_path, one))
    assert (
        plan.count() == 0 and plan.about["leaks"]["against"]["cruxeval"]["exact"]["programs"] == 1
    )


@pytest.mark.parametrize("text", ["cruxeval", "cruxeval:", "apps:file", ""])
def test_an_evaluation_set_that_is_not_known_is_named_with_those_that_are(text):
    with pytest.raises(ValueError, match=r"give one of cruxeval:FILE, humaneval:FILE, mbpp:FILE"):
        read_evaluation(text)


def test_an_evaluation_set_may_be_made_where_it_is_named():
    program = Program("def f(n):\n    return n + 1\n", "f(1)", "own/1")
    found = read_evaluation("own", {"own": lambda: ([program], {"corpus": {"count": 1}})})
    assert (found.name, found.about) == ("own", {"corpus": {"count": 1}})
    assert [code.origin for code in found.codes] == ["own/1"]
