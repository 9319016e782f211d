"""Modules of the standard library as pure Python: their text without the C accelerators.

Many modules define a function in Python and then replace it:

    try:
        from _bisect import *
    except ImportError:
        pass

Of such a statement only the handler's body is kept, so that there is something to trace.
"""

import ast
import os
from functools import cache
from pathlib import Path
from textwrap import dedent

_LIBRARY = Path(os.__file__).parent
_ELSEWHERE = {"datetime": "_pydatetime", "decimal": "_pydecimal"}  # the C module took the name
_IN_C = ("binascii", "posix", "nt")  # beside the names with an underscore


@cache
def pure_source(module: str) -> str:
    """The text of a module of the running Python, to be executed under the module's own name."""
    for name in (_ELSEWHERE.get(module, module), module):
        path = _LIBRARY / name.replace(".", "/")
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return without_accelerators(file.read_text("utf-8"))
    raise ValueError(f"no module {module!r} in the Python source of the standard library")


def without_accelerators(source: str) -> str:
    lines = source.splitlines()
    for statement in reversed(ast.parse(source).body):
        if isinstance(statement, ast.Try) and _is_accelerator(statement, top_level(source)):
            end = statement.end_lineno
            lines[statement.lineno - 1 : end] = _fallback(statement, lines)
    return "\n".join(lines) + "\n"


@cache
def top_level(source: str) -> frozenset[str]:
    """The functions and classes of a module."""
    body = ast.parse(source).body
    return frozenset(x.name for x in body if isinstance(x, ast.FunctionDef | ast.ClassDef))


def _is_accelerator(statement: ast.Try, defined: frozenset[str]) -> bool:
    """Whether it imports from C, inside a `try`, what is there in Python too."""
    caught = [ast.unparse(handler.type) for handler in statement.handlers if handler.type]
    if caught != ["ImportError"]:
        return False
    names: set[str] = set()
    for each in statement.body:
        if not isinstance(each, ast.ImportFrom) or not each.module:
            return False
        if not (each.module.startswith("_") or each.module in _IN_C):
            return False
        names.update(alias.name for alias in each.names)
    has_fallback = not isinstance(statement.handlers[0].body[0], ast.Pass)
    return has_fallback or names <= defined | {"*", "__doc__"}


def _fallback(statement: ast.Try, lines: list[str]) -> list[str]:
    body = statement.handlers[0].body
    first, last = body[0].lineno, body[-1].end_lineno
    if first == statement.handlers[0].lineno:  # on the line of the `except`
        return [ast.unparse(each) for each in body]
    return dedent("\n".join(lines[first - 1 : last])).split("\n")
