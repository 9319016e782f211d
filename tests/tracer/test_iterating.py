"""What is left of the iterators of loops."""

import ast
from itertools import pairwise

import pytest

from tracer.corpora import synthetic
from tracer.encode import decode_row, encode_trajectory
from tracer.iterating import SOMETHING, Going, going, opened, split
from tracer.layout import Layout
from tracer.lowering import Lowering, working_names
from tracer.sandbox import Sandbox
from tracer.schema import Event, Trace, frames
from tracer.values import Value, capture, render
from tracer.working import Unknown

LAYOUT = Layout(registers=3, iterators=2)
VARIABLES = {"xs": [3, 1], "s": "ab", "d": {"a": 1, "b": [2]}, "n": 3, "t": (1, 2), "u": {4, 5}}
LOOPS = """\
def f(words):
    total = 0
    for number, word in enumerate(words):
        for letter in word.strip():
            if letter == "!":
                break
            total += 1
    for n in range(len(words) - 1, -1, -1):
        total -= n
    return total
"""


@pytest.fixture(scope="module")
def traces(real_traces) -> list[Trace]:
    programs = [*synthetic.programs(count=60, seed=7)]
    with Sandbox() as box:
        return [*real_traces, *(box.run_program(program).trace for program in programs)]


@pytest.fixture(scope="module")
def looped() -> list[Event]:
    return traced(LOOPS, "f(['ab ', '!x'])")


def traced(source: str, call: str) -> list[Event]:
    with Sandbox() as box:
        [events] = frames(box.run(source.encode(), call).trace).values()
    return events


def each_item(left: Value) -> list[Value]:
    items = []
    while found := split(left):
        item, left = found
        items.append(item)
    return items


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("xs", "[3, 1]"),
        ("t", "[1, 2]"),
        ("s", "'ab'"),
        ("d", "['a', 'b']"),
        ("d.items()", "{'a': 1, 'b': [2]}"),
        ("d.values()", "[1, [2]]"),
        ("{1: 2}.items()", "{1: 2}"),
        ("range(n)", "range(0, 3)"),
        ("range(n, 0, -2)", "range(3, 0, -2)"),
        ("reversed(range(n))", "range(2, -1, -1)"),
        ("reversed(xs)", "[1, 3]"),
        ("enumerate(s)", "(0, 'ab')"),
        ("enumerate(xs, n)", "(3, [3, 1])"),
        ("zip(xs, s, range(9))", "([3, 1], 'ab', range(0, 9))"),
        ("enumerate(zip(xs, s))", "(0, ([3, 1], 'ab'))"),
        ("sorted(xs) + [n]", "[1, 3, 3]"),
        ("b'ab'", "b'ab'"),
    ],
)
def test_what_is_left_gives_the_items_that_python_gives(text, left):
    found = opened(ast.parse(text, mode="eval").body, {n: capture(v) for n, v in VARIABLES.items()})
    assert render(found) == left
    assert each_item(found) == [capture(item) for item in eval(text, dict(VARIABLES))]


@pytest.mark.parametrize("text", ["u", "unknown", "f(xs)", "[x for x in xs]", "enumerate(u)", "n"])
def test_what_no_value_tells_is_unknown(text):
    with pytest.raises(Unknown):
        opened(ast.parse(text, mode="eval").body, {n: capture(v) for n, v in VARIABLES.items()})


def test_a_header_takes_the_first_of_what_is_left(traces):
    known = unknown = 0
    for trace in traces:
        lowering = Lowering(trace.source, LAYOUT)
        for events in frames(trace).values():
            turns = going(events, lowering)
            for (event, turn), (after, _) in pairwise(zip(events, turns, strict=True)):
                loop = lowering.unsaid.loops.get(event.lineno)
                if not loop or not event.kind == after.kind == "line":
                    continue
                if turn.now == SOMETHING:
                    unknown += 1
                    continue
                known, found = known + 1, split(turn.now)
                inside = event.lineno < after.lineno <= loop.last
                assert (found is not None) == inside
                if found and isinstance(loop.node.target, ast.Name):
                    assert after.locals[loop.node.target.id] == found[0]
    assert known > 200 and unknown < 0.1 * known


def test_the_next_is_dropped_when_a_loop_has_gone_round(looped):
    lowering = Lowering(LOOPS, LAYOUT)
    found = encode_trajectory(looped, LAYOUT, lowering=lowering)
    at, inside = LAYOUT.slots + LAYOUT.registers, {"for letter in ρ2:", "next(ρ2)", "total += 1"}
    seen = [
        (text, *(render(decode_row(row)) if any(row) else None for row in state[at : at + 2]))
        for text, state in zip(found.texts, found.states, strict=True)
        if "ρ" in text or text in inside
    ]
    words = "(0, ['ab ', '!x'])", "(1, ['!x'])", "(2, [])"
    assert seen == [
        ("ρ1 = iter(enumerate(words))", None, None),
        ("for number, word in ρ1:", words[0], None),
        ("ρ2 = iter(word.strip())", words[0], None),
        ("for letter in ρ2:", words[0], "'ab'"),
        ("total += 1", words[0], "'ab'"),
        ("next(ρ2)", words[0], "'ab'"),
        ("for letter in ρ2:", words[0], "'b'"),
        ("total += 1", words[0], "'b'"),
        ("next(ρ2)", words[0], "'b'"),
        ("for letter in ρ2:", words[0], "''"),
        ("next(ρ1)", words[0], None),
        ("for number, word in ρ1:", words[1], None),
        ("ρ2 = iter(word.strip())", words[1], None),
        ("for letter in ρ2:", words[1], "'!x'"),
        ("del ρ2; break", words[1], "'!x'"),
        ("next(ρ1)", words[1], None),
        ("for number, word in ρ1:", words[2], None),
        ("ρ1 = iter(range(τ1, -1, -1))", None, None),
        ("for n in ρ1:", "range(1, -1, -1)", None),
        ("next(ρ1)", "range(1, -1, -1)", None),
        ("for n in ρ1:", "range(0, -1, -1)", None),
        ("next(ρ1)", "range(0, -1, -1)", None),
        ("for n in ρ1:", "range(-1, -1, -1)", None),
    ]


def test_the_texts_are_the_same_whether_values_are_told_or_not(traces):
    for trace in traces[:40]:
        lowering = Lowering(trace.source, LAYOUT)
        for events in frames(trace).values():
            told, untold = (going(events, lowering, told) for told in (True, False))
            assert [turn.again for turn in told] == [turn.again for turn in untold]
            assert {turn.now for turn in untold} == {None}


def test_the_table_of_a_frame_has_what_runs(looped):
    lowering, on = Lowering(LOOPS, LAYOUT), frozenset()
    names = [*dict.fromkeys(name for event in looped for name in event.locals)]
    table = lowering.table({event.lineno: event.statement for event in looped}, names)
    texts = iter(encode_trajectory(looped, LAYOUT, lowering=lowering).texts)
    for event, after in pairwise(looped):
        if event.kind == "line":
            site = lowering.site(event.lineno, on)
            assert table[site] == tuple(next(texts) for _ in table[site])
        else:
            next(texts)
        on = lowering.on(on, event.lineno, after.lineno, event.kind == after.kind == "line")


@pytest.mark.parametrize(
    ("loop", "left"),
    [
        ("for x in xs: xs.pop()", [2, SOMETHING]),  # it is another list by now
        ("for x in [n % 2 for n in xs]: pass", [2, 1, 0]),  # as it turned out
        ("for x in {5, 3}: pass", [2, 1, 0]),
        ("for x in (n for n in xs): break", [SOMETHING]),
        ("for x in 5: pass", [None]),
    ],
)
def test_of_what_is_not_computed_there_is_what_came(loop, left):
    header, _, body = loop.partition(": ")
    source = f"def f(xs):\n    {header}:\n        {body}\n"
    events = traced(source, "f([3, 4])")
    found = encode_trajectory(events, LAYOUT, lowering=Lowering(source, LAYOUT))
    names = working_names(LAYOUT)
    at = LAYOUT.slots + names.index("ρ1")
    values = [
        decode_row(state[at])
        for text, state in zip(found.texts, found.states, strict=True)
        if text == "for x in ρ1:"
    ]
    assert [v if v in (SOMETHING, None) else len(each_item(v)) for v in values] == left


def test_without_iterators_nothing_is_kept(looped):
    found = going(looped, Lowering(LOOPS, Layout(registers=3, counters=2)))
    assert found == [Going()] * len(looped)
