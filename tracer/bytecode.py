"""What a code object says about itself: its variables, and what each of its lines can bind."""

import dis
from collections.abc import Iterator, Set
from functools import cached_property
from types import CodeType

FOLDED = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}

_OPTIMIZED = 0x1  # CO_OPTIMIZED: a function, not a module or a class
_COROUTINE = 0x80 | 0x200  # CO_COROUTINE | CO_ASYNC_GENERATOR: an `await` is not a yield of theirs
GENERATOR = 0x20 | _COROUTINE
_RETURNS = {"RETURN_VALUE", "RETURN_CONST", "RETURN_GENERATOR"}
_YIELDS = {"YIELD_VALUE", "SEND", "RESUME"}  # RESUME: from Python 3.13 on
_ENDS = {"FOR_ITER", "SEND", "END_SEND"}  # where the end of an iteration is not an error
_GLOBALS = {"STORE_GLOBAL", "DELETE_GLOBAL"}
_PAIRS = {"STORE_FAST_STORE_FAST", "STORE_FAST_LOAD_FAST"}  # two variables in one argument

Span = tuple[int | None, ...]  # line, end line, column, end column


class Code:
    """What the recorder asks of a code object."""

    def __init__(self, code: CodeType):
        self.code = code
        self.is_function = bool(code.co_flags & _OPTIMIZED)
        self.is_coroutine = bool(code.co_flags & _COROUTINE)
        self.is_generator = bool(code.co_flags & GENERATOR)
        self.cells = {*code.co_cellvars, *code.co_freevars}
        own = dict.fromkeys((*code.co_varnames, *code.co_cellvars, *code.co_freevars))
        self.names = tuple([name for name in own if is_variable(name)])
        # Of modules and classes: what comprehensions inlined there, from Python 3.12 on, use.
        self.hidden = frozenset(code.co_varnames).difference(code.co_names)
        self.lent: set[str] = set()  # what they use of a function's own
        self.returns, self.yields, self.ends = set(), set(), set()
        self.stores: dict[int | None, set[str]] = {}  # by line; None: what no line tells of
        lines = _lines(code)
        for at, name, argument in _instructions(code):
            if "_FAST" in name and name != "LOAD_FAST":
                numbers = (argument >> 4, argument & 15) if name in _PAIRS else (argument,)
                names = {code.co_varnames[n] for n in numbers if n < len(code.co_varnames)}
                self.stores.setdefault(lines[at], set()).update(names)
                if name == "LOAD_FAST_AND_CLEAR":
                    self.lent |= names
            elif name in _RETURNS:
                self.returns.add(at)
            if name in _YIELDS:
                self.yields.add(at)
            if name in _ENDS:
                self.ends.add(at)

    def binds(self, line: int) -> tuple[str, ...]:
        """The variables that may be others after a line: cells always, for any frame may write."""
        found = {*self.cells, *self.stores.get(None, ()), *self.stores.get(line, ())}
        return tuple([name for name in self.names if name in found])

    @cached_property
    def declared(self) -> tuple[str, ...]:
        """The global variables that a function or a class writes itself."""
        return tuple(sorted(self._globals(_GLOBALS)))

    @cached_property
    def consulted(self) -> frozenset[str]:
        """The names that a function looks up beyond its own: globals that it reads, builtins."""
        return frozenset(self._globals({"LOAD_GLOBAL"}, shift=1)).difference(self.declared)

    def _globals(self, operations: Set[str], shift: int = 0) -> Iterator[str]:
        inner = [part for part in self.code.co_consts if type(part) is CodeType]
        found = {
            code.co_names[argument >> shift]
            for code in (self.code, *(part for part in inner if part.co_name in FOLDED))
            for _, name, argument in _instructions(code)
            if name in operations
        }
        return filter(is_variable, found)

    def iterates(self, offset: int, loop: Span | None) -> bool:
        """Whether the instruction asks the for loop, not a comprehension in it, for an item."""
        return loop is not None and self._spans.get(self._jumps.get(offset, offset)) == loop

    @cached_property
    def _jumps(self) -> dict[int, int]:
        found = dis.get_instructions(self.code)
        return {each.offset: each.argval for each in found if each.opname == "JUMP_BACKWARD"}

    @cached_property
    def _spans(self) -> dict[int, Span]:
        found = dis.get_instructions(self.code)
        return {
            e.offset: tuple(e.positions) for e in found if e.opname == "FOR_ITER" and e.positions
        }


def is_variable(name: str) -> bool:
    return not name.startswith((".", "__"))


def _instructions(code: CodeType) -> Iterator[tuple[int, str, int]]:
    """Offset, name and argument of each; `dis` would take twenty times as long."""
    extended, raw = 0, code.co_code
    for at in range(0, len(raw), 2):
        operation, argument = raw[at], raw[at + 1] | extended
        extended = argument << 8 if operation == dis.EXTENDED_ARG else 0
        yield at, dis.opname[operation], argument


def _lines(code: CodeType) -> dict[int, int | None]:
    return {at: line for start, end, line in code.co_lines() for at in range(start, end, 2)}
