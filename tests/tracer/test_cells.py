import random
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracer.cells import CELLS, Unreadable, decode, encode
from tracer.values import Budget, Value, capture, render
from tracer.vocab import INDEX, PAD, PHRASES, SYMBOLS, VALUE_SYMBOLS

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(st.characters(exclude_categories=()), max_size=9),
    st.lists(st.sampled_from([*PHRASES, "a", "'"]), max_size=3).map("".join),
    st.binary(max_size=9),
    st.binary(max_size=9).map(bytearray),
    st.builds(range, st.integers(), st.integers()),
    st.builds(slice, st.integers()),
    st.sampled_from([len, deque, pytest, ..., KeyError("a"), Unreadable(1), Budget(1)]),
)


class Box:
    def __init__(self, item):
        self.item, self.me = item, self


def inside(inner):
    few = st.lists(inner, max_size=3)
    return st.one_of(
        few,
        few.map(tuple),
        few.map(deque),
        few.map(Box),
        few.map(lambda items: ValueError(*items)),
        st.sets(st.integers(), max_size=3),
        st.frozensets(st.text(max_size=3), max_size=3),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
    )


VALUES = st.recursive(LEAVES, inside, max_leaves=8).map(capture)


@settings(max_examples=300, deadline=None)
@given(VALUES, st.sampled_from([8, CELLS, 400]))
def test_a_row_that_is_exact_decodes_to_its_value_and_any_other_ends_in_a_cut(value, cells):
    row, exact = encode(value, cells)
    assert len(row) == cells
    assert all(0 <= symbol < VALUE_SYMBOLS for symbol in row)
    if exact:
        assert decode(row) == value
        return
    assert INDEX["cut"] in row
    with pytest.raises(Unreadable):
        decode(row)


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_every_whole_value_is_exact_in_a_row_that_is_long_enough(value):
    assert encode(value, 4000)[1] == value.whole


@pytest.mark.parametrize("length", [CELLS - 1, CELLS])
def test_the_row_is_used_to_its_last_cell(length):
    text = capture("x" * length)
    row, exact = encode(text)
    assert exact == (length < CELLS)
    assert (row[-1] == INDEX["cut"]) == (not exact)


def test_an_unbound_name_is_an_empty_row():
    assert encode(None) == ((PAD,) * CELLS, True)
    assert decode((PAD,) * CELLS) is None


@pytest.mark.parametrize(
    ("code", "most"),
    [
        ("[][1]", 5),
        ("1 // 0", 5),
        ("{}['k']", 5),
        ("max([])", 5),
        ("'a'.index('b')", 5),
        ("[].pop()", 5),
        ("[] + 'a'", 16),
        ("1 < 'a'", 16),
        ("a, b = [1]", 15),
        ("int('x1')", 15),
        ("len(3)", 7),
        ("(1).upper()", 16),
        ("{[]: 1}", 6),
    ],
)
def test_what_python_says_when_it_raises_takes_few_cells(code, most):
    with pytest.raises(Exception) as raised:
        exec(code)
    row, whole = encode(capture(raised.value))
    assert whole and sum(cell != PAD for cell in row) <= most
    assert render(decode(row)) == render(capture(raised.value))


@pytest.mark.parametrize("value", ["x" * 2000, list(range(300)), 10**700, [[[[[[[[1]]]]]]]]])
def test_what_the_tracer_cut_is_not_exact_however_long_the_row_is(value):
    row, exact = encode(capture(value), 9000)
    assert not exact
    assert INDEX["cut"] in row


def test_integers_are_spelled_with_the_least_significant_digit_first():
    spelled = [SYMBOLS[symbol] for symbol in encode(capture(-1203))[0][:5]]
    assert spelled == ["neg", "digit 3", "digit 0", "digit 2", "digit 1"]


def test_different_values_have_different_rows():
    values = [0, False, 0.0, -0.0, "", b"", None, (), [], set(), {}, "0", [0], (0,), {0}, "None"]
    rows = {encode(capture(value)) for value in values}
    assert len(rows) == len(values)


def readable(row: tuple[int, ...]) -> bool:
    """Decodes a row of anything: the value must be one that can be shown and encoded."""
    try:
        value = decode(row)
    except Unreadable as error:
        assert "\n" not in str(error)
        return False
    if value is not None:
        assert isinstance(render(value), str)
        assert len(encode(value, 4000)[0]) == 4000
    return True


def test_garbage_is_unreadable_and_never_another_error():
    rng = random.Random(0)
    found = set()
    for _ in range(6000):
        size = rng.choice([VALUE_SYMBOLS, 30, len(SYMBOLS), 256])
        row = [rng.randrange(size) for _ in range(rng.randrange(1, CELLS))]
        found.add(readable((*row, *[PAD] * (CELLS - len(row)))))
    assert found == {True, False}


@settings(max_examples=200, deadline=None)
@given(VALUES, st.randoms(use_true_random=False))
def test_a_damaged_row_is_unreadable_or_another_value_and_never_another_error(value, rng):
    row = list(encode(value)[0])
    for _ in range(rng.randrange(1, 4)):
        row[rng.randrange(CELLS)] = rng.randrange(VALUE_SYMBOLS)
    readable(tuple(row))


@pytest.mark.parametrize(
    "symbols",
    [
        ["int"],
        ["neg", "end"],
        ["list"],
        ["list", "end", "end"],
        ["range", "end"],
        ["slice", "None", "end"],
        ["dict", "None", "end"],
        ["float", "a"],
        ["complex", "1"],
        ["bytes", "\\u", *"0000100"[:6]],
        ["bytes", "\\u", *"000400"],
        ["str", "\\x", "g", "0"],
        ["str", "\\x", "1"],
        ["str", "\\u", *"ffffff"],
        ["str", "\\x", "-", "1"],
        ["str", "\\x", " ", "1"],
        ["object", "a", "name", "b", "end"],
        ["cut"],
        ["end"],
        ["keyword and"],
        ["<pad>", "None"],
    ],
)
def test_what_is_not_the_spelling_of_a_value_is_unreadable(symbols):
    with pytest.raises(Unreadable):
        decode(tuple(INDEX[symbol] for symbol in symbols))


def test_symbols_that_do_not_exist_are_unreadable():
    for row in [(len(SYMBOLS),), (10**6, 1), (-1,)]:
        with pytest.raises(Unreadable):
            decode(row)


def test_a_decoded_value_is_a_value():
    assert decode(encode(Value("int", 5))[0]) == Value("int", 5)
