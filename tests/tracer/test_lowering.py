"""Parts of statements: together they do what the statement does, one operation at a time."""

import ast
import copy
from itertools import pairwise

import pytest

from tracer.corpora import synthetic
from tracer.encode import decode_row, encode_trajectory
from tracer.layout import Layout
from tracer.lowering import Lowering
from tracer.sandbox import Sandbox
from tracer.schema import KINDS, Event, Trace, frames
from tracer.tokens import encode_statement
from tracer.values import Value, capture
from tracer.working import Unknown, computed, counted, literal

LAYOUT = Layout(registers=3, counters=2)
NAMES = "a b c d i n s xs f".split()
LOOP = """\
def f(words):
    total = 0
    for word in words:
        for letter in word:
            if letter == "!":
                break
            total += 1
    for letter in []:
        total = 0
    return total
"""


@pytest.fixture(scope="module")
def drawn() -> list[Trace]:
    """Synthetic programs, of all families."""
    programs = [*synthetic.programs(count=60, seed=5)]
    with Sandbox() as box:
        return [box.run_program(program).trace for program in programs]


@pytest.fixture(scope="module")
def looped() -> Trace:
    with Sandbox() as box:
        return box.run(LOOP.encode(), "f(['ab', '!x', 'c'])").trace


def parts(text: str, known=NAMES) -> tuple[str, ...]:
    return Lowering("", LAYOUT).parts(1, text, known)


def split(events: list[Event], lowering: Lowering):
    names = [*dict.fromkeys(name for event in events for name in event.locals)]
    for event, after in pairwise(events):
        if event.kind == "line" == after.kind:
            found = lowering.parts(event.lineno, event.statement, names)
            if len(found) > 1:
                yield event, after, found


def simple(traces: list[Trace]):
    """Statements with parts, of variables that are literals: the parts, before and after."""
    for trace in traces:
        for events in frames(trace).values():
            for event, after, found in split(events, Lowering(trace.source, LAYOUT)):
                try:
                    held = computed(found, event.locals).registers
                    before, true = (
                        {name: literal(value) for name, value in each.locals.items()}
                        for each in (event, after)
                    )
                except Unknown:
                    continue
                if not found[-1].endswith(":"):
                    yield found, held, before, true


def test_the_parts_of_a_statement_do_together_what_it_does(drawn, real_traces):
    count = 0
    for found, held, variables, true in simple([*drawn, *real_traces]):
        for part, registers in zip(found, held, strict=True):
            assert {name: variables[name] for name in registers} == {
                name: literal(value) for name, value in registers.items()
            }
            try:
                exec(part, variables)
            except NameError:  # of another function of the program
                break
            count += 1
        else:
            assert {name: variables[name] for name in true} == true
    assert count > 50


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = b * c + d", ["τ1 = b * c", "a = τ1 + d"]),
        ("a = (b + c) * (c - d)", ["τ1 = b + c", "τ2 = c - d", "a = τ1 * τ2"]),
        ("while n % 2 > 0:", ["τ1 = n % 2", "while τ1 > 0:"]),
        ("elif a + b < c:", ["τ1 = a + b", "elif τ1 < c:"]),
        ("a += xs[i] * 2", ["τ1 = xs[i]", "τ1 = τ1 * 2", "a += τ1"]),
        ("return s + s[1:i+1]", ["τ1 = i+1", "τ1 = s[1:τ1]", "return s + τ1"]),
        ("return s.upper() + s.lower()", ["τ1 = s.upper()", "τ2 = s.lower()", "return τ1 + τ2"]),
        ("a = 'é' + s[i + 1]", ["τ1 = i + 1", "τ1 = s[τ1]", "a = 'é' + τ1"]),
        ("a, b = b, a % b", ["τ1 = a % b", "a, b = b, τ1"]),
        ("if a % 2 == 0 and xs[0]:", ["τ1 = a % 2", "τ1 = τ1 == 0", "if τ1 and xs[0]:"]),
        ("a = sorted(d.items())[0]", ["τ1 = sorted(d.items())", "a = τ1[0]"]),
        ("a = f(b + c) + a * 2", ["τ1 = b + c", "a = f(τ1) + a * 2"]),
        ("a = (b -\n  c) * d", ["τ1 = (b -\n  c)", "a = τ1 * d"]),
    ],
)  # fmt: skip
def test_operations_are_taken_out_in_the_order_of_their_evaluation(text, expected):
    assert [*parts(text)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "a = b + c",
        "a = b and xs[i] + 1",  # evaluated in some cases
        "a = b if c else xs[i] + 1",
        "a = [b * i for i in xs]",
        "a = xs.pop() + b * c",  # an effect comes first
        "a = f(b)[b + c]",
        "a = unknown * b + c",  # no variable
        "a = len(xs) + b",  # another than the built-in one
        "a = d.other + d.one * b",  # of no built-in type
        "a = 1; b = a + c * d",
        "if a: b = a + c * d",
        "ls -l | wc -l -c",  # no Python
        "for i in range(n + 1):",  # evaluated once
        "a = lambda: b + c * d",
    ],
)
def test_what_is_not_evaluated_in_any_case_and_before_any_effect_stays(text):
    assert parts(text, [*NAMES, "len"]) == (text,)


def registers_in(part: str) -> tuple[list[str], set[str]]:
    """Those that it reads, and those that it writes."""
    code = f"{part.removeprefix('el')} pass" if part.endswith(":") else part
    names = [each for each in ast.walk(ast.parse(code)) if isinstance(each, ast.Name)]
    found = [each for each in names if each.id.startswith("τ")]
    read = [each.id for each in found if isinstance(each.ctx, ast.Load)]
    return read, {each.id for each in found if isinstance(each.ctx, ast.Store)}


def test_a_register_is_written_before_it_is_read_and_read_once(drawn):
    for trace in drawn:
        for events in frames(trace).values():
            for _, _, found in split(events, Lowering(trace.source, LAYOUT)):
                full: set[str] = set()
                for part in found:
                    read, written = registers_in(part)
                    assert len(read) == len({*read}) and full >= {*read}
                    full = (full - {*read}) | written
                assert not full


def test_without_working_slots_a_statement_is_one_part():
    lowering = Lowering(LOOP, Layout())
    assert lowering.parts(3, "for word in words:", ["words"]) == ("for word in words:",)
    assert lowering.parts(2, "a = b * c + d", NAMES) == ("a = b * c + d",)


def test_a_counter_says_how_often_a_loop_has_gone_round(looped):
    [events] = frames(looped).values()
    trajectory = encode_trajectory(events, LAYOUT, lowering=Lowering(LOOP, LAYOUT))
    counters = slice(LAYOUT.slots + LAYOUT.registers, LAYOUT.rows - 1)
    seen = []
    for step, event in zip(trajectory.at, events, strict=True):
        rows = (decode_row(row) for row in trajectory.states[step][counters])
        seen.append((event.lineno, tuple(row and row.data for row in rows)))
    found = {at: [count for line, count in seen if line == at] for at in (4, 5, 8)}
    assert found[4] == [(0, None), (0, 0), (0, 1), (1, None), (2, None), (2, 0)]
    assert found[5] == [(0, 0), (0, 1), (1, 0), (2, 0)]
    assert found[8] == [(None, None)]
    lowering = Lowering(LOOP, LAYOUT)
    texts = {part for e in events for part in lowering.parts(e.lineno, e.statement, ())}
    assert {"for ι1, word in enumerate(words):", "del ι2; break"} <= texts


@pytest.mark.parametrize(
    ("last", "rounds"),
    [
        ("if n == 2: break", [0, 1, 2]),
        ("if n == 2:\n                break", [0, 1, 2]),
        ("n += 1", [0, 1, 2, 3]),
    ],
)
def test_a_loop_that_was_left_begins_anew(last, rounds):
    inner = f"        for n in range(4):\n            m += 'c'\n            {last}\n"
    source = f"def f():\n    for m in 'ab':\n{inner}"
    with Sandbox() as box:
        [events] = frames(box.run(source.encode(), "f()").trace).values()
    counts = counted(events, Lowering(source, LAYOUT))
    found = [
        held["ι2"].data for event, held in zip(events, counts, strict=True) if event.lineno == 4
    ]
    assert found == rounds * 2


def test_what_was_not_told_is_empty_and_the_rest_the_same(drawn):
    for trace in drawn[:20]:
        for events in frames(trace).values():
            whole = encode_trajectory(events, Layout())
            lowering = Lowering(trace.source, LAYOUT)
            for told in (True, False):
                found = encode_trajectory(events, LAYOUT, lowering=lowering, told=told)
                states = [found.states[step] for step in found.at]
                assert [(*s[: LAYOUT.slots], s[-1]) for s in states] == whole.states
                working = [row for s in found.states for row in s[LAYOUT.slots : -1]]
                assert told or not any(map(any, working))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a ** a", 10**6),
        ("a << a", 10**9),
        ("s * a", 10**9),
        ("s.zfill(a)", 10**9),
        ("s % a", 1),
        ("list(d)", {1, 2}),
        ("sum(d)", range(10**12)),
        ("sum(range(a))", 10**12),
        ("[0] * a", 10**9),
        ("s.replace(d, d)", "x" * 1001),
    ],
)
def test_what_would_take_long_or_hangs_on_no_value_is_not_computed(expression, value):
    variables = {"a": capture(value), "d": capture(value), "s": capture("%9d" * 300)}
    with pytest.raises(Unknown):
        computed([f"τ1 = {expression}", "b = τ1 + 1"], variables)


def test_what_would_raise_leaves_its_register_empty():
    variables = {"xs": capture([]), "a": capture(2)}
    found = computed(["τ1 = a + 1", "τ2 = xs[0]", "τ1 = τ1 * τ2", "b = τ1 + 1"], variables)
    assert found.raises == 1
    assert found.registers == [{}, {"τ1": capture(3)}, {"τ1": capture(3)}, {}]


HANDLED = """\
def f(d, keys):
    found = []
    for key in keys:
        try:
            found.append(d[key][0] + 1)
        except (KeyError, TypeError) as error:
            if key == "c":
                break
            else:
                found.append(str(error) + "!")
    return found
"""


@pytest.fixture(scope="module")
def handled() -> list[Event]:
    with Sandbox() as box:
        call = "f({'a': 'x', 'b': [1]}, ['b', 'a', '?', 'c'])"
        [events] = frames(box.run(HANDLED.encode(), call).trace).values()
    return events


def test_behind_a_part_that_raises_stands_what_it_raised(handled):
    lowering = Lowering(HANDLED, LAYOUT)
    told, untold = (
        encode_trajectory(handled, LAYOUT, lowering=lowering, told=told) for told in (True, False)
    )
    parts = [
        [(KINDS[told.kinds[n]], told.states[n][-1]) for n in range(step, after)]
        for step, after, event in zip(told.at, told.at[1:], handled, strict=False)
        if event.lineno == 5 and event.kind == "line"
    ]
    fine, no_sum, no_key, no_other = ([kind for kind, _ in each] for each in parts)
    assert fine == ["line"] * 4
    assert no_sum == ["line"] * 3 + ["exception"]
    assert no_key == no_other == ["line"] + ["exception"] * 3
    raised = [decode_row(row) for _, row in parts[2][1:]]
    [arg] = {e.arg for e in handled if e.kind == "exception" and "'?'" in str(e.arg)}
    assert raised == [arg] * 3
    assert {untold.kinds[step] for step in {*range(len(untold))} - {*untold.at}} == {
        KINDS.index("line")
    }


def test_what_ends_with_a_handler_is_said(handled):
    names = [*dict.fromkeys(name for event in handled for name in event.locals)]
    found = Lowering(HANDLED, LAYOUT).table({e.lineno: e.statement for e in handled}, names)
    assert found[8, False] == ("del ι1, error; break",)
    assert found[10, False] == ("τ1 = str(error)", 'τ1 = τ1 + "!"', "found.append(τ1); del error")
    for event, after in pairwise(handled):
        gone = "error" in event.locals and "error" not in after.locals
        parts = found[event.lineno, False]
        assert gone == any("del error" in part or ", error" in part for part in parts)


@pytest.mark.parametrize("value", [object(), [object()], "x" * 2000, len])
def test_only_literals_that_were_captured_whole_are_computed_with(value):
    with pytest.raises(Unknown):
        literal(capture(value))


@pytest.mark.parametrize(
    "value", [None, True, -3, 1.5, "é", b"\xff", [1, (2, {3})], {1: [2]}, range(3)]
)
def test_a_literal_is_the_object_that_was_captured(value):
    assert literal(capture(copy.deepcopy(value))) == value


def test_a_working_name_is_a_reference_in_a_statement():
    slots = {"a": 0, "τ1": 8}
    assert encode_statement("a = τ1 + 1", slots)[1] == (0, 8)
    assert Value("int", 1) == capture(1)
