"""The state that a call begins with, without a line of the function being run."""

import ast
from typing import NamedTuple

from tracer.statements import place


class Stub(NamedTuple):
    source: str  # the program, with `pass` in place of the body of the function that is called
    name: str  # of the function
    line: int  # of its first statement that is run


def stub(source: str, call: str) -> Stub:
    """Of a call like `f(3)`. Raises ValueError where there is no such function."""
    try:
        module, asked = ast.parse(source), ast.parse(call, mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"no program: {error}") from error
    if not isinstance(asked, ast.Call) or not isinstance(asked.func, ast.Name):
        raise ValueError(f"{call!r} is no call of a function by its name, as in f(3)")
    there = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    function = there.get(asked.func.id)
    if function is None:
        known = ", ".join(there) or "none"
        raise ValueError(f"no function {asked.func.id!r} in the program; there are: {known}")
    body = function.body[has_docstring(function) :]
    first, last = body[0], body[-1]
    line, column = place(first)[0], first.col_offset
    lines = source.split("\n")
    end = last.end_lineno or line
    lines[line - 1 : end] = [f"{lines[line - 1][:column]}pass", *[""] * (end - line)]
    return Stub("\n".join(lines), function.name, line)


def has_docstring(function: ast.FunctionDef) -> bool:
    """And something behind it: a text that is the whole body is not run, but returned from."""
    return len(function.body) > 1 and ast.get_docstring(function, clean=False) is not None
