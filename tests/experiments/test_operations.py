"""What statements do, by the names of ast and of what they call."""

import pytest

from experiments.operations import operations, statement_kind, written_keys


@pytest.mark.parametrize(
    "text, kind",
    [
        ("x = 1", "Assign"),
        ("x += 1", "AugAssign"),
        ("return x", "Return"),
        ("f(x)", "Expr"),
        ("a = 1; b = 2", "Assign"),
        ("for x in y:", "For"),
        ("for x in y:  # each of them", "For"),
        ("while x:", "While"),
        ("if x:", "If"),
        ("if (x\n        and y):", "If"),
        ("if x: y = 1", "If"),
        ("elif x:", "If"),
        ("elif x:  # or else", "If"),
        ("elif x: return 1", "If"),
        ("else:", "If"),
        ("try:", "Try"),
        ("except ValueError as e:", "Try"),
        ("except:", "Try"),
        ("except E: return 1", "Try"),
        ("finally:", "Try"),
        ("with x as y:", "With"),
        ("match x:", "Match"),
        ("case [a, b] if a:", "Match"),
        ("def f(x):", "FunctionDef"),
        ("async def f(x):", "AsyncFunctionDef"),
        ("class A:", "ClassDef"),
        ("%%", "other"),
        ("", "other"),
    ],
)
def test_a_statement_has_the_name_of_its_node(text, kind):
    assert statement_kind(text) == kind


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x = y", {"Name"}),
        ("x = [1, 2]", {"List"}),
        ("x += 1", {"Add"}),
        ("x = -y * z", {"USub", "Mult"}),
        ("for i in range(n):", {"range()"}),
        ("for x in xs:", {"For"}),
        ("if not a and x in xs:", {"Not", "And", "In"}),
        ("x = s.replace(a, b)[1:].upper()", {".replace()", "[:]", ".upper()"}),
        ("d[k] = sorted(d, key=len)[0]", {"[] =", "sorted()", "[]"}),
        ("x = solve([i for i in y])", {"call", "ListComp"}),
        ("del xs[0]", {"[]"}),
        ("%%", {"other"}),
    ],
)
def test_a_statement_has_the_names_of_its_operations(text, names):
    assert operations(text) == names


@pytest.mark.parametrize(
    ("text", "before", "after", "told"),
    [
        ("d[k] = 1", "{'a': 1}", "{'a': 1, 'b': 1}", ["[] = of a new key"]),
        ("d[k] += 1", "{'a': 1}", "{'a': 2}", ["[] = of a key that is there"]),
        ("d[k] = 1", "[1]", "[2]", []),
        ("d[k] = 1", "defaultdict(...)", "{}", []),
        ("d = {}", "{'a': 1}", "{}", []),
        ("%%", "{}", "{}", []),
    ],
)
def test_a_key_that_is_written_is_new_or_there(text, before, after, told):
    assert [*written_keys(text, {"d": before}, {"d": after})] == told
