"""What the names in a program stand for: modules and what is in them, by whatever name.

After `import os as o` and `from shutil import rmtree`, `o.remove` is `os.remove`, and `rmtree` is
`shutil.rmtree`. A name that nobody binds is taken for the module of that name, and a variable for
none.
"""

import ast
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from tracer.script import innermost, variables

UNKNOWN = "?"  # a value that may be anything


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
        tree = ast.parse(source)
        self.code = compile(tree, "<names>", "exec")
        self.meant, self.stars = imports(tree)
        self.others = aliases(tree, self.meant)
        self.bound = set(variables(self.code))

    def at(self, line: int) -> Names:
        """In the function in whose body the line is."""
        code = innermost(self.code, line)
        bound = self.bound.union(() if code is None else variables(code))
        return Names(self.others | self.meant, self.stars, frozenset(bound - self.meant.keys()))


def imports(tree: ast.AST) -> tuple[dict[str, str], tuple[str, ...]]:
    meant, stars = dict[str, str](), list[str]()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for each in names:
                    top = each.name.partition(".")[0]
                    meant[each.asname or top] = each.name if each.asname else top
            case ast.ImportFrom(module=str(module), names=names):
                stars += [module for each in names if each.name == "*"]
                own = [each for each in names if each.name != "*"]
                meant |= {each.asname or each.name: f"{module}.{each.name}" for each in own}
    return meant, tuple(stars)


def aliases(tree: ast.AST, meant: dict[str, str]) -> dict[str, str]:
    """`erase = os.remove` gives another name to what is imported."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name() | ast.Attribute()):
                names = Names(found | meant)
                if names.imported(node.value):
                    found[name] = names.dotted(node.value)
    return found
