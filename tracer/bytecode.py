"""What a code object says about itself: its variables, and what each of its lines can bind."""

import dis
from types import CodeType

FOLDED = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}

_OPTIMIZED = 0x1  # CO_OPTIMIZED: a function, not a module or a class
_GENERATOR = 0x20
_COROUTINE = 0x80 | 0x200  # CO_COROUTINE | CO_ASYNC_GENERATOR: an `await` is not a yield of theirs
_RETURNS = {"RETURN_VALUE", "RETURN_CONST", "RETURN_GENERATOR"}
_YIELDS = {"YIELD_VALUE", "SEND", "RESUME"}  # RESUME: from Python 3.13 on
_ENDS = {"FOR_ITER", "SEND", "END_SEND"}  # where the end of an iteration is not an error

Span = tuple[int | None, int | None, int | None, int | None]  # line, end line, column, end column


class Code:
    """What the recorder asks of a code object, from its instructions, once."""

    def __init__(self, code: CodeType):
        self.name = code.co_name
        self.is_function = bool(code.co_flags & _OPTIMIZED)
        self.is_coroutine = bool(code.co_flags & _COROUTINE)
        self.is_generator = bool(code.co_flags & (_GENERATOR | _COROUTINE))
        self.instructions = list(dis.get_instructions(code))
        operations = {each.offset: each.opname for each in self.instructions}
        self.returns = {at for at, name in operations.items() if name in _RETURNS}
        self.yields = {at for at, name in operations.items() if name in _YIELDS}
        self.ends = {at for at, name in operations.items() if name in _ENDS}
        own = (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
        self.names = tuple(dict.fromkeys(name for name in own if is_variable(name)))
        # Of modules and classes: what comprehensions inlined there, from Python 3.12 on, use.
        self.hidden = frozenset(code.co_varnames).difference(code.co_names)
        self.lent = frozenset(i.argval for i in self.instructions if i.opname.endswith("_CLEAR"))
        self.declared = self._declared(code)
        # Other frames write to cells, too, so that every line can change them.
        self.cells = tuple(n for n in self.names if n in (*code.co_cellvars, *code.co_freevars))
        self.jumps = {i.offset: i.argval for i in self.instructions if i.opname == "JUMP_BACKWARD"}
        self.spans = {
            each.offset: tuple(each.positions)
            for each in self.instructions
            if each.opname == "FOR_ITER" and each.positions
        }
        self._stores = self._by_line()

    def binds(self, line: int) -> tuple[str, ...]:
        """The variables that can be another's after a line, in the order of the code's own."""
        found = {*self.cells, *self._stores.get(None, ()), *self._stores.get(line, ())}
        return tuple(name for name in self.names if name in found)

    def iterates(self, offset: int, loop: Span | None) -> bool:
        """Whether the instruction asks the for loop, not a comprehension in it, for an item."""
        return loop is not None and self.spans.get(self.jumps.get(offset, offset)) == loop

    def _by_line(self) -> dict[int | None, set[str]]:
        stores: dict[int | None, set[str]] = {}
        for each in self.instructions:
            if "_FAST" in each.opname and each.opname != "LOAD_FAST":
                line = each.positions.lineno if each.positions else None
                names = each.argval if type(each.argval) is tuple else (each.argval,)
                stores.setdefault(line, set()).update(names)
        return stores

    def _declared(self, code: CodeType) -> tuple[str, ...]:
        """The global variables that a function or class declares its own to write."""
        found = {i.argval for i in self.instructions if i.opname in _GLOBAL}
        for part in code.co_consts:
            if type(part) is CodeType and part.co_name in FOLDED:
                found.update(i.argval for i in dis.get_instructions(part) if i.opname in _GLOBAL)
        return tuple(name for name in sorted(found) if is_variable(name))


_GLOBAL = {"STORE_GLOBAL", "DELETE_GLOBAL"}


def is_variable(name: str) -> bool:
    return not name.startswith((".", "__"))
