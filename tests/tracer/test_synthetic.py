import ast
import re
from itertools import islice

import pytest
from tracer.corpora.grammar import EXPRESSIONS, FAMILIES, STATEMENTS
from tracer.corpora.literals import LITERALS, NAMES

from tracer.corpora import synthetic

METHODS = {
    "strings": {"upper", "lower", "replace", "strip", "find", "count", "split", "startswith"},
    "lists": {"append", "insert", "extend", "sort", "reverse", "pop"},
    "dicts": {"get", "pop", "update", "items", "values", "setdefault"},
}
GAP = re.compile(r"\{[a-z ]+\}")
ERRORS = (ZeroDivisionError, IndexError, KeyError, ValueError)


def drawn(count, **options):
    return list(synthetic.programs(count, **options))


def run(program):
    space = {}
    exec(compile(program.source, program.origin, "exec"), space)
    exec(program.call, space)


def nodes(programs):
    return [node for each in programs for node in ast.walk(ast.parse(each.source))]


def variables(function):
    """The locals, without those of comprehensions."""
    inner = [n.target for n in ast.walk(function) if isinstance(n, ast.comprehension)]
    inner = {n.id for each in inner for n in ast.walk(each) if isinstance(n, ast.Name)}
    names = [n for n in ast.walk(function) if isinstance(n, ast.Name)]
    stored = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    return stored - inner | {each.arg for each in function.args.args}


def test_one_seed_gives_one_list_of_programs():
    assert drawn(40, seed=3) == drawn(40, seed=3)
    assert drawn(40, seed=3) != drawn(40, seed=4)


def test_a_program_depends_on_the_seed_and_its_number_alone():
    everything = drawn(30, seed=5)
    assert drawn(10, seed=5, start=20) == everything[20:]
    assert drawn(1, seed=5, start=7) == [everything[7]]
    assert list(islice(synthetic.programs(10**9, seed=5), 3)) == everything[:3]


def test_programs_hardly_ever_repeat():
    texts = {(each.source, each.call) for each in drawn(2000)}
    assert len(texts) >= 0.999 * 2000


@pytest.mark.parametrize("difficulty", [1, 2, 3])
def test_programs_end_and_most_return(difficulty):
    failed = 0
    for program in drawn(300, seed=1, difficulty=difficulty):
        try:
            run(program)
        except ERRORS:
            failed += 1
    assert 0 < failed <= 0.15 * 300


@pytest.mark.parametrize("difficulty, longest", [(1, 8), (2, 11), (3, 14)])
def test_functions_are_short_and_their_locals_fit_into_eight_slots(difficulty, longest):
    for program in drawn(200, difficulty=difficulty):
        function = ast.parse(program.source).body[0]
        assert isinstance(function, ast.FunctionDef)
        statements = sum(isinstance(node, ast.stmt) for node in ast.walk(function)) - 1
        assert 4 <= statements <= longest
        assert len(variables(function)) <= 7


def test_each_family_has_its_own_statements():
    for family, methods in METHODS.items():
        called = {n.attr for n in nodes(drawn(200, families=[family])) if type(n) is ast.Attribute}
        assert methods <= called, family
    kinds = {type(node) for node in nodes(drawn(200, families=["arithmetic"]))}
    assert {ast.Mult, ast.FloorDiv, ast.Mod, ast.BitAnd, ast.LShift, ast.Pow, ast.Div} <= kinds
    kinds = {type(node) for node in nodes(drawn(200, families=["control"]))}
    assert {ast.If, ast.For, ast.While, ast.Break, ast.Continue, ast.Tuple, ast.IfExp} <= kinds


def test_values_stay_small():
    large = total = 0
    for program in drawn(300):
        space = {}
        exec(program.source, space)
        try:
            value = eval(program.call, space)
        except ERRORS:
            continue
        for each in value if isinstance(value, tuple) else (value,):
            total += 1
            if isinstance(each, int | float):
                large += abs(each) > 9999
            else:
                large += len(each) > (12 if isinstance(each, str) else 6)
    assert large <= 0.02 * total


def test_every_gap_of_a_template_can_be_filled():
    texts = [t.text for table in (*EXPRESSIONS.values(), STATEMENTS) for t in table]
    for words in (gap[1:-1].split() for text in texts for gap in GAP.findall(text)):
        if words[0] in ("var", "own", "new", "fresh"):
            assert words[1] in NAMES, words
        else:
            assert words[0] in {*EXPRESSIONS, *LITERALS, "body"}, words


def test_every_template_belongs_to_a_family():
    templates = [t for table in (*EXPRESSIONS.values(), STATEMENTS) for t in table]
    assert {template.family for template in templates} == set(FAMILIES)


def test_a_name_has_one_type():
    names = [name for pool in NAMES.values() for name in pool]
    assert len(names) == len(set(names))


def test_unknown_families_and_difficulties_are_named():
    with pytest.raises(ValueError, match="unknown family 'sets'; there are: arithmetic, control"):
        drawn(1, families=["sets"])
    with pytest.raises(ValueError, match="difficulty 4 is not 1, 2 or 3"):
        drawn(1, difficulty=4)
