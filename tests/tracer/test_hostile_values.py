"""Reading a value runs none of the program's code, whatever the program has made of its classes."""

import ctypes
import dataclasses
import enum
import functools
import struct
import sys
import threading
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_values import Box, carried

from tracer.atoms import atoms
from tracer.values import Budget, capture, render
from tracer.witness import UNKNOWN, look, unchanged


class Alarm:
    """Counts what runs of a program's code, once it is armed."""

    def __init__(self):
        self.armed, self.ran = False, []

    def guard(self, name: str, original):
        def method(self_, *arguments, **named):
            if not self.armed:
                return original(self_, *arguments, **named)
            self.ran.append(name)
            raise RuntimeError(name)

        return method


ALARM = Alarm()
KEPT = {"__new__", "__init__", "__init_subclass__", "__class__", "__doc__", "__set_name__"}
KEPT |= {"__class_getitem__", "__subclasshook__", "__dict__", "__getnewargs__", "__del__"}
ADDED = "__getattr__ __bool__ __index__ __int__ __float__ __complex__ __bytes__ __iter__ __len__"
BUILT_IN = {
    object: None,
    int: 7,
    float: 0.5,
    complex: 2j,
    str: "text",
    bytes: b"data",
    bytearray: bytearray(b"data"),
    list: [1, 2],
    tuple: (1, 2),
    dict: {1: 2},
    set: {1, 2},
    frozenset: frozenset({1, 2}),
    deque: deque([1, 2]),
    Exception: "message",
    type: None,
}


def traps(base: type) -> dict:
    """Every method that the interpreter could call in a class's stead, made to ring the alarm."""
    names = [n for n in dir(base) if n.startswith("__") and callable(getattr(base, n, None))]
    names = [n for n in {*names, *ADDED.split()} if n not in KEPT]
    return {n: ALARM.guard(n, getattr(base, n, lambda *_: NotImplemented)) for n in names}


def rings(name: str) -> property:
    return property(ALARM.guard(name, lambda self: {}))


META = type("Meta", (type,), traps(type))
SPECIAL = {
    "plain": {},
    "dict": {"__dict__": rings("__dict__")},
    "class": {"__class__": rings("__class__")},
    "foreign": {"__dict__": vars(int)["real"]},
    "slots": {"__slots__": ()},
    "odd": {"__dict__": 3},
    "getattr": {"__getattr__": ALARM.guard("__getattr__", lambda *_: 1)},
}


def hostile(base: type, special: str, meta: type = META):
    extra = {} if base is type and special == "slots" else SPECIAL[special]
    kind = meta("Hostile", (base,), traps(base) | extra)
    if base is type:
        return kind("Made", (), {})
    return kind() if base is object else kind(BUILT_IN[base])


@st.composite
def hostile_values(draw):
    base, special = draw(st.sampled_from(list(BUILT_IN))), draw(st.sampled_from(list(SPECIAL)))
    return hostile(base, special, META if base is not type else type)


def hashable(value) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def in_slots(items):
    kind = type("Kept", (), {"__slots__": ("items", "other", "__dict__")})
    value = kind()
    value.items, value.more = items, items
    return value


def as_array(items):
    array = np.empty(len(items), dtype=object)
    for number, item in enumerate(items):
        array[number] = item
    return array


def inside(leaves):
    few = st.lists(leaves, max_size=3)
    keys = st.lists(leaves.filter(hashable), max_size=3)
    return st.one_of(
        few,
        few.map(tuple),
        few.map(deque),
        keys.map(set),
        keys.map(dict.fromkeys),
        few.map(lambda items: dict(enumerate(items))),
        few.map(lambda items: Box(items=items)),
        few.map(in_slots),
        keys.map(OrderedDict.fromkeys),
        few.map(as_array),
        few.map(lambda items: ValueError(*items)),
        keys.map(lambda items: type("Sub", (dict,), {})(dict.fromkeys(items))),
        keys.map(lambda items: type("Sub", (set,), {})(items)),
    )


def read_in_silence(value) -> str:
    """Read it, remember it, read it again: no code of its runs, and it is the same."""
    budget, ran = Budget(), ALARM.ran
    ran.clear()
    ALARM.armed = True
    try:
        seen = capture(value)
        assert seen == capture(value)
        assert carried(seen) == seen
        again, witness = look(value, budget, atoms(budget))
        assert again == seen
        assert witness in (None, UNKNOWN) or unchanged(value, witness)
        text = render(seen)
    finally:
        ALARM.armed = False
    assert ran == []
    return text


def test_a_subclass_of_a_built_in_holds_what_the_built_in_holds():
    for base, value in BUILT_IN.items():
        if base not in (object, Exception, type):
            kind = type("Sub", (base,), {})
            held = capture(kind(value)).data[1][0]
            assert held == ("", capture(value)), base


@settings(max_examples=200, deadline=None)
@given(st.recursive(hostile_values(), inside, max_leaves=6))
def test_reading_a_value_runs_none_of_the_program_s_code(value):
    read_in_silence(value)


class Lazy(Mapping):
    """A mapping that fails when it is asked."""

    __getitem__ = __iter__ = __len__ = ALARM.guard("mapping", lambda *_: 1 / 0)


class Fields(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int)]


class Array(np.ndarray):
    __array_finalize__ = ALARM.guard("__array_finalize__", lambda *_: None)
    __array_function__ = __array_ufunc__ = __iter__ = __len__ = ALARM.guard("array", None)
    flat = shape = dtype = property(ALARM.guard("array", None))


class Shade(enum.Enum):
    DARK = 1
    __repr__ = __str__ = __hash__ = __eq__ = ALARM.guard("enum", lambda *_: 1)


@dataclasses.dataclass
class Priced:
    net: int
    gross = property(ALARM.guard("gross", lambda self: 1 / 0))
    __repr__ = __eq__ = ALARM.guard("dataclass", lambda *_: "")


def named_like(name: str):
    """An instance of a class that has a name of a string type with an `==` of its own."""
    kind = type(
        "Named", (str,), {"__hash__": str.__hash__, "__eq__": ALARM.guard("==", str.__eq__)}
    )
    return type("Odd", (), {kind(name): ()})()


def failing():
    yield 1
    raise ALARM


KEPT_ALIVE = hostile(object, "plain")
ODD = {
    "a proxy": (weakref.proxy(KEPT_ALIVE), f"<{weakref.ProxyType.__name__}>"),
    "a reference": (weakref.ref(KEPT_ALIVE), f"<{weakref.ref.__name__}>"),
    "a view of a mapping": (MappingProxyType({1: KEPT_ALIVE}), "<mappingproxy>"),
    "a lazy mapping": (Lazy(), "<Lazy>"),
    "a structure": (Fields(3), "<Fields>"),
    "a C integer": (ctypes.c_int(3), "<c_int>"),
    "an array of another class": (np.arange(3).view(Array), "<Array>"),
    "a record": (np.zeros(1, [("a", "i4")])[0], "<void>"),
    "a date of numpy": (np.datetime64("2020-01-01"), "<datetime64>"),
    "an enum member": (Shade.DARK, "<Shade _value_=1 _name_='DARK'>"),
    "a dataclass": (Priced(3), "<Priced net=3>"),
    "a generator": (failing(), "<generator>"),
    "a name like __dict__": (named_like("__dict__"), "<Odd>"),
    "a name like __slots__": (named_like("__slots__"), "<Odd>"),
    "what hangs": (type("Hangs", (), {"__repr__": lambda self: time.sleep(1e9)})(), "<Hangs>"),
    "a partial": (functools.partial(max, KEPT_ALIVE), "<partial>"),
    "a view of memory": (memoryview(b"ab"), "<memoryview>"),
    "keys": ({KEPT_ALIVE: 1}.keys(), "<dict_keys>"),
    "a group": (ExceptionGroup("g", [KeyError(1)]), "ExceptionGroup('g', [KeyError(1)])"),
    "lone surrogates and NULs": ("\ud800\0\udfff", "'\\ud800\\x00\\udfff'"),
    "a nan of another kind": (struct.unpack("d", b"\1" + b"\0" * 5 + b"\xf8\xff")[0], "nan"),
    "minus zero": ([-0.0, 0.0, -0.0], "[-0.0, 0.0, -0.0]"),
    "zeros of three types": ([0, 0.0, False, 1, 1.0, True], "[0, 0.0, False, 1, 1.0, True]"),
}


@pytest.mark.parametrize(("value", "text"), ODD.values(), ids=ODD)
def test_odd_objects_are_their_type_and_what_they_hold(value, text):
    assert read_in_silence(value) == text
    read_in_silence([value, (value,), {"k": value}])


@pytest.mark.parametrize("digits", [638, 639, 640, 641, 700, 5000])
def test_a_number_of_many_digits_is_read_whatever_the_program_allows_as_text(digits):
    value, limit = 10**digits - 1, sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        seen = capture(value)
        assert carried(seen) == seen
        assert seen.whole == (digits < 640)
        assert render(seen) in ("9" * digits, f"<int of {seen.size} digits>")
        assert seen.size is None or abs(seen.size - digits) <= 1
    finally:
        sys.set_int_max_str_digits(limit)


def test_values_nested_deeper_than_the_stack_are_cut():
    deep = []
    for _ in range(5 * sys.getrecursionlimit()):
        deep = [deep]
    assert render(capture(deep)) == "[[[[[[...]]]]]]"
    seen, witness = look(deep, Budget(), atoms(Budget()))
    assert not seen.whole
    assert unchanged(deep, witness)
    while deep:
        deep = deep.pop()  # or its end would need a stack


def test_containers_are_read_while_threads_change_them():
    shared = {"list": [], "dict": {}, "deque": deque(), "set": set()}
    over = threading.Event()

    def change():
        number = 0
        while not over.is_set():
            number += 1
            shared["list"].append([number])
            shared["dict"][number] = {number}
            shared["deque"].append(number)
            shared["set"].add(number)
            if number % 50 == 0:
                for each in shared.values():
                    each.clear()

    threads = [threading.Thread(target=change) for _ in range(2)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    for thread in threads:
        thread.start()
    try:
        for _ in range(300):
            seen, witness = look(shared, Budget(), atoms(Budget()))
            unchanged(shared, witness)
            assert carried(seen) == seen
    finally:
        over.set()
        sys.setswitchinterval(interval)
        for thread in threads:
            thread.join()


def test_names_that_are_of_a_hostile_string_type_are_read_as_plain_text():
    name = hostile(str, "plain")

    def function():
        pass

    function.__qualname__ = name
    kind = type(name, (), {})
    for value in (function, kind, kind()):
        seen = capture(value)
        held = seen.data if type(seen.data) is not tuple else seen.data[0]
        assert type(held) is str
