"""Effects of a statement on what is outside, with those of the functions of its file that it calls.

What happens inside such a function is not imagined: where one is mentioned, all that can be run in
it counts, and in what that mentions.
"""

import ast
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from experiments.names import Function, Names, Namespaces
from experiments.risks import KINDS, Kinds, parsed, risks
from tracer.entry import first_statement
from tracer.script import read_script
from tracer.statements import place, statement_table


class Effect(NamedTuple):
    kind: str
    line: int  # of the statement that has it
    statement: str
    function: str | None = None  # in which it stands; None: in the frame at hand


class Body(NamedTuple):
    """What may be run where a name is mentioned."""

    name: str
    statements: dict[int, str]  # by their lines


class Effects:
    """Of the statements of one program."""

    def __init__(self, source: str, kinds: Kinds = KINDS):
        self.source, self.kinds = source, kinds
        self.spaces, self.table = Namespaces(source), statement_table(source)
        self.callables = callables(self.spaces.tree)
        self.around = decorators(self.spaces.tree)

    def of(self, line: int, text: str) -> list[Effect]:
        """Of a statement, its own first. Who comes to the first one of a function came through its
        decorators."""
        inner = chain.from_iterable(self.within(line, each) for each in self.around.get(line, ()))
        return [*dict.fromkeys([*self.own(line, text), *self.within(line, text), *inner])]

    def own(self, line: int, text: str, function: str | None = None) -> Iterator[Effect]:
        found = risks(text, self.kinds, self.spaces.at(line))
        yield from (Effect(kind, line, text, function) for kind in sorted(found))

    def within(self, line: int, text: str) -> Iterator[Effect]:
        """In what it calls, and in what that calls."""
        waiting, seen = mentioned(text, self.spaces.at(line)), set[str]()
        while new := sorted(waiting - seen):
            seen |= waiting
            waiting = set()
            for name, nodes in ((name, self.callables.get(name, ())) for name in new):
                for body in (self.body(name, node) for node in nodes):
                    for line, inner in body.statements.items():
                        waiting |= mentioned(inner, self.spaces.at(line))
                        yield from self.own(line, inner, body.name)

    def body(self, name: str, node: ast.stmt) -> Body:
        if isinstance(node, Function):
            first, _ = place(node.body[0])
            decorators = {each.lineno: ast.unparse(each) for each in node.decorator_list}
            statements = read_script(self.source, first).statements
            return Body(node.name, decorators | statements)
        line, _ = place(node)
        return Body(name, {line: self.table[line].text})


def mentioned(text: str, names: Names) -> set[str]:
    """The names in a statement, and behind a dot those of attributes, of which those of what is
    imported are no methods of this file."""
    tree = parsed(text)
    nodes = [] if tree is None else [*ast.walk(tree)]
    found = {node.id for node in nodes if isinstance(node, ast.Name)}
    inner = (n for n in nodes if isinstance(n, ast.Attribute) and not names.imported(n))
    return found | {f".{node.attr}" for node in inner}


def decorators(tree: ast.Module) -> dict[int, list[str]]:
    """By the line of the first statement of what they decorate."""
    functions = (node for node in ast.walk(tree) if isinstance(node, Function))
    return {
        place(first_statement(node))[0]: [ast.unparse(each) for each in node.decorator_list]
        for node in functions
        if node.decorator_list
    }


def callables(tree: ast.Module) -> dict[str, list[ast.stmt]]:
    """What is run where a name is mentioned: functions; of a class, the methods that Python calls
    by itself, and its header with what it inherits from; lambdas that were given a name; and, by
    `.name`, methods of any class."""
    found: dict[str, list[ast.stmt]] = {}
    methods: set[ast.stmt] = set()
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name, body=body):
                own = [each for each in body if isinstance(each, Function)]
                methods.update(own)
                found.setdefault(name, []).extend([node, *filter(is_special, own)])
                for each in own:
                    found.setdefault(f".{each.name}", []).append(each)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if node not in methods:  # a class is walked before what is in it
                    found.setdefault(name, []).append(node)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda()):
                found.setdefault(name, []).append(node)
    return found


def is_special(node: Function) -> bool:
    return node.name.startswith("__") and node.name.endswith("__")
