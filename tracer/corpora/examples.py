"""The examples in docstrings: each with the earlier statements that it needs."""

import ast
import doctest
from collections.abc import Iterator
from textwrap import indent
from typing import NamedTuple

from tracer.corpora.syntax import parse

_BLOCKS = (ast.For, ast.While, ast.If, ast.With, ast.Try, ast.Delete)


class Example(NamedTuple):
    call: str
    owner: str  # the function, class or text of the top level that has it; "" is the module


class _Statement(NamedTuple):
    node: ast.stmt
    reads: set[str]
    writes: set[str]  # binds, or may change


def examples(source: str) -> Iterator[Example]:
    """The examples that show something, in the order of the text."""
    for owner, docstring in _docstrings(parse(source)):
        earlier: list[_Statement] = []
        try:
            parsed = doctest.DocTestParser().get_examples(docstring)
        except ValueError:  # prompts that begin no example
            continue
        for example in parsed:
            try:
                body = parse(example.source).body
            except SyntaxError:  # an error on show
                continue
            for node in body:
                if example.want and not isinstance(node, ast.Import | ast.ImportFrom):
                    call = [*_needed(node, earlier), node]
                    yield Example("\n".join(map(ast.unparse, call)), owner)
                earlier.append(_describe(node, bool(example.want)))


def sessions(source: str) -> Iterator[Example]:
    """All examples of a docstring as one, in their order; errors on show are caught."""
    for owner, docstring in _docstrings(parse(source)):
        lines = []
        try:
            for example in doctest.DocTestParser().get_examples(docstring):
                text = ast.unparse(parse(example.source))
                if example.exc_msg is not None:
                    text = f"try:\n{indent(text, '    ')}\nexcept Exception:\n    pass"
                lines.append(text)
        except (SyntaxError, ValueError):
            continue
        if lines:
            yield Example("\n".join(lines), owner)


def _docstrings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    def walk(node: ast.AST, owner: str) -> Iterator[tuple[str, str]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                yield owner or child.name, ast.get_docstring(child) or ""
                yield from walk(child, owner or child.name)

    yield "", ast.get_docstring(tree) or ""
    yield from walk(tree, "")
    yield from _tests(tree)


def _tests(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The texts in `__test__`, where a module tells `doctest` of more examples."""
    named: dict[str, ast.expr] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            if ast.unparse(node.value) != "{}":  # as it is under a debugger
                named[node.targets[0].id] = node.value
    tests = named.get("__test__")
    for key in tests.values if isinstance(tests, ast.Dict) else []:
        value = named.get(key.id) if isinstance(key, ast.Name) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield ast.unparse(key), value.value


def _needed(node: ast.stmt, earlier: list[_Statement]) -> list[ast.stmt]:
    """The earlier statements that bind, or may change, what the statement reads."""
    wanted, kept = _describe(node, True).reads, []
    for statement in reversed(earlier):
        if statement.writes & wanted:
            kept.append(statement.node)
            wanted = wanted | statement.reads
    return kept[::-1]


def _describe(node: ast.stmt, shows: bool) -> _Statement:
    reads, writes = set(), set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            (reads if isinstance(part.ctx, ast.Load) else writes).add(part.id)
        elif isinstance(part, ast.FunctionDef | ast.ClassDef):
            writes.add(part.name)
        elif isinstance(part, ast.alias):
            writes.add((part.asname or part.name).split(".")[0])
    # What prints nothing is there for its effect: `heap.append(3)`.
    if isinstance(node, _BLOCKS) or (isinstance(node, ast.Expr) and not shows):
        writes |= reads
    elif isinstance(node, ast.Assign | ast.AugAssign):  # `table[2] = 3`
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        writes |= {name.id for t in targets for name in ast.walk(t) if isinstance(name, ast.Name)}
    return _Statement(node, reads, writes)
