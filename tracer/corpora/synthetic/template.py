"""Templates of expressions and statements, with typed gaps.

A gap is `{type}` (an expression), `{literal}` (a row of LITERALS), or a mode and a type:

    {var ints}    a variable to read              {new int}     a name to bind, old or new
    {own ints}    a variable to change            {fresh int}   a name to bind, always new

A letter labels a gap, and the same label is the same text again. `{body}` is a nested block, in
which the names of its header keep their values: so every loop ends. Sizes keep values small: the
magnitude of a number, the length of anything else; `size` maps the sizes of the gaps, in order, to
the size of the value, or of what the statement binds, or else changes.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod
from typing import NamedTuple

GAP = re.compile(r"(\{\{|\}\}|\{[a-z ]+\})")

Size = int | Callable[[Sequence[int]], int]


class Template(NamedTuple):
    family: str
    text: str
    size: Size = 0
    level: int = 1  # lowest difficulty at which it is drawn
    weight: float = 1.0
    grows: bool = False  # may not read what a loop carries round: it would grow exponentially
    jumps: bool = False  # for loop bodies only


class Definition(NamedTuple):
    """What stands above the function under call: a helper, a class, a variable of the module.

    `$` is its name, drawn from `names`; the gaps of its text are filled in a scope where `reads`
    (name: type) are known. `setup` are statements that the function begins with; `expressions` and
    `statements` are templates that use it.
    """

    family: str
    text: str
    names: str
    reads: Mapping[str, str] = {}
    setup: str = ""
    expressions: Mapping[str, str] = {}
    statements: str = ""


def first(sizes: Sequence[int]) -> int:
    return sizes[0]


def last(sizes: Sequence[int]) -> int:
    return sizes[-1]


def one_more(sizes: Sequence[int]) -> int:
    return sizes[0] + 1


# What the value of an expression is like where nothing says more, and what a loop's variable is.
TYPICAL = {"int": 50, "float": 50, "bool": 0, "str": 6, "pair": 50, "ints": 4, "strs": 3}
TYPICAL |= {"counts": 3, "any": 1, "row": 50}
NUMBERS = ("int", "float", "pair", "row")  # whose size is a magnitude


def expression(family: str, kind: str, text: str) -> Template:
    """A template whose size follows from its text: products, sums, or as large as what it reads."""
    same = [n for n, gap in enumerate(_reading(text)) if kind in gap]
    typical = TYPICAL.get(kind, 3)
    if " ** " in text:
        return Template(family, text, _power, grows=True)
    if " << " in text:
        return Template(family, text, _shifted, grows=True)
    if " * " in text and kind != "bool" and (same or kind in NUMBERS):
        return Template(family, text, prod, grows=True)
    if len(same) > 1 and kind != "bool":
        return Template(family, text, partial(_added, same), grows=kind not in NUMBERS)
    if same:
        return Template(family, text, partial(_added, same))
    return Template(family, text, typical)


def statement(family: str, text: str) -> Template:
    """The same for a statement, or for several; `; ` stands for a new line."""
    text = text.replace("; ", "\n")
    gaps = _reading(text)
    jumps = bool(re.search(r"^ *(break|continue)$", text, re.M)) and not is_loop(text)
    if re.match(r"\{new \w+\} = \{\w+\}$", text):
        return Template(family, text, last)
    if match := re.match(r"\{own \w+\} (\S+)= ", text):
        counted = gaps[0][1] in NUMBERS
        other = sum if counted else first if gaps[0][1] == "bool" else _longer
        size = {"*": prod, "**": _power, "<<": _shifted}.get(match[1], other)
        grows = match[1] in ("*", "**", "<<") or not counted
        return Template(family, text, size, grows=grows)
    if gaps and gaps[0][0] == "own" and "\n" not in text:
        if re.search(r"\.(append|insert|add|setdefault)\(|\[\{key", text):
            return Template(family, text, one_more)
        if re.search(r"\.(\w*update|extend)\(", text):
            return Template(family, text, _longer, grows=True)
        return Template(family, text, first)
    kinds = [gap.split(" ")[1] for gap in re.findall(r"\{((?:new|fresh|own) [a-z ]+)\}", text)]
    size = min((TYPICAL.get(kind, 3) for kind in kinds), default=0)
    return Template(family, text, size, jumps=jumps)


def lines(family: str, kind: str, text: str) -> list[Template]:
    """Expressions of a kind, one a line."""
    return [expression(family, kind, line.strip()) for line in text.strip().split("\n")]


def blocks(family: str, text: str) -> list[Template]:
    """Statements; an empty line stands between two where one of them has several lines."""
    found = []
    for block in text.strip("\n").split("\n\n"):
        parts = block.split("\n")
        whole = any(line.startswith(" ") or line == "{body}" for line in parts)
        found += [block] if whole else parts
    return [statement(family, block) for block in found]


def is_loop(text: str) -> bool:
    return bool(re.search(r"^(for|while) ", text, re.M))


def _reading(text: str) -> list[list[str]]:
    """The words of the gaps that have a size, each as often as it is filled anew."""
    gaps, labels = [], set()
    for piece in GAP.findall(text):
        words = piece[1:-1].split(" ")
        if piece not in labels | {"{{", "}}", "{body}"} and words[0] not in ("new", "fresh"):
            gaps.append(words)
        if len(words[-1]) == 1:
            labels.add(piece)
    return gaps


def _added(which: Sequence[int], sizes: Sequence[int]) -> int:
    return sum(sizes[n] for n in which if n < len(sizes))


def _longer(sizes: Sequence[int]) -> int:
    return sizes[0] + 2


def _power(sizes: Sequence[int]) -> int:
    return sizes[0] ** (sizes[1] if len(sizes) > 1 else 2)


def _shifted(sizes: Sequence[int]) -> int:
    return sizes[0] << sizes[1]
