"""Holes in traced programs, and statements that might have stood there: rivals of the true one.

Half of them are mutations of the true statement, the others statements of the same kind of other
programs, in which each variable becomes one of this program's that then holds the same type.
"""

import ast
import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import NamedTuple

from experiments.holes import Hole, hole_at
from tracer.agent.mutations import mutations
from tracer.schema import Event, Trace, body

SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return, ast.Delete)


class Statement(NamedTuple):
    """One that was run."""

    origin: str  # of its program
    node: ast.stmt
    line: int
    types: dict[str, str]  # of the variables, before it was run for the first time


class Puzzle(NamedTuple):
    trace: Trace  # of the whole program
    events: list[Event]  # of the call under test
    hole: Hole
    candidates: list[str]  # the true one among them
    right: int  # its number


def executed(trace: Trace) -> list[Statement]:
    """Simple statements of the function under test that have a line each for themselves."""
    events = body(trace)
    first = {event.lineno: event for event in reversed(events) if event.kind == "line"}
    lines = trace.source.split("\n")
    found = []
    for node in ast.walk(ast.parse(trace.source)):
        if not isinstance(node, SIMPLE) or node.lineno not in first or node.lineno == 1:
            continue
        if lines[node.lineno - 1].strip() == ast.get_source_segment(trace.source, node):
            types = {name: value.kind for name, value in first[node.lineno].locals.items()}
            found.append(Statement(trace.origin, node, node.lineno, types))
    return sorted(found, key=lambda each: each.line)


def puzzles(traces: Sequence[Trace], count: int, seed: int) -> Iterator[Puzzle]:
    """One of each program that has enough rivals; `count` is of the candidates of each."""
    found = {number: executed(trace) for number, trace in enumerate(traces)}
    pool = [each for statements in found.values() for each in statements]
    for number, trace in enumerate(traces):
        events = body(trace)
        if not found[number] or events[-1].kind != "return":
            continue
        rng = Random(f"{seed}/{trace.id}")
        true = rng.choice(found[number])
        others = rivals(trace.source, true, pool, count - 1, rng)
        if len(others) == count - 1:
            own = ast.get_source_segment(trace.source, true.node) or ""
            candidates = rng.sample([own, *others], count)
            hole = hole_at(trace.source, true.node)
            yield Puzzle(trace, events, hole, candidates, candidates.index(own))


def rivals(
    source: str, true: Statement, pool: Iterable[Statement], count: int, rng: Random
) -> list[str]:
    hole = hole_at(source, true.node)
    near = [each.new.strip() for each in mutations(source) if each.line == true.line]
    alike = [s for s in pool if type(s.node) is type(true.node) and s.origin != true.origin]
    far = (renamed(each, true, rng) for each in shuffled(alike, rng))
    known = {ast.dump(true.node)}
    mutated = list(fitting(shuffled(near, rng), hole, known, (count + 1) // 2))
    return mutated + list(fitting(far, hole, known, count - len(mutated)))


def shuffled(items: Sequence, rng: Random) -> list:
    return rng.sample(items, len(items))


def fitting(texts: Iterable[str | None], hole: Hole, known: set[str], count: int) -> Iterator[str]:
    """So many at most, none twice, that make a program of the source."""
    left = count
    for text in texts:
        if not left:
            return
        if text is None:
            continue
        try:
            hole.filled(text)
        except ValueError:
            continue
        dumped = ast.dump(ast.parse(text).body[0])
        if dumped not in known:
            known.add(dumped)
            left -= 1
            yield text


def renamed(other: Statement, true: Statement, rng: Random) -> str | None:
    """Another program's statement, with variables of this one; None where it lacks the types."""
    targets = list(dict.fromkeys([*assigned(true.node), *true.types]))
    bound = list(dict.fromkeys(assigned(other.node)))
    if len(bound) > len(targets):
        return None
    names = dict(zip(bound, targets, strict=False))
    reads = [n.id for n in ast.walk(other.node) if isinstance(n, ast.Name)]
    for name in dict.fromkeys(reads):
        if name in names or name not in other.types:
            continue
        same = [each for each, kind in true.types.items() if kind == other.types[name]]
        if not same:
            return None
        names[name] = rng.choice(same)
    return ast.unparse(Renamed(names).visit(copy.deepcopy(other.node)))


def assigned(node: ast.AST) -> list[str]:
    """Names that an assignment binds anew; one that it changes is read too."""
    if isinstance(node, ast.AugAssign):
        return []
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    return [name.id for name in names if isinstance(name.ctx, ast.Store)]


class Renamed(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, str]):
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.names.get(node.id, node.id), node.ctx)
