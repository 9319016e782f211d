"""The state that a call begins with, without a line of what it calls being run for it."""

import ast
import copy
from collections.abc import Iterator
from typing import NamedTuple

from tracer.bytecode import Code
from tracer.script import innermost
from tracer.statements import place

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Stub(NamedTuple):
    source: str  # the program, and behind the function a copy that does nothing with the same names
    call: str  # of the copy: its arguments may call the function itself
    function: str
    name: str  # of the copy
    line: int  # of the function's first statement that is run
    at: int  # of the copy's


def stub(source: str, call: str) -> Stub:
    """Of a call like `f(3)`. Raises ValueError where there is no such function."""
    try:
        module = ast.parse(source)
    except SyntaxError as error:
        raise ValueError(f"no program: {error}") from error
    try:
        asked = ast.parse(call, mode="eval").body
    except SyntaxError as error:
        raise ValueError(f"{call!r} is no call of a function, as in f(3): {error.msg}") from error
    if not isinstance(asked, ast.Call) or not isinstance(asked.func, ast.Name):
        raise ValueError(f"{call!r} is no call of a function by its name, as in f(3)")
    there = {node.name: node for node in module.body if isinstance(node, Function)}
    function = there.get(asked.func.id)
    if function is None:
        known = ", ".join(there) or "none"
        raise ValueError(f"no function {asked.func.id!r} in the program; there are: {known}")
    if suspends(function):
        raise ValueError(f"to call {function.name!r} runs nothing of it: it suspends")
    line, _ = place(first_statement(function))
    empty = copy.copy(function)
    empty.name = asked.func.id = free_name(f"{function.name}_", source + call)
    empty.decorator_list = []  # what they do is run before the function
    empty.body = ast.parse("\n".join(idle(source, line))).body
    lines, more = source.split("\n"), ast.unparse(empty).split("\n")
    end = function.end_lineno or line
    lines[end:end] = more
    at = end + more.index("    pass") + 1
    return Stub("\n".join(lines), ast.unparse(asked), function.name, empty.name, line, at)


def suspends(function: Function) -> bool:
    """Whether a call of it makes a generator or a coroutine."""
    waiting: list[ast.AST] = [*function.body] if isinstance(function, ast.FunctionDef) else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, Function | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return isinstance(function, ast.AsyncFunctionDef)


def idle(source: str, line: int) -> Iterator[str]:
    """A body that uses the globals of the one at a line, so that a trace shows them. Nothing but
    `pass` is run before its first event."""
    try:
        found = innermost(compile(source, "<program>", "exec"), line)
    except SyntaxError as error:
        raise ValueError(f"no program: {error}") from error
    code = Code(found) if found else None
    written, read = (code.declared, sorted(code.consulted)) if code else ((), [])
    if written:
        yield f"global {', '.join(written)}"
    yield "pass"
    yield from (f"{name} = {name}" for name in written)
    yield from read


def free_name(name: str, text: str) -> str:
    return name if name not in text else free_name(f"{name}_", text)


def first_statement(function: Function) -> ast.stmt:
    """That is run: a docstring is not, unless it is all there is, and no declaration of names."""
    body = function.body
    if len(body) > 1 and ast.get_docstring(function, clean=False) is not None:
        body = body[1:]
    return next((node for node in body if not isinstance(node, ast.Global)), body[-1])
