"""Runs a program that was just written, to know how it ends and which statements it reaches.

Synthetic programs touch nothing but their own variables, so they may run in this process; before
each statement a counter is called, which also stops those that do not end. The counting is done by
the program itself, and not by the interpreter, so that it is the same on every Python.
"""

import ast
from collections.abc import Sequence
from typing import Any, NamedTuple

STATEMENTS = 600  # that a program may execute; 2,000 events at the least are not reached before
LETTERS = 120  # of the repr of what a program returns
_COUNT = "_count_"


class Run(NamedTuple):
    """outcome: "ok", the name of an exception's class, "endless", or "large" for the value."""

    outcome: str
    reached: frozenset[int]  # numbers of statements


class _TooLong(BaseException):
    """Goes through every `except` that a program has."""


def probe(source: str, calls: Sequence[str], most: int = STATEMENTS) -> list[Run]:
    """What each call does, in a module of its own."""
    tree = ast.parse(source)
    _instrument(tree)
    module = compile(tree, "<synthetic>", "exec")
    return [_run(module, call, most) for call in calls]


def _run(module: Any, call: str, most: int) -> Run:
    left, reached = most, set()

    def count(number: int) -> None:
        nonlocal left
        left -= 1
        reached.add(number)
        if left < 0:
            raise _TooLong

    outcome = "ok"
    space = {_COUNT: count, "__name__": "synthetic"}
    try:
        exec(module, space)
        value = eval(call, space)
        outcome = "ok" if _is_short(value) else "large"
    except _TooLong:
        outcome = "endless"
    except Exception as error:
        outcome = type(error).__name__
    return Run(outcome, frozenset(reached))


def _is_short(value: Any) -> bool:
    try:
        return len(repr(value)) <= LETTERS
    except ValueError:  # too many digits
        return False


def _instrument(tree: ast.Module) -> None:
    numbers = iter(range(1 << 30))
    for node in list(ast.walk(tree)):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list) and not isinstance(node, ast.Module | ast.ClassDef):
                setattr(node, name, [each for s in body for each in (_counter(next(numbers), s), s)])


def _counter(number: int, statement: ast.stmt) -> ast.stmt:
    place = {"lineno": statement.lineno, "col_offset": 0, "end_lineno": statement.lineno}
    place["end_col_offset"] = 0
    function = ast.Name(_COUNT, ast.Load(), **place)
    return ast.Expr(ast.Call(function, [ast.Constant(number, **place)], [], **place), **place)
