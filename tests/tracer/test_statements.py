import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracer.statements import statement_table


def texts(source: str) -> dict[int, str]:
    return {line: statement.text for line, statement in statement_table(source).items()}


def test_a_statement_over_several_lines_is_one_with_its_whole_text():
    table = statement_table("x = [\n    1,\n    2,\n]\ny = 3\n")
    assert {line: s.line for line, s in table.items()} == {1: 1, 2: 1, 3: 1, 4: 1, 5: 5}
    assert table[3].text == "x = [\n    1,\n    2,\n]"


def test_a_compound_statement_is_its_header_alone():
    source = "if x:  # why\n    # because\n\n    y = 1\nelse:\n    y = 2\n"
    assert texts(source) == {1: "if x:  # why", 2: "if x:  # why", 3: "if x:  # why"} | {
        4: "y = 1",
        6: "y = 2",
    }


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = 1; b = 2", {1: "a = 1; b = 2"}),
        ("if x: y = 1\nelse: y = 2", {1: "if x: y = 1", 2: "else: y = 2"}),
        ("if x: y = 1\nelse:\n  z = 2", {1: "if x: y = 1", 3: "z = 2"}),
        ("for x in y: z = 1\nelse:\n  z = 2", {1: "for x in y: z = 1", 3: "z = 2"}),
        (
            "try: x = 1\nexcept E: x = 2\nfinally: x = 3",
            {1: "try: x = 1", 2: "except E: x = 2", 3: "finally: x = 3"},
        ),
        ("def f(): return 1", {1: "def f(): return 1"}),
        ("class A: x = 1; y = 2", {1: "class A: x = 1; y = 2"}),
        ("a = 1; b = [\n2]\nc = 3", {1: "a = 1; b = [\n2]", 2: "a = 1; b = [\n2]", 3: "c = 3"}),
        ("a = [\n1]; b = (\n2)", dict.fromkeys((1, 2, 3), "a = [\n1]; b = (\n2)")),
        ("if x: y = [\n1]\nz = 2", {1: "if x: y = [\n1]", 2: "if x: y = [\n1]", 3: "z = 2"}),
    ],
)
def test_statements_that_share_a_line_are_one_and_those_of_other_lines_are_not(source, expected):
    assert texts(source) == expected


def test_a_decorated_function_is_its_def_line_from_the_first_decorator_on():
    table = statement_table("@a\n@b(\n  1)\ndef f(\n  x,\n):\n    return x\n")
    assert {table[line].text for line in range(1, 7)} == {"def f(\n  x,\n):"}
    assert {table[line].line for line in range(1, 7)} == {4}
    assert table[7].text == "return x"


def test_a_case_of_a_match_is_a_statement():
    source = "match x:\n  case 1 | 2:\n    y = 1\n  case [a] if a:\n    y = 2\n  case _: y = 3\n"
    assert texts(source) == {
        1: "match x:",
        2: "case 1 | 2:",
        3: "y = 1",
        4: "case [a] if a:",
        5: "y = 2",
        6: "case _: y = 3",
    }
    assert statement_table(source)[2].kind == "match_case"


def test_a_string_that_looks_like_a_comment_stays():
    assert texts('x = """\n# text"""\n')[1] == 'x = """\n# text"""'


def test_a_statement_is_dedented_and_lines_inside_strings_are_not_lost():
    source = "def f():\n    x = '''\n  two\n\n    four'''\n"
    assert texts(source)[2] == "x = '''\n  two\n\nfour'''"


@pytest.mark.parametrize("character", ["\f", "\v", "\x1c", "\x85", "\u2028"])
def test_lines_are_counted_as_the_interpreter_counts_them(character):
    source = f"x = '{character}'\ny = 2\n"
    assert texts(source) == {1: f"x = '{character}'", 2: "y = 2"}


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_every_kind_of_newline_ends_a_line(newline):
    assert texts(f"x = 1{newline}if x:{newline}  y = 2{newline}") == {
        1: "x = 1",
        2: "if x:",
        3: "y = 2",
    }


BLOCKS = st.recursive(
    st.sampled_from(["a = 1", "b = [\n1,\n]", "f(); g()", "'''x\n# y'''", "pass  # why"]),
    lambda inner: st.lists(inner, min_size=1, max_size=3).flatmap(
        lambda body: st.sampled_from(
            ["if a:", "for x in y:", "while (a\n    and b):", "try:", "with a as b:", "def f():"]
        ).map(lambda header: compound(header, body))
    ),
    max_leaves=8,
)


def compound(header: str, body: list[str]) -> str:
    lines = "\n".join(body).split("\n")
    text = header + "\n" + "\n".join("    " + line for line in lines)
    return text + "\nfinally:\n    pass" if header == "try:" else text


@settings(max_examples=80, deadline=None)
@given(st.lists(BLOCKS, min_size=1, max_size=3).map("\n".join))
def test_every_line_on_which_a_statement_begins_has_a_statement_that_begins_there_or_above(source):
    table = statement_table(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt):
            assert table[node.lineno].line <= node.lineno
    for line, statement in table.items():
        assert statement.line <= line < statement.line + 1 + statement.text.count("\n")
