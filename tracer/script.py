"""The code of one frame as an imagined run needs it: its variables, statements and ways."""

from collections.abc import Iterator, Mapping
from types import CodeType
from typing import NamedTuple

from tracer.bytecode import FOLDED, is_variable
from tracer.flow import END, Ways, flow_table
from tracer.statements import statement_table


class Script(NamedTuple):
    names: tuple[str, ...]  # variables, arguments first
    statements: dict[int, str]  # by the line where each begins; those that can be reached
    ways: Mapping[int, Ways]

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
    return Script(tuple(variables(code, line)), dict(sorted(found.items())), ways)


def variables(code: CodeType, line: int) -> Iterator[str]:
    """Of the innermost code that has the line, in the order of its text."""
    for part in code.co_consts:
        if isinstance(part, CodeType) and part.co_name not in FOLDED and has(part, line):
            yield from variables(part, line)
            return
    names = (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
    if code.co_name == "<module>":
        names = code.co_names
    yield from filter(is_variable, dict.fromkeys(names))


def has(code: CodeType, line: int) -> bool:
    inner = (part for part in code.co_consts if isinstance(part, CodeType))
    own = any(found == line for _, _, found in code.co_lines() if found != code.co_firstlineno)
    one_line = all(found in (None, line) for _, _, found in code.co_lines())
    return own or one_line or any(has(part, line) for part in inner)
