"""What a statement does, operation by operation, for figures of what is hard."""

import ast
import builtins
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import product

# What makes a whole statement of a header: `elif x:`, `except E:`, `case 1:`, `try:`, `match x:`.
HEADS = ("", "if x: pass\n", "try: pass\n", "match x:\n ")
TAILS = ("", "\n  pass", "\n  pass\nfinally: pass", "\n case _: pass")
SIGNED = ast.BinOp | ast.AugAssign | ast.UnaryOp | ast.BoolOp  # named by their operator
FORMS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp | ast.JoinedStr | ast.IfExp


@lru_cache(maxsize=1 << 12)
def parsed(text: str) -> ast.AST | None:
    """The statement, a compound one from its header; None where there is none."""
    for head, tail in product(HEADS, TAILS):
        try:
            return ast.parse(head + text + tail).body[0]
        except (SyntaxError, ValueError):
            continue
        except IndexError:  # there is no statement
            break
    return None


def statement_kind(text: str) -> str:
    """The name of the statement's ast node."""
    node = parsed(text)
    return type(node).__name__ if node else "other"


@lru_cache(maxsize=1 << 12)
def operations(text: str) -> frozenset[str]:
    """Names of ast's operators, `.method()`, `function()`, `[]`, `[:]` and `[] =`; what has none of
    these goes by the kind of what it assigns, or by its own."""
    node = parsed(text)
    if node is None:
        return frozenset({"other"})
    found = {name for part in ast.walk(node) for name in named(part)}
    return frozenset(found or {type(getattr(node, "value", None) or node).__name__})


def named(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Attribute(attr=method)):
            yield f".{method}()"
        case ast.Call(func=ast.Name(id=function)) if hasattr(builtins, function):
            yield f"{function}()"
        case ast.Call():
            yield "call"
        case ast.Compare(ops=signs):
            yield from (type(sign).__name__ for sign in signs)
        case ast.Subscript(slice=ast.Slice()):
            yield "[:]"
        case ast.Subscript(ctx=ast.Store()):
            yield "[] ="
        case ast.Subscript():
            yield "[]"
    if isinstance(node, SIGNED):
        yield type(node.op).__name__
    if isinstance(node, FORMS):
        yield type(node).__name__


def written_keys(text: str, before: dict[str, str], after: dict[str, str]) -> Iterable[str]:
    """Whether a key that `d[key] = ...` writes is there already, of a dictionary of literals."""
    for target in targets(parsed(text)):
        match target:
            case ast.Subscript(value=ast.Name(id=name)):
                sizes = size(before.get(name, "")), size(after.get(name, ""))
                if None not in sizes:
                    yield f"[] = of a {'new key' if len({*sizes}) > 1 else 'key that is there'}"


def targets(node: ast.AST | None) -> list[ast.expr]:
    match node:
        case ast.Assign(targets=found):
            return found
        case ast.AugAssign(target=found):
            return [found]
    return []


@lru_cache(maxsize=1 << 12)
def size(text: str) -> int | None:
    """Of a dictionary's repr; None where it is another value."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return len(value) if isinstance(value, dict) else None
