"""Loops that go far: every program ends well, and much of what it counts has several digits."""

import ast
import re
from collections import Counter

import pytest

from tracer.corpora.synthetic import holes, loops
from tracer.sandbox import Sandbox


def drawn(count, **options):
    return list(loops.programs(count, **options))


def test_a_program_depends_on_the_seed_and_its_number_alone():
    everything = drawn(30, seed=5)
    assert drawn(10, seed=5, start=20) == everything[20:]
    assert drawn(30, seed=6) != everything


def test_every_program_returns_and_many_count_beyond_nine():
    counted = Counter()
    with Sandbox() as sandbox:
        for program in drawn(60):
            outcome = sandbox.run(program.source.encode(), program.call)
            assert outcome.kind == "ok"
            rounds = {event.locals["i"].data for event in outcome.trace.events if has_i(event)}
            counted.update(len(str(abs(number))) for number in rounds)
    assert counted.keys() == {1, 2, 3}
    assert counted[2] > 0.4 * counted[1]


def has_i(event):
    return "i" in event.locals and event.locals["i"].kind == "int"


def test_what_is_returned_is_not_too_long_though_most_strings_are_long():
    lengths = []
    for program in drawn(200):
        scope = {}
        exec(f"{program.source}\nresult = {program.call}", scope)
        assert holes.fits(scope["result"], loops.LONGEST)
        lengths.append(len(ast.literal_eval(program.call.removeprefix("walk"))[0]))
    assert sum(length > 12 for length in lengths) > 0.5 * len(lengths)


def test_every_template_is_used():
    text = "\n".join(program.source for program in drawn(2000))
    templates = (*loops.HEADS, *loops.INNER, *loops.BODIES, *loops.STATEMENTS)
    lines = {line.strip() for template in templates for line in template.splitlines()}
    assert [line for line in sorted(lines) if not re.search(pattern(line), text, re.M)] == []


def pattern(line):
    """What a template comes to, whatever stands in its holes."""
    return r"^ +" + re.sub(r"\\\{\w+\\\}", ".+?", re.escape(line)) + "$"


def test_a_program_has_as_many_loops_as_are_asked_for():
    for program in drawn(50, loops=3):
        assert len(re.findall(r"^    for ", program.source, re.M)) == 3
    with pytest.raises(ValueError, match="loops=0 is below 1"):
        drawn(1, loops=0)
