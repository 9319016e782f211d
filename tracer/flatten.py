"""An expression in parts of one operation each, with registers between them.

What is taken out is evaluated in any case, in this order, and changes nothing: operators,
subscripts, and those functions and methods of built-in types that have no effect.
"""

import ast
from collections.abc import Sequence
from functools import lru_cache

from tracer.statements import read_statement

FUNCTIONS = frozenset(
    """abs bool chr dict divmod float int len list max min ord range round set sorted str sum
    tuple""".split()
)
METHODS = frozenset(
    """capitalize center copy count difference endswith find get index intersection isalnum isalpha
    isdecimal isdigit islower isnumeric isspace isupper join ljust lower lstrip partition
    removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines
    startswith strip swapcase symmetric_difference title union upper zfill""".split()
)
VIEWS = frozenset({"items", "keys", "values"})  # of them alone there is no value to keep
BEFORE = tuple(bytes([each]) for each in b" =+-*/%@<>&|^~([{,:")  # what stands before no call


@lru_cache(maxsize=1 << 16)
def parts(text: str, registers: tuple[str, ...], known: frozenset[str]) -> tuple[str, ...]:
    found = parse(text) if registers else None
    if found is None:
        return (text,)
    node, spelled = found
    taking = Taking(spelled, registers, known)
    match node:
        case (
            ast.Assign(value=value)
            | ast.AnnAssign(value=ast.expr() as value)
            | ast.Return(value=ast.expr() as value)
            | ast.Expr(value=value)
            | ast.If(test=value)
            | ast.While(test=value)
            | ast.Assert(test=value)
        ):
            taking.within(value)
        case ast.AugAssign(value=value):
            taking.out(value)
        case _:
            return (text,)
    return (*taking.taken, spelled.whole())


class Text:
    """A statement whose expressions may have names in their place."""

    def __init__(self, text: str, head: int):
        self.bytes, self.head = text.encode(), head  # lines before it, when it was parsed
        self.starts = [0]
        for line in self.bytes.split(b"\n"):
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.names: list[tuple[int, int, str]] = []  # from, to

    def span(self, node: ast.expr) -> tuple[int, int]:
        ends = (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
        start, end = (self.starts[line - 1 - self.head] + column for line, column in ends)
        return start, end

    def of(self, node: ast.expr) -> str:
        return self._spell(*self.span(node))

    def whole(self) -> str:
        return self._spell(0, len(self.bytes))

    def within(self, node: ast.expr) -> list[str]:
        start, end = self.span(node)
        return [name for at, to, name in self.names if start <= at and to <= end]

    def replace(self, node: ast.expr, name: str) -> None:
        start, end = self._parenthesised(*self.span(node))
        outside = [each for each in self.names if not (start <= each[0] and each[1] <= end)]
        self.names = sorted([*outside, (start, end, name)])

    def _parenthesised(self, start: int, end: int) -> tuple[int, int]:
        """With the parentheses that a single name does not need."""
        while self.bytes[start - 1 : start] == b"(" and self.bytes[end : end + 1] == b")":
            if start > 1 and self.bytes[start - 2 : start - 1] not in BEFORE:
                break
            start, end = start - 1, end + 1
        return start, end

    def _spell(self, start: int, end: int) -> str:
        found, at = [], start
        for first, last, name in self.names:
            if start <= first and last <= end:
                found += [self.bytes[at:first].decode(), name]
                at = last
        return "".join([*found, self.bytes[at:end].decode()])


def parse(text: str) -> tuple[ast.stmt, Text] | None:
    """A statement by itself, or a header without its body."""
    reading = read_statement(text)
    if reading is None or reading.bare != isinstance(reading.node, ast.If | ast.While | ast.For):
        return None
    return reading.node, Text(text, reading.before)


class Taking:
    """Takes operations out of one expression, in the order in which they are evaluated."""

    def __init__(self, text: Text, registers: Sequence[str], known: frozenset[str]):
        self.text, self.known = text, known
        self.free = list(registers)
        self.taken: list[str] = []

    def within(self, node: ast.expr) -> bool:
        """All that stands in an expression, and not itself. False: something may have had an
        effect, and nothing that comes later may be taken out before it."""
        match node:
            case ast.BoolOp(values=[first, *_]) | ast.IfExp(test=first):
                self.out(first)
                return False
            case ast.Compare(ops=[_, _, *_], left=left):
                self.out(left)
                return False
            case ast.Constant() | ast.Name() | ast.JoinedStr() | ast.Lambda():
                return True
            case ast.UnaryOp(operand=ast.Constant()):
                return True
            case ast.Call() if not (operation(node) or view(node)):
                for each in ast.iter_child_nodes(node):
                    if not self.out(each):
                        break
                return False
            case _ if operation(node) or isinstance(node, PASSED):
                return all(self.out(each) for each in ast.iter_child_nodes(node))
        return False

    def out(self, node: ast.AST) -> bool:
        """All that stands in an expression, and itself, if it is an operation."""
        if not isinstance(node, ast.expr):
            values = [each for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr)]
            return all(self.out(each) for each in values)
        if not self.within(node):
            return False
        if operation(node) and self._plain(node):
            read = self.text.within(node)
            free = sorted({*self.free, *read})
            if free:
                spelled = self.text.of(node)
                spelled = f"({spelled})" if "\n" in spelled else spelled  # as it stood in some
                self.taken.append(f"{free[0]} = {spelled}")
                self.text.replace(node, free[0])
                self.free = free[1:]
        return True

    def _plain(self, node: ast.expr) -> bool:
        """Whether it works on variables and constants alone."""
        spans = [(start, end) for start, end, _ in self.text.names]
        left: list[ast.AST] = [node]
        while left:
            each = left.pop()
            if isinstance(each, ast.expr):
                start, end = self.text.span(each)
                if any(first <= start and end <= last for first, last in spans):
                    continue
            match each:
                case ast.Name(id=name) if name not in self.known:
                    return False
                case ast.Attribute() | ast.JoinedStr() | ast.Lambda():
                    return False
                case ast.Call(func=ast.Name(id=name), args=args):
                    if name in self.known:  # a variable that is called as a function is
                        return False
                    left += args
                case ast.Call(func=ast.Attribute(value=value), args=args):
                    left += [value, *args]
                case _:
                    left += ast.iter_child_nodes(each)
        return True


PASSED = (
    ast.Tuple | ast.List | ast.Set | ast.Dict | ast.Attribute | ast.Starred | ast.Slice | ast.Call
)


def operation(node: ast.AST) -> bool:
    match node:
        case ast.BinOp() | ast.Compare(ops=[_]):
            return True
        case ast.UnaryOp(operand=operand):
            return not isinstance(operand, ast.Constant)
        case ast.Subscript(ctx=ast.Load()):
            return True
        case ast.Call(func=ast.Name(id=name), keywords=[]):
            return name in FUNCTIONS and not starred(node)
        case ast.Call(func=ast.Attribute(attr=name), keywords=[]):
            return name in METHODS and not starred(node)
    return False


def view(node: ast.Call) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr=name), args=[], keywords=[]):
            return name in VIEWS
    return False


def starred(node: ast.Call) -> bool:
    return any(isinstance(each, ast.Starred) for each in node.args)
