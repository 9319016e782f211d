"""Ways on from each statement: by hand, and that real programs take no others."""

from itertools import pairwise

import pytest

from tracer.flow import END, NOWHERE, Ways, branch, flow_table
from tracer.schema import frames

LOOP = """\
def f(xs):
    total = 0
    for x in xs:
        if x < 0:
            continue
        elif x > 9:
            break
        total += x
    else:
        total = -total
    return total
"""
GUARDED = """\
def f(x):
    try:
        y = 1 / x
    except ZeroDivisionError:
        y = 0
    except TypeError:
        raise
    else:
        y = 2
    finally:
        z = 3
    return y
"""
LEAVING = """\
def f(x):
    for y in x:
        try:
            with a:
                if y: break
                with b: return y
                continue
        except E:
            raise
        finally:
            z = 3
    return z
"""


def ways(source: str) -> dict[int, tuple[int, int]]:
    return {line: found[:2] for line, found in flow_table(source).items()}


def test_a_loop_goes_into_its_body_or_past_it_and_its_body_back():
    assert ways(LOOP) == {
        1: (END, END),
        2: (3, 3),
        3: (4, 10),
        4: (5, 6),
        5: (3, 3),
        6: (7, 8),
        7: (11, 11),
        8: (3, 3),
        10: (11, 11),
        11: (END, END),
    }


def test_an_exception_goes_to_the_first_handler_then_to_finally():
    table = flow_table(GUARDED)
    assert {line: found.raised for line, found in table.items()} == {
        1: END,
        2: END,
        3: 4,
        4: 11,
        5: 11,
        6: 11,
        7: 11,
        9: 11,
        11: END,
        12: END,
    }
    assert table[3][:2] == (9, 9) and table[4][:2] == (5, 6) and table[6][:2] == (7, 11)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = 1; b = 2\nc = 3", {1: (2, 2), 2: (END, END)}),
        ("if x: y = 1\nz = 2", {1: (2, 2), 2: (END, END)}),
        (
            "def f(x):\n    if x: return 1\n    return 2",
            {1: (END, END), 2: (END, 3), 3: (END, END)},
        ),
        ("while x:\n    x -= 1\n", {1: (2, END), 2: (1, 1)}),
        ("with a:\n    b\nc", {1: (2, 3), 2: (1, 1), 3: (END, END)}),
        (
            "match x:\n case 1:\n  a\n case _:\n  b\nc",
            {1: (2, 2), 2: (3, 4), 3: (6, 6), 4: (5, 6)} | {5: (6, 6), 6: (END, END)},
        ),
        ("not a program", {}),
    ],
)
def test_statements_by_hand(source, expected):
    assert ways(source) == expected


def test_labels_stay_as_datasets_have_them_whatever_detours_there_are():
    assert {line: tuple(found) for line, found in flow_table(LEAVING).items()} == {
        1: (END, END, END),
        2: (3, 12, END),
        3: (4, 4, END),
        4: (5, 11, 8),
        5: (11, 6, 4),
        6: (11, 7, 4),
        7: (11, 11, 4),
        8: (9, 11, 11),
        9: (11, 11, 11),
        11: (2, 2, END),
        12: (END, END, END),
    }


def test_what_nests_too_deeply_has_no_ways():
    chain = "".join(f"elif x == {n}:\n    y = {n}\n" for n in range(2000))
    assert flow_table(f"if x:\n    y = 0\n{chain}") == {}


def test_a_branch_is_told_where_there_are_two_ways():
    assert [branch(Ways(2, 3, 0), line) for line in (2, 3, 9)] == [1, 2, 0]
    assert branch(Ways(2, 2, 0), 2) == 0


def test_real_programs_take_no_other_ways(real_traces):
    count = 0
    for trace in real_traces:
        if trace.origin == "one_line":  # a function on one line is two statements
            continue
        table = flow_table(trace.source)
        for events in frames(trace).values():
            for event, after in pairwise(events):
                found = table.get(event.lineno, NOWHERE)
                if (event.kind, after.kind) == ("line", "line"):
                    assert after.lineno in found[:2], (trace.origin, event, after)
                    count += found.fork
                elif (event.kind, after.kind) == ("exception", "line"):
                    assert after.lineno == found.raised, (trace.origin, event)
    assert count > 20
