"""Which programs belong together, and on which side of a split they fall.

Splits are by program, never by trace: one function with ten inputs is on one side. A hash decides,
so a program keeps its side whatever else is in the corpus, on every machine and Python.
"""

import ast
import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import groupby, islice
from typing import Literal, TypeVar

from tracer.corpora.syntax import parse
from tracer.schema import Program

Split = Literal["train", "valid", "test"]
T = TypeVar("T")

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
# Where functions share text, the function is the program; of agents' episodes, the project is.
_SHARED = ("stdlib/", "pytest/", "agent/")


def group(program: Program) -> str:
    """A digest that programs with the same code have in common.

    Code is the same when its syntax tree is, docstrings aside: comments, layout and quotes do not
    count, names do. Where an excerpt of a module depends on the call, the group is the origin, that
    is the function or class under call; helpers of a module can be in several groups.
    """
    if program.origin.startswith(_SHARED):
        return _digest(program.origin)
    return _digest(normalised(program.source))


def split(group: str, train: float = 0.8, valid: float = 0.1) -> Split:
    place = int.from_bytes(hashlib.sha256(f"split/{group}".encode()).digest()[:8]) / 2**64
    return "train" if place < train else "valid" if place < train + valid else "test"


def unique(programs: Iterable[Program]) -> Iterator[Program]:
    """The programs without exact repetitions of code and call."""
    seen = set()
    for program in programs:
        key = _digest(f"{normalised(program.source)}\0{program.call}")
        if key not in seen:
            seen.add(key)
            yield program


def of_one_source(
    programs: Iterable[T], source: Callable[[T], str], most: int = 256
) -> Iterator[list[T]]:
    """Programs behind one another that differ in their call alone, together, up to so many."""
    for _, run in groupby(programs, source):
        while calls := list(islice(run, most)):
            yield calls


@lru_cache(maxsize=64)  # the inputs of one function come one after the other
def normalised(source: str) -> str:
    """The syntax tree as text, or the source itself where it has none."""
    try:
        tree = parse(source)
        for node in ast.walk(tree):
            if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
                del node.body[0]
        return _dump(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source


def _dump(node: object) -> str:
    """Like `ast.dump`, which writes empty fields in some versions of Python and not in others."""
    if isinstance(node, list):
        return f"[{','.join(map(_dump, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = ((name, value) for name, value in ast.iter_fields(node) if value not in (None, []))
    return f"{type(node).__name__}({','.join(f'{n}={_dump(v)}' for n, v in fields)})"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
