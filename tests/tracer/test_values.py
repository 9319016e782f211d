import ast
import enum
import json
import math
import sys
import threading
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracer.values import Budget, Value, capture, render

ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(st.characters(exclude_categories=())),  # surrogates too
    st.binary(),
    st.binary().map(bytearray),
)
KEYS = st.one_of(st.none(), st.integers(), st.text(), st.binary(), st.tuples(st.integers()))
RANGES = st.builds(range, st.integers(), st.integers(), st.integers().filter(bool))
SLICES = st.builds(slice, st.none() | st.integers(), st.none() | st.integers())


def nested(leaves: st.SearchStrategy) -> st.SearchStrategy:
    def grow(inner):
        small = st.lists(inner, max_size=4)
        return st.one_of(
            small, small.map(tuple), small.map(deque), st.dictionaries(KEYS, inner, max_size=4)
        )

    sets = st.one_of(st.sets(KEYS), st.frozensets(KEYS))
    return st.recursive(leaves | RANGES | SLICES | sets, grow, max_leaves=12)


def carried(value: Value) -> Value:
    """As it travels: the traces on disk and the sandbox use the same text."""
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return Value.from_json(json.loads(text))


@settings(max_examples=150, deadline=None)
@given(nested(ATOMS))
def test_a_value_is_the_same_after_it_travelled_as_json(value):
    seen = capture(value)
    assert carried(seen) == seen


@settings(max_examples=150, deadline=None)
@given(nested(ATOMS))
def test_a_value_within_the_budget_is_whole_and_equal_values_are_captured_equal(value):
    large = Budget(depth=99, nodes=10_000, string=10_000)
    assert capture(value, large).whole
    assert capture(value) == capture(value)


LISTED = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary())


def listed(leaves: st.SearchStrategy) -> st.SearchStrategy:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.lists(inner, max_size=4).map(tuple),
            st.dictionaries(KEYS, inner, max_size=4),
        ),
        max_leaves=12,
    )


@settings(max_examples=150, deadline=None)
@given(listed(LISTED | RANGES | SLICES | st.complex_numbers() | st.binary().map(bytearray)))
def test_the_rendered_text_is_the_repr_of_the_value(value):
    assert render(capture(value)) == repr(value)


@settings(max_examples=100, deadline=None)
@given(listed(LISTED.filter(lambda value: value == value and value not in (math.inf, -math.inf))))
def test_the_rendered_text_evaluates_to_the_value(value):
    assert ast.literal_eval(render(capture(value))) == value


@pytest.mark.parametrize(
    "value",
    [
        set(),
        frozenset(),
        {1},
        frozenset({"a"}),
        deque(),
        deque([1, [2]]),
        (1,),
        bytearray(b"it's"),
        bytearray(b'"it\'s"'),
        1j,
        complex("nan"),
        range(3),
        range(1, 3, 2),
        10**600,
        -(2**2000),
        "\0",
        "\ud83d\ude00",
        b"\xff",
    ],
    ids=repr,
)
def test_values_of_every_built_in_kind_render_as_their_repr_and_travel(value):
    assert render(capture(value)) == repr(value)
    assert carried(capture(value)) == capture(value)


def test_nan_equals_nan_and_the_two_zeros_differ():
    assert capture(math.nan) == capture(-math.nan)
    assert capture(0.0) != capture(-0.0)
    assert capture([1]) != capture([True]) != capture([1.0])


def test_a_set_is_the_same_whatever_order_it_was_filled_in():
    names = [f"name {number}" for number in range(40)]
    assert capture(set(names)) == capture(set(reversed(names)))


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("x" * 20, 20),
        (b"x" * 20, 20),
        (bytearray(b"x" * 20), 20),
        (list(range(20)), 20),
        (tuple(range(20)), 20),
        (set(range(20)), 20),
        (frozenset(range(20)), 20),
        (deque(range(20)), 20),
        ({number: 0 for number in range(20)}, 20),
        (ValueError(*range(20)), 20),
        (10**19, 19),  # one too few: estimated from the number of bits, from below
    ],
)
def test_what_the_budget_cuts_off_leaves_a_mark_with_the_original_length(value, size):
    seen = capture(value, Budget(nodes=10, string=10, digits=10))
    assert seen.size == size
    assert not seen.whole
    assert carried(seen) == seen
    assert "..." in render(seen) or "digits" in render(seen)


def test_a_value_deeper_than_the_budget_ends_in_a_cut():
    value = leaf = []
    for _ in range(10):
        leaf.append([])
        leaf = leaf[0]
    seen = capture(value, Budget(depth=3))
    assert seen == Value("list", (Value("list", (Value("list", (Value("cut", None),)),)),))
    assert not seen.whole


def test_the_budget_bounds_the_work_on_wide_and_deep_values():
    def count(value: Value) -> int:
        return 1 + sum(map(count, value.children()))

    wide = [[[list(range(50))] * 50] * 50] * 50
    assert count(capture(wide)) < 2000
    assert count(capture(Exception(*range(100_000)))) < 2000
    assert count(capture(Box(**{f"n{i}": i for i in range(100_000)}))) < 2000


class Box:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


def test_a_value_inside_itself_is_a_reference_to_the_level_above():
    box, cycle, table = Box(name="box"), [1], {}
    box.items = [box]
    cycle.append(cycle)
    table["self"] = (table,)
    assert render(capture(cycle)) == "[1, <ref 1>]"
    assert render(capture(table)) == "{'self': (<ref 2>,)}"
    assert render(capture(box)) == "<Box name='box' items=[<ref 2>]>"


Point = namedtuple("Point", "x y")


@dataclass
class Pair:
    left: int
    right: object


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Pair(1, [2]), "<Pair left=1 right=[2]>"),
        (Point(1, 2), "<Point =(1, 2)>"),
        (defaultdict(list, a=[1]), "<defaultdict ={'a': [1]}>"),
        (OrderedDict(a=1), "<OrderedDict ={'a': 1}>"),
        (Counter("aab"), "<Counter ={'a': 2, 'b': 1}>"),
        (KeyError("a", 1), "KeyError('a', 1)"),
        (len, "<function len>"),
        (json, "<module json>"),
        (Pair, "<type Pair>"),
        (Box().__init__, "<function Box.__init__>"),
        (..., "<ellipsis>"),
        (iter([]), "<list_iterator>"),
    ],
)
def test_other_objects_show_their_type_and_what_they_hold(value, text):
    assert render(capture(value)) == text
    assert carried(capture(value)) == capture(value)


class Slotted:
    __slots__ = ("left", "right", "__weakref__")


class Mixed(Slotted):
    __slots__ = ("__dict__", "_own")


def test_slots_are_attributes_as_far_as_they_are_bound():
    empty, half, full = Slotted(), Slotted(), Mixed()
    half.right = full.right = [1]
    full.left, full._own, full.other = half, 2, 3
    assert render(capture(empty)) == "<Slotted>"
    assert render(capture(half)) == "<Slotted right=[1]>"
    assert render(capture(full)) == "<Mixed left=<Slotted right=[1]> right=[1] _own=2 other=3>"


class Colour(enum.Enum):
    RED = 1


class Flags(enum.IntFlag):
    A = 1
    B = 2


def test_an_enum_member_is_its_name_and_its_value_on_every_python():
    assert render(capture(Colour.RED)) == "<Colour _value_=1 _name_='RED'>"
    assert render(capture(Flags.A)) == "<Flags =1 _value_=1 _name_='A'>"


def test_an_ordered_dict_keeps_the_order_that_is_its_own():
    order = OrderedDict(a=1, b=2)
    order.move_to_end("a")
    assert render(capture(order)) == "<OrderedDict ={'b': 2, 'a': 1}>"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.int64(-3), "<int64 =-3>"),
        (np.float64(0.5), "<float64 =0.5>"),
        (np.float32(0.5), "<float32 =0.5>"),
        (np.bool_(True), f"<{type(np.bool_(True)).__name__} =True>"),
        (np.str_("a"), "<str_ ='a'>"),
        (np.longdouble(1), "<longdouble>"),
        (np.arange(4).reshape(2, 2), "<ndarray dtype='<i8' shape=(2, 2) items=[0, 1, 2, 3]>"),
        (np.array(1.5), "<ndarray dtype='<f8' shape=() items=[1.5]>"),
        (np.array([[1], None], dtype=object), "<ndarray dtype='|O' shape=(2,) items=[[1], None]>"),
    ],
    ids=repr,
)
def test_what_numpy_holds_is_read_as_python_values(value, text):
    assert render(capture(value)) == text
    assert carried(capture(value)) == capture(value)


def test_a_large_array_says_how_many_items_it_has():
    seen = capture(np.arange(1000), Budget(nodes=20))
    assert not seen.whole
    assert dict(seen.data[1])["items"].size == 1000


def test_a_program_cannot_pose_as_numpy(monkeypatch):
    class Array:
        def __getattribute__(self, name):
            raise RuntimeError(name)

    fake = ModuleType("numpy")
    vars(fake).update(ndarray=Array, generic=Array)
    value = Array()
    for module in (fake, Array()):
        monkeypatch.setitem(sys.modules, "numpy", module)
        assert render(capture(value)) == "<Array>"


def test_aliases_show_where_they_are_asked_for_and_equal_content_is_equal_elsewhere():
    row, table = [0], {}
    value = [row, (row, 1), table, [0], table]
    seen = capture(value, Budget(aliases=True))
    assert render(seen) == "[[0], (<alias 1>, 1), {}, [0], <alias 2>]"
    assert carried(seen) == seen
    assert capture([row, row]) == capture([[0], [0]])
    assert capture([row, row], Budget(aliases=True)) != capture([[0], [0]], Budget(aliases=True))
    row.append(row)
    assert render(capture(row, Budget(aliases=True))) == "[0, <ref 1>]"


def test_a_thread_is_what_the_program_made_of_it():
    class Worker(threading.Thread):
        def __init__(self):
            super().__init__()
            self.total = 0

    assert render(capture(Worker())) == "<Worker total=0>"
