"""What registers and counters hold, where a trace tells.

A part of a statement is computed from the variables' values alone: operators, and functions and
methods of built-in types, on values that were captured whole. Nothing of the traced program runs.
"""

import ast
import builtins
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from types import CodeType
from typing import Any, NamedTuple

from tracer.lowering import FUNCTIONS, Lowering
from tracer.schema import Event
from tracer.values import Value, capture

LONGEST = 10_000  # items, characters or bits, of what is worked on
FARTHEST = 256  # of an exponent, or a shift
WIDTHS = frozenset({"center", "ljust", "rjust", "zfill"})
ORDERED = frozenset({"join", "list", "str", "tuple"})  # what they make of a set, no value tells
KNOWN = {name: getattr(builtins, name) for name in FUNCTIONS}
SEQUENCES = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}


class Unknown(Exception):
    """A value that the trace does not tell."""


class Part(NamedTuple):
    register: str  # that it writes
    code: CodeType
    used: tuple[str, ...]  # variables and registers
    constants: tuple[Any, ...]
    does: frozenset[str]  # kinds of its operators, names of its functions and methods


def computed(parts: Sequence[str], variables: Mapping[str, Value]) -> list[dict[str, Value]]:
    """What the registers hold before each part. What would raise leaves its register empty, and
    those that come of it. Raises Unknown where a variable is no literal, or too large."""
    held: dict[str, Any] = {}
    found: list[dict[str, Value]] = [{}]
    for part in map(read_part, parts[:-1]):
        values = {name: literal(variables[name]) for name in part.used if name in variables}
        values |= {name: held.pop(name) for name in part.used if name in held}
        if len(values) == len(set(part.used)):
            check(part, [*values.values(), *part.constants])
            try:
                held[part.register] = eval(part.code, {"__builtins__": KNOWN}, values)
            except Exception:  # what the operation itself raises: any of a built-in type's
                held.pop(part.register, None)
        found.append({name: capture(value) for name, value in held.items()})
    return found


@lru_cache(maxsize=1 << 14)
def read_part(text: str) -> Part:
    [statement] = ast.parse(text).body
    assert isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    nodes = [*ast.walk(statement.value)]
    names = [each.id for each in nodes if isinstance(each, ast.Name)]
    calls = (each.func for each in nodes if isinstance(each, ast.Call))
    called = {each.id for each in calls if isinstance(each, ast.Name)}
    does = {each.attr for each in nodes if isinstance(each, ast.Attribute)}
    does |= {type(each).__name__ for each in nodes if isinstance(each, ast.operator)}
    return Part(
        statement.targets[0].id,
        compile(ast.Expression(statement.value), "<part>", "eval"),
        tuple(dict.fromkeys(name for name in names if name not in called)),
        tuple(each.value for each in nodes if isinstance(each, ast.Constant)),
        frozenset(does | called),
    )


def check(part: Part, values: Sequence[Any]) -> None:
    """Whether it takes no time and no room."""
    numbers = [abs(value) for value in values if isinstance(value, int)]
    sizes = [len(value) for value in values if hasattr(value, "__len__")]
    texts = any(isinstance(value, str | bytes) for value in values)
    far = part.does & {"Pow", "LShift"} and (len(numbers) > 2 or max(numbers, default=0) > FARTHEST)
    wide = part.does & WIDTHS and max(numbers, default=0) > LONGEST
    long = "Mult" in part.does and sizes and math.prod([*numbers, *sizes]) > LONGEST
    formatted = "Mod" in part.does and texts
    unordered = part.does & ORDERED and any(isinstance(value, set | frozenset) for value in values)
    huge = max(sizes, default=0) > LONGEST or any(n.bit_length() > LONGEST for n in numbers)
    if far or wide or long or formatted or unordered or huge:
        raise Unknown(part)


def literal(value: Value) -> Any:
    """The object, of a value that a literal could make."""
    if value.size is not None:
        raise Unknown(value)
    match value.kind:
        case "NoneType" | "bool" | "int" | "str":
            return value.data
        case "float":
            return float(value.data)
        case "bytes":
            return value.data.encode("latin-1")
        case "list" | "tuple" | "set" | "frozenset":
            return SEQUENCES[value.kind](map(literal, value.data))
        case "dict":
            return {literal(key): literal(each) for key, each in value.data}
        case "range":
            return range(*map(literal, value.data))
    raise Unknown(value)


def counted(events: Sequence[Event], lowering: Lowering) -> list[dict[str, Value]]:
    """What the counters hold at each event of a frame: of a loop that goes on, how often it has
    gone round before."""
    headers, breaks = lowering.loops
    held: dict[str, Value] = {}
    found = [held]
    for number, (event, after) in enumerate(pairwise(events)):
        held = dict(held)
        loop = headers.get(event.lineno)
        if event.kind == "line" and loop:
            name = lowering.counters[loop.counter]
            before = held.pop(name, None)
            inside = event.lineno < after.lineno <= loop.last and after.kind == "line"
            again = number and event.lineno < events[number - 1].lineno <= loop.last
            if inside:
                held[name] = Value("int", before.data + 1 if again and before else 0)
        elif event.kind == "line" and event.lineno in breaks:
            held.pop(lowering.counters[breaks[event.lineno]], None)
        found.append(held)
    return found
