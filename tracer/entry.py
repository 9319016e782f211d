"""The state that a call begins with, without a line of what it calls being run for it."""

import ast
import copy
from typing import NamedTuple

from tracer.statements import place


class Stub(NamedTuple):
    source: str  # the program, and behind the function a copy of it with `pass` for a body
    call: str  # of the copy: its arguments may call the function itself
    function: str
    name: str  # of the copy
    line: int  # of the function's first statement that is run
    at: int  # of the copy's


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
    line, _ = place(function.body[has_docstring(function)])
    empty = copy.copy(function)
    empty.name = asked.func.id = free_name(f"{function.name}_", source + call)
    empty.body = [ast.Pass()]
    lines, more = source.split("\n"), ast.unparse(empty).split("\n")
    end = function.end_lineno or line
    lines[end:end] = more
    return Stub(
        "\n".join(lines), ast.unparse(asked), function.name, empty.name, line, end + len(more)
    )


def free_name(name: str, text: str) -> str:
    return name if name not in text else free_name(f"{name}_", text)


def has_docstring(function: ast.FunctionDef) -> bool:
    """And something behind it: a text that is the whole body is not run, but returned from."""
    return len(function.body) > 1 and ast.get_docstring(function, clean=False) is not None
