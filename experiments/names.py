"""What the names in a program stand for: modules and what is in them, by whatever name.

After `import os as o` and `from shutil import rmtree`, `o.remove` is `os.remove`, and `rmtree` is
`shutil.rmtree`. A name that nobody binds is taken for the module of that name, and a variable for
none.
"""

import ast
from collections.abc import Iterator, Mapping
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from tracer.script import innermost, variables

UNKNOWN = "?"  # a value that may be anything


Function = ast.FunctionDef | ast.AsyncFunctionDef


class Names(NamedTuple):
    """Of one frame."""

    meant: Mapping[str, str] = MappingProxyType({})  # what is imported, dotted, by its name here
    stars: tuple[str, ...] = ()  # modules of which everything is imported
    variables: frozenset[str] = frozenset()  # what is bound otherwise

    def dotted(self, node: ast.AST) -> str:
        match node:
            case ast.Attribute(value=value, attr=name):
                return f"{self.dotted(value)}.{name}"
            case ast.Name(id=name) if name in self.meant:
                return self.meant[name]
            case ast.Name(id=name) if name not in self.variables:
                return name
            case ast.Call(func=ast.Name("getattr"), args=[value, ast.Constant(str(name)), *_]):
                return f"{self.dotted(value)}.{name}"
            case ast.Call(func=function, args=[ast.Constant(str(name)), *_]):
                imports = self.dotted(function) in ("__import__", "importlib.import_module")
                return name if imports else UNKNOWN
        return UNKNOWN

    def all(self, node: ast.AST) -> Iterator[str]:
        """And what a name may be of a module of which everything is imported."""
        yield self.dotted(node)
        if isinstance(node, ast.Name) and node.id not in {*self.meant, *self.variables}:
            yield from (f"{module}.{node.id}" for module in self.stars)

    def imported(self, node: ast.AST) -> bool:
        """Whether it is imported, or an attribute of what is, and is no variable."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in self.meant.keys() - self.variables


class Namespaces:
    """Of all frames of a program."""

    def __init__(self, source: str):
        self.tree = ast.parse(source)
        self.code = compile(self.tree, "<names>", "exec")
        self.functions = [node for node in ast.walk(self.tree) if isinstance(node, Function)]
        self.bound = set(variables(self.code))
        self.known: dict[int, Names] = {}  # by lines that were asked about

    def at(self, line: int) -> Names:
        """In the function in whose body the line is: what is bound there stands before what the
        functions around it bind, and these before the module."""
        if line not in self.known:
            self.known[line] = self._found(line)
        return self.known[line]

    def _found(self, line: int) -> Names:
        around = [each for each in self.functions if within(each, line)]  # from the outside in
        meant, stars = imports(self.tree)
        meant = aliases(self.tree, meant) | meant
        for function in around:
            own, more = imports(function)
            stars += more
            outer = {name: what for name, what in meant.items() if name not in stored(function)}
            meant = aliases(function, meant | own) | own
            meant = outer | meant
        code = innermost(self.code, line)
        bound = self.bound.union(() if code is None else variables(code))
        foreign = {name for scope in (self.tree, *around) for name in imports(scope)[0]}
        return Names(meant, stars, frozenset(bound - foreign))


def within(function: Function, line: int) -> bool:
    return function.body[0].lineno <= line <= (function.end_lineno or line)


def own(scope: ast.AST) -> Iterator[ast.AST]:
    """What stands in a scope, and not in the functions in it."""
    waiting = [*ast.iter_child_nodes(scope)]
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, Function | ast.Lambda):
            waiting[:0] = ast.iter_child_nodes(node)


def stored(function: Function) -> set[str]:
    """The names that a function binds."""
    given = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
    made = (n for n in own(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    return given.union(node.id for node in made)


def imports(scope: ast.AST) -> tuple[dict[str, str], tuple[str, ...]]:
    """What is imported in a scope, by its name there; and modules of which everything is."""
    meant, stars = dict[str, str](), list[str]()
    for node in own(scope):
        match node:
            case ast.Import(names=names):
                for each in names:
                    top = each.name.partition(".")[0]
                    meant[each.asname or top] = each.name if each.asname else top
            case ast.ImportFrom(module=str(module), names=names):
                stars += [module for each in names if each.name == "*"]
                mine = [each for each in names if each.name != "*"]
                meant |= {each.asname or each.name: f"{module}.{each.name}" for each in mine}
    return meant, tuple(stars)


def aliases(scope: ast.AST, meant: dict[str, str]) -> dict[str, str]:
    """`erase = os.remove` gives another name to what is imported, and so does a default."""
    found: dict[str, str] = {}
    for name, value in named(scope):
        names = Names(found | meant)
        if isinstance(value, ast.Name | ast.Attribute) and names.imported(value):
            found[name] = names.dotted(value)
    return found


def named(scope: ast.AST) -> Iterator[tuple[str, ast.AST | None]]:
    """Names that are given to values: arguments to their defaults, and variables."""
    if isinstance(scope, Function):
        given = scope.args
        places = [*given.posonlyargs, *given.args]
        defaults = zip(reversed(places), reversed(given.defaults), strict=False)
        more = zip(given.kwonlyargs, given.kw_defaults, strict=True)
        yield from ((place.arg, value) for place, value in chain(defaults, more))
    for node in own(scope):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
