"""Which operations a program holds, told from its syntax tree alone.

An operation has a kind and a name: `int //`, `int //=`, `str .replace`, `list [:]`, `list []=`,
`builtin zip`, `syntax while else`, `error KeyError`. The type of an operand follows from the names
of the variables, each of which has one type, and from what operators, methods and builtins return.
Where it cannot be told, the operation is not counted.
"""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator

from tracer.corpora.synthetic.inference import (
    BUILTINS,
    METHODS,
    base,
    receiver,
    type_of,
)

_COMPARE = "< <= > >= == !="
_SETS = f"| & - ^ in {_COMPARE}"

OPERATORS: dict[str, str] = {
    "int": f"+ - * / // % ** & | ^ << >> neg pos ~ {_COMPARE} += -= *= //= %= **= &= |= ^= <<= >>=",
    "float": f"+ - * / // % ** neg pos {_COMPARE} += -= *= /= //= %= **=",
    "bool": "& | ^ == != is &= |= ^= pos *",
    "str": f"+ * % in {_COMPARE} [] [-] [:] [::] += *=",
    "bytes": "+ * in < == [] [:] [::] +=",
    "list": f"+ * in is {_COMPARE} [] [-] [:] [::] []= [:]= [::]= del[] del[:] del[::] += *=",
    "tuple": f"+ * in {_COMPARE} [] [-] [:] [::] += *=",
    "dict": "| in == != [] []= del[] |= []+=",
    "set": f"{_SETS} |= &= -= ^=",
    "frozenset": f"{_SETS} |=",
    "range": "in [] [:] [::]",
}

SYNTAX = """
and or not chained-comparison conditional walrus is is-not f-string f-spec f-conversion
list-comprehension set-comprehension dict-comprehension generator-expression comprehension-if
nested-comprehension lambda list-display* dict-display** call* call** keyword-argument
if else elif for-else while while-else break continue pass return assert assert-message del
for-list for-tuple for-str for-dict for-range for-bytes for-enumerate for-zip for-items for-sorted
assign assign-chain assign-unpack assign-star assign-nested swap
match match-or match-guard match-sequence match-star match-mapping match-class match-as match-value
match-none
def default *args **kwargs keyword-only positional-only recursion closure nonlocal global decorator
yield yield-from annotation class attribute attribute= attribute+= method inheritance property
staticmethod classmethod with with-as nested-list
""".split()

ERRORS = """
try try-else finally except-as except-several except-bare-raise raise raise-from AssertionError
ArithmeticError AttributeError IndexError KeyError LookupError NotImplementedError RecursionError
StopIteration TypeError ValueError ZeroDivisionError own-class
""".split()

_SYMBOLS = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.USub: "neg",
    ast.UAdd: "pos",
    ast.Invert: "~",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_SIMPLE = {
    ast.IfExp: ["syntax conditional"], ast.NamedExpr: ["syntax walrus"],
    ast.JoinedStr: ["syntax f-string"], ast.ListComp: ["syntax list-comprehension"],
    ast.SetComp: ["syntax set-comprehension"], ast.DictComp: ["syntax dict-comprehension"],
    ast.GeneratorExp: ["syntax generator-expression"], ast.Lambda: ["syntax lambda"],
    ast.Break: ["syntax break"], ast.Continue: ["syntax continue"],
    ast.Return: ["syntax return"], ast.Pass: ["syntax pass"],
    ast.Nonlocal: ["syntax nonlocal"], ast.Global: ["syntax global"],
    ast.Yield: ["syntax yield"], ast.YieldFrom: ["syntax yield-from"],
    ast.AnnAssign: ["syntax annotation"], ast.Match: ["syntax match"],
    ast.MatchOr: ["syntax match-or"], ast.MatchSequence: ["syntax match-sequence"],
    ast.MatchStar: ["syntax match-star"], ast.MatchMapping: ["syntax match-mapping"],
    ast.MatchClass: ["syntax match-class"], ast.MatchValue: ["syntax match-value"],
    ast.MatchAs: ["syntax match-as"], ast.MatchSingleton: ["syntax match-none"],
}  # fmt: skip
_UNSURE = {"builtin id", "builtin setattr"}  # of builtins that only serve inference


def listed() -> dict[str, tuple[str, ...]]:
    """All operations, by kind."""
    kinds = {kind: [f"{kind} {name}" for name in text.split()] for kind, text in OPERATORS.items()}
    for kind, table in METHODS.items():
        kinds[kind] += [f"{kind} .{name}" for names in table.values() for name in names.split()]
    kinds["builtin"] = [f"builtin {name}" for text in BUILTINS.values() for name in text.split()]
    kinds["syntax"] = [f"syntax {name}" for name in SYNTAX]
    kinds["error"] = [f"error {name}" for name in ERRORS]
    return {kind: tuple(n for n in names if n not in _UNSURE) for kind, names in kinds.items()}


def operations(source: str) -> Counter[str]:
    """How often each operation stands in a program."""
    return Counter(name for _, name in _found(source))


def by_line(source: str) -> dict[int, Counter[str]]:
    """The same for each line that holds any, to tell which of them a model has learnt."""
    lines: dict[int, Counter[str]] = defaultdict(Counter)
    for node, name in _found(source):
        if isinstance(node, ast.expr | ast.stmt | ast.pattern | ast.ExceptHandler):
            lines[node.lineno][name] += 1
    return dict(lines)


def _found(source: str) -> Iterator[tuple[ast.AST, str]]:
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    classes = {node.name for node in nodes if isinstance(node, ast.ClassDef)}
    return ((node, name) for node in nodes for name in _of_node(node, classes))


def _of_node(node: ast.AST, classes: set[str]) -> Iterator[str]:
    match node:
        case ast.BinOp(left, op, right):
            yield _operator(left, _SYMBOLS[type(op)], right)
        case ast.UnaryOp(ast.Not()):
            yield "syntax not"
        case ast.UnaryOp(op, operand) if not isinstance(operand, ast.Constant):
            yield f"{base(type_of(operand))} {_SYMBOLS[type(op)]}"
        case ast.AugAssign(ast.Attribute()):
            yield "syntax attribute+="
        case ast.AugAssign(target, op, value):
            yield _operator(target, f"{_SYMBOLS[type(op)]}=", value)
            if isinstance(target, ast.Subscript):
                yield f"{base(type_of(target.value))} []+="
        case ast.Compare(left, ops, rights):
            yield from _comparisons(left, ops, rights)
        case ast.BoolOp(op):
            yield "syntax and" if isinstance(op, ast.And) else "syntax or"
        case ast.Subscript(value, index, context):
            yield f"{base(type_of(value))} {_index(index, context)}"
        case ast.Call():
            yield from _call(node)
        case ast.Attribute(value, name, context):
            yield f"{base(receiver(value))} .{name}"
            yield "syntax attribute=" if isinstance(context, ast.Store) else "syntax attribute"
        case ast.FunctionDef():
            yield from _function(node)
        case ast.stmt():
            yield from _statement(node, classes)
        case _:
            yield from _SIMPLE.get(type(node), ())
            yield from _expression(node)


def _operator(left: ast.expr, symbol: str, right: ast.expr) -> str:
    one, other = base(type_of(left)), base(type_of(right))
    if "float" in (one, other):
        return f"float {symbol}"
    if one == "int" and other in ("str", "list", "tuple", "bytes"):
        return f"{other} {symbol}"
    return f"{one} {symbol}"


def _comparisons(left: ast.expr, ops: list, rights: list[ast.expr]) -> Iterator[str]:
    if len(ops) > 1:
        yield "syntax chained-comparison"
    for op, right in zip(ops, rights, strict=True):
        if isinstance(op, ast.Is | ast.IsNot):
            yield "syntax is" if isinstance(op, ast.Is) else "syntax is-not"
            yield f"{base(type_of(left))} is"
        elif isinstance(op, ast.In | ast.NotIn):
            yield f"{base(type_of(right))} in"
        else:
            yield _operator(left, _SYMBOLS[type(op)], right)
        left = right


def _index(index: ast.expr, context: ast.expr_context) -> str:
    text = "[]"
    if isinstance(index, ast.Slice):
        text = "[::]" if index.step else "[:]"
    elif isinstance(index, ast.UnaryOp) and isinstance(context, ast.Load):
        text = "[-]"
    return f"del{text}" if isinstance(context, ast.Del) else text + "=" * _stores(context)


def _stores(context: ast.expr_context) -> bool:
    return isinstance(context, ast.Store)


def _call(node: ast.Call) -> Iterator[str]:
    if isinstance(node.func, ast.Name):
        yield f"builtin {node.func.id}"
    if any(isinstance(argument, ast.Starred) for argument in node.args):
        yield "syntax call*"
    for keyword in node.keywords:
        yield "syntax keyword-argument" if keyword.arg else "syntax call**"


def _expression(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FormattedValue(conversion=conversion, format_spec=spec):
            if spec:
                yield "syntax f-spec"
            if conversion > 0:
                yield "syntax f-conversion"
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            if len(node.generators) > 1:
                yield "syntax nested-comprehension"
            if any(each.ifs for each in node.generators):
                yield "syntax comprehension-if"
            if isinstance(node, ast.ListComp) and type_of(node.elt).startswith("list"):
                yield "syntax nested-list"
        case ast.List(elts, ast.Load()) if any(isinstance(each, ast.Starred) for each in elts):
            yield "syntax list-display*"
        case ast.match_case(guard=guard) if guard:
            yield "syntax match-guard"
        case ast.Dict(keys) if None in keys:
            yield "syntax dict-display**"
        case ast.ExceptHandler(kind, name):
            if name:
                yield "error except-as"
            if isinstance(kind, ast.Tuple):
                yield "error except-several"


def _statement(node: ast.stmt, classes: set[str]) -> Iterator[str]:
    yield from _SIMPLE.get(type(node), ())
    match node:
        case ast.If(orelse=orelse):
            yield "syntax if"
            if orelse:
                yield "syntax elif" if isinstance(orelse[0], ast.If) else "syntax else"
        case ast.For(iter=iterable, orelse=orelse):
            yield f"syntax for-{_iterable(iterable)}"
            if orelse:
                yield "syntax for-else"
        case ast.While(orelse=orelse):
            yield "syntax while-else" if orelse else "syntax while"
        case ast.Assign(targets, value):
            yield _assignment(targets, value)
        case ast.Delete([ast.Name()]):
            yield "syntax del"
        case ast.Assert(msg=message):
            yield "syntax assert-message" if message else "syntax assert"
        case ast.With(items):
            yield "syntax with-as" if items[0].optional_vars else "syntax with"
        case ast.ClassDef(bases=bases):
            yield "syntax inheritance" if bases else "syntax class"
        case ast.Try(handlers=handlers, orelse=orelse, finalbody=finalbody):
            yield "error try-else" if orelse else "error finally" if finalbody else "error try"
            for handler in handlers:
                yield from _errors(handler.type, classes)
        case ast.Raise(error, cause):
            yield "error raise" if error else "error except-bare-raise"
            if cause:
                yield "error raise-from"
            yield from _errors(error, classes)


def _errors(node: ast.expr | None, classes: set[str]) -> Iterator[str]:
    for each in ast.walk(node) if node else ():
        if isinstance(each, ast.Name):
            yield "error own-class" if each.id in classes else f"error {each.id}"


def _iterable(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        called = node.func
        name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
        if name in ("enumerate", "zip", "range", "items", "sorted"):
            return name
    return base(type_of(node))


def _assignment(targets: list[ast.expr], value: ast.expr) -> str:
    if len(targets) > 1:
        return "syntax assign-chain"
    if not isinstance(targets[0], ast.Tuple | ast.List):
        return "syntax assign"
    parts = targets[0].elts
    if any(isinstance(part, ast.Starred) for part in parts):
        return "syntax assign-star"
    if any(isinstance(part, ast.Tuple) for part in parts):
        return "syntax assign-nested"
    given = [ast.unparse(each) for each in value.elts] if isinstance(value, ast.Tuple) else []
    swapped = given == [ast.unparse(each) for each in reversed(parts)]
    return "syntax swap" if swapped else "syntax assign-unpack"


def _function(node: ast.FunctionDef) -> Iterator[str]:
    arguments = node.args
    if arguments.args and arguments.args[0].arg in ("self", "cls"):
        yield "syntax method"
    else:
        yield "syntax def"
    if arguments.defaults or any(arguments.kw_defaults):
        yield "syntax default"
    if arguments.vararg:
        yield "syntax *args"
    if arguments.kwarg:
        yield "syntax **kwargs"
    if arguments.kwonlyargs:
        yield "syntax keyword-only"
    if arguments.posonlyargs:
        yield "syntax positional-only"
    for decorator in node.decorator_list:
        name = ast.unparse(decorator)
        known = name in ("property", "staticmethod", "classmethod")
        yield f"syntax {name}" if known else "syntax decorator"
    inner = list(ast.walk(node))[1:]
    if any(isinstance(each, ast.FunctionDef) for each in inner):
        yield "syntax closure"
    called = [each.func for each in inner if isinstance(each, ast.Call)]
    if any(isinstance(each, ast.Name) and each.id == node.name for each in called):
        yield "syntax recursion"
