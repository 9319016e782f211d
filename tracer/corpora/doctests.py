"""The examples in the docstrings of Python files, or of an installed package, as programs.

The examples of a docstring are one program: they run in their order, in the module that has them. A
module that imports others needs them to be installed. Docstrings that name files, processes or the
network are left out.
"""

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from tracer.corpora.examples import sessions
from tracer.corpora.excerpt import excerpt
from tracer.corpora.files import python_files, read
from tracer.corpora.pure import top_level, without_accelerators
from tracer.corpora.syntax import parse
from tracer.schema import Program

_OUTSIDE = re.compile(
    r"\b(open|input|exit|socket|urlopen|subprocess|multiprocessing|threading|Thread|Process|os"
    r"|Path|pathlib|tempfile|shutil|signal|smtplib|ftplib|http\.client|requests|webbrowser|sleep"
    r"|tkinter|turtle|pdb|settrace)\b"
)


def programs(
    path: str | PathLike[str] | None = None, package: str | None = None
) -> Iterator[Program]:
    """Of a file or a folder, or of a package, or one module of it, by its name."""
    if (path is None) == (package is None):
        raise ValueError("give either corpus.path=FILE or corpus.package=NAME")
    top = Path(path) if path is not None else _folder(str(package))
    if not top.exists():
        raise FileNotFoundError(f"no file or folder {top}")
    # Names in a folder begin at the folder, if that is a package.
    base = top.parent if package or not top.is_dir() or _is_package(top) else top
    for file in sorted(python_files(top)) if top.is_dir() else [top]:
        module = ".".join(file.relative_to(base).with_suffix("").parts)
        if package:
            module = package.rpartition(".")[0] + "." * ("." in package) + module
        yield from of_module(read(file), module)


def of_module(source: str, module: str) -> Iterator[Program]:
    """The examples of a module; none, where it is not Python."""
    try:
        source = without_accelerators(source)
        found = list(sessions(source))
    except (SyntaxError, ValueError, RecursionError):
        return
    # Its own imports may import the module: it must not be taken for that one.
    name = module if module.endswith("__init__") else f"{module}_"
    for example in found:
        if not _OUTSIDE.search(example.call):
            call = without_own_imports(example.call, module.removesuffix(".__init__"), source)
            origin = f"doctests/{module}.{example.owner or '__doc__'}"
            yield Program(excerpt(source, f"{call}\n{example.owner}"), call, origin, name)


def without_own_imports(call: str, module: str, source: str) -> str:
    """A call without the imports of what the module has itself: the others are not traced."""
    own = top_level(source)
    kept = [node for node in parse(call).body if not _is_own_import(node, module, own)]
    return "\n".join(map(ast.unparse, kept))


def _is_own_import(node: ast.stmt, module: str, own: frozenset[str]) -> bool:
    if not isinstance(node, ast.ImportFrom) or not f"{module}.".startswith(f"{node.module}."):
        return False
    return all(each.name in own and not each.asname for each in node.names)


def _is_package(folder: Path) -> bool:
    return (folder / "__init__.py").is_file()


def _folder(package: str) -> Path:
    """Where a package is, or a module of one, without importing it."""
    top, *rest = package.split(".")
    if top in sys.builtin_module_names:
        raise ValueError(f"package {package!r} has no Python source")
    spec = importlib.util.find_spec(top)
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        raise ValueError(f"no package {package!r} with Python source is installed")
    place = Path(spec.origin)
    for name in rest:
        place = place.parent / name / "__init__.py"
        if not place.is_file():
            place = place.parent.with_suffix(".py")
    if not place.is_file():
        raise ValueError(f"no module {package!r} is installed")
    return place.parent if place.name == "__init__.py" else place
