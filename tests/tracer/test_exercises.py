"""Exercises: values of every kind and length, in programs that end as they are meant to."""

import ast
import re
from collections import Counter
from string import Formatter
from textwrap import dedent

import pytest

from tracer.corpora.synthetic import exercises
from tracer.sandbox import Sandbox


def drawn(count, **options):
    return list(exercises.programs(count, **options))


def outcomes(programs):
    with Sandbox() as sandbox:
        return [sandbox.run(program.source.encode(), program.call) for program in programs]


def test_a_program_depends_on_the_seed_and_its_number_alone():
    everything = drawn(30, seed=5)
    assert drawn(10, seed=5, start=20) == everything[20:]
    assert drawn(30, seed=6) != everything


@pytest.mark.parametrize(("raises", "kind"), [(0, "ok"), (1, "exception")])
def test_a_program_returns_unless_it_is_to_raise(raises, kind):
    assert {outcome.kind for outcome in outcomes(drawn(20, raises=raises))} == {kind}


def test_exceptions_are_of_many_classes():
    found = Counter(outcome.error.data[0] for outcome in outcomes(drawn(240, raises=1)))
    assert {"KeyError", "IndexError", "ValueError", "TypeError", "ZeroDivisionError"} <= set(found)


@pytest.mark.parametrize("longest", [8, 30])
def test_no_variable_is_longer_than_asked_for(longest):
    for program in drawn(200, raises=0, longest=longest):
        scope = {}
        exec(f"{program.source}\nresult = {program.call}", scope)
        assert exercises.fits(scope["result"], longest)


def test_a_third_of_the_strings_and_more_are_long():
    lengths = []
    for program in drawn(1000):
        arguments = ast.parse(program.call).body[0].value.args
        values = map(ast.literal_eval, arguments)
        lengths += [len(value) for value in values if isinstance(value, str)]
    assert sum(length > 12 for length in lengths) > 0.35 * len(lengths)


def test_keys_that_are_written_are_often_there_already():
    there = Counter()
    for program in drawn(400, raises=0):
        written = re.findall(r"^    (\w+)\[(.+?)\] = \d+$", program.source, re.M)
        table = dict(zip(*arguments(program), strict=True))
        written = [(table[d], k) for d, k in written if isinstance(table.get(d), dict)]
        there.update(ast.literal_eval(key) in held for held, key in written)
    assert 0.5 < there[True] / there[False] < 4


def arguments(program):
    names = re.match(r"def exercise\((.*)\):", program.source)[1].split(", ")
    return names, map(ast.literal_eval, ast.parse(program.call).body[0].value.args)


def test_every_template_is_used():
    texts = [dedent(program.source.split("\n", 1)[1]) for program in drawn(4000)]
    texts += [dedent(program.source.split("\n", 1)[1]) for program in drawn(1000, raises=1)]
    source = "\n".join(texts)
    templates = [*exercises.CHANGES, *exercises.BLOCKS, *exercises.RAISING]
    templates += [f"{{to {kind}}} = {text}" for kind, text in exercises.EXPRESSIONS]
    assert [text for text in templates if not re.search(pattern(text), source, re.M)] == []


def pattern(template):
    """What a template comes to, whatever stands in its holes."""
    parts = Formatter().parse(template)
    return (
        "^" + "".join(re.escape(text) + (".+?" if hole else "") for text, hole, *_ in parts) + "$"
    )


def test_what_it_is_about_is_in_more_than_half():
    lines = [line for program in drawn(50, about=["float"]) for line in lines_of(program)]
    assert sum(bool(re.search("rate|share", line)) for line in lines) > 0.5 * len(lines)


def lines_of(program):
    return program.source.splitlines()[1:-1]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("statements", 0, "statements=0 is below 1"),
        ("longest", 7, "longest=7 is below 8"),
        ("about", ["int"], "about=int is none of number, float"),
        ("raises", 1.5, "raises=1.5 is not between 0 and 1"),
    ],
)
def test_what_cannot_be_made_is_refused(option, value, message):
    with pytest.raises(ValueError, match=message):
        drawn(1, **{option: value})
