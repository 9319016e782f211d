"""Small real programs for the tests."""

import importlib
from pathlib import Path

from tracer.schema import Program

GOLDEN = sorted((Path(__file__).parent / "traces").glob("*.py"))

STDLIB = [
    ("base64", "b32encode(b'hello')"),
    ("calendar", "monthrange(2024, 2)"),
    ("colorsys", "rgb_to_hsv(0.5, 0.25, 0.125)"),
    ("copy", "deepcopy([1, [2, {3: 'x'}]])"),
    ("difflib", "get_close_matches('appel', ['ape', 'apple', 'peach'])"),
    ("fnmatch", "translate('*.py[co]')"),
    ("fractions", "Fraction(3, 6) + 1"),
    ("graphlib", "list(TopologicalSorter({1: [2], 2: [3]}).static_order())"),
    ("heapq", "list(merge([1, 4], [2, 3]))"),
    ("heapq", "nsmallest(2, [3, 1, 2, 0])"),
    ("html", "escape('<a & b>')"),
    ("ipaddress", "list(ip_network('10.0.0.0/30').hosts())"),
    ("pprint", "pformat({'a': list(range(30)), 'b': 'text ' * 20})"),
    ("posixpath", "commonpath(['/a/b/c', '/a//b', '/a/b/d'])"),
    ("reprlib", "repr(list(range(9)))"),
    ("shlex", "split(\"a 'b c' d\")"),
    ("statistics", "mean([1, 2, 3.5])"),
    ("string", "capwords('hello there world')"),
    ("string", "Template('$a and ${b}').substitute(a=1, b='two')"),
    ("textwrap", "wrap('the quick brown fox jumps', 10)"),
]


def golden_program(path: Path) -> Program:
    """A program of `traces/`: its first line may say what to call."""
    source = path.read_text()
    first = source.splitlines()[0]
    call = first.removeprefix("# call: ") if first.startswith("# call: ") else None
    return Program(source, call, origin=path.stem)


def stdlib_program(name: str, call: str) -> Program:
    source = Path(importlib.import_module(name).__file__).read_text()
    return Program(source, call, origin=f"stdlib/{name}")
