"""More inputs for programs that came with few: calls with one literal changed, types kept.

One function with several inputs says more about its statements than several functions with one
each. A mutation takes one literal of one argument: a number goes to a neighbour, its double, half,
negative or zero; a text or a container loses, repeats or exchanges elements.
"""

import ast
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

from tracer.corpora.split import of_one_source
from tracer.schema import Program

MOST = 64  # calls of a function that are read before the first of them is mutated
TRIES = 8  # per mutation wanted, before a call is taken to have no more


def programs(corpus: Iterable[Program], mutations: int, seed: int = 0) -> Iterator[Program]:
    """The calls of each function, and after them up to `mutations` further ones for each.

    Which of these take a path of their own is known when they have run: see `tracer.tracing`.
    """
    if mutations < 0:
        raise ValueError(f"mutations={mutations} is below 0")
    for run in of_one_source(corpus, lambda program: program.source, MOST):
        yield from run
        known = {program.call for program in run}
        for program in run:
            for call in calls(program, mutations, seed):
                if call not in known:
                    known.add(call)
                    yield program._replace(call=call, mutated=True)


def calls(program: Program, count: int, seed: int) -> list[str]:
    """Up to `count` calls, each another one; none where the call has no literal."""
    rng = Random(f"{seed}/{program.origin}/{program.call}")
    tree, spots = literals(program.call or "")
    if tree is None or not spots:
        return []
    original = last = ast.unparse(tree)
    found = {original: None}  # in the order of their making
    for _ in range(TRIES * count):
        call = mutated(rng.choice((original, last)), rng)
        if literals(call)[1]:  # what has none left is a dead end
            found.setdefault(call)
            last = call
        if len(found) > count:
            break
    return list(found)[1:]


def mutated(call: str, rng: Random) -> str:
    tree, spots = literals(call)
    assert tree is not None
    change(rng.choice(spots), rng)
    return ast.unparse(tree)


def literals(call: str) -> tuple[ast.AST | None, list[Any]]:
    """The syntax tree of a call, if it is one, and the literals of its arguments to change."""
    try:
        tree = Signed().visit(ast.parse(call, mode="eval"))
    except (SyntaxError, ValueError):
        return None, []
    if not isinstance(tree.body, ast.Call):
        return None, []
    arguments = [*tree.body.args, *(keyword.value for keyword in tree.body.keywords)]
    return tree, [node for argument in arguments for node in ast.walk(argument) if fits(node)]


class Signed(ast.NodeTransformer):
    """The minus before a number becomes a part of it."""

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        match node:
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return ast.Constant(-number)
        return self.generic_visit(node)


def fits(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=bool()):
            return False
        case ast.Constant(value=int() | float()):
            return True
        case ast.Constant(value=str() | bytes() as text):
            return len(text) > 0
        case ast.Dict(keys=elements):
            return len(elements) > 1
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return len(elements) > 1
    return False


def change(node: Any, rng: Random) -> None:
    """In place."""
    if isinstance(node, ast.Constant):
        node.value = other(node.value, rng)
    elif isinstance(node, ast.Dict):
        pairs = rearranged(list(zip(node.keys, node.values, strict=True)), rng)
        node.keys, node.values = [key for key, _ in pairs], [value for _, value in pairs]
    else:
        node.elts = rearranged(node.elts, rng)


def other(value: Any, rng: Random) -> Any:
    if isinstance(value, int | float):
        return rng.choice(
            (value + 1, value - 1, 2 * value, -value, type(value)(value // 2), value * 0)
        )
    characters = [value[i : i + 1] for i in range(len(value))]
    return value[:0].join(rearranged(characters, rng))


def rearranged(elements: list, rng: Random) -> list:
    """One element less, one repeated, or two exchanged."""
    elements, i, j = list(elements), rng.randrange(len(elements)), rng.randrange(len(elements))
    kind = rng.choice(("drop", "repeat", "exchange"))
    if kind == "drop":
        del elements[i]
    elif kind == "repeat":
        elements.insert(i, elements[i])
    else:
        elements[i], elements[j] = elements[j], elements[i]
    return elements
