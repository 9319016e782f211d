import ast
import re
import shutil
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from statistics import mean, median

import pytest

from tracer.cells import encode
from tracer.corpora import synthetic
from tracer.corpora.split import normalised
from tracer.corpora.synthetic.__main__ import counted, table
from tracer.corpora.synthetic.balanced import HIDDEN
from tracer.corpora.synthetic.families import (
    BALANCED,
    BASIC,
    FAMILIES,
    MODULES,
    full_grammar,
    sample,
    used,
)
from tracer.corpora.synthetic.literals import MORE_NAMES, NAMES, RANGES
from tracer.corpora.synthetic.operations import by_line, listed, operations
from tracer.corpora.synthetic.probe import probe
from tracer.corpora.synthetic.template import GAP, blocks, lines
from tracer.sandbox import Limits, Sandbox

METHODS = {
    "strings": {"upper", "lower", "replace", "strip", "find", "count", "split", "startswith"},
    "lists": {"append", "insert", "extend", "sort", "reverse", "pop"},
    "dicts": {"get", "pop", "update", "items", "values", "setdefault"},
}
ERRORS = (ZeroDivisionError, IndexError, KeyError, ValueError)
RARE = 10  # how many times rarer than the median of its kind an operation may be


def drawn(count, **options):
    return list(synthetic.programs(count, **options))


@pytest.fixture(scope="module")
def many():
    return drawn(2500)


def run(program):
    space = {"__name__": "synthetic"}
    exec(compile(program.source, program.origin, "exec"), space)
    return eval(program.call, space)


def outcome(program):
    """ "ok", the name of an exception, or "endless"."""
    return next(probe(program.source, [program.call])).outcome


def nodes(programs):
    return [node for each in programs for node in ast.walk(ast.parse(each.source))]


def variables(function):
    """The locals, without those of comprehensions."""
    inner = [n.target for n in ast.walk(function) if isinstance(n, ast.comprehension)]
    inner = {n.id for each in inner for n in ast.walk(each) if isinstance(n, ast.Name)}
    names = [n for n in ast.walk(function) if isinstance(n, ast.Name)]
    stored = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    return stored - inner | {each.arg for each in function.args.args}


def templates():
    grammar = full_grammar()
    return [*grammar.statements, *(t for table in grammar.expressions.values() for t in table)]


@pytest.mark.parametrize("families", [BASIC, BALANCED])
def test_one_seed_gives_one_list_of_programs(families):
    assert drawn(40, seed=3, families=families) == drawn(40, seed=3, families=families)
    assert drawn(40, seed=3, families=families) != drawn(40, seed=4, families=families)


@pytest.mark.parametrize("families", [BASIC, BALANCED])
def test_a_program_depends_on_the_seed_and_its_number_alone(families):
    everything = drawn(30, seed=5, families=families)
    assert drawn(10, seed=5, start=20, families=families) == everything[20:]
    assert drawn(1, seed=5, start=7, families=families) == [everything[7]]
    first = islice(synthetic.programs(10**9, seed=5, families=families), 3)
    assert list(first) == everything[:3]


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_a_program_is_the_same_on_every_python_and_under_every_order_of_hashes(version):
    python = shutil.which(f"python{version}")
    if sys.version.startswith(version):
        python = sys.executable
    works = python and not subprocess.run([python, "--version"], capture_output=True).returncode
    if not works:
        pytest.skip(f"no Python {version} here")
    program = (
        "from tracer.corpora import synthetic as s\n"
        "print(*s.programs(60, seed=8, families=s.FAMILIES, difficulty=3, calls=2), sep='\\n')"
    )
    command = [python, "-c", program]
    there = {"cwd": Path(__file__).parents[2], "env": {"PYTHONHASHSEED": "77"}}
    found = subprocess.run(command, capture_output=True, text=True, check=True, **there).stdout
    ours = drawn(60, seed=8, families=FAMILIES, difficulty=3, calls=2)
    assert found == "".join(f"{program}\n" for program in ours)


def test_programs_hardly_ever_repeat(many):
    texts = {(each.source, each.call) for each in drawn(2000, families=BASIC)}
    assert len(texts) >= 0.999 * 2000
    assert len({normalised(each.source) for each in many}) >= 0.998 * len(many)


def test_every_operation_occurs_and_none_is_much_rarer_than_others_of_its_kind(many):
    found = counted(many)
    for kind, names in listed().items():
        middle = median(found[name] for name in names)
        for name in names:
            assert found[name] * RARE >= middle, f"{name}: {found[name]}, median {middle} of {kind}"


def test_without_balance_more_operations_of_a_kind_are_rare():
    def rare(balance: float) -> int:
        found = counted(drawn(120, families=["text"], balance=balance))
        names = listed()["str"]
        middle = median(found[name] for name in names)
        return sum(2 * found[name] < middle for name in names)

    assert rare(0) > rare(0.8)


def test_operations_are_told_from_the_syntax_tree():
    source = """
def f(nums, text, n):
    nums[1:] = sorted(nums)[::-1]
    for i, word in enumerate(text.split(',')):
        n //= len(word) + i
    return {v for v in nums if v} or -n < 2 < n
"""
    found = operations(source)
    expected = """list [:]=; list [::]; builtin sorted; syntax for-enumerate; str .split; int //=;
        int +; builtin len; builtin enumerate; syntax set-comprehension; syntax comprehension-if;
        syntax or; int neg; int <; syntax chained-comparison; syntax return; syntax def;
        syntax assign; syntax attribute"""
    assert set(found) == {name.strip() for name in expected.split(";")}
    assert found["int <"] == 2


def test_operations_are_told_for_each_line():
    found = by_line("def f(text):\n    text += 'a'\n    return text.upper()\n")
    assert found[2] == {"str +=": 1}
    assert found[3] == {"syntax return": 1, "str .upper": 1, "syntax attribute": 1}


@pytest.mark.parametrize("kind", [str, list, dict, set, frozenset, tuple])
def test_every_method_of_a_type_is_listed(kind):
    methods = {name for name in dir(kind) if not name.startswith("_")}
    assert methods == {n.split(" .")[1] for n in listed()[kind.__name__] if " ." in n}


def test_the_table_of_operations_names_each_kind():
    text = "\n".join(table(Counter({"int +": 3, "str .upper": 1})))
    assert [line.split()[0] for line in text.split("\n")[::2]] == list(listed())
    assert "+ 3" in text and ".upper 1" in text and ".lower 0" in text


@pytest.mark.parametrize("difficulty", [1, 2, 3])
def test_basic_programs_end_and_most_return(difficulty):
    failed = 0
    for program in drawn(300, seed=1, difficulty=difficulty, families=BASIC):
        try:
            run(program)
        except ERRORS:
            failed += 1
    assert 0 < failed <= 0.15 * 300


def test_programs_end_and_most_return_unless_they_are_about_exceptions(many):
    outcomes = Counter(outcome(program) for program in many)
    assert outcomes["endless"] == outcomes["large"] == outcomes["SyntaxError"] == 0
    assert outcomes["NameError"] <= 0.002 * len(many)  # a name of a template that nothing bound
    assert 0.85 <= outcomes["ok"] / len(many) <= 0.97
    assert len(outcomes) > 10


def test_a_trace_ends_before_the_budget_of_events_and_its_values_can_be_encoded(many):
    whole = []
    with Sandbox(Limits(events=2000)) as box:
        for program in many[:60]:
            found = box.run_program(program)
            assert found.kind in ("ok", "exception"), program.source
            assert not found.flags and len(found.trace.events) < 2000
            states = (event.locals for event in found.trace.events)
            whole += [encode(value)[1] for state in states for value in state.values()]
    assert mean(whole) >= 0.95


@pytest.mark.parametrize("raises, least, most", [(0, 0, 0.05), (0.4, 0.25, 0.55), (1, 0.95, 1)])
def test_a_dial_sets_how_many_programs_end_in_an_exception(raises, least, most):
    programs = drawn(120, families=["exceptions"], raises=raises)
    assert least <= mean(outcome(program) != "ok" for program in programs) <= most


@pytest.mark.parametrize("start", ["(1,)", "'ab'", "[0]", "3"])
def test_a_program_whose_values_explode_is_stopped_in_time(start):
    source = "def f(x):\n    for _ in range(500):\n        x *= 2\n    return len(str(x))\n"
    assert [run.outcome for run in probe(source, [f"f({start})"])] == ["large"]


def test_a_program_that_does_not_end_is_stopped_whatever_it_catches():
    source = "def f(x):\n    while x:\n        try:\n            x += 1\n"
    source += "        except Exception:\n            pass\n        finally:\n            x -= 1\n"
    outcomes = [run.outcome for run in probe(source, ["f(1)", "f(0)", "f('a')"])]
    assert outcomes == ["endless", "ok", "TypeError"]


def test_about_half_of_the_endless_programs_do_not_end():
    assert "endless" not in BALANCED
    programs = drawn(120, families=["endless"])
    outcomes = Counter(outcome(program) == "endless" for program in programs)
    assert 0.35 <= outcomes[True] / 120 <= 0.65


@pytest.mark.parametrize("families", [BASIC, BALANCED])
def test_further_calls_of_a_function_reach_other_statements(families):
    one = drawn(60, families=families)
    several = drawn(60, families=families, calls=4)
    sources = {}
    for program in several:
        sources.setdefault(program.source, []).append(program.call)
    assert [(each.source, each.call) for each in one] == [(s, c[0]) for s, c in sources.items()]
    assert all(1 <= len(set(calls)) == len(calls) <= 4 for calls in sources.values())
    reached = []
    for source, calls in sources.items():
        runs = list(probe(source, calls))
        reached.append((len(runs[0].reached), len(set().union(*(r.reached for r in runs)))))
    assert sum(after > before for before, after in reached) >= 0.2 * len(reached)


@pytest.mark.parametrize("difficulty, longest", [(1, 8), (2, 11), (3, 14)])
def test_basic_functions_are_short_and_their_locals_fit_into_eight_slots(difficulty, longest):
    for program in drawn(200, difficulty=difficulty, families=BASIC):
        function = ast.parse(program.source).body[0]
        assert isinstance(function, ast.FunctionDef)
        statements = sum(isinstance(node, ast.stmt) for node in ast.walk(function)) - 1
        assert 4 <= statements <= longest
        assert len(variables(function)) <= 7


def test_nearly_all_functions_have_locals_for_eight_slots(many):
    functions = [node for node in nodes(many[:500]) if isinstance(node, ast.FunctionDef)]
    assert mean(len(variables(function)) <= 8 for function in functions) >= 0.98


def test_harder_programs_are_longer_and_deeper():
    sizes, depths = [], []
    for difficulty in (1, 2, 3):
        trees = [ast.parse(each.source) for each in drawn(150, difficulty=difficulty)]
        sizes.append(mean(sum(isinstance(n, ast.stmt) for n in ast.walk(t)) for t in trees))
        depths.append(mean(depth(tree) for tree in trees))
    assert sizes == sorted(sizes) and sizes[2] > 1.4 * sizes[0]
    assert depths == sorted(depths)


def depth(tree):
    return isinstance(tree, ast.stmt) + max(map(depth, ast.iter_child_nodes(tree)), default=0)


def test_arguments_cover_zero_negative_large_empty_and_equal_values(many):
    calls = [ast.parse(each.call, mode="eval").body for each in many]
    given = [[ast.unparse(argument) for argument in call.args] for call in calls]
    flat = [text for texts in given for text in texts]
    for text in ("0", "1", "[]", "''", "{}", "()", "set()", "None", "True"):
        assert text in flat, text
    numbers = [int(text) for text in flat if re.fullmatch(r"-?\d+", text)]
    assert min(numbers) < -100 and max(numbers) > 1000
    assert any(len(set(texts)) < len(texts) for texts in given)


def test_each_family_has_its_own_statements():
    for family, methods in METHODS.items():
        called = {n.attr for n in nodes(drawn(200, families=[family])) if type(n) is ast.Attribute}
        assert methods <= called, family
    kinds = {type(node) for node in nodes(drawn(200, families=["arithmetic"]))}
    assert {ast.Mult, ast.FloorDiv, ast.Mod, ast.BitAnd, ast.LShift, ast.Pow, ast.Div} <= kinds
    kinds = {type(node) for node in nodes(drawn(200, families=["control"]))}
    assert {ast.If, ast.For, ast.While, ast.Break, ast.Continue, ast.Tuple, ast.IfExp} <= kinds


def test_values_of_basic_programs_stay_small():
    large = total = 0
    for program in drawn(300, families=BASIC):
        try:
            value = run(program)
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
    texts = [template.text for template in templates()]
    texts += [each.text for each in full_grammar().definitions]
    for text in texts:
        for gap in GAP.findall(text):
            words = [] if gap in ("{{", "}}", "{body}") else gap[1:-1].split()
            if words and words[0] in ("var", "own", "new", "fresh"):
                assert words[1] in MORE_NAMES, gap
                assert words[1] in RANGES or words[1] in HIDDEN, gap
            elif words:
                assert words[0] in RANGES, gap
        ast.parse(sample(text.replace("$", "each")))


def test_what_a_definition_offers_is_python():
    for definition in full_grammar().definitions:
        family = definition.family
        found = blocks(family, f"{definition.setup}\n\n{definition.statements}".strip("\n"))
        for kind, text in definition.expressions.items():
            found += used({kind: lines(family, kind, text)})
        for template in found:
            ast.parse(sample(template.text.replace("$", "each")))


def test_every_template_belongs_to_a_family():
    assert {template.family for template in templates()} == set(MODULES)
    assert set(FAMILIES) == {*BASIC, *BALANCED, "endless"}


def test_a_name_has_one_type_and_no_definition_has_the_name_of_a_variable():
    for pools in (NAMES, MORE_NAMES):
        names = [name for pool in pools.values() for name in pool]
        assert len(names) == len(set(names))
    defined = {name for each in full_grammar().definitions for name in each.names.split()}
    assert not defined & {name for pool in MORE_NAMES.values() for name in pool}


@pytest.mark.parametrize(
    "options, message",
    [
        ({"families": ["tuples"]}, "unknown family 'tuples'; there are: arithmetic, control"),
        ({"families": []}, "no families given; there are: arithmetic, control"),
        ({"difficulty": 4}, "difficulty 4 is not 1, 2 or 3"),
        ({"calls": 0}, "calls=0 is below 1"),
        ({"raises": 1.5}, "raises=1.5 is not between 0 and 1"),
        ({"balance": -1}, "balance=-1 is not between 0 and 1"),
    ],
)
def test_options_that_make_no_sense_are_named(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        drawn(1, **options)
