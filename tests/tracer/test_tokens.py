import ast
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracer.cells import encode
from tracer.statements import statement_table
from tracer.tokens import TOKENS, encode_statement
from tracer.values import capture
from tracer.vocab import INDEX, PAD, REFERENCES, SYMBOLS


def words(text: str, slots: dict[str, int] | None = None) -> str:
    tokens, _, _ = encode_statement(text, slots or {}, tokens=200)
    return " ".join(SYMBOLS[token] for token in tokens if token != PAD)


def test_variables_are_references_and_literals_are_spelled_as_values():
    tokens, found, whole = encode_statement("total = total + 12", {"n": 0, "total": 1})
    assert words("total = total + 12", {"n": 0, "total": 1}) == (
        "reference 0 operator = reference 0 operator + int digit 2 digit 1"
    )
    assert (len(tokens), found, whole) == (TOKENS, (1,), True)


def test_statements_that_differ_only_in_names_have_the_same_tokens():
    one = encode_statement("for i in xs: acc[i] += i", {"i": 0, "xs": 1, "acc": 2})
    two = encode_statement("for key in table: s[key] += key", {"table": 0, "key": 1, "s": 2})
    assert one[0] == two[0]
    assert (one[1], two[1]) == ((0, 1, 2), (1, 0, 2))


def test_references_stand_in_the_order_in_which_a_statement_names_its_variables():
    _, found, _ = encode_statement("c = a + b + c + a", {"a": 3, "b": 1, "c": 5})
    assert found == (5, 3, 1)


def test_more_variables_than_references_are_marked_as_overflow():
    names = [f"v{number}" for number in range(REFERENCES + 1)]
    slots = {name: number for number, name in enumerate(names)}
    assert encode_statement(" + ".join(names[:-1]), slots)[2]
    tokens, found, whole = encode_statement(" + ".join(names), slots)
    assert found == tuple(range(REFERENCES))
    assert not whole
    assert len(tokens) == TOKENS


@pytest.mark.parametrize("more", [0, 1])
def test_more_tokens_than_fit_are_cut_and_marked_as_overflow(more):
    text = "~" * (TOKENS + more)
    tokens, _, whole = encode_statement(text, {})
    assert tokens == (INDEX["operator ~"],) * TOKENS
    assert whole == (not more)


LITERALS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 10**30),
    st.floats(0, allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.binary(max_size=12),
)


@settings(max_examples=200, deadline=None)
@given(LITERALS)
def test_a_literal_is_spelled_like_the_value_that_it_makes(value):
    tokens, _, _ = encode_statement(repr(value), {}, tokens=200)
    row, exact = encode(capture(value), 200)
    assert exact
    spelled = [token for token in tokens if token != PAD]
    if isinstance(value, str | bytes):
        assert spelled.pop() == INDEX["end"]
    assert spelled == [symbol for symbol in row if symbol != PAD]


@pytest.mark.parametrize(
    "literal",
    [
        r"'\a\b\f\n\r\t\v\\\'\"\0\101\x41\u0041\U00000041\N{BULLET}'",
        r"'\d\ '",
        r"r'\n\x41'",
        r"b'\x41\u0041\N{BULLET}\101\q'",
        r"rb'\x41'",
        '"""a"b\n"""',
        "''",
        "'''it's'''",
        "'a\\\nb'",
        "0x1F",
        "0b101",
        "0o17",
        "1_000",
        "1e5",
        "1.50",
        ".5",
        "5.",
        "3j",
        "1e400",
        "00",
    ],
)
def test_every_way_to_write_a_literal_is_spelled_alike(literal, recwarn):
    expected, _ = encode(capture(ast.literal_eval(literal)), 200)
    spelled = [t for t in encode_statement(literal, {}, tokens=200)[0] if t not in (PAD, END)]
    assert spelled == [symbol for symbol in expected if symbol != PAD]


END = INDEX["end"]


def test_the_fields_of_an_f_string_are_code():
    assert words("f'{n:>3}=\\t{{{m!r}}}'", {"n": 0, "m": 1}) == (
        "fstring operator { reference 0 : > 3 operator } = \t { operator { reference 1 ! r "
        "operator } } end"
    )


def test_attributes_are_not_variables_and_comments_are_nothing():
    slots = {"count": 0, "x": 1}
    assert words("x.count(count)  # count", slots) == (
        "reference 0 operator . name count operator ( reference 1 operator )"
    )


def test_names_without_a_symbol_share_buckets_that_no_python_changes():
    assert words("some_name") == "bucket 37"
    assert words("KeyError if len else None") == (
        "exception KeyError keyword if name len keyword else None"
    )


def test_spaces_and_line_breaks_between_tokens_do_not_count():
    assert words("f( a,\n   b\n)") == words("f(a, b)")
    assert words("x = \\\n 1") == words("x = 1")


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_any_text_has_tokens(text):
    tokens, found, _ = encode_statement(text, {"a": 0, "b": 1})
    assert len(tokens) == TOKENS
    assert all(0 <= token < len(SYMBOLS) for token in tokens)
    assert set(found) <= {0, 1}


def test_damaged_statements_have_tokens():
    rng = random.Random(0)
    pieces = ["'", '"', "f'", "{", "}", "\\N{", "\\", "0x", "1", "e", "_", ".", "j", "a", " ", "\n"]
    for _ in range(2000):
        encode_statement("".join(rng.choices(pieces, k=8)), {"a": 0})


def test_the_statements_of_real_programs_fit(real_traces):
    texts = {
        statement.text
        for trace in real_traces
        for statement in statement_table(trace.source).values()
        if statement.kind in ("Assign", "AugAssign", "If", "While", "For", "Return")
    }
    fitting = sum(encode_statement(text, {}, tokens=64)[2] for text in texts)
    assert fitting > 0.9 * len(texts)
