"""Faults of one line: what each operator does, and what it leaves alone."""

import ast
from pathlib import Path
from random import Random

import pytest

from tracer.agent.mutations import OPERATORS, Mutation, mutated, mutations

ROOT = Path(__file__).parents[2]
SOURCE = '''\
import os


def area(width: int, height: int = 2) -> int:
    """The product 1 * 1."""
    if width < 0 and height:
        raise ValueError(f"{width + 1}")
    total = scaled(width, by=height)
    return total * 3
'''


def found(source: str, operator: str) -> set[tuple[int, str]]:
    return {(m.line, m.new.strip()) for m in mutations(source) if m.operator == operator}


def test_each_operator_does_what_it_says():
    assert found(SOURCE, "delete") == {(7, "pass"), (8, "pass"), (9, "pass")}
    assert found(SOURCE, "swap") == {
        (6, "if height < 0 and width:"),
        (8, "width = scaled(total, by=height)"),
        (8, "total = scaled(height, by=width)"),
    }
    assert found(SOURCE, "operator") == {
        (6, "if width <= 0 and height:"),
        (6, "if width < 0 or height:"),
        (9, "return total + 3"),
    }
    assert found(SOURCE, "constant") == {
        (4, "def area(width: int, height: int = 3) -> int:"),
        (6, "if width < 1 and height:"),
        (9, "return total * 4"),
    }
    assert found(SOURCE, "argument") == {
        (7, "raise ValueError()"),
        (8, "total = scaled(by=height)"),
        (8, "total = scaled(width)"),
    }


@pytest.mark.parametrize(
    "line, new",
    [
        ("x = a is not b", "x = a is b"),
        ("x = a not  in b", "x = a in b"),
        ("x -= 1", "x += 1"),
        ("x //= y", "x /= y"),
        ("ä = 'ü' + b", "ä = 'ü' - b"),
        ("x = (a) * (b)", "x = (a) + (b)"),
        ("x = True", "x = False"),
        ("x = b'a'", "x = b''"),
        ("f(*a, **b)", "f(*a)"),
        ("if a: return", "if a: pass"),
    ],
)
def test_the_rest_of_a_line_stays_as_it_was_written(line, new):
    body = f"def f(a, b):\n    {line}"
    assert f"    {new}" in {m.new for m in mutations(body)}


@pytest.mark.parametrize("name", ["tracer/values.py", "tracer/tokens.py", "experiments/score.py"])
def test_a_mutation_changes_one_line_and_the_source_still_is_python(name):
    source = (ROOT / name).read_text()
    every = mutations(source)
    assert {mutation.operator for mutation in every} == set(OPERATORS)
    for mutation in Random(0).sample(every, 40):
        ast.parse(new := mutated(source, mutation))
        pairs = zip(source.split("\n"), new.split("\n"), strict=True)
        changed = [at for at, (a, b) in enumerate(pairs, 1) if a != b]
        assert changed == [mutation.line]
        back = Mutation(mutation.operator, mutation.line, mutation.new, mutation.old)
        assert mutated(new, back) == source
