"""What a call would really do if variables were set on its way.

The program is run with assignments between its lines, each of which is made the one time that it is
meant for, and told in the lines of the program that it was.
"""

import ast
from collections.abc import Sequence
from typing import NamedTuple

from tracer.schema import Event
from tracer.values import Value

TURNS = "_turns_of_settings"


class Setting(NamedTuple):
    """A variable that is set before a statement is run."""

    line: int
    turn: int  # how often the statement is run before
    name: str
    value: str  # a literal


class Altered(NamedTuple):
    source: str
    lines: Sequence[int]  # of the program that it was, one for each; 0 for assignments

    def told(self, events: Sequence[Event]) -> list[Event]:
        """In the lines and variables of the program that it was, without the assignments."""
        own = ((self.lines[event.lineno - 1], event) for event in events)
        return [event._replace(lineno=line, locals=known(event)) for line, event in own if line]


def known(event: Event) -> dict[str, Value]:
    return {name: value for name, value in event.locals.items() if name != TURNS}


def head(source: str) -> int:
    """How many lines only a docstring and what is imported of the future may stand in."""
    lines = 0
    for node in ast.parse(source).body:
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not text and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        lines = node.end_lineno or lines
    return lines


def alter(source: str, settings: Sequence[Setting]) -> Altered | None:
    """None where there can be no assignment, as in front of `else`."""
    texts = [(text, number) for number, text in enumerate(source.split("\n"), 1)]
    for number, setting in reversed([*enumerate(settings)]):
        at = next(n for n, (_, line) in enumerate(texts) if line == setting.line)
        old = texts[at][0]
        turns = f"{TURNS}[{number}]"
        text = f"if {turns} and {turns}.pop(): {setting.name} = {setting.value}"
        texts.insert(at, (old[: len(old) - len(old.lstrip())] + text, 0))
    turns = [[True] + [False] * setting.turn for setting in settings]
    texts.append((f"{TURNS} = {turns}", 0))
    try:  # a function may run before the module has come to its end: none of these times is meant
        texts.insert(head(source), (f"{TURNS} = {[[] for _ in settings]}", 0))
    except SyntaxError:
        return None
    altered = Altered("\n".join(text for text, _ in texts), [line for _, line in texts])
    try:
        ast.parse(altered.source)
    except SyntaxError:
        return None
    return altered
