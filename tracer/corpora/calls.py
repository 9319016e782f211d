"""The calls that a test makes of the functions it tests, taken out of its asserts."""

import ast
from collections.abc import Iterator, Set


def calls_in(test: ast.AST, functions: Set[str]) -> list[ast.Call]:
    """The outermost calls of these functions, in the order of the text."""

    def walk(node: ast.AST) -> Iterator[ast.Call]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Call) and _name(child.func) in functions:
                yield child
            else:
                yield from walk(child)

    return list(walk(test))


def names_in(call: ast.Call) -> set[str]:
    """The names that the arguments read."""
    parts = [*call.args, *(keyword.value for keyword in call.keywords)]
    return {node.id for part in parts for node in ast.walk(part) if isinstance(node, ast.Name)}


def bound_in(tree: ast.AST) -> set[str]:
    """All names that a piece of code binds, wherever it does."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
    return names


def functions_of(tree: ast.Module) -> set[str]:
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""
