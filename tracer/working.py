"""What registers and counters hold, where a trace tells.

A part of a statement is computed from the variables' values alone: operators, and functions and
methods of built-in types, on values that were captured whole. Nothing of the traced program runs.
"""

import ast
import builtins
import operator
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from tracer.flatten import FUNCTIONS, METHODS, VIEWS
from tracer.lowering import Lowering
from tracer.schema import Event
from tracer.values import Value, capture

LONGEST = 10_000  # items, characters or bits, of what is worked on and of what comes of it
FARTHEST = 256  # of an exponent, or a shift
WIDTHS = frozenset({"center", "ljust", "rjust", "zfill"})
ORDERED = frozenset({"join", "list", "str", "tuple"})  # what they make of a set, no value tells
KNOWN = {name: getattr(builtins, name) for name in FUNCTIONS}
SEQUENCES = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
DISPLAYS = {ast.List: list, ast.Tuple: tuple, ast.Set: set}
OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda item, held: item in held,
    ast.NotIn: lambda item, held: item not in held,
}


class Unknown(Exception):
    """A value that the trace does not tell."""


class Computed(NamedTuple):
    registers: list[dict[str, Value]]  # what they hold before each part
    raises: int | None  # the first part, but for the last, that raises an exception


def computed(parts: Sequence[str], variables: Mapping[str, Value], told: bool = True) -> Computed:
    """What comes of all parts but the last. What raises leaves its register empty, and those that
    come of it. Raises Unknown where a variable is no literal, or too large. Nothing comes of them
    unless it is told."""
    if not told:
        return Computed([{} for _ in parts], None)
    held: dict[str, Any] = {}
    found: list[dict[str, Value]] = [{}]
    raises = None
    for number, (register, node, used) in enumerate(map(read_part, parts[:-1])):
        values = {name: literal(variables[name]) for name in used if name in variables}
        values |= {name: held.pop(name) for name in used if name in held}
        try:
            held[register] = value_of(node, values)
        except Unknown:
            raise
        except Exception:  # what the operation itself raises: any of a built-in type's
            held.pop(register, None)
            raises = number if raises is None else raises
        found.append({name: capture(value) for name, value in held.items()})
    return Computed(found, raises)


@lru_cache(maxsize=1 << 14)
def read_part(text: str) -> tuple[str, ast.expr, tuple[str, ...]]:
    """The register that it writes, its expression, and the names in it."""
    [statement] = ast.parse(text).body
    assert isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    names = (each.id for each in ast.walk(statement.value) if isinstance(each, ast.Name))
    return statement.targets[0].id, statement.value, tuple(dict.fromkeys(names))


def value_of(node: ast.expr | None, held: Mapping[str, Any]) -> Any:
    match node:
        case None:
            return None
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return held[name]
        case (
            ast.BinOp(left=left, op=op, right=right)
            | ast.Compare(left=left, ops=[op], comparators=[right])
        ):
            operands = value_of(left, held), value_of(right, held)
            return bounded(type(op).__name__, OPERATORS[type(op)], *operands)
        case ast.UnaryOp(op=op, operand=operand):
            return OPERATORS[type(op)](value_of(operand, held))
        case ast.Subscript(value=value, slice=index):
            return value_of(value, held)[value_of(index, held)]
        case ast.Slice(lower=lower, upper=upper, step=step):
            return slice(*(value_of(each, held) for each in (lower, upper, step)))
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return DISPLAYS[type(node)](items_of(items, held))
        case ast.Dict(keys=keys, values=values) if all(keys):
            return dict(zip(items_of(keys, held), items_of(values, held), strict=True))
        case ast.Call(func=ast.Name(id=name), args=args) if name in KNOWN:
            return bounded(name, KNOWN[name], *items_of(args, held))
        case ast.Call(func=ast.Attribute(value=value, attr=name), args=args):
            if name in METHODS | VIEWS:
                own = value_of(value, held)
                return bounded(name, getattr(type(own), name), own, *items_of(args, held))
    raise Unknown(node)


def items_of(nodes: Sequence[ast.expr | None], held: Mapping[str, Any]) -> Iterator[Any]:
    for node in nodes:
        if isinstance(node, ast.Starred):
            yield from value_of(node.value, held)
        else:
            yield value_of(node, held)


def bounded(name: str, function: Any, *operands: Any) -> Any:
    """What an operation gives, if it takes no time and no room, and hangs on values alone."""
    numbers = [abs(each) for each in operands if isinstance(each, int)]
    sizes = [len(each) for each in operands if hasattr(each, "__len__")]
    sets = any(isinstance(each, set | frozenset) for each in operands)
    most = max(numbers, default=0)
    match name:
        case "Pow" | "LShift":
            small = most <= FARTHEST or not isinstance(operands[1], int) or operands[1] <= FARTHEST
        case "Mult" if sizes:
            small = max(sizes) * most <= LONGEST
        case "Mod":
            small = not isinstance(operands[0], str | bytes)  # a width may stand in it
        case "replace" | "join":
            small = sum(sizes) ** 2 <= 100 * LONGEST
        case _:
            small = name not in WIDTHS or most <= LONGEST
    held = max(sizes, default=0) <= LONGEST and most.bit_length() <= LONGEST
    if not (small and held) or (sets and name in ORDERED):
        raise Unknown(name)
    return function(*operands)


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
    loops = {} if lowering.iterators else lowering.unsaid.loops
    rounds: dict[int, int] = {}  # by the line of the header, of the loops that go on
    found: list[dict[str, Value]] = [{}]
    for event, after in pairwise(events):
        at, loop = event.lineno, loops.get(event.lineno)
        if loop and event.kind == after.kind == "line" and at < after.lineno <= loop.last:
            rounds[at] = rounds.get(at, -1) + 1
        rounds = {n: round for n, round in rounds.items() if n <= after.lineno <= loops[n].last}
        held = {loops[n].depth: Value("int", round) for n, round in rounds.items()}
        found.append({lowering.loops[depth]: value for depth, value in held.items()})
    return found
