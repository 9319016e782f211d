"""The static checker that foresight is measured against: patterns in the text of a program.

It knows what linters know: which calls are risky, which functions a call leads to, and that what
stands behind a `return` or under `if False` is never run. It does not know values.
"""

import ast
from collections.abc import Iterator, Sequence

from experiments.names import Names, Namespaces
from experiments.risks import KINDS, Kinds, matches, used
from tracer.statements import place

LEAVES = (ast.Return, ast.Raise, ast.Break, ast.Continue)
CHOICES = (ast.If, ast.For, ast.While)  # whose blocks may not be run
HALF = 0.5  # the chance of a block, to one who knows no values


def static_risk(source: str, call: str, kinds: Kinds = KINDS) -> float:
    """How likely a call does something risky, by the text: the chance halves with each block that
    the statement stands in, and is 0 where there is none."""
    functions = {
        node.name: node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)
    }
    waiting, seen, best = names_of(ast.parse(call)), set(), 0.0
    spaces = Namespaces(source)
    while waiting:
        name = waiting.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        names = spaces.at(place(functions[name].body[0])[0])
        for part, depth in reachable(functions[name].body, 0):
            waiting |= names_of(part)
            if any_risk(part, kinds, names):
                best = max(best, HALF**depth)
    return best


def any_risk(part: ast.AST, kinds: Kinds, names: Names) -> bool:
    patterns = [pattern for group in kinds.values() for pattern in group]
    return any(matches(name, pattern) for name in used(part, names) for pattern in patterns)


def names_of(tree: ast.AST) -> set[str]:
    """The functions that it calls, by their names."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {func.id for func in calls if isinstance(func, ast.Name)}


def reachable(body: Sequence[ast.stmt], depth: int) -> Iterator[tuple[ast.AST, int]]:
    """What is evaluated, statements without their blocks, and in how many blocks it stands."""
    for node in body:
        for field, value in ast.iter_fields(node):
            inner = depth + isinstance(node, CHOICES)
            if field in ("body", "orelse", "finalbody"):
                if not is_dead(node, field):
                    yield from reachable(value, depth if field == "finalbody" else inner)
            elif field in ("handlers", "cases"):
                for each in value:
                    yield from reachable(each.body, depth + 1)
            else:
                parts = value if isinstance(value, list) else [value]
                yield from ((part, depth) for part in parts if isinstance(part, ast.AST))
        if isinstance(node, LEAVES):
            return


def is_dead(node: ast.AST, field: str) -> bool:
    """Under a condition that is written out."""
    if not isinstance(node, ast.If | ast.While) or not isinstance(node.test, ast.Constant):
        return False
    return bool(node.test.value) == (field == "orelse")
