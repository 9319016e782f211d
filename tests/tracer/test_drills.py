"""Drills: whole numbers of every length, in programs that end well."""

import re
from collections import Counter

import pytest

from tracer.corpora.synthetic import drills
from tracer.sandbox import Sandbox


def drawn(count, **options):
    return list(drills.programs(count, **options))


def test_a_program_depends_on_the_seed_and_its_number_alone():
    everything = drawn(30, seed=5)
    assert drawn(10, seed=5, start=20) == everything[20:]
    assert drawn(30, seed=6) != everything


@pytest.mark.parametrize("digits", [1, 2, 4])
def test_every_program_returns_and_no_number_is_longer_than_asked_for(digits):
    with Sandbox() as sandbox:
        for program in drawn(12, digits=digits):
            outcome = sandbox.run(program.source.encode(), program.call)
            assert outcome.kind == "ok"
            held = [v for event in outcome.trace.events for v in event.locals.values()]
            assert {value.kind for value in held} == {"int"}
            assert max(abs(value.data) for value in held) < 10 ** (digits + 1)


def test_arguments_of_every_length_are_as_frequent_as_others():
    calls = " ".join(program.call for program in drawn(2000, digits=3))
    lengths = Counter(map(len, re.findall(r"\d+", calls)))
    assert lengths.keys() == {1, 2, 3}
    assert max(lengths.values()) < 1.2 * min(lengths.values())


def test_every_operation_is_there_about_as_often():
    text = "\n".join(program.source for program in drawn(1000))
    seen = [len(re.findall(rf"\w+ {re.escape(sign)} \w+", text)) for sign in ("+=", "-=", "*", "^")]
    assert min(seen) > 150


@pytest.mark.parametrize("option", ["digits", "statements"])
def test_what_cannot_be_made_is_refused(option):
    with pytest.raises(ValueError, match=f"{option}=0 is below 1"):
        drawn(1, **{option: 0})
