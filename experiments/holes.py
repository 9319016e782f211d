"""A program with a hole: the one statement `...` of a function, and what may stand in its place.

The usual word is that of program sketching, whose holes are written `??`; `...` is one that Python
itself can read.
"""

import ast
from typing import NamedTuple


class Hole(NamedTuple):
    """A place in a source; columns are of its UTF-8 bytes, as in `ast`."""

    source: str
    line: int  # from 1 on
    start: int
    stop: int

    def filled(self, statement: str) -> str:
        """Raises ValueError where that makes no program."""
        lines = self.source.split("\n")
        old = lines[self.line - 1].encode()
        lines[self.line - 1] = (old[: self.start] + statement.encode() + old[self.stop :]).decode()
        source = "\n".join(lines)
        if not statement.strip() or "\n" in statement or statement.lstrip().startswith("#"):
            raise ValueError(f"candidate {statement!r} is not one statement")
        try:
            compile(source, "<filled>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError) as error:
            said = getattr(error, "msg", None) or error
            raise ValueError(f"candidate {statement!r} makes no program: {said}") from error
        return source


def find_hole(source: str, name: str) -> Hole:
    """That of a function of the module. Raises ValueError where it has none, or several."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise ValueError(f"no program: {error}") from error
    there = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if name not in there:
        known = ", ".join(there) or "none"
        raise ValueError(f"no function {name!r} in the program; there are: {known}")
    found = [hole_at(source, node) for node in ast.walk(there[name]) if is_hole(node)]
    if len(found) != 1:
        count = "no hole" if not found else f"{len(found)} holes"
        raise ValueError(f"{name} has {count}: one statement of it must be `...`")
    return found[0]


def is_hole(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and node.value.value is Ellipsis
    )


def hole_at(source: str, node: ast.AST) -> Hole:
    """In place of a statement of one line."""
    line, start = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
    return Hole(source, line, start, getattr(node, "end_col_offset", 0))
