"""Runs a program that was just written, to know how it ends and which statements it reaches.

Synthetic programs touch nothing but their own variables, so they may run in this process; before
each statement a counter is called, which also stops those that do not end. The counting is done by
the program itself, and not by the interpreter, so that it is the same on every Python.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

STATEMENTS = 600  # that a program may execute; 2,000 events at the least are not reached before
ITEMS = 200  # of any container or text that a variable holds
BITS = 300  # of any integer
LETTERS = 120  # of the repr of what a program returns
_COUNT = "_count_"
_SIZED = {str, bytes, list, tuple, dict, set, frozenset}


class Run(NamedTuple):
    """outcome: "ok", the name of an exception's class, "endless", or "large" where values are."""

    call: str
    outcome: str
    reached: frozenset[int]  # numbers of statements


class _Stopped(BaseException):
    """Goes through every `except` that a program has; its argument is the outcome."""


def probe(source: str, calls: Iterable[str], most: int = STATEMENTS) -> Iterator[Run]:
    """What each call does, in a module of its own."""
    tree = ast.parse(source)
    _instrument(tree, iter(range(1 << 30)))
    module = compile(tree, "<synthetic>", "exec")
    return (_run(module, call, most) for call in calls)


def _run(module: Any, call: str, most: int) -> Run:
    left, reached = most, set()

    def count(number: int) -> None:
        nonlocal left
        left -= 1
        reached.add(number)
        if left < 0:
            raise _Stopped("endless")
        # Before the next statement, which may double it again.
        if any(map(_is_large, sys._getframe(1).f_locals.values())):
            raise _Stopped("large")

    outcome = "ok"
    space = {_COUNT: count, "__name__": "synthetic"}
    try:
        exec(module, space)
        value = eval(call, space)
        outcome = "ok" if _is_short(value) else "large"
    except _Stopped as stopped:
        outcome = stopped.args[0]
    except Exception as error:
        outcome = type(error).__name__
    return Run(call, outcome, frozenset(reached))


def _is_large(value: Any) -> bool:
    if type(value) is int:
        return value.bit_length() > BITS
    return type(value) in _SIZED and len(value) > ITEMS


def _is_short(value: Any) -> bool:
    try:
        return len(repr(value)) <= LETTERS
    except ValueError:  # too many digits
        return False


def _instrument(node: Any, numbers: Iterator[int]) -> None:
    """Put a call of the counter before each statement of each function."""
    counts = not isinstance(node, ast.Module | ast.ClassDef)
    for field in ("body", "orelse", "finalbody"):
        body = getattr(node, field, ())
        for statement in body:
            _instrument(statement, numbers)
        if body and counts:
            counted = [(_counter(next(numbers)), statement) for statement in body]
            setattr(node, field, [each for pair in counted for each in pair])
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        _instrument(part, numbers)


def _counter(number: int) -> ast.stmt:
    call = ast.Call(ast.Name(_COUNT, ast.Load()), [ast.Constant(number)], [])
    return ast.fix_missing_locations(ast.Expr(call))
