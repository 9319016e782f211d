"""The code of one frame as an imagined run needs it: its variables, statements and ways."""

import dis
from collections.abc import Iterator, Mapping
from types import CodeType
from typing import NamedTuple

from tracer.bytecode import FOLDED, is_variable
from tracer.detours import Detours
from tracer.flow import END, Ways, flow_table, route_table
from tracer.statements import statement_table

MODULE = "<module>"
UNNAMED = {*FOLDED, "<lambda>"}


class Script(NamedTuple):
    names: tuple[str, ...]  # variables, arguments first
    statements: dict[int, str]  # by the line where each begins; those that can be reached
    ways: Mapping[int, Ways]
    detours: Detours  # at its beginning: none

    def __contains__(self, line: object) -> bool:
        return line in self.statements and line in self.ways


def read_script(source: str, line: int) -> Script:
    """Of the frame that begins at a line. Raises ValueError where the source is no program."""
    try:
        table, code = statement_table(source), compile(source, "<script>", "exec")
    except (SyntaxError, RecursionError) as error:
        raise ValueError(f"no program: {error}") from error
    ways, found, left = flow_table(source), dict[int, str](), [line]
    while left:
        at = left.pop()
        if at != END and at in table and at not in found:
            found[at] = table[at].text
            left += ways.get(at, ())
    names = variables(innermost(code, line) or code)
    detours = Detours(route_table(source))
    return Script(tuple(names), dict(sorted(found.items())), ways, detours)


def innermost(code: CodeType, line: int) -> CodeType | None:
    """The function in whose body the line is. A function on one line is meant by that line where
    no body is."""
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    inner = [each for each in inner if each.co_name not in UNNAMED]
    found = (innermost(each, line) for each in inner)
    bodies = (each for each in inner if line in lines(each) - {each.co_firstlineno})
    alone = (each for each in inner if code.co_name == MODULE and lines(each) == {line})
    return next((each for each in (*found, *bodies, *alone) if each), None)


def lines(code: CodeType) -> set[int]:
    return {line for _, _, line in code.co_lines() if line}


def variables(code: CodeType) -> Iterator[str]:
    """What it binds, in the order of its text."""
    if code.co_name == MODULE:
        stored = (each for each in dis.get_instructions(code) if each.opname == "STORE_NAME")
        names = [str(each.argval) for each in stored]
    else:
        names = [*code.co_varnames, *code.co_cellvars, *code.co_freevars]
    yield from filter(is_variable, dict.fromkeys(names))
