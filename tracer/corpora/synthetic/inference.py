"""The type of an expression in a synthetic program, told without running it.

Every variable there has one type, by its name; the rest follows from what operators, methods and
builtins return. Types are written as annotations are: `list[int]`, `dict[str, int]`; "" is unknown.
"""

import ast
from functools import lru_cache

from tracer.corpora.synthetic.literals import MORE_ANNOTATIONS, MORE_NAMES

# Methods and attributes by what they return; "same" is the type of the receiver.
METHODS: dict[str, dict[str, str]] = {
    "int": {
        "int": "bit_count bit_length conjugate denominator from_bytes numerator",
        "tuple[int, ...]": "as_integer_ratio",
        "bytes": "to_bytes",
    },
    "float": {
        "float": "conjugate fromhex real",
        "bool": "is_integer",
        "str": "hex",
        "tuple[int, ...]": "as_integer_ratio",
    },
    "str": {
        "str": "capitalize casefold center expandtabs format format_map join ljust lower lstrip "
        "removeprefix removesuffix replace rjust rstrip strip swapcase title translate upper zfill",
        "int": "count find index rfind rindex",
        "bool": "endswith isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric "
        "isprintable isspace istitle isupper startswith",
        "list[str]": "rsplit split splitlines",
        "tuple[str, ...]": "partition rpartition",
        "bytes": "encode",
        "dict[int, str]": "maketrans",
    },
    "bytes": {
        "bytes": "capitalize center fromhex join ljust lower lstrip replace rjust rstrip strip "
        "swapcase title upper zfill",
        "int": "count find index rfind",
        "bool": "endswith isalnum isalpha isdigit islower isupper startswith",
        "str": "decode hex",
        "list[bytes]": "split",
        "tuple[bytes, ...]": "partition",
    },
    "list": {
        "None": "append clear extend insert remove reverse sort",
        "item": "pop",
        "int": "count index",
        "same": "copy",
    },
    "tuple": {"int": "count index"},
    "dict": {
        "item": "get pop setdefault",
        "None": "clear update",
        "same": "copy fromkeys",
        "items": "items",
        "keys": "keys",
        "values": "values",
        "tuple[str, int]": "popitem",
    },
    "set": {
        "None": "add clear difference_update discard intersection_update remove "
        "symmetric_difference_update update",
        "same": "copy difference intersection symmetric_difference union",
        "bool": "isdisjoint issubset issuperset",
        "item": "pop",
    },
    "frozenset": {
        "same": "copy difference intersection symmetric_difference union",
        "bool": "isdisjoint issubset issuperset",
    },
    "range": {"int": "count index start step stop"},
}

# "same" is the type of the first argument, "item" that of its items, "items" a list of these.
BUILTINS: dict[str, str] = {
    "int": "hash id int len ord round",
    "float": "float",
    "str": "ascii bin chr format hex oct repr str",
    "bool": "all any bool callable hasattr isinstance issubclass",
    "bytes": "bytes",
    "item": "max min next sum",
    "same": "abs iter pow",
    "items": "filter list map reversed sorted",
    "tuple[int, int]": "divmod",
    "tuple[items]": "tuple",
    "set[items]": "set",
    "frozenset[items]": "frozenset",
    "dict[str, int]": "dict",
    "range": "range",
    "pairs": "enumerate zip",
    "object": "getattr setattr super type",
}

# Variables of comprehensions, lambdas and helpers.
_OTHERS = {"v": "int", "k": "int", "w": "str", "ch": "str", "vs": "list[int]", "error": "exception"}
_OTHERS |= dict.fromkeys(("half", "taken", "head", "only", "left", "right", "length"), "int")
NAMES = _OTHERS | {
    name: MORE_ANNOTATIONS.get(kind, kind) for kind, names in MORE_NAMES.items() for name in names
}
CONSTRUCTORS = ("int", "float", "str", "bytes", "list", "tuple", "dict", "set", "frozenset")


def type_of(node: ast.expr | None) -> str:
    match node:
        case ast.Name(id):
            return "" if NAMES.get(id) == "object" else NAMES.get(id, "")
        case ast.Constant(value):
            return type(value).__name__
        case ast.JoinedStr():
            return "str"
        case ast.List(elts) | ast.Set(elts):
            kind = type(node).__name__.lower()
            return f"{kind}[{_first_type(elts)}]"
        case ast.Tuple(elts):
            return f"tuple[{_first_type(elts)}, ...]"
        case ast.Dict(keys, values):
            return f"dict[{_first_type(keys)}, {_first_type(values)}]" if keys else "dict[str, int]"
        case ast.ListComp(elt):
            return f"list[{type_of(elt)}]"
        case ast.SetComp(elt):
            return f"set[{type_of(elt)}]"
        case ast.DictComp(key, value):
            return f"dict[{type_of(key)}, {type_of(value)}]"
        case ast.GeneratorExp(elt):
            return f"list[{type_of(elt)}]"
        case ast.BinOp(left, op, right):
            return _of_operator(left, op, right)
        case ast.UnaryOp(op, operand):
            kind = type_of(operand)
            return "bool" if isinstance(op, ast.Not) else "int" if kind == "bool" else kind
        case ast.Compare():
            return "bool"
        case ast.BoolOp(values=[*_, value]) | ast.NamedExpr(value=value):
            return type_of(value)
        case ast.IfExp(body=body) | ast.Starred(value=body):
            return type_of(body)
        case ast.Subscript(value, index):
            kind = type_of(value)
            return kind if isinstance(index, ast.Slice) else item_of(kind)
        case ast.Call(func, args):
            return _of_call(func, args)
        case ast.Attribute(value, name):
            return _of_method(receiver(value), name)
    return ""


def base(kind: str) -> str:
    """`list` of `list[int]`."""
    return kind.partition("[")[0]


@lru_cache(maxsize=1024)
def item_of(kind: str) -> str:
    """What an index gives: of a dict the value."""
    name, _, rest = kind.partition("[")
    if name in ("str", "range", "bytes", "stream"):
        return "str" if name == "str" else "int"
    rest = rest[:-1].removesuffix(", ...")
    return rest.partition(", ")[2] if name == "dict" else rest


def iterated(kind: str) -> str:
    """What a loop over it gives: of a dict the key."""
    return kind[5:].partition(",")[0] if base(kind) == "dict" else item_of(kind)


def receiver(node: ast.expr) -> str:
    """The type of what a method is called on, be it a value or a builtin class."""
    if isinstance(node, ast.Name) and node.id in CONSTRUCTORS:
        return node.id
    return type_of(node)


def _of_operator(left: ast.expr, op: ast.operator, right: ast.expr) -> str:
    one, other = type_of(left), type_of(right)
    if {one, other} <= {"int", "float", "bool"}:
        if isinstance(op, ast.Div) or "float" in (one, other):
            return "float"
        logical = one == other == "bool" and isinstance(op, ast.BitAnd | ast.BitOr | ast.BitXor)
        return "bool" if logical else "int"
    return other if one == "int" else one


def _of_call(func: ast.expr, args: list[ast.expr]) -> str:
    if isinstance(func, ast.Attribute):
        return _of_method(receiver(func.value), func.attr)
    if not isinstance(func, ast.Name):
        return ""
    result = next((kind for kind, names in BUILTINS.items() if func.id in names.split()), "")
    given = type_of(args[0]) if args else "int"
    if result == "item":
        return iterated(given) if len(args) == 1 or "[" in given else given
    if result == "pairs":
        return "list[tuple[int, ...]]"
    if result == "same":
        return given
    if result == "items":
        return f"list[{iterated(type_of(args[-1]) if args else 'list[int]')}]"
    return result.replace("items", iterated(given))


def _of_method(kind: str, name: str) -> str:
    table = METHODS.get(base(kind), {})
    result = next((result for result, names in table.items() if name in names.split()), "")
    if result in ("values", "item"):
        return item_of(kind) if result == "item" else f"list[{item_of(kind)}]"
    if result == "items":
        return f"list[tuple[{iterated(kind)}, {item_of(kind)}]]"
    if result == "keys":
        return f"set[{iterated(kind)}]"
    return kind if result == "same" else result


def _first_type(nodes: list) -> str:
    return type_of(nodes[0]) if nodes else "int"
