import ast
from itertools import islice

import pytest

from tracer.corpora import mutate, synthetic
from tracer.corpora.split import group
from tracer.schema import Program

CALLS = {
    "f(3)": (int,),
    "f(-3, 2.5, 'abc', b'xy')": (int, float, str, bytes),
    "f([1, [2, 'a']], (1, 2), {1, 2}, {'k': 1, 'l': [3]})": (list, tuple, set, dict),
    "f(x=['a', ('b', 3)])": (list,),
}


def arguments(call):
    body = ast.parse(call, mode="eval").body
    return [ast.literal_eval(node) for node in [*body.args, *(k.value for k in body.keywords)]]


@pytest.mark.parametrize("call", CALLS)
def test_a_mutation_is_another_call_with_arguments_of_the_same_types(call):
    found = mutate.calls(Program("def f(*a, **k): pass", call), 6, seed=0)
    assert len(found) == len(set(found)) == 6
    assert ast.unparse(ast.parse(call)) not in found
    for other in found:
        assert tuple(map(type, arguments(other))) == CALLS[call]


def test_one_seed_gives_the_same_calls_and_more_are_a_longer_list():
    program = Program("def f(x): pass", "f([1, 2, 'abc'])", "a/1")
    assert mutate.calls(program, 9, seed=1)[:4] == mutate.calls(program, 4, seed=1)
    assert mutate.calls(program, 4, seed=1) != mutate.calls(program, 4, seed=2)


@pytest.mark.parametrize("call", [None, "f()", "f(x, None, True, [], '')", "x = 3", "def (", "3"])
def test_what_has_no_literal_to_change_stays_alone(call):
    program = Program("def f(*a): pass", call)
    assert list(mutate.programs([program], 5)) == [program]


def test_every_program_comes_first_and_its_mutations_are_on_its_side_of_a_split():
    programs = list(synthetic.programs(60))
    found = list(mutate.programs(programs, 2))
    assert [p for p in found if p in programs] == programs
    assert len(found) > 2.5 * len(programs)
    sides = {}
    for program in found:
        sides.setdefault(program.origin, set()).add(group(program))
    assert all(len(side) == 1 for side in sides.values())


def test_a_corpus_is_read_as_it_is_needed():
    endless = (Program("def f(x): pass", f"f({i})", f"x/{i}") for i in iter(int, 1))
    assert len(list(islice(mutate.programs(endless, 3), 9))) == 9


def test_fewer_than_none_are_refused():
    with pytest.raises(ValueError, match="mutations=-1"):
        list(mutate.programs([], -1))
