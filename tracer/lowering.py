"""Statements in parts of one operation each.

`x = a * b + c` is the parts `τ1 = a * b` and `x = τ1 + c`. A register, τ, is written once and read
once, and then is empty. No program has them and no trace shows them: they are slots in which a
model may keep what stands between reading and writing.

Of a loop they keep what is left of its iterator, ρ: `for c in word:` is `ρ1 = iter(word)` and
`for c in ρ1:`, which takes the first of it; when it has gone round, it is `next(ρ1)`, which drops
the first, and `for c in ρ1:`. Or a counter, ι, says how often it has gone round, and the header is
`for ι1, c in enumerate(word):`.
"""

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from tracer.flatten import Taking, parse, parts
from tracer.layout import Layout


class Loop(NamedTuple):
    depth: int  # the number of its counter, or iterator
    last: int  # line of its body
    node: ast.For


class Unsaid(NamedTuple):
    """What the text of a statement by itself does not say, by its line."""

    loops: Mapping[int, Loop]  # of a header
    breaks: Mapping[int, int]  # the depth of the loop that is left
    handled: Mapping[int, str]  # the name that is lost behind it, as of `except E as name`


Site = tuple[int, bool]  # the line where a statement begins, and whether its loop has gone round


class Lowering:
    """The parts of the statements of one source."""

    def __init__(self, source: str, layout: Layout):
        self.registers, self.iterators = registers(layout), iterators(layout)
        self.loops = self.iterators or counters(layout)  # what is kept of each, by its depth
        self.unsaid = read_unsaid(source, len(self.loops))

    def parts(
        self, line: int, text: str, known: Collection[str], again: bool = False
    ) -> tuple[str, ...]:
        """Of the statement that begins in a line; `known` are the variables of its frame. It is one
        where there is nothing to keep."""
        if self.iterates(line):
            return self._header(line, text, self.registers, frozenset(known), again)
        *others, last = parts(text, self.registers, frozenset(known))
        return *others, self._whole(line, last)

    def whole(self, line: int, text: str, again: bool = False) -> tuple[str, ...]:
        """Where operations are not taken out."""
        if self.iterates(line):
            return self._header(line, text, (), frozenset(), again)
        return (self._whole(line, text),)

    def iterates(self, line: int) -> str | None:
        """What is kept of the iterator of the header in a line."""
        loops = self.unsaid.loops
        return self.iterators[loops[line].depth] if self.iterators and line in loops else None

    def on(self, before: frozenset[int], line: int, after: int, runs: bool) -> frozenset[int]:
        """The headers whose loops go on, after a frame went from one line to another. `runs`: it
        ran the first and is about to run the other."""
        loops = self.unsaid.loops
        if runs and line in loops and line < after <= loops[line].last:
            before |= {line}
        return frozenset(each for each in before if each <= after <= loops[each].last)

    def site(self, line: int, on: frozenset[int]) -> Site:
        """Of a statement in the table, where these loops go on."""
        return line, bool(self.iterates(line)) and line in on

    def table(
        self, statements: Mapping[int, str], known: Collection[str]
    ) -> dict[Site, tuple[str, ...]]:
        """Of all statements of a frame."""
        places = [(line, False) for line in statements]
        places += [(line, True) for line in statements if self.iterates(line)]
        return {at: self.parts(at[0], statements[at[0]], known, at[1]) for at in places}

    def _header(
        self,
        line: int,
        text: str,
        registers: tuple[str, ...],
        known: frozenset[str],
        again: bool,
    ) -> tuple[str, ...]:
        kept = self.iterators[self.unsaid.loops[line].depth]
        *others, last = iterated(text, kept, registers, known)
        return (f"next({kept})", last) if again and others else (*others, last)

    def _whole(self, line: int, text: str) -> str:
        """A statement, or its last part, with what its text does not say."""
        loops, breaks, handled = self.unsaid
        if text in ("break", "continue"):
            left = [self.loops[breaks[line]]] if line in breaks and text == "break" else []
            left += [handled[line]] if line in handled else []
            return f"del {', '.join(left)}; {text}" if left else text
        if line in loops:
            return counted(text, self.loops[loops[line].depth])
        return f"{text}; del {handled[line]}" if line in handled else text


def registers(layout: Layout) -> tuple[str, ...]:
    return tuple(f"τ{number}" for number in range(1, layout.registers + 1))


def counters(layout: Layout) -> tuple[str, ...]:
    return tuple(f"ι{number}" for number in range(1, layout.counters + 1))


def iterators(layout: Layout) -> tuple[str, ...]:
    return tuple(f"ρ{number}" for number in range(1, layout.iterators + 1))


def working_names(layout: Layout) -> tuple[str, ...]:
    """In the order of their slots, which come after those of the variables."""
    return *registers(layout), *counters(layout), *iterators(layout)


@lru_cache(maxsize=64)
def read_unsaid(source: str, deepest: int) -> Unsaid:
    """Of loops as deep as there is something to keep of them, with their body on other lines."""
    found = Unsaid(loops := {}, breaks := {}, handled := {})

    def visit(node: ast.AST, depth: int, around: Loop | None) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda() | ast.ClassDef():
                depth, around = 0, None
            case ast.For(body=[first, *_]) if depth < deepest and first.lineno > node.lineno:
                last = node.body[-1].end_lineno or 0
                around = loops[node.lineno] = Loop(depth, last, node)
                for each in node.body:
                    visit(each, depth + 1, around)
                for each in node.orelse:
                    visit(each, depth, None)
                return
            case ast.For() | ast.While() | ast.AsyncFor():
                around = None
            case ast.Break() if around:
                breaks[node.lineno] = around.depth
            case ast.ExceptHandler(name=str(name), body=body) if body[0].lineno > node.lineno:
                handled.update(dict.fromkeys(last_lines(body), name))
        for child in ast.iter_child_nodes(node):
            visit(child, depth, around)

    try:
        if deepest:
            visit(ast.parse(source), 0, None)
    except (SyntaxError, ValueError, RecursionError):
        return Unsaid({}, {}, {})
    return found


def last_lines(body: Sequence[ast.stmt]) -> Iterator[int]:
    """Of the simple statements behind which a block is left, as far as its text tells."""
    match body[-1]:
        case ast.If(body=either, orelse=[*other]) if other and either[0].lineno > body[-1].lineno:
            yield from last_lines(either)
            yield from last_lines(other)
        case node if not hasattr(node, "body") and not isinstance(node, ast.Match):
            yield node.lineno


def counted(header: str, counter: str) -> str:
    match parse(header):
        case ast.For(target=target, iter=iterated), text:
            spelled = text.of(target)
            if isinstance(target, ast.Tuple) and spelled[0] != "(":
                spelled = f"({spelled})"
            return f"for {counter}, {spelled} in enumerate({text.of(iterated)}):"
    return header


@lru_cache(maxsize=1 << 16)
def iterated(
    header: str, kept: str, registers: tuple[str, ...], known: frozenset[str]
) -> tuple[str, ...]:
    """The parts of a header that is come to."""
    match parse(header):
        case ast.For(target=target, iter=iterable), text:
            taking = Taking(text, registers, known)
            taking.within(iterable)
            begin = f"{kept} = iter({text.of(iterable)})"
            return *taking.taken, begin, f"for {text.of(target)} in {kept}:"
    return (header,)
