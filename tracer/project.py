"""Which code belongs to a project, and the text of what ran of it.

A project is what lies below a folder, or the modules of some packages; its tests are no part of it.
"""

import ast
import tokenize
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from tracer.statements import Statement, statement_table

_TEST_FILES = ("test_*.py", "*_test.py", "conftest.py", "setup.py", "noxfile.py")
_TEST_FOLDERS = {"test", "tests"}
_OTHERS = {"site-packages", "dist-packages", "node_modules"}


class File(NamedTuple):
    """A file of a project."""

    path: str
    module: str
    lines: list[str]
    table: dict[int, Statement]
    units: dict[int, frozenset[int]]  # by line: the lines of the function around it, and its class


class Project:
    """The files whose code is traced, found as frames come by."""

    def __init__(self, root: Path, modules: Iterable[str] = (), tests: Iterable[str] = ()):
        self.root, self.modules = root, tuple(modules)
        self.tests = (*_TEST_FILES, *tests)
        self.files: dict[str, File | None] = {}

    def file_of(self, frame: FrameType) -> File | None:
        """The file that a frame's code comes from, if it is one of the project."""
        path = frame.f_code.co_filename
        try:
            return self.files[path]
        except KeyError:
            name = frame.f_globals.get("__name__")
            module = name if type(name) is str else "?"
            self.files[path] = read(path, module) if self.owns(Path(path), module) else None
            return self.files[path]

    def owns(self, path: Path, module: str) -> bool:
        if path.suffix != ".py" or any(fnmatch(path.name, pattern) for pattern in self.tests):
            return False
        if self.modules:
            folders = set(module.split(".")[:-1])
            mine = any(module == each or module.startswith(f"{each}.") for each in self.modules)
            return mine and not folders & _TEST_FOLDERS
        if not path.is_relative_to(self.root):
            return False
        folders = set(path.relative_to(self.root).parts[:-1])
        hidden = any(folder.startswith(".") for folder in folders)
        return not hidden and not folders & (_TEST_FOLDERS | _OTHERS)


def read(path: str, module: str) -> File | None:
    """A file with its statements; None where its text is gone or no Python."""
    try:
        with tokenize.open(path) as text:
            source = text.read()
        table = statement_table(source)
        lines = source.split("\n")
        return File(path, module, lines, table, dict(_units(ast.parse(source), table)))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None


def _units(tree: ast.Module, table: dict[int, Statement]) -> Iterator[tuple[int, frozenset[int]]]:
    """The outermost statements that are no class, with the headers of the classes around them."""

    def walk(body: list[ast.stmt], headers: frozenset[int]) -> Iterator[tuple[int, frozenset[int]]]:
        for node in body:
            if isinstance(node, ast.ClassDef) and node.body[0].lineno > node.lineno:
                length = table[node.lineno].text.count("\n") + 1
                yield from walk(node.body, headers | {*range(node.lineno, node.lineno + length)})
                continue
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            span = range(first, (node.end_lineno or first) + 1)
            unit = headers | frozenset(span)
            yield from ((line, unit) for line in span)

    return walk(tree.body, frozenset())


class Excerpt(NamedTuple):
    """The text of some functions, of one or more files, and where their lines went."""

    source: str
    places: dict[tuple[str, int], int]  # path and line: line of the source


def excerpt(functions: Iterable[tuple[File, int]]) -> Excerpt:
    """What stands around these lines, a file after the other, each in the order of its text."""
    kept: dict[str, tuple[File, set[int]]] = {}
    for file, line in functions:
        kept.setdefault(file.path, (file, set()))[1].update(file.units.get(line, ()))
    text: list[str] = []
    places: dict[tuple[str, int], int] = {}
    for file, lines in kept.values():
        before = 0
        for line in sorted(lines):
            if text and line != before + 1:
                text.append("")
            text.append(file.lines[line - 1])
            places[file.path, line] = len(text)
            before = line
    return Excerpt("\n".join(text) + "\n", places)
