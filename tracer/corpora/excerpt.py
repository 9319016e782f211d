"""The part of a module that a call can reach: a trace should not carry 80 kB for one function."""

import ast
import re
from functools import cache
from typing import NamedTuple


class _Block(NamedTuple):
    text: str
    binds: frozenset[str]  # or changes: `d[list] = copy_list` and `Point.origin = ...` belong to it
    reads: frozenset[str]
    is_start: bool  # a call of a function of the module, whose effects we do not know


def excerpt(source: str, call: str) -> str:
    """The statements of the top level that the call needs, in their order and as they stand."""
    blocks = _blocks(source)
    bound = frozenset().union(*(block.binds for block in blocks))
    reached = set(re.findall(r"\w+", call))
    kept: set[int] = set()
    growing = True
    while growing:
        growing = False
        for i, block in enumerate(blocks):
            # What binds no name, like `Sequence.register(Row)`, comes with all that it mentions.
            wanted = block.binds & reached or (not block.binds and block.reads & bound <= reached)
            if i not in kept and (wanted or block.is_start):
                kept.add(i)
                reached |= block.reads
                growing = True
    return "\n".join(blocks[i].text for i in sorted(kept)) + "\n"


@cache
def _blocks(source: str) -> list[_Block]:
    lines = source.splitlines()
    blocks = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Delete) or _is_main(node) or _is_text(node):
            continue
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        text = "\n".join(lines[first - 1 : node.end_lineno])
        space = "\n\n" if isinstance(node, ast.FunctionDef | ast.ClassDef) else ""
        is_start = isinstance(node, ast.Expr) and isinstance(_function(node.value), ast.Name)
        binds, reads = frozenset(_binds(node)), frozenset(_names(node))
        blocks.append(_Block(space + text, binds, reads, is_start))
    return blocks


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _binds(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    # A loop may fill a table that it only reads the name of.
    names = _names(node) if isinstance(node, ast.For | ast.While | ast.If) else set()
    for part in ast.walk(node):
        if isinstance(part, ast.alias):
            names |= {(part.asname or part.name).split(".")[0]} - {"*"}
        elif isinstance(part, ast.FunctionDef | ast.ClassDef):
            names.add(part.name)
        elif isinstance(getattr(part, "ctx", None), ast.Store):
            while isinstance(part, ast.Attribute | ast.Subscript | ast.Starred):
                part = part.value
            if isinstance(part, ast.Name):
                names.add(part.id)
    return names


def _function(node: ast.expr) -> ast.expr | None:
    return node.func if isinstance(node, ast.Call) else None


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
