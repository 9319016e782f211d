import re

import pytest

from tracer.corpora import swaps
from tracer.sandbox import Sandbox


def drawn(count, **options):
    return list(swaps.programs(count, **options))


def test_a_program_depends_on_the_seed_and_its_number_alone():
    everything = drawn(30, seed=5)
    assert drawn(10, seed=5, start=20) == everything[20:]
    assert drawn(30, seed=6) != everything


@pytest.mark.parametrize("form", swaps.FORMS)
def test_values_only_move_and_every_chain_has_its_length(form):
    for program in drawn(12, forms=[form], lengths=(1, 4, 9), variables=5):
        statements = program.source.splitlines()[1:-1]
        length = int(program.origin.split("/")[1])
        assert len(statements) == length * (1 if form == "pair" else 3)
        values = [int(text) for text in re.findall(r"\d+", program.call)]
        space = {}
        exec(program.source, space)
        assert sorted(eval(program.call, space)) == sorted(values)
        assert len(set(values)) == 5


def test_the_longest_chain_is_traced_whole():
    (program,) = drawn(1, lengths=(128,), forms=["spare"])
    with Sandbox() as sandbox:
        outcome = sandbox.run(program.source.encode(), program.call)
    assert outcome.kind == "ok"
    assert len(outcome.trace.events) == 3 * 128 + 3  # call, statements, return of a list


@pytest.mark.parametrize(
    "options, said",
    [
        ({"variables": 8}, "variables=8"),
        ({"lengths": []}, "lengths=\\[\\]"),
        ({"lengths": [0]}, "lengths=\\[0\\]"),
        ({"forms": ["xor"]}, "unknown form 'xor'; there are: pair, spare"),
        ({"forms": []}, "no forms given; there are: pair, spare"),
        ({"largest": 2}, "largest=2"),
    ],
)
def test_what_cannot_be_made_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        drawn(1, **options)
